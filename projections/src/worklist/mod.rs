//! 待办: one row for each task that waits for somebody: those that the case keeps, and those that only its process knows.

pub mod query;
#[cfg(test)]
mod tests;

use casework::is_kept_by_the_case;
use chrono::NaiveDate;
use domain::{case::Deadline, metadata::bureau_date, rules::Rules};
use process_engine::instance::{self, Key};

pub use query::*;

use crate::{
    case_list::NOT_DUE,
    rows::Rows,
    view::{RowsOf, SeenCase, Table, View, ViewError},
};

const TASKS: usize = 0;
const ASKED: usize = 1;

/// What the key of a task begins with that only the process knows; its key in the process follows.
pub const PROCESS_TASK: &str = "process:";

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
        2
    }

    fn tables(&self) -> &'static [Table] {
        const TABLES: &[Table] = &[
            Table {
                name: "worklist_tasks",
                rows_of: RowsOf::Case,
            },
            Table {
                name: "worklist_asked",
                rows_of: RowsOf::Case,
            },
        ];
        TABLES
    }

    fn tables_sql(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn rows(&self, seen: &SeenCase, rules: &Rules, out: &mut Rows) -> Result<(), ViewError> {
        let tasks = seen.case.tasks();
        let of_process = || {
            seen.case
                .process
                .tasks
                .iter()
                .filter(|(_, task)| !is_kept_by_the_case(&task.means))
        };
        if tasks.is_empty() && of_process().next().is_none() {
            return Ok(());
        }
        let deadlines = seen.deadlines(rules);
        for task in &tasks {
            let due = deadline_of(task.key, deadlines);
            let waiting = Waiting {
                key: task.key,
                name: task.name_zh,
                role: task.role,
                assignee: task.assignee.as_deref(),
                since: task.since,
                due_on: due.map(|due| due.due_on),
                provisional: due.is_some_and(|due| due.provisional),
                process_task: None,
            };
            waiting.row(seen, out);
        }
        for (key, task) in of_process() {
            process_row(seen, *key, task, deadlines, out);
        }
        Ok(())
    }
}

/// A task that only the process knows: its own date comes before those of the case.
fn process_row(seen: &SeenCase, key: Key, task: &instance::Task, deadlines: &[Deadline], out: &mut Rows) {
    let by_law = deadline_of("", deadlines).filter(|_| task.due_at.is_none());
    let name = format!("{PROCESS_TASK}{key}");
    let roles = task
        .candidates
        .iter()
        .filter_map(|candidate| candidate.id.strip_prefix("role:"));
    let waiting = Waiting {
        key: &name,
        name: task.name.as_deref().unwrap_or(&task.element),
        role: roles.into_iter().next().unwrap_or_default(),
        assignee: task.assignee.as_ref().map(|person| &*person.id),
        since: bureau_date(task.opened_at),
        due_on: task.due_at.map(bureau_date).or(by_law.map(|due| due.due_on)),
        provisional: by_law.is_some_and(|due| due.provisional),
        process_task: Some(key.cast_signed()),
    };
    waiting.row(seen, out);
    for person in crate::processes::asked(task) {
        out.row(ASKED).uuid(seen.id).text(&name).text(person);
    }
}

/// What a row says of a task, besides its case.
struct Waiting<'a> {
    key: &'a str,
    name: &'a str,
    role: &'a str,
    assignee: Option<&'a str>,
    since: NaiveDate,
    due_on: Option<NaiveDate>,
    provisional: bool,
    process_task: Option<i64>,
}

impl Waiting<'_> {
    fn row(&self, seen: &SeenCase, out: &mut Rows) {
        let kernel = seen.case.kernel();
        out.row(TASKS)
            .uuid(seen.id)
            .text(self.key)
            .text(self.name)
            .text(self.role)
            .opt_text(self.assignee)
            .date(self.since)
            .opt_date(self.due_on)
            .date(self.due_on.unwrap_or(NOT_DUE))
            .bool(self.provisional)
            .text(&kernel.region)
            .text(seen.category)
            .text(&kernel.item_code)
            .text(kernel.stage.into())
            .opt_text(seen.case_no())
            .opt_text(kernel.applicant.as_ref().map(|applicant| applicant.name.as_str()))
            .opt_text(seen.fact("project_name"))
            .opt_bigint(self.process_task);
    }
}

/// By when a task must be done: the deadline of its own kind, or the decision's.
fn deadline_of<'a>(task: &str, deadlines: &'a [Deadline]) -> Option<&'a Deadline> {
    let of_kind = |kind: &str| {
        let numbered = |deadline: &&Deadline| {
            deadline
                .kind
                .strip_prefix(kind)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        };
        deadlines.iter().filter(numbered).min_by_key(|deadline| deadline.due_on)
    };
    match DUE_BY.iter().find(|(key, _)| *key == task) {
        Some((_, kind)) => of_kind(kind),
        None => of_kind("promised").or_else(|| of_kind("statutory")),
    }
}
