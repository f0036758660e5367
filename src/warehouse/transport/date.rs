//! Dates in headers of HTTP (RFC 9110, section 5.6.7), in the one form that is sent today.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

/// The point in time that a header names; `None` for what is no such date.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_to_the_second_and_other_text_is_none() {
        let read = parse("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(read.map(Timestamp::as_second), Some(784_111_777));
        assert_eq!(parse("soon"), None);
        assert_eq!(parse("120"), None);
    }
}
