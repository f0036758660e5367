//! What the API says, and whether that can be true.

use std::time::{Duration, Instant};

use super::finding::{Area, Finding};
use crate::base::duration::spoken;
use crate::base::{Classify, Clock, Deadline, Hint, Kind};
use crate::schema::role::Dialect;
use crate::warehouse::{Health, Outbox, Warehouse, WarehouseError};

/// Clocks that differ by less are one: a reply tells its time to the second only.
const SKEW: Duration = Duration::from_secs(5);

/// What was asked of the API.
#[derive(Debug)]
pub(super) struct Asked {
    address: String,
    /// The dialect that it speaks, and how long it took to say so.
    dialect: Result<(Dialect, Duration), WarehouseError>,
    health: Option<Result<(Health, Duration), WarehouseError>>,
    /// How far the API's clock is before ours, in milliseconds.
    skew: Option<i64>,
}

impl Asked {
    pub fn dialect(&self) -> Option<Dialect> {
        self.dialect.as_ref().ok().map(|(dialect, _)| *dialect)
    }

    /// Returns what no look from here can tell: the service's `/health` does not look at Kafka.
    pub fn unseen(&self) -> Option<&'static str> {
        let is_told = match &self.health {
            None => return None,
            Some(Ok((health, _))) => health.services.kafka.is_some(),
            Some(Err(_)) => false,
        };
        (!is_told)
            .then_some("the API's own way to Kafka cannot be seen from here; prove it: dwctl smoke")
    }
}

/// Asks anew, whatever is remembered of this address.
pub(super) async fn ask(warehouse: &Warehouse, clock: &Clock, deadline: Deadline) -> Asked {
    warehouse.forget_dialect();
    let begun = Instant::now();
    let dialect = warehouse.dialect(deadline).await.map(|dialect| (dialect, begun.elapsed()));
    let begun = Instant::now();
    let health = match &dialect {
        Ok(_) => Some(warehouse.health(deadline).await.map(|health| (health, begun.elapsed()))),
        Err(_) => None,
    };
    let skew = warehouse.server_time().map(|time| time.as_millisecond() - clock.now().millis());
    Asked { address: warehouse.address().to_string(), dialect, health, skew }
}

/// Judges it. `chosen` is a dialect that somebody set; `is_kafka_reached` is how the brokers look
/// from here.
pub(super) fn judge(
    asked: &Asked,
    chosen: Option<Dialect>,
    is_kafka_reached: bool,
) -> Vec<Finding> {
    let tell = |seen: String| Finding::good(Area::Api, asked.address.as_str(), seen);
    let (dialect, took) = match &asked.dialect {
        Ok((dialect, took)) => (*dialect, *took),
        Err(error) => return vec![of_error(error, tell(error.to_string()))],
    };
    let mut findings =
        vec![tell(format!("answers, and speaks the {dialect} dialect")).within(took)];
    if let Some(chosen) = chosen.filter(|chosen| *chosen != dialect) {
        findings.push(
            tell(format!("the dialect {chosen} is set, and the API speaks {dialect}")).odd(
                "other-dialect",
                "leave --dialect and DWCTL_DIALECT out: the API is asked, and its answer kept",
            ),
        );
    }
    match &asked.health {
        Some(Ok((health, took))) => {
            findings.extend(of_health(health, *took, is_kafka_reached, &tell));
        }
        Some(Err(error)) => findings.push(
            tell(format!("its /health cannot be used: {error}"))
                .odd("no-health", "a load balancer that asks for it takes the API for dead"),
        ),
        None => {}
    }
    findings.extend(asked.skew.and_then(|skew| of_skew(skew, &tell)));
    findings
}

fn of_error(error: &WarehouseError, finding: Finding) -> Finding {
    if matches!(error, WarehouseError::Deadline { .. } | WarehouseError::Silent { .. }) {
        let seen = "takes connections and does not answer".to_owned();
        return Finding { seen, ..finding }.bad(
            "api-hangs",
            Kind::Unreachable,
            "look at the API's log, and restart it",
        );
    }
    let fix = error.hints().first().map(Hint::text).map(str::to_owned);
    let fix = fix.unwrap_or_else(|| {
        "start a local stack: dwctl serve — or name the API: --api-url or DWCTL_API_URL".to_owned()
    });
    match error.kind() {
        Kind::Unreachable => finding.bad("api-down", Kind::Unreachable, fix),
        _ => finding.bad("not-the-api", Kind::CheckFailed, fix),
    }
}

fn of_health(
    health: &Health,
    took: Duration,
    is_kafka_reached: bool,
    tell: &dyn Fn(String) -> Finding,
) -> Vec<Finding> {
    if !health.says_healthy() {
        let word = health.status.as_deref().unwrap_or("nothing");
        let seen = format!("its /health says {word} (status {})", health.code);
        let fix = "look at the API's log, and at its database and disk";
        return vec![tell(seen).within(took).bad("api-unhealthy", Kind::CheckFailed, fix)];
    }
    let Some(kafka) = health.services.kafka.as_deref() else {
        return vec![of_constant(is_kafka_reached, tell).within(took)];
    };
    let mut findings = Vec::new();
    let outbox = health.outbox.clone().unwrap_or_default();
    if kafka != "connected" || outbox.last_error.is_some() {
        findings.push(tell(without_broker(kafka, &outbox)).within(took).bad(
            "api-without-broker",
            Kind::Unreachable,
            "start the brokers, or name the right ones where the API is started: its events wait, \
             and go out by themselves",
        ));
    } else {
        findings.push(tell(format!("its /health looks, and says {kafka} of Kafka")).within(took));
    }
    if outbox.parked > 0 {
        findings.push(
            tell(format!("{} events were refused by the brokers and set aside", outbox.parked))
                .odd(
                    "events-parked",
                    "the API's log names each and why, mostly max.message.bytes of the topic",
                ),
        );
    }
    findings
}

fn without_broker(kafka: &str, outbox: &Outbox) -> String {
    let age = outbox.oldest_age_ms.map_or_else(String::new, |age| {
        format!(", the oldest for {}", spoken(Duration::from_millis(age)))
    });
    let why = outbox.last_error.as_deref().map_or_else(String::new, |why| format!(": {why}"));
    format!("the API says {kafka} of Kafka; {} events wait{age}{why}", outbox.waiting)
}

/// The service says the same whatever happens. Where its brokers are away, an upload is stored and
/// its request then hangs.
fn of_constant(is_kafka_reached: bool, tell: &dyn Fn(String) -> Finding) -> Finding {
    if is_kafka_reached {
        return tell("its /health says healthy, without looking at storage and Kafka".to_owned());
    }
    tell(
        "its /health says healthy without looking at Kafka, whose brokers cannot be reached from \
         here; an API that started without brokers stores an upload and never answers"
            .to_owned(),
    )
    .odd(
        "api-without-broker",
        "start the brokers first and the API after them; then prove it: dwctl smoke",
    )
}

fn of_skew(millis: i64, tell: &dyn Fn(String) -> Finding) -> Option<Finding> {
    let skew = Duration::from_millis(millis.unsigned_abs());
    (skew > SKEW).then(|| {
        let side = if millis > 0 { "before" } else { "behind" };
        tell(format!("its clock is {} {side} this machine's", spoken(skew))).odd(
            "clock-skew",
            "set both by NTP: positions by time, ages of events and certificates depend on it",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::warehouse::Services;

    fn faults(health: Health, is_kafka_reached: bool) -> Vec<(&'static str, bool)> {
        let health = Health { code: 200, status: Some("healthy".to_owned()), ..health };
        let asked = Asked {
            address: "http://a:1".to_owned(),
            dialect: Ok((Dialect::Form, Duration::ZERO)),
            health: Some(Ok((health, Duration::ZERO))),
            skew: Some(900),
        };
        judge(&asked, None, is_kafka_reached)
            .iter()
            .filter_map(|found| Some((found.trouble()?.fault, found.is_bad())))
            .collect()
    }

    #[test]
    fn a_constant_health_is_doubted_where_the_brokers_are_away() {
        assert_eq!(faults(Health::default(), true), []);
        assert_eq!(faults(Health::default(), false), [("api-without-broker", false)]);
        let account = |kafka: &str, parked| Health {
            services: Services { kafka: Some(kafka.to_owned()) },
            outbox: Some(Outbox { parked, ..Outbox::default() }),
            ..Health::default()
        };
        assert_eq!(faults(account("connected", 0), false), []);
        assert_eq!(faults(account("unreachable", 0), true), [("api-without-broker", true)]);
        assert_eq!(faults(account("connected", 1), true), [("events-parked", false)]);
    }

    #[test]
    fn clocks_that_differ_by_seconds_are_told() {
        let tell = |seen: String| Finding::good(Area::Api, "a", seen);
        assert_eq!(of_skew(4_000, &tell), None);
        let found = of_skew(-90_000, &tell).unwrap();
        assert!(found.seen.contains("1 min 30 s behind"), "{found:?}");
    }
}
