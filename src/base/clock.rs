//! Time of day as a value: who stamps an event takes a [`Clock`], so that a test can fix it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp(i64);

impl Stamp {
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Whole seconds, as the service's `event_id`s carry them.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Python's `datetime.utcnow().isoformat()`: no zone, six digits, and no fraction at all when
    /// it is zero. Flat events carry this form.
    #[must_use]
    pub fn naive(self) -> String {
        let (date, micros) = self.parts();
        if micros == 0 { date } else { format!("{date}.{micros:06}") }
    }

    /// The same with `+00:00`, as envelopes carry it.
    #[must_use]
    pub fn aware(self) -> String {
        self.naive() + "+00:00"
    }

    /// The form in which the service's database gives dates back: naive, cut to milliseconds,
    /// written with six digits.
    #[must_use]
    pub fn stored(self) -> String {
        Self(self.millis() * 1_000).naive()
    }

    fn parts(self) -> (String, i64) {
        let seconds = self.seconds();
        let micros = self.0.rem_euclid(1_000_000);
        let (year, month, day) = civil_from_days(seconds.div_euclid(86_400));
        let of_day = seconds.rem_euclid(86_400);
        let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
        (format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"), micros)
    }
}

/// Proleptic Gregorian date of a day number (1970-01-01 is 0), after Howard Hinnant's
/// `civil_from_days`.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// The source of [`Stamp`]s.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// Always the same time, for tests.
    #[must_use]
    pub fn fixed(stamp: Stamp) -> Self {
        Self(Source::Fixed(Arc::new(AtomicI64::new(stamp.micros()))))
    }

    #[must_use]
    pub fn now(&self) -> Stamp {
        match &self.0 {
            Source::System => Stamp(
                SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX)),
            ),
            Source::Fixed(micros) => Stamp(micros.load(Ordering::Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_written_as_python_writes_them() {
        let stamp = Stamp::from_micros(1_795_439_960_418_901);
        assert_eq!(stamp.naive(), "2026-11-23T13:19:20.418901");
        assert_eq!(stamp.aware(), "2026-11-23T13:19:20.418901+00:00");
        assert_eq!(stamp.stored(), "2026-11-23T13:19:20.418000");
        assert_eq!(stamp.seconds(), 1_795_439_960);
    }

    #[test]
    fn a_whole_second_has_no_fraction() {
        assert_eq!(Stamp::from_micros(951_782_400_000_000).naive(), "2000-02-29T00:00:00");
        assert_eq!(Stamp::from_micros(-1_000_000).naive(), "1969-12-31T23:59:59");
    }
}
