//! An element begins.

use std::sync::Arc;

use super::{Run, Stuck};
use crate::{
    instance::{
        command::Rejection,
        event::Event,
        words::{Bindings, Key, Obstacle, Phase},
    },
    model::{ElementId, Mapping, NodeIx, NodeKind, Process, Repetition, SubProcess, Trigger, Work},
};

impl Run<'_> {
    /// An element begins in a scope, with the tokens on these flows; as one round of a repeated activity, if so.
    pub(crate) fn enter(
        &mut self,
        process: &Arc<Process>,
        at: NodeIx,
        scope: Key,
        flows: Vec<ElementId>,
        round: Option<u32>,
    ) -> Result<Key, Rejection> {
        self.enter_with(process, at, scope, (flows, round), Bindings::new())
    }

    /// An element begins in a scope, with variables of its own.
    pub(crate) fn enter_with(
        &mut self,
        process: &Arc<Process>,
        at: NodeIx,
        scope: Key,
        (flows, round): (Vec<ElementId>, Option<u32>),
        own: Bindings,
    ) -> Result<Key, Rejection> {
        let key = self.next_key();
        self.emit(Event::ElementEntered {
            key,
            element: process.node(at).id.clone(),
            scope,
            flows,
            round,
        });
        if !own.is_empty() {
            self.emit(Event::VariablesSet {
                scope: key,
                variables: own,
            });
        }
        self.touched.insert(scope);
        if self.may_step() {
            self.begin(process, at, key)?;
        } else {
            self.endless(key);
        }
        Ok(key)
    }

    /// What an element does when it begins; whatever goes wrong is an incident on it.
    pub(crate) fn begin(&mut self, process: &Arc<Process>, at: NodeIx, key: Key) -> Result<(), Rejection> {
        if let Err(stuck) = self.try_begin(process, at, key)? {
            self.stuck(key, Phase::Entering, stuck);
        }
        Ok(())
    }

    fn try_begin(&mut self, process: &Arc<Process>, at: NodeIx, key: Key) -> Result<Result<(), Stuck>, Rejection> {
        let node = process.node(at);
        if let Some(activity) = &node.activity {
            let is_whole = self.state.elements.get(&key).is_some_and(|element| element.round.is_none());
            if let Some(skip) = activity.skip.as_ref().filter(|_| is_whole) {
                match self.holds(skip, key) {
                    Ok(false) => {}
                    Ok(true) => {
                        self.emit(Event::ActivitySkipped { key });
                        self.not_compensable.insert(key);
                        return self.leave(key).map(Ok);
                    }
                    Err(cause) => return Ok(Err(cause.into())),
                }
            }
            if is_whole && !matches!(activity.repetition, Repetition::Once) {
                if let Err(stuck) = self.open_borders(process, at, key) {
                    return Ok(Err(stuck));
                }
                if self.is_held_up(key)? {
                    return Ok(Ok(()));
                }
                return self.begin_rounds(process, at, key);
            }
            if let Err(stuck) = self.own_variables(key, &activity.data, &activity.inputs) {
                return Ok(Err(stuck));
            }
            if is_whole {
                if let Err(stuck) = self.open_borders(process, at, key) {
                    return Ok(Err(stuck));
                }
                if self.is_held_up(key)? {
                    return Ok(Ok(()));
                }
            }
        }
        match &node.kind {
            NodeKind::Task(task) => self.begin_work(process, at, key, task),
            NodeKind::SubProcess(SubProcess::Embedded | SubProcess::Transaction) => self.begin_level(process, Some(at), key),
            NodeKind::SubProcess(SubProcess::AdHoc(_)) => {
                self.open_level_events(process, Some(at), key);
                self.touched.insert(key);
                Ok(Ok(()))
            }
            NodeKind::SubProcess(SubProcess::Event) => self.begin_event_sub_process(process, at, key),
            NodeKind::Catch(catch) => {
                let is_link = catch.triggers.iter().any(|trigger| matches!(trigger, Trigger::Link(_)));
                if catch.triggers.is_empty() || is_link {
                    return self.leave(key).map(Ok);
                }
                Ok(self.open_event(process, at, key))
            }
            NodeKind::EventBased { .. } => Ok(self.open_targets(process, at, key, None)),
            NodeKind::Throw(throw) | NodeKind::End(throw) => self.begin_throw(process, at, key, throw),
            NodeKind::Complex { .. } => self.fire_gateway(process, at, key),
            NodeKind::Call(call) => self.begin_call(call, key),
            _ => self.leave(key).map(Ok),
        }
    }

    /// Sets the variables that an activity begins with.
    pub(super) fn own_variables(&mut self, key: Key, data: &[crate::model::DataObject], inputs: &[Mapping]) -> Result<(), Stuck> {
        let mut variables: Bindings = data
            .iter()
            .map(|object| (object.name.clone(), object.initial.clone()))
            .collect();
        for input in inputs {
            variables.insert(input.target.clone(), self.value(&input.value, key)?);
        }
        if !variables.is_empty() {
            self.emit(Event::VariablesSet { scope: key, variables });
        }
        Ok(())
    }

    /// Whether an activity that begins was interrupted at once, by a condition on its border that holds already.
    fn is_held_up(&mut self, key: Key) -> Result<bool, Rejection> {
        // Opening a condition counts as a change: without one there is nothing to be asked.
        if self.variables_changed {
            self.look_at_conditions(Some(key))?;
        }
        Ok(!self.state.elements.contains_key(&key))
    }

    /// An event sub-process begins because its start event has happened.
    fn begin_event_sub_process(&mut self, process: &Arc<Process>, at: NodeIx, key: Key) -> Result<Result<(), Stuck>, Rejection> {
        let Some(start) = super::waiting::start_of(process, at) else {
            return self.begin_level(process, Some(at), key);
        };
        self.open_level_events(process, Some(at), key);
        self.touched.insert(key);
        self.enter(process, start, key, Vec::new(), None)?;
        Ok(Ok(()))
    }

    /// A level of nodes begins: at its plain start event, or at every node that nothing leads to.
    pub(crate) fn begin_level(
        &mut self,
        process: &Arc<Process>,
        parent: Option<NodeIx>,
        scope: Key,
    ) -> Result<Result<(), Stuck>, Rejection> {
        let begins = first_of(process, parent);
        if begins.is_empty() && process.level(parent).iter().any(|child| is_start(process, *child)) {
            let message = format!(
                "{} has no plain start event at which it could begin",
                process.reference.process
            );
            return Self::refuse(Stuck::new(Obstacle::Call, message));
        }
        if process.plain_starts(parent).nth(1).is_some() {
            let message = format!(
                "{} has several plain start events, and a call cannot say at which one it begins",
                process.reference.process
            );
            return Self::refuse(Stuck::new(Obstacle::Call, message));
        }
        self.touched.insert(scope);
        self.open_level_events(process, parent, scope);
        if self.is_held_up(scope)? || self.is_interrupted(process, scope) {
            return Ok(Ok(()));
        }
        for child in begins {
            if !self.state.elements.contains_key(&scope) {
                break;
            }
            self.enter(process, child, scope, Vec::new(), None)?;
        }
        Ok(Ok(()))
    }
}

/// Whether a node begins with its level because nothing leads to it (BPMN 2.0, 13.2.1: implicit start).
fn begins_by_itself(process: &Process, at: NodeIx) -> bool {
    let node = process.node(at);
    let is_handler = node.activity.as_ref().is_some_and(|activity| activity.for_compensation);
    let waits_elsewhere = matches!(
        node.kind,
        NodeKind::Boundary { .. } | NodeKind::Start { .. } | NodeKind::SubProcess(SubProcess::Event)
    );
    let begins_by_message = match &node.kind {
        NodeKind::EventBased { instantiate, .. } => *instantiate,
        NodeKind::Task(task) => matches!(task.work, Work::Receive { instantiate: true, .. }),
        NodeKind::Catch(catch) => catch.triggers.iter().any(|trigger| matches!(trigger, Trigger::Link(_))),
        _ => false,
    };
    node.incoming.is_empty() && !is_handler && !waits_elsewhere && !begins_by_message
}

/// Where a level begins that nothing else began: at its plain start event, or at every node that nothing leads to.
pub(super) fn first_of(process: &Process, level: Option<NodeIx>) -> Vec<NodeIx> {
    let plain = process.plain_starts(level).next();
    let level = process.level(level);
    match plain {
        Some(start) => vec![start],
        // Where there are start events, nothing else begins by itself.
        None if level.iter().any(|child| is_start(process, *child)) => Vec::new(),
        None => {
            let begins = level.iter().copied().filter(|child| begins_by_itself(process, *child));
            begins.collect()
        }
    }
}

fn is_start(process: &Process, at: NodeIx) -> bool {
    matches!(process.node(at).kind, NodeKind::Start { .. })
}
