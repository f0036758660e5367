//! Files to upload and the record of them. Both are made by helpers: the sums and names of a hundred
//! thousand files must not grow the process that measures.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use dwctl::archive::{hex, md5_of};
use serde_json::json;

use crate::helper;
use crate::workshop::Workshop;

/// A file of bytes that do not repeat, so that nothing can be made shorter.
pub fn weights(path: &Path, size: u64, seed: u64) -> Result<()> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    for _ in 0..size / 8 {
        // Xorshift.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        file.write_all(&state.to_le_bytes())?;
    }
    file.flush()?;
    Ok(())
}

/// A folder of so many files of so many bytes, a thousand in each of its folders.
pub fn folder(workshop: &Workshop, name: &str, count: u64, size: u64) -> Result<PathBuf> {
    let folder = workshop.folder().join(name);
    let task = ["files", &folder.to_string_lossy(), &count.to_string(), &size.to_string()];
    helper::numbers(&task, &[])?;
    Ok(folder)
}

/// What a helper does for [`folder`].
pub fn make_files(folder: &Path, count: u64, size: u64) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    for number in 0..count {
        let part = folder.join(format!("part-{:03}", number / 1000));
        if number % 1000 == 0 {
            std::fs::create_dir_all(&part)?;
        }
        weights(&part.join(format!("weights-{number:06}.bin")), size, number)?;
    }
    Ok(())
}

/// The record that a warehouse answers with which was sent this file, or all files of this folder.
pub fn record(path: &Path) -> Result<String> {
    let (root, mut files) = match path.is_dir() {
        true => (path, Vec::new()),
        false => (path.parent().context("a file in no folder")?, vec![path.to_owned()]),
    };
    if path.is_dir() {
        for part in std::fs::read_dir(path)? {
            for file in std::fs::read_dir(part?.path())? {
                files.push(file?.path());
            }
        }
    }
    let mut stored = Vec::new();
    for file in files {
        let (size, md5) = md5_of(&file)?;
        let name = file.strip_prefix(root)?;
        stored.push(json!({
            "filename": name.file_name().unwrap_or_default().to_string_lossy(),
            "file_path": format!("models/u1/m/v1/{}", name.display()), "file_size": size,
            "file_type": "bin", "file_hash": hex(&md5),
            "content_type": "application/octet-stream", "is_primary": false, "description": null
        }));
    }
    let record = json!({
        "model_id": "MODEL", "user_id": "u1", "name": "MODEL", "version": "v1",
        "framework": "pytorch", "model_type": "classification", "files": stored,
        "created_at": "2026-11-23T13:19:20.418000", "updated_at": "2026-11-23T13:19:20.418000",
        "is_active": true, "is_production_ready": false
    });
    Ok(record.to_string())
}
