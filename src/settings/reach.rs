//! Whether the two systems that a command uses belong together. Who names an API somewhere else and no
//! brokers would otherwise read, commit or delete at the local default in the belief that it is theirs.

use std::fmt;
use std::net::IpAddr;

use super::broker_address::broker_hosts;
use super::{Key, Origin, Settings};

/// One of the two systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    Api,
    Brokers,
}

impl System {
    fn key(self) -> Key {
        match self {
            Self::Api => Key::ApiUrl,
            Self::Brokers => Key::Brokers,
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Api => Self::Brokers,
            Self::Brokers => Self::Api,
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Self::Api => "is",
            Self::Brokers => "are",
        }
    }

    /// Returns how to name this system on the command line.
    fn flag(self, address: &str) -> String {
        match self {
            Self::Api => {
                format!(
                    "name the API with --api-url or DWCTL_API_URL; is it on this machine? -u {address}"
                )
            }
            Self::Brokers => {
                format!(
                    "name the brokers with --brokers or KAFKA_BOOTSTRAP_SERVERS; are they on this machine? -b {address}"
                )
            }
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Api => "the API",
            Self::Brokers => "the brokers",
        })
    }
}

/// What a command does with the systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footprint {
    pub systems: &'static [System],
    /// Whether it commits, deletes or triggers there.
    pub has_effects: bool,
}

impl Footprint {
    /// Uses neither system, or starts its own.
    pub const NONE: Self = Self { systems: &[], has_effects: false };

    #[must_use]
    pub const fn reads(systems: &'static [System]) -> Self {
        Self { systems, has_effects: false }
    }

    #[must_use]
    pub const fn new(systems: &'static [System], has_effects: bool) -> Self {
        Self { systems, has_effects }
    }
}

/// A system that is used at its local default, while the other one is named elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForgottenSystem {
    pub system: System,
    /// The default address of the forgotten system.
    pub address: String,
    /// The other system's address as it may be shown, and what set it.
    pub other_address: String,
    pub other_origin: Origin,
}

impl ForgottenSystem {
    /// Returns how to name the system.
    #[must_use]
    pub fn hint(&self) -> String {
        self.system.flag(&self.address)
    }
}

impl fmt::Display for ForgottenSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { system, address, other_address, other_origin } = self;
        let other = system.other();
        let (verb, other_verb) = (system.verb(), other.verb());
        write!(
            f,
            "{system} {verb} only the default {address}, but {other} {other_verb} at {other_address} (from {other_origin})"
        )
    }
}

impl Settings {
    /// Returns a used system that is only the default, if the other one is given and is not on this
    /// machine.
    #[must_use]
    pub fn forgotten_system(&self, used: &[System]) -> Option<ForgottenSystem> {
        used.iter().find_map(|system| self.find_forgotten(*system))
    }

    fn find_forgotten(&self, system: System) -> Option<ForgottenSystem> {
        let other = system.other();
        if self.is_given(system) || !self.is_given(other) || self.is_on_this_machine(other) {
            return None;
        }
        let (own, given) = (self.get(system.key())?, self.get(other.key())?);
        Some(ForgottenSystem {
            system,
            address: own.text.clone(),
            other_address: other.key().redact(&given.text),
            other_origin: given.origin.clone(),
        })
    }

    fn is_given(&self, system: System) -> bool {
        self.get(system.key()).is_some_and(|value| value.origin != Origin::Default)
            || (system == System::Brokers && self.has_hidden_brokers())
    }

    fn is_on_this_machine(&self, system: System) -> bool {
        let Some(value) = self.get(system.key()) else { return false };
        match system {
            System::Api => url_host(&value.text).is_some_and(is_loopback),
            System::Brokers => {
                // A list that cannot be used is refused by its own check.
                let is_usable = self.brokers().is_ok() && !self.has_hidden_brokers();
                is_usable && broker_hosts(&value.text).all(is_loopback)
            }
        }
    }

    /// Whether the list of brokers is a secret that has not been read.
    fn has_hidden_brokers(&self) -> bool {
        self.kafka_property_names()
            .any(|name| matches!(name, "bootstrap.servers" | "metadata.broker.list"))
    }
}

/// The host of `SCHEME://HOST[:PORT][/PATH]`, without the brackets of IPv6.
fn url_host(url: &str) -> Option<&str> {
    let rest = url.trim().split_once("://")?.1;
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let place = authority.rsplit('@').next()?;
    match place.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => place.split(':').next(),
    }
}

/// Whether a host is this machine by its name alone: names are not resolved.
fn is_loopback(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    if matches!(
        host.as_str(),
        "localhost" | "localhost.localdomain" | "localhost6" | "ip6-localhost" | "ip6-loopback"
    ) || host.ends_with(".localhost")
    {
        return true;
    }
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_unspecified(),
        Ok(IpAddr::V6(ip)) => match ip.to_ipv4_mapped() {
            Some(ip) => ip.is_loopback() || ip.is_unspecified(),
            None => ip.is_loopback() || ip.is_unspecified(),
        },
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Environment, Overrides};

    const BOTH: &[System] = &[System::Api, System::Brokers];

    fn forgotten(variables: &[(&'static str, &'static str)], used: &[System]) -> Option<System> {
        let environment = Environment::of(variables.iter().copied());
        let settings = Settings::without_file(&Overrides::default(), environment).unwrap();
        settings.forgotten_system(used).map(|forgotten| forgotten.system)
    }

    #[test]
    fn hosts_of_this_machine_are_known_by_name() {
        for host in [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "dw.localhost",
            "127.0.0.1",
            "127.1.2.3",
            "::1",
            "0.0.0.0",
            "::",
            "::ffff:127.0.0.1",
            "ip6-localhost",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["kafka", "localhost.example.org", "10.0.0.1", "128.0.0.1", "::2", "", "127"] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn an_api_elsewhere_without_brokers_is_noticed_and_the_other_way_round() {
        for api in ["http://dw:8000", "https://10.0.0.1/autodw", "http://[2001:db8::1]:8000"] {
            assert_eq!(forgotten(&[("API_BASE", api)], BOTH), Some(System::Brokers), "{api}");
            assert_eq!(
                forgotten(&[("DWCTL_API_URL", api)], &[System::Brokers]),
                Some(System::Brokers)
            );
            assert_eq!(forgotten(&[("API_BASE", api)], &[System::Api]), None, "it is given");
            let both = [("API_BASE", api), ("KAFKA_BOOTSTRAP_SERVERS", "kafka:9092")];
            assert_eq!(forgotten(&both, BOTH), None);
        }
        for brokers in ["kafka:9092", "127.0.0.1:9092,kafka:9092", "SSL://kafka", "[2001:db8::1]:1"]
        {
            let set = [("KAFKA_BOOTSTRAP_SERVERS", brokers)];
            assert_eq!(forgotten(&set, BOTH), Some(System::Api), "{brokers}");
            assert_eq!(forgotten(&set, &[System::Brokers]), None, "they are given");
        }
    }

    #[test]
    fn what_is_on_this_machine_goes_with_the_defaults() {
        for api in ["http://localhost:8000", "http://127.0.0.1", "http://[::1]:8000/autodw"] {
            assert_eq!(forgotten(&[("API_BASE", api)], BOTH), None, "{api}");
        }
        for brokers in ["localhost:9092", "127.0.0.1:1,localhost:2", "[::1]:9092"] {
            assert_eq!(forgotten(&[("KAFKA_BOOTSTRAP_SERVERS", brokers)], BOTH), None, "{brokers}");
        }
        assert_eq!(forgotten(&[], BOTH), None);
    }
}
