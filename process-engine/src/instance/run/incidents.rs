//! What could not go on is tried again, once somebody has repaired what was wrong.

use super::{Arrival, Run, catching::Part};
use crate::{
    instance::{
        ROOT,
        command::Rejection,
        event::Event,
        words::{Bindings, Key, Phase},
    },
    model::{ElementId, NodeKind, SubProcess},
};

impl Run<'_> {
    /// An officer sets variables by hand.
    pub(crate) fn set_by_hand(&mut self, scope: Key, variables: &Bindings, reason: &str) -> Result<(), Rejection> {
        if !self.state.elements.contains_key(&scope) {
            return Err(Rejection::NothingThere { key: scope });
        }
        // What the platform tells of the world is nobody's interference.
        if self.context.actor.is_some() {
            self.by_hand(reason);
        }
        if !variables.is_empty() {
            self.emit(Event::VariablesSet {
                scope,
                variables: variables.clone(),
            });
        }
        Ok(())
    }

    /// Puts on record who interferes, and why.
    pub(crate) fn by_hand(&mut self, reason: &str) {
        self.emit(Event::ChangedByHand {
            by: self.context.actor.clone(),
            reason: reason.to_owned(),
            at: self.context.now,
        });
    }

    /// What was wrong is repaired: the phase in which the element met the obstacle is done again.
    pub(crate) fn retry(&mut self, incident: Key, note: &str) -> Result<(), Rejection> {
        let found = self.state.incidents.get(&incident);
        let found = found.ok_or(Rejection::NoSuchIncident { incident })?;
        let (owner, phase, element) = (found.owner, found.phase, found.element.clone());
        self.emit(Event::IncidentResolved {
            key: incident,
            note: note.to_owned(),
        });
        self.touched.insert(owner);
        // Conditions that could not be told are asked again.
        self.variables_changed = true;
        if owner == ROOT || self.state.elements.get(&owner).is_none_or(|owner| owner.element != element) {
            return self.retry_event(owner, &element);
        }
        let (process, at) = self.node_of(owner)?;
        match phase {
            Phase::Entering => self.begin(&process, at, owner),
            Phase::Active => self.retry_active(owner),
            Phase::Leaving => match self.state.fired.get(&owner).cloned() {
                Some(from) => {
                    self.reset_gateway(&process, at, owner, &from);
                    Ok(())
                }
                None => self.leave(owner),
            },
        }
    }

    /// An event that could not be waited for is waited for now. What could not begin is looked at with its scope.
    fn retry_event(&mut self, owner: Key, element: &ElementId) -> Result<(), Rejection> {
        let Some((process, event, part)) = self.event_of(owner, element)? else {
            return Ok(());
        };
        if part != Part::Own
            && !self.is_interrupted(&process, owner)
            && let Err(stuck) = self.open_event(&process, event, owner)
        {
            self.stuck_before(owner, element, stuck);
        }
        Ok(())
    }

    fn retry_active(&mut self, key: Key) -> Result<(), Rejection> {
        let (process, at) = self.node_of(key)?;
        if self.holds_rounds(key) {
            return self.close_if_enough(&process, at, key);
        }
        match &process.node(at).kind {
            NodeKind::Task(task) if super::work::job_of(task).is_some() => self.begin_again(&process, at, key, task),
            NodeKind::SubProcess(SubProcess::AdHoc(_)) => {
                self.ask_ad_hoc(&process, at, key);
                Ok(())
            }
            NodeKind::Throw(_) | NodeKind::End(_) => {
                self.compensating.insert(key);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Everything that could move is looked at again: every token that stands on a flow, and every scope.
    pub(crate) fn wake(&mut self) -> Result<(), Rejection> {
        let tokens: Vec<_> = self
            .state
            .tokens
            .iter()
            .map(|(scope, flow, count)| (scope, flow.clone(), count))
            .collect();
        for (scope, flow, count) in tokens {
            if let Some(flow) = self.process_in(scope)?.find_flow(&flow) {
                self.arrivals.extend((0..count).map(|_| Arrival { scope, flow }));
            }
        }
        self.touched.extend(self.state.elements.keys().copied());
        self.variables_changed = true;
        Ok(())
    }
}
