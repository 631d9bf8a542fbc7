//! Looking through the whole store: every checksum, every chain, every place.

use std::collections::HashMap;

use event_store_contract::{
    Position, StoreError, StreamName,
    proof::{GENESIS, Hash},
};
use rusqlite::Connection;

use crate::{
    interned::stream_name,
    reader::{is_damage, last_position},
    record::{Broken, COLUMNS, Record},
    removed::{beginning, count as scavenged, covers},
};

/// How often the progress is told, in events.
const EVENTS_BETWEEN_PROGRESS: u64 = 10_000;
/// The most damages that a report lists; a store with more is not repaired event by event.
const MAX_DAMAGES: usize = 10_000;
/// The most complaints of SQLite about its file that a report lists.
const MAX_COMPLAINTS: usize = 100;

/// How far `verify` has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Events looked at.
    pub events: u64,
    /// Events in the log when it began.
    pub of_events: u64,
}

/// What `verify` found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VerifyReport {
    /// Events that could be read.
    pub events: u64,
    /// Streams that they belong to.
    pub streams: u64,
    /// Bytes of their data and metadata.
    pub bytes: u64,
    /// Events that were scavenged: nothing can be said of what they were, only that nobody else took them out unnoted.
    pub scavenged: u64,
    /// Every damaged or missing event, in log order; the first ten thousand, if there are more.
    pub damages: Vec<Damage>,
    /// What SQLite says about the structure of its file: nothing, if all is well.
    pub complaints: Vec<String>,
}

impl VerifyReport {
    /// Whether every event is what was written, and where it was written.
    pub fn is_whole(&self) -> bool {
        self.damages.is_empty() && self.complaints.is_empty()
    }
}

/// An event that is not what was written, or that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The name of its stream, if it can be told.
    pub stream: Option<StreamName>,
    /// Its revision, if it can be told.
    pub revision: Option<u64>,
    /// Its position.
    pub position: Position,
    /// What does not fit.
    pub reason: String,
}

/// The end of a stream as far as it was looked at.
struct End {
    name: Option<StreamName>,
    revision: u64,
    hash: Hash,
}

/// The walk along the log.
struct Walk<'a> {
    connection: &'a Connection,
    ends: HashMap<i64, End>,
    report: VerifyReport,
    last: u64,
}

/// Looks at the store as it is at one moment, also while others write and scavenge.
pub(crate) fn verify(connection: &Connection, progress: impl FnMut(Verified)) -> Result<VerifyReport, StoreError> {
    connection.execute_batch("BEGIN").map_err(|error| unavailable(&error))?;
    let report = walk_along(connection, progress);
    // A reading transaction has nothing to lose.
    let ended = connection.execute_batch("ROLLBACK").map_err(|error| unavailable(&error));
    report.and_then(|report| ended.map(|()| report))
}

fn walk_along(connection: &Connection, mut progress: impl FnMut(Verified)) -> Result<VerifyReport, StoreError> {
    let of_events = last_position(connection).map_err(|error| unavailable(&error))?;
    let mut walk = Walk {
        connection,
        ends: HashMap::new(),
        report: VerifyReport::default(),
        last: 0,
    };
    while walk.last < of_events {
        let outcome = walk.on(of_events, &mut progress);
        match outcome {
            Ok(()) => break,
            // A page that cannot be read: its events are lost; go on after each.
            Err(error) if is_damage(&error) => {
                walk.damaged(None, None, walk.last + 1, format!("the file cannot be read there: {error}"));
                walk.last += 1;
            }
            Err(error) => return Err(unavailable(&error)),
        }
        if walk.report.damages.len() >= MAX_DAMAGES {
            break;
        }
    }
    walk.report.scavenged = scavenged(connection).map_err(|error| unavailable(&error))?;
    walk.report.streams = walk.ends.len() as u64;
    walk.report.complaints = complaints(connection).map_err(|error| unavailable(&error))?;
    progress(Verified {
        events: walk.report.events,
        of_events,
    });
    Ok(walk.report)
}

impl Walk<'_> {
    /// Walks on to the end, or to the first place that cannot be read.
    fn on(&mut self, to: u64, progress: &mut impl FnMut(Verified)) -> rusqlite::Result<()> {
        let connection = self.connection;
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM events WHERE pos > ?1 AND pos <= ?2 ORDER BY pos"
        ))?;
        let mut rows = statement.query([self.last, to])?;
        while let Some(row) = rows.next()? {
            match Record::of(row) {
                Ok(record) => {
                    self.missing_before(record.position)?;
                    self.look_at(&record)?;
                }
                Err(Broken {
                    position,
                    revision,
                    reason,
                }) => {
                    self.missing_before(position)?;
                    let stream_id = row.get::<_, i64>(1).unwrap_or_default();
                    let name = stream_name(connection, stream_id)?;
                    self.damaged(name, Some(revision), position, reason);
                    self.last = position;
                }
            }
            if self.last.is_multiple_of(EVENTS_BETWEEN_PROGRESS) {
                progress(Verified {
                    events: self.last,
                    of_events: to,
                });
            }
            if self.report.damages.len() >= MAX_DAMAGES {
                break;
            }
        }
        Ok(())
    }

    fn look_at(&mut self, record: &Record<'_>) -> rusqlite::Result<()> {
        self.last = record.position;
        self.report.events += 1;
        self.report.bytes += (record.data.len() + record.metadata.len()) as u64;
        let before = self.ends.remove(&record.stream_id);
        let name = match &before {
            Some(end) => end.name.clone(),
            None => stream_name(self.connection, record.stream_id)?,
        };
        let begins = match &before {
            Some(end) => (end.revision.saturating_add(1), end.hash),
            None => beginning(self.connection, record.stream_id)?
                .map_or((0, GENESIS), |beginning| (beginning.revision, beginning.hash)),
        };
        if let Err(broken) = fits(record, name.as_ref(), begins) {
            self.damaged(name.clone(), Some(record.revision), broken.position, broken.reason);
        }
        self.ends.insert(
            record.stream_id,
            End {
                name,
                revision: record.revision,
                hash: record.hash,
            },
        );
        Ok(())
    }

    /// Nothing but what was taken out is missing before a position.
    fn missing_before(&mut self, position: u64) -> rusqlite::Result<()> {
        if self.last + 1 < position && covers(self.connection, self.last + 1, position - 1)? {
            self.last = position - 1;
        }
        while self.last + 1 < position && self.report.damages.len() < MAX_DAMAGES {
            self.last += 1;
            if !covers(self.connection, self.last, self.last)? {
                self.damaged(None, None, self.last, "the event is missing".into());
            }
        }
        Ok(())
    }

    fn damaged(&mut self, stream: Option<StreamName>, revision: Option<u64>, position: u64, reason: String) {
        self.report.damages.push(Damage {
            stream,
            revision,
            position: Position(position),
            reason,
        });
    }
}

/// Whether an event is what was written, and follows the one before it in its stream, or stands where its chain begins.
fn fits(record: &Record<'_>, name: Option<&StreamName>, (revision, previous): (u64, Hash)) -> Result<(), Broken> {
    let name = name.ok_or_else(|| record.broken("its stream has no name"))?;
    record.verify_checksum(name.as_str())?;
    if record.revision != revision && !record.is_tombstone() {
        return Err(record.broken(format!(
            "revision {revision} of its stream should stand here, not {}",
            record.revision
        )));
    }
    record.verify_chain(&previous, name.as_str())
}

fn complaints(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(&format!("PRAGMA integrity_check({MAX_COMPLAINTS})"))?;
    let found: Result<Vec<String>, _> = statement.query_map([], |row| row.get(0))?.collect();
    match found {
        Ok(found) if found == ["ok"] => Ok(Vec::new()),
        Ok(found) => Ok(found),
        Err(error) if is_damage(&error) => Ok(vec![error.to_string()]),
        Err(error) => Err(error),
    }
}

fn unavailable(error: &rusqlite::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}
