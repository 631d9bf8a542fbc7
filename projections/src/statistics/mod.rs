//! 统计: one row of facts for each case, from which [`report`](crate::report) counts.

#[cfg(test)]
mod tests;

use domain::{
    case::{Kernel, LimitKind, Stage},
    rules::Rules,
};

use crate::{
    rows::Rows,
    view::{RowsOf, SeenCase, Table, View, ViewError},
};

/// The view.
pub struct Statistics;

impl View for Statistics {
    fn name(&self) -> &'static str {
        "statistics"
    }

    fn version(&self) -> u32 {
        1
    }

    fn tables(&self) -> &'static [Table] {
        &[Table {
            name: "statistics_cases",
            rows_of: RowsOf::Case,
        }]
    }

    fn tables_sql(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn rows(&self, seen: &SeenCase, rules: &Rules, out: &mut Rows) -> Result<(), ViewError> {
        let kernel = seen.case.kernel();
        out.row(0)
            .uuid(seen.id)
            .text(seen.category)
            .text(&kernel.item_code)
            .text(&kernel.region)
            .text(seen.source())
            .opt_text(kernel.imported.as_ref().map(|imported| imported.batch.as_str()))
            .text(kernel.stage.into())
            .text(outcome(seen))
            .date(seen.submitted_on())
            .opt_date(kernel.acceptance.as_ref().map(|acceptance| acceptance.accepted_on))
            .opt_date(kernel.decided_on())
            .opt_date(seen.issued_on())
            .opt_int(
                kernel
                    .handling_calendar_days()
                    .map(|days| i32::try_from(days).unwrap_or(i32::MAX)),
            )
            .opt_int(
                kernel
                    .handling_working_days(rules)
                    .map(|days| i32::try_from(days).unwrap_or(i32::MAX)),
            )
            .opt_bool(kernel.on_time(LimitKind::Statutory, rules))
            .opt_bool(kernel.on_time(LimitKind::Promised, rules))
            .int(overdue_days(kernel, rules))
            .int(i32::from(kernel.correction.is_some()))
            .int(i32::try_from(kernel.pauses.len()).unwrap_or(i32::MAX))
            .int(pause_days(kernel))
            .json(&seen.attributes());
        Ok(())
    }
}

/// What became of a case, in one word.
fn outcome(seen: &SeenCase) -> &'static str {
    let kernel = seen.case.kernel();
    match kernel.stage {
        Stage::Withdrawn => "withdrawn",
        Stage::NotRequired | Stage::OutOfScope => "notAccepted",
        Stage::Revoked => "revoked",
        Stage::Cancelled => "cancelled",
        _ if seen.issued_on().is_some() => "granted",
        _ if kernel.decided_on().is_some() => "refused",
        _ if kernel.stage.is_open() => "open",
        _ => "closed",
    }
}

/// By how many days the decision came after the statutory date; nothing while it is undecided.
fn overdue_days(kernel: &Kernel, rules: &Rules) -> i32 {
    let (Some(decided_on), Some(clock)) = (kernel.decided_on(), kernel.clock(LimitKind::Statutory, rules)) else {
        return 0;
    };
    i32::try_from(clock.overdue_days(kernel.calendar(rules), decided_on)).unwrap_or(i32::MAX)
}

/// For how many calendar days the clock stood still, counting the pauses that have ended.
fn pause_days(kernel: &Kernel) -> i32 {
    let days: i64 = kernel
        .pauses
        .iter()
        .filter(|pause| !pause.counts_against_limit)
        .filter_map(|pause| Some((pause.to? - pause.from).num_days().max(0)))
        .sum();
    i32::try_from(days).unwrap_or(i32::MAX)
}
