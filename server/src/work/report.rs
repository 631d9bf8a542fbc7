//! `zhulu report`: the statistics view, asked and printed. Works beside a running server.

use comfy_table::{CellAlignment, Table, presets};
use projections::{Projections, report};
use serde_json::{Value, json};

use crate::{
    cli::{Cohort, Format, PlaceArgs},
    errand,
    failure::Failure,
    house::House,
    limits::Limits,
    place::Place,
    store,
};

/// The views of a data directory: those of the server that runs, or opened for this question alone.
pub enum Views {
    /// A server keeps them current.
    OfServer(Projections),
    /// Nobody does; they were brought up to date just now.
    Own(Box<House>),
}

impl Views {
    /// Finds them; without a running server they are opened and brought up to date first.
    pub async fn find(args: &PlaceArgs, place: &Place) -> Result<Self, Failure> {
        if let Some(running) = place.running() {
            let store = store::look(args, place).await?.events;
            let database_url = args.database_url.clone().or(running.database_url).ok_or_else(|| {
                Failure::new(
                    format!(
                        "进程 {} 只提供事件库，没有视图；用 --database-url 指明视图所在的数据库",
                        running.process_id
                    ),
                    format!(
                        "process {} serves the event store alone and has no views; name their database with --database-url",
                        running.process_id
                    ),
                )
            })?;
            let seen = Projections::look(&database_url, store, projections::views::all());
            return seen.map(Self::OfServer).map_err(|error| {
                Failure::doing(
                    "连不上运行中服务的数据库",
                    "the database of the running server does not answer",
                    error,
                )
            });
        }
        let house = House::open(args, place).await?;
        let current = errand::views_are_current(house.bureau(), house.projections(), &Limits::default()).await;
        match current {
            Ok(()) => Ok(Self::Own(Box::new(house))),
            Err(failure) => {
                house.close().await?;
                Err(failure)
            }
        }
    }

    /// Where to ask.
    pub fn projections(&self) -> &Projections {
        match self {
            Self::OfServer(projections) => projections,
            Self::Own(house) => house.projections(),
        }
    }

    /// Closes what was opened for this question.
    pub async fn close(self) -> Result<(), Failure> {
        match self {
            Self::OfServer(_) => Ok(()),
            Self::Own(house) => house.close().await,
        }
    }
}

/// `zhulu report handling-time`
pub async fn handling_time(
    args: &PlaceArgs,
    place: &Place,
    by: &[String],
    only: &[(String, String)],
    cohort: Option<Cohort>,
    format: Format,
) -> Result<(), Failure> {
    let views = Views::find(args, place).await?;
    let rows = report::handling_time(views.projections().database(), by, only, cohort == Some(Cohort::Mature)).await;
    views.close().await?;
    let rows = rows.map_err(no_report)?;
    print(&handling_time_sheet(by, &rows), format);
    Ok(())
}

/// `zhulu report cohorts`
pub async fn cohorts(args: &PlaceArgs, place: &Place, by: &[String], format: Format) -> Result<(), Failure> {
    let views = Views::find(args, place).await?;
    let rows = report::cohorts(views.projections().database(), by, &[]).await;
    views.close().await?;
    let rows = rows.map_err(no_report)?;
    let columns: Vec<String> = by
        .iter()
        .cloned()
        .chain(["submitted", "issued", "resolved"].map(str::to_owned))
        .collect();
    let rows = rows
        .into_iter()
        .map(|row| {
            let numbers = [json!(row.submitted), json!(row.issued), resolved(&row)];
            row.groups.into_iter().map(Value::String).chain(numbers).collect()
        })
        .collect();
    print(&Sheet { columns, rows }, format);
    Ok(())
}

/// The share as a number with at most three decimals.
fn resolved(row: &report::CohortRow) -> Value {
    row.resolved()
        .parse::<serde_json::Number>()
        .map_or(Value::Null, Value::Number)
}

/// The columns of the publisher's own file, in its order.
pub fn handling_time_sheet(by: &[String], rows: &[report::HandlingTimeRow]) -> Sheet {
    let figures = [
        "n",
        "p25",
        "median",
        "p75",
        "p90",
        "within_30",
        "within_60",
        "within_90",
        "within_180",
        "within_365",
    ];
    let columns = by.iter().cloned().chain(figures.map(str::to_owned)).collect();
    let rows = rows
        .iter()
        .map(|row| {
            let numbers = [
                json!(row.n),
                json!(row.p25),
                json!(row.median),
                json!(row.p75),
                json!(row.p90),
                json!(row.within_30),
                json!(row.within_60),
                json!(row.within_90),
                json!(row.within_180),
                json!(row.within_365),
            ];
            row.groups.iter().cloned().map(Value::String).chain(numbers).collect()
        })
        .collect();
    Sheet { columns, rows }
}

/// Columns and rows, to be printed in one format or another.
pub struct Sheet {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// A value for each column.
    pub rows: Vec<Vec<Value>>,
}

impl Sheet {
    /// The sheet as a table for people.
    pub fn table(&self) -> Table {
        let columns: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        table(&columns, self.rows.iter().map(|row| row.iter().map(text).collect()))
    }
}

fn print(sheet: &Sheet, format: Format) {
    match format {
        Format::Table => println!("{}", sheet.table()),
        Format::Csv => {
            println!("{}", csv_line(sheet.columns.iter().cloned()));
            for row in &sheet.rows {
                println!("{}", csv_line(row.iter().map(text)));
            }
        }
        Format::Json => {
            let rows: Vec<String> = sheet.rows.iter().map(|row| json_line(&sheet.columns, row)).collect();
            println!("[\n{}\n]", rows.join(",\n"));
        }
    }
}

/// A row as an object, its fields in the order of the columns.
fn json_line(columns: &[String], row: &[Value]) -> String {
    let fields: Vec<String> = columns
        .iter()
        .zip(row)
        .map(|(column, value)| format!("{}: {value}", json!(column)))
        .collect();
    format!("  {{ {} }}", fields.join(", "))
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// One line of CSV (RFC 4180): quoted where it must be.
fn csv_line(fields: impl Iterator<Item = String>) -> String {
    let fields: Vec<String> = fields
        .map(|field| {
            if field.contains([',', '"', '\n', '\r']) {
                format!("\"{}\"", field.replace('"', "\"\""))
            } else {
                field
            }
        })
        .collect();
    fields.join(",")
}

/// A table for people: numbers to the right.
pub fn table(columns: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header(columns.to_vec());
    let mut numeric = vec![true; columns.len()];
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            numeric[column] &= cell.parse::<f64>().is_ok() || cell.is_empty();
        }
        table.add_row(row);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        if numeric.get(index).copied().unwrap_or_default() {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn no_report(error: impl std::fmt::Display) -> Failure {
    Failure::doing("做不出统计", "the report cannot be made", error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_with_a_comma_is_quoted() {
        let line = csv_line(["a,b", "c\"d", "e"].map(str::to_owned).into_iter());
        assert_eq!(line, "\"a,b\",\"c\"\"d\",e");
    }
}
