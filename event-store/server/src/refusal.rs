//! What a refusal is called in the protocol: its code, its sentence, and the trailers that clients read.

use std::fmt::Write as _;

use event_store_contract::{Expected, MAX_APPEND_BYTES, MAX_EVENT_BYTES, StoreError};
use event_store_embedded::Refusal;
use tonic::{
    Code, Status,
    metadata::{MetadataMap, MetadataValue},
};

/// The revision by which the protocol means each belief that names none.
const NO_STREAM: i64 = -1;
const ANY: i64 = -2;
const STREAM_EXISTS: i64 = -4;

/// A status with the trailers by which clients tell one refusal from another.
pub(crate) fn with_trailers(code: Code, message: String, exception: &'static str, trailers: &[(&'static str, &str)]) -> Status {
    let mut metadata = MetadataMap::new();
    metadata.insert("exception", MetadataValue::from_static(exception));
    for (name, value) in trailers {
        if let Ok(value) = MetadataValue::try_from(visible(value)) {
            metadata.insert(*name, value);
        }
    }
    Status::with_metadata(code, message, metadata)
}

/// A trailer has visible ASCII only: other bytes are written as in an address.
fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte == b' ' || (byte.is_ascii_graphic() && byte != b'%') {
            visible.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(visible, "%{byte:02X}");
        }
    }
    visible
}

/// Why an operation (`Append`, `Delete`) was refused.
pub(crate) fn status(refusal: Refusal, operation: &str) -> Status {
    match refusal {
        Refusal::WrongRevision {
            stream,
            expected,
            actual,
        } => wrong_expected_version(operation, stream.as_str(), expected, actual),
        Refusal::Deleted { stream } | Refusal::Tombstoned { stream } => stream_deleted(stream.as_str()),
        Refusal::Reserved { .. } => access_denied(refusal.to_string()),
        Refusal::Twice { .. } => Status::invalid_argument(refusal.to_string()),
        Refusal::Store(error) => of_store(&error),
    }
}

/// What the store itself could not do.
pub(crate) fn of_store(error: &StoreError) -> Status {
    match error {
        StoreError::WrongRevision {
            stream,
            expected,
            actual,
        } => wrong_expected_version("Append", stream.as_str(), *expected, *actual),
        StoreError::TooLarge(_) => Status::invalid_argument(error.to_string()),
        StoreError::Unavailable(_) => Status::unavailable(error.to_string()),
        StoreError::Damaged { .. } => {
            tracing::error!(%error, "a reader met damage");
            Status::data_loss(error.to_string())
        }
    }
}

/// Somebody else wrote first. Clients take the sentence apart: it stays as it is.
pub(crate) fn wrong_expected_version(operation: &str, stream: &str, expected: Expected, actual: Option<u64>) -> Status {
    let (expected, actual) = (number(expected).to_string(), actual_number(actual).to_string());
    let message = format!(
        "{operation} failed due to WrongExpectedVersion. Stream: {stream}, Expected version: {expected}, Actual version: {actual}"
    );
    let trailers = [
        ("stream-name", stream),
        ("expected-version", &*expected),
        ("actual-version", &*actual),
    ];
    with_trailers(Code::FailedPrecondition, message, "wrong-expected-version", &trailers)
}

/// The stream is no more.
pub(crate) fn stream_deleted(stream: &str) -> Status {
    let message = format!("Event stream '{stream}' is deleted.");
    with_trailers(
        Code::FailedPrecondition,
        message,
        "stream-deleted",
        &[("stream-name", stream)],
    )
}

/// One event is too large.
pub(crate) fn event_too_large(id: &str, bytes: usize) -> Status {
    let (bytes, most) = (bytes.to_string(), MAX_EVENT_BYTES.to_string());
    let message = format!("Event with Id: {id}, Size: {bytes}, exceeds Maximum Append Event Size of {most}.");
    let trailers = [
        ("maximum-append-event-size", &*most),
        ("event-id", id),
        ("proposed-append-event-size", &*bytes),
    ];
    with_trailers(
        Code::InvalidArgument,
        message,
        "maximum-append-event-size-exceeded",
        &trailers,
    )
}

/// All events of an append together are too large.
pub(crate) fn append_too_large() -> Status {
    let most = MAX_APPEND_BYTES.to_string();
    let message = format!("Maximum Append Size of {most} Exceeded.");
    with_trailers(
        Code::InvalidArgument,
        message,
        "maximum-append-size-exceeded",
        &[("maximum-append-size", &*most)],
    )
}

/// An event says too little of itself.
pub(crate) fn metadata_missing(property: &str) -> Status {
    let message = format!("Required Metadata Property '{property}' is missing");
    with_trailers(
        Code::InvalidArgument,
        message,
        "missing-required-metadata-property",
        &[("required-metadata-properties", "type,content-type")],
    )
}

/// The caller may not do this.
pub(crate) fn access_denied(message: String) -> Status {
    with_trailers(Code::PermissionDenied, message, "access-denied", &[])
}

/// Nobody may begin or go on with anything.
pub(crate) fn stopping() -> Status {
    Status::unavailable("the server is stopping: connect again")
}

/// A belief as the protocol's number.
pub(crate) fn number(expected: Expected) -> i64 {
    match expected {
        Expected::NoStream => NO_STREAM,
        Expected::Any => ANY,
        Expected::StreamExists => STREAM_EXISTS,
        Expected::Revision(revision) => i64::try_from(revision).unwrap_or(i64::MAX),
    }
}

/// A belief from the protocol's number.
pub(crate) fn expected(number: i64) -> Option<Expected> {
    match number {
        NO_STREAM => Some(Expected::NoStream),
        ANY => Some(Expected::Any),
        STREAM_EXISTS => Some(Expected::StreamExists),
        _ => u64::try_from(number).ok().map(Expected::Revision),
    }
}

/// Where a stream is, as the protocol's number.
pub(crate) fn actual_number(actual: Option<u64>) -> i64 {
    actual.map_or(NO_STREAM, |revision| i64::try_from(revision).unwrap_or(i64::MAX))
}
