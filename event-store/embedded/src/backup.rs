//! Copies of a store: taken while others write, and known to be whole before anybody relies on them.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use event_store_contract::{Position, StoreError};
use rusqlite::Connection;

use crate::{
    EmbeddedStore, OpenError,
    reader::last_position,
    schema,
    verify::{Verified, VerifyReport, verify},
};

/// What a copy is called until it is known to be whole.
const UNFINISHED: &str = "events.sqlite.unfinished";

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A copy never overwrites anything.
    #[error("{} is not empty: a copy of a store needs a directory of its own", dir.display())]
    NotEmpty {
        /// The directory.
        dir: PathBuf,
    },
    /// The store to be copied cannot be opened.
    #[error(transparent)]
    Source(#[from] OpenError),
    /// The file could not be written.
    #[error("the copy was not written: {0}")]
    Io(#[from] io::Error),
    /// SQLite could not read the one or write the other.
    #[error("the copy was not written: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The copy shows that the store itself is damaged.
    #[error(
        "the copy is not whole, for the store is not: {} events are damaged; verify it, and keep the backups you have",
        report.damages.len()
    )]
    Damaged {
        /// What is damaged.
        report: Box<VerifyReport>,
    },
}

/// A copy that is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// The newest event in it; none, if there is no event at all.
    pub head: Option<Position>,
    /// The size of its file in bytes.
    pub file_bytes: u64,
    /// What was found when every event and every chain of the copy was looked at.
    pub report: VerifyReport,
}

impl EmbeddedStore {
    /// Copies the store, as it is at this moment, to a directory that is empty or not there, verifies every checksum and
    /// every hash chain of the copy, and only then gives it its name. Others go on writing meanwhile. The copy is a
    /// store, without room for what was scavenged. On the calling thread; may take minutes.
    pub fn backup(&self, dir: &Path, progress: impl FnMut(Verified)) -> Result<Backup, BackupError> {
        fs::create_dir_all(dir)?;
        if fs::read_dir(dir)?.next().is_some() {
            return Err(BackupError::NotEmpty { dir: dir.to_owned() });
        }
        let unfinished = dir.join(UNFINISHED);
        let backup = self
            .backup_to(&unfinished)
            .map_err(BackupError::from)
            .and_then(|()| look_at(&unfinished, progress))
            .and_then(|backup| {
                fs::rename(&unfinished, dir.join(schema::FILE))?;
                fs::File::open(dir)?.sync_all()?;
                Ok(backup)
            });
        if backup.is_err() {
            // What is left of it is worth nothing.
            let _ = fs::remove_file(&unfinished);
        }
        backup
    }

    /// Makes a store in a directory that is empty or not there from a copy (or from another store, also while it is in
    /// use), and verifies it as [`backup`](Self::backup) does.
    pub fn restore(from: &Path, to: &Path, progress: impl FnMut(Verified)) -> Result<Backup, BackupError> {
        Self::open_read_only(from)?.backup(to, progress)
    }
}

fn look_at(file: &Path, progress: impl FnMut(Verified)) -> Result<Backup, BackupError> {
    let connection: Connection = schema::open_reader(file)?;
    let report = verify(&connection, progress)?;
    if !report.is_whole() {
        return Err(BackupError::Damaged {
            report: Box::new(report),
        });
    }
    let head = last_position(&connection)?;
    Ok(Backup {
        head: (head > 0).then_some(Position(head)),
        file_bytes: fs::metadata(file)?.len(),
        report,
    })
}
