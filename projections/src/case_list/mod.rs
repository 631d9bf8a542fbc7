//! 办件列表: one row for each case, with all that lists show, filter and sort by.

pub mod query;
#[cfg(test)]
mod tests;

use chrono::NaiveDate;
use domain::rules::Rules;

pub use query::*;

use crate::{
    rows::Rows,
    view::{RowsOf, SeenCase, Table, View, ViewError},
};

/// What stands for "not due" in the order by due date: after everything that is.
pub const NOT_DUE: NaiveDate = match NaiveDate::from_ymd_opt(9999, 12, 31) {
    Some(on) => on,
    None => NaiveDate::MAX,
};

/// The longest text that is searched; what is longer is cut.
const MAX_SEARCH_TEXT_BYTES: usize = 2_000;

/// The view.
pub struct CaseList;

impl View for CaseList {
    fn name(&self) -> &'static str {
        "case_list"
    }

    fn version(&self) -> u32 {
        1
    }

    fn tables(&self) -> &'static [Table] {
        &[Table {
            name: "case_list_cases",
            rows_of: RowsOf::Case,
        }]
    }

    fn tables_sql(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn rows(&self, seen: &SeenCase, rules: &Rules, out: &mut Rows) -> Result<(), ViewError> {
        let kernel = seen.case.kernel();
        let dates = DueDates::of(seen, rules);
        let phase = seen.case.phase();
        let imported = kernel.imported.as_ref();
        let applicant = kernel.applicant.as_ref();
        let case_no = seen.case_no();
        out.row(0)
            .uuid(seen.id)
            .text(seen.category)
            .text(&kernel.item_code)
            .int(i32::try_from(kernel.item_version).unwrap_or(i32::MAX))
            .opt_text(case_no)
            .opt_text(imported.map(|imported| imported.legacy_id.as_str()))
            .opt_text(seen.licence_no())
            .text(kernel.stage.into())
            .bool(kernel.stage.is_open())
            .opt_text(phase.map(|(name, _)| name))
            .opt_text(phase.map(|(_, name_zh)| name_zh))
            .text(&kernel.region)
            .opt_text(applicant.map(|applicant| applicant.name.as_str()))
            .opt_text(applicant.map(|applicant| applicant.name.to_lowercase()).as_deref())
            .opt_text(applicant.map(|applicant| applicant.id_no.as_str()))
            .opt_text(kernel.project_code.as_deref())
            .opt_text(seen.fact("project_name"))
            .opt_text(kernel.handler.as_ref().map(|handler| handler.id.as_str()))
            .opt_text(kernel.handler.as_ref().map(|handler| handler.name.as_str()))
            .text(seen.source())
            .opt_text(imported.map(|imported| imported.batch.as_str()))
            .date(seen.submitted_on())
            .opt_date(kernel.acceptance.as_ref().map(|acceptance| acceptance.accepted_on))
            .opt_date(kernel.decided_on())
            .opt_date(kernel.delivered_on)
            .opt_date(dates.nearest)
            .opt_date(dates.statutory)
            .opt_date(dates.promised)
            .opt_date(dates.internal)
            .bool(dates.provisional)
            .bool(
                kernel
                    .pauses
                    .iter()
                    .any(|pause| pause.to.is_none() && !pause.counts_against_limit),
            )
            .json(&seen.attributes())
            .bool(seen.unreadable.is_some())
            .text(&search_text(seen))
            .date(dates.nearest.unwrap_or(NOT_DUE))
            .text(case_no.unwrap_or_default())
            .timestamp(seen.last_recorded_at)
            .timestamp(seen.last_occurred_at)
            .bigint(seen.revision.cast_signed())
            .bigint(seen.position.0.cast_signed());
        Ok(())
    }
}

/// The dates that a list shows of everything that is due.
#[derive(Default)]
struct DueDates {
    nearest: Option<NaiveDate>,
    statutory: Option<NaiveDate>,
    promised: Option<NaiveDate>,
    internal: Option<NaiveDate>,
    provisional: bool,
}

impl DueDates {
    fn of(seen: &SeenCase, rules: &Rules) -> Self {
        let mut dates = Self::default();
        for deadline in seen.deadlines(rules) {
            match &*deadline.kind {
                "statutory" => dates.statutory = Some(deadline.due_on),
                "promised" => dates.promised = Some(deadline.due_on),
                "internal" => {
                    dates.internal = Some(deadline.due_on);
                    continue;
                }
                // Warnings are no dates by which anything must be done.
                kind if kind.ends_with("Yellow") || kind.ends_with("Red") => continue,
                _ => {}
            }
            dates.provisional |= deadline.provisional;
            dates.nearest = Some(dates.nearest.map_or(deadline.due_on, |nearest| nearest.min(deadline.due_on)));
        }
        dates
    }
}

/// Everything that free text is looked for in, in lower case.
fn search_text(seen: &SeenCase) -> String {
    let kernel = seen.case.kernel();
    let mut text = String::new();
    let numbers = kernel.numbers.values().map(String::as_str);
    let names = kernel.applicant.iter().map(|applicant| applicant.name.as_str());
    let legacy = kernel
        .imported
        .iter()
        .flat_map(|imported| std::iter::once(imported.legacy_id.as_str()).chain(imported.licence_no.as_deref()));
    let facts = seen.facts().iter().map(|fact| fact.value.as_str());
    for part in numbers
        .chain(names)
        .chain(legacy)
        .chain(kernel.project_code.as_deref())
        .chain(facts)
    {
        if text.len() + part.len() > MAX_SEARCH_TEXT_BYTES {
            break;
        }
        text.push_str(&part.to_lowercase());
        text.push('\n');
    }
    text
}
