//! Asking for cases: filters, orders, pages by keyset.

use chrono::{DateTime, NaiveDate, Utc};
use domain::case::Stage;
use serde_json::Value;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::database::{Condition, Database, QueryError, contains_pattern, starts_with_pattern};

/// The most cases on one page.
pub const MAX_PAGE_CASES: usize = 100;
/// How far cases are counted; a list with more says "at least so many".
pub const MAX_COUNTED_CASES: i64 = 10_000;
/// The most attributes that one filter compares.
pub const MAX_FILTER_ATTRIBUTES: usize = 8;

/// Which cases. Whatever is set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "each field is named as the column that it compares")]
pub struct CaseFilter {
    pub ids: Option<Vec<Uuid>>,
    pub category: Option<String>,
    pub item_code: Option<String>,
    /// Any of these stages; no matter which, if there are none.
    pub stages: Vec<Stage>,
    /// Whether the bureau still owes a decision.
    pub open: Option<bool>,
    /// Region codes that begin so (`3206` for a whole city).
    pub region_prefix: Option<String>,
    pub handler_id: Option<String>,
    /// Applicants whose name begins so.
    pub applicant: Option<String>,
    /// The applicant's own document number, whole.
    pub applicant_id_no: Option<String>,
    pub case_no: Option<String>,
    pub legacy_id: Option<String>,
    pub licence_no: Option<String>,
    pub project_code: Option<String>,
    pub submitted_from: Option<NaiveDate>,
    pub submitted_to: Option<NaiveDate>,
    pub decided_from: Option<NaiveDate>,
    pub decided_to: Option<NaiveDate>,
    /// Due on that day or before, and still open.
    pub due_by: Option<NaiveDate>,
    /// Past its statutory date on that day, and still open.
    pub overdue_on: Option<NaiveDate>,
    /// `native`, or the source that it was imported from.
    pub source: Option<String>,
    pub batch: Option<String>,
    /// Recorded attributes that must have these values.
    pub attributes: Vec<(String, String)>,
    /// Free text, anywhere in numbers, names and addresses.
    pub text: Option<String>,
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the variants explain themselves")]
pub enum CaseSortKey {
    SubmittedOn,
    /// Cases that are not due come last.
    DueOn,
    #[default]
    LastChange,
    CaseNo,
}

/// An order of cases; cases that are equal in it are ordered by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaseSort {
    /// By what.
    pub key: CaseSortKey,
    /// The greatest first.
    pub descending: bool,
}

impl Default for CaseSort {
    fn default() -> Self {
        Self {
            key: CaseSortKey::LastChange,
            descending: true,
        }
    }
}

/// The place of a case in an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseCursor {
    /// The sort key's value, as text.
    pub key: String,
    /// The case.
    pub id: Uuid,
}

impl std::fmt::Display for CaseCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}~{}", self.id, self.key)
    }
}

impl std::str::FromStr for CaseCursor {
    type Err = QueryError;

    fn from_str(text: &str) -> Result<Self, QueryError> {
        let (id, key) = text.split_once('~').ok_or_else(|| QueryError::BadCursor(text.to_owned()))?;
        let id = id.parse().map_err(|_| QueryError::BadCursor(text.to_owned()))?;
        Ok(Self { key: key.to_owned(), id })
    }
}

/// Which piece of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paging {
    /// At most so many cases, up to [`MAX_PAGE_CASES`].
    pub limit: usize,
    /// Only what stands after this place.
    pub after: Option<CaseCursor>,
    /// Only what stands before this place.
    pub before: Option<CaseCursor>,
    /// The last of them instead of the first; they are still returned in the list's order.
    pub backwards: bool,
}

impl Paging {
    /// The first cases of the list.
    pub fn first(limit: usize) -> Self {
        Self {
            limit,
            after: None,
            before: None,
            backwards: false,
        }
    }
}

/// A case as lists show it.
#[derive(Debug, Clone, PartialEq)]
#[allow(
    missing_docs,
    clippy::struct_excessive_bools,
    reason = "the fields are the columns of the table"
)]
pub struct CaseRow {
    pub case_id: Uuid,
    pub category: String,
    pub item_code: String,
    pub item_version: i32,
    pub case_no: Option<String>,
    pub legacy_id: Option<String>,
    pub licence_no: Option<String>,
    pub stage: Stage,
    pub open: bool,
    pub phase: Option<String>,
    pub phase_zh: Option<String>,
    pub region: String,
    pub applicant_name: Option<String>,
    pub applicant_id_no: Option<String>,
    pub project_code: Option<String>,
    pub project_name: Option<String>,
    pub handler_id: Option<String>,
    pub handler_name: Option<String>,
    /// `native`, or the source that it was imported from.
    pub source: String,
    pub batch: Option<String>,
    pub submitted_on: NaiveDate,
    pub accepted_on: Option<NaiveDate>,
    pub decided_on: Option<NaiveDate>,
    pub delivered_on: Option<NaiveDate>,
    /// The nearest date by which the bureau or the applicant must do something; none, when nothing is due.
    pub due_on: Option<NaiveDate>,
    pub statutory_due_on: Option<NaiveDate>,
    pub promised_due_on: Option<NaiveDate>,
    pub internal_due_on: Option<NaiveDate>,
    /// A calendar that a date reaches into is not published yet; it may move.
    pub due_provisional: bool,
    /// The clock stands still.
    pub paused: bool,
    pub attributes: Value,
    /// An event of this case could not be read; the row shows what was readable.
    pub unreadable: bool,
    pub last_recorded_at: DateTime<Utc>,
    pub last_occurred_at: DateTime<Utc>,
    pub revision: i64,
    pub position: i64,
}

/// The columns of [`CaseRow`], in its order.
pub const COLUMNS: &str = "case_id, category, item_code, item_version, case_no, legacy_id, licence_no, stage, open, phase, phase_zh, \
    region, applicant_name, applicant_id_no, project_code, project_name, handler_id, handler_name, source, batch, submitted_on, \
    accepted_on, decided_on, delivered_on, due_on, statutory_due_on, promised_due_on, internal_due_on, due_provisional, paused, \
    attributes, unreadable, last_recorded_at, last_occurred_at, revision, position";

impl CaseRow {
    fn read(row: &Row) -> Self {
        Self {
            case_id: row.get(0),
            category: row.get(1),
            item_code: row.get(2),
            item_version: row.get(3),
            case_no: row.get(4),
            legacy_id: row.get(5),
            licence_no: row.get(6),
            stage: row.get::<_, &str>(7).parse().unwrap_or_default(),
            open: row.get(8),
            phase: row.get(9),
            phase_zh: row.get(10),
            region: row.get(11),
            applicant_name: row.get(12),
            applicant_id_no: row.get(13),
            project_code: row.get(14),
            project_name: row.get(15),
            handler_id: row.get(16),
            handler_name: row.get(17),
            source: row.get(18),
            batch: row.get(19),
            submitted_on: row.get(20),
            accepted_on: row.get(21),
            decided_on: row.get(22),
            delivered_on: row.get(23),
            due_on: row.get(24),
            statutory_due_on: row.get(25),
            promised_due_on: row.get(26),
            internal_due_on: row.get(27),
            due_provisional: row.get(28),
            paused: row.get(29),
            attributes: row.get(30),
            unreadable: row.get(31),
            last_recorded_at: row.get(32),
            last_occurred_at: row.get(33),
            revision: row.get(34),
            position: row.get(35),
        }
    }

    /// The place of this case in an order.
    pub fn cursor(&self, key: CaseSortKey) -> CaseCursor {
        let text = match key {
            CaseSortKey::SubmittedOn => self.submitted_on.to_string(),
            CaseSortKey::DueOn => self.due_on.unwrap_or(super::NOT_DUE).to_string(),
            CaseSortKey::LastChange => self.position.to_string(),
            CaseSortKey::CaseNo => self.case_no.clone().unwrap_or_default(),
        };
        CaseCursor {
            key: text,
            id: self.case_id,
        }
    }
}

/// A piece of a list of cases.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CasePage {
    /// The cases, in the list's order.
    pub cases: Vec<CaseRow>,
    /// There are more before the first.
    pub has_previous: bool,
    /// There are more after the last.
    pub has_next: bool,
}

/// A piece of the list of cases.
pub async fn page(database: &Database, filter: &CaseFilter, sort: CaseSort, paging: &Paging) -> Result<CasePage, QueryError> {
    let found = page_rows(database, COLUMNS, filter, sort, paging).await?;
    Ok(CasePage {
        cases: found.rows.iter().map(CaseRow::read).collect(),
        has_previous: found.has_previous,
        has_next: found.has_next,
    })
}

/// A piece of a list as raw rows, for those who write bytes themselves.
pub struct RawPage {
    /// The rows, in the list's order.
    pub rows: Vec<Row>,
    /// There are more before the first.
    pub has_previous: bool,
    /// There are more after the last.
    pub has_next: bool,
}

/// As [`page`], with only these columns (a part of [`COLUMNS`], comma-separated; must not come from a user).
/// To write cursors, the case's id and the column of [`sort_column`] must be among them.
pub async fn page_rows(
    database: &Database,
    columns: &str,
    filter: &CaseFilter,
    sort: CaseSort,
    paging: &Paging,
) -> Result<RawPage, QueryError> {
    let limit = paging.limit.min(MAX_PAGE_CASES);
    let mut condition = condition(filter)?;
    let column = sort_column(sort.key);
    for (cursor, past) in [(&paging.after, sort.descending), (&paging.before, !sort.descending)] {
        let Some(cursor) = cursor else { continue };
        let key = key_param(&mut condition, sort.key, cursor)?;
        let id = condition.param(cursor.id);
        let sign = if past { '<' } else { '>' };
        condition.and_plain(format!("({column}, case_id) {sign} ({key}, {id})"));
    }
    let direction = if sort.descending == paging.backwards { "asc" } else { "desc" };
    let sql = format!(
        "select {columns} from case_list_cases{} order by {column} {direction}, case_id {direction} limit {}",
        condition.sql(),
        limit + 1,
    );
    let mut rows = database.query_owned(&sql, &condition.params).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    if paging.backwards {
        rows.reverse();
        return Ok(RawPage {
            rows,
            has_previous: more,
            has_next: paging.before.is_some(),
        });
    }
    Ok(RawPage {
        rows,
        has_previous: paging.after.is_some(),
        has_next: more,
    })
}

/// The column that an order goes by; never null.
pub fn sort_column(key: CaseSortKey) -> &'static str {
    match key {
        CaseSortKey::SubmittedOn => "submitted_on",
        CaseSortKey::DueOn => "due_sort",
        CaseSortKey::LastChange => "position",
        CaseSortKey::CaseNo => "case_no_sort",
    }
}

fn key_param(condition: &mut Condition, key: CaseSortKey, cursor: &CaseCursor) -> Result<String, QueryError> {
    let bad = || QueryError::BadCursor(cursor.to_string());
    Ok(match key {
        CaseSortKey::SubmittedOn | CaseSortKey::DueOn => condition.param(cursor.key.parse::<NaiveDate>().map_err(|_| bad())?),
        CaseSortKey::LastChange => condition.param(cursor.key.parse::<i64>().map_err(|_| bad())?),
        CaseSortKey::CaseNo => condition.param(cursor.key.replace('\0', "")),
    })
}

/// How many cases, counted up to [`MAX_COUNTED_CASES`].
pub async fn count(database: &Database, filter: &CaseFilter) -> Result<i64, QueryError> {
    let condition = condition(filter)?;
    let sql = format!(
        "select count(*) from (select 1 from case_list_cases{} limit {MAX_COUNTED_CASES}) as counted",
        condition.sql()
    );
    let rows = database.query_owned(&sql, &condition.params).await?;
    Ok(rows.first().map_or(0, |row| row.get(0)))
}

/// One case.
pub async fn find(database: &Database, case_id: Uuid) -> Result<Option<CaseRow>, QueryError> {
    let rows = database
        .query(
            &format!("select {COLUMNS} from case_list_cases where case_id = $1"),
            &[&case_id],
        )
        .await?;
    Ok(rows.first().map(CaseRow::read))
}

/// The cases with these ids, in no order.
pub async fn find_many(database: &Database, ids: &[Uuid]) -> Result<Vec<CaseRow>, QueryError> {
    let rows = database
        .query(
            &format!("select {COLUMNS} from case_list_cases where case_id = any($1)"),
            &[&ids],
        )
        .await?;
    Ok(rows.iter().map(CaseRow::read).collect())
}

/// The case with this number (办件编号).
pub async fn find_by_case_no(database: &Database, case_no: &str) -> Result<Option<CaseRow>, QueryError> {
    one_by(database, "case_no_sort", case_no).await
}

/// The case with this number in a former system.
pub async fn find_by_legacy_id(database: &Database, legacy_id: &str) -> Result<Option<CaseRow>, QueryError> {
    one_by(database, "legacy_id", legacy_id).await
}

/// The case whose licence has this number (证照编号).
pub async fn find_by_licence_no(database: &Database, licence_no: &str) -> Result<Option<CaseRow>, QueryError> {
    one_by(database, "licence_no", licence_no).await
}

async fn one_by(database: &Database, column: &str, value: &str) -> Result<Option<CaseRow>, QueryError> {
    let sql = format!("select {COLUMNS} from case_list_cases where {column} = $1 order by case_id limit 1");
    let rows = database.query(&sql, &[&value]).await?;
    Ok(rows.first().map(CaseRow::read))
}

fn condition(filter: &CaseFilter) -> Result<Condition, QueryError> {
    if filter.attributes.len() > MAX_FILTER_ATTRIBUTES {
        return Err(QueryError::Invalid(format!(
            "a filter compares at most {MAX_FILTER_ATTRIBUTES} attributes"
        )));
    }
    let mut all = Condition::default();
    if let Some(ids) = &filter.ids {
        all.and("case_id = any(?)", ids.clone());
    }
    if !filter.stages.is_empty() {
        all.and(
            "stage = any(?)",
            filter.stages.iter().map(ToString::to_string).collect::<Vec<_>>(),
        );
    }
    if let Some(open) = filter.open {
        all.and("open = ?", open);
    }
    if let Some(prefix) = &filter.region_prefix {
        all.and("region like ?", starts_with_pattern(prefix));
    }
    if let Some(applicant) = &filter.applicant {
        all.and("applicant_lower like ?", starts_with_pattern(&applicant.to_lowercase()));
    }
    if let Some(text) = &filter.text {
        all.and("search_text like ?", contains_pattern(&text.trim().to_lowercase()));
    }
    for (column, value) in [
        ("category = ?", &filter.category),
        ("item_code = ?", &filter.item_code),
        ("handler_id = ?", &filter.handler_id),
        ("applicant_id_no = ?", &filter.applicant_id_no),
        ("case_no_sort = ?", &filter.case_no),
        ("legacy_id = ?", &filter.legacy_id),
        ("licence_no = ?", &filter.licence_no),
        ("project_code = ?", &filter.project_code),
        ("source = ?", &filter.source),
        ("batch = ?", &filter.batch),
    ] {
        if let Some(value) = value {
            all.and(column, value.replace('\0', ""));
        }
    }
    for (clause, date) in [
        ("submitted_on >= ?", filter.submitted_from),
        ("submitted_on <= ?", filter.submitted_to),
        ("decided_on >= ?", filter.decided_from),
        ("decided_on <= ?", filter.decided_to),
        ("open and due_sort <= ?", filter.due_by),
        ("open and statutory_due_on < ?", filter.overdue_on),
    ] {
        if let Some(date) = date {
            all.and(clause, date);
        }
    }
    for (name, value) in &filter.attributes {
        all.and(
            "attributes @> ?",
            serde_json::json!({ name.replace('\0', ""): value.replace('\0', "") }),
        );
    }
    Ok(all)
}
