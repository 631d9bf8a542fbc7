//! 期限: one row for each date by which something must have happened. The timers ask it what is due.

pub mod query;
#[cfg(test)]
mod tests;

use domain::rules::Rules;

pub use query::*;

use crate::{
    rows::Rows,
    view::{RowsOf, SeenCase, Table, View, ViewError},
};

/// The view.
pub struct Deadlines;

impl View for Deadlines {
    fn name(&self) -> &'static str {
        "deadlines"
    }

    fn version(&self) -> u32 {
        1
    }

    fn tables(&self) -> &'static [Table] {
        &[Table {
            name: "deadlines_due",
            rows_of: RowsOf::Case,
        }]
    }

    fn tables_sql(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn rows(&self, seen: &SeenCase, rules: &Rules, out: &mut Rows) -> Result<(), ViewError> {
        for deadline in seen.deadlines(rules) {
            out.row(0)
                .uuid(seen.id)
                .text(seen.category)
                .text(&deadline.kind)
                .text(deadline.name_zh)
                .date(deadline.due_on)
                .opt_date(deadline.fires_on)
                .bool(deadline.provisional)
                .text(&seen.case.kernel().region)
                .opt_text(seen.case_no());
        }
        Ok(())
    }
}
