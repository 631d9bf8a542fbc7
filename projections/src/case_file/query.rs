//! Asking for whole cases.

use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::database::{Database, QueryError};

/// A whole case, as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseFile {
    /// The case.
    pub case_id: Uuid,
    /// Its type's stream category.
    pub category: String,
    /// What every case remembers (the domain's `Kernel`), as JSON.
    pub kernel: Value,
    /// What its type remembers, as JSON.
    pub own: Value,
    /// What lists and reports show: `[{name, name_zh, value}]`.
    pub facts: Value,
    /// Its numbers by kind.
    pub numbers: Value,
    /// Its materials, with their documents.
    pub documents: Value,
    /// When its first event was recorded.
    pub first_recorded_at: DateTime<Utc>,
    /// When its last event was recorded.
    pub last_recorded_at: DateTime<Utc>,
    /// When its last event happened.
    pub last_occurred_at: DateTime<Utc>,
    /// The revision of its last event.
    pub revision: i64,
    /// The position of its last event.
    pub position: i64,
}

const COLUMNS: &str = "case_id, category, kernel, own, facts, numbers, documents, first_recorded_at, last_recorded_at, \
    last_occurred_at, revision, position";

impl CaseFile {
    fn read(row: &Row) -> Self {
        Self {
            case_id: row.get(0),
            category: row.get(1),
            kernel: row.get(2),
            own: row.get(3),
            facts: row.get(4),
            numbers: row.get(5),
            documents: row.get(6),
            first_recorded_at: row.get(7),
            last_recorded_at: row.get(8),
            last_occurred_at: row.get(9),
            revision: row.get(10),
            position: row.get(11),
        }
    }
}

/// One whole case.
pub async fn find(database: &Database, case_id: Uuid) -> Result<Option<CaseFile>, QueryError> {
    let rows = database
        .query(
            &format!("select {COLUMNS} from case_file_cases where case_id = $1"),
            &[&case_id],
        )
        .await?;
    Ok(rows.first().map(CaseFile::read))
}

/// Several whole cases, in no order.
pub async fn find_many(database: &Database, ids: &[Uuid]) -> Result<Vec<CaseFile>, QueryError> {
    let rows = database
        .query(
            &format!("select {COLUMNS} from case_file_cases where case_id = any($1)"),
            &[&ids],
        )
        .await?;
    Ok(rows.iter().map(CaseFile::read).collect())
}
