//! On until nothing can go on by itself.

use super::{Arrival, Run, Stuck};
use crate::{
    instance::{
        ROOT,
        command::Rejection,
        event::Event,
        words::{Ending, Key},
    },
    model::{NodeKind, ThrowResult, Work},
};

impl Run<'_> {
    /// Takes every step that needs nobody.
    pub(crate) fn settle(&mut self) -> Result<(), Rejection> {
        // What a suspended instance was given by hand goes on when it is resumed.
        while self.state.is_running() && self.state.suspended_at.is_none() {
            if std::mem::take(&mut self.variables_changed) {
                self.look_at_conditions(None)?;
            } else if let Some(by) = self.compensating.pop_first() {
                self.continue_compensation(by)?;
            } else if let Some(arrival) = self.next_arrival() {
                self.arrive_if_open(arrival)?;
            } else if let Some(scope) = self.touched.pop_last() {
                // Inner scopes have greater keys: they are looked at before those around them.
                self.look_at(scope)?;
            } else if let Some(arrival) = self.throwing.pop_front() {
                self.arrive_if_open(arrival)?;
            } else {
                break;
            }
        }
        Ok(())
    }

    /// The next token that arrives. Those that throw something arrive last: whoever is about to wait for it then does. Which
    /// of several tokens moves first is nobody's promise.
    fn next_arrival(&mut self) -> Option<Arrival> {
        while let Some(arrival) = self.arrivals.pop_front() {
            if !self.throws(arrival) {
                return Some(arrival);
            }
            self.throwing.push_back(arrival);
        }
        None
    }

    fn arrive_if_open(&mut self, arrival: Arrival) -> Result<(), Rejection> {
        if self.state.elements.contains_key(&arrival.scope) {
            self.arrive(arrival)?;
        }
        Ok(())
    }

    /// Whether a token arrives where a message or a signal is thrown.
    fn throws(&self, arrival: Arrival) -> bool {
        if !self.state.elements.contains_key(&arrival.scope) {
            return false;
        }
        let Ok(process) = self.process_in(arrival.scope) else {
            return false;
        };
        match &process.node(process.flow(arrival.flow).target).kind {
            NodeKind::Throw(throw) | NodeKind::End(throw) => throw
                .results
                .iter()
                .any(|result| matches!(result, ThrowResult::Message(_) | ThrowResult::Signal(_))),
            NodeKind::Task(task) => matches!(task.work, Work::Send(_)),
            _ => false,
        }
    }

    /// Begins the joins of a scope that can begin, and ends it when nothing is left in it.
    fn look_at(&mut self, scope: Key) -> Result<(), Rejection> {
        if !self.state.elements.contains_key(&scope) {
            return Ok(());
        }
        if self.is_done_again(scope) {
            self.look_at_compensation(scope);
            return Ok(());
        }
        if self.holds_rounds(scope) {
            return self.look_at_rounds(scope);
        }
        if self.begin_joins(scope)? || self.reset_gateways(scope)? {
            return Ok(());
        }
        if self.is_ad_hoc(scope) {
            return self.look_at_ad_hoc(scope);
        }
        if self.is_finished(scope) {
            self.finish(scope)?;
        }
        Ok(())
    }

    /// Whether nothing is being done in a scope and no token waits there.
    fn is_finished(&self, scope: Key) -> bool {
        if self.state.tokens.any_in(scope) || self.state.elements.get(&scope).is_none_or(|element| element.inside > 0) {
            return false;
        }
        let is_level = scope == ROOT
            || self
                .node_of(scope)
                .is_ok_and(|(process, at)| matches!(process.node(at).kind, NodeKind::SubProcess(_) | NodeKind::Call(_)));
        // Something in it is gone back to when a step before it has been done again.
        let is_gone_back_to = self.state.awaited_back(scope).next().is_some();
        let has_incident = self.state.incidents.values().any(|incident| incident.owner == scope);
        is_level && !has_incident && !is_gone_back_to
    }

    /// A scope in which nothing is left is done.
    fn finish(&mut self, scope: Key) -> Result<(), Rejection> {
        if scope == ROOT {
            self.end(Ending::Completed);
            return Ok(());
        }
        self.leave(scope)
    }

    /// Everything in a scope ends at once (a terminate event); the scope is done.
    pub(crate) fn terminate(&mut self, scope: Key) -> Result<(), Rejection> {
        self.cancel_inside(scope);
        if scope == ROOT {
            self.end(Ending::Terminated);
            return Ok(());
        }
        self.touched.remove(&scope);
        self.not_compensable.insert(scope);
        self.leave(scope)
    }

    /// The instance ends.
    pub(crate) fn end(&mut self, how: Ending) {
        self.emit(Event::ProcessEnded {
            how,
            at: self.context.now,
        });
        self.arrivals.clear();
        self.throwing.clear();
        self.touched.clear();
        self.compensating.clear();
    }

    /// Something that has no expression to blame cannot go on.
    #[allow(clippy::unnecessary_wraps, reason = "said in the words of whoever asks")]
    pub(super) fn refuse<T>(stuck: Stuck) -> Result<Result<T, Stuck>, Rejection> {
        Ok(Err(stuck))
    }
}
