//! What is known outside an instance, all of it said beforehand.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc, Weekday};
use serde_json::Value;

use crate::{
    expression::Variables,
    instance::{Answer, Ask, Outside, Person},
    model::{Definitions, Process, ProcessRef, Strategy},
};

/// Answers a decision in the place of a table.
type Decide = Box<dyn Fn(&dyn Variables) -> Result<Answer, String> + Send + Sync>;

/// A world in memory. What was not told is answered as a world without rules would: a user is who bears the id, nobody is
/// away, weekends are free.
#[derive(Default)]
pub struct World {
    processes: BTreeMap<ProcessRef, Arc<Process>>,
    /// By the id alone: the one that was added last.
    newest: BTreeMap<Arc<str>, ProcessRef>,
    people: Vec<(Strategy, Option<String>, Vec<Person>)>,
    away: BTreeMap<Person, Person>,
    decisions: BTreeMap<String, Decide>,
    holidays: BTreeSet<NaiveDate>,
    utc_offset_seconds: i32,
}

/// Somebody whose name is their id.
pub fn person(id: &str) -> Person {
    Person {
        id: id.into(),
        name: id.into(),
    }
}

impl World {
    /// An empty world in the time zone of UTC.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Deploys every process of a model.
    #[must_use]
    pub fn with(mut self, model: &Definitions) -> Self {
        for process in &model.processes {
            self.deploy(process.clone());
        }
        self
    }

    /// Deploys a process; from now on its id means this one.
    pub fn deploy(&mut self, process: Arc<Process>) {
        let reference = process.reference.clone();
        self.newest.insert(reference.process.clone(), reference.clone());
        self.processes.insert(reference, process);
    }

    /// Whom a rule finds: asked with this parameter; without one, whatever it is asked with.
    #[must_use]
    pub fn finds(mut self, strategy: Strategy, parameter: Option<&str>, people: &[&str]) -> Self {
        let people = people.iter().copied().map(person).collect();
        self.people.push((strategy, parameter.map(str::to_owned), people));
        self
    }

    /// Somebody is away, and who decides for them.
    #[must_use]
    pub fn away(mut self, who: &str, substitute: &str) -> Self {
        self.away.insert(person(who), person(substitute));
        self
    }

    /// What a decision answers.
    #[must_use]
    pub fn decides(
        mut self,
        decision: &str,
        answer: impl Fn(&dyn Variables) -> Result<Answer, String> + Send + Sync + 'static,
    ) -> Self {
        self.decisions.insert(decision.to_owned(), Box::new(answer));
        self
    }

    /// What a decision always answers.
    #[must_use]
    pub fn answers(self, decision: &str, outputs: Value) -> Self {
        self.decides(decision, move |_| {
            Ok(Answer {
                model: "0".repeat(64),
                inputs: BTreeMap::new(),
                rules: vec![1],
                outputs: outputs.clone(),
            })
        })
    }

    /// A day on which nobody works, besides the weekends.
    #[must_use]
    pub fn holiday(mut self, day: NaiveDate) -> Self {
        self.holidays.insert(day);
        self
    }

    /// How far its clocks are ahead of UTC.
    #[must_use]
    pub fn at_utc_offset(mut self, seconds: i32) -> Self {
        self.utc_offset_seconds = seconds;
        self
    }

    /// What a process id means at this time.
    pub fn newest(&self, process: &str) -> Option<&ProcessRef> {
        self.newest.get(process)
    }

    /// All that is deployed.
    pub fn processes(&self) -> impl Iterator<Item = &Arc<Process>> {
        self.processes.values()
    }

    fn is_free(&self, day: NaiveDate) -> bool {
        matches!(day.weekday(), Weekday::Sat | Weekday::Sun) || self.holidays.contains(&day)
    }
}

/// The people that a value names: an id, a list of ids, or ids with commas between.
fn named(value: &Value) -> Vec<Person> {
    match value {
        Value::String(ids) => ids
            .split(',')
            .map(str::trim)
            .filter(|id| !id.is_empty())
            .map(person)
            .collect(),
        Value::Array(all) => all.iter().flat_map(named).collect(),
        Value::Object(fields) => fields.get("id").map(named).unwrap_or_default(),
        _ => Vec::new(),
    }
}

impl Outside for World {
    fn process(&self, reference: &ProcessRef) -> Option<Arc<Process>> {
        self.processes.get(reference).cloned()
    }

    fn called(&self, name: &str, caller: &ProcessRef) -> Option<(ProcessRef, u32)> {
        let beside = ProcessRef {
            model: caller.model.clone(),
            process: name.into(),
        };
        let found = match self.processes.contains_key(&beside) {
            true => Some(&beside),
            false => self.newest.get(name),
        };
        found.map(|reference| (reference.clone(), 1))
    }

    fn people(&self, ask: &Ask<'_>) -> Result<Vec<Person>, String> {
        let told = self.people.iter().rev().find(|(strategy, parameter, _)| {
            *strategy == ask.strategy && parameter.as_deref().is_none_or(|parameter| Some(parameter) == ask.parameter)
        });
        if let Some((_, _, people)) = told {
            return Ok(people.clone());
        }
        Ok(match ask.strategy {
            Strategy::Starter => ask.starter.cloned().into_iter().collect(),
            Strategy::User => ask
                .parameter
                .map(|ids| named(&Value::String(ids.to_owned())))
                .unwrap_or_default(),
            _ => ask.value.map(named).unwrap_or_default(),
        })
    }

    fn substitute(&self, person: &Person, _now: DateTime<Utc>) -> Option<Person> {
        self.away.get(person).cloned()
    }

    fn decide(&self, decision: &str, variables: &dyn Variables) -> Result<Answer, String> {
        match self.decisions.get(decision) {
            Some(answer) => answer(variables),
            None => Err(format!("there is no decision {decision}")),
        }
    }

    fn add_working_days(&self, from: NaiveDate, days: u32) -> NaiveDate {
        let mut day = from;
        let mut left = days;
        while left > 0 {
            day = day.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX);
            if day == NaiveDate::MAX {
                break;
            }
            if !self.is_free(day) {
                left -= 1;
            }
        }
        day
    }

    fn utc_offset_seconds(&self) -> i32 {
        self.utc_offset_seconds
    }
}
