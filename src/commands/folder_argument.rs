//! Folders on the command line into which files are written.

use std::path::PathBuf;

use clap::builder::{PathBufValueParser, TypedValueParser};

/// Parses the name of a folder. `-`, which means standard output elsewhere, is refused.
pub(super) fn output_folder() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(check_output_folder)
}

fn check_output_folder(folder: PathBuf) -> Result<PathBuf, &'static str> {
    if folder.as_os_str() == "-" {
        return Err("files are not written to standard output; ./- is a folder of that name");
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_output_is_no_folder() {
        assert!(check_output_folder("-".into()).is_err());
        for text in ["./-", ".", "-a", "a"] {
            assert_eq!(check_output_folder(text.into()), Ok(PathBuf::from(text)));
        }
    }
}
