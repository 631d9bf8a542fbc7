//! What the writer knows without asking the disk: the ends of streams, the ids of recent events, where the log ends.

use std::{num::NonZeroUsize, sync::Arc};

use event_store_contract::{Appended, Position, StreamName, proof::Hash};
use lru::LruCache;
use rusqlite::{Connection, OptionalExtension};
use uuid::Uuid;

use super::Refused;
use crate::{
    reader::{ReadError, last_position},
    record::{Broken, COLUMNS, Record, TOMBSTONE_REVISION},
    wide::{Metadatas, any_metadata},
};

/// The most streams whose last event is kept in memory; others are looked up.
const MAX_KNOWN_HEADS: NonZeroUsize = NonZeroUsize::new(65_536).expect("not zero");
/// How many event ids are remembered, to recognise the same append again when it names no revision.
const MAX_RECENT_IDS: NonZeroUsize = NonZeroUsize::new(32_768).expect("not zero");
/// How many of them are read back from the log when the store opens.
const RECENT_IDS_READ_BACK: u64 = 4_096;

/// What is known without asking the disk. During a batch it runs ahead of the disk; if the batch fails, it is forgotten.
pub(super) struct Memory {
    pub(super) heads: LruCache<StreamName, Head>,
    pub(super) recent: LruCache<(i64, Uuid), Appended>,
    pub(super) last_position: u64,
    pub(super) last_stream_id: i64,
    pub(super) metadatas: Arc<Metadatas>,
    /// Streams whose metadata this batch changes.
    pub(super) changed_metadata: Vec<StreamName>,
}

/// The last event of a stream.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) stream_id: i64,
    pub(super) revision: u64,
    pub(super) hash: Hash,
    pub(super) soft_deleted: bool,
}

impl Head {
    pub(super) fn is_tombstone(&self) -> bool {
        self.revision == TOMBSTONE_REVISION
    }
}

impl Memory {
    pub(super) fn read_back(connection: &Connection, metadatas: Arc<Metadatas>) -> rusqlite::Result<Self> {
        let last_position = last_position(connection)?;
        let last_stream_id = connection.query_row("SELECT ifnull(max(id), 0) FROM streams", [], |row| row.get(0))?;
        if any_metadata(connection)? {
            metadatas.expect_some();
        }
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
            metadatas,
            changed_metadata: Vec::new(),
        })
    }

    /// The last event of a stream; none, if nothing was ever written to it.
    pub(super) fn head(&mut self, connection: &Connection, stream: &StreamName) -> Result<Option<Head>, Refused> {
        if let Some(head) = self.heads.get(stream) {
            return Ok(Some(*head));
        }
        let Some(stream_id) = stream_id(connection, stream)? else {
            return Ok(None);
        };
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM events WHERE stream_id = ?1 ORDER BY rev DESC LIMIT 1"
        ))?;
        let mut rows = statement.query([stream_id])?;
        let Some(row) = rows.next()? else {
            let broken = Broken {
                position: 0,
                revision: 0,
                reason: "the stream is known, but its events are gone".into(),
            };
            return Err(Broken::at(stream, broken).into());
        };
        // No new link is forged onto a broken one.
        let verified = Record::of(row).and_then(|record| record.verify_checksum(stream.as_str()).map(|()| record));
        let record = verified.map_err(|broken| ReadError::Broken(broken).at(stream.as_str(), 0, 0))?;
        let head = Head {
            stream_id,
            revision: record.revision,
            hash: record.hash,
            soft_deleted: self.soft_deleted(connection, stream)?,
        };
        self.heads.put(stream.clone(), head);
        Ok(Some(head))
    }

    /// Whether its metadata delete a stream.
    pub(super) fn soft_deleted(&self, connection: &Connection, stream: &StreamName) -> Result<bool, Refused> {
        if !self.metadatas.any() {
            return Ok(false);
        }
        let said = self.metadatas.newest(connection, stream)?;
        Ok(said.is_some_and(|metadata| metadata.deletes()))
    }

    /// After a commit: lets the readers know whose metadata they have to read anew.
    pub(super) fn tell_changed_metadata(&mut self) {
        if !self.changed_metadata.is_empty() {
            self.metadatas.changed(self.changed_metadata.drain(..));
        }
    }
}

fn stream_id(connection: &Connection, stream: &StreamName) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT id FROM streams WHERE name = ?1")?
        .query_row([stream.as_str()], |row| row.get(0))
        .optional()
}
