//! What moves by hand change, and what was done that could be returned to.

use super::{Element, cancel};
use crate::{
    instance::{
        ROOT,
        event::Event,
        state::Instance,
        words::{Key, MoveKind},
    },
    model::ElementId,
};

/// Folds in a move.
pub(super) fn moved(state: &mut Instance, event: &Event) {
    let Event::TokensMoved {
        from,
        flows,
        to,
        scope,
        kind,
        placed,
        undone,
        back,
        ..
    } = event
    else {
        return;
    };
    for (at, flow) in flows {
        state.tokens.take(*at, flow);
    }
    for key in from {
        cancel(state, *key);
    }
    for (at, flow) in placed {
        state.tokens.put(*at, flow, 1);
    }
    for key in within(state, *scope) {
        if let Some(done) = state.done.get_mut(&key) {
            done.retain(|(element, _)| !undone.contains(element));
        }
    }
    // What begins again is decided again, even if all that came after it stays.
    let begins: &[ElementId] = if *kind == MoveKind::Straight { &[] } else { to };
    for decision in state.decisions.iter_mut() {
        decision.undone |= undone.contains(&decision.element) || begins.contains(&decision.element);
    }
    if let Some(back) = back {
        // The element that begins next has the next key.
        state.straight_back.insert(state.next_key, back.clone());
    }
}

/// The scopes that have something that was done: in a scope, the scope itself, and those around it in the same process,
/// which have what was done when it was there before.
fn within(state: &Instance, scope: Key) -> Vec<Key> {
    let here = |key: &Key| state.is_within(*key, scope) || state.stands_around(*key, scope);
    state.done.keys().copied().filter(here).collect()
}

/// An activity of people was done: it can be returned to.
pub(super) fn was_done(state: &mut Instance, key: Key) {
    let Some(element) = state.elements.get(&key) else { return };
    // A round is remembered as the activity that it belongs to.
    let scope = match (element.round, state.elements.get(&element.scope)) {
        (Some(_), Some(whole)) => whole.scope,
        (Some(_), None) => ROOT,
        (None, _) => element.scope,
    };
    let (element, at) = (element.element.clone(), state.next_key);
    state.done.change(scope, |done| add(done, element, at));
}

/// What was done in a scope that is gone could still be returned to from around it; a called process hides its own.
pub(super) fn hand_up_what_was_done(state: &mut Instance, key: Key, gone: &Element) {
    let Some(inner) = state.done.remove(&key) else { return };
    if gone.process.is_some() {
        return;
    }
    state.done.change(gone.scope, |done| {
        for (element, at) in &*inner {
            add(done, element.clone(), *at);
        }
    });
}

/// The first time counts, until it is undone: what was done after it stays after it.
fn add(done: &mut Vec<(ElementId, Key)>, element: ElementId, at: Key) {
    match done.iter_mut().find(|(known, _)| *known == element) {
        Some((_, first)) => *first = at.min(*first),
        None => done.push((element, at)),
    }
}
