//! How a record that nothing can be done with is set aside: as it came, with the reason beside it.
//! Pure.

use crate::flows::forward::source::Kept;

/// Headers that say why and from where, all with this prefix.
pub const REASON: &str = "dwctl.reason";
pub const TOPIC: &str = "dwctl.source.topic";
pub const PARTITION: &str = "dwctl.source.partition";
pub const OFFSET: &str = "dwctl.source.offset";
pub const TIMESTAMP: &str = "dwctl.source.timestamp";

/// The headers of a dead letter: the record's own in their order, then the reason and the place.
#[must_use]
pub fn headers(source: &Kept, reason: &str) -> Vec<(String, Option<Vec<u8>>)> {
    let own = source
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), value.as_ref().map(|value| value.to_vec())));
    let place = &source.place;
    let added = [
        (REASON, Some(reason.to_owned())),
        (TOPIC, Some(place.topic.to_string())),
        (PARTITION, Some(place.partition.to_string())),
        (OFFSET, Some(place.offset.to_string())),
        (TIMESTAMP, place.timestamp.map(|millis| millis.to_string())),
    ];
    let added = added
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), Some(value?.into_bytes()))));
    own.chain(added).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flows::forward::source::Place;

    #[test]
    fn the_records_own_headers_stay_and_the_reason_and_the_place_follow() {
        let source = Kept {
            place: Place {
                topic: "automl-events".into(),
                partition: 1,
                offset: 42,
                timestamp: Some(7),
            },
            key: None,
            value: Some(b"{".as_slice().into()),
            headers: vec![("trace".into(), Some(b"a".as_slice().into())), ("trace".into(), None)],
        };
        let all = headers(&source, "it is not JSON");
        let shown: Vec<String> = all
            .iter()
            .map(|(name, value)| {
                let value = value.as_deref().map_or("null".into(), String::from_utf8_lossy);
                format!("{name}={value}")
            })
            .collect();
        assert_eq!(
            shown,
            [
                "trace=a",
                "trace=null",
                "dwctl.reason=it is not JSON",
                "dwctl.source.topic=automl-events",
                "dwctl.source.partition=1",
                "dwctl.source.offset=42",
                "dwctl.source.timestamp=7",
            ]
        );
    }
}
