//! 流程: what each case's process is doing: its open tasks and who is asked, its timers, its jobs, its
//! incidents, the messages that it waits for.

pub mod query;
#[cfg(test)]
mod tests;

use domain::rules::Rules;
use process_engine::instance::{Ending, Instance, Task, Waiting};

pub use query::*;

use crate::{
    rows::Rows,
    view::{RowsOf, SeenCase, Table, View, ViewError},
};

const INSTANCES: usize = 0;
const TASKS: usize = 1;
const ASKED: usize = 2;
const TIMERS: usize = 3;
const JOBS: usize = 4;
const INCIDENTS: usize = 5;
const MESSAGES: usize = 6;

/// The view.
pub struct Processes;

impl View for Processes {
    fn name(&self) -> &'static str {
        "processes"
    }

    fn version(&self) -> u32 {
        2
    }

    fn tables(&self) -> &'static [Table] {
        const fn of_case(name: &'static str) -> Table {
            Table {
                name,
                rows_of: RowsOf::Case,
            }
        }
        const TABLES: &[Table] = &[
            of_case("processes_instances"),
            of_case("processes_tasks"),
            of_case("processes_asked"),
            of_case("processes_timers"),
            of_case("processes_jobs"),
            of_case("processes_incidents"),
            of_case("processes_messages"),
        ];
        TABLES
    }

    fn tables_sql(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn rows(&self, seen: &SeenCase, _rules: &Rules, out: &mut Rows) -> Result<(), ViewError> {
        let process = &seen.case.process;
        let Some(started) = &process.started else { return Ok(()) };
        out.row(INSTANCES)
            .uuid(seen.id)
            .text(seen.category)
            .text(&seen.case.kernel().region)
            .opt_text(seen.case_no())
            .text(&started.process.model)
            .text(&started.process.process)
            .bigint(started.version.into())
            .text(status_of(process))
            .timestamp(started.at)
            .bigint(count(process.tasks.len()))
            .bigint(count(process.incidents.len()));
        task_rows(seen, process, out);
        timer_rows(seen, process, out);
        message_rows(seen, process, out);
        for (key, job) in process.jobs.iter() {
            let element = process.elements.get(key).map_or("", |element| &*element.element);
            out.row(JOBS)
                .uuid(seen.id)
                .text(seen.category)
                .bigint(key.cast_signed())
                .text(element)
                .text(&job.kind)
                .json_text(&job.fields)
                .bigint(job.tries_left.into());
        }
        for (key, incident) in process.incidents.iter() {
            out.row(INCIDENTS)
                .uuid(seen.id)
                .text(seen.category)
                .text(&seen.case.kernel().region)
                .opt_text(seen.case_no())
                .bigint(key.cast_signed())
                .text(&incident.element)
                .text(incident.obstacle.into())
                .text(&incident.message)
                .timestamp(incident.at);
        }
        Ok(())
    }
}

/// How an instance stands, in one word.
pub fn status_of(process: &Instance) -> &'static str {
    match &process.ended {
        Some(Ending::Completed | Ending::Terminated) => "COMPLETED",
        Some(Ending::Failed { .. }) => "FAILED",
        Some(Ending::Rejected) => "REJECTED",
        Some(Ending::Revoked { .. }) => "REVOKED",
        Some(Ending::Cancelled { .. }) => "CANCELLED",
        None if process.suspended_at.is_some() => "SUSPENDED",
        None if !process.incidents.is_empty() => "INCIDENT",
        None => "RUNNING",
    }
}

fn task_rows(seen: &SeenCase, process: &Instance, out: &mut Rows) {
    for (key, task) in process.tasks.iter() {
        out.row(TASKS)
            .uuid(seen.id)
            .text(seen.category)
            .text(&seen.case.kernel().region)
            .opt_text(seen.case_no())
            .opt_text(seen.fact("project_name"))
            .bigint(key.cast_signed())
            .text(&task.element)
            .text(task.name.as_deref().unwrap_or(&task.element))
            .opt_text(task.assignee.as_ref().map(|person| &*person.id))
            .opt_text(task.assignee.as_ref().map(|person| &*person.name))
            .json_text(&task.means)
            .timestamp(task.opened_at)
            .opt_timestamp(task.due_at)
            .bigint(task.priority.unwrap_or_default())
            .bigint(task.urged.into());
        for person in asked(task) {
            out.row(ASKED).uuid(seen.id).bigint(key.cast_signed()).text(person);
        }
    }
}

/// Who may do a task: whoever it was given to, or everybody who may claim it. Each is named once.
pub(crate) fn asked(task: &Task) -> Vec<&str> {
    let mut people: Vec<&str> = match &task.assignee {
        Some(person) => vec![&person.id],
        None => task.candidates.iter().map(|person| &*person.id).collect(),
    };
    people.sort_unstable();
    people.dedup();
    people
}

/// The timers that run: those of a suspended instance and those that stand still wait.
fn timer_rows(seen: &SeenCase, process: &Instance, out: &mut Rows) {
    if process.suspended_at.is_some() {
        return;
    }
    for (key, wait) in process.waits.iter() {
        let Waiting::Timer { due_at, pausable, .. } = &wait.what else {
            continue;
        };
        if *pausable && process.paused_at.is_some() {
            continue;
        }
        out.row(TIMERS)
            .uuid(seen.id)
            .text(seen.category)
            .bigint(key.cast_signed())
            .text(&wait.element)
            .timestamp(*due_at);
    }
}

/// The messages from outside that are waited for. What happens to the case itself reaches its process without being asked for.
fn message_rows(seen: &SeenCase, process: &Instance, out: &mut Rows) {
    for (key, wait) in process.waits.iter() {
        let Waiting::Message { name, correlation } = &wait.what else {
            continue;
        };
        if casework::is_told_by_the_case(seen.category, name) {
            continue;
        }
        out.row(MESSAGES)
            .uuid(seen.id)
            .text(seen.category)
            .text(&seen.case.kernel().region)
            .opt_text(seen.case_no())
            .bigint(key.cast_signed())
            .text(&wait.element)
            .text(name)
            .opt_text(correlation.as_deref());
    }
}

fn count(many: usize) -> i64 {
    i64::try_from(many).unwrap_or(i64::MAX)
}
