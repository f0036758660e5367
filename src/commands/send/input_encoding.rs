//! Input whose encoding would make other records than its author sees.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use crate::context::Context;

/// Warns of files that begin with a byte order mark: their bytes are sent as they are.
pub(super) fn warn_of_marks(context: &Context, paths: &[PathBuf], inputs: &[File], is_json: bool) {
    for (path, input) in paths.iter().zip(inputs) {
        if let Some(warning) = mark_warning(&beginning(input), is_json) {
            context.ui.warning(&format!("{} {warning}", path.display()));
        }
    }
}

/// Returns the first bytes of a file; none of what cannot be read twice.
fn beginning(input: &File) -> Vec<u8> {
    let mut bytes = [0; 3];
    let is_file = input.metadata().is_ok_and(|metadata| metadata.is_file());
    let count = if is_file { input.read_at(&mut bytes, 0).unwrap_or(0) } else { 0 };
    bytes[..count].to_vec()
}

fn mark_warning(bytes: &[u8], is_json: bool) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            Some("is UTF-16, and sent as it is: iconv -f UTF-16 -t UTF-8 makes UTF-8 of it")
        }
        [0xef, 0xbb, 0xbf] if !is_json => {
            Some("begins with a byte order mark, which is sent as part of its first record")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_warned_of_where_it_becomes_part_of_a_record() {
        for (bytes, plain, json) in [
            (&b"\xff\xfea"[..], true, true),
            (b"\xfe\xff", true, true),
            (b"\xef\xbb\xbf", true, false),
            (b"{\"a", false, false),
            (b"", false, false),
        ] {
            assert_eq!(mark_warning(bytes, false).is_some(), plain, "{bytes:?}");
            assert_eq!(mark_warning(bytes, true).is_some(), json, "{bytes:?}");
        }
    }
}
