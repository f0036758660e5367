//! The way to one address, step by step: its name, its port, TLS, Kafka, the login, and the
//! cluster's own account. Each step is timed, and the first that fails says why, where need be after
//! a second connection that asks the opposite question.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use openssl::ssl::{HandshakeError, SslConnector, SslMethod, SslVerifyMode};

use super::line::{Broken, Connection, Line, PATIENCE, connect};
use super::login::{NoLogin, log_in, offered};
use super::question::{ClusterView, Versions};
use super::security::{BadProperty, Security, Tls};
use crate::base::Deadline;
use crate::kafka::Properties;
use crate::kafka::resolve::resolve_name;
use crate::tls::{Certificate, CertificateFault, inspect_certificate, plain_reason};

/// `HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// Without brackets around an IPv6 address.
    pub host: String,
    pub port: u16,
}

impl Endpoint {
    /// Reads an address of the bootstrap list, in which the port may be left out.
    #[must_use]
    pub fn parse(address: &str) -> Self {
        const KAFKA: u16 = 9092;
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, port.parse().unwrap_or(KAFKA))
            }
            _ => (address, KAFKA),
        };
        Self { host: host.trim_matches(['[', ']']).to_owned(), port }
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// A step of the way, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rung {
    /// A connection to the port.
    Port,
    Tls,
    /// Kafka answers there.
    Kafka,
    Login,
    /// The broker tells of its cluster.
    Cluster,
}

/// What stood in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    Refused,
    /// No connection came about: the operating system's words.
    NoConnection(String),
    Certificate(CertificateFault, Box<Certificate>),
    /// TLS is spoken to a port that answers without it.
    SpeaksNoTls,
    /// No TLS is spoken to a port that wants it.
    WantsTls,
    /// OpenSSL's words.
    TlsFailed(String),
    /// The broker wants a certificate of ours, or another one: its words.
    WantsCertificate(String),
    /// It is told what may be: an HTTP server, or something else.
    NotKafka {
        is_http: bool,
    },
    /// It takes the connection and says nothing.
    Silent,
    /// It closes the connection without a word.
    Closed,
    /// With the mechanisms that it offers.
    WantsLogin(Vec<String>),
    WantsNoLogin,
    /// With those that are.
    MechanismNotOffered(Vec<String>),
    /// The broker's words.
    LoginRefused(String),
    /// This mechanism is left to the client library.
    LoginNotTried,
    /// It is older than the questions that are asked here.
    TooOld,
}

/// One address on the way to which something was found out.
#[derive(Debug)]
pub struct Visit {
    pub socket: SocketAddr,
    /// Those that succeeded, with the time that each took.
    pub steps: Vec<(Rung, Duration)>,
    /// Shown on the way, whether it is good or not.
    pub certificate: Option<Certificate>,
    pub end: Result<Arrived, (Rung, Obstacle)>,
}

/// A broker that answers everything.
#[derive(Debug)]
pub struct Arrived {
    pub connection: Connection,
    pub versions: Versions,
    pub cluster: ClusterView,
}

/// All that was found out about an address.
#[derive(Debug)]
pub struct Approach {
    pub endpoint: Endpoint,
    /// How long its name took.
    pub resolved_in: Duration,
    /// One for each address of the name, in the resolver's order, or the resolver's words.
    pub visits: Result<Vec<Visit>, String>,
}

impl Approach {
    /// The first visit that came to its end.
    #[must_use]
    pub fn arrived(&self) -> Option<&Visit> {
        self.visits.iter().flatten().find(|visit| visit.end.is_ok())
    }

    /// The connection of that visit, for further questions.
    pub fn arrived_mut(&mut self) -> Option<&mut Arrived> {
        self.visits.iter_mut().flatten().find_map(|visit| visit.end.as_mut().ok())
    }
}

/// How to approach.
pub struct Approacher {
    security: Security,
    topics: Vec<String>,
    deadline: Deadline,
}

impl std::fmt::Debug for Approacher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Approacher").field("topics", &self.topics).finish_non_exhaustive()
    }
}

impl Approacher {
    /// Reads the way in from the properties; `topics` are those that a broker is asked about.
    ///
    /// # Errors
    /// A property cannot be used.
    pub fn new(
        properties: &Properties,
        topics: &[String],
        deadline: Deadline,
    ) -> Result<Self, BadProperty> {
        let security = Security::of(properties)?;
        Ok(Self { security, topics: topics.to_vec(), deadline })
    }

    /// Goes the whole way to every address that the name has.
    #[must_use]
    pub fn approach(&self, endpoint: &Endpoint) -> Approach {
        let begun = Instant::now();
        let found = resolve_name(&endpoint.host, endpoint.port, self.deadline.within(PATIENCE));
        let resolved_in = begun.elapsed();
        let visits = found.map(|sockets| self.visit_all(endpoint, &sockets));
        Approach { endpoint: endpoint.clone(), resolved_in, visits }
    }

    /// Side by side: a name may have several addresses, of which some hang.
    fn visit_all(&self, endpoint: &Endpoint, sockets: &[SocketAddr]) -> Vec<Visit> {
        std::thread::scope(|scope| {
            let begun: Vec<_> = sockets
                .iter()
                .map(|socket| scope.spawn(|| self.visit(endpoint, *socket)))
                .collect();
            begun.into_iter().filter_map(|visit| visit.join().ok()).collect()
        })
    }

    fn visit(&self, endpoint: &Endpoint, socket: SocketAddr) -> Visit {
        let mut way = Way { steps: Vec::new(), certificate: None, begun: Instant::now() };
        let end = self.go(endpoint, &socket, &mut way);
        Visit { socket, steps: way.steps, certificate: way.certificate, end }
    }

    fn go(
        &self,
        endpoint: &Endpoint,
        socket: &SocketAddr,
        way: &mut Way,
    ) -> Result<Arrived, (Rung, Obstacle)> {
        let stream = connect(socket, self.deadline).map_err(|e| (Rung::Port, no_port(&e)))?;
        way.done(Rung::Port);
        let line = match &self.security.tls {
            None => Line::Plain(stream),
            Some(tls) => {
                let line = self.encrypt(endpoint, socket, stream, tls, way);
                let line = line.map_err(|obstacle| (Rung::Tls, obstacle))?;
                way.done(Rung::Tls);
                line
            }
        };
        let mut connection = Connection::over(line, self.deadline);
        let versions = connection.versions();
        let versions = versions.map_err(|broken| (Rung::Kafka, self.no_kafka(socket, broken)))?;
        way.done(Rung::Kafka);
        if let Some(login) = &self.security.login {
            log_in(&mut connection, login).map_err(|no| (Rung::Login, no_login(no)))?;
            way.done(Rung::Login);
        }
        if !super::question::is_recent(&versions) {
            return Err((Rung::Cluster, Obstacle::TooOld));
        }
        match connection.cluster(&self.topics) {
            Ok(cluster) => {
                way.done(Rung::Cluster);
                Ok(Arrived { connection, versions, cluster })
            }
            Err(broken) => Err(self.no_cluster(endpoint, socket, broken)),
        }
    }

    fn encrypt(
        &self,
        endpoint: &Endpoint,
        socket: &SocketAddr,
        stream: TcpStream,
        tls: &Tls,
        way: &mut Way,
    ) -> Result<Line, Obstacle> {
        let failed = |errors| Obstacle::TlsFailed(plain_reason(&errors));
        let wanted = tls.connector.configure().map_err(failed)?.verify_hostname(tls.is_named);
        match wanted.connect(&endpoint.host, stream) {
            Ok(line) => {
                let (certificate, fault) = inspect_certificate(line.ssl());
                let fault = fault.filter(|_| tls.is_verified);
                way.certificate.clone_from(&certificate);
                match (fault, certificate) {
                    (Some(fault), Some(shown)) => {
                        Err(Obstacle::Certificate(fault, Box::new(shown)))
                    }
                    (Some(_), None) => Err(Obstacle::TlsFailed("no certificate".to_owned())),
                    (None, _) => Ok(Line::Tls(Box::new(line))),
                }
            }
            Err(HandshakeError::SetupFailure(errors)) => Err(failed(errors)),
            Err(HandshakeError::Failure(broken) | HandshakeError::WouldBlock(broken)) => {
                // A broker that has shown its certificate has agreed on a version and a cipher.
                let has_agreed = broken.ssl().peer_certificate().is_some();
                Err(self.no_tls(socket, broken.error(), has_agreed))
            }
        }
    }

    /// The handshake failed: a port without TLS answers when it is asked without.
    fn no_tls(
        &self,
        socket: &SocketAddr,
        error: &openssl::ssl::Error,
        has_agreed: bool,
    ) -> Obstacle {
        match self.ask_plainly(socket) {
            Some(Ok(_)) => return Obstacle::SpeaksNoTls,
            Some(Err(Broken::Http)) => return Obstacle::NotKafka { is_http: true },
            _ => {}
        }
        if error.io_error().is_some_and(|error| is_timeout(error.kind())) {
            return Obstacle::Silent;
        }
        let Some(errors) = error.ssl_error() else { return Obstacle::Closed };
        let has = |part: &str| {
            errors
                .errors()
                .iter()
                .filter_map(openssl::error::Error::reason)
                .any(|why| why.contains(part))
        };
        if has("wrong version number") || has("packet length too long") {
            Obstacle::NotKafka { is_http: false }
        } else if has("protocol version")
            || (has("handshake failure") && !has_agreed)
            || !has("alert")
        {
            Obstacle::TlsFailed(plain_reason(errors))
        } else {
            Obstacle::WantsCertificate(plain_reason(errors))
        }
    }

    /// What a port says without TLS; `None` where there is no connection.
    fn ask_plainly(&self, socket: &SocketAddr) -> Option<Result<Versions, Broken>> {
        let stream = connect(socket, self.deadline).ok()?;
        Some(Connection::over(Line::Plain(stream), self.deadline).versions())
    }

    fn no_kafka(&self, socket: &SocketAddr, broken: Broken) -> Obstacle {
        let is_plain = self.security.tls.is_none();
        match broken {
            Broken::Http => Obstacle::NotKafka { is_http: true },
            Broken::TlsAlert => Obstacle::WantsTls,
            // Brokers close such a connection without a word, as many a server does.
            Broken::Closed if is_plain && self.speaks_tls(socket) => Obstacle::WantsTls,
            Broken::Closed => Obstacle::Closed,
            // An HTTP server waits for the end of a line before it answers.
            Broken::Silent if is_plain && self.speaks_http(socket) => {
                Obstacle::NotKafka { is_http: true }
            }
            Broken::Silent => Obstacle::Silent,
            Broken::Foreign => Obstacle::NotKafka { is_http: false },
            Broken::Tls(words) => Obstacle::WantsCertificate(words),
        }
    }

    fn speaks_http(&self, socket: &SocketAddr) -> bool {
        let Ok(mut stream) = connect(socket, self.deadline) else { return false };
        let mut head = [0; 4];
        std::io::Write::write_all(&mut stream, b"GET / HTTP/1.0\r\n\r\n")
            .and_then(|()| std::io::Read::read_exact(&mut stream, &mut head))
            .is_ok_and(|()| &head == b"HTTP")
    }

    /// Whether a handshake gets anywhere, whoever's certificate that is.
    fn speaks_tls(&self, socket: &SocketAddr) -> bool {
        let Ok(stream) = connect(socket, self.deadline) else { return false };
        let Ok(mut builder) = SslConnector::builder(SslMethod::tls()) else { return false };
        builder.set_verify(SslVerifyMode::NONE);
        let wanted = builder.build().configure().map(|wanted| wanted.verify_hostname(false));
        let wanted = wanted.map(|wanted| wanted.use_server_name_indication(false));
        wanted.is_ok_and(|wanted| wanted.connect("localhost", stream).is_ok())
    }

    /// A broker that answered the first question and not the second wants a login.
    fn no_cluster(
        &self,
        endpoint: &Endpoint,
        socket: &SocketAddr,
        broken: Broken,
    ) -> (Rung, Obstacle) {
        if self.security.login.is_none()
            && broken == Broken::Closed
            && let Some(offered) = self.offered(endpoint, socket)
        {
            return (Rung::Login, Obstacle::WantsLogin(offered));
        }
        (Rung::Cluster, self.no_kafka(socket, broken))
    }

    fn offered(&self, endpoint: &Endpoint, socket: &SocketAddr) -> Option<Vec<String>> {
        let stream = connect(socket, self.deadline).ok()?;
        let line = match &self.security.tls {
            None => Line::Plain(stream),
            Some(tls) => {
                let wanted = tls.connector.configure().ok()?;
                Line::Tls(Box::new(wanted.connect(&endpoint.host, stream).ok()?))
            }
        };
        let mut connection = Connection::over(line, self.deadline);
        connection.versions().ok()?;
        offered(&mut connection).ok()?
    }
}

/// Looks at the certificate of an address that is set or advertised; `None` if it is good, or cannot
/// be seen.
pub(in crate::kafka) fn find_certificate_fault(
    properties: &Properties,
    address: &str,
    deadline: Deadline,
) -> Option<(CertificateFault, Certificate)> {
    let approacher = Approacher::new(properties, &[], deadline.within(PATIENCE)).ok()?;
    let visits = approacher.approach(&Endpoint::parse(address)).visits.ok()?;
    visits.into_iter().find_map(|visit| match visit.end {
        Err((_, Obstacle::Certificate(fault, shown))) => Some((fault, *shown)),
        _ => None,
    })
}

/// What is noted on the way.
struct Way {
    steps: Vec<(Rung, Duration)>,
    certificate: Option<Certificate>,
    begun: Instant,
}

impl Way {
    fn done(&mut self, rung: Rung) {
        self.steps.push((rung, self.begun.elapsed()));
        self.begun = Instant::now();
    }
}

fn is_timeout(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn no_port(error: &std::io::Error) -> Obstacle {
    match error.kind() {
        ErrorKind::ConnectionRefused => Obstacle::Refused,
        kind if is_timeout(kind) => Obstacle::NoConnection("no answer".to_owned()),
        _ => Obstacle::NoConnection(error.to_string()),
    }
}

fn no_login(no: NoLogin) -> Obstacle {
    match no {
        NoLogin::NotOffered(offered) => Obstacle::MechanismNotOffered(offered),
        NoLogin::NotAsked => Obstacle::WantsNoLogin,
        NoLogin::Refused(words) => Obstacle::LoginRefused(words),
        NoLogin::NotSpoken => Obstacle::LoginNotTried,
        NoLogin::Broken(Broken::Silent) => Obstacle::Silent,
        // A broker that never heard of logins closes the connection.
        NoLogin::Broken(_) => Obstacle::WantsNoLogin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::native::mock::MockBroker;
    use std::net::TcpListener;

    fn approach(address: &str, pairs: &[(&str, &str)]) -> Approach {
        let none = Properties::new(address);
        let properties = pairs.iter().fold(none, |all, (name, value)| all.set(name, value));
        let deadline = Deadline::after(Duration::from_secs(20));
        let approacher = Approacher::new(&properties, &["t".to_owned()], deadline).unwrap();
        approacher.approach(&Endpoint::parse(address))
    }

    fn obstacle(address: &str, pairs: &[(&str, &str)]) -> (Rung, Obstacle) {
        let mut visits = approach(address, pairs).visits.unwrap();
        visits.pop().unwrap().end.unwrap_err()
    }

    #[test]
    fn addresses_are_read_with_and_without_a_port() {
        for (text, shown) in [
            ("kafka", "kafka:9092"),
            ("kafka:1", "kafka:1"),
            ("[::1]:2", "[::1]:2"),
            ("::1", "[::1]:9092"),
        ] {
            assert_eq!(Endpoint::parse(text).to_string(), shown);
        }
    }

    #[test]
    fn the_whole_way_to_a_broker_is_gone_and_timed() {
        let broker = MockBroker::start().unwrap();
        broker.create_topic("t", 3).unwrap();
        let mut found = approach(&broker.address(), &[]);
        let steps: Vec<Rung> = found.arrived().unwrap().steps.iter().map(|step| step.0).collect();
        assert_eq!(steps, [Rung::Port, Rung::Kafka, Rung::Cluster]);
        let cluster = &found.arrived_mut().unwrap().cluster;
        assert!(cluster.is_embedded(), "{cluster:?}");
        assert_eq!(cluster.topics[0].0, "t");
    }

    #[test]
    fn a_broker_without_tls_and_without_logins_is_told() {
        let broker = MockBroker::start().unwrap();
        let tls = obstacle(&broker.address(), &[("security.protocol", "ssl")]);
        assert_eq!(tls, (Rung::Tls, Obstacle::SpeaksNoTls));
        let login = [
            ("security.protocol", "sasl_plaintext"),
            ("sasl.mechanism", "PLAIN"),
            ("sasl.username", "u"),
            ("sasl.password", "p"),
        ];
        let login = obstacle(&broker.address(), &login);
        assert_eq!(login, (Rung::Login, Obstacle::WantsNoLogin));
    }

    #[test]
    fn what_is_no_broker_is_told() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for mut stream in listener.incoming().take(1).map(Result::unwrap) {
                    std::io::Write::write_all(&mut stream, b"SSH-2.0-x\r\n").unwrap();
                }
            });
            let found = obstacle(&address, &[]);
            assert_eq!(found, (Rung::Kafka, Obstacle::NotKafka { is_http: false }));
        });
        drop(listener);
        assert_eq!(obstacle(&address, &[]), (Rung::Port, Obstacle::Refused));
        let unknown = approach("kafka.invalid:9092", &[]).visits.unwrap_err();
        assert!(!unknown.contains(':'), "{unknown}");
    }
}
