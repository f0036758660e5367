//! What may be shown of a value that can hold a secret. The position decides, not the name: a mistyped
//! property and a password in an address are hidden like those that are spelled right.

use std::borrow::Cow;
use std::fmt;

/// Replaces a secret.
pub const HIDDEN: &str = "***";

/// Schemes that addresses of this program can have. Another word before `://` may be part of a
/// password.
const SCHEMES: &[&str] = &[
    "http",
    "https",
    "plaintext",
    "sasl_plaintext",
    "sasl_ssl",
    "socks4",
    "socks4a",
    "socks5",
    "socks5h",
    "ssl",
];

/// librdkafka properties (`CONFIGURATION.md` of librdkafka) whose values are no secrets. All others
/// are hidden, also those that do not exist.
const PUBLIC_PROPERTIES: &[&str] = &[
    "acks",
    "allow.auto.create.topics",
    "api.version.fallback.ms",
    "api.version.request",
    "api.version.request.timeout.ms",
    "auto.commit.enable",
    "auto.commit.interval.ms",
    "auto.offset.reset",
    "batch.num.messages",
    "batch.size",
    "bootstrap.servers",
    "broker.address.family",
    "broker.address.ttl",
    "broker.version.fallback",
    "builtin.features",
    "check.crcs",
    "client.dns.lookup",
    "client.id",
    "client.rack",
    "compression.codec",
    "compression.level",
    "compression.type",
    "connections.max.idle.ms",
    "coordinator.query.interval.ms",
    "debug",
    "delivery.report.only.error",
    "delivery.timeout.ms",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.gapless.guarantee",
    "enable.idempotence",
    "enable.metrics.push",
    "enable.partition.eof",
    "enable.random.seed",
    "enable.sasl.oauthbearer.unsecure.jwt",
    "enable.ssl.certificate.verification",
    "fetch.error.backoff.ms",
    "fetch.max.bytes",
    "fetch.message.max.bytes",
    "fetch.min.bytes",
    "fetch.queue.backoff.ms",
    "fetch.wait.max.ms",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "group.protocol.type",
    "group.remote.assignor",
    "heartbeat.interval.ms",
    "https.ca.location",
    "internal.termination.signal",
    "isolation.level",
    "linger.ms",
    "log.connection.close",
    "log.queue",
    "log.thread.name",
    "log_level",
    "max.in.flight",
    "max.in.flight.requests.per.connection",
    "max.partition.fetch.bytes",
    "max.poll.interval.ms",
    "message.copy.max.bytes",
    "message.max.bytes",
    "message.send.max.retries",
    "message.timeout.ms",
    "metadata.broker.list",
    "metadata.max.age.ms",
    "metadata.recovery.rebootstrap.trigger.ms",
    "metadata.recovery.strategy",
    "partition.assignment.strategy",
    "partitioner",
    "produce.offset.report",
    "queue.buffering.backpressure.threshold",
    "queue.buffering.max.kbytes",
    "queue.buffering.max.messages",
    "queue.buffering.max.ms",
    "queued.max.messages.kbytes",
    "queued.min.messages",
    "queuing.strategy",
    "receive.message.max.bytes",
    "reconnect.backoff.jitter.ms",
    "reconnect.backoff.max.ms",
    "reconnect.backoff.ms",
    "request.required.acks",
    "request.timeout.ms",
    "retries",
    "retry.backoff.max.ms",
    "retry.backoff.ms",
    "sasl.kerberos.keytab",
    "sasl.kerberos.min.time.before.relogin",
    "sasl.kerberos.principal",
    "sasl.kerberos.service.name",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.oauthbearer.client.credentials.client.id",
    "sasl.oauthbearer.client.id",
    "sasl.oauthbearer.grant.type",
    "sasl.oauthbearer.method",
    "sasl.oauthbearer.scope",
    "sasl.oauthbearer.token.endpoint.url",
    "sasl.username",
    "security.protocol",
    "session.timeout.ms",
    "socket.blocking.max.ms",
    "socket.connection.setup.timeout.ms",
    "socket.keepalive.enable",
    "socket.max.fails",
    "socket.nagle.disable",
    "socket.receive.buffer.bytes",
    "socket.send.buffer.bytes",
    "socket.timeout.ms",
    "ssl.ca.certificate.stores",
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.cipher.suites",
    "ssl.crl.location",
    "ssl.curves.list",
    "ssl.endpoint.identification.algorithm",
    "ssl.engine.location",
    "ssl.key.location",
    "ssl.keystore.location",
    "ssl.providers",
    "ssl.sigalgs.list",
    "statistics.interval.ms",
    "sticky.partitioning.linger.ms",
    "topic.blacklist",
    "topic.metadata.propagation.max.ms",
    "topic.metadata.refresh.fast.cnt",
    "topic.metadata.refresh.fast.interval.ms",
    "topic.metadata.refresh.interval.ms",
    "topic.metadata.refresh.sparse",
    "transaction.timeout.ms",
    "transactional.id",
];

/// Returns an address, or a list of them, without user, password and the values of a query.
///
/// Everything before the last `@` counts as a user and a password, because a password can hold any
/// character.
#[must_use]
pub fn redact_address(text: &str) -> String {
    let (scheme, rest) = split_scheme(text);
    let Some((before, host)) = rest.rsplit_once('@') else {
        return format!("{scheme}{}", without_query(rest));
    };
    if before.contains(['?', '#']) {
        // The `@` may stand in a query, and the secret after it.
        return format!("{scheme}{HIDDEN}");
    }
    format!("{scheme}{HIDDEN}@{}", without_query(host))
}

/// Returns a text of any setting, redacted if it looks like an address.
#[must_use]
pub fn redact_text(text: &str) -> Cow<'_, str> {
    if text.contains("://") { redact_address(text).into() } else { text.into() }
}

/// Returns the value of a librdkafka property as it may be shown.
#[must_use]
pub fn redact_property<'v>(property: &str, value: &'v str) -> Cow<'v, str> {
    match property {
        "bootstrap.servers" | "metadata.broker.list" => redact_address(value).into(),
        _ if is_public(property) => redact_text(value),
        _ => HIDDEN.into(),
    }
}

fn is_public(property: &str) -> bool {
    PUBLIC_PROPERTIES.binary_search(&property).is_ok()
}

/// The scheme with its `://`, and the rest.
fn split_scheme(text: &str) -> (&str, &str) {
    match text.find("://") {
        Some(end) if SCHEMES.contains(&text[..end].to_ascii_lowercase().as_str()) => {
            text.split_at(end + 3)
        }
        _ => ("", text),
    }
}

fn without_query(text: &str) -> Cow<'_, str> {
    match text.find(['?', '#']) {
        Some(start) => format!("{}{HIDDEN}", &text[..=start]).into(),
        None => text.into(),
    }
}

/// Secret values that a library may repeat in its messages.
#[derive(Clone, Default)]
pub struct Secrets(Vec<String>);

impl Secrets {
    /// Collects the values that must not be shown.
    pub fn of_properties<'p>(properties: impl IntoIterator<Item = (&'p str, &'p str)>) -> Self {
        let secret = |(name, value): (&str, &str)| {
            (!is_public(name) && !value.trim().is_empty()).then(|| value.trim().to_owned())
        };
        Self(properties.into_iter().filter_map(secret).collect())
    }

    /// Returns a message without the secrets, and without the end of one: librdkafka quotes the part
    /// of a value that it did not understand.
    #[must_use]
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.0.iter().fold(Cow::Borrowed(text), |text, secret| match find_part(&text, secret) {
            Some(part) => replace_words(&text, part).into(),
            None => text,
        })
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

/// Shortest end of a secret that counts as a part of it.
const SHORTEST_PART: usize = 6;

/// The longest end of `secret` that `text` contains.
fn find_part<'s>(text: &str, secret: &'s str) -> Option<&'s str> {
    if text.contains(secret) {
        return Some(secret);
    }
    let ends = secret.char_indices().map(|(start, _)| &secret[start..]);
    ends.take_while(|end| end.len() >= SHORTEST_PART).find(|end| text.contains(end))
}

/// Replaces a part wherever it occurs; one of a few letters only where it is a whole word.
fn replace_words(text: &str, part: &str) -> String {
    const SHORT: usize = 4;
    if part.len() >= SHORT {
        return text.replace(part, HIDDEN);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(part) {
        let (before, after) = (&rest[..at], &rest[at + part.len()..]);
        let is_word =
            !before.ends_with(char::is_alphanumeric) && !after.starts_with(char::is_alphanumeric);
        shown.push_str(before);
        shown.push_str(if is_word { HIDDEN } else { part });
        rest = after;
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_public_properties_is_sorted() {
        assert!(PUBLIC_PROPERTIES.is_sorted());
        assert!(SCHEMES.is_sorted());
    }

    #[test]
    fn user_information_is_hidden_in_every_form_of_an_address() {
        let secrets = [
            "S3cret",
            "S3c@ret",
            "S3c/ret",
            "S3c:ret",
            "S3c,ret",
            "S3c?ret",
            "S3c#ret",
            "a://S3cret",
        ];
        let forms = [
            "http://u:{}@host:8000/api",
            "https://{}@host",
            "u:{}@host",
            "{}@host:1",
            "http:u:{}@host",
            "htp://u:{}@host",
            "SASL_SSL://u:{}@a:9093,SASL_SSL://u:{}@b:9093",
            "a:1,u:{}@b:2",
            "http://host/?token={}",
            "http://host/#{}",
            "http://u:{}@host/?token={}",
            "http://host/?mail=a@b&token={}",
        ];
        for (form, secret) in forms.iter().flat_map(|form| secrets.map(|secret| (form, secret))) {
            let shown = redact_address(&form.replace("{}", secret));
            assert!(!shown.contains("S3c") && !shown.contains("ret"), "{form} {secret}: {shown}");
            assert!(shown.contains(HIDDEN), "{form}: {shown}");
        }
    }

    #[test]
    fn an_address_without_secrets_is_shown_as_it_is() {
        for address in ["http://127.0.0.1:8000/autodw", "a:1,b:2", "SSL://[::1]:9093", "x", ""] {
            assert_eq!(redact_address(address), address);
        }
        assert_eq!(
            redact_address("http://me:x@127.0.0.1:8000/api"),
            "http://***@127.0.0.1:8000/api"
        );
        assert_eq!(redact_text("me@example.org"), "me@example.org");
    }

    #[test]
    fn a_property_is_shown_only_if_its_name_is_known_to_be_harmless() {
        for hidden in [
            "sasl.password",
            "sasl.pasword",
            "SASL.PASSWORD",
            "sasl.passwd",
            "password",
            "ssl.key.password",
            "ssl.key.pem",
            "ssl.keystore.password",
            "sasl.oauthbearer.config",
            "sasl.oauthbearer.client.secret",
            "sasl.oauthbearer.assertion.private.key.passphrase",
            "sasl.jaas.config",
            "sasl.kerberos.kinit.cmd",
            "linger.msx",
            "",
        ] {
            assert_eq!(redact_property(hidden, "S3cret"), HIDDEN, "{hidden}");
        }
        assert_eq!(redact_property("sasl.username", "me@example.org"), "me@example.org");
        assert_eq!(redact_property("bootstrap.servers", "u:S3cret@h:1"), "***@h:1");
        let endpoint = "https://u:S3cret@h/token?client=S3cret";
        let shown = redact_property("sasl.oauthbearer.token.endpoint.url", endpoint);
        assert_eq!(shown, "https://***@h/token?***");
    }

    #[test]
    fn a_library_that_repeats_a_secret_does_not_show_it() {
        let secrets = Secrets::of_properties([
            ("sasl.password", "hunter2"),
            ("sasl.oauthbearer.config", "principal=me scope=a:b"),
            ("x", "no"),
            ("linger.ms", "bad"),
        ]);
        assert_eq!(secrets.redact("got \"hunter2\", bad"), "got \"***\", bad");
        assert_eq!(secrets.redact("beginning at: scope=a:b"), "beginning at:***");
        assert_eq!(secrets.redact("no, not now"), "***, not now");
        assert_eq!(secrets.redact("plain"), "plain");
    }
}
