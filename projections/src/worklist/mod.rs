//! 待办: one row for each task that waits for somebody.

pub mod query;
#[cfg(test)]
mod tests;

use domain::{
    case::{Deadline, Task},
    rules::Rules,
};

pub use query::*;

use crate::{
    case_list::NOT_DUE,
    rows::Rows,
    view::{RowsOf, SeenCase, Table, View, ViewError},
};

/// Which deadline a task is due by, where it is not the decision's: promised first, then statutory.
const DUE_BY: &[(&str, &str)] = &[
    ("accept", "correctionNotice"),
    ("supplyCorrection", "correctionReply"),
    ("deliver", "delivery"),
    ("answerSupervision", "supervisionReply"),
    ("handleBadReview", "badReview"),
    ("checkRectification", "commitmentRectification"),
];

/// The view.
pub struct Worklist;

impl View for Worklist {
    fn name(&self) -> &'static str {
        "worklist"
    }

    fn version(&self) -> u32 {
        1
    }

    fn tables(&self) -> &'static [Table] {
        &[Table {
            name: "worklist_tasks",
            rows_of: RowsOf::Case,
        }]
    }

    fn tables_sql(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn rows(&self, seen: &SeenCase, rules: &Rules, out: &mut Rows) -> Result<(), ViewError> {
        let tasks = seen.case.tasks();
        if tasks.is_empty() {
            return Ok(());
        }
        let kernel = seen.case.kernel();
        let deadlines = seen.deadlines(rules);
        for task in &tasks {
            let due = deadline_of(task, deadlines);
            out.row(0)
                .uuid(seen.id)
                .text(task.key)
                .text(task.name_zh)
                .text(task.role)
                .opt_text(task.assignee.as_deref())
                .date(task.since)
                .opt_date(due.map(|due| due.due_on))
                .date(due.map_or(NOT_DUE, |due| due.due_on))
                .bool(due.is_some_and(|due| due.provisional))
                .text(&kernel.region)
                .text(seen.category)
                .text(&kernel.item_code)
                .text(kernel.stage.into())
                .opt_text(seen.case_no())
                .opt_text(kernel.applicant.as_ref().map(|applicant| applicant.name.as_str()))
                .opt_text(seen.fact("project_name"));
        }
        Ok(())
    }
}

/// By when a task must be done: the deadline of its own kind, or the decision's.
fn deadline_of<'a>(task: &Task, deadlines: &'a [Deadline]) -> Option<&'a Deadline> {
    let of_kind = |kind: &str| {
        let numbered = |deadline: &&Deadline| {
            deadline
                .kind
                .strip_prefix(kind)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        };
        deadlines.iter().filter(numbered).min_by_key(|deadline| deadline.due_on)
    };
    match DUE_BY.iter().find(|(key, _)| *key == task.key) {
        Some((_, kind)) => of_kind(kind),
        None => of_kind("promised").or_else(|| of_kind("statutory")),
    }
}
