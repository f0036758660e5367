//! Durations as people type them: `500ms`, `30s`, `2m`, `1h30m`, `1d`; a bare number is seconds.

use std::time::Duration;

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no duration; write 500ms, 30s, 2m or 1h30m")]
pub struct InvalidDuration {
    text: String,
}

/// Reads one duration; parts add up, each with a unit of `ms`, `s`, `m`, `h` or `d`.
///
/// # Errors
/// A part without digits or with another unit, or a sum beyond the type.
pub fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    total(text.trim()).ok_or_else(|| InvalidDuration { text: text.to_owned() })
}

fn total(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<f64>() {
        return (seconds >= 0.0).then(|| Duration::try_from_secs_f64(seconds).ok()).flatten();
    }
    let mut rest = text;
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let unit = match &rest[..letters] {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            _ => return None,
        };
        sum = sum.checked_add(Duration::try_from_secs_f64(number * unit).ok()?)?;
        rest = &rest[letters..];
    }
    (!text.is_empty()).then_some(sum)
}

/// A duration in the unit that a person would choose: `350 ms`, `2.4 s`, `3 min 05 s`.
#[must_use]
pub fn spoken(duration: Duration) -> String {
    let millis = duration.as_millis();
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..60_000 => {
            let tenths = (millis + 50) / 100;
            if tenths.is_multiple_of(10) {
                format!("{} s", tenths / 10)
            } else {
                format!("{}.{} s", tenths / 10, tenths % 10)
            }
        }
        _ => format!("{} min {:02} s", millis / 60_000, millis / 1_000 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up() {
        for (text, millis) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("1.5", 1_500),
            ("1h30m", 5_400_000),
            ("0", 0),
            ("2m", 120_000),
        ] {
            assert_eq!(parse_duration(text).unwrap(), Duration::from_millis(millis), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "s", "5x", "-1s", "-3", "1 h", "soon", "1e400s", "NaN"] {
            assert!(parse_duration(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn durations_are_spoken_in_their_own_unit() {
        assert_eq!(spoken(Duration::from_millis(350)), "350 ms");
        assert_eq!(spoken(Duration::from_millis(2_360)), "2.4 s");
        assert_eq!(spoken(Duration::from_secs(5)), "5 s");
        assert_eq!(spoken(Duration::from_secs(185)), "3 min 05 s");
    }
}
