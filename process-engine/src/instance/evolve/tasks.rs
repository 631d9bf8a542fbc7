//! What the events of tasks, votes and copies change.

use std::sync::Arc;

use super::{begun, cancel};
use crate::instance::{
    ROOT,
    event::Event,
    state::{Copy, Decision, Instance, Sign, Task},
    words::{Key, MoveKind, Outcome, SignPlace},
};

/// What the events of tasks change.
#[allow(clippy::too_many_lines, reason = "a table: one arm for each event")]
pub(super) fn of_tasks(state: &mut Instance, event: &Event) {
    match event {
        Event::TaskOpened {
            key,
            owner,
            element,
            name,
            candidates,
            assignee,
            form_key,
            priority,
            due_at,
            means,
            at,
            ..
        } => {
            begun(state, *key);
            let task = Task {
                owner: *owner,
                element: element.clone(),
                name: name.clone(),
                candidates: candidates.clone(),
                assignee: assignee.clone(),
                delegated_by: None,
                signs: Vec::new(),
                held: None,
                form_key: form_key.clone(),
                priority: *priority,
                due_at: *due_at,
                opened_at: *at,
                means: means.clone(),
                urged: 0,
            };
            if key != owner
                && let Some(first) = state.tasks.get_mut(owner)
                && let Some(person) = assignee
                && let Some(sign) = first.signs.iter_mut().find(|sign| sign.task == 0 && sign.person == *person)
            {
                sign.task = *key;
            }
            state.tasks.insert(*key, task);
        }
        Event::TaskClaimed { key, by, .. } => {
            if let Some(task) = state.tasks.get_mut(key) {
                task.assignee = Some(by.clone());
            }
        }
        Event::TaskUnclaimed { key, .. } => {
            if let Some(task) = state.tasks.get_mut(key) {
                task.assignee = None;
            }
        }
        Event::TaskAssigned { key, to, .. } | Event::TaskTransferred { key, to, .. } => {
            if let Some(task) = state.tasks.get_mut(key) {
                task.assignee = Some(to.clone());
            }
            ask_in_round(state, *key, to);
        }
        Event::TaskDelegated { key, from, to, .. } => {
            if let Some(task) = state.tasks.get_mut(key) {
                task.delegated_by = Some(from.clone());
                task.assignee = Some(to.clone());
            }
        }
        Event::TaskReturnedToOwner { key, .. } => {
            if let Some(task) = state.tasks.get_mut(key) {
                task.assignee = task.delegated_by.take();
            }
        }
        Event::SignAdded { key, place, people, .. } => {
            if let Some(task) = state.tasks.get_mut(key) {
                // Each gets the key of its task when that is opened.
                task.signs.extend(people.iter().map(|person| Sign {
                    task: 0,
                    place: *place,
                    person: person.clone(),
                    outcome: None,
                }));
            }
        }
        Event::SignRemoved { key, .. } => {
            if let Some(removed) = state.tasks.remove(key)
                && let Some(first) = state.tasks.get_mut(&removed.owner)
            {
                first.signs.retain(|sign| sign.task != *key);
            }
        }
        Event::ApproverAdded { key, person, .. } => {
            if let Some(rounds) = state.elements.get_mut(key).and_then(|body| body.rounds.as_mut()) {
                Arc::make_mut(&mut rounds.items).push(serde_json::Value::String(person.id.to_string()));
                Arc::make_mut(&mut rounds.people).push(person.clone());
                rounds.tally.total += 1;
            }
        }
        Event::ApproverRemoved { key, person, .. } => remove_approver(state, *key, person),
        Event::TaskCompleted {
            key, by, outcome, at, ..
        } => {
            let Some(task) = state.tasks.remove(key) else { return };
            if task.owner == *key {
                let element = task.element.clone();
                let scope = decision_scope(state, *key);
                state.decisions.push(Decision {
                    task: *key,
                    element,
                    scope,
                    by: by.clone(),
                    outcome: outcome.clone(),
                    at: *at,
                    undone: false,
                });
                // Whoever was asked besides and has not answered is not asked any more.
                state.tasks.retain(|_, other| other.owner != *key);
            } else if let Some(first) = state.tasks.get_mut(&task.owner)
                && let Some(sign) = first.signs.iter_mut().find(|sign| sign.task == *key)
            {
                sign.outcome = Some(outcome.clone());
            }
        }
        Event::TaskDecisionHeld {
            key,
            by,
            outcome,
            said,
            form,
            ..
        } => {
            if let Some(task) = state.tasks.get_mut(key) {
                task.held = Some((by.clone(), outcome.clone(), said.clone(), form.clone()));
            }
        }
        Event::TaskUrged { key, .. } => {
            if let Some(task) = state.tasks.get_mut(key) {
                task.urged += 1;
            }
        }
        Event::VoteCast { key, tally, .. } => {
            if let Some(rounds) = state.elements.get_mut(key).and_then(|body| body.rounds.as_mut()) {
                rounds.tally = *tally;
            }
        }
        Event::CopySent { key, element, to, .. } => {
            begun(state, *key);
            let copy = Copy {
                element: element.clone(),
                to: to.clone(),
                read_by: Vec::new(),
            };
            state.copies.insert(*key, copy);
        }
        Event::CopyRead { key, by, .. } => {
            if let Some(copy) = state.copies.get_mut(key) {
                copy.read_by.push(by.clone());
            }
        }
        Event::VoteClosed { key, passed, .. } => {
            if let Some(rounds) = state.elements.get_mut(key).and_then(|body| body.rounds.as_mut()) {
                rounds.passed = Some(*passed);
            }
        }
        Event::TaskAutoDecided { key, .. } => {
            state.tasks.remove(key);
            state.tasks.retain(|_, other| other.owner != *key);
        }
        _ => {}
    }
}

/// The scope that a decision is remembered under: that of the whole activity.
fn decision_scope(state: &Instance, key: Key) -> Key {
    let Some(element) = state.elements.get(&key) else {
        return ROOT;
    };
    match element.round {
        Some(_) => state.elements.get(&element.scope).map_or(ROOT, |body| body.scope),
        None => element.scope,
    }
}

/// After a task went to somebody else, the round is theirs.
fn ask_in_round(state: &mut Instance, key: Key, to: &crate::instance::words::Person) {
    let Some((scope, round)) = state
        .elements
        .get(&key)
        .and_then(|element| Some((element.scope, element.round? as usize)))
    else {
        return;
    };
    if let Some(rounds) = state.elements.get_mut(&scope).and_then(|body| body.rounds.as_mut())
        && let Some(person) = Arc::make_mut(&mut rounds.people).get_mut(round)
    {
        *person = to.clone();
    }
}

fn remove_approver(state: &mut Instance, key: Key, person: &crate::instance::words::Person) {
    let rounds_begun: Vec<(Key, u32)> = state
        .children(key)
        .filter_map(|(inner, element)| Some((inner, element.round?)))
        .collect();
    let Some(rounds) = state.elements.get_mut(&key).and_then(|body| body.rounds.as_mut()) else {
        return;
    };
    // One who is being asked now, or is still to be asked; whoever has decided stays.
    let open = |round: usize| {
        let round = u32::try_from(round).unwrap_or(u32::MAX);
        round >= rounds.begun || rounds_begun.iter().any(|(_, at)| *at == round)
    };
    let found = (0..rounds.people.len())
        .find(|round| rounds.people[*round] == *person && open(*round) && !rounds.removed.contains(&(*round as u32)));
    let Some(round) = found.and_then(|round| u32::try_from(round).ok()) else {
        return;
    };
    rounds.removed.insert(round);
    rounds.tally.total = rounds.tally.total.saturating_sub(1);
    if let Some((inner, _)) = rounds_begun.iter().find(|(_, at)| *at == round) {
        cancel(state, *inner);
    }
}

/// What was decided after the step that is returned to counts no more.
pub(super) fn undo_decisions(state: &mut Instance, to: &[crate::model::ElementId], kind: MoveKind) {
    if !matches!(kind, MoveKind::Return | MoveKind::Withdraw | MoveKind::Jump) {
        return;
    }
    let from = state
        .decisions
        .iter()
        .position(|decision| to.contains(&decision.element) && !decision.undone);
    if let Some(from) = from {
        state.decisions[from..].iter_mut().for_each(|decision| decision.undone = true);
    }
}

/// Whether those who decide at this place all have, and nobody refused.
pub(crate) fn signs_done(signs: &[Sign], place: SignPlace) -> bool {
    signs
        .iter()
        .filter(|sign| sign.place == place)
        .all(|sign| sign.outcome.is_some())
}

/// Whether anybody who was asked besides refused.
pub(crate) fn sign_refused(signs: &[Sign]) -> bool {
    signs.iter().any(|sign| sign.outcome == Some(Outcome::Rejected))
}
