//! A stream as a reader from outside sees it: without what was deleted, truncated or has become too old.

use bytes::BytesMut;
use chrono::{DateTime, TimeDelta, Utc};
use event_store_contract::{Direction, RecordedEvent, StoreError, StreamName};
use rusqlite::{Connection, params};

use super::{Life, Seen, SeenStream, StreamHead, StreamMetadata, subject};
use crate::{
    interned::{KnownStreams, StreamNames},
    pages::MAX_PAGE_BYTES,
    reader::{ReadError, Reader, Readers, STREAM_BLOCK_BYTES, recorded, unreadable},
    record::{COLUMNS, Record, TOMBSTONE_REVISION},
};

/// What is wanted of a stream.
pub(crate) struct Asked<'a> {
    pub(crate) stream: &'a StreamName,
    pub(crate) from: u64,
    pub(crate) direction: Direction,
    pub(crate) limit: usize,
    pub(crate) resolve_links: bool,
    pub(crate) now: DateTime<Utc>,
}

/// What of a stream can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// No revision before this one.
    pub(crate) oldest: u64,
    /// Nothing that was recorded before this moment.
    pub(crate) since_us: Option<i64>,
}

impl Window {
    /// Of a stream with these metadata and this last revision. Of metadata themselves, only the last can be seen.
    pub(crate) fn new(stream: &StreamName, metadata: Option<&StreamMetadata>, last: u64, now: DateTime<Utc>) -> Self {
        if subject(stream.as_str()).is_some() {
            return Self {
                oldest: last,
                since_us: None,
            };
        }
        let by_count = metadata
            .and_then(|metadata| metadata.max_count)
            .map(|count| (last + 1).saturating_sub(count));
        let by_truncation = metadata.and_then(|metadata| metadata.truncate_before);
        let max_age = metadata
            .and_then(|metadata| metadata.max_age)
            .and_then(|age| TimeDelta::from_std(age).ok());
        Self {
            oldest: by_count.max(by_truncation).unwrap_or_default(),
            since_us: max_age
                .and_then(|age| now.checked_sub_signed(age))
                .map(|since| since.timestamp_micros()),
        }
    }

    fn shows(&self, record: &Record<'_>) -> bool {
        record.revision >= self.oldest && self.since_us.is_none_or(|since| record.created_us >= since)
    }
}

/// A stream that has events, as it stands in the file.
struct Standing {
    stream_id: i64,
    last: u64,
}

impl Readers {
    pub(crate) fn stream_head(&self, stream: &StreamName) -> Result<StreamHead, StoreError> {
        let metadata = self.metadata(stream)?;
        self.with(|reader| {
            let (life, standing) = life(&reader.connection, stream, metadata.as_deref())?;
            Ok(StreamHead {
                life,
                last: standing.map(|standing| standing.last),
            })
        })
    }

    pub(crate) fn stream_as_seen(&self, asked: &Asked<'_>) -> Result<SeenStream, StoreError> {
        // First what is said of the stream, then where it stands: so a write between the two cannot show what was
        // deleted before it.
        let metadata = self.metadata(asked.stream)?;
        self.with(|reader| {
            let (life, standing) = life(&reader.connection, asked.stream, metadata.as_deref())?;
            let (Life::Live, Some(standing)) = (life, &standing) else {
                return Ok(SeenStream {
                    life,
                    events: Vec::new(),
                    first: None,
                    last: standing.map(|standing| standing.last),
                    end: true,
                });
            };
            let window = Window::new(asked.stream, metadata.as_deref(), standing.last, asked.now);
            let mut seen = reader.read_window(asked, standing, window)?;
            if asked.resolve_links {
                self.follow_links(reader, &mut seen.events, asked.now)?;
            }
            Ok(seen)
        })
    }

    /// One event of a stream, if it can be seen.
    pub(crate) fn one_as_seen(
        &self,
        reader: &mut Reader,
        stream: &StreamName,
        revision: u64,
        now: DateTime<Utc>,
    ) -> Result<Option<(RecordedEvent, bool)>, StoreError> {
        let metadata = self.metadata(stream)?;
        let (Life::Live, Some(standing)) = life(&reader.connection, stream, metadata.as_deref())? else {
            return Ok(None);
        };
        let window = Window::new(stream, metadata.as_deref(), standing.last, now);
        let Reader { connection, event_names } = reader;
        let mut block = BytesMut::new();
        let mut read = || -> Result<Option<(RecordedEvent, bool)>, ReadError> {
            let Ok(revision) = i64::try_from(revision) else {
                return Ok(None);
            };
            let mut statement =
                connection.prepare_cached(&format!("SELECT {COLUMNS} FROM events WHERE stream_id = ?1 AND rev = ?2"))?;
            let mut rows = statement.query([standing.stream_id, revision])?;
            let Some(row) = rows.next()? else {
                return Ok(None);
            };
            let record = Record::of(row)?;
            if !window.shows(&record) {
                return Ok(None);
            }
            record.verify_checksum(stream.as_str())?;
            let event = recorded(&record, stream.clone(), event_names, &mut block, 0)?;
            Ok(Some((event, record.is_json())))
        };
        read().map_err(|error| error.at(stream.as_str(), revision, 0))
    }
}

/// Whether a stream can be read, and where it stands if it has events.
fn life(
    connection: &Connection,
    stream: &StreamName,
    metadata: Option<&StreamMetadata>,
) -> Result<(Life, Option<Standing>), StoreError> {
    let standing = |name: &str| standing(connection, name).map_err(|error| unreadable(&error, name, 0, 0));
    if let Some(subject) = subject(stream.as_str())
        && standing(subject)?.is_some_and(|subject| subject.last == TOMBSTONE_REVISION)
    {
        return Ok((Life::Tombstoned, standing(stream.as_str())?));
    }
    let standing = standing(stream.as_str())?;
    let life = match &standing {
        None => Life::Missing,
        Some(standing) if standing.last == TOMBSTONE_REVISION => Life::Tombstoned,
        Some(_) if metadata.is_some_and(StreamMetadata::deletes) => Life::SoftDeleted,
        Some(_) => Life::Live,
    };
    Ok((life, standing))
}

fn standing(connection: &Connection, stream: &str) -> rusqlite::Result<Option<Standing>> {
    let mut statement = connection
        .prepare_cached("SELECT id, (SELECT max(rev) FROM events WHERE stream_id = id) FROM streams WHERE name = ?1")?;
    let mut rows = statement.query([stream])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let stream_id = row.get(0)?;
    Ok(row.get::<_, Option<u64>>(1)?.map(|last| Standing { stream_id, last }))
}

impl Reader {
    /// The event at a position, if it is there; its checksum verified.
    pub(crate) fn at_position(&mut self, position: u64, known: &KnownStreams) -> Result<Option<RecordedEvent>, StoreError> {
        let Self { connection, event_names } = self;
        let mut names = StreamNames {
            connection,
            known,
            latest: None,
        };
        let mut read = || -> Result<Option<RecordedEvent>, ReadError> {
            let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM events WHERE pos = ?1"))?;
            let mut rows = statement.query([position])?;
            let Some(row) = rows.next()? else {
                return Ok(None);
            };
            let record = Record::of(row)?;
            let stream = names
                .name(record.stream_id)?
                .ok_or_else(|| record.broken("its stream has no name"))?;
            record.verify_checksum(stream.as_str())?;
            Ok(Some(recorded(&record, stream, event_names, &mut BytesMut::new(), 0)?))
        };
        read().map_err(|error| error.at("a stream that cannot be told", 0, position))
    }

    fn read_window(&mut self, asked: &Asked<'_>, standing: &Standing, window: Window) -> Result<SeenStream, StoreError> {
        let Self { connection, event_names } = self;
        let (stream, last) = (asked.stream, standing.last);
        let first =
            first_in(connection, standing.stream_id, window).map_err(|error| unreadable(&error, stream.as_str(), 0, 0))?;
        let mut seen = SeenStream {
            life: Life::Live,
            events: Vec::new(),
            first,
            last: Some(last),
            end: true,
        };
        let (oldest, newest) = match (asked.direction, first) {
            (_, None) => return Ok(seen),
            (Direction::Forwards, Some(first)) => (asked.from.max(first), last),
            (Direction::Backwards, Some(first)) => (first, asked.from.min(last)),
        };
        if oldest > newest {
            return Ok(seen);
        }
        let order = match asked.direction {
            Direction::Forwards => "ASC",
            Direction::Backwards => "DESC",
        };
        let mut expected = if asked.direction == Direction::Forwards {
            oldest
        } else {
            newest
        };
        let mut block = BytesMut::new();
        let mut read = |seen: &mut SeenStream| -> Result<(), ReadError> {
            let mut statement = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM events WHERE stream_id = ?1 AND rev >= ?2 AND rev <= ?3 AND created >= ?4
                 ORDER BY rev {order}"
            ))?;
            let since_us = window.since_us.unwrap_or(i64::MIN);
            let mut rows = statement.query(params![standing.stream_id, oldest, newest, since_us])?;
            let mut bytes = 0;
            while let Some(row) = rows.next()? {
                if seen.events.len() >= asked.limit || bytes >= MAX_PAGE_BYTES {
                    seen.end = false;
                    break;
                }
                let record = Record::of(row)?;
                if record.revision != expected && window.since_us.is_none() {
                    return Err(record.broken(format!("revision {expected} of its stream is missing")).into());
                }
                record.verify_checksum(stream.as_str())?;
                bytes += record.data.len() + record.metadata.len();
                seen.events.push(Seen {
                    event: Some(recorded(
                        &record,
                        stream.clone(),
                        event_names,
                        &mut block,
                        STREAM_BLOCK_BYTES,
                    )?),
                    is_json: record.is_json(),
                    link: None,
                });
                expected = match asked.direction {
                    Direction::Forwards => record.revision + 1,
                    Direction::Backwards => record.revision.saturating_sub(1),
                };
            }
            Ok(())
        };
        let outcome = read(&mut seen);
        outcome.map_err(|error| error.at(stream.as_str(), expected, 0))?;
        Ok(seen)
    }
}

/// The revision of the first event in a window.
pub(crate) fn first_in(connection: &Connection, stream_id: i64, window: Window) -> rusqlite::Result<Option<u64>> {
    let Ok(oldest) = i64::try_from(window.oldest) else {
        return Ok(None);
    };
    let mut statement = connection
        .prepare_cached("SELECT rev FROM events WHERE stream_id = ?1 AND rev >= ?2 AND created >= ?3 ORDER BY rev LIMIT 1")?;
    let mut rows = statement.query(params![stream_id, oldest, window.since_us.unwrap_or(i64::MIN)])?;
    rows.next()?.map(|row| row.get(0)).transpose()
}
