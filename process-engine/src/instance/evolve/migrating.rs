//! What going over to another model changes: names, nothing else.

use std::collections::BTreeSet;

use crate::{
    instance::{
        ROOT,
        state::Instance,
        words::{Back, Key},
    },
    model::{ElementId, ProcessRef},
};

/// Everything that stands in the process itself gets its new name.
pub(super) fn migrate(
    state: &mut Instance,
    to: &ProcessRef,
    version: u32,
    elements: &[(ElementId, ElementId)],
    flows: &[(ElementId, ElementId)],
) {
    let renamed = |names: &[(ElementId, ElementId)], old: &ElementId| {
        names
            .iter()
            .find(|(from, _)| from == old)
            .map_or_else(|| old.clone(), |(_, to)| to.clone())
    };
    // Only what stands in the process itself moves; a called process keeps its own model.
    let keys = state.elements.keys().copied();
    let moving: BTreeSet<Key> = keys.filter(|key| *key != ROOT && state.is_of_own_process(*key)).collect();
    for key in &moving {
        if let Some(element) = state.elements.get_mut(key) {
            element.element = renamed(elements, &element.element);
        }
    }
    for wait in state
        .waits
        .values_mut()
        .filter(|wait| moving.contains(&wait.owner) || wait.owner == ROOT)
    {
        wait.element = renamed(elements, &wait.element);
    }
    for (_, task) in state
        .tasks
        .iter_mut()
        .filter(|(key, task)| moving.contains(key) || moving.contains(&task.owner))
    {
        task.element = renamed(elements, &task.element);
    }
    for incident in state
        .incidents
        .values_mut()
        .filter(|incident| moving.contains(&incident.owner) || incident.owner == ROOT)
    {
        incident.element = renamed(elements, &incident.element);
    }
    for (_, from) in state.fired.iter_mut().filter(|(key, _)| moving.contains(key)) {
        for flow in from.iter_mut() {
            *flow = renamed(flows, flow);
        }
    }
    for (_, back) in state.straight_back.iter_mut().filter(|(key, _)| moving.contains(key)) {
        rename_ways_back(back, &|element| renamed(elements, element));
    }
    let here = |scope: &Key| *scope == ROOT || moving.contains(scope);
    for (_, done) in state.done.iter_mut().filter(|(scope, _)| here(scope)) {
        for (element, _) in done.iter_mut() {
            *element = renamed(elements, element);
        }
    }
    for decision in state.decisions.iter_mut() {
        decision.element = renamed(elements, &decision.element);
    }
    for done in state.compensable.iter_mut() {
        done.element = renamed(elements, &done.element);
        done.handler = done.handler.as_ref().map(|handler| renamed(elements, handler));
    }
    let tokens = std::mem::take(&mut state.tokens);
    for (scope, flow, count) in tokens.iter() {
        let is_call = scope != ROOT && state.elements.get(&scope).is_some_and(|element| element.process.is_some());
        let is_here = scope == ROOT || (moving.contains(&scope) && !is_call);
        let flow = if is_here { renamed(flows, flow) } else { flow.clone() };
        state.tokens.put(scope, &flow, count);
    }
    if let Some(root) = state.elements.get_mut(&ROOT) {
        root.process = Some(to.clone());
        root.element = to.process.clone();
    }
    if let Some(started) = &mut state.started {
        started.process = to.clone();
        started.version = version;
    }
}

fn rename_ways_back(ways: &mut [Back], renamed: &dyn Fn(&ElementId) -> ElementId) {
    for way in ways {
        way.element = renamed(&way.element);
        if let Some(then) = &mut way.then {
            rename_ways_back(then, renamed);
        }
    }
}
