//! Plain words for OpenSSL's errors, which it writes as codes, libraries and places in its sources:
//! `error:0A000412:SSL routines:ssl3_read_bytes:ssl/tls alert bad certificate:ssl/record.c:909:`.

use openssl::error::ErrorStack;

/// What OpenSSL's reasons mean to a user. The first that is part of a reason counts.
const REASONS: &[(&str, &str)] = &[
    ("certificate verify failed", "the certificate cannot be verified"),
    ("wrong version number", "it answers without TLS"),
    ("packet length too long", "it answers without TLS"),
    ("http request", "it answers without TLS"),
    ("unsupported protocol", "no version of TLS in common"),
    ("protocol version", "no version of TLS in common"),
    ("no protocols available", "no version of TLS in common"),
    ("wrong ssl version", "no version of TLS in common"),
    ("version too low", "no version of TLS in common"),
    ("inappropriate fallback", "no version of TLS in common"),
    ("no shared cipher", "no cipher in common"),
    ("handshake failure", "no cipher in common, or a certificate is missing"),
    ("unexpected eof", "the connection was closed"),
    ("certificate required", "a client certificate is required"),
    ("unknown ca", "the certificate is signed by an unknown authority"),
    ("unrecognized name", "the server does not have this name"),
    ("bad decrypt", "the passphrase is wrong"),
    ("cipherfinal", "the passphrase is wrong"),
    ("mac verify failure", "the passphrase is wrong"),
    ("maybe wrong password", "the passphrase is wrong"),
    ("bad password read", "the passphrase is missing"),
    ("empty password", "the passphrase is missing"),
    ("interrupted or cancelled", "the passphrase is missing"),
    ("no start line", "it holds nothing of that kind in PEM form"),
    ("no certificate or crl found", "it holds no certificates"),
    ("key values mismatch", "the key does not belong to the certificate"),
    ("key type mismatch", "the key does not belong to the certificate"),
    ("key too small", "the key is too weak"),
    ("md too weak", "the signature is too weak"),
    ("legacy", "an algorithm is too old"),
    ("no such file", "no such file"),
    ("permission denied", "permission denied"),
    ("bio lib", "it cannot be read"),
    ("system lib", "it cannot be read"),
    ("wrong tag", "it is not in the expected form"),
    ("nested asn1 error", "it is not in the expected form"),
    ("not enough data", "it is not in the expected form"),
    ("too long", "it is not in the expected form"),
    ("bad base64", "it is damaged"),
    ("bad end line", "it is damaged"),
    ("asn1", "it is not in the expected form"),
    ("unsupported", "it is in a form that is not supported"),
];

/// Returns the reason of a stack of errors in plain words. A wrong passphrase stands beside vaguer
/// errors, in no fixed place.
#[must_use]
pub fn plain_reason(errors: &ErrorStack) -> String {
    let reasons: Vec<&str> =
        errors.errors().iter().filter_map(openssl::error::Error::reason).collect();
    let secret = reasons.iter().copied().find(|reason| is_about_passphrase(reason));
    plain_words(secret.or(reasons.first().copied()).unwrap_or("it cannot be used"))
}

fn is_about_passphrase(reason: &str) -> bool {
    plain_words(reason).contains("passphrase")
}

/// Returns OpenSSL's reason in plain words.
fn plain_words(reason: &str) -> String {
    let lower = reason.to_ascii_lowercase();
    if let Some((_, words)) = REASONS.iter().find(|(part, _)| lower.contains(part)) {
        return (*words).to_owned();
    }
    lower.split_once("alert ").map_or(lower.as_str(), |(_, words)| words).to_owned()
}

/// Replaces each of OpenSSL's lines of codes in a text by plain words.
#[must_use]
pub fn without_codes(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, fields)) = split_at_code(rest) {
        plain.push_str(before);
        // Library, function, reason, and where OpenSSL is asked for them file and line.
        let mut parts = fields.splitn(4, ':');
        let (_, _, reason) = (parts.next(), parts.next(), parts.next().unwrap_or_default());
        let (reason, behind) = match reason.split_once([',', '(']) {
            Some((words, _)) => (words, &fields[offset_in(fields, reason) + words.len()..]),
            None => (reason, parts.next().unwrap_or_default()),
        };
        plain.push_str(&plain_words(reason.trim()));
        rest = behind_place(behind);
        if rest.starts_with(' ') {
            plain.push(',');
        }
    }
    plain.push_str(rest);
    plain.trim_end_matches([':', ',', ' ']).to_owned()
}

/// Splits a text at `error:0A000086:`.
fn split_at_code(text: &str) -> Option<(&str, &str)> {
    const LENGTH: usize = 8;
    text.match_indices("error:").find_map(|(at, word)| {
        let behind = &text[at + word.len()..];
        let code = behind.get(..LENGTH)?;
        let is_code = code.bytes().all(|byte| byte.is_ascii_hexdigit());
        let fields = behind.get(LENGTH..)?.strip_prefix(':')?;
        is_code.then_some((&text[..at], fields))
    })
}

/// Cuts `ssl/record.c:909:` off, which stands behind a reason.
fn behind_place(text: &str) -> &str {
    let Some((file, rest)) = text.split_once(':') else { return text };
    if std::path::Path::new(file).extension().is_none_or(|ending| ending != "c") {
        return text;
    }
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches(':');
    match rest.strip_prefix("SSL alert number ") {
        Some(number) => number.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    }
}

fn offset_in(whole: &str, part: &str) -> usize {
    part.as_ptr() as usize - whole.as_ptr() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_codes_become_plain_words() {
        for (line, plain) in [
            (
                "SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: broker certificate could not be verified",
                "SSL handshake failed: the certificate cannot be verified, broker certificate could not be verified",
            ),
            (
                "error:0A000412:SSL routines:ssl3_read_bytes:ssl/tls alert bad certificate:ssl/record/rec_layer_s3.c:909:SSL alert number 42",
                "bad certificate",
            ),
            (
                "error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed:ssl/statem/statem_clnt.c:2124: (self-signed certificate)",
                "the certificate cannot be verified, (self-signed certificate)",
            ),
            (
                "ssl.ca.location failed: error:05880020:x509 certificate routines::BIO lib",
                "ssl.ca.location failed: it cannot be read",
            ),
            ("an error: nothing of OpenSSL's", "an error: nothing of OpenSSL's"),
            ("error:0A00010B:SSL routines::wrong version number", "it answers without TLS"),
        ] {
            assert_eq!(without_codes(line), plain, "{line}");
        }
    }
}
