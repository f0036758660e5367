//! The broker's own words for a record that it refused: the code alone does not name the cause, and
//! the safe wrapper drops the rest of the report.
//!
//! # Contract
//!
//! * The message comes from a delivery report of a producer: only such a message has the field that
//!   the library reads.
//! * The text belongs to the message and is copied while the message is borrowed.
#![expect(unsafe_code, reason = "the C interface of librdkafka; the contract stands above")]

use std::ffi::CStr;

use rdkafka::bindings as sys;
use rdkafka::message::BorrowedMessage;

/// Returns the broker's message about one refused record of a delivery report, if it sent one: brokers
/// do since Apache Kafka 2.4 (KIP-467).
pub(in crate::kafka) fn broker_message(refused: &BorrowedMessage<'_>) -> Option<String> {
    // SAFETY: the message of a delivery report is live as long as it is borrowed.
    let text = unsafe { sys::rd_kafka_message_produce_errstr(refused.ptr()) };
    if text.is_null() {
        return None;
    }
    // SAFETY: a string of C that the message owns.
    let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
    let text = text.trim().trim_end_matches('.');
    (!text.is_empty()).then(|| text.to_owned())
}
