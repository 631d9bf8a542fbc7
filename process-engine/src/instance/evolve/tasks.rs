//! What the events of tasks and votes change.

use std::{collections::BTreeSet, sync::Arc};

use super::{begun, cancel, moving::was_done};
use crate::instance::{
    ROOT,
    event::Event,
    state::{Copy, Decision, Instance, Sign, Task},
    words::{Key, Person},
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
            form,
            priority,
            due_at,
            means,
            substitute,
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
                substitute: substitute.clone(),
                delegated_by: None,
                signs: Vec::new(),
                held: None,
                form_key: form_key.clone(),
                form: form.clone(),
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
                task.substitute = None;
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
                task.substitute = None;
                task.delegated_by = None;
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
            let Some(owner) = state.tasks.get(key).map(|task| task.owner) else {
                return;
            };
            close_task(state, *key);
            if let Some(first) = state.tasks.get_mut(&owner) {
                first.signs.retain(|sign| sign.task != *key);
            }
        }
        Event::ApproverAdded { key, person, place, .. } => add_approver(state, *key, person, *place),
        Event::ApproverRemoved { key, person, .. } => remove_approver(state, *key, person),
        Event::TaskCompleted {
            key,
            by,
            on_behalf_of,
            outcome,
            at,
            ..
        } => {
            let Some(task) = state.tasks.remove(key) else { return };
            // Whoever was asked besides and has not answered is not asked any more.
            close_task(state, *key);
            if task.owner == *key {
                let element = task.element.clone();
                let scope = decision_scope(state, *key);
                let done = state.elements.get(key);
                let round = done.and_then(|element| element.round);
                let whole = done.filter(|element| element.round.is_some()).map(|element| element.scope);
                state.decisions.push(Decision {
                    task: *key,
                    element,
                    scope,
                    round,
                    whole,
                    by: by.clone(),
                    on_behalf_of: on_behalf_of.clone(),
                    outcome: outcome.clone(),
                    at: *at,
                    undone: false,
                });
                was_done(state, *key);
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
                task.held = Some(Box::new((by.clone(), outcome.clone(), said.clone(), form.clone())));
            }
        }
        Event::TaskUrged { key, .. } => {
            if let Some(task) = state.tasks.get_mut(key) {
                task.urged = task.urged.saturating_add(1);
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
            was_done(state, *key);
        }
        Event::VoteWithdrawn {
            key, task, round, tally, ..
        } => {
            if let Some(rounds) = state.elements.get_mut(key).and_then(|body| body.rounds.as_mut()) {
                rounds.tally = *tally;
                rounds.removed.insert(*round);
                rounds.completed = rounds.completed.saturating_sub(1);
            }
            let mine = state.decisions.iter_mut().filter(|decision| decision.task == *task);
            mine.for_each(|decision| decision.undone = true);
        }
        Event::TaskAutoDecided { key, .. } => {
            was_done(state, *key);
            close_task(state, *key);
        }
        Event::TaskSkipped { key, .. } => was_done(state, *key),
        Event::HandedOver { from, to, .. } => hand_over(state, from, to),
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
fn ask_in_round(state: &mut Instance, key: Key, to: &Person) {
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

/// One more is asked: at the end, or at a place among those who are still to be asked.
fn add_approver(state: &mut Instance, key: Key, person: &Person, place: Option<u32>) {
    let Some(rounds) = state.elements.get_mut(&key).and_then(|body| body.rounds.as_mut()) else {
        return;
    };
    let end = rounds.people.len();
    let at = place.map_or(end, |place| (place as usize).min(end));
    Arc::make_mut(&mut rounds.items).insert(at, serde_json::Value::String(person.id.to_string()));
    Arc::make_mut(&mut rounds.people).insert(at, person.clone());
    let moved = |round: &u32| {
        if *round as usize >= at {
            round.saturating_add(1)
        } else {
            *round
        }
    };
    rounds.removed = rounds.removed.iter().map(moved).collect::<BTreeSet<u32>>();
    rounds.tally.total = rounds.tally.total.saturating_add(1);
}

fn remove_approver(state: &mut Instance, key: Key, person: &Person) {
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
    let is_it = |(round, asked): (usize, &Person)| {
        let place = u32::try_from(round).ok()?;
        (asked.id == person.id && open(round) && !rounds.removed.contains(&place)).then_some(place)
    };
    let Some(round) = rounds.people.iter().enumerate().find_map(is_it) else {
        return;
    };
    rounds.removed.insert(round);
    rounds.tally.total = rounds.tally.total.saturating_sub(1);
    if let Some((inner, _)) = rounds_begun.iter().find(|(_, at)| *at == round) {
        cancel(state, *inner);
    }
}

/// A task is gone, with every task of those who were asked besides.
pub(super) fn close_task(state: &mut Instance, key: Key) {
    state.tasks.remove(&key);
    let mut open = vec![key];
    while let Some(owner) = open.pop() {
        let besides: Vec<Key> = state
            .tasks
            .iter()
            .filter(|(task, other)| other.owner == owner && **task != owner)
            .map(|(task, _)| *task)
            .collect();
        for task in besides {
            state.tasks.remove(&task);
            open.push(task);
        }
    }
}

/// Everything that waits for somebody waits for somebody else: also what is offered, and what is still to come.
fn hand_over(state: &mut Instance, from: &Person, to: &Person) {
    let replace = |person: &mut Person| {
        if person.id == from.id {
            *person = to.clone();
        }
    };
    for task in state.tasks.values_mut() {
        let has_both = task.candidates.iter().any(|person| person.id == to.id);
        if has_both {
            task.candidates.retain(|person| person.id != from.id);
        }
        task.candidates.iter_mut().for_each(replace);
        task.delegated_by.iter_mut().for_each(replace);
        task.substitute.iter_mut().for_each(replace);
        task.signs
            .iter_mut()
            .filter(|sign| sign.outcome.is_none())
            .for_each(|sign| replace(&mut sign.person));
    }
    for element in state.elements.values_mut() {
        if let Some(rounds) = &mut element.rounds
            && rounds.people.iter().any(|person| person.id == from.id)
        {
            let begun = rounds.begun as usize;
            Arc::make_mut(&mut rounds.people).iter_mut().skip(begun).for_each(replace);
        }
    }
}
