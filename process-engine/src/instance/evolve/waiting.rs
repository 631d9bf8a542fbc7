//! What the events of timers, messages, signals and conditions change.

use super::begun;
use crate::instance::{
    event::Event,
    state::{Instance, Wait, Waiting},
    words::Key,
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
        } => {
            begun(state, *key);
            wait(state, *key, (*owner, element, *trigger), Waiting::Condition);
        }
        Event::TimerFired { key, .. }
        | Event::MessageReceived { key, .. }
        | Event::SignalReceived { key, .. }
        | Event::ConditionMet { key } => happened(state, *key),
        Event::WaitEnded { key } => _ = state.waits.remove(key),
        _ => {}
    }
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
