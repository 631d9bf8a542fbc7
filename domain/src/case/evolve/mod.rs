//! What each event of the kernel changes. Total: history cannot be refused.

mod after;
mod decision;
mod imported;
mod intake;
mod opening;
mod review;

use chrono::NaiveDate;

use super::{
    events::{Event, Material},
    state::{Kernel, Stage},
};

/// Folds an event in.
pub(super) fn evolve(case: &mut Kernel, event: &Event) {
    if matches!(event, Event::ApplicationSubmitted { .. } | Event::ImportedCaseOpened { .. }) {
        opening::take(case, event.clone());
        return;
    }
    fold(case, event);
}

/// The same for an event that nobody needs any more, as in a replay.
pub(super) fn evolve_taking(case: &mut Kernel, event: Event) {
    if let Some(event) = opening::take(case, event) {
        fold(case, &event);
    }
}

/// The files follow the way of a case: in, through review, to the decision, after it.
fn fold(case: &mut Kernel, event: &Event) {
    let known = intake::fold(case, event)
        || review::fold(case, event)
        || decision::fold(case, event)
        || after::fold(case, event)
        || imported::fold(case, event);
    debug_assert!(known, "an event that nobody folds: {event:?}");
    if !matches!(
        event,
        Event::ImportedStepRecorded { .. } | Event::ImportedDecisionRecorded { .. }
    ) {
        worked_on(case);
    }
}

/// Something was done to the case besides its import.
pub(super) fn worked_on(case: &mut Kernel) {
    if let Some(imported) = case.imported.as_mut().filter(|imported| !imported.rolled_back) {
        imported.worked_on = true;
    }
}

fn enter(case: &mut Kernel, stage: Stage, on: NaiveDate) {
    case.stage = stage;
    case.stage_since = Some(on);
    case.opinion_given_here = false;
}

fn put(materials: &mut Vec<Material>, material: Material) {
    match materials.iter_mut().find(|held| held.code == material.code) {
        Some(held) => *held = material,
        None => materials.push(material),
    }
}
