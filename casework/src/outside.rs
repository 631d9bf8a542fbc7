//! What a process may ask about the world around its case.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use domain::{calendar::Calendar, case::Kernel, metadata::bureau_date};
use process_engine::{
    expression::Variables,
    instance::{Answer, Ask, Outside, Person},
    model::{Process, ProcessRef, Strategy},
};
use serde_json::Value;

use crate::{
    desk::{WorkDesk, person},
    library::Library,
};

/// China Standard Time, the bureau's only clock: UTC+8.
const UTC_OFFSET_SECONDS: i32 = 8 * 3600;

/// The world around one case.
pub(crate) struct Around {
    library: Library,
    calendar: Calendar,
    today: NaiveDate,
}

impl Around {
    pub(crate) fn of(desk: &WorkDesk, kernel: &Kernel) -> Self {
        Self {
            library: desk.library.clone(),
            calendar: kernel.calendar(&desk.desk.rules).clone(),
            today: bureau_date(desk.desk.now),
        }
    }
}

impl Outside for Around {
    fn process(&self, reference: &ProcessRef) -> Option<Arc<Process>> {
        self.library.process(reference).cloned()
    }

    fn called(&self, name: &str, _caller: &ProcessRef) -> Option<(ProcessRef, u32)> {
        self.library.current(name, self.today)
    }

    fn people(&self, ask: &Ask<'_>) -> Result<Vec<Person>, String> {
        match ask.strategy {
            Strategy::Role => Ok(named(ask.parameter).map(|role| group("role", role)).collect()),
            Strategy::Group => Ok(named(ask.parameter).map(|group| person(group, group)).collect()),
            Strategy::User => Ok(named(ask.parameter).map(|id| person(id, id)).collect()),
            Strategy::Starter => Ok(ask.starter.cloned().into_iter().collect()),
            Strategy::Expression | Strategy::FormUser => people_in(ask.value),
            other => Err(format!("the rule {} finds nobody here", <&str>::from(other))),
        }
    }

    fn substitute(&self, _person: &Person, _now: DateTime<Utc>) -> Option<Person> {
        None
    }

    fn decide(&self, decision: &str, variables: &dyn Variables) -> Result<Answer, String> {
        let model = self.library.decision(decision, self.today);
        let model = model.ok_or_else(|| format!("there is no decision {decision}; deploy one"))?;
        let decided = model.evaluate(decision, variables)?;
        Ok(Answer {
            model: model.hash().to_string(),
            inputs: decided.inputs.into_iter().collect(),
            rules: decided.rules,
            outputs: decided.outputs,
        })
    }

    fn add_working_days(&self, from: NaiveDate, days: u32) -> NaiveDate {
        self.calendar.add_working_days(from, days).on
    }

    fn utc_offset_seconds(&self) -> i32 {
        UTC_OFFSET_SECONDS
    }
}

/// The names in a parameter, which are parted by commas.
fn named(parameter: Option<&str>) -> impl Iterator<Item = &str> {
    let names = parameter.unwrap_or_default().split([',', '，']);
    names.map(str::trim).filter(|name| !name.is_empty())
}

/// Everybody of a group, as one candidate.
fn group(kind: &str, name: &str) -> Person {
    let id = format!("{kind}:{name}");
    person(&id, &id)
}

/// The people that a value names: ids, or contexts with an id.
fn people_in(value: Option<&Value>) -> Result<Vec<Person>, String> {
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(values)) => values.iter().map(one_person).collect(),
        Some(value) => Ok(vec![one_person(value)?]),
    }
}

fn one_person(value: &Value) -> Result<Person, String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let id = text(value).or_else(|| value.get("id").and_then(text));
    let id = id.ok_or_else(|| format!("{value} names nobody"))?;
    let name = value.get("name").and_then(text).unwrap_or_else(|| id.clone());
    Ok(person(&id, &name))
}
