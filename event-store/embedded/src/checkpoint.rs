//! Checkpoints: what was committed to the write-ahead log is brought into the file, by a thread of its own.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
};

use rusqlite::Connection;

use crate::{OpenError, group::Group, schema};

/// About how many pages the write-ahead log grows to between two checkpoints (16 MB). Then it is written over from its
/// beginning, which is quicker than growing it: the file's size stays.
const PAGES_BETWEEN: usize = 4_096;
/// About how many bytes of events fill a page, with what a row costs beside them.
const EVENT_BYTES_PER_PAGE: usize = 3_500;
/// About how many pages a commit writes besides those that the events fill.
const PAGES_PER_COMMIT: usize = 2;
/// A checkpoint that left fewer pages than this behind is finished while the writer waits.
const FEW_PAGES: i64 = 256;
/// When the write-ahead log has grown over this many pages (64 MB), the writer waits for the checkpoint in any case.
const MAX_PAGES_IN_LOG: i64 = 16_384;
/// How often a checkpoint runs after a busy writer before it leaves the rest to the next one.
const MAX_ROUNDS: usize = 3;

/// What the checkpointer's thread is asked to do.
pub(crate) enum Errand {
    /// Enough was written since the last checkpoint.
    Checkpoint,
    /// The store is being closed.
    Stop,
}

/// An estimate of how many pages were written since the last checkpoint.
pub(crate) struct WalGrowth {
    pages: AtomicUsize,
    errands: mpsc::SyncSender<Errand>,
}

impl WalGrowth {
    pub(crate) fn new(errands: mpsc::SyncSender<Errand>) -> Self {
        Self {
            pages: AtomicUsize::new(0),
            errands,
        }
    }

    /// Counts a commit, and sends for the checkpointer when it is time.
    pub(crate) fn add(&self, events: usize, bytes: usize) {
        let pages = PAGES_PER_COMMIT + events / 8 + bytes / EVENT_BYTES_PER_PAGE;
        if self.pages.fetch_add(pages, Ordering::Relaxed) + pages >= PAGES_BETWEEN {
            self.pages.store(0, Ordering::Relaxed);
            // If one is due already, that one will do.
            let _ = self.errands.try_send(Errand::Checkpoint);
        }
    }

    /// Lets the checkpointer's thread end.
    pub(crate) fn stop(&self) {
        // If it has ended already, nobody hears it.
        let _ = self.errands.send(Errand::Stop);
    }
}

/// How far a checkpoint came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    in_log: i64,
    in_file: i64,
}

impl Progress {
    fn pages_left(self) -> i64 {
        self.in_log - self.in_file
    }
}

/// Copies what no reader needs from the log any more; disturbs nobody.
pub(crate) fn passive(connection: &Connection) -> rusqlite::Result<Progress> {
    let progress = |row: &rusqlite::Row<'_>| {
        Ok(Progress {
            in_log: row.get(1)?,
            in_file: row.get(2)?,
        })
    };
    connection
        .prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?
        .query_row([], progress)
}

/// The checkpointer: a connection of its own, and whom to ask for a pause.
pub(crate) struct Checkpointer {
    connection: Connection,
    group: Arc<Group>,
}

impl Checkpointer {
    pub(crate) fn new(path: &Path, group: Arc<Group>) -> Result<Self, OpenError> {
        Ok(Self {
            connection: schema::open_writer(path)?,
            group,
        })
    }

    /// Runs until it is stopped. One that fails is tried again when the next is due.
    pub(crate) fn run(&self, errands: &mpsc::Receiver<Errand>) {
        while let Ok(Errand::Checkpoint) = errands.recv() {
            if let Err(error) = self.checkpoint() {
                tracing::warn!(%error, "a checkpoint of the event store failed; the next one will try again");
            }
        }
    }

    /// The log is written over from its beginning only after all of it is in the file, so the last pages are brought
    /// there while nobody writes. Under load that waits, for the writer would.
    fn checkpoint(&self) -> rusqlite::Result<()> {
        let mut progress = passive(&self.connection)?;
        for _ in 1..MAX_ROUNDS {
            if progress.pages_left() < FEW_PAGES {
                break;
            }
            progress = passive(&self.connection)?;
        }
        if progress.pages_left() < FEW_PAGES || progress.in_log > MAX_PAGES_IN_LOG {
            self.group.finish_checkpoint(&self.connection)?;
        }
        Ok(())
    }
}
