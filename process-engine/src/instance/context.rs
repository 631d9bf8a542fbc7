//! What a decision may look at besides the past.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;

use super::words::{Bindings, Person};
use crate::model::{Process, ProcessRef, Strategy};

/// The moment, the actor, and what is known outside.
#[derive(Clone)]
pub struct Context {
    /// The moment.
    pub now: DateTime<Utc>,
    /// Who asks; none: the platform itself.
    pub actor: Option<Person>,
    /// What the actor belongs to, as candidates may name it besides people (`role:handler`): such a candidate is everybody in it.
    pub groups: Vec<Arc<str>>,
    /// For whom the actor acts (代理).
    pub on_behalf_of: Option<Person>,
    /// Whether the actor may act where only the one who is asked may (管理员干预).
    pub is_administrator: bool,
    /// What chance draws from: the same command draws the same.
    pub seed: u64,
    /// What is known outside.
    pub outside: Arc<dyn Outside>,
}

/// What is known outside an instance. Pure look-ups; every answer that matters is stored in an event.
pub trait Outside: Send + Sync {
    /// A process by its exact reference.
    fn process(&self, reference: &ProcessRef) -> Option<Arc<Process>>;

    /// The process that a call of this name means, for an instance that began then: reference and version.
    fn called(&self, name: &str, caller: &ProcessRef) -> Option<(ProcessRef, u32)>;

    /// The people whom a rule finds.
    fn people(&self, ask: &Ask<'_>) -> Result<Vec<Person>, String>;

    /// What a rule for candidates says that stands outside the model: strategies and their parameters.
    fn rule(&self, name: &str) -> Result<Vec<(Strategy, Option<String>)>, String> {
        Err(format!("there is no rule {name} for candidates; deploy one"))
    }

    /// The form that a key means now: SHA-256 of its file; none, if it is nobody's business here.
    fn form(&self, _key: &str) -> Option<String> {
        None
    }

    /// Whoever decides for somebody who is away (代理); none: they decide themselves.
    fn substitute(&self, person: &Person, now: DateTime<Utc>) -> Option<Person>;

    /// Asks a decision table.
    fn decide(&self, decision: &str, variables: &dyn crate::expression::Variables) -> Result<Answer, String>;

    /// The day that is so many working days after a day.
    fn add_working_days(&self, from: NaiveDate, days: u32) -> NaiveDate;

    /// How far the local time is ahead of UTC, in seconds: dates without a zone are local.
    fn utc_offset_seconds(&self) -> i32;
}

/// What a rule for candidates is asked with.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The kind of rule.
    pub strategy: Strategy,
    /// Its parameter.
    pub parameter: Option<&'a str>,
    /// Who started the process.
    pub starter: Option<&'a Person>,
    /// Who decided last.
    pub previous: Option<&'a Person>,
    /// The value of the form field, for rules about forms; the chosen people, for rules about choice.
    pub value: Option<&'a Value>,
    /// Whether single people are wanted, because each decides or one is drawn; otherwise a group may stand for all in it.
    pub each: bool,
}

/// What a decision table answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// SHA-256 of the model that holds it.
    pub model: String,
    /// What it was asked with.
    pub inputs: Bindings,
    /// Which rules matched, from 1.
    pub rules: Vec<u32>,
    /// What it gave.
    pub outputs: Value,
}
