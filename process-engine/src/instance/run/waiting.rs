//! What is waited for: opened when an element or a scope begins, opened again where it may happen again.

use std::sync::Arc;

use super::{Run, Stuck, moment::When};
use crate::{
    instance::{
        ROOT,
        command::Rejection,
        event::Event,
        state::{Wait, Waiting},
        words::{Key, TimerPurpose},
    },
    model::{Catch, ElementId, Message, NodeIx, NodeKind, Process, SubProcess, Text, Timer, Trigger, Work},
};

/// Something that is about to be waited for: all about it is known.
enum Awaited {
    Timer { when: When, pausable: bool },
    Message { name: String, correlation: Option<String> },
    Signal { name: String },
    Condition { holds: bool },
}

/// A process and the sub-process of it whose nodes are meant; none: the process's own.
pub(super) type LevelIn = (Arc<Process>, Option<NodeIx>);

/// What an event of the model catches.
pub(super) fn catch_of(process: &Process, at: NodeIx) -> Option<&Catch> {
    match &process.node(at).kind {
        NodeKind::Start { catch, .. } | NodeKind::Catch(catch) | NodeKind::Boundary { catch, .. } => Some(catch),
        _ => None,
    }
}

/// Whether an event has happened only when all of its definitions have.
pub(super) fn needs_all(process: &Process, at: NodeIx) -> bool {
    catch_of(process, at).is_some_and(|catch| catch.parallel && catch.triggers.len() > 1)
}

/// The events that are waited for while an element is done: on its border, and those that start event sub-processes in it.
pub(super) fn events_of(process: &Process, at: Option<NodeIx>, is_whole: bool, is_round: bool) -> Vec<NodeIx> {
    let mut events = Vec::new();
    // Borders belong to a repeated activity as a whole, levels to each of its rounds.
    if let Some(at) = at.filter(|_| !is_round) {
        events.extend(process.node(at).boundary.iter().copied());
        events.extend(targets_of(process, at));
    }
    if !is_whole {
        events.extend(starts_of(process, at));
    }
    events
}

/// The start events of the event sub-processes of a level.
pub(super) fn starts_of(process: &Process, level: Option<NodeIx>) -> impl Iterator<Item = NodeIx> {
    let is_event = |child: &&NodeIx| matches!(process.node(**child).kind, NodeKind::SubProcess(SubProcess::Event));
    let events = process.level(level).iter().filter(is_event);
    events.filter_map(|inner| start_of(process, *inner))
}

/// The start event of an event sub-process.
pub(super) fn start_of(process: &Process, event_sub_process: NodeIx) -> Option<NodeIx> {
    let mut inside = process.node(event_sub_process).children.iter().copied();
    inside.find(|child| matches!(process.node(*child).kind, NodeKind::Start { .. }))
}

/// The events that an event-based gateway waits for.
pub(super) fn targets_of(process: &Process, gateway: NodeIx) -> impl Iterator<Item = NodeIx> {
    let is_gateway = matches!(process.node(gateway).kind, NodeKind::EventBased { .. });
    let flows = process.node(gateway).outgoing.iter().filter(move |_| is_gateway);
    flows.map(|flow| process.flow(*flow).target)
}

impl Run<'_> {
    /// Waits for the events on the border of an activity that begins.
    pub(super) fn open_borders(&mut self, process: &Process, at: NodeIx, host: Key) -> Result<(), Stuck> {
        for border in &process.node(at).boundary {
            self.open_event(process, *border, host)?;
        }
        Ok(())
    }

    /// Waits for the events that start the event sub-processes of a level that begins. One that cannot be waited for is an
    /// incident on the scope; all else goes on.
    pub(super) fn open_level_events(&mut self, process: &Process, level: Option<NodeIx>, scope: Key) {
        for start in starts_of(process, level) {
            if let Err(stuck) = self.open_event(process, start, scope) {
                self.stuck_before(scope, &process.node(start).id.clone(), stuck);
            }
        }
    }

    /// Waits for the events after an event-based gateway, but for one that has happened already.
    pub(super) fn open_targets(
        &mut self,
        process: &Process,
        gateway: NodeIx,
        key: Key,
        but: Option<NodeIx>,
    ) -> Result<(), Stuck> {
        for target in targets_of(process, gateway).filter(|target| Some(*target) != but) {
            self.open_event(process, target, key)?;
        }
        Ok(())
    }

    /// Waits for whatever makes an event happen, unless that is waited for already.
    pub(super) fn open_event(&mut self, process: &Process, event: NodeIx, owner: Key) -> Result<(), Stuck> {
        if self.waits_of(owner, &process.node(event).id).is_empty() {
            self.open_event_but(process, event, owner, None)?;
        }
        Ok(())
    }

    /// Waits for all definitions of an event but one that has happened already. All of them can be told, or none is opened.
    pub(super) fn open_event_but(&mut self, process: &Process, event: NodeIx, owner: Key, but: Option<u32>) -> Result<(), Stuck> {
        let mut awaited = Vec::new();
        if let Some(catch) = catch_of(process, event) {
            for (trigger, definition) in (0_u32..).zip(&catch.triggers) {
                if Some(trigger) != but
                    && let Some(one) = self.awaited(definition, owner)?
                {
                    awaited.push((trigger, one));
                }
            }
        } else if let Some((name, message)) = received_by(process, event) {
            let (name, correlation) = match message {
                Some(message) => self.named(message, owner)?,
                // Whatever is correlated with the task by its id.
                None => (name.to_string(), None),
            };
            awaited.push((0, Awaited::Message { name, correlation }));
        }
        let element = &process.node(event).id;
        for (trigger, one) in awaited {
            self.await_one((owner, element, trigger), one);
        }
        Ok(())
    }

    /// What is to be waited for, by a definition; none for what nobody waits for until it is thrown.
    fn awaited(&self, trigger: &Trigger, owner: Key) -> Result<Option<Awaited>, Stuck> {
        Ok(match trigger {
            Trigger::Timer(timer) => Some(Awaited::Timer {
                when: self.when(timer, owner)?,
                pausable: timer.pausable,
            }),
            Trigger::Message(message) => {
                let (name, correlation) = self.named(message, owner)?;
                Some(Awaited::Message { name, correlation })
            }
            Trigger::Signal(name) => Some(Awaited::Signal {
                name: self.text(name, owner)?,
            }),
            Trigger::Condition(_) => Some(Awaited::Condition { holds: false }),
            Trigger::Error(_) | Trigger::Escalation(_) | Trigger::Link(_) | Trigger::Compensation | Trigger::Cancel => None,
        })
    }

    /// The name of a message and the key that it carries.
    pub(super) fn named(&self, message: &Message, key: Key) -> Result<(String, Option<String>), Stuck> {
        let name = self.text(&message.name, key)?;
        let correlation = match &message.correlation {
            Some(expression) => Some(self.text(&Text::Computed(expression.clone()), key)?),
            None => None,
        };
        Ok((name, correlation))
    }

    fn await_one(&mut self, (owner, element, trigger): (Key, &ElementId, u32), awaited: Awaited) {
        let (key, element) = (self.next_key(), element.clone());
        // A condition may hold from the beginning.
        self.variables_changed |= matches!(awaited, Awaited::Condition { .. });
        let event = match awaited {
            Awaited::Timer { when, pausable } => Event::TimerScheduled {
                key,
                owner,
                element,
                trigger,
                purpose: TimerPurpose::Event,
                due_at: when.due_at,
                repeats_left: when.repeats_left,
                pausable,
            },
            Awaited::Message { name, correlation } => Event::MessageAwaited {
                key,
                owner,
                element,
                trigger,
                message: name,
                correlation,
            },
            Awaited::Signal { name } => Event::SignalAwaited {
                key,
                owner,
                element,
                trigger,
                signal: name,
            },
            Awaited::Condition { holds } => Event::ConditionAwaited {
                key,
                owner,
                element,
                trigger,
                holds,
            },
        };
        self.emit(event);
    }

    /// An event that does not interrupt has happened: it may happen again.
    pub(super) fn open_again(&mut self, process: &Process, event: NodeIx, wait: &Wait) {
        let again = if needs_all(process, event) {
            self.open_event_but(process, event, wait.owner, None)
        } else {
            self.await_again(process, event, wait)
        };
        if let Err(stuck) = again {
            self.stuck_before(wait.owner, &wait.element, stuck);
        }
    }

    fn await_again(&mut self, process: &Process, event: NodeIx, wait: &Wait) -> Result<(), Stuck> {
        let definition = catch_of(process, event).and_then(|catch| catch.triggers.get(wait.trigger as usize));
        let again = match (&wait.what, definition) {
            (Waiting::Timer { .. }, Some(Trigger::Timer(timer))) => {
                let Some(when) = self.next_of_cycle(timer, wait)? else {
                    return Ok(());
                };
                let pausable = timer.pausable;
                Awaited::Timer { when, pausable }
            }
            (Waiting::Message { name, correlation }, _) => Awaited::Message {
                name: name.clone(),
                correlation: correlation.clone(),
            },
            (Waiting::Signal { name }, _) => Awaited::Signal { name: name.clone() },
            (Waiting::Condition { .. }, _) => Awaited::Condition { holds: true },
            (Waiting::Timer { .. }, _) => return Ok(()),
        };
        self.await_one((wait.owner, &wait.element, wait.trigger), again);
        Ok(())
    }

    /// When a cycle fires again that has just fired; none: it does not.
    fn next_of_cycle(&self, timer: &Timer, wait: &Wait) -> Result<Option<When>, Stuck> {
        let Waiting::Timer {
            due_at, repeats_left, ..
        } = wait.what
        else {
            return Ok(None);
        };
        if repeats_left == Some(0) {
            return Ok(None);
        }
        let mut when = self.when(timer, wait.owner)?;
        let next = when.every.as_ref().and_then(|every| self.next(due_at, every, timer.calendar));
        let Some(next) = next.filter(|next| when.until.is_none_or(|until| *next <= until)) else {
            return Ok(None);
        };
        when.due_at = next;
        when.repeats_left = repeats_left.map(|left| left - 1);
        Ok(Some(when))
    }

    /// What is waited for on behalf of an event, oldest first.
    pub(super) fn waits_of(&self, owner: Key, element: &ElementId) -> Vec<Key> {
        let is_of = |wait: &Wait| wait.owner == owner && wait.element == *element;
        let all = self.state.waits.iter();
        all.filter(|(_, wait)| is_of(wait)).map(|(key, _)| *key).collect()
    }

    /// The level whose nodes stand directly in a scope; none, if it is no scope of nodes.
    pub(super) fn level_in(&self, scope: Key) -> Result<Option<LevelIn>, Rejection> {
        let Some(element) = self.state.elements.get(&scope) else {
            return Ok(None);
        };
        if scope == ROOT || element.process.is_some() {
            return Ok(Some((self.process_in(scope)?, None)));
        }
        let (process, at) = self.node_of(scope)?;
        let is_level = matches!(process.node(at).kind, NodeKind::SubProcess(_)) && element.rounds.is_none();
        Ok(is_level.then_some((process, Some(at))))
    }
}

/// The task that receives a message, by its id, and the message if the model names one.
pub(super) fn received_by(process: &Process, at: NodeIx) -> Option<(&ElementId, Option<&Message>)> {
    let node = process.node(at);
    match &node.kind {
        NodeKind::Task(task) => match &task.work {
            Work::Receive { message, .. } => Some((&node.id, message.as_ref())),
            _ => None,
        },
        _ => None,
    }
}
