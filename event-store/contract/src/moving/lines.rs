//! The lines of an export: one JSON object for each event, and one at the end that says how many there were.

use std::io::{BufRead, Read as _, Write};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{Position, RecordedEvent, StreamName, StreamNameError, proof::Hash};

/// The longest line: the largest event as base64, and its names around it.
pub const MAX_LINE_BYTES: usize = 32 * 1024 * 1024;

/// An event in a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExportLine {
    /// The stream.
    pub stream: String,
    /// The event's number in it.
    pub revision: u64,
    /// The writer's id.
    pub id: Uuid,
    /// The event's name.
    pub name: String,
    /// When the store that was exported wrote it; told, and not kept on import.
    pub created: DateTime<Utc>,
    /// The data, if it is JSON on one line; byte for byte what was stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<RawValue>>,
    /// Any other data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_base64: Option<String>,
    /// The metadata, if it is JSON on one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Box<RawValue>>,
    /// Any other metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata_base64: Option<String>,
    /// The event's link in the chain of its stream, in hexadecimal digits.
    pub hash: String,
}

/// The last line: a file that ends without it was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// How many events stand above.
    pub events: u64,
    /// How many streams they belong to.
    pub streams: u64,
    /// The bytes of their names, data and metadata.
    pub bytes: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LastLine {
    end: Summary,
}

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// It has no end within the limit.
    #[error("it is longer than {MAX_LINE_BYTES} bytes")]
    TooLong,
    /// It is not what an export writes.
    #[error("it is no line of an export: {0}")]
    Json(#[from] serde_json::Error),
    /// The stream has no name that the contract knows.
    #[error("{0}")]
    Stream(#[from] StreamNameError),
    /// Neither JSON nor base64, or both.
    #[error("its {0} is missing, given twice, or not base64")]
    Payload(&'static str),
    /// The hash has no 64 hexadecimal digits.
    #[error("its hash is not 64 hexadecimal digits")]
    Hash,
    /// The chain breaks here: this line or one before it was changed, left out or moved.
    #[error(
        "the hash chain of {stream} breaks at revision {revision}: this line, or one before it, was changed, left out or moved"
    )]
    Chain {
        /// The stream.
        stream: String,
        /// Where.
        revision: u64,
    },
    /// The file has no last line.
    #[error("the file ends without its last line: it was cut off")]
    CutOff,
    /// The last line does not fit what stands above it.
    #[error("the last line speaks of {told:?}, and {found:?} stand above it")]
    Summary {
        /// What it says.
        told: Summary,
        /// What was counted.
        found: Summary,
    },
    /// Something comes after the last line.
    #[error("there is more after the last line")]
    AfterTheEnd,
}

impl ExportLine {
    /// The line of an event, with its link of the chain.
    pub fn new(event: &RecordedEvent, hash: &Hash) -> Self {
        let (data, data_base64) = payload(&event.data);
        let (metadata, metadata_base64) = payload(&event.metadata);
        Self {
            stream: event.stream.to_string(),
            revision: event.revision,
            id: event.id,
            name: event.name.to_string(),
            created: event.created,
            data,
            data_base64,
            metadata,
            metadata_base64,
            hash: hex(hash),
        }
    }

    /// The event, with its link; its position is the number of the line.
    pub fn event(self, number: u64) -> Result<RecordedEvent, LineError> {
        let hash = unhex(&self.hash).ok_or(LineError::Hash)?;
        Ok(RecordedEvent {
            id: self.id,
            stream: StreamName::new(&self.stream)?,
            revision: self.revision,
            position: Position(number),
            name: self.name.into(),
            data: bytes(self.data, self.data_base64).ok_or(LineError::Payload("data"))?,
            metadata: bytes(self.metadata, self.metadata_base64).ok_or(LineError::Payload("metadata"))?,
            created: self.created,
            hash: Some(hash),
        })
    }

    /// Writes it, with the end of the line.
    pub fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        write_line(self, out)
    }
}

impl Summary {
    /// Writes the last line.
    pub fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        write_line(&LastLine { end: *self }, out)
    }
}

fn write_line(line: &impl Serialize, out: &mut dyn Write) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(line)?;
    if line.len() > MAX_LINE_BYTES {
        return Err(std::io::Error::other(LineError::TooLong));
    }
    line.push(b'\n');
    out.write_all(&line)
}

/// What a line says.
pub(super) enum Line {
    Event(Box<RecordedEvent>),
    Last(Summary),
}

/// Reads the next line; none at the end of the file.
pub(super) fn read_line(lines: &mut dyn BufRead, buffer: &mut Vec<u8>, number: u64) -> Result<Option<Line>, super::MoveError> {
    buffer.clear();
    let wrong = |reason| super::MoveError::Line { number, reason };
    let limit = MAX_LINE_BYTES as u64 + 1;
    lines.take(limit).read_until(b'\n', buffer)?;
    if buffer.is_empty() {
        return Ok(None);
    }
    if buffer.last() == Some(&b'\n') {
        buffer.pop();
    } else if buffer.len() as u64 == limit {
        return Err(wrong(LineError::TooLong));
    } else {
        // Even the last line ends as every line does.
        return Err(wrong(LineError::CutOff));
    }
    if buffer.starts_with(b"{\"end\":") {
        let last: LastLine = serde_json::from_slice(buffer).map_err(|error| wrong(error.into()))?;
        return Ok(Some(Line::Last(last.end)));
    }
    let line: ExportLine = serde_json::from_slice(buffer).map_err(|error| wrong(error.into()))?;
    line.event(number)
        .map(|event| Some(Line::Event(Box::new(event))))
        .map_err(wrong)
}

/// JSON goes into the line as it stands, if it stands on one line and would come back as the same bytes.
fn payload(bytes: &Bytes) -> (Option<Box<RawValue>>, Option<String>) {
    let raw = std::str::from_utf8(bytes)
        .ok()
        .filter(|text| !text.contains(['\n', '\r']) && *text != "null")
        .and_then(|text| RawValue::from_string(text.to_owned()).ok())
        .filter(|raw| raw.get().len() == bytes.len());
    match raw {
        Some(raw) => (Some(raw), None),
        None => (None, Some(BASE64.encode(bytes))),
    }
}

fn bytes(raw: Option<Box<RawValue>>, base64: Option<String>) -> Option<Bytes> {
    match (raw, base64) {
        (Some(raw), None) => Some(String::from(Box::<str>::from(raw)).into()),
        (None, Some(base64)) => Some(BASE64.decode(base64).ok()?.into()),
        _ => None,
    }
}

fn hex(hash: &Hash) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or('0');
    hash.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn unhex(digits: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    if digits.len() != hash.len() * 2 || !digits.is_ascii() {
        return None;
    }
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(hash)
}
