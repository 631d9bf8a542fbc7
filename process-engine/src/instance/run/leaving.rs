//! An element is done.

use super::{Arrival, Run, Stuck};
use crate::{
    instance::{
        command::Rejection,
        event::Event,
        words::{Back, Bindings, Key, Phase},
    },
    model::{Mapping, NodeIx, NodeKind, Process},
};

impl Run<'_> {
    /// An element is done: its results go out, and tokens go on. Whatever goes wrong is an incident on it.
    pub(crate) fn leave(&mut self, key: Key) -> Result<(), Rejection> {
        let (process, at) = self.node_of(key)?;
        let Some(element) = self.state.elements.get(&key) else {
            return Ok(());
        };
        let (scope, compensates) = (element.scope, element.compensation);
        if element.round.is_some() {
            return self.leave_round(&process, at, key);
        }
        if let Some(back) = self.state.straight_back.get(&key).cloned() {
            return self.leave_straight_back(&process, at, key, &back);
        }
        match self.results(&process, at, key, scope) {
            Ok(flows) => {
                let arrivals: Vec<Arrival> = flows
                    .iter()
                    .filter_map(|flow| process.find_flow(flow))
                    .map(|flow| Arrival { scope, flow })
                    .collect();
                self.offer_compensation(&process, at, key)?;
                let own = match process.node(at).kind {
                    NodeKind::End(_) => self.own(key),
                    _ => Bindings::new(),
                };
                self.emit(Event::ElementLeft { key, flows });
                self.send_on(arrivals);
                self.touched.insert(scope);
                self.compensating.extend(compensates.map(|what| what.by));
                self.after_inner(&process, at, scope);
                self.after_end(&process, at, scope, &own)
            }
            Err(stuck) => {
                self.stuck(key, Phase::Leaving, stuck);
                Ok(())
            }
        }
    }

    /// An element is done that was returned to: its results go out, and it goes straight back to where it was returned from.
    fn leave_straight_back(&mut self, process: &Process, at: NodeIx, key: Key, back: &[Back]) -> Result<(), Rejection> {
        let Some(scope) = self.state.elements.get(&key).map(|element| element.scope) else {
            return Ok(());
        };
        if let Err(stuck) = self.write_results(process, at, key, scope) {
            self.stuck(key, Phase::Leaving, stuck);
            return Ok(());
        }
        self.offer_compensation(process, at, key)?;
        self.go_straight_back(key, scope, back)
    }

    /// Writes the outputs of an activity and chooses the way on.
    fn results(&mut self, process: &Process, at: NodeIx, key: Key, scope: Key) -> Result<Vec<crate::model::ElementId>, Stuck> {
        self.write_results(process, at, key, scope)?;
        self.ways_on(process, at, scope)
    }

    /// Writes the outputs of an activity, and what its rounds gave.
    fn write_results(&mut self, process: &Process, at: NodeIx, key: Key, scope: Key) -> Result<(), Stuck> {
        if let Some(rounds) = self.state.elements.get(&key).and_then(|element| element.rounds.as_ref()) {
            // Each round wrote its own outputs; what they gave is collected now.
            let collected = rounds.outputs.values().cloned().collect();
            self.write_collected(process, at, scope, collected);
        } else {
            self.own_outputs(process, at, key, scope)?;
        }
        Ok(())
    }

    /// Writes what an activity gives: the outputs of a call, and those of its own.
    pub(super) fn own_outputs(&mut self, process: &Process, at: NodeIx, key: Key, outer: Key) -> Result<(), Stuck> {
        let node = process.node(at);
        if let NodeKind::Call(call) = &node.kind {
            self.write_outputs(&call.outputs, key, outer)?;
        }
        if let Some(activity) = &node.activity {
            self.write_outputs(&activity.outputs, key, outer)?;
        }
        if let Some(catch) = super::waiting::catch_of(process, at) {
            if !catch.outputs.is_empty() {
                return self.write_outputs(&catch.outputs, key, outer);
            }
            // The model does not say what goes where: all that came is set under its own name.
            let came = self.own(key);
            self.set(outer, came);
        }
        Ok(())
    }

    /// Sets variables of the outer scope from what the inner one knows.
    pub(crate) fn write_outputs(&mut self, outputs: &[Mapping], inner: Key, outer: Key) -> Result<(), Stuck> {
        if outputs.is_empty() {
            return Ok(());
        }
        let mut variables = Bindings::new();
        for output in outputs {
            variables.insert(output.target.clone(), self.value(&output.value, inner)?);
        }
        self.set(outer, variables);
        Ok(())
    }

    /// Sets variables where they are: each in the nearest scope that has it, a new one in the nearest process.
    pub(crate) fn set(&mut self, scope: Key, variables: Bindings) {
        let mut by_scope: std::collections::BTreeMap<Key, Bindings> = std::collections::BTreeMap::new();
        for (name, value) in variables {
            let holder = self
                .state
                .holder_of(scope, &name)
                .unwrap_or_else(|| self.process_scope(scope));
            by_scope.entry(holder).or_default().insert(name, value);
        }
        for (scope, variables) in by_scope {
            self.emit(Event::VariablesSet { scope, variables });
        }
    }

    /// The scope of the process that a scope belongs to: the instance itself, or a call.
    pub(crate) fn process_scope(&self, scope: Key) -> Key {
        let mut at = scope;
        while let Some(element) = self.state.elements.get(&at) {
            if element.process.is_some() {
                return at;
            }
            at = element.scope;
        }
        crate::instance::ROOT
    }
}
