//! A limit of the rate at which bodies move, as a timetable: whoever wants to move a piece is told
//! when its turn is. One timetable serves all transfers of a client, so that they keep the limit
//! together.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::base::Rate;

/// How much of a second one piece takes: short enough to look like a steady flow.
const PIECE: Duration = Duration::from_millis(50);
/// Bytes of the largest piece: beyond, pieces are many a second anyway.
const LARGEST_PIECE: u64 = 64 * 1024;
/// How far behind its time a transfer may catch up. Timers are late by a millisecond, which would
/// add up; a pause of the other side must not become a burst.
const SLACK: Duration = Duration::from_millis(100);

/// The timetable.
#[derive(Debug)]
pub(super) struct Pace {
    rate: Rate,
    /// When the next piece may move.
    free_at: Mutex<Option<Instant>>,
}

impl Pace {
    pub fn new(rate: Rate) -> Self {
        Self { rate, free_at: Mutex::default() }
    }

    /// Bytes that move at once.
    pub fn piece(&self) -> usize {
        let bytes = self.rate.bytes_in(PIECE).min(LARGEST_PIECE);
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    /// When the next so many bytes may move; their place is taken with the question.
    pub fn turn(&self, bytes: usize, now: Instant) -> Instant {
        let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        let earliest = now.checked_sub(SLACK).unwrap_or(now);
        let turn = free_at.map_or(now, |free_at| free_at.max(earliest));
        let end = turn.checked_add(self.rate.time_for(bytes as u64));
        // A rate beyond all clocks: a piece is at most a second.
        *free_at = Some(end.unwrap_or(turn + Duration::from_secs(1)));
        turn
    }
}

/// Bytes that go on piece by piece, each in its turn.
#[derive(Debug)]
pub(super) struct Paced {
    pace: Arc<Pace>,
    rest: Bytes,
    /// The wait for the turn of the first bytes of `rest`, and how many they are.
    next: Option<(usize, Pin<Box<Sleep>>)>,
}

impl Paced {
    pub fn new(pace: Arc<Pace>) -> Self {
        Self { pace, rest: Bytes::new(), next: None }
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Takes bytes; call it when it is empty.
    pub fn put(&mut self, bytes: Bytes) {
        self.rest = bytes;
    }

    /// The next piece, once its turn has come.
    pub fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Bytes> {
        let bytes = match &mut self.next {
            Some((bytes, wait)) => {
                ready!(wait.as_mut().poll(context));
                *bytes
            }
            None => {
                let bytes = self.pace.piece().min(self.rest.len());
                let now = Instant::now();
                let turn = self.pace.turn(bytes, now);
                if turn > now {
                    let (_, wait) = self.next.insert((bytes, Box::pin(sleep_until(turn))));
                    ready!(wait.as_mut().poll(context));
                }
                bytes
            }
        };
        self.next = None;
        Poll::Ready(self.rest.split_to(bytes))
    }

    /// The same as a future.
    pub async fn piece(&mut self) -> Bytes {
        std::future::poll_fn(|context| self.poll_piece(context)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rate::parse_rate;

    fn pace(rate: &str) -> Pace {
        Pace::new(parse_rate(rate).unwrap())
    }

    /// Moves so many bytes, each piece at its turn, or where that is waited for `late` after it;
    /// how long it all took.
    fn moved(pace: &Pace, start: Instant, bytes: usize, late: Duration) -> Duration {
        let (mut now, mut left) = (start, bytes);
        while left > 0 {
            let piece = pace.piece().min(left);
            let turn = pace.turn(piece, now);
            if turn > now {
                now = turn + late;
            }
            left -= piece;
        }
        now - start
    }

    #[test]
    fn bytes_move_at_the_rate_whatever_it_is() {
        let start = Instant::now();
        for (rate, bytes) in [("100", 1_000), ("500k", 5_120_000), ("200M", 2_097_152_000)] {
            let took = moved(&pace(rate), start, bytes, Duration::ZERO);
            // The last piece moves when its turn comes, and its own time is not waited for.
            let (least, most) = (Duration::from_millis(9_949), Duration::from_secs(10));
            assert!(took >= least && took <= most, "{rate}: {took:?}");
        }
    }

    #[test]
    fn pieces_are_small_and_never_nothing() {
        assert_eq!(pace("1").piece(), 1);
        assert_eq!(pace("10k").piece(), 512);
        assert_eq!(pace("1G").piece(), 64 * 1024);
    }

    #[test]
    fn a_late_timer_costs_no_rate() {
        let late = Duration::from_millis(1);
        let took = moved(&pace("64M"), Instant::now(), 640 << 20, late);
        assert!(took <= Duration::from_millis(10_010), "{took:?}");
    }

    #[test]
    fn a_pause_does_not_become_a_burst() {
        let (pace, start) = (pace("1M"), Instant::now());
        pace.turn(1 << 20, start);
        let later = start + Duration::from_secs(60);
        let took = moved(&pace, later, 1 << 20, Duration::ZERO);
        assert!(took >= Duration::from_millis(800), "{took:?}");
    }

    #[test]
    fn transfers_beside_each_other_share_the_rate() {
        let (pace, now) = (pace("1k"), Instant::now());
        let turns: Vec<Duration> = (0..4).map(|_| pace.turn(512, now) - now).collect();
        assert_eq!(turns, [0, 500, 1_000, 1_500].map(Duration::from_millis));
    }

    #[tokio::test]
    async fn no_byte_is_lost_or_told_twice_on_the_way() {
        let bytes: Bytes = (0..=255_u8).cycle().take(200_000).collect();
        let mut paced = Paced::new(Arc::new(pace("4M")));
        for round in 0..2 {
            paced.put(bytes.clone());
            let mut got = Vec::new();
            while !paced.is_empty() {
                got.extend_from_slice(&paced.piece().await);
            }
            assert!(got == bytes, "{} bytes in round {round}", got.len());
        }
    }
}
