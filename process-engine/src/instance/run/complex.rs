//! Complex gateways (BPMN 2.0, 13.4.5): on as soon as the activation condition holds, then waiting for the other tokens.

use std::sync::Arc;

use super::{Arrival, Run, Stuck};
use crate::{
    expression::Expression,
    instance::{
        command::Rejection,
        event::Event,
        words::{Bindings, Key, Phase},
    },
    model::{ElementId, FlowIx, NodeIx, Process},
};

impl Run<'_> {
    /// Whether enough tokens wait before a complex gateway: with no condition, one is enough.
    pub(super) fn is_activated(&self, activation: Option<&Expression>, scope: Key, tokens: u32) -> Result<bool, Stuck> {
        match activation {
            None => Ok(tokens > 0),
            Some(_) if tokens == 0 => Ok(false),
            Some(condition) => Ok(condition.holds(&self.seen(scope, Some(&phase(true, tokens))))?),
        }
    }

    /// Whether a complex gateway went on in this scope and waits for the rest of its tokens.
    pub(super) fn waits_for_reset(&self, scope: Key, gateway: &ElementId) -> bool {
        !self.state.fired.is_empty()
            && self.state.fired.keys().any(|key| {
                let element = self.state.elements.get(key);
                element.is_some_and(|element| element.scope == scope && element.element == *gateway)
            })
    }

    /// A complex gateway that has its tokens: goes on, and stays if others may still come.
    pub(super) fn fire_gateway(&mut self, process: &Arc<Process>, at: NodeIx, key: Key) -> Result<Result<(), Stuck>, Rejection> {
        let node = process.node(at);
        let Some(scope) = self.state.elements.get(&key).map(|element| element.scope) else {
            return Ok(Ok(()));
        };
        if node.incoming.len() <= 1 {
            return self.leave(key).map(Ok);
        }
        let from = self.taken_by(key);
        let besides = phase(true, u32::try_from(from.len()).unwrap_or(u32::MAX));
        let flows = match self.all_ways(process, at, scope, Some(&besides)) {
            Ok(flows) => flows,
            Err(stuck) => {
                // What it came with is remembered until the obstacle is repaired.
                let flows = Vec::new();
                self.emit(Event::GatewayFired { key, from, flows });
                return Ok(Err(stuck));
            }
        };
        let ids: Vec<ElementId> = flows.iter().map(|flow| process.flow(*flow).id.clone()).collect();
        self.emit(Event::GatewayFired { key, from, flows: ids });
        self.send_on(flows.into_iter().map(|flow| Arrival { scope, flow }));
        self.touched.insert(scope);
        Ok(Ok(()))
    }

    /// The flows whose tokens an element that has just begun came with.
    fn taken_by(&self, key: Key) -> Vec<ElementId> {
        if let Some(from) = self.state.fired.get(&key) {
            return from.clone();
        }
        let came = self.events.iter().rev().find_map(|event| match event {
            Event::ElementEntered { key: entered, flows, .. } if *entered == key => Some(flows.clone()),
            _ => None,
        });
        came.unwrap_or_default()
    }

    /// Resets a complex gateway of this scope for which no other token can come any more.
    pub(super) fn reset_gateways(&mut self, scope: Key) -> Result<bool, Rejection> {
        if self.state.fired.is_empty() {
            return Ok(false);
        }
        let fired: Vec<(Key, Vec<ElementId>)> = self
            .state
            .fired
            .iter()
            .filter(|(key, _)| self.state.elements.get(key).is_some_and(|element| element.scope == scope))
            .map(|(key, from)| (*key, from.clone()))
            .collect();
        for (key, from) in fired {
            let (process, at) = self.node_of(key)?;
            let node = process.node(at);
            let has_come = |flow: &FlowIx| {
                let id = &process.flow(*flow).id;
                from.contains(id) || self.state.tokens.count(scope, id) > 0
            };
            let (full, empty): (Vec<_>, Vec<_>) = node.incoming.iter().copied().partition(has_come);
            let is_stuck = self.state.incidents.values().any(|incident| incident.owner == key);
            if is_stuck || (!empty.is_empty() && self.may_still_come(&process, at, scope, &full, &empty)) {
                continue;
            }
            self.reset_gateway(&process, at, key, &from);
            return Ok(true);
        }
        Ok(false)
    }

    /// The second half of a complex gateway: the late tokens are consumed, and flows whose condition holds now get one. A
    /// flow without a condition, and the default one, had theirs in the first half.
    pub(super) fn reset_gateway(&mut self, process: &Arc<Process>, at: NodeIx, key: Key, from: &[ElementId]) {
        let Some(scope) = self.state.elements.get(&key).map(|element| element.scope) else {
            return;
        };
        let node = process.node(at);
        let ids = node.incoming.iter().map(|flow| &process.flow(*flow).id);
        let late: Vec<ElementId> = ids
            .filter(|id| !from.contains(id) && self.state.tokens.count(scope, id) > 0)
            .cloned()
            .collect();
        let besides = phase(false, u32::try_from(late.len()).unwrap_or(u32::MAX));
        let mut flows = Vec::new();
        for flow in &node.outgoing {
            let Some(condition) = &process.flow(*flow).condition else {
                continue;
            };
            match condition.holds(&self.seen(scope, Some(&besides))) {
                Ok(true) => flows.push(*flow),
                Ok(false) => {}
                Err(cause) => {
                    self.stuck(key, Phase::Leaving, cause.into());
                    return;
                }
            }
        }
        if !late.is_empty() {
            self.emit(Event::TokensTaken { scope, flows: late });
        }
        let ids = flows.iter().map(|flow| process.flow(*flow).id.clone()).collect();
        self.emit(Event::ElementLeft { key, flows: ids });
        self.send_on(flows.into_iter().map(|flow| Arrival { scope, flow }));
        self.touched.insert(scope);
    }
}

/// What the conditions of a complex gateway may look at besides.
pub(super) fn phase(waiting_for_start: bool, tokens: u32) -> Bindings {
    Bindings::from([
        ("waitingForStart".to_owned(), waiting_for_start.into()),
        ("activationCount".to_owned(), tokens.into()),
    ])
}
