//! 办件档案: one row for each case, with everything that it remembers.

pub mod query;
#[cfg(test)]
mod tests;

use domain::{
    case::{Fact, Kernel},
    rules::Rules,
};
use serde::Serialize;
use serde_json::value::RawValue;

pub use query::*;

use crate::{
    rows::Rows,
    view::{RowsOf, SeenCase, Table, View, ViewError},
};

/// The view.
pub struct CaseFiles;

impl View for CaseFiles {
    fn name(&self) -> &'static str {
        "case_file"
    }

    fn version(&self) -> u32 {
        3
    }

    fn tables(&self) -> &'static [Table] {
        &[Table {
            name: "case_file_cases",
            rows_of: RowsOf::Case,
        }]
    }

    fn tables_sql(&self) -> &'static str {
        include_str!("tables.sql")
    }

    /// This view claims to show the whole case. So it is the one that stops when an event cannot be read; the others
    /// show what was readable.
    fn rows(&self, seen: &SeenCase, _rules: &Rules, out: &mut Rows) -> Result<(), ViewError> {
        if let Some(unreadable) = &seen.unreadable {
            return Err(ViewError(format!(
                "the event {} at revision {} cannot be read: {}",
                unreadable.name, unreadable.revision, unreadable.reason
            )));
        }
        let file = Remembered {
            kernel: seen.case.kernel(),
            own: seen.case.own_text(),
            facts: seen.facts(),
        };
        out.row(0)
            .uuid(seen.id)
            .text(seen.category)
            .json_bytes(&file)
            .timestamp(seen.first_recorded_at)
            .timestamp(seen.last_recorded_at)
            .timestamp(seen.last_occurred_at)
            .bigint(seen.revision.cast_signed())
            .bigint(seen.position.0.cast_signed());
        Ok(())
    }
}

/// What the file of a case holds.
#[derive(Serialize)]
struct Remembered<'a> {
    kernel: &'a Kernel,
    own: Box<RawValue>,
    facts: &'a [Fact],
}
