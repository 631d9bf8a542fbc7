//! The kernel that all items share (办件内核): from filing to the archive, with its legal clock.
//!
//! A case type adds its own words to it by [`CaseType`]; `Case<T>` is the decider of both together, one stream, one boundary.

pub mod commands;
pub mod events;
pub mod form;
pub mod rejection;
pub mod state;
pub mod words;

mod correction;
mod decide;
mod due;
mod evolve;
mod filed;
mod kernel;
mod models;
mod names;
mod numbers;
mod say;
mod told;

#[cfg(test)]
mod matrix;
#[cfg(test)]
mod properties;
#[cfg(test)]
pub(crate) mod samples_test;
#[cfg(test)]
mod tests;

use std::{fmt::Debug, marker::PhantomData};

use decider::Decider;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use commands::{Command, ImportDecision, ImportStep};
pub use events::{Event, *};
pub use filed::FiledForm;
pub use models::{EmbeddedModel, ModelKind};
pub use numbers::numbers_wanted;
pub use rejection::{Explain, Rejection, code_of};
pub use state::*;
pub use told::{Deadline, Fact, Task, Told};

use crate::rules::{Desk, ItemDefinition, Rules};

/// What a case type adds to the kernel. Its folder has the same files as every other's.
pub trait CaseType: Clone + Debug + PartialEq + Send + Sync + Sized + 'static {
    /// The stream category (`constructionPermit`).
    const CATEGORY: &'static str;
    /// 案件类型
    const NAME_ZH: &'static str;
    /// The same in English.
    const NAME_EN: &'static str;

    /// What the type remembers besides the kernel.
    type State: Clone + Debug + Default + PartialEq + Serialize + Send + Sync + 'static;
    /// What may be asked besides the kernel's commands.
    type Command: Clone + Debug + AsRef<str> + strum::VariantNames + Send + Sync + 'static;
    /// What happens besides the kernel's events.
    type Event: Clone + Debug + PartialEq + Serialize + DeserializeOwned + strum::VariantNames + Send + Sync + 'static;
    /// Why not.
    type Rejection: std::error::Error + Clone + PartialEq + AsRef<str> + Explain + Send + Sync + 'static;

    /// Reads a stored event of the type's own; old names and shapes are read here by an upcast.
    fn read_own(name: &str, data: &[u8]) -> Result<Self::Event, decider::stored::StoredError> {
        decider::stored::decode(name, data)
    }
    /// The item definitions that the program carries, oldest first.
    fn embedded_items() -> Vec<ItemDefinition>;
    /// The models that the program carries for it: its process and its decision tables. None: its cases follow the law alone.
    fn models() -> &'static [EmbeddedModel] {
        &[]
    }
    /// Checks the form at filing: every defect with its field.
    fn check_form(form: &serde_json::Value, item: &ItemDefinition) -> Result<(), Self::Rejection>;
    /// The type's own law.
    fn decide(case: &CaseState<Self>, command: &Self::Command, desk: &Desk) -> Result<Vec<CaseEvent<Self>>, Self::Rejection>;
    /// What the type's own event changes.
    fn evolve(state: &mut Self::State, kernel: &Kernel, event: &Self::Event);
    /// Whether the application is for something that needs this permission at all. Asked before the kernel accepts.
    fn may_accept(_case: &CaseState<Self>, _desk: &Desk) -> Result<(), Self::Rejection> {
        Ok(())
    }
    /// The conditions of granting (for a construction permit: 建筑法 8). Asked before the kernel grants.
    fn may_grant(case: &CaseState<Self>, desk: &Desk) -> Result<(), Self::Rejection>;
    /// Whether nothing of the type's own law is still to come. Asked before the kernel archives: an archived case is closed for ever.
    fn may_archive(_case: &CaseState<Self>) -> Result<(), Self::Rejection> {
        Ok(())
    }
    /// Whether the type does something at once when this event happens: most events it leaves alone.
    fn follows(event: &Event) -> bool;
    /// What the type does at once when the kernel's event happens (such as issuing the permit when its number is assigned).
    fn follow(case: &CaseState<Self>, event: &Event, desk: &Desk) -> Vec<Self::Event>;
    /// What happens when one of the type's own timers is due; nothing, if it no longer applies.
    fn fire(case: &CaseState<Self>, timer: &str, desk: &Desk) -> Vec<CaseEvent<Self>>;
    /// The number series that the type wants when an event happens (such as the permit number after a grant). `case` has the event in it.
    fn numbers_wanted(case: &CaseState<Self>, event: &CaseEvent<Self>) -> Vec<NumberWanted>;
    /// The type's own phase after the decision (`Active`, `Halted`), with its Chinese name.
    fn phase(case: &CaseState<Self>) -> Option<(&'static str, &'static str)>;
    /// Deadlines of the type's own law.
    fn deadlines(case: &CaseState<Self>, rules: &Rules) -> Vec<Deadline>;
    /// Tasks of the type's own law (such as a start extension that waits for an answer).
    fn tasks(case: &CaseState<Self>) -> Vec<Task>;
    /// What lists and reports show of it (工程名称, 建设地址, 面积 …), by name.
    fn facts(case: &CaseState<Self>) -> Vec<Fact>;
    /// One line in Chinese and one in English for the timeline.
    fn say(event: &Self::Event) -> (String, String);
    /// What to write into registers when an event happens, besides the case: executed by reactions. `case` has the event in it.
    fn entries(case: &CaseState<Self>, case_id: &str, event: &CaseEvent<Self>) -> Vec<crate::registers::Entry>;
}

/// A case of a type: the kernel and the type's own law as one decider.
pub struct Case<T>(PhantomData<T>);

/// The state of a case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseState<T: CaseType> {
    /// What every case remembers.
    pub kernel: Kernel,
    /// What this type remembers.
    pub own: T::State,
}

impl<T: CaseType> Default for CaseState<T> {
    fn default() -> Self {
        Self {
            kernel: Kernel::default(),
            own: T::State::default(),
        }
    }
}

/// What is asked of a case.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "few live at once, and each only for a moment")]
pub enum CaseCommand<T: CaseType> {
    /// Something that may be asked of any case.
    Kernel(Command),
    /// Something of this type.
    Own(T::Command),
}

/// What happened to a case. Stored under the inner event's name.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "few live at once, and each only for a moment")]
pub enum CaseEvent<T: CaseType> {
    /// Something that may happen to any case.
    Kernel(Event),
    /// Something of this type.
    Own(T::Event),
}

/// Why a case did not do what was asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CaseRejection<R: std::error::Error> {
    /// By the law of every case.
    #[error(transparent)]
    Kernel(Rejection),
    /// By the law of this type.
    #[error(transparent)]
    Own(R),
}

impl<R: std::error::Error + Explain> Explain for CaseRejection<R> {
    fn code(&self) -> String {
        match self {
            Self::Kernel(rejection) => rejection.code(),
            Self::Own(rejection) => rejection.code(),
        }
    }

    fn zh(&self) -> String {
        match self {
            Self::Kernel(rejection) => rejection.zh(),
            Self::Own(rejection) => rejection.zh(),
        }
    }

    fn field(&self) -> Option<String> {
        match self {
            Self::Kernel(rejection) => rejection.field(),
            Self::Own(rejection) => rejection.field(),
        }
    }
}

/// A number that a case waits for; a reaction allocates it from its series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberWanted {
    /// What it is for.
    pub kind: NumberKind,
    /// The series (`SGXK-320684-2026-case`): one gap-free sequence.
    pub series: String,
    /// How the number is written, with `{seq:05}` where the sequence goes.
    pub template: String,
}

impl<T: CaseType> Case<T> {
    /// Folds in an event that nobody needs any more, as in a replay: the same as `evolve`, without copying what it carries.
    pub fn evolve_taking(state: &mut CaseState<T>, event: CaseEvent<T>) {
        match event {
            CaseEvent::Kernel(event) => evolve::evolve_taking(&mut state.kernel, event),
            CaseEvent::Own(_) => Self::evolve(state, &event),
        }
    }
}

impl<T: CaseType> Decider for Case<T> {
    type State = CaseState<T>;
    type Command = CaseCommand<T>;
    type Event = CaseEvent<T>;
    type Rejection = CaseRejection<T::Rejection>;
    type Context = Desk;

    fn decide(state: &CaseState<T>, command: &CaseCommand<T>, desk: &Desk) -> Result<Vec<CaseEvent<T>>, Self::Rejection> {
        decide::decide(state, command, desk)
    }

    fn evolve(state: &mut CaseState<T>, event: &CaseEvent<T>) {
        match event {
            CaseEvent::Kernel(event) => evolve::evolve(&mut state.kernel, event),
            CaseEvent::Own(event) => {
                T::evolve(&mut state.own, &state.kernel, event);
                evolve::worked_on(&mut state.kernel);
            }
        }
    }
}
