//! What the events of timers, messages, signals and conditions change.

use super::begun;
use crate::instance::{
    event::Event,
    state::{Instance, Wait, Waiting},
    words::{Bindings, Key},
};

/// Folds in an event of these.
pub(super) fn of_waits(state: &mut Instance, event: &Event) {
    match event {
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
            holds,
        } => {
            begun(state, *key);
            let what = Waiting::Condition { holds: *holds };
            wait(state, *key, (*owner, element, *trigger), what);
        }
        Event::ConditionLapsed { key } => {
            if let Some(Waiting::Condition { holds }) = state.waits.get_mut(key).map(|wait| &mut wait.what) {
                *holds = false;
            }
        }
        Event::MessageReceived { key, payload } | Event::SignalReceived { key, payload } => happened(state, *key, payload),
        Event::TimerFired { key, .. } | Event::ConditionMet { key } | Event::WaitEnded { key } => _ = state.waits.remove(key),
        _ => {}
    }
}

fn wait(state: &mut Instance, key: Key, (owner, element, trigger): (Key, &crate::model::ElementId, u32), what: Waiting) {
    let wait = Wait {
        owner,
        element: element.clone(),
        trigger,
        what,
        so_far: Bindings::new(),
    };
    state.waits.insert(key, wait);
}

/// What was waited for came; an event that waits for more keeps what came with it.
fn happened(state: &mut Instance, key: Key, payload: &Bindings) {
    let Some(wait) = state.waits.remove(&key) else { return };
    if payload.is_empty() && wait.so_far.is_empty() {
        return;
    }
    let is_sibling = |other: &Wait| other.owner == wait.owner && other.element == wait.element;
    for other in state.waits.values_mut().filter(|other| is_sibling(other)) {
        let came = wait.so_far.iter().chain(payload);
        other.so_far.extend(came.map(|(name, value)| (name.clone(), value.clone())));
    }
}
