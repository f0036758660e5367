//! Progress of transfers on standard error: a line that is redrawn on a terminal, a plain line every
//! tenth or every half minute elsewhere, and nothing for a transfer that ends before it can be read.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanDuration, ProgressBar};

use super::live::LiveText;
use super::streams::LiveLine;
use super::{Ui, Verbosity, text};
use crate::base::{Failure, Kind};
use crate::flows::upload::{self, UploadReporter};
use crate::warehouse::{Meter, Phase};

/// How often a live line is redrawn, and how long a transfer must take to get one.
const TICK: Duration = Duration::from_millis(100);
/// How long a plain line may be the last one.
const SILENCE: Duration = Duration::from_secs(30);
/// A line each so many percent.
const STEP: u64 = 10;

/// The progress of transfers that run beside each other, one below the other.
#[derive(Clone, Debug)]
pub struct Lanes {
    ui: Ui,
    open: OpenUploads,
}

/// How far an upload is that has not come to its end.
#[derive(Clone, Debug)]
enum OpenUpload {
    /// Bytes move, or the server works.
    Sending { label: String, meter: Arc<Meter> },
    /// It is stored, and its event is waited for.
    AwaitingEvent { coordinates: String },
}

impl OpenUpload {
    /// Returns what a run that stops here should tell about it; `None` if nothing can be stored.
    fn hint(&self) -> Option<String> {
        match self {
            Self::Sending { label, meter } => (meter.phase() == Phase::Waiting).then(|| {
                format!(
                    "every byte of {label} was sent, so it may be stored: see dwctl models show {label}"
                )
            }),
            Self::AwaitingEvent { coordinates } => Some(format!(
                "{coordinates} is stored, and its event was not seen: see dwctl models show {coordinates}"
            )),
        }
    }
}

/// The uploads of a run that have not come to their ends, by the number of their reporter.
#[derive(Clone, Debug, Default)]
struct OpenUploads {
    uploads: Arc<Mutex<BTreeMap<u64, OpenUpload>>>,
    numbers: Arc<AtomicU64>,
}

impl OpenUploads {
    fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    fn set(&self, number: u64, upload: Option<OpenUpload>) {
        let mut uploads = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        match upload {
            Some(upload) => uploads.insert(number, upload),
            None => uploads.remove(&number),
        };
    }

    fn hints(&self) -> Vec<String> {
        let uploads = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        uploads.values().filter_map(OpenUpload::hint).collect()
    }
}

impl Lanes {
    #[must_use]
    pub fn new(ui: &Ui) -> Self {
        Self { ui: ui.clone(), open: OpenUploads::default() }
    }

    /// Adds to a stop what it leaves open: which models may be stored, and where to look.
    #[must_use]
    pub fn explain_stop(&self, failure: Failure) -> Failure {
        if !matches!(failure.kind(), Kind::Interrupted | Kind::Terminated | Kind::Deadline) {
            return failure;
        }
        self.open.hints().into_iter().fold(failure, Failure::hint)
    }
}

impl upload::Lanes for Lanes {
    fn lane(&self) -> Box<dyn UploadReporter> {
        Box::new(Progress::among(self.clone()))
    }
}

/// Shows transfers on the streams of a run.
#[derive(Debug)]
pub struct Progress {
    ui: Ui,
    lanes: Lanes,
    /// Of its upload among the open ones.
    number: u64,
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    stop: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // A thread that is done takes no message.
        let _ = self.stop.send(());
        if let Some(thread) = self.thread.take() {
            // It only draws; a panic in it has said so itself.
            let _ = thread.join();
        }
    }
}

impl Progress {
    #[must_use]
    pub fn new(ui: &Ui) -> Self {
        Self::among(Lanes::new(ui))
    }

    fn among(lanes: Lanes) -> Self {
        let (ui, number) = (lanes.ui.clone(), lanes.open.next_number());
        Self { ui, lanes, number, running: Mutex::new(None) }
    }

    /// As [`Lanes::explain_stop`].
    #[must_use]
    pub fn explain_stop(&self, failure: Failure) -> Failure {
        self.lanes.explain_stop(failure)
    }

    fn set(&self, running: Option<Running>) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = running;
    }
}

impl UploadReporter for Progress {
    fn started(&self, label: &str, meter: &Arc<Meter>) {
        let open = OpenUpload::Sending { label: label.to_owned(), meter: Arc::clone(meter) };
        self.lanes.open.set(self.number, Some(open));
        if self.ui.verbosity() == Verbosity::Quiet {
            return;
        }
        let (stop, stopped) = mpsc::channel();
        let (ui, meter, label) = (self.ui.clone(), Arc::clone(meter), label.to_owned());
        let drawing = std::thread::Builder::new().name("progress".into()).spawn(move || {
            let mut view = match ui.live_line() {
                Some(line) => View::Live(LiveProgress::new(line, label, meter.total())),
                None => View::Lines(Lines::new(ui, label)),
            };
            while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                view.show(&meter);
            }
        });
        // Without a thread the transfer goes on unseen.
        self.set(drawing.ok().map(|thread| Running { stop, thread: Some(thread) }));
    }

    fn finished(&self) {
        self.lanes.open.set(self.number, None);
        self.set(None);
    }

    fn note(&self, text: &str) {
        self.ui.note(text);
    }

    fn warning(&self, text: &str) {
        self.ui.warning(text);
    }

    fn waiting_for_event(&self, coordinates: &str, topic: &str) {
        let open = OpenUpload::AwaitingEvent { coordinates: coordinates.to_owned() };
        self.lanes.open.set(self.number, Some(open));
        self.ui.detail(&format!("uploaded; waiting for the event on {topic}"));
    }
}

enum View {
    Live(LiveProgress),
    Lines(Lines),
}

impl View {
    fn show(&mut self, meter: &Meter) {
        match self {
            View::Live(live) => live.show(meter),
            View::Lines(lines) => lines.show(meter),
        }
    }
}

/// A line that is redrawn.
struct LiveProgress {
    line: LiveLine,
    label: String,
    /// Estimates the rate and the time left; hidden, because the terminal's live lines are drawn in
    /// one place, together.
    bar: ProgressBar,
}

impl LiveProgress {
    fn new(line: LiveLine, label: String, total: u64) -> Self {
        let bar = ProgressBar::hidden();
        bar.set_length(total);
        Self { line, label, bar }
    }

    fn show(&mut self, meter: &Meter) {
        self.bar.set_position(meter.accepted());
        let facts = match meter.phase() {
            Phase::Waiting => {
                vec!["  100 %".to_owned(), "  the server is working".to_owned()]
            }
            Phase::Sending => list_facts(TransferEstimate::of_bar(&self.bar)),
        };
        self.line.set(LiveText { label: self.label.clone(), facts });
    }
}

/// How far a transfer is, and how fast.
#[derive(Clone, Copy, Debug)]
struct TransferEstimate {
    accepted: u64,
    total: u64,
    per_second: u64,
    /// `None` until bytes move.
    time_left: Option<Duration>,
}

impl TransferEstimate {
    fn of_bar(bar: &ProgressBar) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate is not negative, and whole bytes are shown"
        )]
        let per_second = bar.per_sec() as u64;
        Self {
            accepted: bar.position(),
            total: bar.length().unwrap_or(0),
            per_second,
            time_left: (per_second > 0).then(|| bar.eta()),
        }
    }
}

/// Returns percent, bytes, rate and time left.
fn list_facts(estimate: TransferEstimate) -> Vec<String> {
    let TransferEstimate { accepted, total, per_second, time_left } = estimate;
    let percent = accepted * 100 / total.max(1);
    let mut facts = vec![
        format!("  {percent:>3} %"),
        format!("  {}/{}", HumanBytes(accepted), HumanBytes(total)),
        format!("  {}/s", HumanBytes(per_second)),
    ];
    facts.extend(time_left.map(|left| format!("  {}", HumanDuration(left))));
    facts
}

/// Lines for a log.
struct Lines {
    ui: Ui,
    label: String,
    start: Instant,
    last: Instant,
    shown: u64,
    waiting: bool,
}

impl Lines {
    fn new(ui: Ui, label: String) -> Self {
        let now = Instant::now();
        Self { ui, label, start: now, last: now, shown: 0, waiting: false }
    }

    fn show(&mut self, meter: &Meter) {
        let percent = meter.accepted() * 100 / meter.total().max(1);
        let step = percent / STEP * STEP;
        let waiting = meter.phase() == Phase::Waiting;
        if step <= self.shown && waiting == self.waiting && self.last.elapsed() < SILENCE {
            return;
        }
        let line = if waiting {
            let seconds = self.start.elapsed().as_secs();
            format!("{}: sent, the server is working ({seconds} s)", self.label)
        } else {
            let (accepted, total) = (text::size(meter.accepted()), text::size(meter.total()));
            format!("{}: {percent} % {accepted}/{total}", self.label)
        };
        self.ui.status(&line);
        (self.shown, self.waiting, self.last) = (step, waiting, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_facts_are_percent_bytes_rate_and_time_left() {
        let start = TransferEstimate { accepted: 0, total: 0, per_second: 0, time_left: None };
        assert_eq!(list_facts(start).concat(), "    0 %  0 B/0 B  0 B/s");
        let quarter = TransferEstimate {
            accepted: 1 << 20,
            total: 4 << 20,
            per_second: 1 << 20,
            time_left: Some(Duration::from_secs(3)),
        };
        assert_eq!(
            list_facts(quarter).concat(),
            "   25 %  1.00 MiB/4.00 MiB  1.00 MiB/s  3 seconds"
        );
    }

    #[test]
    fn a_hidden_bar_estimates_the_rate_from_the_positions() {
        let bar = ProgressBar::hidden();
        bar.set_length(4 << 20);
        let before = TransferEstimate::of_bar(&bar);
        assert_eq!((before.total, before.per_second, before.time_left), (4 << 20, 0, None));
        std::thread::sleep(Duration::from_millis(10));
        bar.set_position(1 << 20);
        let after = TransferEstimate::of_bar(&bar);
        assert_eq!(after.accepted, 1 << 20);
        assert!((1..=100 << 20).contains(&after.per_second), "{}", after.per_second);
        assert!(after.time_left.is_some_and(|left| !left.is_zero()));
    }
}
