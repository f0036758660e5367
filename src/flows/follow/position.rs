//! Positions as people write them, parsed without asking anybody: the time of day is an argument.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::Cursor;
use crate::base::duration::parse_duration;
use crate::base::nearest::nearest;
use crate::base::{Classify, Hint, Kind, Stamp};
use crate::kafka::Edge;

/// A place in a topic, before it is looked up in a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Position {
    /// The oldest record that is there.
    Beginning,
    /// After the newest record.
    End,
    /// An absolute offset, the same in every partition.
    Offset(i64),
    /// So many offsets before the end of each partition.
    BeforeEnd(i64),
    /// So many offsets after the beginning of each partition.
    AfterBeginning(i64),
    /// An offset for each partition that is named; the others are left out.
    Each(Vec<(i32, i64)>),
    /// After a place in each partition that is named; the others from their beginning.
    After(Cursor),
    /// The first record at or after a time, in milliseconds since the epoch.
    Time(i64),
}

/// Why a text is no position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no position")]
pub struct InvalidPosition {
    text: String,
    near: Vec<String>,
}

impl Position {
    /// The partitions that it names, in order, where it leaves the others out.
    #[must_use]
    pub fn partitions(&self) -> Option<Vec<i32>> {
        let Self::Each(pairs) = self else { return None };
        let mut ids: Vec<i32> = pairs.iter().map(|(id, _)| *id).collect();
        ids.sort_unstable();
        Some(ids)
    }

    /// The end of a partition that it is, whatever lies between the two.
    pub(super) fn edge(&self) -> Option<Edge> {
        match self {
            Self::Beginning => Some(Edge::Low),
            Self::End => Some(Edge::High),
            _ => None,
        }
    }
}

impl Classify for InvalidPosition {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hints(&self) -> Vec<Hint> {
        let forms = "write beginning, end, now, an offset, -N, +N, PARTITION=OFFSET,…, 2026-11-23T10:00, @MILLISECONDS, -1h or yesterday";
        match self.near.as_slice() {
            [] => vec![Hint::new(forms)],
            near => {
                vec![Hint::new(format!("did you mean {}?", near.join(" or "))), Hint::new(forms)]
            }
        }
    }
}

const WORDS: [&str; 6] = ["beginning", "end", "now", "today", "yesterday", "earliest"];

/// The zone of dates that name none. Asked for only where such a date stands: to look up the system's
/// takes a millisecond.
pub type Zone = fn() -> TimeZone;

/// Reads a position; relative times count back from `now`, dates without a zone are of `zone`.
///
/// # Errors
/// The text has none of the forms; the error names the nearest word.
pub fn parse_position(text: &str, now: Stamp, zone: Zone) -> Result<Position, InvalidPosition> {
    word(text, now, zone)
        .or_else(|| number(text))
        .or_else(|| each(text))
        .or_else(|| time(text, now, zone))
        .ok_or_else(|| InvalidPosition {
            text: text.to_owned(),
            near: nearest(text, WORDS, 2).into_iter().map(str::to_owned).collect(),
        })
}

fn word(text: &str, now: Stamp, zone: Zone) -> Option<Position> {
    match text {
        "beginning" | "earliest" | "start" => Some(Position::Beginning),
        "end" | "latest" => Some(Position::End),
        "now" => Some(Position::Time(now.millis())),
        "today" => midnight(now, zone, 0),
        "yesterday" => midnight(now, zone, 1),
        _ => None,
    }
}

fn midnight(now: Stamp, zone: Zone, days_ago: i32) -> Option<Position> {
    let zone = zone();
    let today = Timestamp::from_microsecond(now.micros()).ok()?.to_zoned(zone.clone()).date();
    let day = (0..days_ago).try_fold(today, |day, _| day.yesterday()).ok()?;
    at(&day.to_zoned(zone).ok()?)
}

fn at(zoned: &Zoned) -> Option<Position> {
    Some(Position::Time(zoned.timestamp().as_millisecond()))
}

fn number(text: &str) -> Option<Position> {
    // A second sign is no digit, though the standard library's parser takes one.
    let digits = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
    };
    if let Some(back) = text.strip_prefix('-') {
        return digits(back).map(Position::BeforeEnd);
    }
    if let Some(forth) = text.strip_prefix('+') {
        return digits(forth).map(Position::AfterBeginning);
    }
    digits(text).map(Position::Offset)
}

fn each(text: &str) -> Option<Position> {
    let pairs: Option<Vec<(i32, i64)>> = text
        .split(',')
        .map(|pair| {
            let (partition, offset) = pair.trim().split_once('=')?;
            let (partition, offset) = (partition.parse().ok()?, offset.parse().ok()?);
            (partition >= 0 && offset >= 0).then_some((partition, offset))
        })
        .collect();
    let pairs = pairs?;
    // Two offsets for one partition: whichever was meant, half of the asked would be passed over.
    let is_twice = |index: usize, id: i32| pairs[..index].iter().any(|(other, _)| *other == id);
    if pairs.iter().enumerate().any(|(index, (id, _))| is_twice(index, *id)) {
        return None;
    }
    Some(Position::Each(pairs))
}

fn time(text: &str, now: Stamp, zone: Zone) -> Option<Position> {
    if let Some(millis) = text.strip_prefix('@') {
        return millis.parse().ok().filter(|millis| *millis >= 0).map(Position::Time);
    }
    if let Some(ago) = text.strip_prefix('-') {
        let ago = i64::try_from(parse_duration(ago).ok()?.as_millis()).ok()?;
        return Some(Position::Time((now.millis() - ago).max(0)));
    }
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(Position::Time(timestamp.as_millisecond()));
    }
    let civil =
        text.parse::<DateTime>().or_else(|_| text.parse::<Date>().map(DateTime::from)).ok()?;
    at(&civil.to_zoned(zone()).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-23T13:19:20.418901Z.
    const NOW: Stamp = Stamp::from_micros(1_795_439_960_418_901);

    fn parsed(text: &str) -> Position {
        parse_position(text, NOW, || TimeZone::UTC).unwrap()
    }

    #[test]
    fn offsets_are_absolute_or_counted_from_either_end() {
        assert_eq!(parsed("beginning"), Position::Beginning);
        assert_eq!(parsed("end"), Position::End);
        assert_eq!(parsed("17"), Position::Offset(17));
        assert_eq!(parsed("-5"), Position::BeforeEnd(5));
        assert_eq!(parsed("+5"), Position::AfterBeginning(5));
        assert_eq!(parsed("0=3, 2=7"), Position::Each(vec![(0, 3), (2, 7)]));
    }

    #[test]
    fn times_are_absolute_or_counted_back_from_now() {
        let millis = NOW.millis();
        assert_eq!(parsed("now"), Position::Time(millis));
        assert_eq!(parsed("-1h"), Position::Time(millis - 3_600_000));
        assert_eq!(parsed("@1795439960418"), Position::Time(millis));
        assert_eq!(parsed("2026-11-23T13:19:20.418Z"), Position::Time(millis));
        assert_eq!(parsed("2026-11-23T13:19"), Position::Time(1_795_439_940_000));
        assert_eq!(parsed("today"), Position::Time(1_795_392_000_000));
        assert_eq!(parsed("2026-11-23"), parsed("today"));
        assert_eq!(parsed("yesterday"), Position::Time(1_795_392_000_000 - 86_400_000));
    }

    #[test]
    fn a_misspelt_word_is_answered_with_the_nearest() {
        let error = parse_position("begining", NOW, || TimeZone::UTC).unwrap_err();
        assert_eq!(error.near, ["beginning"]);
        for bad in ["", "x", "1=a", "=", "0=1,0=2", "-", "--5", "@-1", "25:99", "1e3"] {
            assert!(parse_position(bad, NOW, || TimeZone::UTC).is_err(), "{bad:?}");
        }
    }
}
