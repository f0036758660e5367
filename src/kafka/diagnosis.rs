//! Why Kafka does not work. librdkafka's failing call never says it; its error callback and its
//! FAIL log lines do, many times over. They are collected here, each once, and put into one
//! sentence with the next thing to try.

use std::collections::BTreeMap;
use std::net::ToSocketAddrs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError as LibraryError, RDKafkaErrorCode};

use super::probe::{self, Answer};
use super::{KafkaError, LibraryListener, Properties};
use crate::base::redact::Secrets;
use crate::base::{Deadline, Hint, Kind};

/// The cause in one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    kind: Kind,
    summary: String,
    hints: Vec<Hint>,
}

impl Verdict {
    fn new(kind: Kind, summary: String, hint: impl Into<Option<String>>) -> Self {
        Self { kind, summary, hints: hint.into().map(Hint::new).into_iter().collect() }
    }

    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    #[must_use]
    pub fn summary(&self) -> &str {
        &self.summary
    }

    #[must_use]
    pub fn hints(&self) -> &[Hint] {
        &self.hints
    }
}

/// How one address failed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fault {
    /// Nothing listens; the resolved addresses that said so.
    Refused(Vec<String>),
    UnknownName,
    Authentication(String),
    Certificate,
    /// The answer was one of HTTP.
    Http,
    /// TLS was spoken to a port without it.
    NoTlsThere,
    /// The broker asked for a client certificate, or refused ours.
    ClientCertificate,
    /// The connection was closed during the handshake, in the state named.
    Closed(String),
    Other(String),
}

impl Fault {
    /// Whether trying again cannot help.
    fn is_final(&self, host_and_port: &str) -> bool {
        match self {
            // A name may have several addresses, of which one may serve (`localhost` on a broker
            // that listens on IPv4 only): all of them must have refused.
            Fault::Refused(seen) => {
                let known = host_and_port.to_socket_addrs().map_or(1, Iterator::count);
                seen.len() >= known
            }
            Fault::UnknownName
            | Fault::Authentication(_)
            | Fault::Certificate
            | Fault::Http
            | Fault::NoTlsThere
            | Fault::ClientCertificate => true,
            Fault::Closed(_) | Fault::Other(_) => false,
        }
    }
}

/// Which broker a line is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Peer {
    /// `HOST:PORT`.
    address: String,
    /// From the bootstrap list, or advertised by a broker.
    is_bootstrap: bool,
}

#[derive(Debug, Default)]
struct Seen {
    faults: BTreeMap<Peer, Fault>,
    denied: Option<String>,
}

/// What one client has said so far. It is the client's context: librdkafka calls it from whatever
/// thread polls.
#[derive(Debug)]
pub struct Findings {
    bootstrap: Vec<String>,
    uses_tls: bool,
    seen: Mutex<Seen>,
    /// Connections that were lost or did not come about.
    disturbances: AtomicU64,
    listener: Option<Arc<dyn LibraryListener>>,
    secrets: Secrets,
}

impl Findings {
    #[must_use]
    pub fn new(properties: &Properties) -> Self {
        Self {
            bootstrap: properties.addresses().map(with_port).collect(),
            uses_tls: properties.uses_tls(),
            seen: Mutex::new(Seen::default()),
            disturbances: AtomicU64::new(0),
            listener: properties.listener().cloned(),
            secrets: properties.secrets(),
        }
    }

    fn pass_on(&self, facility: &str, line: &str) {
        if let Some(listener) = &self.listener {
            listener.line(&format!("librdkafka {facility}: {line}"));
        }
    }

    /// How often a connection was lost or did not come about. A reason to ask whether the cluster
    /// still answers: brokers close idle connections too.
    #[must_use]
    pub fn disturbances(&self) -> u64 {
        self.disturbances.load(Ordering::Relaxed)
    }

    fn best(&self) -> Option<Verdict> {
        best(&self.seen(), &self.bootstrap)
    }

    /// What is wrong with a cluster that has answered before: the cause and the addresses.
    #[must_use]
    pub fn outage_words(&self) -> String {
        let seen = self.seen();
        let mut refused: Vec<&str> = seen
            .faults
            .iter()
            .filter(|(_, fault)| matches!(fault, Fault::Refused(_)))
            .map(|(peer, _)| peer.address.as_str())
            .collect();
        refused.dedup();
        match (refused.as_slice(), seen.faults.keys().next()) {
            ([], None) => format!("no answer from {}", self.bootstrap.join(", ")),
            ([], Some(peer)) => format!("the connection to {} is lost", peer.address),
            (addresses, _) => format!("connection refused at {}", addresses.join(", ")),
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // A panic while the list is held leaves the list as good as before.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a line of the library: an error's reason or a FAIL log line.
    fn note(&self, text: &str) {
        let mut seen = self.seen();
        if let Some((peer, fault)) = read_line(text) {
            match (seen.faults.get_mut(&peer), fault) {
                (Some(Fault::Refused(known)), Fault::Refused(new)) => {
                    known.extend(
                        new.into_iter()
                            .filter(|address| !known.contains(address))
                            .collect::<Vec<_>>(),
                    );
                }
                // The cause of a closed connection is never clearer the second time.
                (Some(_), Fault::Closed(_) | Fault::Other(_)) => {}
                (_, fault) => {
                    seen.faults.insert(peer, fault);
                }
            }
        }
    }

    /// Forgets faults: a connection to whoever leads has come about.
    pub(super) fn clear(&self) {
        self.seen().faults.clear();
    }

    /// Forgets the faults of the addresses that are set: one of them has answered. Those that the
    /// brokers advertise may be out of reach all the same, and the library says so only once.
    pub(super) fn clear_bootstrap(&self) {
        self.seen().faults.retain(|peer, _| !peer.is_bootstrap);
    }

    /// The verdict on addresses that brokers advertise and that cannot be used from here. One of
    /// several may be away for a moment: this is a cause only where nothing comes.
    #[must_use]
    pub fn verdict_on_advertised(&self) -> Option<Verdict> {
        let seen = self.seen();
        let is_stray = |(peer, fault): &(&Peer, &Fault)| {
            !peer.is_bootstrap
                && !self.bootstrap.contains(&peer.address)
                && fault.is_final(&peer.address)
        };
        seen.faults.iter().find(is_stray).map(|(peer, fault)| judge(peer, fault))
    }

    /// Whether some of the brokers that were named refuse connections, and not all of them.
    pub(super) fn is_one_of_several_away(&self) -> bool {
        let seen = self.seen();
        let is_away = |address: &&String| {
            seen.faults.iter().any(|(peer, fault)| {
                peer.address == **address && matches!(fault, Fault::Refused(_))
            })
        };
        let away = self.bootstrap.iter().filter(is_away).count();
        away > 0 && away < self.bootstrap.len()
    }

    /// The verdict, if it cannot get better by waiting: every bootstrap address has failed for good,
    /// or a broker refused who we are.
    #[must_use]
    pub fn final_verdict(&self) -> Option<Verdict> {
        let seen = self.seen();
        let refused_us =
            seen.faults.iter().find(|(_, fault)| matches!(fault, Fault::Authentication(_)));
        if let Some((peer, fault)) = refused_us {
            return Some(judge(peer, fault));
        }
        let failed = |address: &String| {
            let peer = Peer { address: address.clone(), is_bootstrap: true };
            seen.faults.get(&peer).is_some_and(|fault| fault.is_final(address))
        };
        if !self.bootstrap.is_empty() && self.bootstrap.iter().all(failed) {
            drop(seen);
            return self.best();
        }
        None
    }

    /// The verdict on brokers that say nothing, after one question of our own to each of them in turn.
    /// `None` where Kafka answers at one: it is only slow.
    pub(super) fn verdict_on_silence(&self, deadline: Deadline) -> Option<Verdict> {
        let mut first = None;
        for address in &self.bootstrap {
            // The lock is not held while the probe waits.
            let answer = probe::ask(address, deadline);
            if self.wants_tls_of(&answer) {
                return Some(self.judge_probe(address, &answer));
            }
            if answer == Answer::Kafka {
                return None;
            }
            first.get_or_insert((address, answer));
        }
        let (address, answer) = first?;
        Some(self.best().unwrap_or_else(|| judge_answer(address, &answer)))
    }

    /// The same of brokers whose addresses are known, asked by a probe of our own: the library may
    /// have had no reason to go there.
    pub(super) fn verdict_of_brokers(
        &self,
        brokers: &[(i32, String)],
        deadline: Deadline,
    ) -> Option<Verdict> {
        self.verdict_on_advertised().or_else(|| {
            let strays = brokers.iter().filter(|(_, address)| !self.bootstrap.contains(address));
            strays.into_iter().find_map(|(_, address)| {
                let peer = Peer { address: address.clone(), is_bootstrap: false };
                match probe::ask(address, deadline) {
                    Answer::Refused => Some(judge(&peer, &Fault::Refused(Vec::new()))),
                    Answer::UnknownName(_) => Some(judge(&peer, &Fault::UnknownName)),
                    _ => None,
                }
            })
        })
    }

    /// The best explanation at hand, after asking the silent addresses what they are.
    #[must_use]
    pub fn verdict(&self, deadline: Deadline) -> Verdict {
        // The lock is not held while the probe waits.
        let known = self.best();
        if let Some(verdict) = known {
            return verdict;
        }
        let address = self.bootstrap.first().map_or("", String::as_str);
        self.judge_probe(address, &probe::ask(address, deadline))
    }

    /// Whether TLS is spoken to a port that has just answered without it. Some such brokers wait for
    /// the rest of what they take for a request, and never say what is wrong.
    fn wants_tls_of(&self, answer: &Answer) -> bool {
        self.uses_tls && *answer == Answer::Kafka
    }

    fn judge_probe(&self, address: &str, answer: &Answer) -> Verdict {
        if self.wants_tls_of(answer) {
            let peer = Peer { address: address.to_owned(), is_bootstrap: true };
            return judge(&peer, &Fault::NoTlsThere);
        }
        judge_answer(address, answer)
    }

    /// The error for a call that ended without a result.
    pub(super) fn unusable(&self, deadline: Deadline) -> KafkaError {
        KafkaError::Unusable { verdict: Box::new(self.verdict(deadline)) }
    }
}

/// Advertised addresses first: they fail only once the bootstrap address has worked. One that is of
/// the bootstrap list as well was there and went away: what it advertises is right.
fn best(seen: &Seen, bootstrap: &[String]) -> Option<Verdict> {
    if let Some(reason) = &seen.denied {
        return Some(Verdict::new(Kind::Denied, reason.clone(), None));
    }
    let mut faults: Vec<(&Peer, &Fault)> = seen.faults.iter().collect();
    faults.sort_by_key(|(peer, fault)| {
        (matches!(fault, Fault::Closed(_) | Fault::Other(_)), peer.is_bootstrap)
    });
    let (peer, fault) = faults.first()?;
    let is_bootstrap = peer.is_bootstrap || bootstrap.contains(&peer.address);
    let peer = &Peer { address: peer.address.clone(), is_bootstrap };
    let mut verdict = judge(peer, fault);
    if faults.len() > 1 && peer.is_bootstrap {
        let mut others: Vec<&str> =
            faults[1..].iter().map(|(peer, _)| peer.address.as_str()).collect();
        others.retain(|other| *other != peer.address);
        if others.is_empty() {
            return Some(verdict);
        }
        verdict.summary += &format!(" (nor is {} usable)", others.join(", "));
    }
    Some(verdict)
}

impl ClientContext for Findings {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        let message = &*self.secrets.redact(message);
        self.pass_on(facility, message);
        // What is said only to a listener must not change what is found.
        if facility == "FAIL" && !matches!(level, RDKafkaLogLevel::Debug) {
            self.disturbances.fetch_add(1, Ordering::Relaxed);
            self.note(message.split_once("]: ").map_or(message, |(_, rest)| rest));
        }
    }

    fn error(&self, error: LibraryError, reason: &str) {
        let reason = &*self.secrets.redact(reason);
        self.pass_on("ERROR", reason);
        match error.rdkafka_error_code() {
            // Fires beside the real error, with counts that mean nothing.
            Some(RDKafkaErrorCode::AllBrokersDown) => {
                self.disturbances.fetch_add(1, Ordering::Relaxed);
            }
            Some(code) if super::error::is_denial(code) && read_line(reason).is_none() => {
                self.seen().denied = Some(format!("permission denied: {reason}"));
            }
            _ => self.note(reason),
        }
    }
}

impl ConsumerContext for Findings {}

/// `HOST:PORT`, with Kafka's port where none was given, as librdkafka fills it in.
fn with_port(address: &str) -> String {
    let has_port = address.rsplit_once(':').is_some_and(|(host, port)| {
        port.parse::<u16>().is_ok() && (!host.contains(':') || host.ends_with(']'))
    });
    if has_port { address.to_owned() } else { format!("{address}:9092") }
}

/// Takes a line apart: `[PROTOCOL://]HOST:PORT/ID: what happened`.
fn read_line(text: &str) -> Option<(Peer, Fault)> {
    let (place, what) = text.split_once(": ")?;
    let (address, id) = place.rsplit_once('/')?;
    let address = address.rsplit_once("://").map_or(address, |(_, rest)| rest);
    if !address.contains(':') {
        return None;
    }
    let peer = Peer { address: address.to_owned(), is_bootstrap: id == "bootstrap" };
    Some((peer, read_fault(what)))
}

/// The first four letters of an HTTP reply, taken for the length of a Kafka one.
const HTTP_AS_LENGTH: &str = "Invalid response size 1213486160";

fn read_fault(what: &str) -> Fault {
    let has = |part: &str| what.contains(part);
    if has("Connection refused") {
        let socket =
            what.split_once("Connect to ").and_then(|(_, rest)| rest.split_once(" failed"));
        Fault::Refused(vec![socket.map_or_else(String::new, |(socket, _)| socket.to_owned())])
    } else if has("Failed to resolve") {
        Fault::UnknownName
    } else if has("authentication") || has("mechanism handshake failed") || has("Authentication") {
        Fault::Authentication(without_timing(what).to_owned())
    } else if has(HTTP_AS_LENGTH) {
        Fault::Http
    } else if has("PLAINTEXT broker listener") || has("wrong version number") {
        Fault::NoTlsThere
    } else if has("certificate verify failed") || has("certificate could not be verified") {
        Fault::Certificate
    } else if has("SSL alert number") || has("alert bad certificate") || has("alert certificate") {
        Fault::ClientCertificate
    } else if has("Disconnected") || has("closed by peer") {
        let state =
            what.rsplit_once("in state ").map_or("", |(_, state)| state.trim_end_matches(')'));
        Fault::Closed(state.split([',', ')']).next().unwrap_or("").to_owned())
    } else {
        Fault::Other(without_timing(what).to_owned())
    }
}

/// Cuts librdkafka's `(after 0ms in state CONNECT, 3 identical error(s) suppressed)`.
fn without_timing(what: &str) -> &str {
    what.split_once(" (after ").map_or(what, |(words, _)| words)
}

fn judge(peer: &Peer, fault: &Fault) -> Verdict {
    let at = &peer.address;
    let unreachable =
        |summary: String, hint: Option<String>| Verdict::new(Kind::Unreachable, summary, hint);
    if !peer.is_bootstrap {
        let cause = match fault {
            Fault::Refused(_) => "connection refused",
            Fault::UnknownName => "the name is not known here",
            _ => "it does not answer as a broker",
        };
        let hint =
            "the brokers' advertised.listeners must name an address that this machine can reach";
        return unreachable(
            format!("the broker advertises {at}, which cannot be used: {cause}"),
            Some(hint.into()),
        );
    }
    match fault {
        Fault::Refused(_) => unreachable(
            format!("connection refused at {at}: no Kafka broker listens there"),
            Some("start a local stack: dwctl serve — or name the brokers: --brokers HOST:PORT".into()),
        ),
        Fault::UnknownName => unreachable(
            format!("the broker's name in {at} cannot be resolved"),
            Some("check --brokers and KAFKA_BOOTSTRAP_SERVERS: dwctl config show --origin".into()),
        ),
        Fault::Authentication(reason) => Verdict::new(
            Kind::Denied,
            format!("authentication failed at {at}: {reason}"),
            Some(authentication_hint(reason).to_owned()),
        ),
        Fault::Certificate => unreachable(
            format!("the certificate of {at} cannot be verified: unknown authority, expired, or another name"),
            Some("name the authority: -X ssl.ca.location=FILE".into()),
        ),
        Fault::Http => judge_answer(at, &Answer::Http),
        Fault::NoTlsThere => unreachable(
            format!("{at} speaks no TLS"),
            Some("this looks like a PLAINTEXT listener: -X security.protocol=PLAINTEXT (or SASL_PLAINTEXT)".into()),
        ),
        Fault::ClientCertificate => Verdict::new(
            Kind::Denied,
            format!("{at} refused the client certificate, or none was sent"),
            Some("set ssl.certificate.location and ssl.key.location".into()),
        ),
        Fault::Closed(state) if state == "APIVERSION_QUERY" => unreachable(
            format!("{at} closes the connection at the first request"),
            Some("this looks like a TLS listener: -X security.protocol=SSL (or SASL_SSL)".into()),
        ),
        Fault::Closed(_) => unreachable(
            format!("{at} closes the connection"),
            Some("the listener may ask for a login: -X security.protocol=SASL_PLAINTEXT (or SASL_SSL)".into()),
        ),
        Fault::Other(reason) => unreachable(format!("the broker {at} cannot be used: {reason}"), None),
    }
}

fn authentication_hint(reason: &str) -> &'static str {
    if reason.contains("Handshake not supported") {
        "this listener asks for no login: -X security.protocol=PLAINTEXT (or SSL)"
    } else {
        "check sasl.mechanism, sasl.username and sasl.password: dwctl config show --origin"
    }
}

fn judge_answer(address: &str, answer: &Answer) -> Verdict {
    let hint =
        Some("check --brokers and KAFKA_BOOTSTRAP_SERVERS: dwctl config show --origin".to_owned());
    let summary = match answer {
        Answer::Http => format!("{address} is an HTTP server, not a Kafka broker"),
        Answer::Other => format!("{address} answers, but not as a Kafka broker does"),
        Answer::Closed => format!(
            "{address} closes the connection without an answer: not a Kafka broker, or one that speaks TLS"
        ),
        Answer::Silence => format!(
            "{address} takes connections but does not answer: not a Kafka broker, or one that hangs"
        ),
        Answer::Kafka => {
            let summary =
                format!("the broker at {address} answers, but not in the time that was left");
            let hint = "give it longer with --timeout".to_owned();
            return Verdict::new(Kind::Deadline, summary, Some(hint));
        }
        Answer::Refused => {
            format!("connection refused at {address}: no Kafka broker listens there")
        }
        Answer::UnknownName(reason) => {
            format!("the broker's name in {address} cannot be resolved: {reason}")
        }
        Answer::NoConnection(reason) => format!("no connection to {address} came about: {reason}"),
    };
    Verdict::new(Kind::Unreachable, summary, hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(lines: &[&str]) -> Findings {
        let findings = Findings::new(&Properties::new("127.0.0.1:1"));
        for line in lines {
            findings.note(line);
        }
        findings
    }

    #[test]
    fn a_refused_connection_is_final_at_once() {
        let findings = findings(&[
            "127.0.0.1:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused (after 0ms in state CONNECT)",
        ]);
        let verdict = findings.final_verdict().unwrap();
        assert!(verdict.summary().starts_with("connection refused at 127.0.0.1:1"), "{verdict:?}");
        assert_eq!(verdict.kind(), Kind::Unreachable);
    }

    #[test]
    fn an_answer_of_http_is_called_by_its_name() {
        let findings = findings(&[
            "127.0.0.1:1/bootstrap: Receive failed: Invalid response size 1213486160 (0..100000000): increase receive.message.max.bytes (after 2ms in state APIVERSION_QUERY)",
        ]);
        let verdict = findings.final_verdict().unwrap();
        assert_eq!(verdict.summary(), "127.0.0.1:1 is an HTTP server, not a Kafka broker");
    }

    #[test]
    fn one_dead_address_of_two_is_not_final() {
        let findings = Findings::new(&Properties::new("127.0.0.1:1,127.0.0.1:2"));
        findings
            .note("127.0.0.1:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused");
        assert_eq!(findings.final_verdict(), None);
    }

    #[test]
    fn a_wrong_password_is_denied() {
        let findings = findings(&[
            "sasl_plaintext://127.0.0.1:1/bootstrap: SASL authentication error: Authentication failed: Invalid username or password (after 301ms in state AUTH_REQ)",
        ]);
        let verdict = findings.final_verdict().unwrap();
        assert_eq!(verdict.kind(), Kind::Denied);
        assert!(verdict.summary().ends_with("Invalid username or password"), "{verdict:?}");
    }

    #[test]
    fn an_advertised_address_is_told_from_the_bootstrap_list() {
        let findings = findings(&[
            "broker-1.invalid:9092/1: Failed to resolve 'broker-1.invalid:9092': Name or service not known",
        ]);
        assert_eq!(findings.final_verdict(), None, "another broker may serve");
        let verdict = findings.verdict(Deadline::NEVER);
        assert!(verdict.summary().contains("advertises broker-1.invalid:9092"), "{verdict:?}");
    }

    #[test]
    fn protocols_that_do_not_match_name_the_property_to_change() {
        for (line, property) in [
            (
                "ssl://127.0.0.1:1/bootstrap: SSL handshake failed: Disconnected: SSL connection closed by peer: connecting to a PLAINTEXT broker listener?",
                "PLAINTEXT",
            ),
            (
                "127.0.0.1:1/bootstrap: Disconnected: connection closed by peer: receive 0 after POLLIN (after 1ms in state APIVERSION_QUERY)",
                "security.protocol=SSL",
            ),
            (
                "127.0.0.1:1/bootstrap: Disconnected: connection closed by peer (after 1ms in state UP)",
                "SASL_PLAINTEXT",
            ),
            (
                "ssl://127.0.0.1:1/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: broker certificate could not be verified",
                "ssl.ca.location",
            ),
        ] {
            let verdict = findings(&[line]).verdict(Deadline::NEVER);
            assert!(verdict.hints()[0].text().contains(property), "{line}: {verdict:?}");
        }
    }

    /// Keeps what it hears.
    #[derive(Debug, Default)]
    struct Heard(Mutex<Vec<String>>);

    impl LibraryListener for Heard {
        fn line(&self, line: &str) {
            self.0.lock().unwrap().push(line.to_owned());
        }
    }

    #[test]
    fn a_listener_hears_everything_and_what_is_said_only_to_it_changes_nothing() {
        let heard = Arc::new(Heard::default());
        let findings = Findings::new(&Properties::new("127.0.0.1:1").heard_by(heard.clone()));
        let line = "[thrd:x]: 127.0.0.1:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused";
        findings.log(RDKafkaLogLevel::Debug, "FAIL", line);
        assert_eq!((findings.disturbances(), findings.final_verdict()), (0, None));
        findings.log(RDKafkaLogLevel::Error, "FAIL", line);
        assert_eq!(findings.disturbances(), 1);
        assert!(findings.final_verdict().is_some());
        let expected = format!("librdkafka FAIL: {line}");
        assert_eq!(*heard.0.lock().unwrap(), [expected.clone(), expected]);
    }

    #[test]
    fn ports_are_filled_in_as_the_library_does() {
        assert_eq!(
            [with_port("kafka"), with_port("[::1]:1"), with_port("::1")],
            ["kafka:9092", "[::1]:1", "::1:9092"]
        );
    }
}
