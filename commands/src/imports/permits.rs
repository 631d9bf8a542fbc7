//! Building permits as a CSV table (one row a permit), such as the residential permits of Los Angeles and Seattle.

use std::{
    collections::{BTreeMap, HashMap},
    io::Read,
};

use chrono::NaiveDate;
use csv::{ByteRecord, Reader, ReaderBuilder};
use domain::{case::commands::ImportDecision, metadata::bureau_midnight};

use super::{Found, ImportRow, Reject};

/// The columns that a table of permits must have; further ones are kept as they are.
pub const COLUMNS: [&str; 10] = [
    "city",
    "permit_id",
    "applied_date",
    "issued_date",
    "days_to_issue",
    "applied_year",
    "project",
    "review_track",
    "permit_type_group",
    "in_mature_cohort",
];

/// The columns whose values are counted one by one in the report.
const COUNTED: [&str; 5] = ["city", "project", "review_track", "permit_type_group", "in_mature_cohort"];

/// Why a table cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The first line is not what it must be.
    #[error("the first line must name these columns: {missing} (missing)", missing = .0.join(", "))]
    Columns(Vec<&'static str>),
    /// The file cannot be read.
    #[error("the table cannot be read: {0}")]
    Csv(#[from] csv::Error),
}

/// The rows of a table of permits, checked one by one.
pub struct Permits<R> {
    table: Reader<R>,
    columns: Vec<String>,
    seen: HashMap<(String, String), u64>,
    is_broken: bool,
}

/// Reads the first line of a table.
pub fn read<R: Read>(table: R) -> Result<Permits<R>, TableError> {
    let mut table = ReaderBuilder::new().flexible(true).from_reader(table);
    let columns: Vec<String> = table
        .headers()?
        .iter()
        .map(|name| name.trim_start_matches('\u{feff}').trim().to_owned())
        .collect();
    let missing: Vec<_> = COLUMNS
        .into_iter()
        .filter(|name| !columns.iter().any(|column| column == name))
        .collect();
    if !missing.is_empty() {
        return Err(TableError::Columns(missing));
    }
    Ok(Permits {
        table,
        columns,
        seen: HashMap::new(),
        is_broken: false,
    })
}

impl<R: Read> Iterator for Permits<R> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        if self.is_broken {
            return None;
        }
        let mut record = ByteRecord::new();
        match self.table.read_byte_record(&mut record) {
            Ok(false) => None,
            Ok(true) => {
                let line = record.position().map_or(0, csv::Position::line);
                Some(self.row(line, &record).map_or_else(
                    |reason| Found::Reject(Reject { line, reason }),
                    |row| Found::Case(Box::new(row)),
                ))
            }
            Err(cause) => {
                // Nothing can be read after a torn file; a row of the wrong shape does not come here.
                self.is_broken = true;
                let line = cause
                    .position()
                    .map_or_else(|| self.table.position().line(), csv::Position::line);
                Some(Found::Reject(Reject {
                    line,
                    reason: format!("the file cannot be read any further: {cause}"),
                }))
            }
        }
    }
}

impl<R: Read> Permits<R> {
    fn row(&mut self, line: u64, record: &ByteRecord) -> Result<ImportRow, String> {
        if record.len() != self.columns.len() {
            return Err(format!(
                "the row has {} columns, the first line has {}",
                record.len(),
                self.columns.len()
            ));
        }
        let mut attributes = BTreeMap::new();
        for (name, value) in self.columns.iter().zip(record) {
            let value = std::str::from_utf8(value).map_err(|_| format!("{name} is not UTF-8"))?;
            attributes.insert(name.clone(), value.trim().to_owned());
        }
        let row = check(line, attributes)?;
        if let Some(before) = self.seen.insert((row.source.clone(), row.legacy_id.clone()), line) {
            return Err(format!(
                "permit_id {} of {} stands in line {before} already",
                row.legacy_id, row.source
            ));
        }
        Ok(row)
    }
}

fn check(line: u64, attributes: BTreeMap<String, String>) -> Result<ImportRow, String> {
    let cell = |name: &str| attributes.get(name).map_or("", String::as_str);
    for required in ["city", "permit_id", "applied_date"] {
        if cell(required).is_empty() {
            return Err(format!("{required} is empty"));
        }
    }
    let applied_on = date("applied_date", cell("applied_date"))?;
    let issued_on = match cell("issued_date") {
        "" => None,
        text => Some(date("issued_date", text)?),
    };
    let days = issued_on.map(|issued_on| (issued_on - applied_on).num_days());
    if let (Some(issued_on), Some(..0)) = (issued_on, days) {
        return Err(format!("issued_date {issued_on} is before applied_date {applied_on}"));
    }
    let expected = days.map(|days| days.to_string()).unwrap_or_default();
    if cell("days_to_issue") != expected {
        return Err(format!(
            "days_to_issue is {:?}, but the dates say {expected:?}",
            cell("days_to_issue")
        ));
    }
    if cell("applied_year") != applied_on.format("%Y").to_string() {
        return Err(format!(
            "applied_year is {:?}, but applied_date is {applied_on}",
            cell("applied_year")
        ));
    }
    if !matches!(cell("in_mature_cohort"), "yes" | "no") {
        return Err(format!("in_mature_cohort is {:?}; it is yes or no", cell("in_mature_cohort")));
    }
    let mut sums: Vec<_> = COUNTED.iter().map(|name| (format!("{name}={}", cell(name)), 1)).collect();
    if let Some(days) = days {
        sums.push(("issued".to_owned(), 1));
        sums.push(("days_to_issue".to_owned(), days));
    }
    let (source, legacy_id) = (cell("city").to_owned(), cell("permit_id").to_owned());
    let decision = issued_on.map(|on| ImportDecision {
        granted: true,
        licence_no: Some(legacy_id.clone()),
        at: bureau_midnight(on),
    });
    Ok(ImportRow {
        line,
        source,
        legacy_id,
        attributes,
        submitted_at: bureau_midnight(applied_on),
        activity: None,
        resource: None,
        steps: Vec::new(),
        decision,
        sums,
    })
}

fn date(name: &str, text: &str) -> Result<NaiveDate, String> {
    text.parse()
        .map_err(|_| format!("{name} {text:?} is no date; write it as 2026-01-31"))
}
