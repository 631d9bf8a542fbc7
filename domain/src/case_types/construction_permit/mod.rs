//! 施工许可: the permit without which no building may be started (建筑法 7–10).
//!
//! The kernel brings the application to its decision. What is here comes before it (the form, the conditions of
//! 建筑法 8) and after it: the permit with its number and face, the start of the works in time, extensions,
//! suspension, recheck, amendments, completion, and the lapse of what was never started.

mod conditions;
mod decide;
mod events;
mod face;
mod registers;
mod rejection;
mod state;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::needless_pass_by_value, unreachable_pub, dead_code)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use chrono::NaiveDate;
use serde_json::Value;

pub use conditions::Condition;
pub use decide::Command;
pub use events::{Event, Finding, Nature, Participant, ParticipantRole, PermitFace};
pub use rejection::Rejection;
pub use state::{Phase, StartExtension, State};

use crate::{
    case::{
        CaseEvent, CaseState, CaseType, Deadline, EmbeddedModel, Event as KernelEvent, Fact, Kernel, ModelKind, NumberKind,
        NumberWanted, Stage, Task,
        form::{self, FormDefinition},
    },
    registers::Entry,
    rules::{Desk, ItemDefinition, Rules},
};

/// The code of the item in the catalogue.
pub const ITEM_CODE: &str = "construction-permit";

/// The timer of 自行废止.
const START_TIMER: &str = "startConstruction";

/// 施工许可
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConstructionPermit;

static ITEMS: LazyLock<Vec<ItemDefinition>> = LazyLock::new(|| read("item.json", include_str!("item.json")));
static FORM: LazyLock<FormDefinition> = LazyLock::new(|| read("form.json", include_str!("form.json")));
static EXAMPLE: LazyLock<Value> = LazyLock::new(|| read("form.example.json", include_str!("form.example.json")));

static MODELS: [EmbeddedModel; 2] = [
    EmbeddedModel {
        key: ConstructionPermit::CATEGORY,
        kind: ModelKind::Bpmn,
        version: 1,
        bytes: include_bytes!("process.bpmn"),
    },
    EmbeddedModel {
        key: "jointReview",
        kind: ModelKind::Dmn,
        version: 1,
        bytes: include_bytes!("joint_review.dmn"),
    },
];

/// Reads a file that is compiled in and tested.
fn read<T: serde::de::DeserializeOwned>(name: &str, json: &str) -> T {
    match serde_json::from_str(json) {
        Ok(read) => read,
        Err(cause) => panic!("{name} in the program cannot be read: {cause}"),
    }
}

/// The application form.
pub fn form() -> &'static FormDefinition {
    &FORM
}

/// A form filled in without a defect: for trying out and for demonstrations.
pub fn example_form() -> Value {
    EXAMPLE.clone()
}

impl CaseType for ConstructionPermit {
    const CATEGORY: &'static str = "constructionPermit";
    const NAME_ZH: &'static str = "施工许可";
    const NAME_EN: &'static str = "construction permit";

    type State = State;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn embedded_items() -> Vec<ItemDefinition> {
        ITEMS.clone()
    }

    fn models() -> &'static [EmbeddedModel] {
        &MODELS
    }

    fn check_form(form: &Value, _item: &ItemDefinition) -> Result<(), Rejection> {
        let mut defects = form::defects(form, &FORM);
        if defects.is_empty() {
            defects = face::contradictions(form);
        }
        if defects.is_empty() {
            Ok(())
        } else {
            Err(Rejection::FormDefects { defects })
        }
    }

    fn decide(case: &CaseState<Self>, command: &Command, desk: &Desk) -> Result<Vec<CaseEvent<Self>>, Rejection> {
        decide::decide(case, command, desk)
    }

    fn evolve(state: &mut State, _kernel: &Kernel, event: &Event) {
        state::evolve(state, event);
    }

    fn may_accept(case: &CaseState<Self>, desk: &Desk) -> Result<(), Rejection> {
        conditions::needs_permit(case, &desk.rules)
    }

    fn may_grant(case: &CaseState<Self>, _desk: &Desk) -> Result<(), Rejection> {
        conditions::all_met(&case.kernel)
    }

    fn may_archive(case: &CaseState<Self>) -> Result<(), Rejection> {
        let ended = matches!(case.kernel.stage, Stage::Revoked | Stage::Cancelled);
        match case.own.phase {
            Some(phase) if phase.is_in_force() && !ended => Err(Rejection::PermitInForce),
            _ => Ok(()),
        }
    }

    fn follows(event: &KernelEvent) -> bool {
        matches!(
            event,
            KernelEvent::NumberAssigned {
                kind: NumberKind::Licence,
                ..
            }
        )
    }

    fn follow(case: &CaseState<Self>, event: &KernelEvent, desk: &Desk) -> Vec<Event> {
        match event {
            KernelEvent::NumberAssigned {
                kind: NumberKind::Licence,
                number,
                ..
            } => decide::issue(case, number, desk).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn fire(case: &CaseState<Self>, timer: &str, desk: &Desk) -> Vec<CaseEvent<Self>> {
        let passed =
            |deadline: &Deadline| deadline.kind == timer && deadline.fires_on.is_some_and(|fires_on| fires_on <= desk.today());
        match Self::deadlines(case, &desk.rules).into_iter().find(passed) {
            Some(deadline) if timer == START_TIMER => vec![CaseEvent::Own(Event::PermitLapsed { due_on: deadline.due_on })],
            _ => Vec::new(),
        }
    }

    fn numbers_wanted(case: &CaseState<Self>, event: &CaseEvent<Self>) -> Vec<NumberWanted> {
        match event {
            CaseEvent::Kernel(KernelEvent::DecisionGranted { .. }) => face::permit_no_wanted(&case.kernel).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn phase(case: &CaseState<Self>) -> Option<(&'static str, &'static str)> {
        let phase = match case.kernel.stage {
            Stage::Revoked | Stage::Cancelled => Phase::Cancelled,
            _ => case.own.phase?,
        };
        Some((phase.into(), phase.name_zh()))
    }

    fn deadlines(case: &CaseState<Self>, rules: &Rules) -> Vec<Deadline> {
        state::deadlines(case, rules)
    }

    fn tasks(case: &CaseState<Self>) -> Vec<Task> {
        state::tasks(case)
    }

    fn facts(case: &CaseState<Self>) -> Vec<Fact> {
        face::facts(case)
    }

    fn say(event: &Event) -> (String, String) {
        event.say()
    }

    fn entries(case: &CaseState<Self>, case_id: &str, event: &CaseEvent<Self>) -> Vec<Entry> {
        registers::entries(case, case_id, event)
    }
}

/// A number of the item's own law, as the case has it pinned.
fn parameter(kernel: &Kernel, rules: &Rules, name: &'static str) -> Result<i64, Rejection> {
    kernel
        .item(rules)
        .and_then(|item| item.parameters.get(name).copied())
        .ok_or(Rejection::ParameterMissing { name })
}

/// The same as a number of months.
fn months(kernel: &Kernel, rules: &Rules, name: &'static str) -> Result<u32, Rejection> {
    u32::try_from(parameter(kernel, rules, name)?).map_err(|_| Rejection::ParameterMissing { name })
}

/// The corresponding day so many months later, or the month's end; no roll to a working day.
fn corresponding_day(on: NaiveDate, months: u32) -> NaiveDate {
    on.checked_add_months(chrono::Months::new(months)).unwrap_or(NaiveDate::MAX)
}
