//! Every wait for the server: how long each may last, and the error of one that lasted too long.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::plain::Failed;
use crate::base::Deadline;
use crate::warehouse::WarehouseError;
use crate::warehouse::error::{READING, TAKING, WORKING};
use crate::warehouse::meter::{Meter, Phase};

/// How often a request without a reply is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Maximum time for the body of a refusal, whose status says enough.
const EXCERPT: Duration = Duration::from_secs(5);

/// Maximum durations of waits for the server, beside the command's deadline.
#[derive(Clone, Copy, Debug)]
pub(in crate::warehouse) struct Limits {
    /// Without a byte in either direction.
    pub stall: Duration,
    /// For the server's work on a request that it has whole. Unpacking and storing a folder of many
    /// gibibytes takes minutes.
    pub work: Duration,
    /// For a whole body that is read as a document, however steadily it comes.
    pub document: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            stall: Duration::from_secs(60),
            work: Duration::from_secs(15 * 60),
            document: Duration::from_secs(5 * 60),
        }
    }
}

/// The waits of one request.
pub(super) struct ServerWait {
    address: String,
    action: String,
    deadline: Deadline,
    limits: Limits,
    /// Time that the caller gives the server for its work, in place of [`Limits::work`].
    answer_within: Option<Duration>,
    /// End of the body's time, and how long that time is.
    document: Option<(Deadline, Duration)>,
    /// Bytes of the body that came.
    received: u64,
}

impl ServerWait {
    pub fn new(address: String, action: &str, deadline: Deadline, limits: Limits) -> Self {
        let action = action.to_owned();
        let answer_within = None;
        Self { address, action, deadline, limits, answer_within, document: None, received: 0 }
    }

    pub fn answered_within(self, limit: Option<Duration>) -> Self {
        Self { answer_within: limit, ..self }
    }

    /// Bounds the whole body from now on.
    pub fn begin_document(&mut self) {
        self.begin_body(self.limits.document);
    }

    /// Bounds the body of a refusal from now on.
    pub fn begin_excerpt(&mut self) {
        self.begin_body(EXCERPT);
    }

    fn begin_body(&mut self, budget: Duration) {
        self.document = Some((Deadline::after(budget), budget));
    }

    pub fn count(&mut self, bytes: usize) {
        self.received += bytes as u64;
    }

    /// Waits for the head of the reply.
    pub async fn for_head<T>(
        &self,
        exchange: impl Future<Output = Result<T, WarehouseError>>,
        meter: Option<&Arc<Meter>>,
    ) -> Result<T, WarehouseError> {
        tokio::select! {
            answer = exchange => answer,
            error = self.lose_patience(meter) => Err(error),
        }
    }

    /// Resolves when the head has been waited for too long.
    async fn lose_patience(&self, meter: Option<&Arc<Meter>>) -> WarehouseError {
        let mut seen = None;
        let mut since = Instant::now();
        loop {
            if self.deadline.has_passed() {
                return self.late(meter.map(|meter| meter.phase()));
            }
            let state = meter.map(|meter| (meter.phase(), meter.movement()));
            if state != seen {
                seen = state;
                since = Instant::now();
            }
            let (doing, limit) = match state {
                Some((Phase::Waiting, _)) => {
                    (WORKING, self.answer_within.unwrap_or(self.limits.work))
                }
                Some((Phase::Sending, _)) => (TAKING, self.limits.stall),
                None => ("answering", self.limits.stall),
            };
            let left = limit.saturating_sub(since.elapsed());
            match (left.is_zero(), state, self.answer_within) {
                (true, Some((Phase::Waiting, _)), Some(_)) => return self.unanswered(Some(limit)),
                (true, ..) => return self.stalled(doing, limit),
                (false, ..) => {}
            }
            tokio::time::sleep(self.deadline.slice(LOOK.min(left))).await;
        }
    }

    /// Waits for the next bytes of the body.
    pub async fn for_chunk<T>(
        &self,
        next: impl Future<Output = Result<T, Failed>>,
    ) -> Result<T, WarehouseError> {
        let end = self.document.map_or(Deadline::NEVER, |(end, _)| end).earlier(self.deadline);
        let limit = end.slice(self.limits.stall);
        if end.has_passed() {
            // Bytes that are always there would never be waited for.
            return Err(self.out_of_time());
        }
        match tokio::time::timeout(limit, next).await {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(cause)) => {
                let address = self.address.clone();
                Err(WarehouseError::Lost { address, doing: READING, cause })
            }
            Err(_) => Err(self.out_of_time()),
        }
    }

    /// The error of a wait for bytes that is over.
    fn out_of_time(&self) -> WarehouseError {
        if self.deadline.has_passed() {
            return self.late(None);
        }
        match self.document {
            Some((end, budget)) if end.has_passed() => self.endless(budget),
            _ => self.stalled(READING, self.limits.stall),
        }
    }

    /// Waits for work of ours on the reply.
    pub async fn for_work<T>(&self, work: impl Future<Output = T>) -> Result<T, WarehouseError> {
        match self.deadline.instant() {
            None => Ok(work.await),
            Some(instant) => {
                tokio::time::timeout_at(instant.into(), work).await.map_err(|_| self.late(None))
            }
        }
    }

    fn late(&self, phase: Option<Phase>) -> WarehouseError {
        let (action, address) = (self.action.clone(), self.address.clone());
        match phase {
            Some(Phase::Waiting) => self.unanswered(None),
            _ => WarehouseError::Deadline { action, address },
        }
    }

    fn unanswered(&self, within: Option<Duration>) -> WarehouseError {
        let (action, address) = (self.action.clone(), self.address.clone());
        WarehouseError::Unanswered { action, address, within }
    }

    fn stalled(&self, doing: &'static str, limit: Duration) -> WarehouseError {
        let (address, seconds) = (self.address.clone(), limit.as_secs());
        WarehouseError::Stalled { address, doing, seconds }
    }

    fn endless(&self, budget: Duration) -> WarehouseError {
        let (seconds, bytes) = (budget.as_secs(), self.received);
        self.nonsense(format!("{bytes} bytes in {seconds} s without an end"))
    }

    pub fn nonsense(&self, what: String) -> WarehouseError {
        let (action, address) = (self.action.clone(), self.address.clone());
        WarehouseError::Nonsense { action, address, what, line: String::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(deadline: Deadline, document: u64, stall: u64) -> ServerWait {
        let limits = Limits {
            stall: Duration::from_millis(stall),
            document: Duration::from_millis(document),
            ..Limits::default()
        };
        let mut wait = ServerWait::new("http://a:1".to_owned(), "show u/m", deadline, limits);
        wait.begin_document();
        wait
    }

    /// Takes chunks, each after so long, until that fails.
    async fn take_all(mut wait: ServerWait, pause: Option<Duration>) -> WarehouseError {
        loop {
            let next = async {
                if let Some(pause) = pause {
                    tokio::time::sleep(pause).await;
                }
                Ok(1)
            };
            match wait.for_chunk(next).await {
                Ok(bytes) => wait.count(bytes),
                Err(error) => return error,
            }
        }
    }

    #[tokio::test]
    async fn a_body_without_an_end_is_left_however_steadily_it_comes() {
        let tick = Duration::from_millis(1);
        let hour = 3_600_000;
        for pause in [None, Some(tick)] {
            let endless = take_all(wait(Deadline::NEVER, 50, hour), pause).await;
            assert!(endless.to_string().contains("without an end"), "{endless}");
            let soon = Deadline::after(Duration::from_millis(50));
            let late = take_all(wait(soon, hour, hour), pause).await;
            assert!(matches!(late, WarehouseError::Deadline { .. }), "{late}");
        }
        let silent = take_all(wait(Deadline::NEVER, hour, 50), Some(Duration::from_secs(60))).await;
        assert!(matches!(silent, WarehouseError::Stalled { .. }), "{silent}");
    }

    #[tokio::test]
    async fn a_silent_server_gets_the_time_that_it_was_given() {
        let meter = Arc::new(Meter::new(0));
        meter.complete();
        let given = wait(Deadline::NEVER, 1, 1).answered_within(Some(Duration::from_millis(20)));
        let never = std::future::pending::<Result<(), WarehouseError>>();
        let error = given.for_head(never, Some(&meter)).await.unwrap_err();
        assert!(matches!(error, WarehouseError::Unanswered { within: Some(_), .. }), "{error}");
        assert!(error.may_be_stored());
    }
}
