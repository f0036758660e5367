//! Names of zip entries as paths. The service unpacks with Python's zipfile, so its rules decide what
//! a file is called afterwards; Info-ZIP has the same ones.

use std::borrow::Cow;

/// Returns the path that an unpacker makes of an entry's name: without empty parts, `.` and `..`.
///
/// `./a`, `a//b`, `/a/b` and `a/../b` become `a`, `a/b`, `a/b` and `a/b`. A backslash is a character
/// like any other. The path of `..` is empty.
#[must_use]
pub fn unpacked_path(name: &str) -> Cow<'_, str> {
    if name.split('/').all(is_named) {
        return Cow::Borrowed(name);
    }
    Cow::Owned(name.split('/').filter(|part| is_named(part)).collect::<Vec<_>>().join("/"))
}

fn is_named(part: &str) -> bool {
    !matches!(part, "" | "." | "..")
}

/// Whether a name leads out of the folder when it is taken as it is written.
#[must_use]
pub fn leads_outside(name: &str) -> bool {
    name.starts_with('/') || name.split('/').any(|part| part == "..")
}

/// Whether a file is one that macOS writes beside others for their attributes: it has their names, and
/// none of their content.
#[must_use]
pub fn is_sidecar(path: &str) -> bool {
    path.split('/')
        .any(|part| part.starts_with("._") || matches!(part, "__MACOSX" | ".AppleDouble"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_the_path_that_pythons_zipfile_makes_of_it() {
        for (name, path) in [
            ("a/b.onnx", "a/b.onnx"),
            ("./a", "a"),
            ("././a/./b", "a/b"),
            ("a//b", "a/b"),
            ("//a///b", "a/b"),
            ("/a/b", "a/b"),
            ("a/../b", "a/b"),
            ("../../a", "a"),
            ("..", ""),
            ("./", ""),
            ("a\\b", "a\\b"),
            ("a./b..", "a./b.."),
            ("...", "..."),
            ("C:/a", "C:/a"),
        ] {
            assert_eq!(unpacked_path(name), path, "{name}");
            assert_eq!(unpacked_path(path), path, "{path}");
        }
    }

    #[test]
    fn parents_and_roots_lead_outside() {
        for name in ["../a", "a/../b", "/a", "a/.."] {
            assert!(leads_outside(name), "{name}");
        }
        for name in ["./a", "a//b", "..a/b..", "a"] {
            assert!(!leads_outside(name), "{name}");
        }
    }

    #[test]
    fn what_macos_adds_is_known_by_its_name() {
        for path in ["._a.pt", "d/._a.pt", "__MACOSX/a.pt", "d/__MACOSX/._a", ".AppleDouble/a"] {
            assert!(is_sidecar(path), "{path}");
        }
        for path in ["a._b", "_a.pt", "__MACOSX.pt", ".a", "macosx/a"] {
            assert!(!is_sidecar(path), "{path}");
        }
    }
}
