//! Compensation (BPMN 2.0, 10.7 and 13.5.5): what was done is undone by its handlers, the last first, one after the other.
//!
//! An activity in which something was done begins once more as a scope for the handlers of what was done in it. Whoever
//! asked for it waits until all is compensated; the cancelling of a transaction is such an asker.

use super::{Run, Stuck, waiting::catch_of};
use crate::{
    instance::{
        ROOT,
        command::Rejection,
        event::Event,
        state::Compensable,
        words::{Bindings, Key, Obstacle, Phase},
    },
    model::{NodeIx, NodeKind, Process, SubProcess, Throw, ThrowResult, Trigger},
};

impl Run<'_> {
    /// An activity is done: if something compensates it, or what was done in it, that is remembered.
    pub(super) fn offer_compensation(&mut self, process: &Process, at: NodeIx, key: Key) -> Result<(), Rejection> {
        let node = process.node(at);
        let Some(element) = self.state.elements.get(&key) else {
            return Ok(());
        };
        let can_be = node.activity.as_ref().is_some_and(|activity| !activity.for_compensation)
            && !matches!(node.kind, NodeKind::SubProcess(SubProcess::Event))
            && element.compensation.is_none()
            && !self.not_compensable.contains(&key);
        if !can_be {
            return Ok(());
        }
        let is_whole = element.rounds.is_some();
        let (id, scope) = (element.element.clone(), element.scope);
        // Each round of a repeated activity has offered its own.
        let handler = if is_whole { None } else { self.handler_of(process, at, key)? };
        let has_inner = self.state.compensable.iter().any(|done| done.scope == key);
        if handler.is_some() || has_inner {
            self.emit(Event::CompensationOffered {
                key,
                element: id,
                scope,
                handler,
                variables: self.own(key),
            });
        }
        Ok(())
    }

    /// What compensates an activity: the handler that is associated with it, or an event sub-process in it.
    fn handler_of(&self, process: &Process, at: NodeIx, key: Key) -> Result<Option<crate::model::ElementId>, Rejection> {
        let associated = process
            .node(at)
            .activity
            .as_ref()
            .and_then(|activity| activity.compensated_by);
        if let Some(handler) = associated {
            return Ok(Some(process.node(handler).id.clone()));
        }
        if !matches!(process.node(at).kind, NodeKind::SubProcess(_) | NodeKind::Call(_)) {
            return Ok(None);
        }
        let Some((inner, level)) = self.level_in(key)? else {
            return Ok(None);
        };
        let found = inner.level(level).iter().find(|child| is_compensation_start(&inner, **child));
        Ok(found.map(|child| inner.node(*child).id.clone()))
    }

    /// A throw event asks for compensation; whether it waits until that is done.
    pub(super) fn ask_for_compensation(&mut self, key: Key, throw: &Throw) -> Result<bool, Rejection> {
        let asked_for: Vec<_> = throw
            .results
            .iter()
            .filter_map(|result| match result {
                ThrowResult::Compensation { activity, wait } => Some((activity.as_ref(), *wait)),
                _ => None,
            })
            .collect();
        let Some(element) = self.state.elements.get(&key).filter(|_| !asked_for.is_empty()) else {
            return Ok(false);
        };
        let scope = element.scope;
        let scopes = self.compensated_from(scope)?;
        let is_meant = |done: &Compensable| {
            let mut activities = asked_for.iter().map(|(activity, _)| *activity);
            activities.any(|activity| activity.is_none_or(|activity| *activity == done.element))
        };
        let activities = self.compensable_in(&scopes, is_meant);
        let waits = asked_for.iter().any(|(_, wait)| *wait) && !activities.is_empty();
        self.throw_compensation(key, activities);
        Ok(waits)
    }

    /// The scopes that a compensation means which is thrown in a scope: itself, and the one whose event sub-process it is.
    fn compensated_from(&self, scope: Key) -> Result<Vec<Key>, Rejection> {
        let mut scopes = vec![scope];
        let mut at = scope;
        while at != ROOT {
            let (process, node) = self.node_of(at)?;
            if !matches!(process.node(node).kind, NodeKind::SubProcess(SubProcess::Event)) {
                break;
            }
            let Some(element) = self.state.elements.get(&at) else { break };
            at = element.scope;
            scopes.push(at);
        }
        Ok(scopes)
    }

    /// What can be compensated in these scopes and nobody has asked for, the last first.
    fn compensable_in(&self, scopes: &[Key], is_meant: impl Fn(&Compensable) -> bool) -> Vec<Key> {
        let all = self.state.compensable.iter().rev();
        let free = all.filter(|done| done.asked_by.is_none() && scopes.contains(&done.scope));
        free.filter(|done| is_meant(done)).map(|done| done.key).collect()
    }

    fn throw_compensation(&mut self, key: Key, activities: Vec<Key>) {
        let Some(element) = self.state.elements.get(&key) else {
            return;
        };
        self.emit(Event::CompensationThrown {
            key,
            element: element.element.clone(),
            scope: element.scope,
            activities,
        });
        self.compensating.insert(key);
    }

    /// The next of what was asked for is compensated; when all is, whoever asked goes on.
    pub(super) fn continue_compensation(&mut self, by: Key) -> Result<(), Rejection> {
        let is_running = |element: &crate::instance::Element| element.compensation.is_some_and(|what| what.by == by);
        if self.state.elements.values().any(is_running) {
            return Ok(());
        }
        let next = self.state.compensable.iter().rev().find(|done| done.asked_by == Some(by));
        match next.cloned() {
            Some(done) => self.compensate(&done),
            None => self.compensated(by),
        }
    }

    /// An activity is compensated: by its handler, by the event sub-process in it, or by compensating what was done in it.
    fn compensate(&mut self, done: &Compensable) -> Result<(), Rejection> {
        let process = self.process_in(done.scope)?;
        let activity = process.find(&done.element);
        let associated = activity
            .and_then(|at| process.node(at).activity.as_ref())
            .and_then(|activity| activity.compensated_by)
            .filter(|handler| done.handler.as_ref() == Some(&process.node(*handler).id));
        if let Some(handler) = associated {
            let key = self.enter_to_compensate(&process, handler, done);
            if self.may_step() {
                return self.begin(&process, handler, key);
            }
            self.endless(key);
            return Ok(());
        }
        let Some(activity) = activity else {
            return Err(Rejection::NoSuchElement {
                element: done.element.to_string(),
            });
        };
        let key = self.enter_to_compensate(&process, activity, done);
        if !self.may_step() {
            self.endless(key);
            return Ok(());
        }
        let inner = self.process_in(key)?;
        if let Some(handler) = done.handler.as_ref().and_then(|handler| inner.find(handler)) {
            self.enter(&inner, handler, key, Vec::new(), None)?;
        } else {
            let activities = self.compensable_in(&[key], |_| true);
            self.throw_compensation(key, activities);
        }
        Ok(())
    }

    /// What compensates an activity begins, with the variables that the activity had when it was done.
    fn enter_to_compensate(&mut self, process: &Process, at: NodeIx, done: &Compensable) -> Key {
        let key = self.next_key();
        self.emit(Event::ElementEntered {
            key,
            element: process.node(at).id.clone(),
            scope: done.scope,
            flows: Vec::new(),
            round: None,
        });
        if !done.variables.is_empty() {
            self.emit(Event::VariablesSet {
                scope: key,
                variables: Bindings::from(&done.variables),
            });
        }
        self.emit(Event::CompensationBegun { key, activity: done.key });
        self.touched.insert(done.scope);
        key
    }

    /// All that was asked for is compensated.
    fn compensated(&mut self, by: Key) -> Result<(), Rejection> {
        if !self.state.elements.contains_key(&by) || self.state.incidents.values().any(|incident| incident.owner == by) {
            return Ok(());
        }
        if self.is_done_again(by) {
            self.leave_again(by);
            return Ok(());
        }
        let (process, at) = self.node_of(by)?;
        match &process.node(at).kind {
            NodeKind::End(throw) if throw.results.iter().any(|result| matches!(result, ThrowResult::Cancel)) => {
                self.leave_transaction(by)
            }
            NodeKind::End(_) | NodeKind::Throw(_) => self.leave(by),
            _ => Ok(()),
        }
    }

    /// Whether an element is an activity that was done and is there once more, as a scope for compensation.
    pub(super) fn is_done_again(&self, key: Key) -> bool {
        let element = self.state.elements.get(&key);
        element.is_some_and(|element| element.compensation.is_some_and(|what| what.is_again))
    }

    /// An activity that is there once more is looked at: nothing is being done in it any more.
    pub(super) fn look_at_compensation(&mut self, scope: Key) {
        if self.state.elements.get(&scope).is_none_or(|element| element.inside > 0) {
            return;
        }
        if self.state.compensable.iter().any(|done| done.asked_by == Some(scope)) {
            self.compensating.insert(scope);
        } else {
            self.leave_again(scope);
        }
    }

    fn leave_again(&mut self, key: Key) {
        let Some(element) = self.state.elements.get(&key) else {
            return;
        };
        let (scope, what) = (element.scope, element.compensation);
        self.emit(Event::ElementLeft { key, flows: Vec::new() });
        self.touched.insert(scope);
        self.compensating.extend(what.map(|what| what.by));
    }

    /// A transaction is cancelled: everything else in it is given up, and what was done in it is compensated.
    pub(super) fn cancel_transaction(&mut self, key: Key) -> Result<Result<(), Stuck>, Rejection> {
        let Some(path) = self.path_to_transaction(key)? else {
            let message = "a transaction is cancelled by an end event, and there is none around it";
            return Self::refuse(Stuck::new(Obstacle::Error, message));
        };
        let mut kept = key;
        for scope in &path {
            self.cancel_inside_but(*scope, Some(kept));
            self.end_level_events(*scope)?;
            kept = *scope;
        }
        let activities = self.compensable_in(&path, |_| true);
        self.throw_compensation(key, activities);
        Ok(Ok(()))
    }

    /// The scopes around an element up to the transaction that it stands in.
    fn path_to_transaction(&self, key: Key) -> Result<Option<Vec<Key>>, Rejection> {
        let mut path = Vec::new();
        let mut at = key;
        while let Some(element) = self.state.elements.get(&at) {
            at = element.scope;
            if at == ROOT || self.state.elements.get(&at).is_none_or(|around| around.process.is_some()) {
                break;
            }
            path.push(at);
            let (process, node) = self.node_of(at)?;
            let is_transaction = matches!(process.node(node).kind, NodeKind::SubProcess(SubProcess::Transaction));
            if is_transaction {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    /// Everything in a cancelled transaction is compensated: the event on its border takes over.
    fn leave_transaction(&mut self, key: Key) -> Result<(), Rejection> {
        let transaction = self.path_to_transaction(key)?.and_then(|path| path.last().copied());
        let Some((transaction, element)) = transaction.and_then(|at| Some((at, self.state.elements.get(&at)?))) else {
            return Ok(());
        };
        let host = match element.round {
            Some(_) => element.scope,
            None => transaction,
        };
        let (process, at) = self.node_of(host)?;
        if let Some(border) = Self::cancel_border(&process, at) {
            return self.fire_border(&process, border, host, Bindings::new(), None);
        }
        let message = format!(
            "{} was cancelled, and no event on its border catches that",
            process.node(at).id
        );
        self.stuck(key, Phase::Active, Stuck::new(Obstacle::Error, message));
        Ok(())
    }
}

/// Whether a node is an event sub-process that compensates what it stands in.
fn is_compensation_start(process: &Process, at: NodeIx) -> bool {
    if !matches!(process.node(at).kind, NodeKind::SubProcess(SubProcess::Event)) {
        return false;
    }
    let catch = super::waiting::start_of(process, at).and_then(|start| catch_of(process, start));
    catch.is_some_and(|catch| catch.triggers.iter().any(|trigger| matches!(trigger, Trigger::Compensation)))
}
