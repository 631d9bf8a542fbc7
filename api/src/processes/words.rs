//! What the commands of processes are made of, and the words that they share with the engine.

use std::collections::BTreeMap;

use async_graphql::{Enum, InputObject, SimpleObject};
use process_engine::instance::{self as engine, Bindings, Key};
use serde_json::Value;

use crate::errors::UserError;

/// Somebody of the bureau.
#[derive(Debug, Clone, InputObject)]
pub(crate) struct PersonInput {
    /// The account.
    pub(crate) id: String,
    /// 姓名
    pub(crate) name: String,
}

impl PersonInput {
    pub(crate) fn read(self) -> engine::Person {
        engine::Person {
            id: self.id.trim().into(),
            name: self.name.trim().into(),
        }
    }

    pub(crate) fn read_all(people: Vec<Self>) -> Vec<engine::Person> {
        people.into_iter().map(Self::read).collect()
    }
}

/// Somebody who has something to do with a process.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct ProcessPerson {
    /// The account; `role:handler` is everybody of that role.
    id: String,
    /// 姓名
    name: String,
}

impl ProcessPerson {
    pub(crate) fn named(id: &str, name: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
        }
    }
}

impl From<&engine::Person> for ProcessPerson {
    fn from(person: &engine::Person) -> Self {
        Self {
            id: person.id.to_string(),
            name: person.name.to_string(),
        }
    }
}

/// 加签方式
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum SignPlace {
    /// 前加签: they decide before.
    Before,
    /// 后加签: they decide after.
    After,
}

impl From<SignPlace> for engine::SignPlace {
    fn from(place: SignPlace) -> Self {
        match place {
            SignPlace::Before => Self::Before,
            SignPlace::After => Self::After,
        }
    }
}

/// 退回后的走向
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum ResumeMode {
    /// 重走流程: every step again.
    Again,
    /// 直达退回人: straight back to where it was returned from.
    Straight,
}

impl From<ResumeMode> for engine::Resume {
    fn from(mode: ResumeMode) -> Self {
        match mode {
            ResumeMode::Again => Self::Again,
            ResumeMode::Straight => Self::Straight,
        }
    }
}

/// The key of a task, a job, an incident inside an instance.
pub(crate) fn key(value: i32, field: &str) -> Result<Key, UserError> {
    Key::try_from(value).map_err(|_| UserError::invalid(field, "编号从 1 开始", "keys count from 1"))
}

/// A key or revision as clients see it.
pub(crate) fn key_number(key: u64) -> i32 {
    i32::try_from(key).unwrap_or(i32::MAX)
}

/// Variables by name, from a JSON object.
pub(crate) fn bindings(value: Option<Value>, field: &str) -> Result<Bindings, UserError> {
    match value {
        None | Some(Value::Null) => Ok(BTreeMap::new()),
        Some(Value::Object(entries)) => Ok(entries.into_iter().collect()),
        Some(_) => Err(UserError::invalid(field, "应为 JSON 对象", "a JSON object is needed")),
    }
}

/// An outcome by its word: `approved`, `rejected`, `abstained`, or what the model offers.
pub(crate) fn outcome(word: &str) -> engine::Outcome {
    match word {
        "approved" => engine::Outcome::Approved,
        "rejected" => engine::Outcome::Rejected,
        "abstained" => engine::Outcome::Abstained,
        other => engine::Outcome::Other(other.to_owned()),
    }
}
