//! What the way in needs from outside: a clock, bookmarks, and two questions that only views can answer.

use std::sync::Mutex;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use event_store_contract::{Lane, Position};
use tokio::sync::watch;
use uuid::Uuid;

/// Something outside did not answer. It is asked again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OutsideError(pub String);

/// What time it is.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> DateTime<Utc>;
}

/// A clock that stands still until somebody moves it.
#[derive(Debug)]
pub struct ManualClock(Mutex<DateTime<Utc>>);

impl ManualClock {
    /// A clock that shows this.
    pub fn at(now: DateTime<Utc>) -> Self {
        Self(Mutex::new(now))
    }

    /// Shows this from now on.
    pub fn set(&self, now: DateTime<Utc>) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = now;
    }

    /// Moves on.
    pub fn advance(&self, by: TimeDelta) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// How far each reader of the log has come.
#[async_trait]
pub trait Bookmarks: Send + Sync {
    /// Where the reader of this name stands; none, if it has not begun.
    async fn load(&self, name: &str) -> Result<Option<Position>, OutsideError>;
    /// Remembers where it stands; false, if it is somebody else's to read there by now.
    async fn save(&self, name: &str, at: Position) -> Result<bool, OutsideError>;
}

/// A timer of a case whose day has come.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DueTimer {
    /// The case's stream category.
    pub category: String,
    /// The case.
    pub case_id: Uuid,
    /// The deadline's kind.
    pub timer: String,
    /// The last day that it had.
    pub due_on: NaiveDate,
}

/// Which timers are due: answered from the view of deadlines.
#[async_trait]
pub trait DueTimers: Send + Sync {
    /// Up to `limit` timers of cases in a lane that fire today or earlier, the oldest first.
    async fn due(&self, today: NaiveDate, lane: Lane, limit: usize) -> Result<Vec<DueTimer>, OutsideError>;
}

/// A timer of a process whose time has come.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DueProcessTimer {
    /// The case's stream category.
    pub category: String,
    /// The case.
    pub case_id: Uuid,
    /// The timer's key in the process.
    pub timer: u64,
    /// When it was due.
    pub due_at: DateTime<Utc>,
}

/// Which timers of processes are due: answered from the view of processes.
#[async_trait]
pub trait DueProcessTimers: Send + Sync {
    /// Up to `limit` timers of cases in a lane that are due at this moment, the oldest first. Those that stand still with
    /// the clock are not due.
    async fn due(&self, now: DateTime<Utc>, lane: Lane, limit: usize) -> Result<Vec<DueProcessTimer>, OutsideError>;
}

/// Which processes wait for a message: answered from the view of processes.
#[async_trait]
pub trait WaitingProcesses: Send + Sync {
    /// Up to `limit` cases (category and id) whose processes wait for a message of this name and key.
    async fn waiting(&self, message: &str, correlation: Option<&str>, limit: usize) -> Result<Vec<(String, Uuid)>, OutsideError>;
}

/// Which cases count with a calendar that is not published yet: answered from the view of deadlines.
#[async_trait]
pub trait ProvisionalCases: Send + Sync {
    /// Up to `limit` cases (category and id) with a provisional date, by id, after this one.
    async fn provisional(&self, after: Option<Uuid>, limit: usize) -> Result<Vec<(String, Uuid)>, OutsideError>;
}

/// Told when the program shuts down: becomes true once, and stays so.
pub type Shutdown = watch::Receiver<bool>;

/// Waits until the program shuts down.
pub(crate) async fn shut_down(shutdown: &mut Shutdown) {
    // A sender that is gone cannot ask any more: that is a shutdown too.
    let _ = shutdown.wait_for(|down| *down).await;
}
