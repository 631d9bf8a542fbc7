//! 办理过程: one entry for each event of a case, with who did it, when and by what law. What only the machine did while
//! its process went on is left out: people read a story.

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
        3
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
        if casework::is_technical(&recorded.name) {
            return Ok(());
        }
        let (unread_zh, unread_en);
        let (title_zh, title_en) = if let Some((zh, en)) = &event.said {
            (zh.as_str(), en.as_str())
        } else {
            // An event that cannot be read happened all the same: it is listed under its name.
            unread_zh = format!("{}（无法读取）", recorded.name);
            unread_en = format!("{} (unreadable)", recorded.name);
            (unread_zh.as_str(), unread_en.as_str())
        };
        let stamp = event.stamp();
        let actor = &stamp.actor;
        let told: ToldRef<'_> = (
            &recorded.name,
            title_zh,
            title_en,
            &actor.id,
            &actor.name,
            &actor.role,
            &actor.channel,
            stamp.legal_basis.as_deref(),
        );
        out.row(0)
            .uuid(seen.id)
            .bigint(recorded.position.0.cast_signed())
            .bigint(recorded.revision.cast_signed())
            .uuid(recorded.id)
            .timestamp(stamp.occurred_at)
            .timestamp(stamp.recorded_at)
            .json_text(&told);
        Ok(())
    }
}

/// What one field tells of an event: name, titles in Chinese and English, the actor's id, name, role and channel, the law.
type ToldRef<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str, &'a str, &'a str, Option<&'a str>);
