//! What a group is called, what it reads, and the streams in which its state is kept.

use std::fmt;

use event_store_contract::{Position, StreamName, StreamNameError};
use event_store_embedded::Seen;

use super::settings::Kind;

/// How the whole log is called as a stream.
pub(crate) const ALL: &str = "$all";
/// How the streams that say something of other streams begin.
const METADATA_PREFIX: &str = "$$";

/// What a group reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    Stream(StreamName),
    All,
}

impl Source {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Stream(_) => Kind::Stream,
            Self::All => Kind::All,
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Stream(stream) => stream.as_str(),
            Self::All => ALL,
        }
    }

    /// Where something stands that was read from here: its revision or its position.
    pub(crate) fn place(&self, seen: &Seen) -> Option<u64> {
        let original = seen.link.as_ref().or(seen.event.as_ref())?;
        let Position(position) = original.position;
        Some(match self {
            Self::Stream(_) => original.revision,
            Self::All => position,
        })
    }
}

/// A group: unique by what it reads and its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GroupName {
    pub(crate) source: Source,
    pub(crate) group: String,
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.source.as_str(), self.group)
    }
}

/// The streams in which the state of a group is kept, each with the one that says something of it.
#[derive(Debug, Clone)]
pub(crate) struct StateStreams {
    pub(crate) checkpoint: StreamName,
    pub(crate) checkpoint_metadata: StreamName,
    pub(crate) parked: StreamName,
    pub(crate) parked_metadata: StreamName,
}

impl StateStreams {
    /// Fails if the names of stream and group together are too long for a stream's name.
    pub(crate) fn of(name: &GroupName) -> Result<Self, StreamNameError> {
        let checkpoint = format!("$persistentsubscription-{name}-checkpoint");
        let parked = format!("$persistentsubscription-{name}-parked");
        Ok(Self {
            checkpoint_metadata: StreamName::new(format!("{METADATA_PREFIX}{checkpoint}"))?,
            checkpoint: StreamName::new(checkpoint)?,
            parked_metadata: StreamName::new(format!("{METADATA_PREFIX}{parked}"))?,
            parked: StreamName::new(parked)?,
        })
    }
}
