//! Asking what processes are doing.

use chrono::{DateTime, Utc};
use event_store_contract::Lane;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{
    database::{Condition, Database, QueryError, starts_with_pattern},
    deadlines::in_lane,
};

/// The most rows in one answer.
pub const MAX_PROCESS_ROWS: i64 = 1_000;

/// How an instance stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the columns of the table")]
pub struct InstanceRow {
    pub case_id: Uuid,
    pub category: String,
    pub region: String,
    pub case_no: Option<String>,
    pub model: String,
    pub process: String,
    pub version: i64,
    pub status: String,
    pub started_at: DateTime<Utc>,
    pub tasks: i64,
    pub incidents: i64,
}

/// A task of a process, with what one must know of its case.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the columns of the table")]
pub struct ProcessTaskRow {
    pub case_id: Uuid,
    pub category: String,
    pub region: String,
    pub case_no: Option<String>,
    pub project_name: Option<String>,
    pub task_key: i64,
    pub element: String,
    pub name: String,
    pub assignee: Option<String>,
    pub assignee_name: Option<String>,
    /// The commands that finish it, if it is not finished by itself.
    pub means: Vec<String>,
    pub opened_at: DateTime<Utc>,
    pub due_at: Option<DateTime<Utc>>,
    pub priority: i64,
    pub urged: i64,
}

/// A timer of a process whose time has come.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the fields are the columns of the table")]
pub struct TimerRow {
    pub case_id: Uuid,
    pub category: String,
    pub timer_key: i64,
    pub due_at: DateTime<Utc>,
}

/// A job that waits for somebody outside.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the fields are the columns of the table")]
pub struct JobRow {
    pub case_id: Uuid,
    pub category: String,
    pub job_key: i64,
    pub element: String,
    pub kind: String,
    pub fields: serde_json::Value,
    pub tries_left: i64,
}

/// Something in a process that must be repaired.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the columns of the table")]
pub struct IncidentRow {
    pub case_id: Uuid,
    pub category: String,
    pub region: String,
    pub case_no: Option<String>,
    pub incident_key: i64,
    pub element: String,
    pub obstacle: String,
    pub message: String,
    pub since: DateTime<Utc>,
}

/// A message that a process waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the columns of the table")]
pub struct MessageRow {
    pub case_id: Uuid,
    pub category: String,
    pub case_no: Option<String>,
    pub wait_key: i64,
    pub element: String,
    pub message: String,
    /// What a message must carry to be meant; none: any message of the name.
    pub correlation: Option<String>,
}

/// Which messages. Whatever is set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageFilter {
    /// Of this name.
    pub message: Option<String>,
    /// With this key.
    pub correlation: Option<String>,
    /// Of this case.
    pub case_id: Option<Uuid>,
    /// In regions whose codes begin so.
    pub region_prefix: Option<String>,
}

/// Which tasks. Whatever is set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProcessTaskFilter {
    /// That any of these people or groups may do; whoever, if there are none.
    pub asked: Vec<String>,
    /// Of this case.
    pub case_id: Option<Uuid>,
    /// In regions whose codes begin so.
    pub region_prefix: Option<String>,
    /// At this element of the model.
    pub element: Option<String>,
}

/// Tasks, those that wait longest first, after one (from the beginning, if none).
pub async fn tasks(
    database: &Database,
    filter: &ProcessTaskFilter,
    after: Option<(DateTime<Utc>, Uuid, i64)>,
    limit: i64,
) -> Result<Vec<ProcessTaskRow>, QueryError> {
    let mut condition = Condition::default();
    if !filter.asked.is_empty() {
        condition.and(
            "exists (select from processes_asked a where a.case_id = t.case_id and a.task_key = t.task_key and a.person = any(?))",
            filter.asked.clone(),
        );
    }
    if let Some(case_id) = filter.case_id {
        condition.and("case_id = ?", case_id);
    }
    if let Some(prefix) = &filter.region_prefix {
        condition.and("region like ?", starts_with_pattern(prefix));
    }
    if let Some(element) = &filter.element {
        condition.and("element = ?", element.clone());
    }
    if let Some((opened_at, case_id, task_key)) = after {
        let place = [
            condition.param(opened_at),
            condition.param(case_id),
            condition.param(task_key),
        ];
        condition.and_plain(format!("(opened_at, case_id, task_key) > ({})", place.join(", ")));
    }
    let sql = format!(
        "select case_id, category, region, case_no, project_name, task_key, element, name, assignee, assignee_name, means, \
         opened_at, due_at, priority, urged from processes_tasks t{} order by opened_at, case_id, task_key limit {}",
        condition.sql(),
        limit.clamp(0, MAX_PROCESS_ROWS)
    );
    let rows = database.query_owned(&sql, &condition.params).await?;
    Ok(rows.iter().map(task_row).collect())
}

/// How many tasks are open in the hands of each of these people; whoever has none is not named.
pub async fn open_tasks_of(database: &Database, people: &[String]) -> Result<Vec<(String, i64)>, QueryError> {
    let sql = "select assignee, count(*) from processes_tasks where assignee = any($1) group by assignee order by assignee";
    let rows = database.query(sql, &[&people]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// The instance of a case; none, if it has no process.
pub async fn instance(database: &Database, case_id: Uuid) -> Result<Option<InstanceRow>, QueryError> {
    let sql = format!("select {INSTANCE_COLUMNS} from processes_instances where case_id = $1");
    let rows = database.query(&sql, &[&case_id]).await?;
    Ok(rows.first().map(instance_row))
}

/// The instances that follow a process and have not ended, by case, after one (from the beginning, if none).
pub async fn running(
    database: &Database,
    (model, process): (&str, &str),
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<InstanceRow>, QueryError> {
    let sql = format!(
        "select {INSTANCE_COLUMNS} from processes_instances where model = $1 and process = $2 \
         and status in ('RUNNING', 'INCIDENT', 'SUSPENDED') and case_id > $3 order by case_id limit $4"
    );
    let after = after.unwrap_or(Uuid::nil());
    let limit = limit.clamp(0, MAX_PROCESS_ROWS);
    let rows = database.query(&sql, &[&model, &process, &after, &limit]).await?;
    Ok(rows.iter().map(instance_row).collect())
}

/// Timers of the cases in a lane that were due at this instant, the oldest first.
pub async fn due_timers(database: &Database, now: DateTime<Utc>, lane: Lane, limit: usize) -> Result<Vec<TimerRow>, QueryError> {
    let limit = i64::try_from(limit).unwrap_or(MAX_PROCESS_ROWS).min(MAX_PROCESS_ROWS);
    let sql = format!(
        "select case_id, category, timer_key, due_at from processes_timers where due_at <= $1{} \
         order by due_at, case_id, timer_key limit $2",
        in_lane(lane)
    );
    let rows = database.query(&sql, &[&now, &limit]).await?;
    let timer = |row: &Row| TimerRow {
        case_id: row.get(0),
        category: row.get(1),
        timer_key: row.get(2),
        due_at: row.get(3),
    };
    Ok(rows.iter().map(timer).collect())
}

/// Jobs of these kinds (of whatever kind, if there are none), by case.
pub async fn jobs(database: &Database, kinds: &[String], case_id: Option<Uuid>, limit: i64) -> Result<Vec<JobRow>, QueryError> {
    let mut condition = Condition::default();
    if !kinds.is_empty() {
        condition.and("kind = any(?)", kinds.to_vec());
    }
    if let Some(case_id) = case_id {
        condition.and("case_id = ?", case_id);
    }
    let sql = format!(
        "select case_id, category, job_key, element, kind, fields, tries_left from processes_jobs{} order by case_id, job_key limit {}",
        condition.sql(),
        limit.clamp(0, MAX_PROCESS_ROWS)
    );
    let rows = database.query_owned(&sql, &condition.params).await?;
    let job = |row: &Row| JobRow {
        case_id: row.get(0),
        category: row.get(1),
        job_key: row.get(2),
        element: row.get(3),
        kind: row.get(4),
        fields: serde_json::from_str(row.get(5)).unwrap_or_default(),
        tries_left: row.get(6),
    };
    Ok(rows.iter().map(job).collect())
}

/// What must be repaired, the oldest first.
pub async fn incidents(
    database: &Database,
    region_prefix: Option<&str>,
    case_id: Option<Uuid>,
    limit: i64,
) -> Result<Vec<IncidentRow>, QueryError> {
    let mut condition = Condition::default();
    if let Some(prefix) = region_prefix {
        condition.and("region like ?", starts_with_pattern(prefix));
    }
    if let Some(case_id) = case_id {
        condition.and("case_id = ?", case_id);
    }
    let sql = format!(
        "select case_id, category, region, case_no, incident_key, element, obstacle, message, since from processes_incidents{} \
         order by since, case_id, incident_key limit {}",
        condition.sql(),
        limit.clamp(0, MAX_PROCESS_ROWS)
    );
    let rows = database.query_owned(&sql, &condition.params).await?;
    let incident = |row: &Row| IncidentRow {
        case_id: row.get(0),
        category: row.get(1),
        region: row.get(2),
        case_no: row.get(3),
        incident_key: row.get(4),
        element: row.get(5),
        obstacle: row.get(6),
        message: row.get(7),
        since: row.get(8),
    };
    Ok(rows.iter().map(incident).collect())
}

/// The messages that processes wait for, by case.
pub async fn messages(database: &Database, filter: &MessageFilter, limit: i64) -> Result<Vec<MessageRow>, QueryError> {
    let mut condition = Condition::default();
    if let Some(message) = &filter.message {
        condition.and("message = ?", message.clone());
    }
    if let Some(correlation) = &filter.correlation {
        condition.and("correlation = ?", correlation.clone());
    }
    if let Some(case_id) = filter.case_id {
        condition.and("case_id = ?", case_id);
    }
    if let Some(prefix) = &filter.region_prefix {
        condition.and("region like ?", starts_with_pattern(prefix));
    }
    let sql = format!(
        "select case_id, category, case_no, wait_key, element, message, correlation from processes_messages{} \
         order by case_id, wait_key limit {}",
        condition.sql(),
        limit.clamp(0, MAX_PROCESS_ROWS)
    );
    let rows = database.query_owned(&sql, &condition.params).await?;
    let message = |row: &Row| MessageRow {
        case_id: row.get(0),
        category: row.get(1),
        case_no: row.get(2),
        wait_key: row.get(3),
        element: row.get(4),
        message: row.get(5),
        correlation: row.get(6),
    };
    Ok(rows.iter().map(message).collect())
}

/// The cases whose processes wait for a message of this name: those that wait for this very key, or else those that wait for
/// any.
pub async fn waiting_for(
    database: &Database,
    message: &str,
    correlation: Option<&str>,
    limit: usize,
) -> Result<Vec<(String, Uuid)>, QueryError> {
    let limit = i64::try_from(limit).unwrap_or(MAX_PROCESS_ROWS).min(MAX_PROCESS_ROWS);
    let case = |row: &Row| (row.get(0), row.get(1));
    if let Some(key) = correlation {
        let sql = "select distinct category, case_id from processes_messages where message = $1 and correlation = $2 \
             order by case_id limit $3";
        let rows = database.query(sql, &[&message, &key, &limit]).await?;
        if !rows.is_empty() {
            return Ok(rows.iter().map(case).collect());
        }
    }
    let sql = "select distinct category, case_id from processes_messages where message = $1 and correlation is null \
         order by case_id limit $2";
    let rows = database.query(sql, &[&message, &limit]).await?;
    Ok(rows.iter().map(case).collect())
}

const INSTANCE_COLUMNS: &str =
    "case_id, category, region, case_no, model, process, version, status, started_at, tasks, incidents";

fn instance_row(row: &Row) -> InstanceRow {
    InstanceRow {
        case_id: row.get(0),
        category: row.get(1),
        region: row.get(2),
        case_no: row.get(3),
        model: row.get(4),
        process: row.get(5),
        version: row.get(6),
        status: row.get(7),
        started_at: row.get(8),
        tasks: row.get(9),
        incidents: row.get(10),
    }
}

fn task_row(row: &Row) -> ProcessTaskRow {
    ProcessTaskRow {
        case_id: row.get(0),
        category: row.get(1),
        region: row.get(2),
        case_no: row.get(3),
        project_name: row.get(4),
        task_key: row.get(5),
        element: row.get(6),
        name: row.get(7),
        assignee: row.get(8),
        assignee_name: row.get(9),
        means: serde_json::from_str(row.get(10)).unwrap_or_default(),
        opened_at: row.get(11),
        due_at: row.get(12),
        priority: row.get(13),
        urged: row.get(14),
    }
}
