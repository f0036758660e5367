//! The base address of an API, and paths below it.

use std::fmt;

use reqwest::Url;

use super::WarehouseError;
use crate::base::redact::redact_address;

/// `http://HOST:PORT` or `https://…`, with a path in front of every route where a proxy adds one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiAddress {
    url: Url,
    prefix: String,
}

impl ApiAddress {
    /// Takes what a person set.
    ///
    /// # Errors
    /// The text is no HTTP address, or it carries what no base address can: credentials, a query.
    pub fn parse(text: &str) -> Result<Self, WarehouseError> {
        let refuse = |reason: &str| WarehouseError::Address {
            text: redact_address(text),
            reason: reason.to_owned(),
        };
        let url = Url::parse(text).map_err(|error| match error.to_string() {
            reason if reason.contains("without a base") => refuse("it does not start with http://"),
            reason => refuse(&reason),
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refuse("it does not start with http:// or https://"));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(refuse("it names no host"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("the API takes no user and password"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("a base address has no ? and no #"));
        }
        let prefix = url.path().trim_end_matches('/').to_owned();
        Ok(Self { url, prefix })
    }

    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The host without the brackets of IPv6.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default().trim_matches(['[', ']'])
    }

    /// Whether it is this machine, as far as its name tells.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let is_loopback = |ip: std::net::IpAddr| ip.is_loopback() || ip.is_unspecified();
        self.host() == "localhost" || self.host().parse().is_ok_and(is_loopback)
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(80)
    }

    /// What stands in `Host`: the port only where it is not the scheme's own.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("{}://{}", self.url.scheme(), self.authority())
    }

    /// The path of a route: the prefix, then each segment percent-encoded, so that `?`, `#` and
    /// `%` in an id stay parts of it.
    #[must_use]
    pub fn path(&self, segments: &[&str]) -> String {
        segments.iter().fold(self.prefix.clone(), |path, segment| path + "/" + &encode(segment))
    }

    /// The path of a redirect's target, when that stays at this origin.
    #[must_use]
    pub fn same_origin(&self, location: &str) -> Option<String> {
        let target = self.url.join(location).ok()?;
        (target.origin() == self.url.origin()).then(|| {
            target.query().map_or_else(
                || target.path().to_owned(),
                |query| format!("{}?{query}", target.path()),
            )
        })
    }
}

impl fmt::Display for ApiAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.prefix)
    }
}

/// Everything but RFC 3986's unreserved characters as `%XX`.
fn encode(segment: &str) -> String {
    use fmt::Write as _;
    segment.bytes().fold(String::with_capacity(segment.len()), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Classify;

    #[test]
    fn an_address_has_an_origin_and_a_prefix() {
        let address = ApiAddress::parse("http://localhost:8000/autodw/").unwrap();
        assert_eq!(address.origin(), "http://localhost:8000");
        assert_eq!(
            address.path(&["ai-models", "a b", "x?y#z%/"]),
            "/autodw/ai-models/a%20b/x%3Fy%23z%25%2F"
        );
        assert_eq!(address.to_string(), "http://localhost:8000/autodw");
        let six = ApiAddress::parse("http://[::1]").unwrap();
        assert_eq!((six.host(), six.port(), six.authority()), ("::1", 80, "[::1]".to_owned()));
    }

    #[test]
    fn what_is_no_base_address_is_refused_with_its_reason() {
        for bad in ["localhost:8000", "ftp://x", "http://", "http://u:p@h", "http://h/?q", "", "x"]
        {
            assert!(ApiAddress::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn no_refusal_shows_a_secret() {
        for address in [
            "u:S3cret@h",
            "http://u:S3cret@h",
            "http://u:S3cret@h:x",
            "ftp://u:S3cret@h",
            "http://h/?token=S3cret",
            "http://h/#S3cret",
            "http:/u:S3cret@h",
            "//u:S3cret@h",
        ] {
            let error = ApiAddress::parse(address).unwrap_err();
            let hints: Vec<String> = error.hints().iter().map(ToString::to_string).collect();
            let told = format!("{error} {hints:?}");
            assert!(!told.contains("S3cret") && told.contains("***"), "{address}: {told}");
        }
    }

    #[test]
    fn a_redirect_elsewhere_is_not_followed() {
        let address = ApiAddress::parse("http://h:1").unwrap();
        assert_eq!(address.same_origin("http://h:1/a/?x=1").as_deref(), Some("/a/?x=1"));
        assert_eq!(address.same_origin("/a/").as_deref(), Some("/a/"));
        assert_eq!(address.same_origin("https://h:1/a/"), None);
        assert_eq!(address.same_origin("http://other:1/a/"), None);
    }
}
