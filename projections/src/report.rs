//! Reports over the statistics view: how long cases take, how many are resolved, whether they are on time.
//!
//! Percentiles are `sorted[floor(q·n)]`, shares are whole percents rounded half up: the definitions of the publisher of
//! the permit data, so that his answers are reproduced exactly. All arithmetic is in integers.

use crate::database::{Condition, Database, QueryError};

/// The most attributes that a report groups by.
pub const MAX_GROUPS: usize = 4;
/// The most conditions of a report.
pub const MAX_CONDITIONS: usize = 8;
/// The most lines of a report.
pub const MAX_LINES: usize = 10_000;

/// Names that group by what every case has, besides the attributes that were recorded with it.
pub const OWN_NAMES: &[(&str, &str)] = &[
    ("category", "category"),
    ("item", "item_code"),
    ("region", "region"),
    ("source", "source"),
    ("batch", "batch"),
    ("outcome", "outcome"),
    ("submitted_month", "to_char(submitted_on, 'YYYY-MM')"),
    ("decided_month", "to_char(decided_on, 'YYYY-MM')"),
];

/// How long cases of a group took from filing to issue, in calendar days.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the report's columns")]
pub struct HandlingTimeRow {
    /// The values of the attributes, in the order asked for.
    pub groups: Vec<String>,
    pub n: i64,
    pub p25: i64,
    pub median: i64,
    pub p75: i64,
    pub p90: i64,
    /// Percent of them that took at most so many days.
    pub within_30: i64,
    pub within_60: i64,
    pub within_90: i64,
    pub within_180: i64,
    pub within_365: i64,
}

/// How many cases of a group were filed, and how many of them are resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CohortRow {
    /// The values of the attributes, in the order asked for.
    pub groups: Vec<String>,
    /// How many were filed.
    pub submitted: i64,
    /// How many of them were issued.
    pub issued: i64,
    /// Issued of submitted in thousandths, rounded half up.
    pub resolved_permille: i64,
}

impl CohortRow {
    /// Issued of submitted, with at most three decimals (`0.83`).
    pub fn resolved(&self) -> String {
        let text = format!("{}.{:03}", self.resolved_permille / 1000, self.resolved_permille % 1000);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// How long decided cases of a group took in working days, and whether they were on time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the report's columns")]
pub struct WorkingTimeRow {
    /// The values of the attributes, in the order asked for.
    pub groups: Vec<String>,
    pub n: i64,
    /// The average, in hundredths of a working day, rounded half up.
    pub average_hundredths: i64,
    pub median: i64,
    pub p90: i64,
    /// Cases with a statutory limit, and those of them that kept it.
    pub statutory_measured: i64,
    pub statutory_on_time: i64,
    /// Cases with a promised limit, and those of them that kept it.
    pub promised_measured: i64,
    pub promised_on_time: i64,
    pub corrections: i64,
    pub overdue_days: i64,
}

impl WorkingTimeRow {
    /// On-time rate against the statutory limit in thousandths, rounded half up; none, if there was none to keep.
    pub fn statutory_permille(&self) -> Option<i64> {
        rounded_ratio(self.statutory_on_time, self.statutory_measured, 1000)
    }

    /// On-time rate against the promised limit in thousandths, rounded half up; none, if there was none to keep.
    pub fn promised_permille(&self) -> Option<i64> {
        rounded_ratio(self.promised_on_time, self.promised_measured, 1000)
    }
}

/// `part / whole · scale`, rounded half up.
fn rounded_ratio(part: i64, whole: i64, scale: i64) -> Option<i64> {
    (whole > 0).then(|| (2 * scale * part + whole) / (2 * whole))
}

/// How long issued cases took from filing to issue, by any recorded attributes. Cases without one of them are left out.
/// With `cohort_mature`, only those whose source says that their cohort is mature.
pub async fn handling_time(
    database: &Database,
    by: &[String],
    conditions: &[(String, String)],
    cohort_mature: bool,
) -> Result<Vec<HandlingTimeRow>, QueryError> {
    let mut question = Question::new(by, conditions)?;
    question.condition.and_plain("issued_on is not null");
    if cohort_mature {
        question.mature();
    }
    let share = |days: u32| format!("(200 * count(*) filter (where calendar_days <= {days}) + count(*)) / (2 * count(*))");
    let rank = |percent: u32| format!("(array_agg(calendar_days order by calendar_days))[count(*) * {percent} / 100 + 1]::int8");
    let figures = [
        "count(*)".to_owned(),
        rank(25),
        rank(50),
        rank(75),
        rank(90),
        share(30),
        share(60),
        share(90),
        share(180),
        share(365),
    ];
    let lines = question.ask(database, &figures).await?;
    Ok(lines
        .into_iter()
        .map(|(groups, figures)| HandlingTimeRow {
            groups,
            n: figures[0],
            p25: figures[1],
            median: figures[2],
            p75: figures[3],
            p90: figures[4],
            within_30: figures[5],
            within_60: figures[6],
            within_90: figures[7],
            within_180: figures[8],
            within_365: figures[9],
        })
        .collect())
}

/// How many cases were filed and issued, by any recorded attributes.
pub async fn cohorts(database: &Database, by: &[String], conditions: &[(String, String)]) -> Result<Vec<CohortRow>, QueryError> {
    let question = Question::new(by, conditions)?;
    let figures = ["count(*)".to_owned(), "count(issued_on)".to_owned()];
    let lines = question.ask(database, &figures).await?;
    Ok(lines
        .into_iter()
        .map(|(groups, figures)| CohortRow {
            groups,
            submitted: figures[0],
            issued: figures[1],
            resolved_permille: rounded_ratio(figures[1], figures[0], 1000).unwrap_or_default(),
        })
        .collect())
}

/// Working days and on-time rates of decided cases, by any recorded attributes.
pub async fn working_time(
    database: &Database,
    by: &[String],
    conditions: &[(String, String)],
) -> Result<Vec<WorkingTimeRow>, QueryError> {
    let mut question = Question::new(by, conditions)?;
    question
        .condition
        .and_plain("decided_on is not null and working_days is not null");
    let rank = |percent: u32| format!("(array_agg(working_days order by working_days))[count(*) * {percent} / 100 + 1]::int8");
    let figures = [
        "count(*)".to_owned(),
        "(200 * sum(working_days) + count(*)) / (2 * count(*))".to_owned(),
        rank(50),
        rank(90),
        "count(statutory_on_time)".to_owned(),
        "count(*) filter (where statutory_on_time)".to_owned(),
        "count(promised_on_time)".to_owned(),
        "count(*) filter (where promised_on_time)".to_owned(),
        "sum(corrections)::int8".to_owned(),
        "sum(overdue_days)::int8".to_owned(),
    ];
    let lines = question.ask(database, &figures).await?;
    Ok(lines
        .into_iter()
        .map(|(groups, figures)| WorkingTimeRow {
            groups,
            n: figures[0],
            average_hundredths: figures[1],
            median: figures[2],
            p90: figures[3],
            statutory_measured: figures[4],
            statutory_on_time: figures[5],
            promised_measured: figures[6],
            promised_on_time: figures[7],
            corrections: figures[8],
            overdue_days: figures[9],
        })
        .collect())
}

/// A question of a report: by what, and under which conditions.
struct Question {
    groups: Vec<String>,
    condition: Condition,
}

impl Question {
    fn new(by: &[String], conditions: &[(String, String)]) -> Result<Self, QueryError> {
        if by.len() > MAX_GROUPS {
            return Err(QueryError::Invalid(format!(
                "a report groups by at most {MAX_GROUPS} attributes; ask for fewer"
            )));
        }
        if conditions.len() > MAX_CONDITIONS {
            return Err(QueryError::Invalid(format!(
                "a report has at most {MAX_CONDITIONS} conditions; ask with fewer"
            )));
        }
        let mut question = Self {
            groups: Vec::new(),
            condition: Condition::default(),
        };
        for name in by {
            let expression = question.expression(name);
            question.condition.and_plain(format!("{expression} is not null"));
            question.groups.push(expression);
        }
        for (name, value) in conditions {
            let expression = question.expression(name);
            question.condition.and(&format!("{expression} = ?"), value.replace('\0', ""));
        }
        Ok(question)
    }

    /// What stands for a name: a column that every case has, or a recorded attribute.
    fn expression(&mut self, name: &str) -> String {
        if let Some((_, expression)) = OWN_NAMES.iter().find(|(own, _)| *own == name) {
            return (*expression).to_owned();
        }
        let placeholder = self.condition.param(name.replace('\0', ""));
        format!("attributes ->> {placeholder}::text")
    }

    fn mature(&mut self) {
        self.condition.and_plain("attributes ->> 'in_mature_cohort' = 'yes'");
    }

    /// The lines of the answer: the groups' values and the figures.
    async fn ask(&self, database: &Database, figures: &[String]) -> Result<Vec<(Vec<String>, Vec<i64>)>, QueryError> {
        let mut columns = self.groups.clone();
        columns.extend_from_slice(figures);
        let places = (1..=self.groups.len())
            .map(|place| place.to_string())
            .collect::<Vec<_>>()
            .join(", ");
        let (group_by, order_by) = if self.groups.is_empty() {
            (" having count(*) > 0".to_owned(), String::new())
        } else {
            (format!(" group by {places}"), format!(" order by {places}"))
        };
        let sql = format!(
            "select {} from statistics_cases{}{group_by}{order_by} limit {MAX_LINES}",
            columns.join(", "),
            self.condition.sql()
        );
        let rows = database.query_owned(&sql, &self.condition.params).await?;
        let groups = self.groups.len();
        Ok(rows
            .iter()
            .map(|row| {
                let names = (0..groups).map(|column| row.get(column)).collect();
                let values = (groups..columns.len())
                    .map(|column| row.get::<_, Option<i64>>(column).unwrap_or_default())
                    .collect();
                (names, values)
            })
            .collect())
    }
}
