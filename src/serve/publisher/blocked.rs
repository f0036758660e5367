//! Topics that take nothing at the moment. Their events wait, each longer than the last time, and
//! those of other topics go on. Times come from the caller.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The pause after one that did not help.
pub(super) fn longer(pause: Duration) -> Duration {
    (pause * 2).min(LONGEST_PAUSE)
}

/// Which topics are left alone, and until when.
#[derive(Debug, Default)]
pub(super) struct Blocked(BTreeMap<String, Pause>);

#[derive(Debug)]
struct Pause {
    until: Instant,
    length: Duration,
    /// Its rows have been left out since it began.
    is_left_out: bool,
}

impl Blocked {
    /// Something sent to the topic failed at `now`.
    pub fn add(&mut self, topic: &str, now: Instant) {
        match self.0.get_mut(topic) {
            // More of the same failure: all that was in flight comes back at once.
            Some(pause) if pause.is_left_out && pause.until > now => {}
            Some(pause) => {
                let length = longer(pause.length);
                *pause = Pause { until: now + length, length, is_left_out: true };
            }
            None => {
                let pause =
                    Pause { until: now + FIRST_PAUSE, length: FIRST_PAUSE, is_left_out: true };
                self.0.insert(topic.to_owned(), pause);
            }
        }
    }

    /// The topic takes records again.
    pub fn remove(&mut self, topic: &str) {
        self.0.remove(topic);
    }

    /// Ends the pauses that are over. Whether there was one: then rows that were left out are to be
    /// read again.
    pub fn expire(&mut self, now: Instant) -> bool {
        let mut any = false;
        for pause in self.0.values_mut().filter(|pause| pause.is_left_out && pause.until <= now) {
            pause.is_left_out = false;
            any = true;
        }
        any
    }

    /// Whether every topic took what was sent last.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The topics to leave out.
    pub fn topics(&self) -> Vec<&str> {
        let left_out = self.0.iter().filter(|(_, pause)| pause.is_left_out);
        left_out.map(|(topic, _)| topic.as_str()).collect()
    }

    /// When the next pause ends.
    pub fn next_end(&self) -> Option<Instant> {
        self.0.values().filter(|pause| pause.is_left_out).map(|pause| pause.until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_waits_longer_each_time_until_it_takes_something() {
        let (start, mut blocked) = (Instant::now(), Blocked::default());
        let mut lengths = Vec::new();
        let mut now = start;
        for _ in 0..9 {
            blocked.add("t", now);
            blocked.add("t", now);
            let end = blocked.next_end().unwrap();
            assert!(!blocked.expire(end - Duration::from_millis(1)));
            assert_eq!(blocked.topics(), ["t"]);
            assert!(blocked.expire(end));
            assert!(blocked.topics().is_empty() && blocked.next_end().is_none());
            lengths.push((end - now).as_millis());
            now = end;
        }
        assert_eq!(lengths, [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
        blocked.remove("t");
        blocked.add("t", now);
        assert_eq!(blocked.next_end(), Some(now + FIRST_PAUSE));
    }

    #[test]
    fn other_topics_are_not_left_out() {
        let (now, mut blocked) = (Instant::now(), Blocked::default());
        blocked.add("a", now);
        blocked.add("b", now + FIRST_PAUSE);
        assert_eq!(blocked.topics(), ["a", "b"]);
        assert!(blocked.expire(now + FIRST_PAUSE));
        assert_eq!(blocked.topics(), ["b"]);
        assert!(!blocked.expire(now + FIRST_PAUSE), "an end is told once");
    }
}
