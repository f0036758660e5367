//! What a read has to say beside its records, in words on standard error.

use crate::base::duration::spoken;
use crate::flows::follow::Notice;
use crate::ui::Ui;

pub(super) fn tell(ui: &Ui, notice: &Notice<'_>) {
    match notice {
        Notice::WaitingForTopic { topics } => ui.status(&format!(
            "waiting for a topic that does not exist yet: {}",
            topics.join(" or ")
        )),
        Notice::WaitingForRecords { topics, from_end: true } => {
            ui.status(&format!("waiting for new records on {}", topics.join(", ")));
            ui.hint("what is there already: --from beginning");
        }
        Notice::WaitingForRecords { topics, from_end: false } => {
            ui.detail(&format!("waiting for more on {}", topics.join(", ")));
        }
        Notice::WaitingForOffset { topic, partition, offset, end } => ui.status(&format!(
            "waiting for offset {offset} of {topic}[{partition}], which ends at {end}"
        )),
        Notice::NewPartition { topic, partition } => {
            ui.detail(&format!("{topic}[{partition}] appeared and is read from its beginning"));
        }
        Notice::OffsetGone { topic, partition, offset, resumed } => ui.warning(&format!(
            "{topic}[{partition}]: offset {offset} is not there any more; going on at {resumed}"
        )),
        Notice::PartitionGone { topic, partition } => {
            ui.warning(&format!("{topic}[{partition}] is not there any more"));
        }
        Notice::Stuck { topic, partition, reason } => {
            ui.warning(&format!("{topic}[{partition}] cannot be read for now: {reason}"));
        }
        Notice::Joined { group, partitions: [] } => {
            ui.status(&format!("group {group} has no partition for this member: others read them"));
        }
        Notice::Joined { group, partitions } => {
            let places: Vec<String> =
                partitions.iter().map(|at| format!("{}[{}]", at.topic, at.partition)).collect();
            ui.status(&format!("reading {} as a member of group {group}", places.join(", ")));
        }
        Notice::Trouble { reason } => ui.warning(&format!("{reason}; it is tried again")),
        Notice::OutageBegan { reason } => {
            ui.warning(&format!("the brokers do not answer, waiting for them: {reason}"));
        }
        Notice::OutageEnded { after } => {
            ui.status(&format!("the brokers answer again after {}", spoken(*after)));
        }
    }
}
