//! What travels with a command, and what comes back.

use chrono::{DateTime, Utc};
use domain::metadata::Actor;
use event_store_contract::{Position, StoreError, StreamName};
use uuid::Uuid;

/// What travels with every command: who asks, when, for which region, and by which id it is known.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// Chosen by the asker. The same id again is the same command again: it is answered, not executed.
    pub command_id: Uuid,
    /// The chain of commands that it belongs to; the command itself, if it begins one.
    pub correlation_id: Option<Uuid>,
    /// The event that led to it; the command itself, if nothing did.
    pub causation_id: Option<Uuid>,
    /// Who asks.
    pub actor: Actor,
    /// The administrative division (GB/T 2260) whose bureau acts.
    pub region: String,
    /// The server's time.
    pub now: DateTime<Utc>,
    /// When it happened, if it was done on paper and is entered later.
    pub occurred_at: Option<DateTime<Utc>>,
    /// The article that the actor names.
    pub legal_basis: Option<String>,
    /// The distributed trace that it belongs to.
    pub trace_id: Option<String>,
}

impl Envelope {
    /// A command that begins a chain of its own, and happens now.
    pub fn new(command_id: Uuid, actor: Actor, region: impl Into<String>, now: DateTime<Utc>) -> Self {
        Self {
            command_id,
            correlation_id: None,
            causation_id: None,
            actor,
            region: region.into(),
            now,
            occurred_at: None,
            legal_basis: None,
            trace_id: None,
        }
    }

    /// The id of the command's event number `index`: derived, so that a repeated command has the same events.
    pub fn event_id(&self, index: usize) -> Uuid {
        event_id(self.command_id, index)
    }
}

/// The id of a command's event number `index`.
pub fn event_id(command_id: Uuid, index: usize) -> Uuid {
    Uuid::new_v5(&command_id, &(index as u64).to_be_bytes())
}

/// An accepted command: what it wrote, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The command.
    pub command_id: Uuid,
    /// The stream that it was asked of.
    pub stream: StreamName,
    /// The revision of its last event; none, if there was nothing to do.
    pub revision: Option<u64>,
    /// The position of its last event; none, if there was nothing to do.
    pub position: Option<Position>,
    /// Its events, in order.
    pub event_ids: Vec<Uuid>,
    /// The command had been executed before; this is the answer of that time.
    pub repeated: bool,
}

/// Why the law says no, in words that the asker can act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The rejection's name (`REVIEW_NOT_PASSED`).
    pub code: String,
    /// 中文说明
    pub message_zh: String,
    /// The same in English.
    pub message_en: String,
    /// The field of the input that is wrong, if one is.
    pub field: Option<String>,
}

/// Why a command was not done, by whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Theirs: the law says no.
    #[error("{}", .0.message_en)]
    Rejected(Refusal),
    /// Theirs, again: others write to the same stream all the time.
    #[error("others are changing the same thing right now; try again")]
    Busy,
    /// Not with this role, or not in this region, or not on somebody else's case.
    #[error("the role {role} may not do this: {action}")]
    Forbidden {
        /// The actor's role.
        role: String,
        /// What was asked, and why it is not theirs to ask.
        action: String,
    },
    /// Ours.
    #[error(transparent)]
    Failed(#[from] FailedCause),
}

/// What went wrong on our side.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FailedCause {
    /// The store did not do what it was asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An event on record cannot be read.
    #[error("event {revision} of {stream} cannot be read: {reason}")]
    Unreadable {
        /// The stream.
        stream: StreamName,
        /// The event's revision.
        revision: u64,
        /// What the parser said.
        reason: String,
    },
    /// An event or its metadata could not be written as JSON.
    #[error("an event for {stream} cannot be written: {reason}")]
    Unwritable {
        /// The stream.
        stream: StreamName,
        /// What went wrong.
        reason: String,
    },
    /// There is no such category of cases, or the name is none.
    #[error("{0}")]
    Unknown(String),
    /// Something outside that the way in relies on did not answer.
    #[error("{0}")]
    Outside(String),
}

impl From<StoreError> for CommandError {
    fn from(cause: StoreError) -> Self {
        Self::Failed(FailedCause::Store(cause))
    }
}

impl CommandError {
    /// Whether the same command may succeed when it is simply sent again.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Busy | Self::Failed(FailedCause::Store(StoreError::Unavailable(_)) | FailedCause::Outside(_))
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_command_has_the_same_event_ids() {
        let command = Uuid::from_u128(7);
        assert_eq!(event_id(command, 1), event_id(command, 1));
        assert_ne!(event_id(command, 1), event_id(command, 2));
    }
}
