//! The protocol's words for streams, ids, beliefs and events, in ours.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use event_store_contract::{Expected, MAX_EVENT_BYTES, NewEvent, StreamName};
use event_store_embedded::Draft;
use tonic::Status;
use uuid::Uuid;

use crate::{
    protocol::event_store::client::{self as protocol, StreamIdentifier, uuid::Value},
    refusal,
};

/// The names of what an event says of itself beside its bytes.
pub(crate) const TYPE: &str = "type";
pub(crate) const CONTENT_TYPE: &str = "content-type";
pub(crate) const CREATED: &str = "created";
/// How JSON and everything else are called.
pub(crate) const JSON: &str = "application/json";
pub(crate) const OCTETS: &str = "application/octet-stream";

/// A stream's name.
pub(crate) fn stream(identifier: Option<StreamIdentifier>) -> Result<StreamName, Status> {
    let identifier = identifier.ok_or_else(|| Status::invalid_argument("a stream has to be named"))?;
    let name = std::str::from_utf8(&identifier.stream_name)
        .map_err(|_| Status::invalid_argument("the name of a stream is UTF-8; this one is not"))?;
    StreamName::new(name).map_err(|error| Status::invalid_argument(error.to_string()))
}

/// An id, in either of its forms.
pub(crate) fn id(id: Option<protocol::Uuid>) -> Result<Uuid, Status> {
    match id.and_then(|id| id.value) {
        Some(Value::Structured(halves)) => Ok(Uuid::from_u64_pair(
            halves.most_significant_bits.cast_unsigned(),
            halves.least_significant_bits.cast_unsigned(),
        )),
        Some(Value::String(text)) => Uuid::try_parse(&text).map_err(|_| Status::invalid_argument(format!("{text} is no UUID"))),
        None => Err(Status::invalid_argument("an id is missing")),
    }
}

/// A revision that a stream can have.
pub(crate) fn revision(revision: u64) -> Result<Expected, Status> {
    if i64::try_from(revision).is_err() {
        return Err(Status::invalid_argument(format!("{revision} is no revision of a stream")));
    }
    Ok(Expected::Revision(revision))
}

/// The belief about a stream, where each request has a type of its own for the same four.
macro_rules! expected {
    ($option:expr, $kind:ident) => {
        match $option {
            Some($kind::Revision(revision)) => $crate::streams::words::revision(revision),
            Some($kind::NoStream(())) => Ok(::event_store_contract::Expected::NoStream),
            Some($kind::Any(())) => Ok(::event_store_contract::Expected::Any),
            Some($kind::StreamExists(())) => Ok(::event_store_contract::Expected::StreamExists),
            None => Err(::tonic::Status::invalid_argument(
                "an expected revision of the stream is missing",
            )),
        }
    };
}
pub(crate) use expected;

/// An event on its way in, and how many bytes it counts.
pub(crate) fn draft(
    event_id: Option<protocol::Uuid>,
    mut says: HashMap<String, String>,
    metadata: Bytes,
    data: Bytes,
) -> Result<(Draft, usize), Status> {
    let event_id = id(event_id)?;
    let name = says.remove(TYPE).ok_or_else(|| refusal::metadata_missing(TYPE))?;
    let content_type = says
        .get(CONTENT_TYPE)
        .ok_or_else(|| refusal::metadata_missing(CONTENT_TYPE))?;
    if name.is_empty() {
        return Err(Status::invalid_argument("the type of an event has a name; this one is empty"));
    }
    let is_json = content_type == JSON;
    let bytes = event_bytes(&name, &metadata, &data);
    if bytes > MAX_EVENT_BYTES {
        return Err(refusal::event_too_large(&event_id.to_string(), bytes));
    }
    let event = NewEvent {
        id: event_id,
        name: Arc::from(name),
        data,
        metadata,
    };
    Ok((Draft { event, is_json }, bytes))
}

/// How many bytes an event counts in the protocol: its type is counted as UTF-16.
pub(crate) fn event_bytes(name: &str, metadata: &[u8], data: &[u8]) -> usize {
    2 * name.encode_utf16().count() + metadata.len() + data.len()
}
