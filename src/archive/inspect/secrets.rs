//! Secrets by the names of their files and by the forms of well-known tokens. It tells which kind and
//! where, never what.

use memchr::memmem;

/// Names of files that hold nothing but secrets.
const NAMES: [&str; 8] = [
    ".env",
    ".netrc",
    ".pypirc",
    ".git-credentials",
    ".pgpass",
    "kaggle.json",
    "id_ecdsa",
    "id_dsa",
];
const ENDINGS: [&str; 5] = [".pem", ".key", ".p12", ".pfx", ".keystore"];
const BEGINNINGS: [&str; 3] = [".env.", "id_rsa", "id_ed25519"];

/// A token's first letters, what may follow, and at least how many of these.
struct Token {
    prefix: &'static str,
    least: usize,
    /// What it is, for people.
    what: &'static str,
}

const fn token(prefix: &'static str, least: usize, what: &'static str) -> Token {
    Token { prefix, least, what }
}

const TOKENS: [Token; 15] = [
    token("AKIA", 16, "an access key of AWS"),
    token("ASIA", 16, "an access key of AWS"),
    token("ghp_", 36, "a token of GitHub"),
    token("gho_", 36, "a token of GitHub"),
    token("ghs_", 36, "a token of GitHub"),
    token("github_pat_", 60, "a token of GitHub"),
    token("glpat-", 20, "a token of GitLab"),
    token("hf_", 30, "a token of Hugging Face"),
    token("sk-ant-", 32, "a key of Anthropic"),
    token("sk-proj-", 32, "a key of OpenAI"),
    token("sk-", 40, "an API key"),
    token("xoxb-", 24, "a token of Slack"),
    token("xoxp-", 24, "a token of Slack"),
    token("AIza", 35, "a key of Google"),
    token("npm_", 36, "a token of npm"),
];

/// What the name alone says.
pub(super) fn by_name(name: &str) -> Option<&'static str> {
    let base = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    // The public half of a key is no secret.
    if base.ends_with(".pub") {
        return None;
    }
    let is_one = NAMES.contains(&base.as_str())
        || ENDINGS.iter().any(|ending| base.len() > ending.len() && base.ends_with(ending))
        || BEGINNINGS.iter().any(|beginning| base.starts_with(beginning))
        || name == ".aws/credentials"
        || name.ends_with("/.aws/credentials");
    is_one.then_some("by its name a file of secrets")
}

/// The first token in a text, with the number of its line.
pub(super) fn by_content(text: &[u8]) -> Option<(&'static str, usize)> {
    // Whatever has a zero is no text, and weights are full of them.
    if memchr::memchr(0, text).is_some() {
        return None;
    }
    let key = memmem::find(text, b"PRIVATE KEY-----")
        .filter(|&at| memmem::rfind(&text[at.saturating_sub(32)..at], b"-----BEGIN ").is_some())
        .map(|at| ("a private key", at));
    let (what, at) =
        key.or_else(|| TOKENS.iter().find_map(|token| Some((token.what, find(text, token)?))))?;
    Some((what, memchr::memchr_iter(b'\n', &text[..at]).count() + 1))
}

fn find(text: &[u8], token: &Token) -> Option<usize> {
    memmem::find_iter(text, token.prefix).find(|&at| {
        let is_apart = at == 0 || !is_part(text[at - 1]);
        let rest = &text[at + token.prefix.len()..];
        let length = rest.iter().take_while(|&&byte| is_part(byte)).count();
        is_apart && length >= token.least && is_random(&rest[..length])
    })
}

fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// Whether it has the mixture that made-up names and placeholders such as `xxxx` have not.
fn is_random(text: &[u8]) -> bool {
    let has = |test: fn(&u8) -> bool| text.iter().any(test);
    let differing = (0..=u8::MAX).filter(|byte| text.contains(byte)).count();
    has(u8::is_ascii_uppercase) && differing >= 8 && has(u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known_and_public_keys_are_none() {
        for name in
            [".env", "a/.env.local", "id_rsa", "x/ID_RSA.old", "tls.pem", ".aws/credentials"]
        {
            assert!(by_name(name).is_some(), "{name}");
        }
        for name in ["id_rsa.pub", "env", "model.pt", ".pem", "keys.txt", "credentials"] {
            assert_eq!(by_name(name), None, "{name}");
        }
    }

    /// Made of pieces: no text that looks like a token stands in this file.
    fn made(prefix: &str) -> String {
        format!("{prefix}{}", "aB3dE5gH7jK9mN1pQ4sT6vW8yZ0bC2dF".repeat(3))
    }

    #[test]
    fn tokens_are_found_with_their_lines() {
        for token in &TOKENS {
            let text = format!("a = 1\nkey = \"{}\"\n", made(token.prefix));
            let (what, line) = by_content(text.as_bytes()).unwrap();
            assert_eq!(line, 2, "{}", token.prefix);
            assert_eq!(what, token.what);
        }
        let key = format!("x\n\n-----BEGIN RSA {}-----\n", "PRIVATE KEY");
        assert_eq!(by_content(key.as_bytes()), Some(("a private key", 3)));
    }

    #[test]
    fn what_only_resembles_a_token_is_none() {
        let placeholder = format!("hf_{}", "x".repeat(40));
        let word = "risk-averse-people-who-write-very-long-words-with-dashes-in-them";
        let inside = format!("x{}", made("AKIA"));
        for text in [placeholder.as_str(), word, &inside, "sk-learn", "hf_hub", "AKIA"] {
            assert_eq!(by_content(text.as_bytes()), None, "{text}");
        }
        let binary = [b"\0", made("hf_").as_bytes()].concat();
        assert_eq!(by_content(&binary), None);
    }
}
