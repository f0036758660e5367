//! A record that came back unsent although nothing may be wrong with it: a broker judges a batch as a
//! whole, and one bad record takes the others of its batch with it.

use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::{BorrowedMessage, Headers, Message};

use super::{Outgoing, OwnedHeader};

/// Whether a refusal may be for another record of the batch, or for the batch's size.
pub(super) fn is_of_the_batch(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::InvalidDifferentRecord
            | RDKafkaErrorCode::InvalidRecord
            | RDKafkaErrorCode::InvalidTimestamp
            | RDKafkaErrorCode::InvalidMessage
            | RDKafkaErrorCode::MessageSizeTooLarge
            | RDKafkaErrorCode::MessageBatchTooLarge
    )
}

/// The content of such a record, to be sent again on its own. The library forgets the timestamp of
/// what failed; whoever set one must know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    partition: i32,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<OwnedHeader>,
}

/// Names and values of headers.
pub type HeaderList<'a> = Vec<(&'a str, Option<&'a [u8]>)>;

impl Returned {
    pub(super) fn of(message: &BorrowedMessage<'_>) -> Self {
        let headers = message.headers().map_or_else(Vec::new, |headers| {
            headers
                .iter()
                .map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec)))
                .collect()
        });
        Self {
            partition: message.partition(),
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers,
        }
    }

    #[must_use]
    pub fn headers(&self) -> HeaderList<'_> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect()
    }

    /// The same record on the partition that it was meant for.
    #[must_use]
    pub fn outgoing<'a>(
        &'a self,
        topic: &'a str,
        timestamp: Option<i64>,
        headers: &'a HeaderList<'a>,
    ) -> Outgoing<'a> {
        Outgoing {
            topic,
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            headers,
            partition: Some(self.partition),
            timestamp,
        }
    }
}
