//! The one contract with every event store: bytes in order, nothing else.
//!
//! Append with an expected revision, read a stream, read all, follow all from a position. A store knows streams,
//! revisions, positions and bytes; what the bytes mean is the business of the rooms above.

mod lane;
mod memory;
pub mod moving;
mod names;
pub mod proof;
mod request;
pub mod suite;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use lane::{Lane, MAX_LANES};
pub use memory::MemoryStore;
pub use names::{MAX_STREAM_NAME_BYTES, StreamName, StreamNameError};
pub use request::{Verdict, check_limits, judge};

/// Where an event stands in the whole log. Opaque, growing, with gaps; not comparable between stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(pub u64);

/// The largest event that a store takes: data, metadata and twice the name, for so a `KurrentDB` counts.
pub const MAX_EVENT_BYTES: usize = 16 * 1024 * 1024;
/// The most bytes in one append, all its events together: as much as a `KurrentDB` takes (one chunk).
pub const MAX_APPEND_BYTES: usize = 256 * 1024 * 1024;
/// The most events in one append.
pub const MAX_EVENTS_PER_APPEND: usize = 10_000;
/// The most events that one read returns, whatever was asked.
pub const MAX_EVENTS_PER_READ: usize = 10_000;

/// An event on its way in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Chosen by the writer; the same id again at the same place is the same event again.
    pub id: Uuid,
    /// The event's name (`PermitIssued`).
    pub name: Arc<str>,
    /// What happened, as JSON.
    pub data: Bytes,
    /// Who, when, why, as JSON.
    pub metadata: Bytes,
}

/// An event as the store remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    /// The writer's id.
    pub id: Uuid,
    /// The stream that it belongs to.
    pub stream: StreamName,
    /// Its number in the stream, from 0.
    pub revision: u64,
    /// Its place in the whole log.
    pub position: Position,
    /// The event's name.
    pub name: Arc<str>,
    /// What happened, as JSON.
    pub data: Bytes,
    /// Who, when, why, as JSON.
    pub metadata: Bytes,
    /// When this store wrote it, to the microsecond. Does not survive a move to another store; business time is in
    /// the metadata.
    pub created: DateTime<Utc>,
    /// The link of the stream's hash chain, see [`proof`]. Always there when a stream was read; when the log was read,
    /// only from a store that keeps it beside each event.
    pub hash: Option<proof::Hash>,
}

/// What the writer believes about the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Nothing was ever written to it.
    NoStream,
    /// Its last event has this revision.
    Revision(u64),
    /// Anything goes.
    Any,
    /// It exists, whatever its revision.
    StreamExists,
}

/// One of several appends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    /// The stream.
    pub stream: StreamName,
    /// What the writer believes about it.
    pub expected: Expected,
    /// At least one event.
    pub events: Vec<NewEvent>,
}

/// A durable append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The revision of the last event written.
    pub revision: u64,
    /// The position of the last event written.
    pub position: Position,
}

/// Which way to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the oldest.
    Forwards,
    /// From the newest.
    Backwards,
}

/// Which streams a reader of the whole log wants: those whose name begins with one of the prefixes; all, if there are none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Beginnings of stream names, such as `constructionPermit-`.
    pub prefixes: Vec<String>,
}

impl Filter {
    /// Every stream.
    pub fn all() -> Self {
        Self::default()
    }

    /// Streams whose names begin with one of these.
    pub fn prefixes<S: Into<String>>(prefixes: impl IntoIterator<Item = S>) -> Self {
        Self {
            prefixes: prefixes.into_iter().map(Into::into).collect(),
        }
    }

    /// Whether this reader wants that stream.
    pub fn wants(&self, stream: &str) -> bool {
        self.prefixes.is_empty() || self.prefixes.iter().any(|prefix| stream.starts_with(prefix.as_str()))
    }
}

/// A piece of the whole log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// What the filter let through, in log order.
    pub events: Vec<RecordedEvent>,
    /// How far the log was looked through: the next page starts after it. The last position seen before, if nothing was.
    pub position: Option<Position>,
    /// Whether that was the end of the log when it was read.
    pub end: bool,
}

/// Why a store did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum StoreError {
    /// Somebody else wrote first. Read on and decide again.
    #[error("stream {stream} is at {actual:?}, not at {expected:?}: somebody wrote to it first")]
    WrongRevision {
        /// The stream.
        stream: StreamName,
        /// What the writer believed.
        expected: Expected,
        /// The revision of its last event; none, if it has no event.
        actual: Option<u64>,
    },
    /// The request breaks a named limit of the contract.
    #[error("{0}")]
    TooLarge(String),
    /// The store cannot take writes now (disk full, connection lost). Nothing was promised; try again.
    #[error("the event store is not available: {0}")]
    Unavailable(String),
    /// What was read is not what was written: bytes, order or chain are broken at this place.
    #[error("the event store is damaged at {stream} revision {revision} (position {}): {reason}", position.0)]
    Damaged {
        /// The stream.
        stream: String,
        /// The event's revision.
        revision: u64,
        /// Its position.
        position: Position,
        /// What does not fit.
        reason: String,
    },
}

/// What the platform asks of an event store.
#[async_trait]
pub trait EventStore: Send + Sync + 'static {
    /// Appends all of the events, or none, after the expected revision. Returns when they are durable.
    ///
    /// With `NoStream` or `Revision`, the same event ids again at the same place succeed with the first answer, even
    /// when others have written since. One id that fits and one that does not is a `WrongRevision`.
    /// With `Any` or `StreamExists`, the store remembers the ids of recent events only: all of them known in this stream
    /// is the first answer again, some of them is a `WrongRevision`, none of them is a new append.
    ///
    /// Dropped while it waits, or `Unavailable`: it may have been written all the same; ask again with the same ids.
    async fn append(&self, stream: &StreamName, expected: Expected, events: Vec<NewEvent>) -> Result<Appended, StoreError>;

    /// Appends to several different streams, in this order also in the log, and returns when all of it is durable. When
    /// one is refused, those before it may have been written or not: ask for each of them again, with the same ids.
    async fn append_in_order(&self, appends: Vec<Append>) -> Result<Vec<Appended>, StoreError> {
        let mut appended = Vec::with_capacity(appends.len());
        for Append {
            stream,
            expected,
            events,
        } in appends
        {
            appended.push(self.append(&stream, expected, events).await?);
        }
        Ok(appended)
    }

    /// Up to `limit` events of a stream, beginning with revision `from` (backwards: `u64::MAX` is the newest).
    /// Checksums and the hash chain of what is returned have been verified. A stream never written reads as empty.
    /// Fewer events than asked for (and than [`MAX_EVENTS_PER_READ`]) means that the stream has no more that way.
    async fn read_stream(
        &self,
        stream: &StreamName,
        from: u64,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError>;

    /// Up to `limit` events of the whole log after a position (from the beginning, if none). Checksums verified.
    /// A page may hold fewer, or none, before the end of the log: go on after its position until it says `end`.
    async fn read_all(&self, after: Option<Position>, limit: usize, filter: &Filter) -> Result<Page, StoreError>;

    /// The position of the newest event; none, if the log is empty.
    async fn head(&self) -> Result<Option<Position>, StoreError>;

    /// Follows the log after a position, first the past, then what is appended, without a gap.
    async fn follow(&self, after: Option<Position>, filter: Filter) -> Result<Box<dyn Follow>, StoreError>;
}

/// A reader that walks along the log for as long as it likes.
#[async_trait]
pub trait Follow: Send {
    /// Waits until there is something new, and returns up to `limit` events of it. A page may be empty when the log
    /// moved on without anything for this reader. Cancel-safe: a dropped wait loses nothing.
    async fn next(&mut self, limit: usize) -> Result<Page, StoreError>;
}
