//! What was waited for happens: messages, signals, conditions, and what each makes of its event.

use std::sync::Arc;

use super::{
    Run,
    waiting::{catch_of, needs_all, received_by, targets_of},
};
use crate::{
    instance::{
        ROOT,
        command::Rejection,
        event::Event,
        state::{Wait, Waiting},
        words::{Bindings, Key, Obstacle},
    },
    model::{ElementId, NodeIx, NodeKind, Process, SubProcess, Trigger},
};

/// What an event is to the element that waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The element itself.
    Own,
    /// One of those after it: it is an event-based gateway.
    Target,
    /// On its border.
    Border,
    /// The start of an event sub-process in it.
    Inner,
}

impl Run<'_> {
    /// The event that is waited for, and what it is to whoever waits; none, if the model has no such event.
    pub(super) fn event_of(&self, owner: Key, id: &ElementId) -> Result<Option<(Arc<Process>, NodeIx, Part)>, Rejection> {
        if !self.state.elements.contains_key(&owner) {
            return Ok(None);
        }
        if owner != ROOT {
            let (process, at) = self.node_of(owner)?;
            if let Some(event) = process.find(id) {
                let is_border = matches!(process.node(event).kind, NodeKind::Boundary { attached_to, .. } if attached_to == at);
                let part = match () {
                    () if event == at => Some(Part::Own),
                    () if is_border => Some(Part::Border),
                    () if targets_of(&process, at).any(|target| target == event) => Some(Part::Target),
                    () => None,
                };
                if let Some(part) = part {
                    return Ok(Some((process, event, part)));
                }
            }
        }
        let process = self.process_in(owner)?;
        let is_start = |event: &NodeIx| matches!(process.node(*event).kind, NodeKind::Start { .. });
        let start = process.find(id).filter(is_start);
        Ok(start.map(|event| (process, event, Part::Inner)))
    }

    /// A message has come from outside: the oldest wait for it takes it.
    pub(crate) fn deliver(&mut self, name: &str, correlation: Option<&str>, payload: &Bindings) -> Result<(), Rejection> {
        match self.waiting_for(name, correlation) {
            Some(wait) => self.receive(wait, payload),
            None => Err(Rejection::NobodyWaits { name: name.to_owned() }),
        }
    }

    /// The oldest wait for a message of this name: with this key, or with none.
    pub(super) fn waiting_for(&self, message: &str, key: Option<&str>) -> Option<Key> {
        let fits = |wait: &Wait| match &wait.what {
            Waiting::Message { name, correlation } => {
                name == message && correlation.as_deref().is_none_or(|wanted| Some(wanted) == key)
            }
            _ => false,
        };
        let mut waits = self.state.waits.iter();
        waits.find(|(_, wait)| fits(wait)).map(|(key, _)| *key)
    }

    pub(super) fn receive(&mut self, key: Key, payload: &Bindings) -> Result<(), Rejection> {
        let Some(wait) = self.state.waits.get(&key).cloned() else {
            return Ok(());
        };
        self.emit(Event::MessageReceived {
            key,
            payload: payload.clone(),
        });
        self.caught(&wait, payload)
    }

    /// A signal is heard by everything that waits for it at this time.
    pub(crate) fn broadcast(&mut self, signal: &str, payload: &Bindings) -> Result<(), Rejection> {
        let hears = |wait: &Wait| matches!(&wait.what, Waiting::Signal { name } if name == signal);
        let all = self.state.waits.iter();
        let waiting: Vec<Key> = all.filter(|(_, wait)| hears(wait)).map(|(key, _)| *key).collect();
        for key in waiting {
            // What was interrupted by the same signal does not hear it any more.
            let Some(wait) = self.state.waits.get(&key).cloned() else {
                continue;
            };
            self.emit(Event::SignalReceived {
                key,
                payload: payload.clone(),
            });
            self.caught(&wait, payload)?;
        }
        Ok(())
    }

    /// Asks the conditions that are waited for: all of them, or those of one element that has just begun.
    pub(super) fn look_at_conditions(&mut self, of: Option<Key>) -> Result<(), Rejection> {
        let is_meant = |wait: &Wait| matches!(wait.what, Waiting::Condition { .. }) && of.is_none_or(|owner| wait.owner == owner);
        let all = self.state.waits.iter();
        let waiting: Vec<Key> = all.filter(|(_, wait)| is_meant(wait)).map(|(key, _)| *key).collect();
        for key in waiting {
            let Some(wait) = self.state.waits.get(&key).cloned() else {
                continue;
            };
            self.look_at_condition(key, &wait)?;
        }
        Ok(())
    }

    fn look_at_condition(&mut self, key: Key, wait: &Wait) -> Result<(), Rejection> {
        let Waiting::Condition { holds: held } = wait.what else {
            return Ok(());
        };
        let Some((process, event, _)) = self.event_of(wait.owner, &wait.element)? else {
            return Ok(());
        };
        let definition = catch_of(&process, event).and_then(|catch| catch.triggers.get(wait.trigger as usize));
        let Some(Trigger::Condition(condition)) = definition else {
            return Ok(());
        };
        match self.holds(condition, wait.owner) {
            Ok(holds) => {
                self.can_be_told(wait);
                if holds && !held {
                    self.emit(Event::ConditionMet { key });
                    return self.caught(wait, &Bindings::new());
                }
                if held && !holds {
                    self.emit(Event::ConditionLapsed { key });
                }
                Ok(())
            }
            Err(cause) => {
                self.stuck_before(wait.owner, &wait.element, cause.into());
                Ok(())
            }
        }
    }

    /// A condition gives true or false: if it gave nothing before, that is repaired.
    fn can_be_told(&mut self, wait: &Wait) {
        let repaired: Vec<Key> = self
            .state
            .incidents
            .iter()
            .filter(|(_, incident)| {
                incident.owner == wait.owner
                    && incident.element == wait.element
                    && incident.obstacle == Obstacle::Expression
                    && self
                        .state
                        .elements
                        .get(&wait.owner)
                        .is_some_and(|owner| owner.element != wait.element)
            })
            .map(|(key, _)| *key)
            .collect();
        for key in repaired {
            let note = "the condition gives true or false now".to_owned();
            self.emit(Event::IncidentResolved { key, note });
        }
    }

    /// A definition of an event has happened, with what came with it; the wait for it is over.
    pub(super) fn caught(&mut self, wait: &Wait, payload: &Bindings) -> Result<(), Rejection> {
        let Some((process, event, part)) = self.event_of(wait.owner, &wait.element)? else {
            return Ok(());
        };
        if needs_all(&process, event) {
            if !self.has_all(&process, event, wait.owner) {
                return Ok(());
            }
        } else if part == Part::Own || part == Part::Target || interrupts(&process, event) {
            // One is enough: the others are not waited for any more.
            for other in self.waits_of(wait.owner, &wait.element) {
                self.emit(Event::WaitEnded { key: other });
            }
        }
        let mut came = Bindings::new();
        if needs_all(&process, event) {
            came.clone_from(&wait.so_far);
        }
        came.extend(payload.iter().map(|(name, value)| (name.clone(), value.clone())));
        match part {
            Part::Own => self.happened(&process, event, wait.owner, came),
            Part::Target => self.take_way(&process, event, wait.owner, came),
            Part::Border => self.fire_border(&process, event, wait.owner, came, Some(wait)),
            Part::Inner => self.fire_inner(&process, event, wait.owner, came, Some(wait)),
        }
    }

    /// Whether nothing is missing any more of an event that needs all of its definitions.
    pub(super) fn has_all(&self, process: &Process, event: NodeIx, owner: Key) -> bool {
        let is_waited_for = |trigger: &Trigger| {
            matches!(
                trigger,
                Trigger::Timer(_) | Trigger::Message(_) | Trigger::Signal(_) | Trigger::Condition(_)
            )
        };
        let all_can = catch_of(process, event).is_none_or(|catch| catch.triggers.iter().all(is_waited_for));
        all_can && self.waits_of(owner, &process.node(event).id).is_empty()
    }

    /// An element got what it waited for: what came is taken, and it is done.
    pub(super) fn happened(&mut self, process: &Process, event: NodeIx, key: Key, came: Bindings) -> Result<(), Rejection> {
        if !came.is_empty() {
            let has_outputs = process
                .node(event)
                .activity
                .as_ref()
                .is_some_and(|activity| !activity.outputs.is_empty());
            if received_by(process, event).is_some() && !has_outputs {
                self.set(key, came);
            } else {
                self.emit(Event::VariablesSet {
                    scope: key,
                    variables: came,
                });
            }
        }
        self.leave(key)
    }

    /// An event after an event-based gateway has happened.
    fn take_way(&mut self, process: &Arc<Process>, event: NodeIx, gateway: Key, came: Bindings) -> Result<(), Rejection> {
        let (_, at) = self.node_of(gateway)?;
        let Some(scope) = self.state.elements.get(&gateway).map(|element| element.scope) else {
            return Ok(());
        };
        let node = process.node(at);
        let needs_all = matches!(node.kind, NodeKind::EventBased { parallel: true, .. });
        let flow = node.outgoing.iter().find(|flow| process.flow(**flow).target == event);
        let flows: Vec<ElementId> = flow.map(|flow| process.flow(*flow).id.clone()).into_iter().collect();
        if needs_all {
            if !self.state.waits.values().any(|wait| wait.owner == gateway) {
                let key = gateway;
                self.emit(Event::ElementLeft { key, flows: Vec::new() });
            }
            return self.pass(process, event, scope, Vec::new(), came);
        }
        self.emit(Event::ElementLeft {
            key: gateway,
            flows: flows.clone(),
        });
        self.pass(process, event, scope, flows, came)
    }

    /// An event begins that has happened already.
    pub(super) fn pass(
        &mut self,
        process: &Arc<Process>,
        event: NodeIx,
        scope: Key,
        flows: Vec<ElementId>,
        came: Bindings,
    ) -> Result<(), Rejection> {
        let key = self.next_key();
        self.emit(Event::ElementEntered {
            key,
            element: process.node(event).id.clone(),
            scope,
            flows,
            round: None,
        });
        self.touched.insert(scope);
        if self.may_step() {
            self.happened(process, event, key, came)
        } else {
            self.endless(key);
            Ok(())
        }
    }

    /// An event on the border of an activity happens.
    pub(super) fn fire_border(
        &mut self,
        process: &Arc<Process>,
        border: NodeIx,
        host: Key,
        came: Bindings,
        wait: Option<&Wait>,
    ) -> Result<(), Rejection> {
        let Some(scope) = self.state.elements.get(&host).map(|element| element.scope) else {
            return Ok(());
        };
        if interrupts(process, border) {
            self.leave_straight_way(process, border, host)?;
            self.cancel(host);
        } else if let Some(wait) = wait {
            self.open_again(process, border, wait);
        }
        self.enter_with(process, border, scope, (Vec::new(), None), came)?;
        Ok(())
    }

    /// The start event of an event sub-process happens. One that interrupts gives up everything else in the scope; the
    /// scope lives on until the event sub-process is done.
    pub(super) fn fire_inner(
        &mut self,
        process: &Arc<Process>,
        start: NodeIx,
        scope: Key,
        came: Bindings,
        wait: Option<&Wait>,
    ) -> Result<(), Rejection> {
        let Some(event_sub_process) = process.node(start).parent else {
            return Ok(());
        };
        if interrupts(process, start) {
            self.interrupt(scope)?;
        } else if let Some(wait) = wait {
            self.open_again(process, start, wait);
        }
        self.enter_with(process, event_sub_process, scope, (Vec::new(), None), came)?;
        Ok(())
    }

    /// Everything in a scope is given up; none of its event sub-processes can begin any more.
    fn interrupt(&mut self, scope: Key) -> Result<(), Rejection> {
        self.cancel_inside(scope);
        self.end_level_events(scope)?;
        if self.is_ad_hoc(scope) {
            self.emit(Event::AdHocClosed { key: scope });
        }
        let own = self.state.elements.get(&scope).map(|element| element.element.clone());
        let open: Vec<Key> = self
            .state
            .incidents
            .iter()
            .filter(|(_, incident)| incident.owner == scope && Some(&incident.element) != own.as_ref())
            .map(|(key, _)| *key)
            .collect();
        for key in open {
            let note = "what could not go on was given up".to_owned();
            self.emit(Event::IncidentResolved { key, note });
        }
        Ok(())
    }

    /// The start events of event sub-processes in a scope are not waited for any more.
    pub(super) fn end_level_events(&mut self, scope: Key) -> Result<(), Rejection> {
        let of_scope: Vec<(Key, ElementId)> = self
            .state
            .waits
            .iter()
            .filter(|(_, wait)| wait.owner == scope)
            .map(|(key, wait)| (*key, wait.element.clone()))
            .collect();
        for (key, element) in of_scope {
            if matches!(self.event_of(scope, &element)?, Some((_, _, Part::Inner))) {
                self.emit(Event::WaitEnded { key });
            }
        }
        Ok(())
    }

    /// Whether an event sub-process that interrupts is being done in a scope: no other one begins there.
    pub(super) fn is_interrupted(&self, process: &Process, scope: Key) -> bool {
        self.state.children(scope).any(|(_, element)| {
            let at = process.find(&element.element);
            let is_event = |at: &NodeIx| matches!(process.node(*at).kind, NodeKind::SubProcess(SubProcess::Event));
            let start = at.filter(is_event).and_then(|at| super::waiting::start_of(process, at));
            start.is_some_and(|start| interrupts(process, start))
        })
    }
}

/// Whether an event gives up what it stands on, or the scope that its event sub-process stands in.
pub(super) fn interrupts(process: &Process, event: NodeIx) -> bool {
    match &process.node(event).kind {
        NodeKind::Start { interrupting, .. } | NodeKind::Boundary { interrupting, .. } => *interrupting,
        _ => false,
    }
}
