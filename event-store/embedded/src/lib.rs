//! The event store of one machine: a durable log in SQLite, called in process, with one writer and a group commit.
//!
//! An append is acknowledged after its commit is on the disk, and never before. Every event carries a checksum and its
//! link in the hash chain of its stream; the checksum is verified whenever it is read, the chain whenever its stream is
//! read through the contract.
//!
//! Beside the contract there is a wide door ([`EmbeddedStore::write`] and what follows it) for the protocol that others
//! speak: several streams at once, deletion, truncation, links, lists of events, scavenging.

mod backup;
mod checkpoint;
mod follow;
mod group;
mod interned;
mod lock;
mod pages;
mod reader;
mod record;
mod removed;
mod request;
mod scavenge;
mod schema;
#[cfg(test)]
mod tests;
mod verify;
mod wide;
mod writer;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, atomic::AtomicBool, mpsc},
    thread::JoinHandle,
};

use async_trait::async_trait;
use event_store_contract::{
    Append, Appended, Direction, EventStore, Expected, Filter, Follow, MAX_EVENTS_PER_READ, NewEvent, Page, Position,
    RecordedEvent, StoreError, StreamName, check_limits,
};

pub use backup::{Backup, BackupError};
pub use scavenge::{ScavengeOptions, ScavengeProgress, ScavengeReport};
pub use verify::{Damage, Verified, VerifyReport};
pub use wide::{
    Acl, Check, Committed, Draft, KeptWhole, LINK_NAME, Life, LogFrom, LogPage, METADATA_NAME, Refusal, Seen, SeenStream,
    StreamHead, StreamMetadata, Write, is_virtual,
};

use crate::{
    checkpoint::Checkpointer,
    follow::{EmbeddedFollow, Hearing},
    group::Group,
    lock::Lock,
    reader::Readers,
    request::{Asked, Part},
    wide::{Index, Metadatas},
    writer::Writer,
};

/// Up to so many events are read on the calling thread: it takes less time than sending for another.
const MAX_READ_IN_PLACE: usize = 128;

/// From so many events on, a page of the whole log is read by two readers at once.
const MIN_READ_IN_HALVES: usize = 2_000;

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("the event store in {} is in use by process {owner}: stop that one first, or open the store read-only", dir.display())]
    Locked {
        /// The store's directory.
        dir: PathBuf,
        /// The id of the process that holds the lock.
        owner: String,
    },
    /// There is nothing to read.
    #[error("there is no event store in {}", dir.display())]
    Missing {
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// The file belongs to another program.
    #[error("{} is not an event store", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by another version of this program.
    #[error("{} has format {found}, this program knows format {known}: use the program that wrote it, or a newer one", path.display())]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// The format of the file.
        found: i32,
        /// The format that this program knows.
        known: i32,
    },
    /// The operating system refused.
    #[error("the event store cannot be opened: {0}")]
    Io(#[from] std::io::Error),
    /// SQLite refused.
    #[error("the event store cannot be opened: {0}")]
    Sqlite(rusqlite::Error),
    /// The file does not hang together, so nothing is written to it.
    #[error("the event store is damaged ({0}): verify it, which reads only, and restore it from a backup")]
    Damaged(rusqlite::Error),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        if reader::is_damage(&error) {
            Self::Damaged(error)
        } else {
            Self::Sqlite(error)
        }
    }
}

/// The event store of one machine. Cheap to clone; the last clone that is dropped closes it.
#[derive(Clone)]
pub struct EmbeddedStore(Arc<Open>);

struct Open {
    readers: Arc<Readers>,
    index: Index,
    writing: Option<Writing>,
}

/// What a store has that may write.
struct Writing {
    group: Arc<Group>,
    /// Whether a scavenge is running.
    scavenging: Arc<AtomicBool>,
    rest: Mutex<Option<Rest>>,
}

/// What has to be ended when the store is closed: the threads first, the lock last.
struct Rest {
    writer: JoinHandle<()>,
    checkpointer: JoinHandle<()>,
    lock: Lock,
}

impl EmbeddedStore {
    /// Opens the store in this directory, and makes both if they are not there. This process is then the only one that
    /// writes to it.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        fs::create_dir_all(dir)?;
        let lock = Lock::take(dir)?;
        let path = dir.join(schema::FILE);
        let metadatas = Arc::new(Metadatas::new());
        let writer = Writer::new(schema::open_writer(&path)?, metadatas.clone())?;
        // The names of new files are durable only when their directory is.
        fs::File::open(dir)?.sync_all()?;
        let readers = Arc::new(Readers::new(&path, Some(metadatas))?);
        let (errands, due) = mpsc::sync_channel(1);
        let group = Arc::new(Group::new(writer, errands));
        let checkpointer = Checkpointer::new(&path, group.clone())?;
        let checkpointer = std::thread::Builder::new()
            .name("event-store-checkpoints".into())
            .spawn(move || checkpointer.run(&due))?;
        let writing = group.clone();
        let writer = std::thread::Builder::new()
            .name("event-store-writer".into())
            .spawn(move || writing.run())?;
        let rest = Mutex::new(Some(Rest {
            writer,
            checkpointer,
            lock,
        }));
        Ok(Self(Arc::new(Open {
            readers,
            index: Index::new(dir, true),
            writing: Some(Writing {
                group,
                scavenging: Arc::default(),
                rest,
            }),
        })))
    }

    /// Opens a store for reading only, also while another process writes to it. Appending is refused.
    pub fn open_read_only(dir: &Path) -> Result<Self, OpenError> {
        let path = dir.join(schema::FILE);
        if !path.exists() {
            return Err(OpenError::Missing { dir: dir.to_owned() });
        }
        Ok(Self(Arc::new(Open {
            readers: Arc::new(Readers::new(&path, None)?),
            index: Index::new(dir, false),
            writing: None,
        })))
    }

    /// Reads a page of the whole log on the calling thread, for those who have a thread of their own for it.
    pub fn read_all_blocking(&self, after: Option<Position>, limit: usize, filter: &Filter) -> Result<Page, StoreError> {
        self.0.readers.read_all(after, limit.min(MAX_EVENTS_PER_READ), filter)
    }

    /// Reads events of a stream on the calling thread, for those who have a thread of their own for it.
    pub fn read_stream_blocking(
        &self,
        stream: &StreamName,
        from: u64,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        self.0
            .readers
            .read_stream(stream, from, direction, limit.min(MAX_EVENTS_PER_READ))
    }

    /// Looks through the whole store on the calling thread: every checksum, every hash chain, every place, and the
    /// structure of the file.
    pub fn verify(&self, progress: impl FnMut(Verified)) -> Result<VerifyReport, StoreError> {
        self.0
            .readers
            .with_connection(|connection| verify::verify(connection, progress))
    }

    /// Writes a copy of the store, as it is at this moment, to a file that must not exist yet. Others go on writing.
    /// The file can be opened as a store when it lies in a directory of its own under the name `events.sqlite`.
    pub fn backup_to(&self, file: &Path) -> Result<(), StoreError> {
        let unavailable = |error: &dyn std::fmt::Display| StoreError::Unavailable(format!("the backup was not written: {error}"));
        if file.exists() {
            return Err(unavailable(&format!("{} exists already", file.display())));
        }
        let name = file.to_str().ok_or_else(|| unavailable(&"its path is not UTF-8"))?;
        self.0.readers.with_connection(|connection| {
            connection
                .execute("VACUUM INTO ?1", [name])
                .map_err(|error| unavailable(&error))?;
            fs::File::open(file)
                .and_then(|file| file.sync_all())
                .map_err(|error| unavailable(&error))
        })
    }

    /// Closes the store for all of its clones: what waits is written, everything later is refused, the lock is let go.
    /// Blocks until it is done.
    pub fn close(&self) -> Result<(), StoreError> {
        self.0.close()
    }
}

impl Open {
    fn close(&self) -> Result<(), StoreError> {
        let rest = self
            .writing
            .as_ref()
            .and_then(|writing| Some((writing, reader::lock(&writing.rest).take()?)));
        let Some((
            Writing { group, .. },
            Rest {
                writer,
                checkpointer,
                lock,
            },
        )) = rest
        else {
            self.index.close();
            self.readers.close();
            return Ok(());
        };
        group.stop_taking();
        let joined = writer.join();
        group.stop_checkpoints();
        let joined = joined.and(checkpointer.join());
        self.index.close();
        self.readers.close();
        let closed = group.close();
        drop(lock);
        joined.map_err(|_| StoreError::Unavailable("one of its threads had failed".into()))?;
        closed
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "the event store did not close well; what was acknowledged is durable all the same");
        }
    }
}

#[async_trait]
impl EventStore for EmbeddedStore {
    async fn append(&self, stream: &StreamName, expected: Expected, events: Vec<NewEvent>) -> Result<Appended, StoreError> {
        check_limits(&events)?;
        let Some(writing) = &self.0.writing else {
            return Err(StoreError::Unavailable("it was opened for reading only".into()));
        };
        let answered = writing
            .group
            .ask(Asked::Append(Part::new(stream.clone(), expected, events)))
            .await?;
        Ok(answered.last())
    }

    /// In one commit: all of it, or nothing.
    async fn append_in_order(&self, appends: Vec<Append>) -> Result<Vec<Appended>, StoreError> {
        let mut writes = Vec::with_capacity(appends.len());
        for Append {
            stream,
            expected,
            events,
        } in appends
        {
            check_limits(&events)?;
            writes.push(Write {
                stream,
                expected,
                events: events.into_iter().map(Draft::from).collect(),
            });
        }
        Ok(self.write(writes, Vec::new()).await?)
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: u64,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let limit = limit.min(MAX_EVENTS_PER_READ);
        let mut events = self
            .0
            .readers
            .read_stream(stream, from, direction, limit.min(MAX_READ_IN_PLACE))?;
        let rest = limit - events.len();
        let next = match (events.last(), direction) {
            (Some(last), Direction::Forwards) => last.revision.checked_add(1),
            (Some(last), Direction::Backwards) => last.revision.checked_sub(1),
            (None, _) => None,
        };
        if let Some(next) = next
            && rest > 0
            && events.len() == MAX_READ_IN_PLACE
        {
            let (readers, stream) = (self.0.readers.clone(), stream.clone());
            events.extend(elsewhere(move || readers.read_stream(&stream, next, direction, rest)).await?);
        }
        Ok(events)
    }

    async fn read_all(&self, after: Option<Position>, limit: usize, filter: &Filter) -> Result<Page, StoreError> {
        let limit = limit.min(MAX_EVENTS_PER_READ);
        if limit <= MAX_READ_IN_PLACE && filter.prefixes.is_empty() {
            return self.0.readers.read_all(after, limit, filter);
        }
        if limit >= MIN_READ_IN_HALVES && filter.prefixes.is_empty() {
            return pages::read_all_in_halves(&self.0.readers, after, limit).await;
        }
        let (readers, filter) = (self.0.readers.clone(), filter.clone());
        elsewhere(move || readers.read_all(after, limit, &filter)).await
    }

    async fn head(&self) -> Result<Option<Position>, StoreError> {
        let head = match &self.0.writing {
            Some(writing) => writing.group.head(),
            None => self.0.readers.head()?,
        };
        Ok((head > 0).then_some(Position(head)))
    }

    async fn follow(&self, after: Option<Position>, filter: Filter) -> Result<Box<dyn Follow>, StoreError> {
        let hearing = match &self.0.writing {
            Some(writing) => Hearing::News(writing.group.news()),
            None => Hearing::Looking,
        };
        Ok(Box::new(EmbeddedFollow {
            readers: self.0.readers.clone(),
            hearing,
            after,
            filter: Arc::new(filter),
        }))
    }
}

/// Reads on a thread that may block.
async fn elsewhere<T: Send + 'static>(read: impl FnOnce() -> Result<T, StoreError> + Send + 'static) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(read).await {
        Ok(answer) => answer,
        Err(error) => Err(StoreError::Unavailable(format!("a reader failed: {error}"))),
    }
}
