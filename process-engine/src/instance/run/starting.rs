//! An instance begins.

use std::sync::Arc;

use super::{
    Run,
    entering::first_of,
    waiting::{catch_of, needs_all, received_by, targets_of},
};
use crate::{
    instance::{
        ROOT,
        command::{Rejection, StartedBy},
        event::Event,
        words::{Bindings, Key, Person, Phase},
    },
    model::{NodeIx, NodeKind, Process, ProcessRef, Text, Trigger, Work},
};

impl Run<'_> {
    /// Starts the instance: it is pinned to this process.
    pub(crate) fn start(
        &mut self,
        (process, version): (&ProcessRef, u32),
        starter: Option<&Person>,
        business_key: Option<&str>,
        variables: &Bindings,
        by: &StartedBy,
    ) -> Result<(), Rejection> {
        if self.state.started.is_some() {
            return Err(Rejection::AlreadyStarted);
        }
        let found = self
            .context
            .outside
            .process(process)
            .ok_or_else(|| Rejection::NoSuchProcess {
                model: process.model.to_string(),
                process: process.process.to_string(),
            })?;
        if !found.executable {
            return Err(Rejection::NotExecutable {
                process: process.process.to_string(),
            });
        }
        let mut all: Bindings = found
            .data
            .iter()
            .map(|object| (object.name.clone(), object.initial.clone()))
            .collect();
        all.extend(variables.iter().map(|(name, value)| (name.clone(), value.clone())));
        if let (Some(name), Some(starter)) = (&found.starter_variable, starter) {
            all.insert(name.clone(), starter.id.to_string().into());
        }
        self.emit(Event::ProcessStarted {
            process: process.clone(),
            version,
            starter: starter.cloned(),
            business_key: business_key.map(str::to_owned),
            variables: all,
            at: self.context.now,
        });
        self.begin_by(&found, by)
    }

    /// The process begins where whatever started it is waited for.
    fn begin_by(&mut self, process: &Arc<Process>, by: &StartedBy) -> Result<(), Rejection> {
        let no_start = || Rejection::NoSuchStart { by: words(by) };
        if *by == StartedBy::Somebody {
            let plain: Vec<&str> = process.plain_starts(None).map(|at| &*process.node(at).id).collect();
            if plain.len() > 1 {
                return Err(Rejection::SeveralStarts {
                    starts: plain.join(", "),
                });
            }
            if first_of(process, None).is_empty() {
                return Err(no_start());
            }
            if let Err(stuck) = self.begin_level(process, None, ROOT)? {
                return Err(Rejection::Invalid { reason: stuck.message });
            }
            return Ok(());
        }
        let found = process.children.iter().find_map(|at| self.start_at(process, *at, by));
        let (at, event, trigger) = found.ok_or_else(no_start)?;
        self.touched.insert(ROOT);
        self.open_level_events(process, None, ROOT);
        self.look_at_conditions(Some(ROOT))?;
        if self.is_interrupted(process, ROOT) {
            return Ok(());
        }
        let payload = Bindings::new();
        if at != event {
            return self.begin_gateway(process, at, event, by);
        }
        if !needs_all(process, event) {
            return self.pass(process, event, ROOT, Vec::new(), payload);
        }
        // It has begun with one of its definitions, and waits for the others.
        let key = self.enter_only(process, at);
        if let Err(stuck) = self.open_event_but(process, event, key, Some(trigger)) {
            self.stuck(key, Phase::Entering, stuck);
        }
        Ok(())
    }

    fn enter_only(&mut self, process: &Process, at: NodeIx) -> Key {
        let key = self.next_key();
        self.emit(Event::ElementEntered {
            key,
            element: process.node(at).id.clone(),
            scope: ROOT,
            flows: Vec::new(),
            round: None,
        });
        key
    }

    /// The process begins at an event-based gateway: the event that has happened is passed; where all must happen, the
    /// others are waited for.
    fn begin_gateway(&mut self, process: &Arc<Process>, at: NodeIx, event: NodeIx, by: &StartedBy) -> Result<(), Rejection> {
        let gateway = self.enter_only(process, at);
        let node = process.node(at);
        let is_parallel = matches!(node.kind, NodeKind::EventBased { parallel: true, .. });
        if is_parallel {
            if let Err(stuck) = self.open_targets(process, at, gateway, Some(event)) {
                return Err(Rejection::Invalid { reason: stuck.message });
            }
            if self.state.waits.values().all(|wait| wait.owner != gateway) {
                let key = gateway;
                self.emit(Event::ElementLeft { key, flows: Vec::new() });
            }
            return self.pass(process, event, ROOT, Vec::new(), Bindings::new());
        }
        let flow = node.outgoing.iter().find(|flow| process.flow(**flow).target == event);
        let Some(flow) = flow.map(|flow| process.flow(*flow).id.clone()) else {
            return Err(Rejection::NoSuchStart { by: words(by) });
        };
        self.emit(Event::ElementLeft {
            key: gateway,
            flows: vec![flow.clone()],
        });
        self.pass(process, event, ROOT, vec![flow], Bindings::new())
    }

    /// Whether a node of the process's own level waits for what started it: the node, the event that has happened, and
    /// which of its definitions.
    fn start_at(&self, process: &Process, at: NodeIx, by: &StartedBy) -> Option<(NodeIx, NodeIx, u32)> {
        match &process.node(at).kind {
            NodeKind::Start { .. } => Some((at, at, self.trigger_of(process, at, by)?)),
            NodeKind::Task(task) if matches!(task.work, Work::Receive { instantiate: true, .. }) => {
                Some((at, at, self.trigger_of(process, at, by)?))
            }
            NodeKind::EventBased { instantiate: true, .. } => {
                let mut targets = targets_of(process, at);
                targets.find_map(|target| Some((at, target, self.trigger_of(process, target, by)?)))
            }
            _ => None,
        }
    }

    /// Which definition of an event is what started the process.
    fn trigger_of(&self, process: &Process, event: NodeIx, by: &StartedBy) -> Option<u32> {
        let id = &process.node(event).id;
        if let StartedBy::Chosen(chosen) = by {
            let is_chosen = chosen == id && process.plain_starts(None).any(|at| at == event);
            return is_chosen.then_some(0);
        }
        let is_named = |text: &Text, name: &str| self.text(text, ROOT).is_ok_and(|text| text == name);
        if let Some((id, message)) = received_by(process, event) {
            return match (by, message) {
                (StartedBy::Message(name), Some(message)) => is_named(&message.name, name).then_some(0),
                (StartedBy::Message(name), None) => (**id == **name).then_some(0),
                _ => None,
            };
        }
        let triggers = &catch_of(process, event)?.triggers;
        (0_u32..).zip(triggers).find_map(|(index, trigger)| {
            let fits = match (by, trigger) {
                (StartedBy::Message(name), Trigger::Message(message)) => is_named(&message.name, name),
                (StartedBy::Signal(name), Trigger::Signal(signal)) => is_named(signal, name),
                (StartedBy::Timer(element), Trigger::Timer(_)) | (StartedBy::Condition(element), Trigger::Condition(_)) => {
                    element == id
                }
                _ => false,
            };
            fits.then_some(index)
        })
    }
}

/// What started a process, for whoever reads that it cannot be.
fn words(by: &StartedBy) -> String {
    match by {
        StartedBy::Somebody => "somebody who starts it by hand".to_owned(),
        StartedBy::Chosen(element) => format!("somebody who chose {element}"),
        StartedBy::Message(name) => format!("the message {name}"),
        StartedBy::Signal(name) => format!("the signal {name}"),
        StartedBy::Timer(element) => format!("the timer {element}"),
        StartedBy::Condition(element) => format!("the condition {element}"),
    }
}
