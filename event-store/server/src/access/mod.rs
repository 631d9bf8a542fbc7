//! Who asks, and what they may do.

use tonic::{Status, metadata::MetadataMap};

/// Who may do what at this server.
#[derive(Debug, Default)]
pub struct Access {}

/// Who asks.
#[derive(Debug, Clone, Default)]
pub struct Caller {}

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Read or follow a stream (or `$all`).
    Read,
    /// Append to a stream.
    Write,
    /// Delete a stream, softly or for good.
    Delete,
    /// Read the metadata of a stream; the stream is named without its `$$`.
    ReadMetadata,
    /// Write the metadata of a stream; the stream is named without its `$$`.
    WriteMetadata,
    /// Create, change or delete a persistent subscription to the stream.
    ManageSubscription,
    /// Look at the state of persistent subscriptions, or replay parked messages.
    SeeSubscription,
    /// Receive messages of a persistent subscription to the stream.
    ReceiveMessages,
    /// Scavenge, shut down, restart a subsystem. No stream is meant.
    Operate,
    /// Look at statistics. No stream is meant.
    SeeStatistics,
    /// Create, change or look at users. No stream is meant.
    ManageUsers,
}

impl Access {
    /// Who asks, by the `authorization` of the request.
    #[allow(clippy::unused_async, reason = "a password is hashed on another thread")]
    pub async fn caller(&self, _metadata: &MetadataMap) -> Result<Caller, Status> {
        Ok(Caller {})
    }

    /// Refuses what this caller may not do. Reading and writing `$$stream` is looked at as the stream's metadata.
    pub fn allow(&self, _caller: &Caller, _action: Action, _stream: &str) -> Result<(), Status> {
        Ok(())
    }
}
