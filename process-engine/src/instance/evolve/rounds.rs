//! What the events of repeated activities, calls, ad-hoc sub-processes and complex gateways change.

use crate::instance::{event::Event, state::Instance};

/// Folds in an event of these.
pub(super) fn of_rounds(state: &mut Instance, event: &Event) {
    match event {
        Event::RoundCollected { key, round, value } => {
            if let Some(rounds) = state.elements.get_mut(key).and_then(|whole| whole.rounds.as_mut()) {
                rounds.outputs.insert(*round, value.clone());
            }
        }
        Event::ProcessCalled {
            key, process, variables, ..
        } => {
            if let Some(call) = state.elements.get_mut(key) {
                call.process = Some(process.clone());
            }
            state.variables.change(*key, |own| own.extend(variables));
        }
        Event::ElementMoved { key, scope } => {
            let Some(element) = state.elements.get_mut(key) else { return };
            let old = std::mem::replace(&mut element.scope, *scope);
            if let Some(old) = state.elements.get_mut(&old) {
                old.inside = old.inside.saturating_sub(1);
            }
            if let Some(new) = state.elements.get_mut(scope) {
                new.inside = new.inside.saturating_add(1);
            }
        }
        Event::AdHocClosed { key } => {
            if let Some(element) = state.elements.get_mut(key) {
                element.closed = true;
            }
        }
        Event::GatewayFired { key, from, flows } => {
            if let Some(scope) = state.elements.get(key).map(|gateway| gateway.scope) {
                for flow in flows {
                    state.tokens.put(scope, flow, 1);
                }
                state.fired.insert(*key, from.clone());
            }
        }
        _ => {}
    }
}
