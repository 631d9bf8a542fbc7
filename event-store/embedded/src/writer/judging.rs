//! Whether what is asked may be written, or was written before.

use event_store_contract::{Appended, Expected, Position, StreamName, Verdict, judge};
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::{
    Refused,
    memory::{Head, Memory},
};
use crate::{
    record::TOMBSTONE_REVISION,
    wide::{Check, Refusal, metadata_stream},
};

/// What is to be done with the events for a stream.
pub(super) enum Plan {
    /// They are new: write them after this.
    Write(Option<Head>),
    /// They stand there already: where each of them is.
    Repeated(Vec<Appended>),
}

/// What stands where these events would stand if they had been written before.
enum Compared {
    Same(Vec<Appended>),
    FirstDiffers,
    LaterDiffers,
}

impl Memory {
    /// Judges an append to one stream by what its writer believes and by the ids of the events.
    pub(super) fn plan(
        &mut self,
        connection: &Connection,
        stream: &StreamName,
        expected: Expected,
        ids: impl ExactSizeIterator<Item = Uuid>,
    ) -> Result<Plan, Refused> {
        let head = self.head(connection, stream)?;
        let actual = head.map(|head| head.revision);
        if actual == Some(TOMBSTONE_REVISION) {
            return Err(Refusal::Tombstoned { stream: stream.clone() }.into());
        }
        let soft_deleted = match head {
            Some(head) => head.soft_deleted,
            // Something may have been said of it all the same.
            None => expected == Expected::StreamExists && self.soft_deleted(connection, stream)?,
        };
        if soft_deleted && expected == Expected::StreamExists {
            return Err(Refusal::Deleted { stream: stream.clone() }.into());
        }
        let conflict = || {
            Refused::from(Refusal::WrongRevision {
                stream: stream.clone(),
                expected,
                actual,
            })
        };
        match (judge(expected, actual), head) {
            (Verdict::Conflict, _) if self.exists_by_metadata(connection, stream, expected, actual)? => Ok(Plan::Write(None)),
            (Verdict::Conflict, _) => Err(conflict()),
            (Verdict::Compare { from }, Some(known)) => match compare(connection, known.stream_id, from, ids)? {
                Compared::Same(places) => Ok(Plan::Repeated(places)),
                // A stream that was deleted is as good as new.
                Compared::FirstDiffers if soft_deleted && expected == Expected::NoStream => Ok(Plan::Write(head)),
                Compared::FirstDiffers | Compared::LaterDiffers => Err(conflict()),
            },
            (Verdict::Recall, Some(known)) => {
                let asked = ids.len();
                let known: Vec<_> = ids
                    .filter_map(|id| self.recent.peek(&(known.stream_id, id)).copied())
                    .collect();
                match known.len() {
                    0 => Ok(Plan::Write(head)),
                    found if found == asked => Ok(Plan::Repeated(known)),
                    _ => Err(conflict()),
                }
            }
            (Verdict::Write, _) | (_, None) => Ok(Plan::Write(head)),
        }
    }

    /// Whether a check of a stream that is not written holds at this moment.
    pub(super) fn check(&mut self, connection: &Connection, check: &Check) -> Result<(), Refused> {
        let Check { stream, expected } = check;
        let head = self.head(connection, stream)?;
        let actual = head.map(|head| head.revision);
        let tombstoned = actual == Some(TOMBSTONE_REVISION);
        let soft_deleted = match head {
            Some(head) => head.soft_deleted,
            None => *expected == Expected::StreamExists && self.soft_deleted(connection, stream)?,
        };
        let holds = match expected {
            Expected::Any => true,
            // A stream that has ended is none: nobody who only looks at it wants to write to it.
            Expected::NoStream => actual.is_none() || soft_deleted || tombstoned,
            _ if tombstoned => {
                return Err(Refusal::Tombstoned { stream: stream.clone() }.into());
            }
            Expected::Revision(revision) => actual == Some(*revision),
            Expected::StreamExists if soft_deleted => {
                return Err(Refusal::Deleted { stream: stream.clone() }.into());
            }
            Expected::StreamExists => actual.is_some() || self.exists_by_metadata(connection, stream, *expected, actual)?,
        };
        if holds {
            return Ok(());
        }
        Err(Refusal::WrongRevision {
            stream: stream.clone(),
            expected: *expected,
            actual,
        }
        .into())
    }

    /// A stream without events exists all the same if something is said about it.
    fn exists_by_metadata(
        &mut self,
        connection: &Connection,
        stream: &StreamName,
        expected: Expected,
        actual: Option<u64>,
    ) -> Result<bool, Refused> {
        if expected != Expected::StreamExists || actual.is_some() || !self.metadatas.any() {
            return Ok(false);
        }
        match metadata_stream(stream) {
            Some(metadata) => Ok(self.head(connection, &metadata)?.is_some()),
            None => Ok(false),
        }
    }
}

/// Where these events stand, if they all stand from this revision on.
fn compare(
    connection: &Connection,
    stream_id: i64,
    from: u64,
    ids: impl ExactSizeIterator<Item = Uuid>,
) -> rusqlite::Result<Compared> {
    let mut statement = connection
        .prepare_cached("SELECT event_id, rev, pos FROM events WHERE stream_id = ?1 AND rev >= ?2 ORDER BY rev LIMIT ?3")?;
    let mut rows = statement.query(params![stream_id, from, ids.len()])?;
    let mut places = Vec::with_capacity(ids.len());
    for (revision, id) in (from..).zip(ids) {
        match rows.next()? {
            Some(row)
                if row.get_ref(0)?.as_blob().is_ok_and(|known| known == id.as_bytes()) && row.get::<_, u64>(1)? == revision =>
            {
                places.push(Appended {
                    revision,
                    position: Position(row.get(2)?),
                });
            }
            _ if places.is_empty() => return Ok(Compared::FirstDiffers),
            _ => return Ok(Compared::LaterDiffers),
        }
    }
    Ok(Compared::Same(places))
}
