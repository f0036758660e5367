//! The quiet line at the foot of a terminal while a read goes on: topics, lag, rate. It is taken
//! away before anything else is written.

use std::time::{Duration, Instant};

use crate::base::duration::spoken;
use crate::flows::follow::Situation;
use crate::ui::Ui;
use crate::ui::live::LiveText;
use crate::ui::streams::LiveLine;

/// How often it is drawn anew.
const PERIOD: Duration = Duration::from_millis(500);
/// Topics that are named; more are counted.
const MOST_NAMES: usize = 3;

#[derive(Debug)]
pub(super) struct StatusLine {
    /// `None` if nothing is to be drawn.
    line: Option<LiveLine>,
    /// When and how many records there were when it was drawn last.
    last: Option<(Instant, u64)>,
}

impl StatusLine {
    pub fn new(ui: &Ui) -> Self {
        Self { line: ui.live_line(), last: None }
    }

    /// `None` if nothing is drawn.
    pub fn period(&self) -> Option<Duration> {
        self.line.as_ref().map(|_| PERIOD)
    }

    /// Draws nothing from here on.
    pub fn disable(&mut self) {
        self.line = None;
    }

    pub fn show(&mut self, names: &[&str], situation: &Situation) {
        let Some(line) = &self.line else { return };
        let now = Instant::now();
        let rate = self.last.map_or(0.0, |(then, seen)| {
            let seconds = now.saturating_duration_since(then).as_secs_f64().max(0.001);
            #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
            let records = (situation.seen - seen) as f64;
            records / seconds
        });
        self.last = Some((now, situation.seen));
        line.set(render_status(names, situation, rate));
    }

    pub fn clear(&mut self) {
        if let Some(line) = &self.line {
            line.hide();
        }
    }
}

fn render_status(names: &[&str], situation: &Situation, rate: f64) -> LiveText {
    let label =
        if names.len() > MOST_NAMES { format!("{} topics", names.len()) } else { names.join(", ") };
    let facts = match situation.outage {
        Some(lasted) => vec![format!(": waiting for the brokers for {}", spoken(lasted))],
        None => vec![format!(": lag {}", situation.lag), format!(", {rate:.0} records/s")],
    };
    LiveText { label, facts }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITUATION: Situation = Situation { partitions: 3, lag: 7, seen: 1, outage: None };

    fn status(names: &[&str], situation: &Situation, rate: f64) -> String {
        let LiveText { label, facts } = render_status(names, situation, rate);
        label + &facts.concat()
    }

    #[test]
    fn it_names_topics_lag_and_rate() {
        assert_eq!(status(&["a", "b"], &SITUATION, 12.4), "a, b: lag 7, 12 records/s");
        let many = status(&["a", "b", "c", "d"], &SITUATION, 0.0);
        assert_eq!(many, "4 topics: lag 7, 0 records/s");
    }

    #[test]
    fn an_outage_stands_in_place_of_the_rate() {
        let away = Situation { outage: Some(Duration::from_secs(5)), ..SITUATION };
        assert_eq!(status(&["a"], &away, 0.0), "a: waiting for the brokers for 5 s");
    }
}
