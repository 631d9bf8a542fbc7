//! What is true of an instance after every step.

use std::collections::BTreeSet;

use crate::{
    instance::{Element, Event, Instance, Key, Outside, ROOT},
    model::{NodeKind, SubProcess, Work},
    testing::Player,
};

/// What is not true, if anything is not.
pub(super) fn check(player: &Player) -> Result<(), String> {
    let state = player.state();
    if state.ended.is_some() {
        return is_empty(state);
    }
    nothing_is_orphaned(state)?;
    // Whoever takes over from somebody who leaves has that one's voice besides their own.
    let has_two_voices = player.events().iter().any(|event| matches!(event, Event::HandedOver { .. }));
    if !has_two_voices {
        nobody_is_asked_twice(state)?;
    }
    let open = Open::of(state);
    for (key, element) in state.elements.iter().filter(|(key, _)| **key != ROOT) {
        is_waited_for(player, &open, *key, element)?;
    }
    Ok(())
}

/// After the end nothing is left.
fn is_empty(state: &Instance) -> Result<(), String> {
    let left = [
        ("elements", state.elements.len().saturating_sub(1)),
        ("tokens", state.tokens.iter().count()),
        ("waits", state.waits.len()),
        ("tasks", state.tasks.len()),
        ("jobs", state.jobs.len()),
        ("incidents", state.incidents.len()),
        ("compensable", state.compensable.len()),
        ("fired gateways", state.fired.len()),
        ("ways straight back", state.straight_back.len()),
    ];
    match left.iter().find(|(_, count)| *count > 0) {
        Some((what, count)) => Err(format!("after the end {count} {what} are left")),
        None => Ok(()),
    }
}

/// Whatever belongs to something belongs to something that is there.
fn nothing_is_orphaned(state: &Instance) -> Result<(), String> {
    let there = |key: &Key| state.elements.contains_key(key);
    let scopes = state.elements.iter().map(|(key, element)| ("element", *key, element.scope));
    let waits = state.waits.iter().map(|(key, wait)| ("wait", *key, wait.owner));
    let tasks = state.tasks.iter().map(|(key, task)| ("task", *key, task.owner));
    let jobs = state.jobs.keys().map(|key| ("job", *key, *key));
    let incidents = state
        .incidents
        .iter()
        .map(|(key, incident)| ("incident", *key, incident.owner));
    let tokens = state.tokens.iter().map(|(scope, ..)| ("token", scope, scope));
    let variables = state.variables.keys().map(|scope| ("variables", *scope, *scope));
    let all = scopes
        .chain(waits)
        .chain(tasks)
        .chain(jobs)
        .chain(incidents)
        .chain(tokens)
        .chain(variables);
    for (what, key, owner) in all {
        // A sign belongs to a task, which has the key of its element unless it is a sign itself.
        let belongs = there(&owner) || (what == "task" && state.tasks.contains_key(&owner));
        if !belongs {
            return Err(format!("{what} {key} belongs to {owner}, which is not there"));
        }
    }
    Ok(())
}

/// Nobody has two tasks of one vote, and no element has two tasks of its own.
fn nobody_is_asked_twice(state: &Instance) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for (key, task) in state.tasks.iter().filter(|(key, task)| **key == task.owner) {
        let Some(element) = state.elements.get(key).filter(|element| element.round.is_some()) else {
            continue;
        };
        let is_vote = state
            .elements
            .get(&element.scope)
            .and_then(|whole| whole.rounds.as_ref())
            .is_some_and(|rounds| !rounds.people.is_empty());
        if let Some(assignee) = task.assignee.as_ref().filter(|_| is_vote)
            && task.delegated_by.is_none()
            && !seen.insert((element.scope, assignee.id.clone()))
        {
            return Err(format!("{} has two tasks of the vote {}", assignee.id, element.scope));
        }
    }
    Ok(())
}

/// What something is open for: an instance may have many thousands of elements, each of which is looked up here.
struct Open<'s> {
    inside: BTreeSet<Key>,
    waits: BTreeSet<(Key, &'s str)>,
    incidents: BTreeSet<Key>,
    tasks: BTreeSet<Key>,
}

impl<'s> Open<'s> {
    fn of(state: &'s Instance) -> Self {
        let scopes = state.elements.values().map(|element| element.scope);
        let waits = state.waits.values().map(|wait| (wait.owner, &*wait.element));
        Self {
            inside: scopes.chain(state.tokens.iter().map(|(scope, ..)| scope)).collect(),
            waits: waits.collect(),
            incidents: state.incidents.values().map(|incident| incident.owner).collect(),
            tasks: state.tasks.values().map(|task| task.owner).collect(),
        }
    }
}

/// Something is open for every element, or stands in it.
fn is_waited_for(player: &Player, open: &Open<'_>, key: Key, element: &Element) -> Result<(), String> {
    let state = player.state();
    let has_inside = open.inside.contains(&key);
    let has_wait = open.waits.contains(&(key, &*element.element));
    let has_incident = open.incidents.contains(&key);
    let has_task = open.tasks.contains(&key);
    let has_job = state.jobs.contains_key(&key);
    // What was returned from comes back into it.
    let is_come_back_to = state.awaited_back(key).next().is_some();
    let process = state
        .process_of(element.scope)
        .and_then(|reference| player.world().process(reference));
    let kind = process
        .as_ref()
        .and_then(|process| process.find(&element.element).map(|at| &process.node(at).kind));
    let is_open = match kind {
        None => return Err(format!("element {key} is no element of its model: {}", element.element)),
        _ if has_incident || has_inside || is_come_back_to => true,
        _ if element.rounds.is_some() => false,
        Some(NodeKind::Task(task)) => match &task.work {
            Work::User(_) => has_task,
            Work::Receive { .. } => has_wait,
            _ => has_job,
        },
        Some(NodeKind::EventBased { .. }) => open.waits.range((key, "")..).next().is_some_and(|(owner, _)| *owner == key),
        Some(NodeKind::SubProcess(SubProcess::AdHoc(_))) => true,
        Some(NodeKind::SubProcess(_) | NodeKind::Call(_)) => false,
        // A complex gateway that went on waits for the rest; a compensation waits for its handlers, which stand beside it.
        Some(NodeKind::Complex { .. }) => state.fired.contains_key(&key),
        Some(NodeKind::Throw(_) | NodeKind::End(_)) => true,
        Some(_) => has_wait,
    };
    match is_open {
        true => Ok(()),
        false => Err(format!(
            "element {key} ({}) is being done, but nothing is open for it",
            element.element
        )),
    }
}
