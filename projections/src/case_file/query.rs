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

const COLUMNS: &str = "case_id, category, file, first_recorded_at, last_recorded_at, last_occurred_at, revision, position";

impl CaseFile {
    fn read(row: &Row) -> Self {
        // The row was written by the program of this very version; what is not there all the same is null.
        let mut file: Value = serde_json::from_slice(row.get(2)).unwrap_or_default();
        let kernel = file["kernel"].take();
        Self {
            case_id: row.get(0),
            category: row.get(1),
            own: file["own"].take(),
            facts: file["facts"].take(),
            numbers: kernel["numbers"].clone(),
            documents: kernel["materials"].clone(),
            kernel,
            first_recorded_at: row.get(3),
            last_recorded_at: row.get(4),
            last_occurred_at: row.get(5),
            revision: row.get(6),
            position: row.get(7),
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
