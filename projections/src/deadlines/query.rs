//! Asking what is due.

use chrono::NaiveDate;
use event_store_contract::Lane;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::database::{Condition, Database, QueryError, starts_with_pattern};

/// The most deadlines in one answer.
pub const MAX_DEADLINES: i64 = 1_000;

/// A date by which something must have happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the columns of the table")]
pub struct DeadlineRow {
    pub case_id: Uuid,
    pub category: String,
    /// What is due; also the timer's name.
    pub kind: String,
    pub name_zh: String,
    pub due_on: NaiveDate,
    /// The day on which the timer fires; none, if nothing happens by itself.
    pub fires_on: Option<NaiveDate>,
    /// The calendar of that year is not published yet; the date may move.
    pub provisional: bool,
    pub region: String,
    pub case_no: Option<String>,
}

/// What [`Lane::has`] works out of a case's stream, worked out by the database.
const LANE_PLACE: &str = "('x' || left(encode(sha256(convert_to(category || '-' || case_id, 'UTF8')), 'hex'), 8))::bit(32)::int8";

const COLUMNS: &str = "case_id, category, kind, name_zh, due_on, fires_on, provisional, region, case_no";

impl DeadlineRow {
    fn read(row: &Row) -> Self {
        Self {
            case_id: row.get(0),
            category: row.get(1),
            kind: row.get(2),
            name_zh: row.get(3),
            due_on: row.get(4),
            fires_on: row.get(5),
            provisional: row.get(6),
            region: row.get(7),
            case_no: row.get(8),
        }
    }
}

/// Which deadlines. Whatever is set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeadlineFilter {
    /// Due on that day or before.
    pub due_by: Option<NaiveDate>,
    /// Due on that day or later.
    pub due_from: Option<NaiveDate>,
    /// Of any of these kinds; of whatever kind, if there are none.
    pub kinds: Vec<String>,
    /// In regions whose codes begin so.
    pub region_prefix: Option<String>,
    /// Of this case.
    pub case_id: Option<Uuid>,
}

/// Deadlines by date, the nearest first.
pub async fn list(database: &Database, filter: &DeadlineFilter, limit: i64) -> Result<Vec<DeadlineRow>, QueryError> {
    let mut condition = Condition::default();
    if let Some(by) = filter.due_by {
        condition.and("due_on <= ?", by);
    }
    if let Some(from) = filter.due_from {
        condition.and("due_on >= ?", from);
    }
    if !filter.kinds.is_empty() {
        condition.and("kind = any(?)", filter.kinds.clone());
    }
    if let Some(prefix) = &filter.region_prefix {
        condition.and("region like ?", starts_with_pattern(prefix));
    }
    if let Some(case_id) = filter.case_id {
        condition.and("case_id = ?", case_id);
    }
    let sql = format!(
        "select {COLUMNS} from deadlines_due{} order by due_on, case_id, kind limit {}",
        condition.sql(),
        limit.clamp(0, MAX_DEADLINES)
    );
    let rows = database.query_owned(&sql, &condition.params).await?;
    Ok(rows.iter().map(DeadlineRow::read).collect())
}

/// One more clause of a condition: rows of the cases in a lane. The table has the columns `category` and `case_id`.
pub(crate) fn in_lane(lane: Lane) -> String {
    if lane.is_whole() {
        return String::new();
    }
    format!(" and {LANE_PLACE} % {} = {}", lane.of, lane.index)
}

/// Timers of the cases in a lane that fire on this day or should have before, the oldest first.
pub async fn due(database: &Database, today: NaiveDate, lane: Lane, limit: usize) -> Result<Vec<DeadlineRow>, QueryError> {
    let limit = i64::try_from(limit).unwrap_or(MAX_DEADLINES).min(MAX_DEADLINES);
    let sql = format!(
        "select {COLUMNS} from deadlines_due where fires_on <= $1{} order by fires_on, case_id, kind limit $2",
        in_lane(lane)
    );
    let rows = database.query(&sql, &[&today, &limit]).await?;
    Ok(rows.iter().map(DeadlineRow::read).collect())
}

/// Cases with a date that may still move, by id, after a case (from the beginning, if none).
pub async fn provisional_cases(
    database: &Database,
    limit: usize,
    after: Option<Uuid>,
) -> Result<Vec<(String, Uuid)>, QueryError> {
    let limit = i64::try_from(limit).unwrap_or(MAX_DEADLINES).min(MAX_DEADLINES);
    let rows = database
        .query(
            "select distinct case_id, category from deadlines_due where provisional and case_id > $1 order by case_id limit $2",
            &[&after.unwrap_or(Uuid::nil()), &limit],
        )
        .await?;
    Ok(rows.iter().map(|row| (row.get(1), row.get(0))).collect())
}

/// Everything that is due in a case, the nearest first.
pub async fn of_case(database: &Database, case_id: Uuid) -> Result<Vec<DeadlineRow>, QueryError> {
    list(
        database,
        &DeadlineFilter {
            case_id: Some(case_id),
            ..DeadlineFilter::default()
        },
        MAX_DEADLINES,
    )
    .await
}
