//! librdkafka properties: what every client of ours has, and what a person set on top.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};

use crate::base::redact::{Secrets, redact_property};
use crate::tls::Authorities;

/// Hears what the library says about itself. Called from threads of the library.
pub trait LibraryListener: fmt::Debug + Send + Sync {
    /// One line, without a line break.
    fn line(&self, line: &str);
}

/// What the library tells a listener beside what goes wrong: connections and their states
/// (librdkafka's `debug`). Nothing of it holds a secret.
const TOLD: &str = "broker";

/// Second names of properties (`_RK_C_ALIAS` in `rdkafka_conf.c`), each with the one that stands in
/// this program. The library takes whichever of the two comes last, and ours are given to it in no
/// order.
const ALIASES: [(&str, &str); 9] = [
    ("metadata.broker.list", "bootstrap.servers"),
    ("sasl.mechanisms", "sasl.mechanism"),
    ("max.partition.fetch.bytes", "fetch.message.max.bytes"),
    ("max.in.flight", "max.in.flight.requests.per.connection"),
    ("queue.buffering.max.ms", "linger.ms"),
    ("message.send.max.retries", "retries"),
    ("compression.codec", "compression.type"),
    ("request.required.acks", "acks"),
    ("delivery.timeout.ms", "message.timeout.ms"),
];

fn our_name(property: &str) -> &str {
    ALIASES.iter().find(|(alias, _)| *alias == property).map_or(property, |(_, ours)| ours)
}

/// The properties of one client before its purpose is known.
#[derive(Clone)]
pub struct Properties {
    brokers: String,
    given: BTreeMap<String, String>,
    authorities: Option<Authorities>,
    listener: Option<Arc<dyn LibraryListener>>,
}

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given = self.given.iter().map(|(name, value)| (name, redact_property(name, value)));
        f.debug_struct("Properties")
            .field("brokers", &self.brokers)
            .field("given", &given.collect::<BTreeMap<_, _>>())
            .finish_non_exhaustive()
    }
}

impl Properties {
    /// For bootstrap servers, `HOST:PORT` with commas between.
    #[must_use]
    pub fn new(brokers: &str) -> Self {
        let brokers = brokers.to_owned();
        Self { brokers, given: BTreeMap::new(), authorities: None, listener: None }
    }

    /// Sets a property; what is set here wins over what a client would choose itself.
    #[must_use]
    pub fn set(mut self, property: &str, value: &str) -> Self {
        if our_name(property) == "bootstrap.servers" {
            value.clone_into(&mut self.brokers);
            return self;
        }
        self.given.insert(our_name(property).to_owned(), value.to_owned());
        self
    }

    /// Sets whose signatures are trusted if no property says so; `None` is for the system's.
    #[must_use]
    pub fn trusting(self, authorities: Option<Authorities>) -> Self {
        Self { authorities, ..self }
    }

    pub(super) fn authorities(&self) -> Option<&Authorities> {
        self.authorities.as_ref()
    }

    /// Has the library say more, and somebody hear it.
    #[must_use]
    pub fn heard_by(mut self, listener: Arc<dyn LibraryListener>) -> Self {
        self.listener = Some(listener);
        self
    }

    /// Returns the values that no message may show.
    pub(super) fn secrets(&self) -> Secrets {
        Secrets::of_properties(
            self.given.iter().map(|(name, value)| (name.as_str(), value.as_str())),
        )
    }

    pub(super) fn listener(&self) -> Option<&Arc<dyn LibraryListener>> {
        self.listener.as_ref()
    }

    /// The bootstrap addresses, one by one, without protocol prefixes.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        self.brokers
            .split(',')
            .map(|address| {
                address.trim().rsplit_once("://").map_or(address.trim(), |(_, rest)| rest)
            })
            .filter(|address| !address.is_empty())
    }

    #[must_use]
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// A property that was set, for checks that depend on it.
    #[must_use]
    pub fn get(&self, property: &str) -> Option<&str> {
        self.given.get(our_name(property)).map(String::as_str)
    }

    pub(super) fn uses_tls(&self) -> bool {
        self.has_protocol_with("ssl")
    }

    pub(super) fn uses_login(&self) -> bool {
        self.has_protocol_with("sasl")
    }

    fn has_protocol_with(&self, part: &str) -> bool {
        self.get("security.protocol")
            .is_some_and(|protocol| protocol.to_ascii_lowercase().contains(part))
    }

    /// The configuration of a client with a purpose of its own: ours, then the purpose's, then what
    /// a person set.
    pub(super) fn config(&self, purpose: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", concat!("dwctl/", env!("CARGO_PKG_VERSION")))
            // With sparse connections half of all starts wait 50 ms: librdkafka drops the bootstrap
            // connection once it knows the broker and backs off before the next.
            .set("enable.sparse.connections", "false")
            // What brokers may ask of clients about themselves (KIP-714): nobody asked this program to
            // tell, and the histograms for it are a thirtieth of a short command.
            .set("enable.metrics.push", "false")
            // A name may have several addresses, of which one is silent: the library goes on to the
            // next one after this time, before a question for the first answer gives up.
            .set("socket.connection.setup.timeout.ms", "3000")
            .set("reconnect.backoff.max.ms", "1000")
            .set("log.connection.close", "true")
            .set_log_level(RDKafkaLogLevel::Info);
        if self.uses_tls() {
            // The OpenSSL that is built in knows no certificates of the system by itself.
            let named = self.authorities.as_ref().map(|named| named.path().display().to_string());
            config.set("ssl.ca.location", named.as_deref().unwrap_or("probe"));
        }
        if self.listener.is_some() {
            config.set("debug", TOLD).set_log_level(RDKafkaLogLevel::Debug);
        }
        for (property, value) in purpose {
            config.set(*property, *value);
        }
        for (property, value) in &self.given {
            config.set(property, value);
        }
        // The library wants the one no smaller than the other, and only the other was set by a person.
        let number = |config: &ClientConfig, name| config.get(name)?.parse::<u64>().ok();
        if let (Some(largest), Some(fetched)) =
            (number(&config, "message.max.bytes"), number(&config, "fetch.max.bytes"))
            && fetched < largest
            && !self.given.contains_key("fetch.max.bytes")
        {
            config.set("fetch.max.bytes", largest.to_string());
        }
        config
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_sets_wins() {
        let properties = Properties::new("a:1").set("linger.ms", "9");
        assert_eq!(properties.config(&[("linger.ms", "0")]).get("linger.ms"), Some("9"));
    }

    #[test]
    fn a_property_has_one_value_whatever_it_is_called() {
        let properties = Properties::new("a:1").set("queue.buffering.max.ms", "9");
        let config = properties.config(&[("linger.ms", "0")]);
        assert_eq!(
            (config.get("linger.ms"), config.get("queue.buffering.max.ms")),
            (Some("9"), None)
        );
        let again = properties.set("linger.ms", "3");
        assert_eq!(again.get("queue.buffering.max.ms"), Some("3"), "the last one counts");
    }

    #[test]
    fn a_fetch_holds_the_largest_message_that_is_allowed() {
        let large = Properties::new("a:1").set("message.max.bytes", "3000000");
        let fetch = [("fetch.max.bytes", "2097152")];
        assert_eq!(large.config(&fetch).get("fetch.max.bytes"), Some("3000000"));
        let own = large.set("fetch.max.bytes", "9");
        assert_eq!(own.config(&fetch).get("fetch.max.bytes"), Some("9"));
    }

    #[test]
    fn addresses_are_told_apart_without_their_protocol() {
        let properties = Properties::new("SASL_SSL://a:1, b:2,,");
        assert_eq!(properties.addresses().collect::<Vec<_>>(), ["a:1", "b:2"]);
    }

    #[test]
    fn the_library_says_more_only_where_somebody_hears_it() {
        #[derive(Debug)]
        struct Deaf;
        impl LibraryListener for Deaf {
            fn line(&self, _: &str) {}
        }
        let properties = Properties::new("a:1");
        assert_eq!(properties.config(&[]).get("debug"), None);
        let heard = properties.heard_by(Arc::new(Deaf));
        assert_eq!(heard.config(&[]).get("debug"), Some("broker"));
        assert_eq!(heard.set("debug", "msg").config(&[]).get("debug"), Some("msg"));
    }

    #[test]
    fn certificates_are_looked_for_only_with_tls() {
        assert_eq!(Properties::new("a:1").config(&[]).get("ssl.ca.location"), None);
        let tls = Properties::new("a:1").set("security.protocol", "SASL_SSL");
        assert_eq!(tls.config(&[]).get("ssl.ca.location"), Some("probe"));
        let named = tls.trusting(Some(Authorities::new("/ca.pem", "$SSL_CERT_FILE")));
        assert_eq!(named.config(&[]).get("ssl.ca.location"), Some("/ca.pem"));
        let own = named.set("ssl.ca.location", "/own.pem");
        assert_eq!(own.config(&[]).get("ssl.ca.location"), Some("/own.pem"), "a property wins");
    }
}
