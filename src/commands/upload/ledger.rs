//! What is known of a batch while it runs, what is said of each upload as it ends, and of the whole.

use std::collections::BTreeSet;
use std::path::Path;

use super::prepare::Item;
use super::show_receipt;
use crate::base::{Failure, Kind};
use crate::context::Context;
use crate::flows::upload::{BatchObserver, NoEvent, Receipt};
use crate::ui::{self, Format, Lanes};

/// Names that one sentence holds.
const SHOWN: usize = 5;

pub(super) fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Names in one sentence, the first of many.
pub(super) fn listed(names: &[String]) -> String {
    let more = match names.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", names[..names.len().min(SHOWN)].join(", "))
}

/// What is known of a run while it lasts.
pub(super) struct Ledger<'a> {
    context: &'a Context,
    items: &'a [Item],
    pub lanes: Lanes,
    total: usize,
    uploaded: usize,
    /// Names of those that failed, in the order of their ends.
    failed: Vec<String>,
    /// What the first of them failed with.
    first: Option<Kind>,
    /// Places of those that have begun and not ended.
    under_way: BTreeSet<usize>,
    begun: usize,
    without_dataset: usize,
    /// Why no event follows some of them, and how many.
    no_events: Vec<(NoEvent, usize)>,
}

impl<'a> Ledger<'a> {
    pub fn new(
        context: &'a Context,
        total: usize,
        items: &'a [Item],
        refused: Vec<String>,
        first: Option<Kind>,
    ) -> Self {
        Self {
            context,
            items,
            lanes: Lanes::new(&context.ui),
            total,
            uploaded: 0,
            failed: refused,
            first,
            under_way: BTreeSet::new(),
            begun: 0,
            without_dataset: 0,
            no_events: Vec::new(),
        }
    }

    /// Counts models that were looked at and are good, where nothing is sent.
    pub fn pass(&mut self, count: usize) {
        (self.begun, self.uploaded) = (count, count);
    }

    /// What a run says that was ended before its end.
    pub fn cut_off(&self, failure: Failure) -> Failure {
        let names: Vec<String> =
            self.under_way.iter().map(|place| shown(&self.items[*place].path)).collect();
        if !names.is_empty() {
            self.context
                .ui
                .note(&format!("on their way, and not proved to be there: {}", listed(&names)));
        }
        let message = format!("{} of {} models are uploaded", self.uploaded, self.total);
        self.counted(failure.context(message))
    }

    fn counted(&self, failure: Failure) -> Failure {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        failure
            .fact("uploaded", number(self.uploaded))
            .fact("failed", number(self.failed.len()))
            .fact("not_tried", number(self.items.len() - self.begun))
    }

    /// The end of a run: success, or what failed by name.
    pub fn conclude(&self, keep_going: bool) -> Result<(), Failure> {
        if self.without_dataset > 0 {
            self.context.ui.note(&format!(
                "without a training dataset no XAI trigger follows {} of these uploads",
                self.without_dataset
            ));
        }
        for (reason, count) in &self.no_events {
            let (of, total, why) = (count, self.total, reason.reason());
            self.context.ui.warning(&format!("{of} of {total} models: {why}"));
        }
        let Some(first) = self.first else { return Ok(()) };
        let count = self.failed.len();
        let mut message =
            format!("{count} of {} models failed: {}", self.total, listed(&self.failed));
        let untried: Vec<String> = self.items[self.begun.min(self.items.len())..]
            .iter()
            .map(|item| shown(&item.path))
            .collect();
        let kind = if keep_going && self.uploaded > 0 { Kind::Partial } else { first };
        if keep_going || untried.is_empty() {
            return Err(self.counted(Failure::new(kind, message)));
        }
        message += &format!("; not tried: {}", listed(&untried));
        let failure = Failure::new(kind, message).hint("--keep-going tries all of them");
        Err(self.counted(failure))
    }

    fn count_no_event(&mut self, reason: NoEvent) {
        match self.no_events.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => self.no_events.push((reason, 1)),
        }
    }

    fn show(&mut self, place: usize, receipt: &Receipt) -> Result<(), Failure> {
        let (context, path) = (self.context, &self.items[place].path);
        if let (Some(event), Format::Text) = (&receipt.event, context.ui.format()) {
            let coordinates = receipt.record.coordinates();
            context.ui.status(format!("{coordinates} is announced as {event}"));
        }
        match receipt.no_event {
            Some(reason) => self.count_no_event(reason),
            None if receipt.lacks_dataset() => self.without_dataset += 1,
            None => {}
        }
        show_receipt(context, path, receipt)
    }
}

impl BatchObserver for Ledger<'_> {
    fn started(&mut self, place: usize) {
        self.begun += 1;
        self.under_way.insert(place);
    }

    fn ended(&mut self, place: usize, outcome: Result<Receipt, Failure>) -> Result<(), Failure> {
        self.under_way.remove(&place);
        match outcome {
            Ok(receipt) => {
                self.uploaded += 1;
                self.show(place, &receipt)
            }
            Err(failure) => {
                let item = &self.items[place];
                let path = shown(&item.path);
                self.first.get_or_insert(failure.kind());
                let message = format!("failed to upload {path} as {}", item.job.label());
                let failure = failure.context(message).fact("path", path.clone());
                self.failed.push(path);
                ui::report(&self.context.ui, &failure);
                Ok(())
            }
        }
    }
}
