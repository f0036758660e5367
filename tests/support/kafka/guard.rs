//! Further doors of a test's own broker: at one, who comes in must log in, and may do what was
//! allowed; the others send whoever comes in on to where no broker is.

use std::path::Path;
use std::process::{Command, Stdio};

use super::server::java;
use crate::support::certificates::{Shown, Signed};

/// The listeners, and those who may log in there, each with the password `NAME-secret`.
#[derive(Clone, Debug)]
pub struct Guard {
    pub port: u16,
    /// Has TLS too.
    pub sealed: u16,
    /// Who signed the certificate that is shown there.
    pub authority: Signed,
    pub users: &'static [&'static str],
    /// Sends clients on to a name that nobody has.
    pub lost: u16,
    /// Sends clients on to a port at which nothing listens.
    pub blind: u16,
}

impl Guard {
    pub fn listeners(&self) -> String {
        let Self { port, sealed, lost, blind, .. } = self;
        format!(
            ",GUARDED://127.0.0.1:{port},SEALED://127.0.0.1:{sealed},\
             LOST://127.0.0.1:{lost},BLIND://127.0.0.1:{blind}"
        )
    }

    pub fn advertised(&self) -> String {
        let Self { port, sealed, .. } = self;
        format!(
            ",GUARDED://127.0.0.1:{port},SEALED://127.0.0.1:{sealed},\
             LOST://broker-1.kafka.invalid:9092,BLIND://127.0.0.1:1"
        )
    }

    /// Nobody is allowed anything but those who come in by the plain door: the broker itself, which
    /// is its own controller, and the test.
    pub fn properties(&self) -> String {
        let users: String =
            self.users.iter().map(|name| format!(" user_{name}=\"{name}-secret\"")).collect();
        let login = |door: &str| {
            format!(
                "listener.name.{door}.plain.sasl.jaas.config=\
                 org.apache.kafka.common.security.plain.PlainLoginModule required{users};\n"
            )
        };
        let broker = self.authority.sign(Shown::Good);
        // A line break within a value of such a file.
        let escaped = |pem: String| pem.replace('\n', "\\n");
        format!(
            "sasl.enabled.mechanisms=PLAIN\n{}{}\
             listener.name.sealed.ssl.keystore.type=PEM\n\
             listener.name.sealed.ssl.keystore.certificate.chain={}\n\
             listener.name.sealed.ssl.keystore.key={}\n\
             authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n\
             super.users=User:ANONYMOUS\n",
            login("guarded"),
            login("sealed"),
            escaped(broker.certificate_pem()),
            escaped(broker.key_pem()),
        )
    }

    /// The flags of a client that comes in as this user.
    pub fn flags(&self, user: &str) -> Vec<String> {
        Self::flags_for(user, self.port, &["security.protocol=SASL_PLAINTEXT".to_owned()])
    }

    /// The same by the door that has TLS.
    pub fn sealed_flags(&self, user: &str) -> Vec<String> {
        let trust = format!("ssl.ca.pem={}", self.authority.certificate_pem());
        Self::flags_for(user, self.sealed, &["security.protocol=SASL_SSL".to_owned(), trust])
    }

    fn flags_for(user: &str, port: u16, further: &[String]) -> Vec<String> {
        let login = [
            "sasl.mechanism=PLAIN".to_owned(),
            format!("sasl.username={user}"),
            format!("sasl.password={user}-secret"),
        ];
        let brokers = ["-b".to_owned(), format!("127.0.0.1:{port}")];
        let properties = further.iter().cloned().chain(login);
        brokers
            .into_iter()
            .chain(properties.flat_map(|property| ["-X".to_owned(), property]))
            .collect()
    }
}

/// Allows a user something, in the words of Kafka's own tool.
pub fn allow(jars: &Path, brokers: &str, user: &str, what: &[&str]) {
    let mut words = java(jars).into_iter();
    let output = Command::new(words.next().unwrap())
        .args(words)
        .args(["org.apache.kafka.tools.AclCommand", "--bootstrap-server", brokers])
        .args(["--add", "--allow-principal", &format!("User:{user}")])
        .args(what)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
