//! What somebody would want to know before a file goes out.

use crate::archive::recognise::{Fault, Recognition};

/// Why a file may be unsafe or useless to whoever gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    RunsCode,
    LfsPointer,
    Truncated,
    Malformed,
    Secret,
}

impl FindingKind {
    /// The name in documents.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RunsCode => "runs-code",
            Self::LfsPointer => "git-lfs-pointer",
            Self::Truncated => "truncated",
            Self::Malformed => "malformed",
            Self::Secret => "secret",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::RunsCode => "safetensors and ONNX carry weights without code",
            Self::LfsPointer => "git lfs pull fetches the file itself",
            Self::Truncated | Self::Malformed => "download or save it again",
            Self::Secret => {
                "take it out (of a folder --exclude does), and revoke it if it was ever sent"
            }
        }
    }
}

/// One thing about one file. A secret's value never stands in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub kind: FindingKind,
    /// Below the folder, or the base name.
    pub path: String,
    /// The whole of it, for people.
    pub text: String,
}

impl Finding {
    pub(super) fn new(kind: FindingKind, path: &str, text: &str) -> Self {
        Self { kind, path: path.to_owned(), text: format!("{path} {text}") }
    }

    /// What a recognised file is found to be.
    pub(super) fn of_recognition(path: &str, recognition: &Recognition) -> Vec<Self> {
        let code = recognition.runs_code.map(|what| {
            let text = format!("has {what} in it, which runs code when it is loaded");
            Self::new(FindingKind::RunsCode, path, &text)
        });
        let fault = recognition.fault.as_ref().map(|fault| match fault {
            Fault::Truncated(reason) => {
                Self::new(FindingKind::Truncated, path, &format!("is cut off: {reason}"))
            }
            Fault::Malformed(reason) => {
                Self::new(FindingKind::Malformed, path, &format!("is damaged: {reason}"))
            }
        });
        code.into_iter().chain(fault).collect()
    }
}
