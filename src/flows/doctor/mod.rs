//! What is wrong between here, the API and the brokers, and the line to change. Everything is looked
//! at side by side and nothing is changed: no topic is made, no group is joined, nothing is sent.

mod api;
mod brokers;
mod finding;
mod groups;
mod older_topics;
mod setup;
mod survey;
mod topics;

use std::time::Instant;

pub use finding::{Area, Diagnosis, Finding, Level, Trouble};
pub use setup::{ForgottenFact, SettingFact, Setup, UnreadVariable};

use crate::base::{Clock, Deadline, Kind};
use crate::kafka::Properties;
use crate::kafka::wire::BadProperty;
use crate::schema::generation::DialectSet;
use crate::schema::role::{Dialect, Role};
use crate::warehouse::Warehouse;
use survey::{Survey, survey};

/// What to look at.
#[derive(Clone, Debug)]
pub struct DoctorPlan {
    pub setup: Setup,
    /// The dialect that somebody set.
    pub dialect: Option<Dialect>,
    /// The consumer group of `forward`.
    pub group: String,
}

impl DoctorPlan {
    /// Every topic that any dialect may need, so that nobody has to be waited for to ask.
    fn possible_topics(&self) -> Vec<String> {
        let set = self.setup.topics.iter().map(|(_, topic, _)| topic.clone());
        let mut all: Vec<String> = Role::service_topics().map(str::to_owned).chain(set).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The topics that a dialect needs, or all possible ones where none is known.
    fn wanted_topics(&self, dialect: Option<Dialect>) -> Vec<String> {
        let Some(dialect) = dialect else { return self.possible_topics() };
        let of = |role: &Role| self.setup.topic(*role, dialect).map(str::to_owned);
        let roles = Role::ALL.iter().filter(|role| role.is_of_service());
        let mut wanted: Vec<String> = roles.filter_map(of).collect();
        wanted.sort_unstable();
        wanted.dedup();
        wanted
    }
}

/// Looks at everything, at most until the deadline.
pub async fn examine(
    warehouse: &Warehouse,
    kafka: &Properties,
    clock: &Clock,
    plan: &DoctorPlan,
    deadline: Deadline,
) -> Diagnosis {
    let begun = Instant::now();
    let looking = {
        let (kafka, plan, clock) = (kafka.clone(), plan.clone(), clock.clone());
        tokio::task::spawn_blocking(move || look_at_kafka(&kafka, &plan, &clock, deadline))
    };
    let asked = api::ask(warehouse, clock, deadline).await;
    let dialect = plan.dialect.or(asked.dialect());
    let looked = looking.await.unwrap_or_else(|error| {
        let seen = format!("looking at them failed: {error}");
        Looked::Failed(Finding::good(Area::Brokers, kafka.brokers(), seen).bad(
            "internal",
            Kind::Internal,
            "this is a bug of dwctl",
        ))
    });
    let mut findings = setup::judge(&plan.setup, dialect);
    match looked {
        Looked::Failed(finding) => {
            findings.extend(api::judge(&asked, plan.dialect, true));
            findings.push(finding);
        }
        Looked::Seen { survey, groups } => {
            let is_reached = survey.is_reached() || survey.leaves_login();
            findings.extend(api::judge(&asked, plan.dialect, is_reached));
            findings.extend(brokers::judge(&survey));
            let (wanted, word) = (plan.wanted_topics(dialect), dialect.map(Dialect::name));
            findings.extend(topics::judge(&survey, &wanted, word));
            findings.extend(look_for_older_topics(warehouse, kafka, &survey, deadline).await);
            findings.extend(groups);
        }
    }
    Diagnosis { findings, took: begun.elapsed(), unseen: asked.unseen() }
}

/// Looks where an API that knows nothing but tasks publishes. One of all generations sends flat events
/// to the older topics too.
async fn look_for_older_topics(
    warehouse: &Warehouse,
    kafka: &Properties,
    survey: &Survey,
    deadline: Deadline,
) -> Vec<Finding> {
    let topics = older_topics::existing(survey);
    if topics.is_empty() || warehouse.known_dialects() != Some(DialectSet::only(Dialect::Task)) {
        return Vec::new();
    }
    let kafka = kafka.clone();
    let look = move || older_topics::examine(&kafka, &topics, deadline);
    tokio::task::spawn_blocking(look).await.unwrap_or_default()
}

enum Looked {
    /// With what was found out about groups.
    Seen {
        survey: Box<Survey>,
        groups: Vec<Finding>,
    },
    Failed(Finding),
}

fn look_at_kafka(
    kafka: &Properties,
    plan: &DoctorPlan,
    clock: &Clock,
    deadline: Deadline,
) -> Looked {
    match survey(kafka, &plan.possible_topics(), &plan.group, deadline) {
        Ok(seen) => {
            let groups = groups::judge(&seen, kafka, &plan.group, clock, deadline);
            Looked::Seen { survey: Box::new(seen), groups }
        }
        Err(BadProperty { property, reason }) => Looked::Failed(
            Finding::good(Area::Settings, property, reason).bad(
                "bad-property",
                Kind::CheckFailed,
                "properties come from -X and from the table [kafka] of the settings file: dwctl config show --origin",
            ),
        ),
    }
}
