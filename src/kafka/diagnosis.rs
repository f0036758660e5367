//! Why Kafka does not work. librdkafka's failing call never says it; its error callback and its
//! FAIL log lines do, many times over. They are collected here, each once, and put into one
//! sentence with the next thing to try.

use std::collections::BTreeMap;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError as LibraryError, RDKafkaErrorCode};

use super::hints::{certificate_hint, mechanism_hint};
use super::probe::{self, Answer};
use super::wire::{Endpoint, find_certificate_fault};
use super::{KafkaError, LibraryListener, Properties};
use crate::base::redact::Secrets;
use crate::base::{Deadline, Hint, Kind};
use crate::tls::{Certificate, CertificateFault, without_codes};

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
    /// No connection comes about, as a probe of ours found.
    NoConnection,
    Authentication(String),
    /// The broker does not offer the mechanism that is set, but these.
    MechanismNotOffered(Vec<String>),
    /// The broker asks for no login, and was given one.
    WantsNoLogin,
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
            | Fault::NoConnection
            | Fault::Authentication(_)
            | Fault::MechanismNotOffered(_)
            | Fault::WantsNoLogin
            | Fault::Certificate
            | Fault::Http
            | Fault::NoTlsThere
            | Fault::ClientCertificate => true,
            Fault::Closed(_) | Fault::Other(_) => false,
        }
    }

    fn is_denial(&self) -> bool {
        matches!(self, Self::Authentication(_) | Self::MechanismNotOffered(_) | Self::WantsNoLogin)
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

/// What is wrong with a certificate, and what it says.
type FaultyCertificate = (CertificateFault, Certificate);

#[derive(Debug, Default)]
struct Probed {
    certificates: BTreeMap<String, Option<FaultyCertificate>>,
    silent: Option<SilentAddress>,
}

/// A name of which one address answers as Kafka does, and another one does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
struct SilentAddress {
    /// As it is set.
    name: String,
    good: SocketAddr,
    silent: SocketAddr,
    answer: Answer,
}

impl SilentAddress {
    fn verdict(&self) -> Verdict {
        let Self { name, good, silent, answer } = self;
        let what = match answer {
            Answer::NoConnection(_) => "no connection comes about",
            Answer::Http => "an HTTP server answers",
            _ => "the port takes connections and does not answer",
        };
        let summary = format!("{name} means {silent} too, where {what}; Kafka answers at {good}");
        Verdict::new(Kind::Unreachable, summary, format!("name that address: --brokers {good}"))
    }
}

/// What one client has said so far. It is the client's context: librdkafka calls it from whatever
/// thread polls.
#[derive(Debug)]
pub struct Findings {
    properties: Properties,
    bootstrap: Vec<String>,
    uses_tls: bool,
    seen: Mutex<Seen>,
    /// What probes of our own found at an address, each made once.
    probed: Mutex<Probed>,
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
            properties: properties.clone(),
            seen: Mutex::new(Seen::default()),
            probed: Mutex::default(),
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
        let (peer, fault, others) = {
            let seen = self.seen();
            if let Some(reason) = &seen.denied {
                return Some(Verdict::new(Kind::Denied, reason.clone(), None));
            }
            worst_fault(&seen, &self.bootstrap)?
        };
        // The lock is not held while a probe waits.
        let mut verdict = self.judge(&peer, &fault);
        if !others.is_empty() {
            verdict.summary += &format!(" (nor is {} usable)", others.join(", "));
        }
        Some(verdict)
    }

    fn judge(&self, peer: &Peer, fault: &Fault) -> Verdict {
        let found = match fault {
            Fault::Certificate => self.certificate_of(&peer.address),
            _ => None,
        };
        let Some((fault, shown)) = found else { return judge(peer, fault) };
        let host = Endpoint::parse(&peer.address).host;
        let from = if peer.is_bootstrap { "" } else { "the broker advertises " };
        let sentence = fault.describe(&shown, &host);
        let summary = format!("{from}{} cannot be trusted: {sentence}", peer.address);
        Verdict::new(Kind::Unreachable, summary, certificate_hint(fault, &host))
    }

    /// What is wrong with the certificate of an address, which the library does not say.
    fn certificate_of(&self, address: &str) -> Option<FaultyCertificate> {
        let known = self.probed().certificates.get(address).cloned();
        known.unwrap_or_else(|| {
            let found = find_certificate_fault(&self.properties, address, Deadline::NEVER);
            self.probed().certificates.insert(address.to_owned(), found.clone());
            found
        })
    }

    fn probed(&self) -> MutexGuard<'_, Probed> {
        self.probed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a name was found of which one address answers and another one is silent.
    pub(super) fn has_silent_address(&self) -> bool {
        self.probed().silent.is_some()
    }

    /// Asks every address of a name, and keeps one that is silent beside one that answers.
    fn ask_name(&self, name: &str, deadline: Deadline) -> Answer {
        let answers = match probe::ask_each(name, deadline) {
            Ok(answers) => answers,
            Err(answer) => return answer,
        };
        if let Some((good, silent)) = answers.split()
            && let Some((silent, answer)) = silent.into_iter().next()
        {
            let name = name.to_owned();
            self.probed().silent = Some(SilentAddress { name, good, silent, answer });
        }
        answers.best()
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
        if let Some((peer, fault)) = read_line(text).filter(|_| !is_mere_silence(text)) {
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
        let is_stray = |(peer, fault): &(&Peer, &Fault)| {
            !peer.is_bootstrap
                && !self.bootstrap.contains(&peer.address)
                && fault.is_final(&peer.address)
        };
        let found = self.seen().faults.iter().find(is_stray).map(|(p, f)| (p.clone(), f.clone()));
        found.map(|(peer, fault)| self.judge(&peer, &fault))
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
        let refused_us = {
            let seen = self.seen();
            let refused = seen.faults.iter().find(|(_, fault)| fault.is_denial());
            refused.map(|(peer, fault)| (peer.clone(), fault.clone()))
        };
        if let Some((peer, fault)) = refused_us {
            return Some(self.judge(&peer, &fault));
        }
        let has_failed = {
            let seen = self.seen();
            let failed = |address: &String| {
                let peer = Peer { address: address.clone(), is_bootstrap: true };
                seen.faults.get(&peer).is_some_and(|fault| fault.is_final(address))
            };
            !self.bootstrap.is_empty() && self.bootstrap.iter().all(failed)
        };
        if has_failed { self.best() } else { None }
    }

    /// The verdict on brokers that say nothing, after one question of our own to each of them in turn.
    /// `None` where Kafka answers at one: it is only slow.
    pub(super) fn verdict_on_silence(&self, deadline: Deadline) -> Option<Verdict> {
        let mut first = None;
        for address in &self.bootstrap {
            // The lock is not held while the probe waits.
            let answer = self.ask_name(address, deadline);
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

    /// The verdict on brokers of which none can be reached at the address that it advertises. One that
    /// is set as well has answered there.
    pub(super) fn verdict_if_none_is_reached(
        &self,
        brokers: &[(i32, String)],
        deadline: Deadline,
    ) -> Option<Verdict> {
        if brokers.iter().any(|(_, address)| self.bootstrap.contains(address)) {
            return None;
        }
        let answers: Vec<(&str, Answer)> = std::thread::scope(|scope| {
            let asked: Vec<_> = brokers
                .iter()
                .map(|(_, address)| {
                    (address.as_str(), scope.spawn(move || probe::ask(address, deadline)))
                })
                .collect();
            asked.into_iter().filter_map(|(at, one)| Some((at, one.join().ok()?))).collect()
        });
        let fault = |answer: &Answer| match answer {
            Answer::Refused => Some(Fault::Refused(Vec::new())),
            Answer::UnknownName(_) => Some(Fault::UnknownName),
            Answer::NoConnection(_) => Some(Fault::NoConnection),
            Answer::Http => Some(Fault::Http),
            // With TLS a port says nothing to a question without.
            _ => None,
        };
        let mut dead = answers.iter().map(|(address, answer)| Some((*address, fault(answer)?)));
        let first = dead.next()??;
        if dead.any(|one| one.is_none()) {
            return None;
        }
        let peer = Peer { address: first.0.to_owned(), is_bootstrap: false };
        Some(judge(&peer, &first.1))
    }

    /// The best explanation at hand, after asking the silent addresses what they are.
    #[must_use]
    pub fn verdict(&self, deadline: Deadline) -> Verdict {
        let silent = self.probed().silent.clone();
        let known = self.best();
        // The lock is not held while the probe waits.
        match (silent, known) {
            (Some(silent), None) => silent.verdict(),
            (_, Some(known)) => known,
            (None, None) => {
                let address = self.bootstrap.first().map_or("", String::as_str);
                let answer = self.ask_name(address, deadline);
                let silent = self.probed().silent.clone();
                silent.map_or_else(|| self.judge_probe(address, &answer), |s| s.verdict())
            }
        }
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

/// The fault to show, and the other addresses that cannot be used. Advertised addresses come first:
/// they fail only once the bootstrap address has worked. One that is of the bootstrap list as well was
/// there and went away: what it advertises is right.
fn worst_fault(seen: &Seen, bootstrap: &[String]) -> Option<(Peer, Fault, Vec<String>)> {
    let mut faults: Vec<(&Peer, &Fault)> = seen.faults.iter().collect();
    faults.sort_by_key(|(peer, fault)| {
        (matches!(fault, Fault::Closed(_) | Fault::Other(_)), peer.is_bootstrap)
    });
    let (peer, fault) = faults.first()?;
    let is_bootstrap = peer.is_bootstrap || bootstrap.contains(&peer.address);
    let peer = Peer { address: peer.address.clone(), is_bootstrap };
    let mut others = Vec::new();
    if peer.is_bootstrap {
        others.extend(faults[1..].iter().map(|(other, _)| other.address.clone()));
        others.retain(|other| *other != peer.address);
    }
    Some((peer, (*fault).clone(), others))
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

/// Whether a line says no more than that nothing came from an address that is set: a probe of our own
/// says why.
fn is_mere_silence(text: &str) -> bool {
    text.contains("/bootstrap: ") && text.contains("Connection setup timed out")
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
    } else if has("mechanism handshake failed") && has("Unsupported SASL mechanism") {
        Fault::MechanismNotOffered(offered_mechanisms(what))
    } else if has("not valid in current SASL state") || has("SASL Handshake not supported") {
        Fault::WantsNoLogin
    } else if has("authentication") || has("mechanism handshake failed") || has("Authentication") {
        Fault::Authentication(without_codes(without_timing(what)))
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
        Fault::Other(without_codes(without_timing(what)))
    }
}

/// The mechanisms at the end of a refusal, with commas between.
fn offered_mechanisms(what: &str) -> Vec<String> {
    let (_, list) = without_timing(what).rsplit_once("supported mechanisms: ").unwrap_or_default();
    let names = list.split(',').map(str::trim);
    names.filter(|name| !name.is_empty() && !name.starts_with('(')).map(str::to_owned).collect()
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
            Fault::NoConnection => "no connection comes about",
            Fault::Http => "an HTTP server answers",
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
        Fault::NoConnection => unreachable(
            format!("no connection to {at} comes about"),
            Some("a firewall, a VPN or a wrong address: try the port from another machine".into()),
        ),
        Fault::Authentication(reason) => Verdict::new(
            Kind::Denied,
            format!("authentication failed at {at}: {reason}"),
            Some("check sasl.mechanism, sasl.username and sasl.password: dwctl config show --origin".into()),
        ),
        Fault::MechanismNotOffered(offered) => Verdict::new(
            Kind::Denied,
            format!("{at} does not offer the mechanism that is set{}", offer(offered)),
            Some(mechanism_hint(offered)),
        ),
        Fault::WantsNoLogin => Verdict::new(
            Kind::Denied,
            format!("{at} asks for no login, and was given one"),
            Some("this listener has no logins: -X security.protocol=PLAINTEXT (or SSL)".into()),
        ),
        Fault::Certificate => unreachable(
            format!("the certificate of {at} cannot be verified"),
            Some(certificate_hint(CertificateFault::UnknownAuthority, at)),
        ),
        Fault::Http => judge_answer(at, &Answer::Http),
        Fault::NoTlsThere => unreachable(
            format!("{at} speaks no TLS: it answers without it"),
            Some("this looks like a PLAINTEXT listener: -X security.protocol=PLAINTEXT (or SASL_PLAINTEXT)".into()),
        ),
        Fault::ClientCertificate => Verdict::new(
            Kind::Denied,
            format!("{at} wants a client certificate that it trusts"),
            Some("set -X ssl.certificate.location=FILE and -X ssl.key.location=FILE".into()),
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

fn offer(offered: &[String]) -> String {
    if offered.is_empty() { String::new() } else { format!("; it offers {}", offered.join(", ")) }
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
    fn logins_that_do_not_fit_are_told_apart() {
        for (line, words) in [
            (
                "Failed to initialize SASL authentication: SASL Handshake not supported by broker (required by mechanism PLAIN)",
                "asks for no login",
            ),
            (
                "SASL PLAIN mechanism handshake failed: Broker: Request not valid in current SASL state: broker's supported mechanisms: (empty)",
                "asks for no login",
            ),
            (
                "SASL OAUTHBEARER mechanism handshake failed: Broker: Unsupported SASL mechanism: broker's supported mechanisms: PLAIN,SCRAM-SHA-512 (after 3ms in state AUTH_HANDSHAKE)",
                "does not offer the mechanism that is set; it offers PLAIN, SCRAM-SHA-512",
            ),
        ] {
            let line = format!("sasl_plaintext://127.0.0.1:1/bootstrap: {line}");
            let verdict = findings(&[line.as_str()]).final_verdict().unwrap();
            assert_eq!(verdict.kind(), Kind::Denied);
            assert!(verdict.summary().contains(words), "{verdict:?}");
        }
        let silence = "127.0.0.1:1/bootstrap: Connection setup timed out in state CONNECT";
        assert!(findings(&[silence]).best().is_none());
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
