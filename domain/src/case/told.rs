//! What a case tells those who show it: deadlines, tasks, facts. Views, timers and histories all read the same.

use std::borrow::Cow;

use chrono::NaiveDate;
use serde::Serialize;

use super::{CaseState, CaseType, Kernel};
use crate::rules::Rules;

/// A date by which something must have happened. Recomputed from events each time it is asked, never stored as a counter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deadline {
    /// What is due (`correctionNotice`, `statutory`, `tolerance:M09`, `startConstruction`); also the timer's name, unique in the case.
    pub kind: Cow<'static, str>,
    /// 期限名称
    pub name_zh: &'static str,
    /// The last day.
    pub due_on: NaiveDate,
    /// The day on which the timer fires; none, if nothing happens by itself.
    pub fires_on: Option<NaiveDate>,
    /// The date may move: the calendar of that year is not published yet, or the clock stands still.
    pub provisional: bool,
}

/// Something that waits for somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Task {
    /// What is to be done (`accept`, `review`, `decide`); unique in the case.
    pub key: &'static str,
    /// 任务名称
    pub name_zh: &'static str,
    /// The role that can do it.
    pub role: &'static str,
    /// The person, once it was given to one.
    pub assignee: Option<String>,
    /// Since when it waits.
    pub since: NaiveDate,
}

/// One thing that lists and reports show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// Its name (`project_name`).
    pub name: &'static str,
    /// 中文名称
    pub name_zh: &'static str,
    /// Its value as text.
    pub value: String,
}

/// What any case tells, whatever its type.
pub trait Told: Send + Sync {
    /// What every case remembers.
    fn kernel(&self) -> &Kernel;
    /// What this type remembers, as JSON.
    fn own(&self) -> serde_json::Value;
    /// The same as text, which is written sooner than a value is made.
    fn own_text(&self) -> Box<serde_json::value::RawValue>;
    /// The type's stream category.
    fn category(&self) -> &'static str;
    /// The type's phase after the decision, with its Chinese name.
    fn phase(&self) -> Option<(&'static str, &'static str)>;
    /// Everything that is due, by the case's own pinned calendar.
    fn deadlines(&self, rules: &Rules) -> Vec<Deadline>;
    /// Everything that waits for somebody.
    fn tasks(&self) -> Vec<Task>;
    /// What lists and reports show.
    fn facts(&self) -> Vec<Fact>;
}

impl<T: CaseType> Told for CaseState<T> {
    fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    fn own(&self) -> serde_json::Value {
        serde_json::to_value(&self.own).unwrap_or(serde_json::Value::Null)
    }

    fn own_text(&self) -> Box<serde_json::value::RawValue> {
        serde_json::value::to_raw_value(&self.own).unwrap_or_else(|_| serde_json::value::RawValue::NULL.to_owned())
    }

    fn category(&self) -> &'static str {
        T::CATEGORY
    }

    fn phase(&self) -> Option<(&'static str, &'static str)> {
        T::phase(self)
    }

    fn deadlines(&self, rules: &Rules) -> Vec<Deadline> {
        let mut deadlines = self.kernel.deadlines(rules);
        deadlines.extend(T::deadlines(self, rules));
        deadlines
    }

    fn tasks(&self) -> Vec<Task> {
        let mut tasks = self.kernel.tasks();
        if T::may_archive(self).is_err() {
            tasks.retain(|task| task.key != "archive");
        }
        tasks.extend(T::tasks(self));
        tasks
    }

    fn facts(&self) -> Vec<Fact> {
        T::facts(self)
    }
}
