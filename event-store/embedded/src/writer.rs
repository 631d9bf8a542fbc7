//! Writing: one connection, and in memory what it must know to judge an append without asking the disk.

use std::num::NonZeroUsize;

use chrono::{DateTime, Utc};
use event_store_contract::{
    Appended, Expected, Position, StoreError, StreamName, Verdict, judge,
    proof::{GENESIS, Hash, chain_hash},
};
use lru::LruCache;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use crate::{
    reader::{ReadError, last_position},
    record::{Broken, COLUMNS, Place, Record, whole_checksum},
    request::{Answer, Prepared, Request},
};

/// The most streams whose last event is kept in memory; others are looked up.
const MAX_KNOWN_HEADS: NonZeroUsize = NonZeroUsize::new(65_536).expect("not zero");
/// How many event ids are remembered, to recognise the same append again when it names no revision.
const MAX_RECENT_IDS: NonZeroUsize = NonZeroUsize::new(32_768).expect("not zero");
/// How many of them are read back from the log when the store opens.
const RECENT_IDS_READ_BACK: u64 = 4_096;

/// The one who writes.
pub(crate) struct Writer {
    connection: Connection,
    memory: Memory,
    /// Whether the memory may not agree with the disk, after a failure.
    stale: bool,
}

/// What is known without asking the disk. During a batch it runs ahead of the disk; if the batch fails, it is forgotten.
struct Memory {
    heads: LruCache<StreamName, Head>,
    recent: LruCache<(i64, Uuid), Appended>,
    last_position: u64,
    last_stream_id: i64,
}

/// The last event of a stream.
#[derive(Clone, Copy)]
struct Head {
    stream_id: i64,
    revision: u64,
    hash: Hash,
}

/// Why an append was not written: its own fault, or the disk's, which is everybody's.
enum Refused {
    This(StoreError),
    All(rusqlite::Error),
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        Self::All(error)
    }
}

impl Writer {
    pub(crate) fn new(connection: Connection) -> rusqlite::Result<Self> {
        let memory = Memory::read_back(&connection)?;
        Ok(Self {
            connection,
            memory,
            stale: false,
        })
    }

    pub(crate) fn last_position(&self) -> u64 {
        self.memory.last_position
    }

    /// Writes a batch of appends in one commit and answers each. `publish` hears of the new head before they do.
    pub(crate) fn commit(&mut self, batch: Vec<Request>, now: DateTime<Utc>, publish: impl FnOnce(u64)) {
        let mut waiting = Vec::with_capacity(batch.len());
        let mut answers = Vec::with_capacity(batch.len());
        for Request {
            stream,
            expected,
            events,
            answer,
            ..
        } in batch
        {
            waiting.push(answer);
            answers.push((stream, expected, events));
        }
        let before = self.memory.last_position;
        match self.write(answers, now) {
            Ok(answers) => {
                if self.memory.last_position > before {
                    publish(self.memory.last_position);
                }
                for (waiting, answer) in waiting.into_iter().zip(answers) {
                    let _ = waiting.send(answer);
                }
            }
            Err(error) => {
                tracing::error!(%error, "a commit failed; nothing of it was promised");
                self.forget();
                let reason = StoreError::Unavailable(error.to_string());
                for waiting in waiting {
                    let _ = waiting.send(Err(reason.clone()));
                }
            }
        }
    }

    fn write(&mut self, batch: Vec<(StreamName, Expected, Vec<Prepared>)>, now: DateTime<Utc>) -> rusqlite::Result<Vec<Answer>> {
        if self.stale {
            self.memory = Memory::read_back(&self.connection)?;
            self.stale = false;
        }
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut answers = Vec::with_capacity(batch.len());
        for (stream, expected, events) in batch {
            answers.push(match self.memory.append(&self.connection, &stream, expected, events, now) {
                Ok(appended) => Ok(appended),
                Err(Refused::This(reason)) => Err(reason),
                Err(Refused::All(error)) => return Err(error),
            });
        }
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(answers)
    }

    /// After a failure: nothing in memory counts until it was read back from the disk.
    fn forget(&mut self) {
        self.stale = true;
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "the failed commit could not be rolled back");
        }
        match Memory::read_back(&self.connection) {
            Ok(memory) => (self.memory, self.stale) = (memory, false),
            Err(error) => tracing::error!(%error, "the log cannot be read back; trying again at the next append"),
        }
    }

    /// Brings everything from the write-ahead log into the file, so that a copy of the file alone is whole.
    pub(crate) fn close(self) -> rusqlite::Result<()> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        self.connection.close().map_err(|(_, error)| error)
    }

    /// Makes the disk seem full, for tests.
    #[cfg(test)]
    pub(crate) fn limit_pages(&self, pages: u32) {
        self.connection
            .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
            .expect("a limit on pages");
    }
}

impl Memory {
    fn read_back(connection: &Connection) -> rusqlite::Result<Self> {
        let last_position = last_position(connection)?;
        let last_stream_id = connection.query_row("SELECT ifnull(max(id), 0) FROM streams", [], |row| row.get(0))?;
        let mut recent = LruCache::sparse(MAX_RECENT_IDS);
        let mut statement = connection.prepare("SELECT stream_id, event_id, rev, pos FROM events WHERE pos > ?1 ORDER BY pos")?;
        let mut rows = statement.query([last_position.saturating_sub(RECENT_IDS_READ_BACK)])?;
        while let Some(row) = rows.next()? {
            // An id that cannot be read is not remembered; the readers and `verify` tell of the damage.
            let id: rusqlite::Result<[u8; 16]> = row.get(1);
            if let (Ok(stream_id), Ok(id), Ok(revision), Ok(position)) = (row.get(0), id, row.get(2), row.get(3)) {
                let appended = Appended {
                    revision,
                    position: Position(position),
                };
                recent.put((stream_id, Uuid::from_bytes(id)), appended);
            }
        }
        Ok(Self {
            heads: LruCache::sparse(MAX_KNOWN_HEADS),
            recent,
            last_position,
            last_stream_id,
        })
    }

    fn append(
        &mut self,
        connection: &Connection,
        stream: &StreamName,
        expected: Expected,
        events: Vec<Prepared>,
        now: DateTime<Utc>,
    ) -> Result<Appended, Refused> {
        let head = self.head(connection, stream)?;
        let actual = head.map(|head| head.revision);
        let conflict = || {
            Refused::This(StoreError::WrongRevision {
                stream: stream.clone(),
                expected,
                actual,
            })
        };
        match (judge(expected, actual), head) {
            (Verdict::Conflict, _) => return Err(conflict()),
            (Verdict::Compare { from }, Some(head)) => {
                return compare(connection, head.stream_id, from, &events)?.ok_or_else(conflict);
            }
            (Verdict::Recall, Some(head)) => {
                let known: Vec<_> = events
                    .iter()
                    .filter_map(|new| self.recent.peek(&(head.stream_id, new.event.id)).copied())
                    .collect();
                match known.last() {
                    Some(last) if known.len() == events.len() => return Ok(*last),
                    Some(_) => return Err(conflict()),
                    None => {}
                }
            }
            (Verdict::Write, _) | (_, None) => {}
        }
        Ok(self.insert(connection, stream, head, events, now)?)
    }

    /// The last event of a stream; none, if nothing was ever written to it.
    fn head(&mut self, connection: &Connection, stream: &StreamName) -> Result<Option<Head>, Refused> {
        if let Some(head) = self.heads.get(stream) {
            return Ok(Some(*head));
        }
        let mut statement = connection.prepare_cached("SELECT id FROM streams WHERE name = ?1")?;
        let Some(stream_id) = statement
            .query_row([stream.as_str()], |row| row.get::<_, i64>(0))
            .optional()?
        else {
            return Ok(None);
        };
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM events WHERE stream_id = ?1 ORDER BY rev DESC LIMIT 1"
        ))?;
        let mut rows = statement.query([stream_id])?;
        let Some(row) = rows.next()? else {
            let reason = "the stream is known, but its events are gone".into();
            return Err(Refused::This(Broken::at(
                stream,
                Broken {
                    position: 0,
                    revision: 0,
                    reason,
                },
            )));
        };
        // No new link is forged onto a broken one.
        let verified = Record::of(row).and_then(|record| record.verify_checksum(stream.as_str()).map(|()| record));
        let record = verified.map_err(|broken| Refused::This(ReadError::Broken(broken).at(stream.as_str(), 0, 0)))?;
        let head = Head {
            stream_id,
            revision: record.revision,
            hash: record.hash,
        };
        self.heads.put(stream.clone(), head);
        Ok(Some(head))
    }

    fn insert(
        &mut self,
        connection: &Connection,
        stream: &StreamName,
        head: Option<Head>,
        events: Vec<Prepared>,
        now: DateTime<Utc>,
    ) -> rusqlite::Result<Appended> {
        let (stream_id, mut revision, mut hash) = match head {
            Some(head) => (head.stream_id, head.revision + 1, head.hash),
            None => (self.new_stream(connection, stream)?, 0, GENESIS),
        };
        let created_us = now.timestamp_micros();
        let mut insert = connection.prepare_cached(&format!(
            "INSERT INTO events ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        ))?;
        let mut appended = Appended {
            revision,
            position: Position(self.last_position),
        };
        for Prepared {
            event,
            content,
            checksum,
        } in events
        {
            let position = self.last_position + 1;
            hash = chain_hash(&hash, stream.as_str(), revision, &content);
            let place = Place {
                stream: stream.as_str(),
                revision,
                position,
                created_us,
            };
            let checksum = whole_checksum(checksum, &place, &hash);
            insert.execute(params![
                position,
                stream_id,
                revision,
                created_us,
                checksum,
                event.id.as_bytes(),
                hash,
                &*event.name,
                &event.metadata[..],
                &event.data[..],
            ])?;
            appended = Appended {
                revision,
                position: Position(position),
            };
            self.recent.put((stream_id, event.id), appended);
            self.last_position = position;
            revision += 1;
        }
        let head = Head {
            stream_id,
            revision: appended.revision,
            hash,
        };
        match self.heads.get_mut(stream) {
            Some(known) => *known = head,
            None => {
                self.heads.put(stream.clone(), head);
            }
        }
        Ok(appended)
    }

    fn new_stream(&mut self, connection: &Connection, stream: &StreamName) -> rusqlite::Result<i64> {
        let id = self.last_stream_id + 1;
        connection
            .prepare_cached("INSERT INTO streams (id, name) VALUES (?, ?)")?
            .execute(params![id, stream.as_str()])?;
        self.last_stream_id = id;
        Ok(id)
    }
}

/// The first answer, if all of these events stand from this revision on.
fn compare(connection: &Connection, stream_id: i64, from: u64, events: &[Prepared]) -> rusqlite::Result<Option<Appended>> {
    let mut statement = connection
        .prepare_cached("SELECT event_id, rev, pos FROM events WHERE stream_id = ?1 AND rev >= ?2 ORDER BY rev LIMIT ?3")?;
    let mut rows = statement.query(params![stream_id, from, events.len()])?;
    let mut same = None;
    for new in events {
        match rows.next()? {
            Some(row) if row.get_ref(0)?.as_blob().is_ok_and(|id| id == new.event.id.as_bytes()) => {
                same = Some(Appended {
                    revision: row.get(1)?,
                    position: Position(row.get(2)?),
                });
            }
            _ => return Ok(None),
        }
    }
    Ok(same)
}
