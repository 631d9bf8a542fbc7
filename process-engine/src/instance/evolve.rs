//! What each event changes. Total: the past cannot be refused, and needs no model to be read.

mod rounds;

use std::{collections::BTreeSet, sync::Arc};

use super::{
    ROOT,
    event::Event,
    state::{Compensable, Copy, Decision, Element, Incident, Instance, Job, Rounds, Sign, Started, Task, Wait, Waiting},
    tokens::Tokens,
    words::{Key, MoveKind, Outcome, Resume, SignPlace},
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
                    caught: BTreeSet::new(),
                    inside: 0,
                    closed: false,
                },
            );
            if !variables.is_empty() {
                state.variables.insert(ROOT, variables.clone());
            }
            state.started = Some(Started {
                process: process.clone(),
                version: *version,
                starter: starter.clone(),
                business_key: business_key.clone(),
                at: *at,
            });
        }
        Event::ProcessSuspended { at, .. } => state.suspended_at = Some(*at),
        Event::ProcessResumed { .. } => state.suspended_at = None,
        Event::ClockPaused { at, .. } => state.paused_at = Some(*at),
        Event::ClockResumed { .. } => state.paused_at = None,
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
            state.compensable.clear();
            state.fired.clear();
            state.straight_back.clear();
        }
        Event::ProcessMigrated {
            to,
            version,
            elements,
            flows,
            ..
        } => migrate(state, to, *version, elements, flows),
        Event::VariablesSet { scope, variables } => {
            state.variables.change(*scope, |own| {
                own.extend(variables.iter().map(|(name, value)| (name.clone(), value.clone())));
            });
        }
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
                around.inside += 1;
                if let (Some(round), Some(rounds)) = (round, &mut around.rounds) {
                    rounds.begun = rounds.begun.max(round + 1);
                    rounds.active += 1;
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
                    caught: BTreeSet::new(),
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
                let rounds = element.rounds.get_or_insert_with(Rounds::default);
                rounds.sequential = *sequential;
                rounds.items = Arc::new(items.clone());
                rounds.people = Arc::new(people.clone());
                rounds.tally.total = u32::try_from(items.len()).unwrap_or(u32::MAX);
            }
        }
        Event::ElementLeft { key, flows } => {
            let Some(left) = state.elements.remove(key) else { return };
            forget(state, *key);
            if let Some(rounds) = gone(state, &left) {
                rounds.completed += 1;
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
        Event::TimerScheduled {
            key,
            owner,
            element,
            trigger,
            purpose,
            due_at,
            repeats_left,
            pausable,
        } => {
            begun(state, *key);
            let what = Waiting::Timer {
                purpose: *purpose,
                due_at: *due_at,
                repeats_left: *repeats_left,
                pausable: *pausable,
            };
            wait(state, *key, (*owner, element, *trigger), what);
        }
        Event::TimerMoved { key, due_at: moved } => {
            if let Some(Waiting::Timer { due_at, .. }) = state.waits.get_mut(key).map(|wait| &mut wait.what) {
                *due_at = *moved;
            }
        }
        Event::MessageAwaited {
            key,
            owner,
            element,
            trigger,
            message,
            correlation,
        } => {
            begun(state, *key);
            let what = Waiting::Message {
                name: message.clone(),
                correlation: correlation.clone(),
            };
            wait(state, *key, (*owner, element, *trigger), what);
        }
        Event::SignalAwaited {
            key,
            owner,
            element,
            trigger,
            signal,
        } => {
            begun(state, *key);
            wait(
                state,
                *key,
                (*owner, element, *trigger),
                Waiting::Signal { name: signal.clone() },
            );
        }
        Event::ConditionAwaited {
            key,
            owner,
            element,
            trigger,
        } => {
            begun(state, *key);
            wait(state, *key, (*owner, element, *trigger), Waiting::Condition);
        }
        Event::TimerFired { key, .. }
        | Event::MessageReceived { key, .. }
        | Event::SignalReceived { key, .. }
        | Event::ConditionMet { key } => happened(state, *key),
        Event::WaitEnded { key } => _ = state.waits.remove(key),
        Event::MessageThrown { .. }
        | Event::SignalThrown { .. }
        | Event::ErrorThrown { .. }
        | Event::EscalationThrown { .. }
        | Event::DecisionEvaluated { .. }
        | Event::VoteClosed { .. }
        | Event::TaskAutoDecided { .. } => of_record(state, event),
        Event::CompensationOffered {
            key,
            element,
            scope,
            handler,
            variables,
        } => state.compensable.push(Compensable {
            key: *key,
            element: element.clone(),
            scope: *scope,
            handler: handler.clone(),
            variables: variables.clone(),
        }),
        Event::CompensationThrown { activities, .. } => state.compensable.retain(|done| !activities.contains(&done.key)),
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
        Event::TokensMoved {
            from,
            flows,
            to,
            kind,
            resume,
            ..
        } => {
            for (scope, flow) in flows {
                state.tokens.take(*scope, flow);
            }
            let elements: Vec<_> = from
                .iter()
                .filter_map(|key| state.elements.get(key).map(|element| element.element.clone()))
                .collect();
            undo_decisions(state, to, *kind);
            for key in from {
                cancel(state, *key);
            }
            if *resume == Resume::Straight && *kind == MoveKind::Return {
                // The element that begins next has the next key.
                state.straight_back.insert(state.next_key, elements);
            }
        }
        _ => of_tasks(state, event),
    }
}

/// What the events of tasks change.
#[allow(clippy::too_many_lines, reason = "a table: one arm for each event")]
fn of_tasks(state: &mut Instance, event: &Event) {
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
        _ => rounds::of_rounds(state, event),
    }
}

/// Events that are on record and change little.
fn of_record(state: &mut Instance, event: &Event) {
    match event {
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

fn begun(state: &mut Instance, key: Key) {
    state.next_key = state.next_key.max(key + 1);
}

fn wait(state: &mut Instance, key: Key, (owner, element, trigger): (Key, &crate::model::ElementId, u32), what: Waiting) {
    let wait = Wait {
        owner,
        element: element.clone(),
        trigger,
        what,
    };
    state.waits.insert(key, wait);
}

/// What was waited for happened: the owner knows which of its definitions it was.
fn happened(state: &mut Instance, key: Key) {
    if let Some(wait) = state.waits.remove(&key)
        && let Some(owner) = state.elements.get_mut(&wait.owner)
        && owner.element == wait.element
    {
        owner.caught.insert(wait.trigger);
    }
}

/// An element is gone: what it stood in has one fewer. The rounds, if it was one of them.
fn gone<'a>(state: &'a mut Instance, element: &Element) -> Option<&'a mut Rounds> {
    let around = state.elements.get_mut(&element.scope)?;
    around.inside = around.inside.saturating_sub(1);
    element.round?;
    let rounds = around.rounds.as_mut()?;
    rounds.active = rounds.active.saturating_sub(1);
    Some(rounds)
}

/// Everything that belonged to an element that is gone.
fn forget(state: &mut Instance, key: Key) {
    state.variables.remove(&key);
    state.waits.retain(|_, wait| wait.owner != key);
    state.tasks.retain(|task, other| *task != key && other.owner != key);
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
    for inner in inside {
        let Some(element) = state.elements.remove(&inner) else {
            continue;
        };
        forget(state, inner);
        state.tokens.forget(inner);
        state.compensable.retain(|done| done.scope != inner);
        if let Some(rounds) = gone(state, &element)
            && inner == key
        {
            rounds.terminated += 1;
        }
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
fn ask_in_round(state: &mut Instance, key: Key, to: &super::words::Person) {
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

fn remove_approver(state: &mut Instance, key: Key, person: &super::words::Person) {
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
fn undo_decisions(state: &mut Instance, to: &[crate::model::ElementId], kind: MoveKind) {
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

fn migrate(
    state: &mut Instance,
    to: &crate::model::ProcessRef,
    version: u32,
    elements: &[(crate::model::ElementId, crate::model::ElementId)],
    flows: &[(crate::model::ElementId, crate::model::ElementId)],
) {
    let renamed = |names: &[(crate::model::ElementId, crate::model::ElementId)], old: &crate::model::ElementId| {
        names
            .iter()
            .find(|(from, _)| from == old)
            .map_or_else(|| old.clone(), |(_, to)| to.clone())
    };
    // Only what stands in the process itself moves; a called process keeps its own model.
    let moving: BTreeSet<Key> = state
        .elements
        .keys()
        .copied()
        .filter(|key| *key != ROOT)
        .filter(|key| {
            let Some(element) = state.elements.get(key) else {
                return false;
            };
            state.process_of(element.scope) == state.started.as_ref().map(|started| &started.process)
        })
        .collect();
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
        .filter(|incident| moving.contains(&incident.owner))
    {
        incident.element = renamed(elements, &incident.element);
    }
    for decision in &mut state.decisions {
        decision.element = renamed(elements, &decision.element);
    }
    for done in &mut state.compensable {
        done.element = renamed(elements, &done.element);
        done.handler = renamed(elements, &done.handler);
    }
    let tokens = std::mem::take(&mut state.tokens);
    for (scope, flow, count) in tokens.iter() {
        let is_here = scope == ROOT || moving.contains(&scope);
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

/// Whether those who decide at this place all have, and nobody refused.
pub(super) fn signs_done(signs: &[Sign], place: SignPlace) -> bool {
    signs
        .iter()
        .filter(|sign| sign.place == place)
        .all(|sign| sign.outcome.is_some())
}

/// Whether anybody who was asked besides refused.
pub(super) fn sign_refused(signs: &[Sign]) -> bool {
    signs.iter().any(|sign| sign.outcome == Some(Outcome::Rejected))
}
