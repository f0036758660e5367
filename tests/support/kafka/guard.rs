//! A second door of a test's own broker: who comes in must log in, and may do what was allowed.

use std::path::Path;
use std::process::{Command, Stdio};

use super::server::java;

/// The listener, and those who may log in there, each with the password `NAME-secret`.
#[derive(Clone, Debug)]
pub struct Guard {
    pub port: u16,
    pub users: &'static [&'static str],
}

impl Guard {
    pub fn listener(&self) -> String {
        format!(",GUARDED://127.0.0.1:{}", self.port)
    }

    /// Nobody is allowed anything but those who come in by the plain door: the broker itself, which
    /// is its own controller, and the test.
    pub fn properties(&self) -> String {
        let users: String =
            self.users.iter().map(|name| format!(" user_{name}=\"{name}-secret\"")).collect();
        format!(
            "sasl.enabled.mechanisms=PLAIN\n\
             listener.name.guarded.plain.sasl.jaas.config=\
             org.apache.kafka.common.security.plain.PlainLoginModule required{users};\n\
             authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n\
             super.users=User:ANONYMOUS\n"
        )
    }

    /// The flags of a client that comes in as this user.
    pub fn flags(&self, user: &str) -> Vec<String> {
        let properties = [
            "security.protocol=SASL_PLAINTEXT".to_owned(),
            "sasl.mechanism=PLAIN".to_owned(),
            format!("sasl.username={user}"),
            format!("sasl.password={user}-secret"),
        ];
        let brokers = ["-b".to_owned(), format!("127.0.0.1:{}", self.port)];
        let set = properties.into_iter().flat_map(|property| ["-X".to_owned(), property]);
        brokers.into_iter().chain(set).collect()
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
