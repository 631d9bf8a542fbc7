//! The plugs between the way in and the way out: neither knows the other, so the leaf connects them.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use commands::outside::{Bookmarks, DueProcessTimer, DueProcessTimers, DueTimer, DueTimers, OutsideError, ProvisionalCases};
use event_store_contract::{Lane, Position};
use projections::{Database, Held, PgBookmarks, deadlines, processes};
use uuid::Uuid;

/// What the views know, for those who act on it.
pub struct FromViews {
    database: Database,
    bookmarks: PgBookmarks,
}

impl FromViews {
    /// Answers from this database, for whoever holds a lane.
    pub fn new(database: &Database, held: Held) -> Arc<Self> {
        Arc::new(Self {
            database: database.clone(),
            bookmarks: PgBookmarks::new(database.clone(), held),
        })
    }
}

#[async_trait]
impl Bookmarks for FromViews {
    async fn load(&self, name: &str) -> Result<Option<Position>, OutsideError> {
        self.bookmarks.load(name).await.map_err(outside)
    }

    async fn save(&self, name: &str, at: Position) -> Result<bool, OutsideError> {
        self.bookmarks.save(name, at).await.map_err(outside)
    }
}

#[async_trait]
impl DueTimers for FromViews {
    async fn due(&self, today: NaiveDate, lane: Lane, limit: usize) -> Result<Vec<DueTimer>, OutsideError> {
        let due = deadlines::due(&self.database, today, lane, limit).await.map_err(outside)?;
        let timer = |row: deadlines::DeadlineRow| DueTimer {
            category: row.category,
            case_id: row.case_id,
            timer: row.kind,
            due_on: row.due_on,
        };
        Ok(due.into_iter().map(timer).collect())
    }
}

#[async_trait]
impl DueProcessTimers for FromViews {
    async fn due(&self, now: DateTime<Utc>, lane: Lane, limit: usize) -> Result<Vec<DueProcessTimer>, OutsideError> {
        let due = processes::due_timers(&self.database, now, lane, limit)
            .await
            .map_err(outside)?;
        let timer = |row: processes::TimerRow| DueProcessTimer {
            category: row.category,
            case_id: row.case_id,
            timer: row.timer_key.cast_unsigned(),
            due_at: row.due_at,
        };
        Ok(due.into_iter().map(timer).collect())
    }
}

#[async_trait]
impl ProvisionalCases for FromViews {
    async fn provisional(&self, after: Option<Uuid>, limit: usize) -> Result<Vec<(String, Uuid)>, OutsideError> {
        deadlines::provisional_cases(&self.database, limit, after)
            .await
            .map_err(outside)
    }
}

fn outside(error: impl std::fmt::Display) -> OutsideError {
    OutsideError(error.to_string())
}
