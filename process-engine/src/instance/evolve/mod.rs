//! What each event changes. Total: the past cannot be refused, and needs no model to be read.

mod compensating;
mod migrating;
mod moving;
mod rounds;
mod tasks;
mod waiting;

use std::sync::Arc;

use super::{
    ROOT,
    event::Event,
    shared::Shared,
    state::{Element, Incident, Instance, Job, Rounds, Started},
    tokens::Tokens,
    words::Key,
};

/// Folds in an event.
#[allow(clippy::too_many_lines, reason = "a table: one arm for each event")]
pub(super) fn evolve(state: &mut Instance, event: &Event) {
    match event {
        Event::ProcessStarted {
            process,
            version,
            starter,
            business_key,
            variables,
            at,
        } => {
            state.next_key = ROOT + 1;
            state.elements.insert(
                ROOT,
                Element {
                    element: process.process.clone(),
                    scope: ROOT,
                    round: None,
                    process: Some(process.clone()),
                    rounds: None,
                    compensation: None,
                    inside: 0,
                    closed: false,
                },
            );
            if !variables.is_empty() {
                state.variables.insert(ROOT, variables.into());
            }
            let started = Started {
                process: process.clone(),
                version: *version,
                starter: starter.clone(),
                business_key: business_key.clone(),
                at: *at,
            };
            state.started = Some(started.into());
        }
        Event::ProcessSuspended { at, .. } => state.suspended_at = Some(*at),
        Event::ProcessResumed { .. } => state.suspended_at = None,
        Event::ProcessClockPaused { at, .. } => state.paused_at = Some(*at),
        Event::ProcessClockResumed { .. } => state.paused_at = None,
        Event::ProcessEnded { how, .. } => {
            state.ended = Some(how.clone());
            state.elements.retain(|key, _| *key == ROOT);
            if let Some(root) = state.elements.get_mut(&ROOT) {
                root.inside = 0;
            }
            state.tokens = Tokens::default();
            state.variables.retain(|key, _| *key == ROOT);
            state.waits.clear();
            state.tasks.clear();
            state.jobs.clear();
            state.incidents.clear();
            state.compensable = Shared::default();
            state.fired.clear();
            state.straight_back.clear();
            state.done.clear();
        }
        Event::ProcessMigrated {
            to,
            version,
            elements,
            flows,
            ..
        } => migrating::migrate(state, to, *version, elements, flows),
        Event::VariablesSet { scope, variables } => state.variables.change(*scope, |own| own.extend(variables)),
        Event::ElementEntered {
            key,
            element,
            scope,
            flows,
            round,
        } => {
            for flow in flows {
                state.tokens.take(*scope, flow);
            }
            begun(state, *key);
            if let Some(around) = state.elements.get_mut(scope) {
                around.inside = around.inside.saturating_add(1);
                if let (Some(round), Some(rounds)) = (round, &mut around.rounds) {
                    rounds.begun = rounds.begun.max(round.saturating_add(1));
                    rounds.active = rounds.active.saturating_add(1);
                }
            }
            state.elements.insert(
                *key,
                Element {
                    element: element.clone(),
                    scope: *scope,
                    round: *round,
                    process: None,
                    rounds: None,
                    compensation: None,
                    inside: 0,
                    closed: false,
                },
            );
        }
        Event::RoundsPlanned {
            key,
            sequential,
            items,
            people,
        } => {
            if let Some(element) = state.elements.get_mut(key) {
                let rounds = element.rounds.get_or_insert_default();
                rounds.sequential = *sequential;
                rounds.items = Arc::new(items.clone());
                rounds.people = Arc::new(people.clone());
                rounds.tally.total = u32::try_from(items.len()).unwrap_or(u32::MAX);
            }
        }
        Event::ElementLeft { key, flows } => {
            let Some(left) = state.elements.remove(key) else { return };
            forget(state, *key);
            compensating::left(state, *key);
            moving::hand_up_what_was_done(state, *key, &left);
            if let Some(rounds) = gone(state, &left) {
                rounds.completed = rounds.completed.saturating_add(1);
            }
            for flow in flows {
                state.tokens.put(left.scope, flow, 1);
            }
        }
        Event::ElementCancelled { key } => cancel(state, *key),
        Event::TokensTaken { scope, flows } => {
            for flow in flows {
                state.tokens.take(*scope, flow);
            }
        }
        Event::TokenPlaced { scope, flow } => state.tokens.put(*scope, flow, 1),
        Event::JobCreated {
            key,
            kind,
            fields,
            tries,
        } => {
            let job = Job {
                kind: kind.clone(),
                fields: fields.clone(),
                tries_left: *tries,
                retry_at: None,
            };
            state.jobs.insert(*key, job);
        }
        Event::JobFailed {
            key,
            tries_left,
            retry_at,
            ..
        } => {
            if let Some(job) = state.jobs.get_mut(key) {
                job.tries_left = *tries_left;
                job.retry_at = *retry_at;
            }
        }
        Event::JobCompleted { key, .. } => _ = state.jobs.remove(key),
        Event::IncidentRaised {
            key,
            owner,
            element,
            phase,
            obstacle,
            message,
            at,
        } => {
            begun(state, *key);
            let incident = Incident {
                owner: *owner,
                element: element.clone(),
                phase: *phase,
                obstacle: *obstacle,
                message: message.clone(),
                at: *at,
            };
            state.incidents.insert(*key, incident);
        }
        Event::IncidentResolved { key, .. } => _ = state.incidents.remove(key),
        Event::TokensMoved { .. } => moving::moved(state, event),
        _ => {
            // Each of these folds in its own events, and none of another's.
            waiting::of_waits(state, event);
            compensating::of_compensation(state, event);
            tasks::of_tasks(state, event);
            rounds::of_rounds(state, event);
        }
    }
}

fn begun(state: &mut Instance, key: Key) {
    state.next_key = state.next_key.max(key.saturating_add(1));
}

/// An element is gone: what it stood in has one fewer. The rounds, if it was one of them.
fn gone<'a>(state: &'a mut Instance, element: &Element) -> Option<&'a mut Rounds> {
    let around = state.elements.get_mut(&element.scope)?;
    around.inside = around.inside.saturating_sub(1);
    element.round?;
    let rounds = around.rounds.as_deref_mut()?;
    rounds.active = rounds.active.saturating_sub(1);
    Some(rounds)
}

/// Everything that belonged to an element that is gone.
fn forget(state: &mut Instance, key: Key) {
    state.variables.remove(&key);
    state.waits.retain(|_, wait| wait.owner != key);
    tasks::close_task(state, key);
    state.jobs.remove(&key);
    state.incidents.retain(|_, incident| incident.owner != key);
    state.straight_back.remove(&key);
    state.fired.remove(&key);
}

/// Gives up an element and everything in it.
fn cancel(state: &mut Instance, key: Key) {
    let is_leaf = state.elements.get(&key).is_none_or(|element| element.inside == 0);
    let inside: Vec<Key> = if is_leaf {
        vec![key]
    } else {
        let within = |inner: &Key| *inner != ROOT && state.is_within(*inner, key);
        state.elements.keys().copied().filter(within).collect()
    };
    // What stands inside has greater keys, and goes first.
    for inner in inside.into_iter().rev() {
        let Some(element) = state.elements.remove(&inner) else {
            continue;
        };
        forget(state, inner);
        moving::hand_up_what_was_done(state, inner, &element);
        state.tokens.forget(inner);
        compensating::cancelled(state, inner);
        if let Some(rounds) = gone(state, &element)
            && inner == key
        {
            rounds.terminated = rounds.terminated.saturating_add(1);
        }
    }
}
