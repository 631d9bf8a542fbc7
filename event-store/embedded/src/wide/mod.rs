//! The wide door: what the protocol asks of a store beside the contract. Several streams at once, deletion, truncation,
//! streams that are lists of other events, and what a reader from outside gets to see of all this.

mod index;
mod links;
mod lists;
mod log;
mod metadata;
mod seen;

use chrono::{DateTime, Utc};
use event_store_contract::{
    Appended, Direction, Expected, MAX_APPEND_BYTES, MAX_EVENT_BYTES, MAX_EVENTS_PER_READ, NewEvent, Position, RecordedEvent,
    StoreError, StreamName,
};
use tokio::sync::watch;

pub use metadata::{Acl, KeptWhole, METADATA_NAME, StreamMetadata};

pub(crate) use index::Index;
pub(crate) use metadata::{Metadatas, any as any_metadata, metadata_stream, newest, subject};
pub(crate) use seen::{Window, first_in};

use crate::{
    EmbeddedStore,
    record::TOMBSTONE_REVISION,
    request::{Answered, Asked, Part},
};

/// The name of an event that stands for another one: its data is `revision@stream`.
pub const LINK_NAME: &str = "$>";

/// An event on its way in, with what the protocol knows beside the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The event.
    pub event: NewEvent,
    /// Whether its data is JSON, as its writer says.
    pub is_json: bool,
}

impl From<NewEvent> for Draft {
    fn from(event: NewEvent) -> Self {
        Self { event, is_json: true }
    }
}

/// Events for one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The stream.
    pub stream: StreamName,
    /// What the writer believes about it.
    pub expected: Expected,
    /// At least one.
    pub events: Vec<Draft>,
}

/// A condition on a stream, which need not be one that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The stream.
    pub stream: StreamName,
    /// What has to be true of it.
    pub expected: Expected,
}

/// Why a write was refused.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum Refusal {
    /// Somebody else wrote first.
    #[error("stream {stream} is at {actual:?}, not at {expected:?}: somebody wrote to it first")]
    WrongRevision {
        /// The stream.
        stream: StreamName,
        /// What the writer believed.
        expected: Expected,
        /// The revision of its last event; none, if it has no event.
        actual: Option<u64>,
    },
    /// The writer believes that the stream exists, but it was deleted.
    #[error("stream {stream} was deleted")]
    Deleted {
        /// The stream.
        stream: StreamName,
    },
    /// The stream was ended for ever.
    #[error("stream {stream} was deleted for ever: use another name")]
    Tombstoned {
        /// The stream.
        stream: StreamName,
    },
    /// The store itself makes this stream, or it says something of another one.
    #[error("stream {stream} belongs to the store: that cannot be done to it")]
    Reserved {
        /// The stream.
        stream: StreamName,
    },
    /// The stream comes twice in one write; the second time has to expect `Any`, for it follows the first.
    #[error("stream {stream} comes twice in one write, and the second time with an expectation of its own")]
    Twice {
        /// The stream.
        stream: StreamName,
    },
    /// As in the contract.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Refusal> for StoreError {
    /// For those who know the contract only: a stream that was ended is a stream at a revision that they cannot know.
    fn from(refusal: Refusal) -> Self {
        let unknowable = |stream, actual| Self::WrongRevision {
            stream,
            expected: Expected::Any,
            actual,
        };
        match refusal {
            Refusal::WrongRevision {
                stream,
                expected,
                actual,
            } => Self::WrongRevision {
                stream,
                expected,
                actual,
            },
            Refusal::Deleted { stream } => Self::WrongRevision {
                stream,
                expected: Expected::StreamExists,
                actual: None,
            },
            Refusal::Tombstoned { stream } => unknowable(stream, Some(TOMBSTONE_REVISION)),
            Refusal::Reserved { stream } | Refusal::Twice { stream } => unknowable(stream, None),
            Refusal::Store(error) => error,
        }
    }
}

/// Whether a stream can be read, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// Nothing was ever written to it.
    Missing,
    /// It was deleted, and goes on where it ended when somebody writes to it.
    SoftDeleted,
    /// It was ended for ever.
    Tombstoned,
    /// It can be read, though perhaps nothing is left to be seen.
    Live,
}

/// Where a stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamHead {
    /// Whether it can be read.
    pub life: Life,
    /// The revision of its last event, also when that is not to be seen any more.
    pub last: Option<u64>,
}

/// An event as a reader from outside sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The event; of a resolved link, the one it leads to. None only if links were to be resolved and this one leads to
    /// nothing that can be seen: then there is only the link.
    pub event: Option<RecordedEvent>,
    /// Whether the event's data is JSON, as its writer said.
    pub is_json: bool,
    /// The link that was followed, or that could not be followed.
    pub link: Option<RecordedEvent>,
}

/// A piece of a stream as a reader from outside sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenStream {
    /// Whether it can be read; there are no events if it is not live.
    pub life: Life,
    /// The events, in the direction of reading.
    pub events: Vec<Seen>,
    /// The revision of the first event that can be seen.
    pub first: Option<u64>,
    /// The revision of the stream's last event.
    pub last: Option<u64>,
    /// Whether there is nothing more in that direction.
    pub end: bool,
}

/// Where to begin to read the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFrom {
    /// With the oldest event.
    Start,
    /// With the newest event, backwards; forwards there is nothing from here.
    End,
    /// With the event at this position, if there is one, in either direction.
    At(Position),
    /// With the event that follows this position in the direction of reading: so the next page begins.
    After(Position),
}

/// A piece of the log as a reader from outside sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    /// What was wanted, in the direction of reading.
    pub events: Vec<Seen>,
    /// How far the log was looked through: the next page begins after it. None, if nothing was looked at.
    pub position: Option<Position>,
    /// Whether there is nothing more in that direction.
    pub end: bool,
    /// How many events were looked at.
    pub looked_through: u64,
}

/// How far the log has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The position of the newest committed event; 0, if there is none.
    pub head: u64,
    /// Whether the store was closed.
    pub closed: bool,
}

/// Whether the store itself makes this stream, as a list of other events.
pub fn is_virtual(stream: &str) -> bool {
    stream == "$streams" || stream.starts_with("$ce-") || stream.starts_with("$et-")
}

impl EmbeddedStore {
    /// Writes to one or several streams: all of it, or nothing, in one commit, in the order given. Answers as many times
    /// as there are writes. The same again, with the same event ids, succeeds with the first answer; if some of the
    /// streams have it already and others do not, it is a `WrongRevision`.
    /// The checks are made in the same moment; they do not matter to what was written before.
    pub async fn write(&self, mut writes: Vec<Write>, checks: Vec<Check>) -> Result<Vec<Appended>, Refusal> {
        check_writes(&writes)?;
        if writes.len() == 1
            && checks.is_empty()
            && let Some(Write {
                stream,
                expected,
                events,
            }) = writes.pop()
        {
            let appended = self.ask(Asked::Append(Part::new(stream, expected, events))).await?;
            return Ok(appended.all());
        }
        let parts = writes
            .into_iter()
            .map(|write| Part::new(write.stream, write.expected, write.events))
            .collect();
        Ok(self.ask(Asked::Several { parts, checks }).await?.all())
    }

    /// Keeps these streams whole from now on: whatever is said about them, all of their events are seen, none is taken out,
    /// and nobody deletes them. Said once, when the store is opened; one that only reads has no need of it.
    pub fn keep_whole(&self, which: KeptWhole) {
        if let Some(metadatas) = &self.0.readers.metadatas {
            metadatas.keep_whole(which);
        }
    }

    /// Deletes a stream until somebody writes to it again. Its revisions go on, its events are seen no more.
    pub async fn delete(&self, stream: &StreamName, expected: Expected) -> Result<Position, Refusal> {
        let stream = stream.clone();
        Ok(self.ask(Asked::Delete { stream, expected }).await?.last().position)
    }

    /// Ends a stream for ever: it can be neither read nor written.
    pub async fn tombstone(&self, stream: &StreamName, expected: Expected) -> Result<Position, Refusal> {
        let stream = stream.clone();
        Ok(self.ask(Asked::Tombstone { stream, expected }).await?.last().position)
    }

    async fn ask(&self, asked: Asked) -> Result<Answered, Refusal> {
        match &self.0.writing {
            Some(writing) => writing.group.ask(asked).await,
            None => Err(StoreError::Unavailable("it was opened for reading only".into()).into()),
        }
    }

    /// Up to `limit` events of a stream, on the calling thread, beginning with revision `from` (backwards: `u64::MAX` is
    /// the newest): without what was deleted, truncated or has become too old at `now`. Checksums verified.
    /// `$ce-…`, `$et-…` and `$streams` are lists that the store keeps; the first time that one of them is read takes long.
    /// A page may hold fewer events than asked for: go on after its last until it says `end`.
    pub fn stream_as_seen(
        &self,
        stream: &StreamName,
        from: u64,
        direction: Direction,
        limit: usize,
        resolve_links: bool,
        now: DateTime<Utc>,
    ) -> Result<SeenStream, StoreError> {
        let asked = seen::Asked {
            stream,
            from,
            direction,
            limit: limit.min(MAX_EVENTS_PER_READ),
            resolve_links,
            now,
        };
        if is_virtual(stream.as_str()) {
            return self.0.index.read(&self.0.readers, &asked);
        }
        self.0.readers.stream_as_seen(&asked)
    }

    /// Up to `limit` events of the log, on the calling thread, of those whose stream and name are wanted: all that was
    /// not scavenged, also of deleted streams. Looks through at most so many. Checksums verified.
    #[expect(clippy::too_many_arguments, reason = "each of them says one thing about what is wanted")]
    pub fn log_as_seen(
        &self,
        from: LogFrom,
        direction: Direction,
        limit: usize,
        max_looked_through: u64,
        wants: &dyn Fn(&str, &str) -> bool,
        resolve_links: bool,
        now: DateTime<Utc>,
    ) -> Result<LogPage, StoreError> {
        let asked = log::Asked {
            from,
            direction,
            limit: limit.min(MAX_EVENTS_PER_READ),
            max_looked_through,
            resolve_links,
            now,
        };
        self.0.readers.log_as_seen(&asked, wants)
    }

    /// What a stream's metadata say now. Kept in memory: may be asked at every call.
    pub fn metadata(&self, stream: &StreamName) -> Result<Option<StreamMetadata>, StoreError> {
        Ok(self.0.readers.metadata(stream)?.as_deref().cloned())
    }

    /// Where a stream stands.
    pub fn stream_head(&self, stream: &StreamName) -> Result<StreamHead, StoreError> {
        if is_virtual(stream.as_str()) {
            return self.0.index.head(&self.0.readers, stream);
        }
        self.0.readers.stream_head(stream)
    }

    /// The news of how far the log has come, for those who follow it. A store that was opened for reading only has no
    /// news: it says that it is closed.
    pub fn committed(&self) -> watch::Receiver<Committed> {
        match &self.0.writing {
            Some(writing) => writing.group.news(),
            None => watch::Sender::new(Committed { head: 0, closed: true }).subscribe(),
        }
    }
}

/// Refuses a write that breaks a limit, or touches what is the store's own.
fn check_writes(writes: &[Write]) -> Result<(), Refusal> {
    let too_large = |reason: String| Err(StoreError::TooLarge(reason).into());
    let mut total: usize = 0;
    for Write { stream, events, .. } in writes {
        if is_virtual(stream.as_str()) {
            return Err(Refusal::Reserved { stream: stream.clone() });
        }
        if events.is_empty() {
            return too_large(format!("an append has at least one event; the one to {stream} has none"));
        }
        for Draft { event, .. } in events {
            let bytes = event.name.len() + event.data.len() + event.metadata.len();
            if bytes > MAX_EVENT_BYTES {
                return too_large(format!(
                    "an event has at most {MAX_EVENT_BYTES} bytes; {} {} has {bytes}",
                    event.name, event.id
                ));
            }
            total += bytes;
        }
    }
    if writes.is_empty() {
        return too_large("an append has at least one event; this one has none".into());
    }
    if total > MAX_APPEND_BYTES {
        return too_large(format!(
            "an append has at most {MAX_APPEND_BYTES} bytes; this one has {total}: split it"
        ));
    }
    Ok(())
}
