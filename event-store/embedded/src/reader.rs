//! Reading: a few connections, each verifying what it hands out.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::{Bytes, BytesMut};
use event_store_contract::{Direction, Position, RecordedEvent, StoreError, StreamName, proof::GENESIS};
use lru::LruCache;
use rusqlite::{Connection, ErrorCode};

use crate::{
    OpenError,
    interned::{EventNames, KnownStreams, MAX_KNOWN_STREAMS, event_name},
    record::{Broken, COLUMNS, Record, TOMBSTONE_REVISION},
    removed::beginning,
    schema,
    wide::Metadatas,
};

/// The most idle connections that are kept; under load there are as many as there are readers.
const MAX_IDLE_READERS: usize = 8;
/// Events read together share blocks of this size: small for a stream, for who keeps one event keeps its block.
pub(crate) const STREAM_BLOCK_BYTES: usize = 16 * 1024;

/// The connections that read, and what they share.
pub(crate) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Reader>>,
    pub(crate) streams: KnownStreams,
    /// What is known of streams; none, if another process writes and tells nobody.
    pub(crate) metadatas: Option<Arc<Metadatas>>,
    closed: AtomicBool,
}

/// A connection, and the names of events that it has met.
pub(crate) struct Reader {
    pub(crate) connection: Connection,
    pub(crate) event_names: EventNames,
}

impl Readers {
    pub(crate) fn new(path: &Path, metadatas: Option<Arc<Metadatas>>) -> Result<Self, OpenError> {
        let readers = Self {
            path: path.to_owned(),
            idle: Mutex::default(),
            streams: Mutex::new(LruCache::sparse(MAX_KNOWN_STREAMS)),
            metadatas,
            closed: AtomicBool::new(false),
        };
        let first = readers.open()?;
        lock(&readers.idle).push(first);
        Ok(readers)
    }

    fn open(&self) -> Result<Reader, OpenError> {
        Ok(Reader {
            connection: schema::open_reader(&self.path)?,
            event_names: EventNames::new(),
        })
    }

    /// Lets the idle connections go, and refuses to read from now on.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        lock(&self.idle).clear();
    }

    /// Reads with a connection that nobody else is using.
    pub(crate) fn with<T>(&self, read: impl FnOnce(&mut Reader) -> Result<T, StoreError>) -> Result<T, StoreError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(StoreError::Unavailable("it was closed".into()));
        }
        let idle = lock(&self.idle).pop();
        let mut reader = match idle {
            Some(reader) => reader,
            None => self.open().map_err(|error| StoreError::Unavailable(error.to_string()))?,
        };
        let answer = read(&mut reader);
        let mut idle = lock(&self.idle);
        if idle.len() < MAX_IDLE_READERS && !self.closed.load(Ordering::Acquire) {
            idle.push(reader);
        }
        answer
    }

    /// Lets somebody else of this house read with a connection of its own kind.
    pub(crate) fn with_connection<T>(&self, read: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.with(|reader| read(&reader.connection))
    }

    pub(crate) fn head(&self) -> Result<u64, StoreError> {
        self.with(|reader| last_position(&reader.connection).map_err(|error| unreadable(&error, "the log", 0, 0)))
    }

    /// Up to `limit` events, checksums and chain verified.
    pub(crate) fn read_stream(
        &self,
        stream: &StreamName,
        from: u64,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        self.with(|reader| match direction {
            Direction::Forwards => reader.read_forwards(stream, from, u64::MAX, limit),
            Direction::Backwards => {
                let Some(last) = reader.last_revision(stream)? else {
                    return Ok(Vec::new());
                };
                let newest = from.min(last);
                let oldest = (newest + 1).saturating_sub(limit as u64);
                let count = usize::try_from(newest - oldest + 1).unwrap_or(limit);
                let mut events = reader.read_forwards(stream, oldest, newest, count)?;
                events.reverse();
                Ok(events)
            }
        })
    }
}

impl Reader {
    /// The last revision of a stream, without the event that ended it for ever, if there is one.
    fn last_revision(&self, stream: &StreamName) -> Result<Option<u64>, StoreError> {
        let read = || {
            self.connection
                .prepare_cached(
                    "SELECT max(rev) FROM events WHERE stream_id = (SELECT id FROM streams WHERE name = ?1) AND rev < ?2",
                )?
                .query_row((stream.as_str(), TOMBSTONE_REVISION), |row| row.get::<_, Option<u64>>(0))
        };
        read().map_err(|error| unreadable(&error, stream.as_str(), 0, 0))
    }

    /// Ascending from one revision to another, both included. The event before them is read too, for the chain begins
    /// there. An event that ended the stream for ever is none of the stream's.
    fn read_forwards(&mut self, stream: &StreamName, from: u64, to: u64, limit: usize) -> Result<Vec<RecordedEvent>, StoreError> {
        let Self { connection, event_names } = self;
        let (mut revision, mut previous) = match from.checked_sub(1) {
            None => (0, Some(GENESIS)),
            Some(before) => (before, None),
        };
        let Ok(first) = i64::try_from(revision) else {
            return Ok(Vec::new());
        };
        let last = to.min(TOMBSTONE_REVISION - 1);
        let rows_wanted = i64::try_from(limit)
            .unwrap_or(i64::MAX)
            .saturating_add(i64::from(previous.is_none()));
        let mut events = Vec::new();
        let mut block = BytesMut::new();
        let mut read = || -> Result<(), ReadError> {
            let mut statement = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM events WHERE stream_id = (SELECT id FROM streams WHERE name = ?1)
                 AND rev >= ?2 AND rev <= ?3 ORDER BY rev LIMIT ?4"
            ))?;
            let mut rows = statement.query((stream.as_str(), first, last, rows_wanted))?;
            let mut first_of_all = true;
            while let Some(row) = rows.next()? {
                let record = Record::of(row).map_err(|broken| Broken { revision, ..broken })?;
                if record.revision != revision {
                    // What comes first may be where the chain of a scavenged stream begins.
                    let begins = if first_of_all {
                        beginning(connection, record.stream_id)?
                    } else {
                        None
                    };
                    let Some(begins) = begins.filter(|begins| begins.revision == record.revision) else {
                        return Err(record
                            .broken(format!("the events from revision {revision} to here are missing"))
                            .into());
                    };
                    (revision, previous) = (begins.revision, Some(begins.hash));
                }
                first_of_all = false;
                record.verify_checksum(stream.as_str())?;
                if let Some(previous) = &previous {
                    record.verify_chain(previous, stream.as_str())?;
                    if events.len() < limit {
                        let event = recorded(&record, stream.clone(), event_names, &mut block, STREAM_BLOCK_BYTES)?;
                        events.push(event);
                    }
                }
                previous = Some(record.hash);
                revision += 1;
            }
            Ok(())
        };
        let outcome = read();
        outcome.map_err(|error| error.at(stream.as_str(), revision, 0))?;
        Ok(events)
    }
}

/// Why a read ended early: SQLite's own error, or an event that does not fit.
pub(crate) enum ReadError {
    Sqlite(rusqlite::Error),
    Broken(Broken),
    In(StreamName, Broken),
}

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Broken> for ReadError {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl ReadError {
    /// The error as the contract tells it, given where the reader was.
    pub(crate) fn at(self, stream: &str, revision: u64, position: u64) -> StoreError {
        match self {
            Self::Sqlite(error) => unreadable(&error, stream, revision, position),
            Self::Broken(broken) => Broken::at(stream, broken),
            Self::In(stream, broken) => Broken::at(stream, broken),
        }
    }
}

/// Whether SQLite met a page of the file that does not hang together.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

/// What does not hang together is damage; anything else passes.
pub(crate) fn unreadable(error: &rusqlite::Error, stream: &str, revision: u64, position: u64) -> StoreError {
    if !is_damage(error) {
        return StoreError::Unavailable(error.to_string());
    }
    let reason = format!("the file cannot be read there: {error}");
    Broken::at(
        stream,
        Broken {
            position,
            revision,
            reason,
        },
    )
}

pub(crate) fn last_position(connection: &Connection) -> rusqlite::Result<u64> {
    let newest = connection
        .prepare_cached("SELECT max(pos) FROM events")?
        .query_row([], |row| row.get::<_, Option<u64>>(0))?;
    Ok(newest.unwrap_or_default())
}

/// The event of a row, its bytes copied into a block that it shares with those before it.
pub(crate) fn recorded(
    record: &Record<'_>,
    stream: StreamName,
    event_names: &mut EventNames,
    block: &mut BytesMut,
    block_bytes: usize,
) -> Result<RecordedEvent, Broken> {
    let needed = record.data.len() + record.metadata.len();
    if block.capacity() < needed {
        *block = BytesMut::with_capacity(needed.max(block_bytes));
    }
    Ok(RecordedEvent {
        id: record.id,
        stream,
        revision: record.revision,
        position: Position(record.position),
        name: event_name(record.name, event_names),
        data: keep(record.data, block),
        metadata: keep(record.metadata, block),
        created: record.created()?,
        hash: Some(record.hash),
    })
}

fn keep(bytes: &[u8], block: &mut BytesMut) -> Bytes {
    if bytes.is_empty() {
        return Bytes::new();
    }
    block.extend_from_slice(bytes);
    block.split().freeze()
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
