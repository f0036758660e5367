//! Rates as curl's `--limit-rate` takes them: `500k`, `2M`, `1.5G`, bytes a second; a bare number is
//! bytes.

use std::time::Duration;

/// Bytes a second, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(u64);

/// Why a text is no rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no rate; write 500k, 2M or 1.5G, or bytes a second")]
pub struct InvalidRate {
    text: String,
}

/// Reads a rate. The units are powers of 1024 as in curl, in small or large letters.
///
/// # Errors
/// Another unit, no number, or less than a byte a second.
pub fn parse_rate(text: &str) -> Result<Rate, InvalidRate> {
    bytes(text.trim()).map(Rate).ok_or_else(|| InvalidRate { text: text.to_owned() })
}

fn bytes(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit: u64 = match unit {
        "" | "b" | "B" => 1,
        "k" | "K" => 1 << 10,
        "m" | "M" => 1 << 20,
        "g" | "G" => 1 << 30,
        "t" | "T" => 1 << 40,
        _ => return None,
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let tenths = 10_u64.checked_pow(u32::try_from(part.len()).ok()?)?;
    let part = u128::from(part.parse::<u64>().ok()?) * u128::from(unit) / u128::from(tenths);
    let rate = whole.parse::<u64>().ok()?.checked_mul(unit)?.checked_add(part.try_into().ok()?)?;
    (rate > 0).then_some(rate)
}

impl Rate {
    /// How long so many bytes take.
    #[must_use]
    pub fn time_for(self, bytes: u64) -> Duration {
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(self.0);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// The bytes of so much time, at least one.
    #[must_use]
    pub fn bytes_in(self, time: Duration) -> u64 {
        let bytes = u128::from(self.0) * time.as_nanos() / 1_000_000_000;
        u64::try_from(bytes).unwrap_or(u64::MAX).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_curls() {
        for (text, bytes) in [
            ("1000", 1000),
            ("7b", 7),
            ("500k", 512_000),
            ("500K", 512_000),
            ("2M", 2 << 20),
            ("1.5g", 3 << 29),
            ("1T", 1 << 40),
        ] {
            assert_eq!(parse_rate(text), Ok(Rate(bytes)), "{text}");
        }
    }

    #[test]
    fn what_is_no_rate_is_refused_by_name() {
        for text in ["", "k", "0", "0.5", "-1", "1kb", "1 k", "1e9", "1.2.3", "99999999T", "inf"] {
            let error = parse_rate(text).unwrap_err();
            assert!(error.to_string().contains("500k"), "{text}: {error}");
        }
    }

    #[test]
    fn time_and_bytes_belong_together() {
        let rate = parse_rate("1k").unwrap();
        assert_eq!(rate.time_for(512), Duration::from_millis(500));
        assert_eq!(rate.bytes_in(Duration::from_millis(500)), 512);
        assert_eq!(rate.bytes_in(Duration::ZERO), 1, "or nothing would ever be sent");
        let slow = parse_rate("1").unwrap();
        assert_eq!(slow.time_for(u64::MAX), Duration::from_nanos(u64::MAX), "no overflow");
    }
}
