//! Asking what happened.

use chrono::{DateTime, Utc};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::database::{Database, QueryError};

/// The most entries in one answer.
pub const MAX_ENTRIES: i64 = 500;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the columns of the table")]
pub struct TimelineEntry {
    pub case_id: Uuid,
    pub position: i64,
    pub revision: i64,
    pub event_id: Uuid,
    /// The event's stored name (`PermitIssued`).
    pub name: String,
    pub title_zh: String,
    pub title_en: String,
    pub actor_id: String,
    pub actor_name: String,
    pub actor_role: String,
    pub channel: String,
    pub occurred_at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
    pub legal_basis: Option<String>,
}

const COLUMNS: &str = "case_id, position, revision, event_id, occurred_at, recorded_at, told";

/// What the column `told` holds, as it is read.
type Told = (String, String, String, String, String, String, String, Option<String>);

impl TimelineEntry {
    fn read(row: &Row) -> Self {
        // The row was written by the program of this very version; what is not there all the same is empty.
        let told: Told = serde_json::from_str(row.get(6)).unwrap_or_default();
        let (name, title_zh, title_en, actor_id, actor_name, actor_role, channel, legal_basis) = told;
        Self {
            case_id: row.get(0),
            position: row.get(1),
            revision: row.get(2),
            event_id: row.get(3),
            name,
            title_zh,
            title_en,
            actor_id,
            actor_name,
            actor_role,
            channel,
            occurred_at: row.get(4),
            recorded_at: row.get(5),
            legal_basis,
        }
    }
}

/// What happened to a case, oldest first, after a revision (from the beginning, if none).
pub async fn of_case(
    database: &Database,
    case_id: Uuid,
    after_revision: Option<i64>,
    limit: i64,
) -> Result<Vec<TimelineEntry>, QueryError> {
    let sql = format!("select {COLUMNS} from timeline_entries where case_id = $1 and revision > $2 order by revision limit $3");
    let rows = database
        .query(&sql, &[&case_id, &after_revision.unwrap_or(-1), &limit.clamp(0, MAX_ENTRIES)])
        .await?;
    Ok(rows.iter().map(TimelineEntry::read).collect())
}
