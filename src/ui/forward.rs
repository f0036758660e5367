//! What `forward` does with each record, in words on standard error.

use super::Ui;
use crate::base::duration::spoken;
use crate::flows::forward::{ForwardNotice, ForwardReporter};
use crate::kafka::TopicPartition;

/// Says what happens to records.
#[derive(Clone, Copy, Debug)]
pub struct ForwardTalk<'u>(pub &'u Ui);

impl ForwardReporter for ForwardTalk<'_> {
    fn notice(&self, notice: &ForwardNotice<'_>) {
        let ui = self.0;
        match notice {
            ForwardNotice::WaitingForTopic { topics } => ui.status(format!(
                "waiting for a topic that does not exist yet: {}",
                topics.join(" or ")
            )),
            ForwardNotice::NoTarget { topics } => ui.warning(&format!(
                "there is no topic {}: brokers that make topics will make it with the first record",
                topics.join(" and no ")
            )),
            ForwardNotice::Assigned { group, partitions: [] } => {
                ui.status(format!("joined group {group}: its other members have all partitions"));
            }
            ForwardNotice::Assigned { group, partitions } => {
                ui.status(format!("joined group {group}: {}", listed(partitions)));
            }
            ForwardNotice::Released { partitions, left: 0 } => {
                ui.status(format!("gave back {}", listed(partitions)));
            }
            ForwardNotice::Released { partitions, left } => ui.status(format!(
                "gave back {} with {left} records that are not done",
                listed(partitions)
            )),
            ForwardNotice::Triggered { source, event_type, place } => {
                ui.status(format!("{source}: sent {event_type} to {place}"));
            }
            ForwardNotice::Downloaded { source, path } => {
                ui.status(format!("{source}: downloaded to {}", path.display()));
            }
            ForwardNotice::PassedBy { source, reason } => {
                ui.status(format!("{source}: no trigger: {reason}"));
            }
            ForwardNotice::Poison { source, reason, kept: None } => {
                ui.warning(&format!("{source} is passed by: {reason}"));
            }
            ForwardNotice::Poison { source, reason, kept: Some(place) } => {
                ui.warning(&format!("{source} is kept as {place}: {reason}"));
            }
            ForwardNotice::Again { source, reason, pause } => {
                ui.warning(&format!("{source} is tried again in {}: {reason}", spoken(*pause)));
            }
            ForwardNotice::ApiAway { reason } => {
                ui.warning(&format!("waiting for the API: {reason}"));
            }
            ForwardNotice::ApiBack { after } => {
                ui.status(format!("the API answers again after {}", spoken(*after)));
            }
            ForwardNotice::SendingAgain { reason } => {
                ui.warning(&format!("triggers wait: {reason}"));
            }
            ForwardNotice::Trouble { reason } => {
                ui.warning(&format!("waiting for the brokers: {reason}"));
            }
        }
    }
}

fn listed(partitions: &[TopicPartition]) -> String {
    let names: Vec<String> = partitions
        .iter()
        .map(|partition| format!("{}[{}]", partition.topic, partition.partition))
        .collect();
    names.join(", ")
}
