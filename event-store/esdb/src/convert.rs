//! Between the client's words and the contract's.

use chrono::{DateTime, Utc};
use event_store_contract::{Expected, NewEvent, Position, RecordedEvent, StreamName};
use kurrentdb::{EventData, StreamState};
use serde_json::value::RawValue;

pub(crate) fn expected(expected: Expected) -> StreamState {
    match expected {
        Expected::NoStream => StreamState::NoStream,
        Expected::Revision(revision) => StreamState::StreamRevision(revision),
        Expected::Any => StreamState::Any,
        Expected::StreamExists => StreamState::StreamExists,
    }
}

/// The client makes JSON of values and takes bytes as binary only. Text that is JSON as it stands goes through untouched,
/// whatever else there may be goes as the bytes it is.
pub(crate) fn outgoing(event: &NewEvent) -> EventData {
    let json = serde_json::from_slice::<&RawValue>(&event.data)
        .ok()
        .filter(|value| value.get().len() == event.data.len())
        .and_then(|value| EventData::json(&event.name, &value).ok());
    json.unwrap_or_else(|| EventData::binary(&event.name, event.data.clone()))
        .id(event.id)
        .metadata(event.metadata.clone())
}

/// An event as the contract has it, without its link of the chain; none, if it is in a stream whose name the contract
/// does not know: the system's own, or one that nobody could print.
pub(crate) fn incoming(event: kurrentdb::RecordedEvent) -> Option<RecordedEvent> {
    let stream = visible(event.stream_id())?;
    Some(within(stream, event))
}

/// An event of a stream whose name is known.
pub(crate) fn within(stream: StreamName, event: kurrentdb::RecordedEvent) -> RecordedEvent {
    RecordedEvent {
        id: event.id,
        stream,
        revision: event.revision,
        position: Position(event.position.commit),
        created: created(&event),
        name: event.event_type.into(),
        data: event.data,
        metadata: event.custom_metadata,
        hash: None,
    }
}

fn visible(stream: &str) -> Option<StreamName> {
    if stream.starts_with('$') {
        return None;
    }
    StreamName::new(stream).ok()
}

/// The client cuts the time of recording to the second, but leaves what the server said: tenths of microseconds.
fn created(event: &kurrentdb::RecordedEvent) -> DateTime<Utc> {
    let ticks = event.metadata.get("created").and_then(|ticks| ticks.parse::<i64>().ok());
    ticks
        .and_then(|ticks| DateTime::from_timestamp_micros(ticks / 10))
        .unwrap_or(event.created)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use uuid::Uuid;

    use super::*;

    fn sent(data: &'static [u8]) -> String {
        let event = NewEvent {
            id: Uuid::new_v4(),
            name: "PermitIssued".into(),
            data: Bytes::from_static(data),
            metadata: Bytes::new(),
        };
        format!("{:?}", outgoing(&event))
    }

    #[test]
    fn json_goes_out_as_json_and_byte_for_byte() {
        let sent = sent("{\"面积\" :  1.50,\"a\":1e3}".as_bytes());
        assert!(sent.contains("application/json"), "{sent}");
        assert!(sent.contains(":  1.50,"), "{sent}");
    }

    #[test]
    fn what_is_not_json_as_it_stands_goes_out_as_bytes() {
        for data in [&b""[..], b" {}", b"{} ", b"{", b"\xff", b"{}{}"] {
            let sent = sent(data);
            assert!(sent.contains("application/octet-stream"), "{sent}");
        }
    }
}
