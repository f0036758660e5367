//! What can be found out about the brokers: every address that is set and every address that a
//! broker sends clients to, approached side by side, and then the questions that one broker answers.

use std::collections::BTreeMap;

use crate::base::Deadline;
use crate::kafka::Properties;
use crate::kafka::wire::{
    Advertised, Approach, Approacher, BadProperty, ClusterView, Endpoint, GroupState, Obstacle,
};

/// All that was seen.
#[derive(Debug)]
pub(super) struct Survey {
    /// The addresses that are set.
    pub bootstrap: Vec<Approach>,
    /// What a broker among them says of the cluster.
    pub cluster: Option<ClusterView>,
    /// Where the brokers send clients to, each address once.
    pub advertised: Vec<Onward>,
    /// Whether a topic is made by writing to it; `None` where that is not told.
    pub makes_topics: Option<bool>,
    /// The names of the groups; `None` where the brokers do not tell.
    pub groups: Option<Vec<String>>,
    /// How the group of `forward` stands.
    pub group: Option<GroupState>,
}

/// A broker by an address that it advertises.
#[derive(Debug)]
pub(super) struct Onward {
    pub broker: Advertised,
    /// The address at which that was told: each listener of a broker may tell another one.
    pub door: Endpoint,
    /// The way there; `None` where that address is set, too, and was gone to already.
    pub way: Option<Approach>,
}

/// Looks at everything. Blocks, at most until the deadline.
pub(super) fn survey(
    properties: &Properties,
    topics: &[String],
    group: &str,
    deadline: Deadline,
) -> Result<Survey, BadProperty> {
    let approacher = Approacher::new(properties, topics, deadline)?;
    let mut set: Vec<Endpoint> = properties.addresses().map(Endpoint::parse).collect();
    set.dedup();
    let mut bootstrap = approach_all(&approacher, &set);
    let cluster = bootstrap.iter_mut().find_map(Approach::arrived_mut).map(|a| a.cluster.clone());
    let advertised = go_on(&approacher, &mut bootstrap, &set);
    let mut survey =
        Survey { bootstrap, advertised, makes_topics: None, groups: None, group: None, cluster };
    survey.ask_further(group);
    Ok(survey)
}

/// Goes to wherever clients are sent from the addresses that are set.
fn go_on(approacher: &Approacher, bootstrap: &mut [Approach], set: &[Endpoint]) -> Vec<Onward> {
    let mut found: Vec<Onward> = Vec::new();
    for approach in bootstrap {
        let door = approach.endpoint.clone();
        let Some(arrived) = approach.arrived_mut() else { continue };
        for broker in &arrived.cluster.brokers {
            let is_known = |known: &Onward| endpoint_of(&known.broker) == endpoint_of(broker);
            if !found.iter().any(is_known) {
                found.push(Onward { broker: broker.clone(), door: door.clone(), way: None });
            }
        }
    }
    let targets: Vec<Endpoint> = found
        .iter()
        .map(|onward| endpoint_of(&onward.broker))
        .filter(|endpoint| !set.contains(endpoint))
        .collect();
    let ways = approach_all(approacher, &targets);
    let mut ways: BTreeMap<Endpoint, Approach> =
        ways.into_iter().map(|approach| (approach.endpoint.clone(), approach)).collect();
    for onward in &mut found {
        onward.way = ways.remove(&endpoint_of(&onward.broker));
    }
    found
}

fn endpoint_of(broker: &Advertised) -> Endpoint {
    Endpoint { host: broker.host.clone(), port: u16::try_from(broker.port).unwrap_or(0) }
}

fn approach_all(approacher: &Approacher, endpoints: &[Endpoint]) -> Vec<Approach> {
    std::thread::scope(|scope| {
        let begun: Vec<_> = endpoints
            .iter()
            .map(|endpoint| scope.spawn(|| approacher.approach(endpoint)))
            .collect();
        begun.into_iter().filter_map(|approach| approach.join().ok()).collect()
    })
}

impl Survey {
    /// Every way that led to a broker.
    fn ways_mut(&mut self) -> impl Iterator<Item = &mut Approach> {
        self.bootstrap
            .iter_mut()
            .chain(self.advertised.iter_mut().filter_map(|onward| onward.way.as_mut()))
    }

    /// Whether any address that is set leads to a broker.
    pub fn is_reached(&self) -> bool {
        self.bootstrap.iter().any(|approach| approach.arrived().is_some())
    }

    /// Whether the login is all that kept us from a broker, and is left to the client library.
    pub fn leaves_login(&self) -> bool {
        self.bootstrap
            .iter()
            .filter_map(|approach| approach.visits.as_ref().ok())
            .flatten()
            .any(|visit| matches!(visit.end, Err((_, Obstacle::LoginNotTried))))
    }

    /// What one broker knows of all, and what only the one that coordinates the group knows. What
    /// fails here is not told: the way to the broker was good a moment ago.
    fn ask_further(&mut self, group: &str) {
        let ids: Vec<i32> = self.advertised.iter().map(|onward| onward.broker.id).collect();
        let (mut makes_topics, mut names, mut state) = (None, None::<Vec<String>>, None);
        for arrived in self.ways_mut().filter_map(Approach::arrived_mut) {
            if makes_topics.is_none() && arrived.versions.tells_settings() {
                // Each broker tells of itself only, and which of them this is nobody says.
                let mut told = ids.iter().map(|id| arrived.connection.makes_topics(*id));
                makes_topics = told.find_map(|told| told.ok().flatten());
            }
            if !arrived.versions.lists_groups() {
                continue;
            }
            if let Ok(more) = arrived.connection.groups() {
                names.get_or_insert_default().extend(more);
            }
            if matches!(state, None | Some(GroupState::Elsewhere)) {
                state = arrived.connection.group(group).ok();
            }
        }
        (self.makes_topics, self.groups, self.group) = (makes_topics, names, state);
    }
}
