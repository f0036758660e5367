//! Fields that may be absent, null or set, and must come out as they went in: the generations of
//! the service differ in which keys they send at all.

use serde::{Deserialize, Deserializer};

/// `None`: the key is absent. `Some(None)`: it is null. `Some(Some(_))`: it has a value.
///
/// Stands with `#[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]`.
pub type Presence<T> = Option<Option<T>>;

/// Reads a key that is there, whatever its value.
///
/// # Errors
/// The value is neither null nor of the type.
pub fn present<'de, T, D>(deserializer: D) -> Result<Presence<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Serialize, Deserialize)]
    struct Sample {
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        field: Presence<u8>,
    }

    #[test]
    fn absent_null_and_set_come_out_as_they_went_in() {
        for text in ["{}", r#"{"field":null}"#, r#"{"field":7}"#] {
            let sample: Sample = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&sample).unwrap(), text);
        }
    }
}
