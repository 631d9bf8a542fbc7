//! How the views are doing: running, rebuilt, or stopped at an event.

use event_store_contract::Position;
use uuid::Uuid;

/// Why a view stopped: the event that it could not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// The event.
    pub event_id: Uuid,
    /// Its stream.
    pub stream: String,
    /// Its revision in the stream.
    pub revision: u64,
    /// Its position in the log.
    pub position: Position,
    /// What was wrong.
    pub reason: String,
}

/// What a view is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ViewState {
    /// It follows the log.
    Running,
    /// It is being built beside the one that is shown.
    Rebuilding,
    /// It could not take an event; the others go on.
    Stopped(Stop),
}

/// How a view is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewStatus {
    /// The view.
    pub name: String,
    /// The version of its rows.
    pub version: u32,
    /// Which building of it is shown; grows with each rebuild.
    pub generation: u32,
    /// What it is doing.
    pub state: ViewState,
    /// The last event that it shows.
    pub position: Position,
    /// The last event of the log.
    pub head: Position,
}

impl ViewStatus {
    /// How far it is behind the log. In positions, which are events where the store numbers without gaps.
    pub fn lag(&self) -> u64 {
        self.head.0.saturating_sub(self.position.0)
    }
}
