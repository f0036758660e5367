//! The quiet line at the foot of a terminal while a read goes on: topics, lag, rate. It is taken
//! away before anything else is written.

use std::time::{Duration, Instant};

use crate::base::duration::spoken;
use crate::flows::follow::Situation;
use crate::ui::Ui;

/// How often it is drawn anew.
const PERIOD: Duration = Duration::from_millis(500);
/// Topics that are named; more are counted.
const MOST_NAMES: usize = 3;

#[derive(Debug)]
pub(super) struct StatusLine<'u> {
    ui: &'u Ui,
    is_shown: bool,
    is_wanted: bool,
    /// When and how many records there were when it was drawn last.
    last: Option<(Instant, u64)>,
}

impl<'u> StatusLine<'u> {
    pub fn new(ui: &'u Ui) -> Self {
        Self { ui, is_shown: false, is_wanted: true, last: None }
    }

    /// `None` where standard error is no terminal.
    pub fn period(&self) -> Option<Duration> {
        (self.is_wanted && self.ui.may_redraw()).then_some(PERIOD)
    }

    /// Has nothing drawn.
    pub fn never(&mut self) {
        self.is_wanted = false;
    }

    pub fn show(&mut self, names: &[&str], situation: &Situation) {
        let now = Instant::now();
        let rate = self.last.map_or(0.0, |(then, seen)| {
            let seconds = now.saturating_duration_since(then).as_secs_f64().max(0.001);
            #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
            let records = (situation.seen - seen) as f64;
            records / seconds
        });
        self.last = Some((now, situation.seen));
        self.is_shown = true;
        self.ui.redraw(&render_status(names, situation, rate));
    }

    pub fn clear(&mut self) {
        if std::mem::take(&mut self.is_shown) {
            self.ui.redraw("");
        }
    }
}

fn render_status(names: &[&str], situation: &Situation, rate: f64) -> String {
    let topics =
        if names.len() > MOST_NAMES { format!("{} topics", names.len()) } else { names.join(", ") };
    match situation.outage {
        Some(lasted) => format!("{topics}: waiting for the brokers for {}", spoken(lasted)),
        None => format!("{topics}: lag {}, {rate:.0} records/s", situation.lag),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITUATION: Situation = Situation { partitions: 3, lag: 7, seen: 1, outage: None };

    #[test]
    fn it_names_topics_lag_and_rate() {
        assert_eq!(render_status(&["a", "b"], &SITUATION, 12.4), "a, b: lag 7, 12 records/s");
        let many = render_status(&["a", "b", "c", "d"], &SITUATION, 0.0);
        assert_eq!(many, "4 topics: lag 7, 0 records/s");
    }

    #[test]
    fn an_outage_stands_in_place_of_the_rate() {
        let away = Situation { outage: Some(Duration::from_secs(5)), ..SITUATION };
        assert_eq!(render_status(&["a"], &away, 0.0), "a: waiting for the brokers for 5 s");
    }
}
