//! 办理过程: one entry for each event of a case, with who did it, when and by what law.

pub mod query;
#[cfg(test)]
mod tests;

use domain::rules::Rules;

pub use query::*;

use crate::{
    rows::Rows,
    view::{RowsOf, SeenCase, SeenEvent, Table, View, ViewError},
};

/// The view.
pub struct Timeline;

impl View for Timeline {
    fn name(&self) -> &'static str {
        "timeline"
    }

    fn version(&self) -> u32 {
        1
    }

    fn tables(&self) -> &'static [Table] {
        &[Table {
            name: "timeline_entries",
            rows_of: RowsOf::Event,
        }]
    }

    fn tables_sql(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn rows(&self, _case: &SeenCase, _rules: &Rules, _out: &mut Rows) -> Result<(), ViewError> {
        Ok(())
    }

    fn event_rows(&self, seen: &SeenCase, event: &SeenEvent<'_>, _rules: &Rules, out: &mut Rows) -> Result<(), ViewError> {
        let recorded = event.recorded;
        // An event that cannot be read happened all the same: it is listed under its name.
        let unread = || {
            (
                format!("{}（无法读取）", recorded.name),
                format!("{} (unreadable)", recorded.name),
            )
        };
        let (title_zh, title_en) = event.said.clone().unwrap_or_else(unread);
        let stamp = event.stamp();
        out.row(0)
            .uuid(seen.id)
            .bigint(recorded.position.0.cast_signed())
            .bigint(recorded.revision.cast_signed())
            .uuid(recorded.id)
            .text(&recorded.name)
            .text(&title_zh)
            .text(&title_en)
            .text(&stamp.actor.id)
            .text(&stamp.actor.name)
            .text(&stamp.actor.role)
            .text(&stamp.actor.channel)
            .timestamp(stamp.occurred_at)
            .timestamp(stamp.recorded_at)
            .opt_text(stamp.legal_basis.as_deref());
        Ok(())
    }
}
