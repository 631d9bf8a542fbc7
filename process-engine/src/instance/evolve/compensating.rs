//! What the events of compensation change.
//!
//! What was done and could be compensated is a tree: what was done in an activity hangs on it by its key, as long as the
//! activity itself can be compensated.

use crate::instance::{
    event::Event,
    state::{Compensable, Compensation, Instance},
    values::Values,
    words::Key,
};

/// Folds in an event of these.
pub(super) fn of_compensation(state: &mut Instance, event: &Event) {
    match event {
        Event::CompensationOffered {
            key,
            element,
            scope,
            handler,
            variables,
        } => {
            let process = state.elements.get(key).and_then(|done| done.process.clone());
            state.compensable.push(Compensable {
                key: *key,
                element: element.clone(),
                scope: *scope,
                handler: handler.clone(),
                variables: Values::from(variables),
                process,
                asked_by: None,
            });
        }
        Event::CompensationThrown { key, activities, .. } => {
            for done in state.compensable.iter_mut().filter(|done| activities.contains(&done.key)) {
                done.asked_by = Some(*key);
            }
        }
        Event::CompensationBegun { key, activity } => begin(state, *key, *activity),
        _ => {}
    }
}

/// What compensates an activity has begun: nobody else can ask for it any more.
fn begin(state: &mut Instance, key: Key, activity: Key) {
    let Some(at) = state.compensable.iter().position(|done| done.key == activity) else {
        return;
    };
    let done = state.compensable.remove(at);
    let is_again = state
        .elements
        .get(&key)
        .is_some_and(|element| element.element == done.element);
    if let (Some(element), Some(by)) = (state.elements.get_mut(&key), done.asked_by) {
        element.compensation = Some(Compensation { by, is_again });
        if is_again {
            element.process = done.process;
        }
    }
    if is_again {
        for inner in state.compensable.iter_mut().filter(|inner| inner.scope == activity) {
            inner.scope = key;
        }
    } else {
        drop_inside(state, activity);
    }
}

/// An element was left: what was done in it stays, if it can be compensated itself.
pub(super) fn left(state: &mut Instance, key: Key) {
    if !state.compensable.is_empty() && !state.compensable.iter().any(|done| done.key == key) {
        drop_inside(state, key);
    }
}

/// An element was given up: nothing that was done in it is compensated any more, nor what it asked for and did not begin.
pub(super) fn cancelled(state: &mut Instance, key: Key) {
    if state.compensable.is_empty() {
        return;
    }
    drop_inside(state, key);
    for done in state.compensable.iter_mut().filter(|done| done.asked_by == Some(key)) {
        done.asked_by = None;
    }
}

fn drop_inside(state: &mut Instance, scope: Key) {
    let mut scopes = vec![scope];
    while let Some(scope) = scopes.pop() {
        state.compensable.retain(|done| {
            if done.scope == scope {
                scopes.push(done.key);
            }
            done.scope != scope
        });
    }
}
