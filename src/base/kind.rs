//! The kinds of failure and the exit codes that scripts may rely on.

/// What a command's end means to a caller. The exit code is derived from it in [`Kind::code`] and
/// nowhere else; codes are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A bug of this program.
    Internal,
    /// Flags, arguments, settings, or local files that cannot be used.
    Usage,
    /// The model, topic, profile or local file does not exist.
    NotFound,
    /// The API said no (4xx).
    Rejected,
    /// The API failed (5xx), or answered something that cannot be right.
    ServerFault,
    /// DNS, refused, TLS, no broker, not a broker, connection lost and retries spent.
    Unreachable,
    /// The deadline passed before what was asked for.
    Deadline,
    /// The command ran and the answer is bad.
    CheckFailed,
    /// Some items of several failed; each was reported.
    Partial,
    /// Authentication or authorisation.
    Denied,
    /// Stopped by SIGINT.
    Interrupted,
    /// Stopped by SIGTERM.
    Terminated,
}

impl Kind {
    /// Every kind, in the order of their codes.
    pub const ALL: [Kind; 12] = [
        Kind::Internal,
        Kind::Usage,
        Kind::NotFound,
        Kind::Rejected,
        Kind::ServerFault,
        Kind::Unreachable,
        Kind::Deadline,
        Kind::CheckFailed,
        Kind::Partial,
        Kind::Denied,
        Kind::Interrupted,
        Kind::Terminated,
    ];

    /// The process's exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Kind::Internal => 1,
            Kind::Usage => 2,
            Kind::NotFound => 3,
            Kind::Rejected => 4,
            Kind::ServerFault => 5,
            Kind::Unreachable => 6,
            Kind::Deadline => 7,
            Kind::CheckFailed => 8,
            Kind::Partial => 9,
            Kind::Denied => 10,
            Kind::Interrupted => 130,
            Kind::Terminated => 143,
        }
    }

    /// The word for it in JSON errors.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Kind::Internal => "internal",
            Kind::Usage => "usage",
            Kind::NotFound => "not-found",
            Kind::Rejected => "rejected",
            Kind::ServerFault => "server-fault",
            Kind::Unreachable => "unreachable",
            Kind::Deadline => "deadline",
            Kind::CheckFailed => "check-failed",
            Kind::Partial => "partial",
            Kind::Denied => "denied",
            Kind::Interrupted => "interrupted",
            Kind::Terminated => "terminated",
        }
    }

    /// One sentence for the help and the manual page.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Kind::Internal => "a bug in dwctl",
            Kind::Usage => "flags, arguments, settings or local files cannot be used",
            Kind::NotFound => "the model, topic, profile or local file does not exist",
            Kind::Rejected => "the API refused the request (4xx)",
            Kind::ServerFault => "the API failed (5xx) or answered something that cannot be right",
            Kind::Unreachable => "the API or the brokers cannot be reached",
            Kind::Deadline => "the timeout passed before what was asked for",
            Kind::CheckFailed => "it ran and the answer is bad",
            Kind::Partial => "some items of several failed",
            Kind::Denied => "authentication or authorisation failed",
            Kind::Interrupted => "stopped by SIGINT",
            Kind::Terminated => "stopped by SIGTERM",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn codes_and_words_are_distinct() {
        let mut codes: Vec<u8> = Kind::ALL.iter().map(|kind| kind.code()).collect();
        let mut words: Vec<&str> = Kind::ALL.iter().map(|kind| kind.word()).collect();
        codes.sort_unstable();
        codes.dedup();
        words.sort_unstable();
        words.dedup();
        assert_eq!(codes.len(), Kind::ALL.len());
        assert_eq!(words.len(), Kind::ALL.len());
        assert!(!codes.contains(&0), "0 is success");
    }
}
