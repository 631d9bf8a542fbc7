//! Answers to a reader, as bytes: an event goes from the store's page to the wire with one copy.
//!
//! Written by hand because reading is where time is spent; everything else is left to the generated code. A test holds
//! the two against each other.

use bytes::{BufMut, Bytes, BytesMut};
use event_store_contract::RecordedEvent;
use event_store_embedded::Seen;
use prost::{
    Message,
    encoding::{encode_varint, encoded_len_varint},
};
use uuid::Uuid;

use crate::{
    protocol::event_store::client::streams::{ReadResp, read_resp::Content},
    streams::words::{CONTENT_TYPE, CREATED, JSON, OCTETS, TYPE},
};

/// How a reader wants ids written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ids {
    /// As text.
    Text,
    /// As two halves.
    Halves,
}

/// What stands before each message: whether it is compressed, and its length.
const PREFIX_BYTES: usize = 5;
/// Room for what stands around the bytes of an event.
const AROUND_AN_EVENT: usize = 256;
/// Field numbers with their wire types, as they stand in the bytes.
const FIELD_1_BYTES: u8 = 0x0a;
const FIELD_2_BYTES: u8 = 0x12;
const FIELD_3_BYTES: u8 = 0x1a;
const FIELD_6_BYTES: u8 = 0x32;
const FIELD_7_BYTES: u8 = 0x3a;
const FIELD_8_BYTES: u8 = 0x42;
const FIELD_1_NUMBER: u8 = 0x08;
const FIELD_2_NUMBER: u8 = 0x10;
const FIELD_3_NUMBER: u8 = 0x18;
const FIELD_4_NUMBER: u8 = 0x20;
const FIELD_5_NUMBER: u8 = 0x28;

/// A page of events, each a message.
pub(crate) fn events(page: &[Seen], ids: Ids) -> Bytes {
    let bytes = page.iter().map(|seen| AROUND_AN_EVENT + payload_bytes(seen)).sum();
    let mut out = BytesMut::with_capacity(bytes);
    for seen in page {
        event(&mut out, seen, ids);
    }
    out.freeze()
}

/// How many bytes of its writer an event brings.
pub(crate) fn payload_bytes(seen: &Seen) -> usize {
    let of = |event: &Option<RecordedEvent>| {
        event.as_ref().map_or(0, |event| {
            event.data.len() + event.metadata.len() + event.stream.as_str().len()
        })
    };
    of(&seen.event) + of(&seen.link)
}

/// Any other answer, as a message.
pub(crate) fn content(content: Content) -> Bytes {
    let message = ReadResp { content: Some(content) };
    let mut out = BytesMut::with_capacity(PREFIX_BYTES + message.encoded_len());
    prefix(&mut out, message.encoded_len());
    message.encode_raw(&mut out);
    out.freeze()
}

/// One event, as a message.
pub(crate) fn event(out: &mut BytesMut, seen: &Seen, ids: Ids) {
    let event = seen.event.as_ref().map(|event| Recorded::of(event, seen.is_json, ids));
    let link = seen.link.as_ref().map(|link| Recorded::of(link, false, ids));
    let original = seen.link.as_ref().or(seen.event.as_ref());
    let position = original.map_or(0, |event| event.position.0);
    let field = |recorded: &Option<Recorded<'_>>| recorded.as_ref().map_or(0, |recorded| bytes_len(recorded.len));
    // The position is one of two things it could be: it is written even when it is 0.
    let read_event = field(&event) + field(&link) + 1 + encoded_len_varint(position);
    prefix(out, bytes_len(read_event));
    out.put_u8(FIELD_1_BYTES);
    encode_varint(read_event as u64, out);
    if let Some(event) = event {
        event.write(FIELD_1_BYTES, out);
    }
    if let Some(link) = link {
        link.write(FIELD_2_BYTES, out);
    }
    out.put_u8(FIELD_3_NUMBER);
    encode_varint(position, out);
}

fn prefix(out: &mut BytesMut, message: usize) {
    out.put_u8(0);
    // A message is bounded by the largest event there can be, far below 4 GiB.
    out.put_u32(u32::try_from(message).unwrap_or(u32::MAX));
}

/// A recorded event with the lengths that have to be known before it is written.
struct Recorded<'a> {
    event: &'a RecordedEvent,
    content_type: &'static str,
    ids: Ids,
    created: Digits,
    len: usize,
}

impl<'a> Recorded<'a> {
    fn of(event: &'a RecordedEvent, is_json: bool, ids: Ids) -> Self {
        let content_type = if is_json { JSON } else { OCTETS };
        // The protocol counts in ticks of 100 ns.
        let created = Digits::of(event.created.timestamp_micros().saturating_mul(10).cast_unsigned());
        let position = number_len(event.position.0);
        let len = bytes_len(id_len(event.id, ids))
            + bytes_len(bytes_len(event.stream.as_str().len()))
            + number_len(event.revision)
            + 2 * position
            + bytes_len(said_len(TYPE, event.name.len()))
            + bytes_len(said_len(CREATED, created.len))
            + bytes_len(said_len(CONTENT_TYPE, content_type.len()))
            + optional_bytes_len(event.metadata.len())
            + optional_bytes_len(event.data.len());
        Self {
            event,
            content_type,
            ids,
            created,
            len,
        }
    }

    fn write(&self, key: u8, out: &mut BytesMut) {
        let Self { event, .. } = self;
        out.put_u8(key);
        encode_varint(self.len as u64, out);
        put_id(event.id, self.ids, out);
        let stream = event.stream.as_str();
        out.put_u8(FIELD_2_BYTES);
        encode_varint(bytes_len(stream.len()) as u64, out);
        put_bytes(FIELD_3_BYTES, stream.as_bytes(), out);
        put_number(FIELD_3_NUMBER, event.revision, out);
        put_number(FIELD_4_NUMBER, event.position.0, out);
        put_number(FIELD_5_NUMBER, event.position.0, out);
        put_said(TYPE, event.name.as_bytes(), out);
        put_said(CREATED, self.created.text(), out);
        put_said(CONTENT_TYPE, self.content_type.as_bytes(), out);
        if !event.metadata.is_empty() {
            put_bytes(FIELD_7_BYTES, &event.metadata, out);
        }
        if !event.data.is_empty() {
            put_bytes(FIELD_8_BYTES, &event.data, out);
        }
    }
}

/// How long an id is as text.
const TEXT_ID_BYTES: usize = 36;

fn id_len(id: Uuid, ids: Ids) -> usize {
    match ids {
        Ids::Text => bytes_len(TEXT_ID_BYTES),
        Ids::Halves => bytes_len(halves_len(id)),
    }
}

fn halves_len(id: Uuid) -> usize {
    let (most, least) = id.as_u64_pair();
    number_len(most) + number_len(least)
}

fn put_id(id: Uuid, ids: Ids, out: &mut BytesMut) {
    out.put_u8(FIELD_1_BYTES);
    encode_varint(id_len(id, ids) as u64, out);
    match ids {
        Ids::Text => {
            let mut text = [0; TEXT_ID_BYTES];
            id.hyphenated().encode_lower(&mut text);
            put_bytes(FIELD_2_BYTES, &text, out);
        }
        Ids::Halves => {
            let (most, least) = id.as_u64_pair();
            out.put_u8(FIELD_1_BYTES);
            encode_varint(halves_len(id) as u64, out);
            put_number(FIELD_1_NUMBER, most, out);
            put_number(FIELD_2_NUMBER, least, out);
        }
    }
}

/// An entry of what an event says of itself: a key and a value.
fn said_len(key: &str, value: usize) -> usize {
    bytes_len(key.len()) + bytes_len(value)
}

fn put_said(key: &str, value: &[u8], out: &mut BytesMut) {
    out.put_u8(FIELD_6_BYTES);
    encode_varint(said_len(key, value.len()) as u64, out);
    put_bytes(FIELD_1_BYTES, key.as_bytes(), out);
    put_bytes(FIELD_2_BYTES, value, out);
}

fn bytes_len(bytes: usize) -> usize {
    1 + encoded_len_varint(bytes as u64) + bytes
}

fn optional_bytes_len(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { bytes_len(bytes) }
}

fn put_bytes(key: u8, bytes: &[u8], out: &mut BytesMut) {
    out.put_u8(key);
    encode_varint(bytes.len() as u64, out);
    out.put_slice(bytes);
}

/// A number that is 0 is not written.
fn number_len(number: u64) -> usize {
    if number == 0 { 0 } else { 1 + encoded_len_varint(number) }
}

fn put_number(key: u8, number: u64, out: &mut BytesMut) {
    if number != 0 {
        out.put_u8(key);
        encode_varint(number, out);
    }
}

/// A number as decimal digits, without a string.
struct Digits {
    digits: [u8; 20],
    len: usize,
}

impl Digits {
    fn of(mut number: u64) -> Self {
        let mut digits = [b'0'; 20];
        let mut len = 0;
        loop {
            len += 1;
            // The remainder is a digit.
            digits[20 - len] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                return Self { digits, len };
            }
        }
    }

    fn text(&self) -> &[u8] {
        &self.digits[20 - self.len..]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::HashMap;

    use chrono::DateTime;
    use event_store_contract::{Position, StreamName};
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::event_store::client::{self as protocol, StreamIdentifier, streams::read_resp, uuid};

    fn generated(event: &RecordedEvent, is_json: bool, ids: Ids) -> read_resp::read_event::RecordedEvent {
        let (most, least) = event.id.as_u64_pair();
        let value = match ids {
            Ids::Text => uuid::Value::String(event.id.to_string()),
            Ids::Halves => uuid::Value::Structured(uuid::Structured {
                most_significant_bits: most.cast_signed(),
                least_significant_bits: least.cast_signed(),
            }),
        };
        let created = (event.created.timestamp_micros() * 10).to_string();
        let content_type = if is_json { JSON } else { OCTETS };
        read_resp::read_event::RecordedEvent {
            id: Some(protocol::Uuid { value: Some(value) }),
            stream_identifier: Some(StreamIdentifier {
                stream_name: event.stream.to_string().into(),
            }),
            stream_revision: event.revision,
            prepare_position: event.position.0,
            commit_position: event.position.0,
            metadata: HashMap::from([
                (TYPE.into(), event.name.to_string()),
                (CREATED.into(), created),
                (CONTENT_TYPE.into(), content_type.into()),
            ]),
            custom_metadata: event.metadata.clone(),
            data: event.data.clone(),
        }
    }

    fn recorded() -> impl Strategy<Value = RecordedEvent> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..300).prop_map(Bytes::from);
        (
            any::<u128>(),
            0..i64::MAX as u64,
            any::<u64>(),
            bytes(),
            bytes(),
            0..4_102_444_800_000_000_i64,
        )
            .prop_map(|(id, revision, position, data, metadata, created)| RecordedEvent {
                id: Uuid::from_u128(id),
                stream: StreamName::new("案件-1").unwrap(),
                revision,
                position: Position(position),
                name: "Filed".into(),
                data,
                metadata,
                created: DateTime::from_timestamp_micros(created).unwrap(),
                hash: None,
            })
    }

    proptest! {
        #[test]
        fn bytes_written_by_hand_are_what_the_generated_code_reads(
            event in prop::option::of(recorded()), link in prop::option::of(recorded()), is_json: bool, text: bool,
        ) {
            let ids = if text { Ids::Text } else { Ids::Halves };
            let position = link.as_ref().or(event.as_ref()).map_or(0, |event| event.position.0);
            let expected = ReadResp {
                content: Some(Content::Event(read_resp::ReadEvent {
                    event: event.as_ref().map(|event| generated(event, is_json, ids)),
                    link: link.as_ref().map(|link| generated(link, false, ids)),
                    position: Some(read_resp::read_event::Position::CommitPosition(position)),
                })),
            };
            let bytes = events(&[Seen { event, is_json, link }], ids);
            prop_assert_eq!(bytes[1..5].to_vec(), u32::try_from(bytes.len() - 5).unwrap().to_be_bytes().to_vec());
            prop_assert_eq!(ReadResp::decode(&bytes[5..]).unwrap(), expected);
        }
    }
}
