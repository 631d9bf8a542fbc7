//! Rows on their way to PostgreSQL, encoded once in its binary form: for `copy` as they are, for `unnest` by column.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

/// What binary copy begins with: its signature, no flags, no extension.
pub(crate) const COPY_HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What binary copy ends with.
pub(crate) const COPY_TRAILER: &[u8] = &[0xff, 0xff];
/// What a field holds in place of its length when it is null.
const NULL: i32 = -1;
/// The version that PostgreSQL's binary form of jsonb begins with.
const JSONB_VERSION: u8 = 1;
/// 2000-01-01, from which PostgreSQL counts, in days of the common era.
const POSTGRES_EPOCH_DAY: i32 = 730_120;
/// 2000-01-01, from which PostgreSQL counts, in microseconds of Unix time.
const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

/// The rows of one view, by table.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    pub(crate) tables: Vec<TableRows>,
}

/// The rows of one table: PostgreSQL's tuples one after the other.
#[derive(Debug, Clone, Default)]
pub(crate) struct TableRows {
    pub(crate) count: usize,
    pub(crate) bytes: Vec<u8>,
}

impl Rows {
    /// No rows yet of a view with so many tables.
    pub(crate) fn new(tables: usize) -> Self {
        Self {
            tables: vec![TableRows::default(); tables],
        }
    }

    /// One more row of the view's table at this place.
    pub fn row(&mut self, table: usize) -> RowWriter<'_> {
        let table = &mut self.tables[table];
        let start = table.bytes.len();
        table.bytes.extend_from_slice(&[0, 0]);
        table.count += 1;
        RowWriter { table, start, fields: 0 }
    }

    /// Where each table stands, to come back to.
    pub(crate) fn mark(&self) -> Vec<(usize, usize)> {
        self.tables.iter().map(|table| (table.count, table.bytes.len())).collect()
    }

    /// Takes back what was written since.
    pub(crate) fn back_to(&mut self, mark: &[(usize, usize)]) {
        for (table, (count, bytes)) in self.tables.iter_mut().zip(mark) {
            table.count = *count;
            table.bytes.truncate(*bytes);
        }
    }
}

/// Writes the fields of one row, in the order of the table's columns.
pub struct RowWriter<'a> {
    table: &'a mut TableRows,
    start: usize,
    fields: i16,
}

impl RowWriter<'_> {
    fn field(&mut self, bytes: &[u8]) -> &mut Self {
        let length = i32::try_from(bytes.len()).unwrap_or(i32::MAX);
        self.table.bytes.extend_from_slice(&length.to_be_bytes());
        self.table.bytes.extend_from_slice(bytes);
        self.count_field()
    }

    /// The tuple begins with how many fields it has.
    fn count_field(&mut self) -> &mut Self {
        self.fields += 1;
        self.table.bytes[self.start..self.start + 2].copy_from_slice(&self.fields.to_be_bytes());
        self
    }

    fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) -> &mut Self {
        match value {
            Some(value) => write(self, value),
            None => {
                self.null();
            }
        }
        self
    }

    /// No value.
    pub fn null(&mut self) -> &mut Self {
        self.table.bytes.extend_from_slice(&NULL.to_be_bytes());
        self.count_field()
    }

    /// A `uuid`.
    pub fn uuid(&mut self, value: Uuid) -> &mut Self {
        self.field(value.as_bytes())
    }

    /// A `text`. PostgreSQL's text knows no zero byte; it is left out.
    pub fn text(&mut self, value: &str) -> &mut Self {
        if value.as_bytes().contains(&0) {
            return self.field(value.replace('\0', "").as_bytes());
        }
        self.field(value.as_bytes())
    }

    /// A `text`, or null.
    pub fn opt_text(&mut self, value: Option<&str>) -> &mut Self {
        self.optional(value, |row, value| {
            row.text(value);
        })
    }

    /// A `date`.
    pub fn date(&mut self, value: NaiveDate) -> &mut Self {
        use chrono::Datelike;
        self.field(&(value.num_days_from_ce() - POSTGRES_EPOCH_DAY).to_be_bytes())
    }

    /// A `date`, or null.
    pub fn opt_date(&mut self, value: Option<NaiveDate>) -> &mut Self {
        self.optional(value, |row, value| {
            row.date(value);
        })
    }

    /// A `timestamptz`, to the microsecond.
    pub fn timestamp(&mut self, value: DateTime<Utc>) -> &mut Self {
        self.field(&(value.timestamp_micros() - POSTGRES_EPOCH_MICROS).to_be_bytes())
    }

    /// A `timestamptz`, or null.
    pub fn opt_timestamp(&mut self, value: Option<DateTime<Utc>>) -> &mut Self {
        self.optional(value, |row, value| {
            row.timestamp(value);
        })
    }

    /// An `int4`.
    pub fn int(&mut self, value: i32) -> &mut Self {
        self.field(&value.to_be_bytes())
    }

    /// An `int4`, or null.
    pub fn opt_int(&mut self, value: Option<i32>) -> &mut Self {
        self.optional(value, |row, value| {
            row.int(value);
        })
    }

    /// An `int8`.
    pub fn bigint(&mut self, value: i64) -> &mut Self {
        self.field(&value.to_be_bytes())
    }

    /// An `int8`, or null.
    pub fn opt_bigint(&mut self, value: Option<i64>) -> &mut Self {
        self.optional(value, |row, value| {
            row.bigint(value);
        })
    }

    /// A `bool`.
    pub fn bool(&mut self, value: bool) -> &mut Self {
        self.field(&[u8::from(value)])
    }

    /// A `bool`, or null.
    pub fn opt_bool(&mut self, value: Option<bool>) -> &mut Self {
        self.optional(value, |row, value| {
            row.bool(value);
        })
    }

    /// A `jsonb`. PostgreSQL's jsonb knows no zero character; it is left out.
    pub fn json(&mut self, value: &impl Serialize) -> &mut Self {
        self.any_json(&[JSONB_VERSION], value)
    }

    /// JSON in a `text`.
    pub fn json_text(&mut self, value: &impl Serialize) -> &mut Self {
        self.any_json(&[], value)
    }

    /// JSON in a `bytea`, which PostgreSQL does not look into.
    pub fn json_bytes(&mut self, value: &impl Serialize) -> &mut Self {
        self.any_json(&[], value)
    }

    fn any_json(&mut self, version: &[u8], value: &impl Serialize) -> &mut Self {
        let at = self.table.bytes.len();
        let from = at + 4 + version.len();
        self.table.bytes.extend_from_slice(&[0; 4]);
        self.table.bytes.extend_from_slice(version);
        if serde_json::to_writer(&mut self.table.bytes, value).is_err() {
            self.table.bytes.truncate(at);
            return self.null();
        }
        if contains_escaped_zero(&self.table.bytes[from..]) {
            let cleaned = serde_json::from_slice(&self.table.bytes[from..])
                .map(without_zeros)
                .unwrap_or_default();
            self.table.bytes.truncate(from);
            self.table.bytes.extend_from_slice(cleaned.to_string().as_bytes());
        }
        let length = i32::try_from(self.table.bytes.len() - at - 4).unwrap_or(i32::MAX);
        self.table.bytes[at..at + 4].copy_from_slice(&length.to_be_bytes());
        self.count_field()
    }
}

fn contains_escaped_zero(json: &[u8]) -> bool {
    // Most JSON has no backslash at all, and looking for one byte is fast.
    json.contains(&b'\\') && json.windows(6).any(|window| window == b"\\u0000")
}

fn without_zeros(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::String(text) => Value::String(text.replace('\0', "")),
        Value::Array(items) => Value::Array(items.into_iter().map(without_zeros).collect()),
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(name, value)| (name.replace('\0', ""), without_zeros(value)))
                .collect(),
        ),
        other => other,
    }
}

/// One column of many rows: an array in PostgreSQL's binary form.
#[derive(Debug)]
pub(crate) struct ColumnArray(Vec<u8>);

impl TableRows {
    /// The rows turned into one array per column, whose element types are these.
    pub(crate) fn columns(&self, types: &[u32]) -> Vec<ColumnArray> {
        let count = i32::try_from(self.count).unwrap_or(i32::MAX);
        let mut columns: Vec<Vec<u8>> = types
            .iter()
            .map(|oid| {
                let mut column = Vec::with_capacity(20 + self.bytes.len() / types.len().max(1));
                // one dimension, may have nulls, the element's type, so many of them, counted from one
                for word in [1_i32, 1, oid.cast_signed(), count, 1] {
                    column.extend_from_slice(&word.to_be_bytes());
                }
                column
            })
            .collect();
        let mut rest = self.bytes.as_slice();
        while rest.len() > 2 {
            rest = &rest[2..];
            for column in &mut columns {
                let Some(length) = rest.first_chunk::<4>().map(|length| i32::from_be_bytes(*length)) else {
                    break;
                };
                let end = 4 + usize::try_from(length).unwrap_or(0);
                column.extend_from_slice(&rest[..end.min(rest.len())]);
                rest = &rest[end.min(rest.len())..];
            }
        }
        columns.into_iter().map(ColumnArray).collect()
    }
}

impl ToSql for ColumnArray {
    fn to_sql(&self, _ty: &Type, out: &mut bytes::BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }

    /// The element type was read from the table itself; PostgreSQL checks it again.
    fn accepts(_ty: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn rows_turn_into_columns_and_keep_their_nulls() {
        let mut rows = Rows::new(1);
        rows.row(0).int(7).opt_text(None);
        rows.row(0).int(8).text("ab");
        let columns = rows.tables[0].columns(&[23, 25]);
        assert_eq!(&columns[0].0[20..], [0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0, 4, 0, 0, 0, 8]);
        assert_eq!(&columns[1].0[20..], [255, 255, 255, 255, 0, 0, 0, 2, b'a', b'b']);
    }

    #[test]
    fn what_was_written_after_a_mark_can_be_taken_back() {
        let mut rows = Rows::new(1);
        rows.row(0).int(7);
        let mark = rows.mark();
        rows.row(0).int(8);
        rows.back_to(&mark);
        assert_eq!((rows.tables[0].count, rows.tables[0].bytes.len()), (1, 10));
    }

    #[test]
    fn zero_characters_are_left_out_of_json_but_a_written_backslash_stays() {
        let mut rows = Rows::new(1);
        rows.row(0).json(&serde_json::json!({"a\0": "x\0y", "b": "\\u0000"}));
        let text = std::str::from_utf8(&rows.tables[0].bytes[7..]).unwrap();
        let read: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(read, serde_json::json!({"a": "xy", "b": "\\u0000"}));
    }
}
