//! One event as a row: what stands in it, and the checksum over all of it.

use std::fmt;

use chrono::{DateTime, Utc};
use event_store_contract::{
    Position, StoreError,
    proof::{Hash, chain_hash, content_hash},
};
use rusqlite::{Row, types::ValueRef};
use uuid::Uuid;

/// The columns in the order in which [`Record::of`] takes them.
pub(crate) const COLUMNS: &str = "pos, stream_id, rev, created, crc, flags, event_id, hash, type, meta, data";
/// Set in the flags of an event whose data is not JSON. No flag is the usual case, and the only one in older files.
const NOT_JSON: u8 = 1;
/// The revision of the event that ends a stream for ever, as the protocol numbers it.
pub(crate) const TOMBSTONE_REVISION: u64 = i64::MAX.cast_unsigned();
/// The name of that event.
pub(crate) const TOMBSTONE_NAME: &str = "$streamDeleted";

/// An event as it stands in the file, not yet verified.
pub(crate) struct Record<'row> {
    pub(crate) position: u64,
    pub(crate) stream_id: i64,
    pub(crate) revision: u64,
    pub(crate) created_us: i64,
    pub(crate) checksum: u32,
    pub(crate) flags: u8,
    pub(crate) id: Uuid,
    pub(crate) hash: Hash,
    pub(crate) name: &'row str,
    pub(crate) metadata: &'row [u8],
    pub(crate) data: &'row [u8],
}

/// Where a damaged event stands, as far as that can be known, and what does not fit.
#[derive(Debug, Clone)]
pub(crate) struct Broken {
    pub(crate) position: u64,
    pub(crate) revision: u64,
    pub(crate) reason: String,
}

impl Broken {
    pub(crate) fn at(stream: impl fmt::Display, broken: Self) -> StoreError {
        StoreError::Damaged {
            stream: stream.to_string(),
            revision: broken.revision,
            position: Position(broken.position),
            reason: broken.reason,
        }
    }
}

impl<'row> Record<'row> {
    /// Takes a row apart. A column of another shape than was written is damage, not a mistake of ours.
    pub(crate) fn of(row: &'row Row<'_>) -> Result<Self, Broken> {
        let number = |column| match row.get_ref(column) {
            Ok(ValueRef::Integer(number)) => Some(number),
            _ => None,
        };
        let bytes = |column| match row.get_ref(column) {
            Ok(ValueRef::Blob(bytes)) => Some(bytes),
            _ => None,
        };
        let unsigned = |column| number(column).and_then(|number| u64::try_from(number).ok());
        let (position, revision) = (unsigned(0).unwrap_or_default(), unsigned(2).unwrap_or_default());
        let broken = || Broken {
            position,
            revision,
            reason: "a column does not hold what was written to it".into(),
        };
        let name = match row.get_ref(8) {
            Ok(ValueRef::Text(name)) => std::str::from_utf8(name).ok(),
            _ => None,
        };
        let record = || {
            Some(Self {
                position: unsigned(0)?,
                stream_id: number(1)?,
                revision: unsigned(2)?,
                created_us: number(3)?,
                checksum: number(4).and_then(|number| u32::try_from(number).ok())?,
                flags: number(5).and_then(|number| u8::try_from(number).ok())?,
                id: Uuid::from_slice(bytes(6)?).ok()?,
                hash: bytes(7)?.try_into().ok()?,
                name: name?,
                metadata: bytes(9)?,
                data: bytes(10)?,
            })
        };
        record().ok_or_else(broken)
    }

    /// Whether these are the bytes that were written, in the stream that they were written to.
    pub(crate) fn verify_checksum(&self, stream: &str) -> Result<(), Broken> {
        let place = Place {
            stream,
            revision: self.revision,
            position: self.position,
            created_us: self.created_us,
            flags: self.flags,
        };
        let content = content_checksum(self.id, self.name, self.data, self.metadata);
        if whole_checksum(content, &place, &self.hash) == self.checksum {
            return Ok(());
        }
        Err(self.broken("the checksum does not fit: the bytes are not those that were written"))
    }

    /// Whether this event follows that one.
    pub(crate) fn verify_chain(&self, previous: &Hash, stream: &str) -> Result<(), Broken> {
        let content = content_hash(self.id, self.name, self.data, self.metadata);
        if chain_hash(previous, stream, self.revision, &content) == self.hash {
            return Ok(());
        }
        Err(self.broken("the hash chain does not fit: this event, or the one before it, was changed"))
    }

    /// Whether its data is JSON, as its writer said.
    pub(crate) fn is_json(&self) -> bool {
        self.flags & NOT_JSON == 0
    }

    /// Whether it ends its stream for ever.
    pub(crate) fn is_tombstone(&self) -> bool {
        self.revision == TOMBSTONE_REVISION && self.name == TOMBSTONE_NAME
    }

    pub(crate) fn broken(&self, reason: impl Into<String>) -> Broken {
        Broken {
            position: self.position,
            revision: self.revision,
            reason: reason.into(),
        }
    }

    pub(crate) fn created(&self) -> Result<DateTime<Utc>, Broken> {
        DateTime::from_timestamp_micros(self.created_us).ok_or_else(|| self.broken("the time of recording is no time"))
    }
}

/// The flags of an event.
pub(crate) fn flags(is_json: bool) -> u8 {
    if is_json { 0 } else { NOT_JSON }
}

/// Where an event stands, and its flags, as the checksum covers them.
pub(crate) struct Place<'a> {
    pub(crate) stream: &'a str,
    pub(crate) revision: u64,
    pub(crate) position: u64,
    pub(crate) created_us: i64,
    pub(crate) flags: u8,
}

/// The checksum of what the writer brought; computed by the writer's own thread.
pub(crate) fn content_checksum(id: Uuid, name: &str, data: &[u8], metadata: &[u8]) -> crc32fast::Hasher {
    let mut head = [0; 40];
    head[..16].copy_from_slice(id.as_bytes());
    for (at, part) in [name.as_bytes(), data, metadata].into_iter().enumerate() {
        head[16 + 8 * at..24 + 8 * at].copy_from_slice(&(part.len() as u64).to_be_bytes());
    }
    let mut checksum = crc32fast::Hasher::new();
    for part in [&head, name.as_bytes(), data, metadata] {
        checksum.update(part);
    }
    checksum
}

/// The checksum of the content, its place and its link in the chain.
pub(crate) fn whole_checksum(mut content: crc32fast::Hasher, place: &Place<'_>, hash: &Hash) -> u32 {
    let mut tail = [0; 56];
    tail[..8].copy_from_slice(&place.revision.to_be_bytes());
    tail[8..16].copy_from_slice(&place.position.to_be_bytes());
    tail[16..24].copy_from_slice(&place.created_us.to_be_bytes());
    tail[24..].copy_from_slice(hash);
    content.update(&tail);
    content.update(place.stream.as_bytes());
    // Nothing for no flag: so it was before there were flags.
    if place.flags != 0 {
        content.update(&[place.flags]);
    }
    content.finalize()
}
