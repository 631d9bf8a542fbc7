//! Why a token is where it is: what was decided, which conditions held, which tables answered, since the last step of
//! people. Followed along the events; the model says only what the conditions were.

use std::{collections::HashMap, sync::Arc};

use serde::Serialize;
use serde_json::Value;

use super::{
    ProcessInstance,
    context::Outside,
    event::Event,
    state::Instance,
    words::{Key, MoveKind, Outcome, Person, ROOT, Tally},
};
use crate::model::{ElementId, NodeKind, Process, TimeoutAction};

/// The most causes that are kept for one token: more is a page that nobody reads.
const MAX_CAUSES: usize = 50;

/// One reason why a token is where it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Cause {
    /// The process was started.
    Started {
        /// By whom.
        by: Option<Person>,
    },
    /// Somebody decided.
    Decided {
        /// Which step.
        element: ElementId,
        /// Who.
        by: Person,
        /// How.
        outcome: Outcome,
    },
    /// A vote was over.
    Voted {
        /// Which step.
        element: ElementId,
        /// Whether it passed.
        passed: bool,
        /// How it stood.
        tally: Tally,
    },
    /// Nobody needed to decide.
    Skipped {
        /// Which step.
        element: ElementId,
        /// Why.
        reason: String,
    },
    /// Nobody decided in time.
    Late {
        /// Which step.
        element: ElementId,
        /// What was done about it.
        action: TimeoutAction,
    },
    /// A condition held.
    Condition {
        /// Where.
        element: ElementId,
        /// The flow that was taken.
        flow: ElementId,
        /// The condition; none: the flow has none, or is the default.
        feel: Option<String>,
    },
    /// A decision table answered.
    Table {
        /// Which.
        decision: String,
        /// The rules that matched, from 1.
        rules: Vec<u32>,
        /// What it gave.
        outputs: Value,
    },
    /// An event happened on the border of a step, or between steps.
    Happened {
        /// Which.
        element: ElementId,
    },
    /// It was moved by hand.
    Moved {
        /// How.
        kind: MoveKind,
        /// Who.
        by: Option<Person>,
        /// Why.
        reason: String,
    },
}

/// Something that is being done or waits, and why it is there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Here {
    /// The element, as it is called while it is done.
    pub key: Key,
    /// Its name in the model.
    pub element: ElementId,
    /// What stands around it.
    pub scope: Key,
    /// Why.
    pub because: Vec<Cause>,
}

/// Why is everything where it is? From all events of an instance.
pub fn explain(events: &[Event], outside: &dyn Outside) -> Vec<Here> {
    let mut state = Instance::default();
    let mut trail = Trail::new(outside);
    for event in events {
        trail.follow(&state, event);
        <ProcessInstance as decider::Decider>::evolve(&mut state, event);
    }
    let here = |(key, element): (&Key, &super::Element)| Here {
        key: *key,
        element: element.element.clone(),
        scope: element.scope,
        because: trail.because(*key),
    };
    state.elements.iter().filter(|(key, _)| **key != ROOT).map(here).collect()
}

/// What has brought each token to where it is.
pub(super) struct Trail<'a> {
    outside: &'a dyn Outside,
    elements: HashMap<Key, Vec<Cause>>,
    flows: HashMap<(Key, ElementId), Vec<Cause>>,
    /// The move by hand that began whatever begins next without a token.
    moved: Option<(Key, Cause)>,
}

impl<'a> Trail<'a> {
    pub(super) fn new(outside: &'a dyn Outside) -> Self {
        Self {
            outside,
            elements: HashMap::new(),
            flows: HashMap::new(),
            moved: None,
        }
    }

    /// A process that is known outside.
    pub(super) fn process(&self, reference: &crate::model::ProcessRef) -> Option<Arc<Process>> {
        self.outside.process(reference)
    }

    /// Why an element is being done.
    pub(super) fn because(&self, key: Key) -> Vec<Cause> {
        self.elements.get(&key).cloned().unwrap_or_default()
    }

    /// Follows what happens, before it is folded in.
    pub(super) fn follow(&mut self, state: &Instance, event: &Event) {
        match event {
            Event::ProcessStarted { starter, .. } => self.only(ROOT, Cause::Started { by: starter.clone() }),
            Event::ElementEntered { key, scope, flows, .. } => self.enter(*key, *scope, flows),
            Event::ElementLeft { key, flows } => self.leave(state, *key, flows),
            Event::ElementCancelled { key } => _ = self.elements.remove(key),
            Event::TokensMoved {
                scope, kind, by, reason, ..
            } => {
                let cause = Cause::Moved {
                    kind: *kind,
                    by: by.clone(),
                    reason: reason.clone(),
                };
                self.moved = Some((*scope, cause));
            }
            Event::TaskCompleted { key, by, outcome, .. } => {
                if let Some(task) = state.tasks.get(key).filter(|task| task.owner == *key) {
                    let (element, by, outcome) = (task.element.clone(), by.clone(), outcome.clone());
                    self.only(*key, Cause::Decided { element, by, outcome });
                }
            }
            Event::VoteClosed { key, passed, tally, .. } => {
                if let Some(element) = name(state, *key) {
                    let (passed, tally) = (*passed, *tally);
                    self.only(*key, Cause::Voted { element, passed, tally });
                }
            }
            Event::TaskSkipped {
                key, element, reason, ..
            } => {
                let (element, reason) = (element.clone(), reason.clone());
                self.also(*key, Cause::Skipped { element, reason });
            }
            Event::TaskAutoDecided { key, action, .. } => {
                if let Some(element) = name(state, *key) {
                    let action = *action;
                    self.only(*key, Cause::Late { element, action });
                }
            }
            Event::DecisionEvaluated {
                key,
                decision,
                rules,
                outputs,
                ..
            } => {
                let (decision, rules, outputs) = (decision.clone(), rules.clone(), outputs.clone());
                self.also(
                    *key,
                    Cause::Table {
                        decision,
                        rules,
                        outputs,
                    },
                );
            }
            _ => {}
        }
    }

    /// A step of people: what was before it is explained there.
    fn only(&mut self, key: Key, cause: Cause) {
        self.elements.insert(key, vec![cause]);
    }

    fn also(&mut self, key: Key, cause: Cause) {
        add(self.elements.entry(key).or_default(), [cause]);
    }

    fn enter(&mut self, key: Key, scope: Key, flows: &[ElementId]) {
        let mut causes = Vec::new();
        for flow in flows {
            add(&mut causes, self.flows.remove(&(scope, flow.clone())).unwrap_or_default());
        }
        if flows.is_empty() {
            match &self.moved {
                Some((at, cause)) if *at == scope => causes.push(cause.clone()),
                _ => add(&mut causes, self.because(scope)),
            }
        }
        self.elements.insert(key, causes);
    }

    fn leave(&mut self, state: &Instance, key: Key, flows: &[ElementId]) {
        let mut causes = self.elements.remove(&key).unwrap_or_default();
        let Some(element) = state.elements.get(&key) else { return };
        let process = state
            .process_of(element.scope)
            .and_then(|reference| self.outside.process(reference));
        let Some((process, at)) = process.and_then(|process| process.find(&element.element).map(|at| (process, at))) else {
            return;
        };
        let node = process.node(at);
        if matches!(node.kind, NodeKind::Boundary { .. } | NodeKind::Catch(_)) {
            let element = node.id.clone();
            add(&mut causes, [Cause::Happened { element }]);
        }
        let chooses = node.outgoing.len() > 1 && !matches!(node.kind, NodeKind::Parallel);
        for flow in flows {
            let mut causes = causes.clone();
            if chooses {
                add(&mut causes, [chosen(&process, &node.id, flow)]);
            }
            self.flows.insert((element.scope, flow.clone()), causes);
        }
        if flows.is_empty() {
            // The last that ends explains why its scope does.
            self.elements.insert(element.scope, causes);
        }
    }
}

fn name(state: &Instance, key: Key) -> Option<ElementId> {
    state.elements.get(&key).map(|element| element.element.clone())
}

fn chosen(process: &Arc<Process>, element: &ElementId, flow: &ElementId) -> Cause {
    let condition = process.find_flow(flow).and_then(|flow| process.flow(flow).condition.as_ref());
    Cause::Condition {
        element: element.clone(),
        flow: flow.clone(),
        feel: condition.map(|condition| condition.feel().to_owned()),
    }
}

fn add(causes: &mut Vec<Cause>, more: impl IntoIterator<Item = Cause>) {
    for cause in more {
        if causes.len() < MAX_CAUSES && !causes.contains(&cause) {
            causes.push(cause);
        }
    }
}
