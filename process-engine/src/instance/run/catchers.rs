//! Whoever hears what is thrown: the nearest event around that catches it.

use std::sync::Arc;

use super::{
    Run,
    catching::interrupts,
    waiting::{catch_of, needs_all, starts_of},
};
use crate::{
    instance::{ROOT, command::Rejection, words::Key},
    model::{ElementId, NodeIx, Process, Trigger},
};

/// An event that catches what is thrown, and the element that it belongs to.
pub(super) struct Catcher {
    pub(super) process: Arc<Process>,
    pub(super) event: NodeIx,
    pub(super) owner: Key,
    pub(super) is_border: bool,
}

impl Run<'_> {
    /// The nearest event around that catches something: on the border of an activity, or of an event sub-process beside it;
    /// out of sub-processes and called processes, up to the instance itself.
    pub(super) fn catcher(
        &self,
        from: Key,
        is_activity: bool,
        fits: &dyn Fn(&Trigger) -> Option<u8>,
    ) -> Result<Option<Catcher>, Rejection> {
        let mut at = from;
        let mut is_inside = !is_activity;
        loop {
            if is_inside && let Some(found) = self.catcher_inside(at, fits)? {
                return Ok(Some(found));
            }
            if at == ROOT {
                return Ok(None);
            }
            if let Some(found) = self.catcher_at_border(at, fits)? {
                return Ok(Some(found));
            }
            let Some(element) = self.state.elements.get(&at) else {
                return Ok(None);
            };
            at = element.scope;
            is_inside = true;
        }
    }

    /// Among the event sub-processes of a scope.
    fn catcher_inside(&self, scope: Key, fits: &dyn Fn(&Trigger) -> Option<u8>) -> Result<Option<Catcher>, Rejection> {
        if self.is_done_again(scope) {
            return Ok(None);
        }
        let Some((process, level)) = self.level_in(scope)? else {
            return Ok(None);
        };
        if self.is_interrupted(&process, scope) {
            return Ok(None);
        }
        let starts = starts_of(&process, level).collect();
        let found = self.best_of(&process, starts, scope, fits);
        Ok(found.map(|event| Catcher {
            process,
            event,
            owner: scope,
            is_border: false,
        }))
    }

    /// On the border of an activity; the one of a repeated activity is that of the whole.
    fn catcher_at_border(&self, host: Key, fits: &dyn Fn(&Trigger) -> Option<u8>) -> Result<Option<Catcher>, Rejection> {
        if self.is_done_again(host) || self.state.elements.get(&host).is_none_or(|element| element.round.is_some()) {
            return Ok(None);
        }
        let (process, at) = self.node_of(host)?;
        let found = self.best_of(&process, process.node(at).boundary.clone(), host, fits);
        Ok(found.map(|event| Catcher {
            process,
            event,
            owner: host,
            is_border: true,
        }))
    }

    /// The event that catches this very code, before one that catches every code.
    fn best_of(
        &self,
        process: &Process,
        events: Vec<NodeIx>,
        owner: Key,
        fits: &dyn Fn(&Trigger) -> Option<u8>,
    ) -> Option<NodeIx> {
        let rank = |event: &NodeIx| {
            let catch = catch_of(process, *event)?;
            // What is thrown completes an event that needs all of its definitions, and never begins it.
            if needs_all(process, *event) && !self.waits_of(owner, &process.node(*event).id).is_empty() {
                return None;
            }
            catch.triggers.iter().filter_map(fits).min()
        };
        let ranked = events.into_iter().filter_map(|event| Some((rank(&event)?, event)));
        ranked.min_by_key(|(rank, _)| *rank).map(|(_, event)| event)
    }

    /// Whether an event on the border of a transaction takes over when it was cancelled.
    pub(super) fn cancel_border(process: &Process, at: NodeIx) -> Option<NodeIx> {
        let is_cancel = |border: &NodeIx| {
            let catch = catch_of(process, *border);
            interrupts(process, *border)
                && catch.is_some_and(|catch| catch.triggers.iter().any(|trigger| matches!(trigger, Trigger::Cancel)))
        };
        process.node(at).boundary.iter().copied().find(is_cancel)
    }
}

impl Catcher {
    pub(super) fn id(&self) -> ElementId {
        self.process.node(self.event).id.clone()
    }
}
