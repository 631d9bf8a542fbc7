//! Reading: a few connections, each verifying what it hands out.

use std::{
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::{Bytes, BytesMut};
use event_store_contract::{Direction, Filter, Page, Position, RecordedEvent, StoreError, StreamName, proof::GENESIS};
use lru::LruCache;
use rusqlite::{Connection, ErrorCode};

use crate::{
    OpenError,
    interned::{EventNames, KnownStreams, MAX_KNOWN_STREAMS, StreamNames, event_name},
    record::{Broken, COLUMNS, Record},
    schema,
};

/// The most idle connections that are kept; under load there are as many as there are readers.
const MAX_IDLE_READERS: usize = 8;
/// The most events that one page looks through, whatever its filter lets pass.
const MAX_LOOKED_THROUGH: usize = 100_000;
/// The most bytes in one page of the log; an event that goes over it is the page's last.
const MAX_PAGE_BYTES: usize = 64 * 1024 * 1024;
/// Events read together share blocks of this size: small for a stream, for who keeps one event keeps its block.
const STREAM_BLOCK_BYTES: usize = 16 * 1024;
/// Readers of the whole log work through their blocks in order and let them go.
const PAGE_BLOCK_BYTES: usize = 256 * 1024;

/// The connections that read, and what they share.
pub(crate) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Reader>>,
    streams: KnownStreams,
    closed: AtomicBool,
}

/// A connection, and the names of events that it has met.
struct Reader {
    connection: Connection,
    event_names: EventNames,
}

impl Readers {
    pub(crate) fn new(path: &Path) -> Result<Self, OpenError> {
        let readers = Self {
            path: path.to_owned(),
            idle: Mutex::default(),
            streams: Mutex::new(LruCache::sparse(MAX_KNOWN_STREAMS)),
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
    fn with<T>(&self, read: impl FnOnce(&mut Reader) -> Result<T, StoreError>) -> Result<T, StoreError> {
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
            Direction::Forwards => reader.read_forwards(stream, from, limit),
            Direction::Backwards => {
                let Some(last) = reader.last_revision(stream)? else {
                    return Ok(Vec::new());
                };
                let newest = from.min(last);
                let oldest = (newest + 1).saturating_sub(limit as u64);
                let count = usize::try_from(newest - oldest + 1).unwrap_or(limit);
                let mut events = reader.read_forwards(stream, oldest, count)?;
                events.reverse();
                Ok(events)
            }
        })
    }

    /// Up to `limit` events of the whole log after a position, checksums verified.
    pub(crate) fn read_all(&self, after: Option<Position>, limit: usize, filter: &Filter) -> Result<Page, StoreError> {
        self.with(|reader| reader.read_page(after, limit, filter, &self.streams))
    }
}

impl Reader {
    fn last_revision(&self, stream: &StreamName) -> Result<Option<u64>, StoreError> {
        let read = || {
            self.connection
                .prepare_cached("SELECT max(rev) FROM events WHERE stream_id = (SELECT id FROM streams WHERE name = ?1)")?
                .query_row([stream.as_str()], |row| row.get::<_, Option<u64>>(0))
        };
        read().map_err(|error| unreadable(&error, stream.as_str(), 0, 0))
    }

    /// Ascending from a revision. The event before it is read too, for the chain begins there.
    fn read_forwards(&mut self, stream: &StreamName, from: u64, limit: usize) -> Result<Vec<RecordedEvent>, StoreError> {
        let Self { connection, event_names } = self;
        let (mut revision, mut previous) = match from.checked_sub(1) {
            None => (0, Some(GENESIS)),
            Some(before) => (before, None),
        };
        let Ok(first) = i64::try_from(revision) else {
            return Ok(Vec::new());
        };
        let rows_wanted = i64::try_from(limit)
            .unwrap_or(i64::MAX)
            .saturating_add(i64::from(previous.is_none()));
        let mut events = Vec::new();
        let mut block = BytesMut::new();
        let mut read = || -> Result<(), ReadError> {
            let mut statement = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM events WHERE stream_id = (SELECT id FROM streams WHERE name = ?1) AND rev >= ?2
                 ORDER BY rev LIMIT ?3"
            ))?;
            let mut rows = statement.query((stream.as_str(), first, rows_wanted))?;
            while let Some(row) = rows.next()? {
                let record = Record::of(row).map_err(|broken| Broken { revision, ..broken })?;
                if record.revision != revision {
                    return Err(record
                        .broken(format!("the events from revision {revision} to here are missing"))
                        .into());
                }
                record.verify_checksum(stream.as_str())?;
                if let Some(previous) = &previous {
                    record.verify_chain(previous, stream.as_str())?;
                    events.push(recorded(
                        &record,
                        stream.clone(),
                        event_names,
                        &mut block,
                        STREAM_BLOCK_BYTES,
                    )?);
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

    fn read_page(
        &mut self,
        after: Option<Position>,
        limit: usize,
        filter: &Filter,
        known: &KnownStreams,
    ) -> Result<Page, StoreError> {
        let Self { connection, event_names } = self;
        let start = after.unwrap_or_default().0;
        let mut page = Page {
            events: Vec::with_capacity(limit.min(1_024)),
            position: after,
            end: true,
        };
        let Ok(start_column) = i64::try_from(start) else {
            return Ok(page);
        };
        let mut last = start;
        let mut streams = StreamNames {
            connection,
            known,
            latest: None,
        };
        let mut block = BytesMut::new();
        let mut read = |page: &mut Page| -> Result<(), ReadError> {
            let mut statement =
                connection.prepare_cached(&format!("SELECT {COLUMNS} FROM events WHERE pos > ?1 ORDER BY pos"))?;
            let mut rows = statement.query([start_column])?;
            let (mut looked_through, mut bytes) = (0, 0);
            while let Some(row) = rows.next()? {
                if page.events.len() >= limit || looked_through >= MAX_LOOKED_THROUGH || bytes >= MAX_PAGE_BYTES {
                    page.end = false;
                    break;
                }
                let record = Record::of(row)?;
                if record.position != last + 1 {
                    return Err(record
                        .broken(format!("the events from position {} to here are missing", last + 1))
                        .into());
                }
                let stream = streams
                    .name(record.stream_id)?
                    .ok_or_else(|| record.broken("its stream has no name"))?;
                if filter.wants(stream.as_str()) {
                    record
                        .verify_checksum(stream.as_str())
                        .map_err(|broken| ReadError::In(stream.clone(), broken))?;
                    bytes += record.data.len() + record.metadata.len();
                    page.events
                        .push(recorded(&record, stream, event_names, &mut block, PAGE_BLOCK_BYTES)?);
                }
                last = record.position;
                looked_through += 1;
            }
            Ok(())
        };
        let outcome = read(&mut page);
        outcome.map_err(|error| error.at("a stream that cannot be told", 0, last + 1))?;
        if last > start {
            page.position = Some(Position(last));
        }
        Ok(page)
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

fn recorded(
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
