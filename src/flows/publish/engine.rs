//! The loop: lines into the producer's queue, reports out of it, until the input ends or somebody
//! stops it; then what is in flight gets a moment more.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::alone::Alone;
use super::document::DocumentWatch;
use super::shape::Parsed;
use super::{Account, Input, Lines, Rejects, Shape};
use crate::base::{Classify, Deadline, Failure, Kind, Shutdown};
use crate::kafka::{
    Durability, Enqueued, FIRST_ANSWER, HeaderList, KafkaError, Outgoing, Producer, Properties,
    Session, Verdict,
};

/// Lines between two looks at the reports.
const GULP: u64 = 1_024;
/// How long one wait for input or reports may last; a signal is seen after it.
const SLICE: Duration = Duration::from_millis(100);
/// How long records in flight may take after somebody stopped it.
const GRACE: Duration = Duration::from_secs(2);
/// How long nothing at all may be acknowledged while the brokers say why.
const PATIENCE: Duration = Duration::from_secs(30);
/// After how long without an acknowledgement that is said.
const QUIET: Duration = Duration::from_secs(5);

/// Where lines go, and how.
#[derive(Debug)]
pub struct Publishing<'a> {
    pub properties: &'a Properties,
    pub topic: &'a str,
    pub shape: &'a Shape,
    pub durability: Durability,
    /// A codec of librdkafka's `compression.type`.
    pub compression: &'a str,
    /// A rule of librdkafka's `partitioner`.
    pub partitioner: &'a str,
    pub shutdown: &'a Shutdown,
    pub deadline: Deadline,
}

/// What was sent, and what ended it early.
#[derive(Debug)]
pub struct Published {
    pub account: Account,
    /// The brokers can no longer be used, an input cannot be read, or a rejected line cannot be kept.
    pub fault: Option<Failure>,
}

/// Sends every line of the inputs, one after another. What was refused is no fault: it stands in the
/// account.
///
/// # Errors
/// Nothing was sent: the topic does not exist, or the brokers cannot be used.
pub fn publish(
    publishing: &Publishing<'_>,
    inputs: Vec<Lines>,
    rejects: &mut dyn Rejects,
) -> Result<Published, Failure> {
    let Publishing { properties, topic, deadline, .. } = publishing;
    // Properties that cannot be used are told before anybody is asked.
    let producer =
        publishing.open(&[("linger.ms", "5")]).map_err(|error| publishing.explain(error))?;
    // Asked by a client that cannot make topics: a typing error must not become one.
    let facts = Session::open(properties)?.topic(topic, *deadline)?;
    if let Some(partition) = publishing.shape.partition()
        && facts.partitions.iter().all(|facts| facts.id != partition)
    {
        let (topic, count) = (facts.name, facts.partitions.len());
        return Err(KafkaError::UnknownPartition { topic, partition, count }.into());
    }
    producer.warm();
    let mut engine = Engine {
        publishing,
        producer,
        alone: Alone::new(publishing),
        timestamps: HashMap::new(),
        rejects,
        account: Account::default(),
        last_report: Instant::now(),
        said_quiet: false,
    };
    let fault = engine.run(inputs).err();
    let fault = engine.finish(fault);
    Ok(Published { account: engine.account, fault })
}

/// Properties that an idempotent producer allows only some values of.
const RESTRICTED: [&str; 3] =
    ["max.in.flight.requests.per.connection", "retries", "queuing.strategy"];

impl Publishing<'_> {
    /// A client that cannot be made, with the way out if a property contradicts idempotence.
    fn explain(&self, error: KafkaError) -> Failure {
        let is_restricted = self.durability == Durability::Idempotent
            && RESTRICTED.iter().any(|property| self.properties.get(property).is_some());
        let is_config = matches!(error, KafkaError::Config { .. });
        let failure = Failure::from(error);
        if is_config && is_restricted {
            failure.hint("add --no-idempotent to use any value of these properties")
        } else {
            failure
        }
    }

    /// A producer for it that batches in this way.
    pub(super) fn open(&self, batching: &[(&str, &str)]) -> Result<Producer, KafkaError> {
        let purpose = [
            batching,
            &[
                ("compression.type", self.compression),
                ("partitioner", self.partitioner),
                // The broker judges sizes; the client's own limit is lower than many brokers'.
                ("message.max.bytes", "104857600"),
            ],
        ]
        .concat();
        Producer::open_with(self.properties, self.durability, &purpose)
    }
}

struct Engine<'a> {
    publishing: &'a Publishing<'a>,
    producer: Producer,
    alone: Alone<'a>,
    /// The timestamps of records in flight that have one of their own, by line.
    timestamps: HashMap<u64, i64>,
    rejects: &'a mut dyn Rejects,
    account: Account,
    last_report: Instant,
    /// Whether it was said that nothing is acknowledged.
    said_quiet: bool,
}

impl Engine<'_> {
    fn run(&mut self, inputs: Vec<Lines>) -> Result<(), Failure> {
        for mut lines in inputs {
            let mut watch = DocumentWatch::for_framing(lines.framing());
            loop {
                if self.is_over() {
                    return Ok(());
                }
                // While records are in flight their reports are looked at more often.
                let wait = if self.in_flight() > 0 { Duration::from_millis(5) } else { SLICE };
                let read = lines.next_line(wait).map_err(|error| {
                    Failure::wrap(Kind::Usage, error).context("failed to read the lines to send")
                })?;
                match read {
                    Input::Line(line) => {
                        let document = watch.take(self.account.lines + 1, line);
                        self.take(line)?;
                        if let Some(document) = document {
                            self.rejects.spread_document(document);
                        }
                    }
                    Input::TooLong => self.pass_over("it is longer than 64 MiB")?,
                    Input::Empty => self.pass_over("it is empty")?,
                    Input::Quiet => self.collect(Duration::ZERO)?,
                    Input::End => break,
                }
            }
        }
        self.account.complete = true;
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.publishing.shutdown.is_requested()
            || self.publishing.deadline.has_passed()
            || self.account.verdict.is_some()
    }

    fn pass_over(&mut self, reason: &str) -> Result<(), Failure> {
        self.account.lines += 1;
        self.account.invalid += 1;
        self.rejects.reject(self.account.lines, reason, None)
    }

    fn take(&mut self, line: &[u8]) -> Result<(), Failure> {
        self.account.lines += 1;
        let number = self.account.lines;
        match self.publishing.shape.parse(line) {
            Err(reason) => {
                self.account.invalid += 1;
                self.rejects.reject(number, &reason, Some(line))?;
            }
            Ok(None) => {}
            Ok(Some(parsed)) => self.enqueue(number, &parsed, line)?,
        }
        if number.is_multiple_of(GULP) { self.collect(Duration::ZERO) } else { Ok(()) }
    }

    fn enqueue(&mut self, number: u64, parsed: &Parsed<'_>, line: &[u8]) -> Result<(), Failure> {
        let headers = headers(self.publishing.shape, parsed);
        let record = outgoing(self.publishing, parsed, &headers);
        loop {
            match self.producer.enqueue(number, &record) {
                Ok(Enqueued::Yes) => {
                    if let Some(timestamp) = record.timestamp {
                        self.timestamps.insert(number, timestamp);
                    }
                    return Ok(());
                }
                Ok(Enqueued::Full) => {
                    self.collect(Duration::from_millis(5))?;
                    if self.is_over() {
                        // It was read and never handed over.
                        self.account.unacknowledged += 1;
                        return Ok(());
                    }
                }
                Err(error) => return self.refuse(number, &error, Some(line)),
            }
        }
    }

    fn refuse(
        &mut self,
        number: u64,
        error: &KafkaError,
        line: Option<&[u8]>,
    ) -> Result<(), Failure> {
        let reason = error.to_string();
        self.account.refused += 1;
        if error.is_final() {
            self.account.verdict.get_or_insert((error.kind(), reason.clone()));
        }
        if self.account.first_refusal.is_none() {
            self.account.first_refusal = Some(reason.clone());
            self.account.advice = error.hints().first().map(|hint| hint.text().to_owned());
        }
        self.rejects.reject(number, &reason, line)
    }

    /// Takes the reports that are there.
    fn collect(&mut self, wait: Duration) -> Result<(), Failure> {
        let (mut acknowledged, mut failed, mut refused) = (0, Vec::new(), Vec::new());
        // Where nothing is in flight here, only the second try may be waited for.
        let is_last = self.producer.in_flight() == 0;
        let timestamps = &mut self.timestamps;
        self.producer.collect(if is_last { Duration::ZERO } else { wait }, |number, report| {
            let timestamp = timestamps.remove(&number);
            match report {
                Ok(_) => acknowledged += 1,
                Err(error) => failed.push((number, timestamp, error)),
            }
        });
        for (number, timestamp, error) in failed {
            match self.producer.take_returned(number) {
                Some(record) => self.alone.take(number, timestamp, record),
                None => refused.push((number, error)),
            }
        }
        let wait = if is_last { wait } else { Duration::ZERO };
        self.alone.turn(wait, |number, report| match report {
            Ok(_) => acknowledged += 1,
            Err(error) => refused.push((number, error)),
        })?;
        if acknowledged > 0 || !refused.is_empty() || self.in_flight() == 0 {
            self.last_report = Instant::now();
            self.said_quiet = false;
        }
        if self.last_report.elapsed() > QUIET && !std::mem::replace(&mut self.said_quiet, true) {
            self.rejects.waiting(self.in_flight());
        }
        self.account.acknowledged += acknowledged;
        // All are counted, also those that cannot be kept.
        let kept: Vec<_> =
            refused.iter().map(|(number, error)| self.refuse(*number, error, None)).collect();
        kept.into_iter().collect::<Result<(), _>>()?;
        match self.verdict() {
            Some(verdict) => Err(KafkaError::Unusable { verdict: Box::new(verdict) }.into()),
            None => Ok(()),
        }
    }

    /// Why nothing is acknowledged for so long that waiting has no sense.
    fn verdict(&self) -> Option<Verdict> {
        let (findings, silent) = (self.producer.findings(), self.last_report.elapsed());
        if silent > PATIENCE {
            return findings.final_verdict();
        }
        // Brokers that send us on to where they are not will do so for ever.
        let never = self.account.acknowledged == 0 && silent > FIRST_ANSWER;
        findings.verdict_on_advertised().filter(|_| never)
    }

    fn in_flight(&self) -> u64 {
        self.producer.in_flight() + self.alone.in_flight()
    }

    /// Waits for the reports of what is in flight: to the end, or for a moment when it was stopped.
    /// Gives the first fault.
    fn finish(&mut self, mut fault: Option<Failure>) -> Option<Failure> {
        let mut limit = self.publishing.deadline;
        if fault.is_some() || self.is_over() {
            limit = Deadline::after(GRACE);
        }
        while self.in_flight() > 0 && !limit.has_passed() {
            let collected = self.collect(SLICE);
            if self.publishing.shutdown.is_requested() || collected.is_err() {
                limit = limit.within(GRACE);
            }
            fault = fault.or(collected.err());
        }
        let kept = self.abandon();
        fault.or(kept.err()).or_else(|| self.cause_of_silence())
    }

    /// Counts what is still in flight as not acknowledged, each line by its number.
    fn abandon(&mut self) -> Result<(), Failure> {
        let mut lines = Vec::new();
        self.producer.abandon();
        let end = Deadline::after(GRACE);
        while self.producer.in_flight() > 0 && !end.has_passed() {
            let acknowledged = &mut self.account.acknowledged;
            self.producer.collect(SLICE, |number, report| match report {
                Ok(_) => *acknowledged += 1,
                Err(error) => lines.push((number, error)),
            });
        }
        self.account.unacknowledged += self.in_flight() + lines.len() as u64;
        lines.sort_by_key(|(number, _)| *number);
        let mut kept = lines
            .iter()
            .map(|(number, error)| self.rejects.reject(*number, &error.to_string(), None));
        kept.find(Result::is_err).unwrap_or(Ok(()))
    }

    /// Why the deadline came before the acknowledgements, where it is known.
    fn cause_of_silence(&self) -> Option<Failure> {
        let is_waiting = self.account.unacknowledged > 0
            && self.publishing.deadline.has_passed()
            && !self.publishing.shutdown.is_requested();
        let findings = self.producer.findings();
        let verdict = findings.final_verdict().or_else(|| findings.verdict_on_advertised());
        let verdict = verdict.filter(|_| is_waiting)?;
        Some(KafkaError::Unusable { verdict: Box::new(verdict) }.into())
    }
}

fn headers<'a>(shape: &'a Shape, parsed: &'a Parsed<'_>) -> HeaderList<'a> {
    let own = match (shape, parsed) {
        (_, Parsed::Owned(record)) => &record.headers,
        (Shape::Delimited(delimited), Parsed::Borrowed { .. }) => &delimited.headers,
        (Shape::Json { .. }, Parsed::Borrowed { .. }) => return Vec::new(),
    };
    own.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect()
}

fn outgoing<'a>(
    publishing: &'a Publishing<'_>,
    parsed: &'a Parsed<'_>,
    headers: &'a HeaderList<'a>,
) -> Outgoing<'a> {
    let topic = publishing.topic;
    match parsed {
        Parsed::Borrowed { key, value } => Outgoing {
            headers,
            partition: publishing.shape.partition(),
            ..Outgoing::new(topic, *key, value)
        },
        Parsed::Owned(record) => Outgoing {
            topic,
            key: record.key.as_deref(),
            value: record.value.as_deref(),
            headers,
            partition: record.partition,
            timestamp: record.timestamp,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flows::publish::{Delimited, Framing, SpreadDocument};
    use crate::kafka::native::mock::MockBroker;
    use std::io::{Seek, Write};

    #[derive(Default)]
    struct Kept(Vec<(u64, String, Option<Vec<u8>>)>, Vec<SpreadDocument>);

    impl Rejects for Kept {
        fn waiting(&mut self, _: u64) {}

        fn spread_document(&mut self, document: SpreadDocument) {
            self.1.push(document);
        }

        fn reject(&mut self, line: u64, reason: &str, text: Option<&[u8]>) -> Result<(), Failure> {
            self.0.push((line, reason.to_owned(), text.map(<[u8]>::to_vec)));
            Ok(())
        }
    }

    fn lines(content: &str) -> Vec<Lines> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content.as_bytes()).unwrap();
        file.rewind().unwrap();
        vec![Lines::new(file, Framing::Lines)]
    }

    fn send(shape: &Shape, content: &str) -> (Account, Kept) {
        let mock = MockBroker::start().unwrap();
        mock.create_topic("t", 2).unwrap();
        let publishing = Publishing {
            properties: &Properties::new(&mock.address()),
            topic: "t",
            shape,
            durability: Durability::Idempotent,
            compression: "lz4",
            partitioner: "murmur2_random",
            shutdown: &Shutdown::new(),
            deadline: Deadline::after(Duration::from_secs(20)),
        };
        let mut kept = Kept::default();
        let published = publish(&publishing, lines(content), &mut kept).unwrap();
        assert!(published.fault.is_none(), "{published:?}");
        (published.account, kept)
    }

    #[test]
    fn every_line_is_acknowledged_and_counted() {
        let content: String = (0..5_000).map(|n| format!("k{n}:v{n}\n")).collect();
        let shape = Delimited { delimiter: Some(b":".to_vec()), ..Delimited::default() };
        let (account, kept) = send(&Shape::Delimited(shape), &content);
        let all =
            Account { lines: 5_000, acknowledged: 5_000, complete: true, ..Account::default() };
        assert_eq!(account, all);
        assert!(kept.0.is_empty());
    }

    #[test]
    fn a_document_over_several_lines_is_reported_once_and_sent_as_lines() {
        let pretty = "{\n  \"a\": 1\n}\n{\n  \"a\": 2\n}\n";
        let (account, kept) = send(&Shape::Delimited(Delimited::default()), pretty);
        assert_eq!(account.acknowledged, 6);
        assert_eq!(kept.1, [SpreadDocument { first: 1, last: 3, is_array: false }]);
    }

    #[test]
    fn a_bad_line_is_kept_with_its_number_and_the_rest_goes_on() {
        let content = "{\"value\":{\"a\":1}}\nnonsense\n{\"value\":null,\"key\":\"k\"}\n";
        let (account, kept) = send(&Shape::Json { partitions: true }, content);
        assert_eq!((account.acknowledged, account.invalid), (2, 1));
        assert_eq!((kept.0[0].0, kept.0[0].2.as_deref()), (2, Some(&b"nonsense"[..])));
    }

    #[test]
    fn a_partition_that_is_not_there_is_refused_for_that_record_alone() {
        let content = "{\"partition\":0,\"value\":1}\n{\"partition\":9,\"value\":2}\n";
        let (account, kept) = send(&Shape::Json { partitions: true }, content);
        assert_eq!((account.acknowledged, account.refused, kept.0[0].0), (1, 1, 2));
        let (account, _) = send(&Shape::Json { partitions: false }, content);
        assert_eq!(account.acknowledged, 2);
    }

    #[test]
    fn a_topic_that_is_not_there_is_refused_before_a_line_is_read() {
        let mock = MockBroker::start().unwrap();
        mock.create_topic("topic", 1).unwrap();
        let publishing = Publishing {
            properties: &Properties::new(&mock.address()),
            topic: "topci",
            shape: &Shape::Json { partitions: true },
            durability: Durability::Acknowledged,
            compression: "none",
            partitioner: "murmur2_random",
            shutdown: &Shutdown::new(),
            deadline: Deadline::after(Duration::from_secs(20)),
        };
        let failure = publish(&publishing, lines("x\n"), &mut Kept::default()).unwrap_err();
        assert_eq!(failure.kind(), Kind::NotFound);
    }
}
