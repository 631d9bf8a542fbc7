//! One decision, step by step: a working copy of the state, to which every event is applied as soon as it is decided.
//!
//! A token arrives on a flow ([`arrive`](Run::arrive)); its node begins when it can ([`enter`](Run::enter)); what has
//! nothing to wait for leaves at once ([`leave`](Run::leave)) and puts tokens on flows; joins and scopes are looked at
//! again when something in them changed ([`settle`](Run::settle)).

mod adhoc;
mod arriving;
pub(crate) mod asking;
mod calls;
mod catchers;
mod catching;
mod choosing;
mod clock;
mod compensating;
mod complex;
mod entering;
mod incidents;
pub(crate) mod late;
mod leaving;
mod looking;
mod marking;
mod migrating;
mod modifying;
pub(super) mod moment;
pub(crate) mod moving;
mod rounds;
mod settling;
mod starting;
pub(crate) mod tasks;
mod throwing;
pub(crate) mod votes;
mod waiting;
mod ways;
mod work;

pub(crate) use adhoc::can_be_begun;
use std::{
    cell::RefCell,
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use super::{
    Instance,
    command::Rejection,
    context::Context,
    event::Event,
    evolve,
    state::Incident,
    words::{Key, Obstacle, Person, Phase},
};
use crate::model::{ElementId, FlowIx, Node, NodeIx, Process, ProcessRef};

/// The most steps that one command may take; more is an incident on the token that would take the next.
pub const MAX_STEPS_PER_COMMAND: u32 = 20_000;

/// The account under which the platform itself acts.
pub const PLATFORM_ID: &str = "zhulu";

/// Its name.
pub const PLATFORM_NAME: &str = "筑录平台";

/// Why an element cannot go on: what is wrong, and the sentence that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stuck {
    pub(crate) obstacle: Obstacle,
    pub(crate) message: String,
}

impl Stuck {
    pub(crate) fn new(obstacle: Obstacle, message: impl Into<String>) -> Self {
        Self {
            obstacle,
            message: message.into(),
        }
    }
}

impl From<crate::expression::ExpressionError> for Stuck {
    fn from(cause: crate::expression::ExpressionError) -> Self {
        Self::new(Obstacle::Expression, cause.to_string())
    }
}

/// A token on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub(crate) scope: Key,
    pub(crate) flow: FlowIx,
}

/// A decision that is being made.
pub(crate) struct Run<'a> {
    pub(crate) state: &'a mut Instance,
    pub(crate) context: &'a Context,
    pub(crate) events: Vec<Event>,
    /// Tokens that were just put on flows.
    pub(crate) arrivals: VecDeque<Arrival>,
    /// Those of them that throw something, and arrive last.
    pub(crate) throwing: VecDeque<Arrival>,
    /// Scopes in which something was done: joins may fire there, and they may be finished.
    pub(crate) touched: BTreeSet<Key>,
    /// What was begun by a move: people are asked even if the model would skip them.
    pub(crate) asked_again: BTreeSet<Key>,
    /// Variables changed: conditions are asked again.
    pub(crate) variables_changed: bool,
    /// What has asked for compensation that may go on.
    pub(crate) compensating: BTreeSet<Key>,
    /// What was left without having been done: skipped, or ended at once.
    pub(crate) not_compensable: BTreeSet<Key>,
    steps: u32,
    /// The processes that were looked up: the same few are needed at every step.
    processes: RefCell<Vec<Arc<Process>>>,
}

impl<'a> Run<'a> {
    /// Begins with the state as it is; it changes with every step.
    pub(crate) fn new(state: &'a mut Instance, context: &'a Context) -> Self {
        Self {
            state,
            context,
            events: Vec::new(),
            arrivals: VecDeque::new(),
            throwing: VecDeque::new(),
            touched: BTreeSet::new(),
            asked_again: BTreeSet::new(),
            variables_changed: false,
            compensating: BTreeSet::new(),
            not_compensable: BTreeSet::new(),
            steps: 0,
            processes: RefCell::default(),
        }
    }

    /// Something happens.
    pub(crate) fn emit(&mut self, event: Event) {
        evolve::evolve(self.state, &event);
        if let Event::VariablesSet { .. } = event {
            self.variables_changed = true;
        }
        self.events.push(event);
    }

    /// A key for something that begins now. Whatever gets it must begin before the next one is asked for.
    pub(crate) fn next_key(&self) -> Key {
        self.state.next_key
    }

    /// The process whose elements stand directly in a scope.
    pub(crate) fn process_in(&self, scope: Key) -> Result<Arc<Process>, Rejection> {
        let reference = self.state.process_of(scope).ok_or(Rejection::NothingThere { key: scope })?;
        self.process(reference)
    }

    /// A process by its reference.
    pub(crate) fn process(&self, reference: &ProcessRef) -> Result<Arc<Process>, Rejection> {
        if let Some(known) = self.processes.borrow().iter().find(|known| known.reference == *reference) {
            return Ok(Arc::clone(known));
        }
        let Some(found) = self.context.outside.process(reference) else {
            return Err(Rejection::NoSuchProcess {
                model: reference.model.to_string(),
                process: reference.process.to_string(),
            });
        };
        if found.reference == *reference {
            self.processes.borrow_mut().push(Arc::clone(&found));
        }
        Ok(found)
    }

    /// The node that an element is an instance of, with its process.
    pub(crate) fn node_of(&self, key: Key) -> Result<(Arc<Process>, NodeIx), Rejection> {
        let element = self.state.elements.get(&key).ok_or(Rejection::NothingThere { key })?;
        let process = self.process_in(element.scope)?;
        let node = process.find(&element.element).ok_or_else(|| Rejection::NoSuchElement {
            element: element.element.to_string(),
        })?;
        Ok((process, node))
    }

    /// A token cannot go on until somebody repairs what is wrong.
    pub(crate) fn stuck(&mut self, owner: Key, phase: Phase, stuck: Stuck) {
        let Some(element) = self.state.elements.get(&owner) else {
            return;
        };
        let element = element.element.clone();
        self.emit(Event::IncidentRaised {
            key: self.next_key(),
            owner,
            element,
            phase,
            obstacle: stuck.obstacle,
            message: stuck.message,
            at: self.context.now,
        });
    }

    /// The platform itself, where it acts and somebody must be named.
    pub(crate) fn platform(&self) -> Person {
        self.context.actor.clone().unwrap_or_else(|| Person {
            id: PLATFORM_ID.into(),
            name: PLATFORM_NAME.into(),
        })
    }

    /// A scope cannot go on with one of its nodes that has not begun; said once until it is repaired.
    pub(crate) fn stuck_before(&mut self, scope: Key, element: &ElementId, stuck: Stuck) {
        if self.is_stuck_before(scope, element) {
            return;
        }
        self.emit(Event::IncidentRaised {
            key: self.next_key(),
            owner: scope,
            element: element.clone(),
            phase: Phase::Active,
            obstacle: stuck.obstacle,
            message: stuck.message,
            at: self.context.now,
        });
    }

    /// Whether a node of this scope could not begin, and nobody has repaired it yet.
    pub(crate) fn is_stuck_before(&self, scope: Key, element: &ElementId) -> bool {
        let same = |incident: &Incident| incident.owner == scope && incident.element == *element;
        !self.state.incidents.is_empty() && self.state.incidents.values().any(same)
    }

    /// Something in a scope changed: it is looked at again.
    pub(crate) fn touch(&mut self, scope: Key) {
        self.touched.insert(scope);
    }

    /// The element that a task belongs to: its own, or that of whoever asked besides (加签).
    pub(crate) fn element_of_task(&self, task: Key) -> Key {
        let mut at = task;
        while let Some(task) = self.state.tasks.get(&at).filter(|task| task.owner != at) {
            at = task.owner;
        }
        at
    }

    /// Counts a step; says whether there may be another.
    pub(crate) fn may_step(&mut self) -> bool {
        self.steps += 1;
        self.steps <= MAX_STEPS_PER_COMMAND
    }

    /// Puts tokens on their way. Each but the first counts as a step of its own: what multiplies stops as what goes round in
    /// circles does.
    pub(crate) fn send_on(&mut self, arrivals: impl IntoIterator<Item = Arrival>) {
        let before = self.arrivals.len();
        self.arrivals.extend(arrivals);
        let more = (self.arrivals.len() - before).saturating_sub(1);
        self.steps = self.steps.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
    }

    /// Gives up an element and everything in it.
    pub(crate) fn cancel(&mut self, key: Key) {
        if let Some(element) = self.state.elements.get(&key) {
            let (scope, compensates) = (element.scope, element.compensation);
            self.emit(Event::ElementCancelled { key });
            self.compensating.extend(compensates.map(|what| what.by));
            for arrivals in [&mut self.arrivals, &mut self.throwing] {
                arrivals.retain(|arrival| self.state.elements.contains_key(&arrival.scope));
            }
            self.touched.insert(scope);
        }
    }
}

/// Whether a node needs more than one token to begin: it waits on its flows until it can.
pub(crate) fn is_join(node: &Node) -> bool {
    use crate::model::NodeKind;
    let joins = matches!(node.kind, NodeKind::Parallel | NodeKind::Inclusive | NodeKind::Complex { .. });
    (joins && node.incoming.len() > 1) || node.activity.as_ref().is_some_and(|activity| activity.start_quantity > 1)
}
