//! What the ways to the brokers were like, in words, and the line to change where one is blocked.

use super::finding::{Area, Finding};
use super::survey::{Onward, Survey};
use crate::base::Kind;
use crate::base::duration::spoken;
use crate::kafka::wire::{Approach, ClusterView, Obstacle, Rung, Visit};
use crate::kafka::{certificate_hint, mechanism_hint};
use crate::tls::{Certificate, CertificateFault};

/// Judges the addresses that are set, then those that the brokers advertise.
pub(super) fn judge(survey: &Survey) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        survey.bootstrap.iter().flat_map(|way| of_way(Area::Brokers, way, survey)).collect();
    if survey.is_reached() {
        // The client library takes whichever of them answers.
        findings = findings.into_iter().map(Finding::made_odd).collect();
    }
    for onward in &survey.advertised {
        if let Some(way) = &onward.way {
            findings.extend(of_advertised(onward, way, survey));
        }
    }
    findings
}

fn of_way(area: Area, way: &Approach, survey: &Survey) -> Vec<Finding> {
    let address = way.endpoint.to_string();
    let visits = match &way.visits {
        Ok(visits) => visits,
        Err(words) => {
            let seen = format!("the name {:?} cannot be resolved: {words}", way.endpoint.host);
            return vec![Finding::good(area, address, seen).bad(
                "unknown-name",
                Kind::Unreachable,
                "name a broker that is known here: --brokers HOST:PORT or KAFKA_BOOTSTRAP_SERVERS; \
                 a name of Docker Compose is known only inside its network",
            )];
        }
    };
    let blocked = |visit: &Visit| {
        visit.end.as_ref().err().map(|(rung, obstacle)| describe(area, way, visit, *rung, obstacle))
    };
    let Some(arrived) = way.arrived() else {
        // Addresses of one name that fail alike are one finding.
        let mut findings: Vec<Finding> = visits.iter().filter_map(blocked).collect();
        findings.dedup_by(|a, b| a.trouble() == b.trouble());
        return findings;
    };
    let took = way.resolved_in + arrived.steps.iter().map(|step| step.1).sum();
    let mut findings =
        vec![Finding::good(area, address.clone(), steps(way, arrived, survey)).within(took)];
    for visit in visits.iter().filter(|visit| visit.end.is_err()) {
        let Err((_, obstacle)) = &visit.end else { continue };
        let (seen, host) = (short(obstacle), &way.endpoint.host);
        let seen = format!("{host} means {} too, where {seen}", visit.socket.ip());
        let fix = format!("clients that try only the first address fail: write {}", arrived.socket);
        findings.push(Finding::good(area, address.clone(), seen).odd("second-address", fix));
    }
    findings.extend(soon_over(area, &address, arrived));
    findings
}

/// The steps with their times: `at 127.0.0.1:9092, name 1 ms, port 0 ms, Kafka 2 ms`.
fn steps(way: &Approach, visit: &Visit, survey: &Survey) -> String {
    let mut told = vec![format!("name {}", spoken(way.resolved_in))];
    told.extend(
        visit.steps.iter().map(|(rung, took)| format!("{} {}", word(*rung), spoken(*took))),
    );
    let is_embedded = survey.cluster.as_ref().is_some_and(ClusterView::is_embedded);
    let who = if is_embedded { ", the broker of dwctl serve" } else { "" };
    let socket = visit.socket.to_string();
    let at =
        if socket == way.endpoint.to_string() { String::new() } else { format!("at {socket}, ") };
    format!("{at}{}{who}", told.join(", "))
}

const fn word(rung: Rung) -> &'static str {
    match rung {
        Rung::Port => "port",
        Rung::Tls => "TLS",
        Rung::Kafka => "Kafka",
        Rung::Login => "login",
        Rung::Cluster => "cluster",
    }
}

/// A certificate that is still good.
fn soon_over(area: Area, address: &str, visit: &Visit) -> Option<Finding> {
    let Certificate { names, issuer, until, .. } = visit.certificate.as_ref()?;
    let seen = format!("certificate for {} by {issuer}, until {until}", names.join(", "));
    let finding = Finding::good(area, address, seen);
    let days = visit.certificate.as_ref().and_then(|shown| shown.days_left)?;
    Some(if days < 14 {
        finding.odd("certificate-ends-soon", format!("renew it: {days} days are left"))
    } else {
        finding
    })
}

/// The field's most asked question: the address that is set works, and the one that the broker then
/// sends its clients to does not.
fn of_advertised(onward: &Onward, way: &Approach, survey: &Survey) -> Vec<Finding> {
    let findings = of_way(Area::Advertised, way, survey);
    let (broker, door) = (&onward.broker, onward.door.to_string());
    let tell = |mut finding: Finding| {
        if !finding.is_bad() {
            return finding;
        }
        finding.seen = format!(
            "broker {} answers at {door} and sends every client on to {}: {}",
            broker.id, way.endpoint, finding.seen
        );
        match finding.trouble().map_or("", |trouble| trouble.fault) {
            "unknown-name" => finding.bad(
                "advertised-unknown-name",
                Kind::Unreachable,
                listener_line(&onward.door.host, &door),
            ),
            "refused" | "no-connection" => finding.bad(
                "advertised-dead-port",
                Kind::Unreachable,
                listener_line(&onward.door.host, &door),
            ),
            _ => finding,
        }
    };
    findings.into_iter().map(tell).collect()
}

/// What stands in the broker's configuration, for each place from which clients come.
fn listener_line(host: &str, door: &str) -> String {
    let here = format!(
        "on the broker set advertised.listeners=…://{door} for the listener that clients of this \
         machine use (Docker: KAFKA_ADVERTISED_LISTENERS), and restart it"
    );
    let is_local = matches!(host, "localhost" | "127.0.0.1" | "::1");
    let others = if is_local {
        "; containers need a listener of their own (HOST://localhost:9092,CONTAINER://kafka:29092), \
         and other machines one with this machine's name"
    } else {
        "; containers beside the broker need a listener of their own, such as CONTAINER://kafka:29092"
    };
    here + others
}

/// An obstacle in a few words.
fn short(obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::Refused => "nothing listens".to_owned(),
        Obstacle::NoConnection(words) => format!("no connection comes about ({words})"),
        Obstacle::Silent => "the port takes the connection and says nothing".to_owned(),
        Obstacle::Closed => "the connection is closed without a word".to_owned(),
        Obstacle::NotKafka { is_http: true } => "an HTTP server answers".to_owned(),
        Obstacle::NotKafka { is_http: false } => "something answers that is not Kafka".to_owned(),
        _ => "another server answers".to_owned(),
    }
}

fn describe(area: Area, way: &Approach, visit: &Visit, rung: Rung, obstacle: &Obstacle) -> Finding {
    let tell = |seen: String| Finding::good(area, way.endpoint.to_string(), seen);
    let away = |seen: String, fault, fix: &str| tell(seen).bad(fault, Kind::Unreachable, fix);
    let denied = |seen: String, fault, fix: &str| tell(seen).bad(fault, Kind::Denied, fix);
    let at = visit.socket;
    match obstacle {
        Obstacle::Refused => away(
            format!("connection refused at {at}: nothing listens there"),
            "refused",
            "start a local stack: dwctl serve — or name the brokers: --brokers HOST:PORT",
        ),
        Obstacle::NoConnection(words) => away(
            format!("no connection to {at} comes about: {words}"),
            "no-connection",
            "a firewall, a VPN or a wrong address: try the port from another machine",
        ),
        Obstacle::Certificate(fault, shown) => certificate(&tell, way, *fault, shown),
        Obstacle::SpeaksNoTls => away(
            format!("{at} speaks no TLS: it answers without it"),
            "no-tls",
            "this is a PLAINTEXT listener: -X security.protocol=PLAINTEXT (or SASL_PLAINTEXT), or the port of the TLS listener",
        ),
        Obstacle::WantsTls => away(
            format!("{at} speaks TLS, and was spoken to without it"),
            "wants-tls",
            "this is a TLS listener: -X security.protocol=SSL (or SASL_SSL)",
        ),
        Obstacle::TlsFailed(words) => away(
            format!("the TLS handshake with {at} failed: {words}"),
            "tls-failed",
            "compare TLS versions and ciphers: openssl s_client -connect HOST:PORT",
        ),
        Obstacle::WantsCertificate(words) => denied(
            format!("{at} wants a client certificate that it trusts: {words}"),
            "wants-certificate",
            "set -X ssl.certificate.location=FILE and -X ssl.key.location=FILE",
        ),
        Obstacle::NotKafka { is_http } => {
            let what = if *is_http { "an HTTP server" } else { "something that is not Kafka" };
            away(
                format!("{what} answers at {at}"),
                "not-kafka",
                "name the port of a Kafka broker, mostly 9092: --brokers HOST:PORT",
            )
        }
        Obstacle::Silent => away(
            format!("{at} takes the connection and does not answer ({})", word(rung)),
            "hanging",
            "the broker hangs, or something between drops its answers: look at its log, restart it",
        ),
        Obstacle::Closed => away(
            format!("{at} closes the connection without a word ({})", word(rung)),
            "closed",
            "the listener may want another security.protocol: the broker's log says why it closes",
        ),
        Obstacle::WantsLogin(offered) => denied(
            format!("{at} asks for a login{}", with(offered)),
            "wants-login",
            "set -X security.protocol=SASL_PLAINTEXT (or SASL_SSL), sasl.mechanism, sasl.username and sasl.password",
        ),
        Obstacle::WantsNoLogin => denied(
            format!("{at} asks for no login, and was given one"),
            "wants-no-login",
            "this listener has no logins: -X security.protocol=PLAINTEXT (or SSL)",
        ),
        Obstacle::MechanismNotOffered(offered) => denied(
            format!("{at} does not offer the mechanism that is set{}", with(offered)),
            "mechanism-not-offered",
            &mechanism_hint(offered),
        ),
        Obstacle::LoginRefused(words) => denied(
            format!("{at} refuses the login: {words}"),
            "wrong-login",
            "check sasl.mechanism, sasl.username and sasl.password: dwctl config show --origin",
        ),
        Obstacle::LoginNotTried => tell(format!(
            "{at} answers and offers the mechanism that is set; doctor itself logs in only by PLAIN and SCRAM"
        ))
        .odd("login-not-tried", "try it with the client library: dwctl topics"),
        Obstacle::TooOld => tell(format!("{at} is a Kafka older than 2.3, which tells too little"))
            .odd("too-old", "look further with: dwctl topics"),
    }
}

fn with(offered: &[String]) -> String {
    if offered.is_empty() { String::new() } else { format!("; it offers {}", offered.join(", ")) }
}

fn certificate(
    tell: &dyn Fn(String) -> Finding,
    way: &Approach,
    fault: CertificateFault,
    shown: &Certificate,
) -> Finding {
    let host = &way.endpoint.host;
    let name = match fault {
        CertificateFault::Expired => "certificate-expired",
        CertificateFault::NotYetValid => "certificate-not-yet-valid",
        CertificateFault::OtherName => "certificate-other-name",
        CertificateFault::SelfSigned | CertificateFault::UnknownAuthority => {
            "certificate-unknown-authority"
        }
        _ => "certificate-untrusted",
    };
    let seen = fault.describe(shown, host);
    tell(seen).bad(name, Kind::Unreachable, certificate_hint(fault, host))
}
