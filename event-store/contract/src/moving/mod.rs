//! Moving a history between stores, or into a file and back: same order, same ids, same revisions, same chain.
//!
//! Positions and the time of recording belong to a store and do not move; everything else does, and is compared event by
//! event at the end.

mod comparing;
mod copying;
mod exporting;
mod lines;
#[cfg(test)]
mod tests;

use crate::{Position, StoreError, StreamName};

pub use comparing::{Comparison, Difference, DifferenceKind, compare};
pub use copying::{Copied, copy};
pub use exporting::{Exported, Imported, check, export, import};
pub use lines::{ExportLine, LineError, MAX_LINE_BYTES, Summary};

/// How far a move has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moved {
    /// Events looked at, whether they had to be written or stood there before.
    pub events: u64,
    /// The bytes of their names, data and metadata.
    pub bytes: u64,
    /// Where that is in the source's log; none for a file.
    pub position: Option<Position>,
}

/// Why a move stopped. What was written stays, and the same move again goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// The source cannot be read.
    #[error("reading from the source: {0}")]
    Source(StoreError),
    /// The target cannot be read or written.
    #[error("writing to the target: {0}")]
    Target(StoreError),
    /// The target has another history than the source.
    #[error(
        "the target's stream {stream} is not the source's: at revision {revision} it {reason}. \
         Move into an empty store, or into one that holds an earlier part of the same move"
    )]
    Diverged {
        /// The stream.
        stream: StreamName,
        /// Where.
        revision: u64,
        /// What does not fit.
        reason: String,
    },
    /// The stream's beginning is gone from the source, and with it the revisions.
    #[error(
        "the source's stream {stream} begins at revision {revision}: what was scavenged cannot be moved, leave the stream out"
    )]
    Beheaded {
        /// The stream.
        stream: StreamName,
        /// Where it begins.
        revision: u64,
    },
    /// The file is not what an export wrote.
    #[error("line {number}: {reason}")]
    Line {
        /// Which, counted from 1.
        number: u64,
        /// What is wrong with it.
        reason: LineError,
    },
    /// The file cannot be read or written.
    #[error("the file: {0}")]
    File(#[from] std::io::Error),
}

/// What is told of progress, and to whom.
pub type Progress<'a> = &'a mut (dyn FnMut(Moved) + Send);
