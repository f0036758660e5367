//! The questions that a doctor asks a broker. None of them changes anything: no topic is made by
//! naming it, no group is joined, and no coordinator is looked for, which would make Kafka's own
//! topic of offsets where it is not there yet.

use super::line::{Broken, Connection};
use super::message::{Malformed, Reply};

const API_VERSIONS: i16 = 18;
const METADATA: (i16, i16) = (3, 8);
const LIST_GROUPS: (i16, i16) = (16, 0);
const DESCRIBE_GROUPS: (i16, i16) = (15, 3);
const DESCRIBE_CONFIGS: (i16, i16) = (32, 1);

/// Error codes of the protocol that are told apart.
const UNKNOWN_TOPIC: i16 = 3;
const NOT_COORDINATOR: i16 = 16;
const TOPIC_DENIED: i16 = 29;
const GROUP_DENIED: i16 = 30;
const UNKNOWN_GROUP: i16 = 69;

/// Places of operations in a set of authorized ones (`AclOperation`).
const READ: i32 = 3;
const WRITE: i32 = 4;

/// A range of versions for each kind of request that a broker knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions(Vec<(i16, i16, i16)>);

impl Versions {
    fn has(&self, (key, version): (i16, i16)) -> bool {
        self.0.iter().any(|(known, from, to)| *known == key && (*from..=*to).contains(&version))
    }

    /// How many kinds of requests it knows.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// What somebody may do with a topic or a group; `None` where the broker does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights(Option<i32>);

impl Rights {
    fn new(bits: i32) -> Self {
        // The smallest number stands for "not asked", or for a broker that cannot say.
        Self((bits != i32::MIN).then_some(bits))
    }

    fn has(self, operation: i32) -> Option<bool> {
        self.0.map(|bits| bits & (1 << operation) != 0)
    }

    #[must_use]
    pub fn may_read(self) -> Option<bool> {
        self.has(READ)
    }

    #[must_use]
    pub fn may_write(self) -> Option<bool> {
        self.has(WRITE)
    }
}

/// How a topic stands that was asked for by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopicState {
    There {
        partitions: Vec<PartitionState>,
        rights: Rights,
    },
    Missing,
    /// It may not be seen, whether it is there or not.
    Hidden,
    /// Another error code of the protocol.
    Failing(i16),
}

/// A partition as a broker describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionState {
    pub id: i32,
    /// −1 while there is none.
    pub leader: i32,
    pub replicas: usize,
    pub in_sync: usize,
}

/// A broker by the address that it advertises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advertised {
    pub id: i32,
    pub host: String,
    pub port: i32,
}

/// What a broker says of its cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterView {
    pub id: Option<String>,
    pub brokers: Vec<Advertised>,
    /// The topics that were asked for, in the order of the reply.
    pub topics: Vec<(String, TopicState)>,
}

impl ClusterView {
    /// Whether this is the broker that `dwctl serve` embeds.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        self.id.as_deref().is_some_and(|id| id.starts_with("mockCluster"))
    }
}

/// How a group stands with one broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupState {
    /// This broker coordinates it. `Dead` in `state` is a group that is not there.
    Described {
        state: String,
        members: usize,
        rights: Rights,
    },
    /// Another broker does.
    Elsewhere,
    Denied,
    Missing,
    /// Another error code of the protocol.
    Failing(i16),
}

impl Connection {
    /// What the broker can be asked; the first question to any.
    pub(super) fn versions(&mut self) -> Result<Versions, Broken> {
        let mut reply = self.ask((API_VERSIONS, 0), |request| request)?;
        if reply.int16()? != 0 {
            return Err(Broken::Foreign);
        }
        Ok(Versions(reply.each(|each| Ok((each.int16()?, each.int16()?, each.int16()?)))?))
    }

    /// The cluster and these topics of it.
    pub(super) fn cluster(&mut self, topics: &[String]) -> Result<ClusterView, Broken> {
        let mut reply = self.ask(METADATA, |request| {
            // No topic is made, and the rights of whoever asks are told.
            request
                .strings(topics.iter().map(String::as_str))
                .boolean(false)
                .boolean(false)
                .boolean(true)
        })?;
        Ok(read_cluster(&mut reply)?)
    }

    /// The names of the groups that this broker coordinates.
    ///
    /// # Errors
    /// The broker says no, or nothing that can be used.
    pub fn groups(&mut self) -> Result<Vec<String>, Broken> {
        let mut reply = self.ask(LIST_GROUPS, |request| request)?;
        reply.int16()?;
        Ok(reply.each(|each| {
            let name = each.string()?;
            each.string()?;
            Ok(name)
        })?)
    }

    /// A group, if this broker coordinates it.
    ///
    /// # Errors
    /// The broker says nothing that can be used.
    pub fn group(&mut self, name: &str) -> Result<GroupState, Broken> {
        let mut reply =
            self.ask(DESCRIBE_GROUPS, |request| request.strings([name].into_iter()).boolean(true))?;
        reply.int32()?;
        reply.each(read_group)?.pop().ok_or(Broken::Foreign)
    }

    /// Whether a broker makes a topic that somebody writes to; `None` where it does not say.
    ///
    /// # Errors
    /// The broker says nothing that can be used.
    pub fn makes_topics(&mut self, broker: i32) -> Result<Option<bool>, Broken> {
        const BROKER: i8 = 4;
        let mut reply = self.ask(DESCRIBE_CONFIGS, |request| {
            let request = request.count(1).int8(BROKER).string(&broker.to_string());
            request.strings(["auto.create.topics.enable"].into_iter()).boolean(false)
        })?;
        reply.int32()?;
        let found = reply.each(read_config)?;
        Ok(found.into_iter().flatten().next().map(|value| value == "true"))
    }
}

/// What the doctor's questions need, by the name that a person knows.
pub(super) fn is_recent(versions: &Versions) -> bool {
    versions.has(METADATA)
}

impl Versions {
    #[must_use]
    pub fn lists_groups(&self) -> bool {
        self.has(LIST_GROUPS) && self.has(DESCRIBE_GROUPS)
    }

    #[must_use]
    pub fn tells_settings(&self) -> bool {
        self.has(DESCRIBE_CONFIGS)
    }
}

fn read_cluster(reply: &mut Reply) -> Result<ClusterView, Malformed> {
    reply.int32()?;
    let brokers = reply.each(|each| {
        let (id, host, port) = (each.int32()?, each.string()?, each.int32()?);
        each.optional_string()?;
        Ok(Advertised { id, host, port })
    })?;
    let id = reply.optional_string()?;
    reply.int32()?;
    let topics = reply.each(|each| {
        let error = each.int16()?;
        let name = each.string()?;
        each.boolean()?;
        let partitions = each.each(read_partition)?;
        let rights = Rights::new(each.int32()?);
        let state = match error {
            UNKNOWN_TOPIC => TopicState::Missing,
            TOPIC_DENIED => TopicState::Hidden,
            // Some partition has no leader; each says so itself.
            0 | 5 => TopicState::There { partitions, rights },
            other => TopicState::Failing(other),
        };
        Ok((name, state))
    })?;
    Ok(ClusterView { id, brokers, topics })
}

fn read_partition(reply: &mut Reply) -> Result<PartitionState, Malformed> {
    reply.int16()?;
    let (id, leader) = (reply.int32()?, reply.int32()?);
    reply.int32()?;
    let replicas = reply.each(Reply::int32)?.len();
    let in_sync = reply.each(Reply::int32)?.len();
    reply.each(Reply::int32)?;
    Ok(PartitionState { id, leader, replicas, in_sync })
}

fn read_group(reply: &mut Reply) -> Result<GroupState, Malformed> {
    let error = reply.int16()?;
    reply.string()?;
    let state = reply.string()?;
    for _ in ["protocol type", "protocol"] {
        reply.string()?;
    }
    let members = reply.each(|member| {
        for _ in ["id", "client", "host"] {
            member.string()?;
        }
        for _ in ["metadata", "assignment"] {
            member.bytes()?;
        }
        Ok(())
    })?;
    let rights = Rights::new(reply.int32()?);
    Ok(match error {
        0 => GroupState::Described { state, members: members.len(), rights },
        NOT_COORDINATOR => GroupState::Elsewhere,
        GROUP_DENIED => GroupState::Denied,
        UNKNOWN_GROUP => GroupState::Missing,
        other => GroupState::Failing(other),
    })
}

/// The value of the only setting that was asked for.
fn read_config(reply: &mut Reply) -> Result<Option<String>, Malformed> {
    reply.int16()?;
    reply.optional_string()?;
    reply.int8()?;
    reply.string()?;
    let mut settings = reply.each(|each| {
        each.string()?;
        let value = each.optional_string()?;
        for _ in ["is read only", "source", "is sensitive"] {
            each.int8()?;
        }
        each.each(|synonym| {
            synonym.string()?;
            synonym.optional_string()?;
            synonym.int8()
        })?;
        Ok(value)
    })?;
    Ok(settings.pop().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_read_from_their_bits() {
        let reader = Rights::new(1 << 3 | 1 << 8);
        assert_eq!((reader.may_read(), reader.may_write()), (Some(true), Some(false)));
        assert_eq!(Rights::new(i32::MIN).may_read(), None);
    }
}
