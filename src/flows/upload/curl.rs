//! An upload as a script for a shell, for whoever has curl and not this program. A file is one
//! command. A folder is packed first: curl sends no archive that is made meanwhile without holding
//! all of it in memory.

use std::path::Path;

use crate::archive::{ArchiveError, Payload, Plan};
use crate::base::shell::quoted;
use crate::base::{Failure, Rate};
use crate::warehouse::{CurlFile, UploadRequest, Warehouse};

/// Packs what standard input lists, deflated where there is a third argument: Python has it, and `zip` mangles names that are not
/// ASCII.
const PACK: &str = r#"
import os, sys, zipfile
os.chdir(sys.argv[1])
method = zipfile.ZIP_DEFLATED if sys.argv[3:] else zipfile.ZIP_STORED
with zipfile.ZipFile(sys.argv[2], "x", method, strict_timestamps=False) as archive:
    for name in sys.stdin.buffer.read().decode().split("\n")[:-1]:
        archive.write(name)
"#;

/// The script that sends what this request sends.
///
/// # Errors
/// It cannot be sent at all, or not by curl.
pub fn curl_script(
    warehouse: &Warehouse,
    request: &UploadRequest<'_>,
    limit: Option<Rate>,
) -> Result<String, Failure> {
    match request.payload {
        Payload::File { path, .. } => {
            Ok(warehouse.curl_command(request, CurlFile::At(path), limit)?)
        }
        Payload::Folder(plan) => {
            let file = CurlFile::Expanded("$folder/model.zip");
            let curl = warehouse.curl_command(request, file, limit)?;
            Ok(packed(plan, &curl)?)
        }
    }
}

fn packed(plan: &Plan, curl: &str) -> Result<String, ArchiveError> {
    let root = root(plan.root())?;
    let names: String = plan.entries().map(|entry| format!("{}\n", entry.found.name)).collect();
    let end = end_of(plan);
    let method = if plan.is_compressed() { " deflated" } else { "" };
    Ok(format!(
        "# curl sends no folder: Python packs these files first, into a temporary archive of their size.\n\
         (\n\
         folder=$(mktemp -d) && trap 'rm -r \"$folder\"' EXIT &&\n\
         python3 -c {} {} \"$folder/model.zip\"{method} <<'{end}' &&\n\
         {names}{end}\n\
         {curl}\n\
         )",
        quoted(PACK),
        quoted(&root),
    ))
}

fn root(path: &Path) -> Result<String, ArchiveError> {
    let text = path.to_str();
    text.map(str::to_owned)
        .ok_or_else(|| ArchiveError::Name { path: path.to_owned(), reason: "is not UTF-8" })
}

/// A line that ends the list of files, and is none of them.
fn end_of(plan: &Plan) -> String {
    let mut end = "FILES".to_owned();
    while plan.entries().any(|entry| *entry.found.name == *end) {
        end.push('_');
    }
    end
}
