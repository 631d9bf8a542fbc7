//! Writing: one connection, and in memory what it must know to judge an append without asking the disk.

mod judging;
mod memory;
mod writing;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use event_store_contract::StoreError;
use rusqlite::Connection;

use crate::{
    request::{Answer, Asked, Request},
    wide::{Metadatas, Refusal},
};

use memory::Memory;

/// The one who writes.
pub(crate) struct Writer {
    connection: Connection,
    memory: Memory,
    /// Whether the memory may not agree with the disk, after a failure.
    stale: bool,
}

/// Why an append was not written: its own fault, or the disk's, which is everybody's.
enum Refused {
    This(Refusal),
    All(rusqlite::Error),
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::This(refusal)
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::This(error.into())
    }
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        Self::All(error)
    }
}

impl Writer {
    pub(crate) fn new(connection: Connection, metadatas: Arc<Metadatas>) -> rusqlite::Result<Self> {
        let memory = Memory::read_back(&connection, metadatas)?;
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
        let mut all_asked = Vec::with_capacity(batch.len());
        for Request { asked, answer, .. } in batch {
            waiting.push(answer);
            all_asked.push(asked);
        }
        let before = self.memory.last_position;
        match self.write(all_asked, now) {
            Ok(answers) => {
                self.memory.tell_changed_metadata();
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
                    let _ = waiting.send(Err(reason.clone().into()));
                }
            }
        }
    }

    fn write(&mut self, batch: Vec<Asked>, now: DateTime<Utc>) -> rusqlite::Result<Vec<Answer>> {
        if self.stale {
            self.memory = Memory::read_back(&self.connection, self.memory.metadatas.clone())?;
            self.stale = false;
        }
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut answers = Vec::with_capacity(batch.len());
        for asked in batch {
            answers.push(match self.memory.answer(&self.connection, asked, now) {
                Ok(answered) => Ok(answered),
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
        // Whether it is on the disk is known only when it is read again.
        self.memory.tell_changed_metadata();
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "the failed commit could not be rolled back");
        }
        match Memory::read_back(&self.connection, self.memory.metadatas.clone()) {
            Ok(memory) => (self.memory, self.stale) = (memory, false),
            Err(error) => tracing::error!(%error, "the log cannot be read back; trying again at the next append"),
        }
    }

    /// Lets somebody else of this house write with the one connection that may, between two commits. What is done must
    /// not change the last event of any stream.
    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Brings everything from the write-ahead log into the file, so that a copy of the file alone is whole.
    pub(crate) fn close(self) -> rusqlite::Result<()> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        self.connection.close().map_err(|(_, error)| error)
    }
}
