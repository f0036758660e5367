//! Progress of transfers on standard error: a bar where it may redraw, a plain line every tenth or
//! every half minute elsewhere, and nothing at all for what is done before anybody could read it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Ui, Verbosity, text};
use crate::base::{Failure, Kind};
use crate::flows::upload::{self, UploadReporter};
use crate::warehouse::{Meter, Phase};

/// How often a bar is redrawn, and how long a transfer must take to get one.
const TICK: Duration = Duration::from_millis(100);
/// How long a plain line may be the last one.
const SILENCE: Duration = Duration::from_secs(30);
/// A line each so many percent.
const STEP: u64 = 10;

/// The bars of transfers that run beside each other, one below the other.
#[derive(Clone, Debug)]
pub struct Lanes {
    ui: Ui,
    bars: MultiProgress,
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
        let target = if ui.may_redraw() {
            ProgressDrawTarget::stderr_with_hz(10)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bars = MultiProgress::with_draw_target(target);
        Self { ui: ui.clone(), bars, open: OpenUploads::default() }
    }

    /// Adds to a stop what it leaves open: which models may be stored, and where to look.
    #[must_use]
    pub fn explain_stop(&self, failure: Failure) -> Failure {
        if !matches!(failure.kind(), Kind::Interrupted | Kind::Terminated | Kind::Deadline) {
            return failure;
        }
        self.open.hints().into_iter().fold(failure, Failure::hint)
    }

    /// Says something above the bars, which are not there meanwhile.
    pub fn above<T>(&self, say: impl FnOnce() -> T) -> T {
        self.bars.suspend(say)
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
        let (lanes, meter, label) = (self.lanes.clone(), Arc::clone(meter), label.to_owned());
        let drawing = std::thread::Builder::new().name("progress".into()).spawn(move || {
            let mut view = if lanes.ui.may_redraw() {
                View::Bar { bar: bar(&label, meter.total()), lanes }
            } else {
                View::Lines(Lines::new(lanes.ui, label))
            };
            while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                view.show(&meter);
            }
            view.end();
        });
        // Without a thread the transfer goes on unseen.
        self.set(drawing.ok().map(|thread| Running { stop, thread: Some(thread) }));
    }

    fn finished(&self) {
        self.lanes.open.set(self.number, None);
        self.set(None);
    }

    fn note(&self, text: &str) {
        self.lanes.above(|| self.ui.note(text));
    }

    fn warning(&self, text: &str) {
        self.lanes.above(|| self.ui.warning(text));
    }

    fn waiting_for_event(&self, coordinates: &str, topic: &str) {
        let open = OpenUpload::AwaitingEvent { coordinates: coordinates.to_owned() };
        self.lanes.open.set(self.number, Some(open));
        let line = format!("uploaded; waiting for the event on {topic}");
        self.lanes.above(|| self.ui.detail(&line));
    }
}

enum View {
    Bar { bar: ProgressBar, lanes: Lanes },
    Lines(Lines),
}

impl View {
    fn show(&mut self, meter: &Meter) {
        match self {
            View::Bar { bar, lanes } => {
                if bar.is_hidden() {
                    *bar = lanes.bars.add(bar.clone());
                }
                bar.set_position(meter.accepted());
                if meter.phase() == Phase::Waiting {
                    bar.set_message("the server is working");
                }
                bar.tick();
            }
            View::Lines(lines) => lines.show(meter),
        }
    }

    fn end(&self) {
        if let View::Bar { bar, lanes } = self {
            bar.finish_and_clear();
            lanes.bars.remove(bar);
        }
    }
}

fn bar(label: &str, total: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
    let template = "{prefix}  {percent:>3} %  {bytes}/{total_bytes}  {bytes_per_sec}  {eta}  {msg}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_prefix(text::printable(label).into_owned());
    bar
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
