//! What a read has to say beside its records, in words on standard error.

use crate::base::duration::spoken;
use crate::flows::follow::{BeyondEnd, Notice};
use crate::ui::{Ui, text};

pub(super) fn tell(ui: &Ui, notice: &Notice<'_>) {
    match notice {
        Notice::WaitingForTopic { topics } => ui.status(format!(
            "waiting for a topic that does not exist yet: {}",
            topics.join(" or ")
        )),
        Notice::WaitingForRecords { topics, from_end: true } => {
            ui.status(format!("waiting for new records on {}", topics.join(", ")));
            ui.hint("what is there already: --from beginning");
        }
        Notice::WaitingForRecords { topics, from_end: false } => {
            ui.detail(&format!("waiting for more on {}", topics.join(", ")));
        }
        Notice::WaitingForTime { topics, until } => {
            ui.status(format!(
                "waiting for {} until {}",
                topics.join(", "),
                text::instant(*until)
            ));
        }
        Notice::WaitingForOffset { topic, partition, offset, end } => ui.status(format!(
            "waiting for offset {offset} of {topic}[{partition}], which ends at {end}"
        )),
        Notice::StartsBeyondEnd { places } => ui.warning(&render_beyond_end(places)),
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
        Notice::LifecyclePassedOver { topic } => ui.note(&format!(
            "updates and deletions of models on {topic} are passed over: they complete no step; dwctl tail {topic} shows them"
        )),
        Notice::Joined { group, partitions: [] } => {
            ui.status(format!("group {group} has no partition for this member: others read them"));
        }
        Notice::Joined { group, partitions } => {
            let places: Vec<String> =
                partitions.iter().map(|at| format!("{}[{}]", at.topic, at.partition)).collect();
            ui.status(format!("reading {} as a member of group {group}", places.join(", ")));
        }
        Notice::Trouble { reason } => ui.warning(&format!("{reason}; it is tried again")),
        Notice::OutageBegan { reason } => {
            ui.warning(&format!("the brokers do not answer, waiting for them: {reason}"));
        }
        Notice::OutageEnded { after } => {
            ui.status(format!("the brokers answer again after {}", spoken(*after)));
        }
    }
}

/// How many partitions are named before the rest is counted.
const MOST_NAMED: usize = 3;

fn render_beyond_end(places: &[BeyondEnd]) -> String {
    let named: Vec<String> = places
        .iter()
        .take(MOST_NAMED)
        .map(|BeyondEnd { place, offset, end }| {
            format!("{offset} in {}[{}], which ends at {end}", place.topic, place.partition)
        })
        .collect();
    let rest = match places.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        rest => format!("; and {rest} more"),
    };
    format!("the start is beyond the end: {}{rest}", named.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::TopicPartition;

    #[test]
    fn a_start_beyond_the_end_names_some_partitions_and_counts_the_rest() {
        let place = |partition| BeyondEnd {
            place: TopicPartition::new("t", partition),
            offset: 99,
            end: i64::from(partition),
        };
        assert_eq!(
            render_beyond_end(&[place(1)]),
            "the start is beyond the end: 99 in t[1], which ends at 1"
        );
        let many: Vec<BeyondEnd> = (0..64).map(place).collect();
        assert!(render_beyond_end(&many).ends_with("99 in t[2], which ends at 2; and 61 more"));
    }
}
