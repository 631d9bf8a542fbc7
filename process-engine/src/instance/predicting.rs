//! 流程预测: what comes next, if everybody who is asked agrees. A dry run of the same decisions on a copy of the state:
//! there is no second way to tell where a token goes.

use serde::Serialize;

use super::{
    ProcessInstance,
    command::{Command, Rejection},
    context::Context,
    event::Event,
    state::Instance,
    trail::{Cause, Trail},
    words::{Bindings, Ending, Key, Outcome, Person, Said, SignPlace},
};
use crate::model::ElementId;

/// The most steps that are foreseen: further ahead nobody looks.
pub const MAX_FORESEEN_STEPS: usize = 200;

/// The most events of one dry run: it goes no further after the step that comes so far. Whoever tries a model must not keep
/// a machine busy.
pub const MAX_FORESEEN_EVENTS: usize = 50_000;

/// How often one element is foreseen: a loop is shown once.
const MAX_SAME_ELEMENT: usize = 2;

/// What somebody is taken to decide at an element; whoever is not named agrees.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Where.
    pub element: ElementId,
    /// How.
    pub outcome: Outcome,
    /// What they write into the form; the result, if it is a job.
    pub form: Bindings,
    /// What becomes of the instance's own variables just before, as whoever it belongs to would tell it.
    pub told: Bindings,
}

/// What a dry run came to.
#[derive(Debug, Clone)]
pub struct Foresight {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// All that would happen, in order.
    pub events: Vec<Event>,
    /// How the instance would stand in the end.
    pub state: Instance,
}

/// A step that is to come.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// The element.
    pub element: ElementId,
    /// Its name.
    pub name: Option<String>,
    /// What happens there.
    pub what: Foreseen,
    /// Why it comes to that, since the step before.
    pub because: Vec<Cause>,
}

/// What happens at a step that is to come.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Foreseen {
    /// People are asked.
    Asked {
        /// Who, as far as that can be told now. A draw can turn out otherwise.
        people: Vec<Person>,
        /// How they were found.
        by_rule: Option<String>,
        /// Whether all of them are, in a vote or one after the other.
        all: bool,
    },
    /// Nobody needs to be asked.
    Skipped {
        /// Why.
        reason: String,
    },
    /// Something is done outside; its result is taken to be empty, unless it is chosen.
    Job {
        /// What.
        kind: String,
    },
    /// A token cannot go on.
    Stuck {
        /// Why.
        message: String,
    },
    /// The end.
    Ended {
        /// How.
        how: Ending,
    },
}

/// What comes next from the present state, if everybody agrees or chooses as said. Ends where something is waited for that
/// nobody can foresee.
pub fn predict(state: &Instance, context: &Context, choices: &[Choice]) -> Vec<Step> {
    let context = of_platform(context);
    let mut dry = DryRun::of(state.clone(), &context);
    dry.go_on(&context, choices);
    dry.steps
}

/// A whole life from its beginning: what starting an instance so would come to. Why not, if it cannot be started.
pub fn try_out(start: &Command, context: &Context, choices: &[Choice]) -> Result<Foresight, Rejection> {
    let context = of_platform(context);
    let mut dry = DryRun::of(Instance::default(), &context);
    dry.step(start, &context)?;
    dry.go_on(&context, choices);
    Ok(Foresight {
        steps: dry.steps,
        events: dry.events,
        state: dry.state,
    })
}

/// Nobody acts in a dry run, and so nobody is held up in it.
fn of_platform(context: &Context) -> Context {
    Context {
        actor: None,
        on_behalf_of: None,
        is_administrator: true,
        ..context.clone()
    }
}

/// A copy that goes ahead.
struct DryRun<'a> {
    state: Instance,
    trail: Trail<'a>,
    steps: Vec<Step>,
    events: Vec<Event>,
}

impl<'a> DryRun<'a> {
    fn of(state: Instance, context: &'a Context) -> Self {
        Self {
            state,
            trail: Trail::new(&*context.outside),
            steps: Vec::new(),
            events: Vec::new(),
        }
    }

    fn go_on(&mut self, context: &Context, choices: &[Choice]) {
        let mut asked: Vec<(ElementId, Key)> = Vec::new();
        let is_bounded = |dry: &Self| dry.steps.len() < MAX_FORESEEN_STEPS && dry.events.len() < MAX_FORESEEN_EVENTS;
        while is_bounded(self) && self.state.is_running() {
            let Some((element, key, command)) = self.next(choices) else {
                break;
            };
            let times = asked
                .iter()
                .filter(|(known, scope)| *known == element && *scope == key)
                .count();
            if times >= MAX_SAME_ELEMENT {
                break;
            }
            let told = choices.iter().find(|choice| choice.element == element);
            let told = told.map(|choice| choice.told.clone()).unwrap_or_default();
            if !told.is_empty() {
                let reason = "-".to_owned();
                let told = Command::SetVariables {
                    scope: super::ROOT,
                    variables: told,
                    reason,
                };
                if self.step(&told, context).is_err() {
                    break;
                }
            }
            if self.step(&command, context).is_err() {
                break;
            }
            asked.push((element, key));
        }
        self.steps.truncate(MAX_FORESEEN_STEPS);
    }

    fn step(&mut self, command: &Command, context: &Context) -> Result<(), Rejection> {
        let before = self.state.clone();
        let events = ProcessInstance::step(&mut self.state, command, context)?;
        self.follow(before, &events);
        self.events.extend(events);
        Ok(())
    }

    /// What is done next: the element, what tells its rounds apart, and the command.
    fn next(&self, choices: &[Choice]) -> Option<(ElementId, Key, Command)> {
        let choice = |element: &ElementId| choices.iter().find(|choice| choice.element == *element);
        let is_free = |task: &super::Task| {
            let waits = task
                .signs
                .iter()
                .any(|sign| sign.place == SignPlace::Before && sign.outcome.is_none());
            task.held.is_none() && !waits
        };
        if let Some((key, task)) = self.state.tasks.iter().find(|(_, task)| is_free(task)) {
            let choice = choice(&task.element);
            let command = Command::CompleteTask {
                task: *key,
                outcome: choice.map_or(Outcome::Approved, |choice| choice.outcome.clone()),
                said: Said {
                    opinion: Some("-".to_owned()),
                    signature: Some("-".to_owned()),
                },
                form: choice.map(|choice| choice.form.clone()).unwrap_or_default(),
                chosen: Vec::new(),
            };
            // Each voice of a vote is another round of the same.
            let round = self
                .state
                .elements
                .get(key)
                .and_then(|element| element.round)
                .map_or(0, u64::from);
            let sign = if task.owner == *key { 0 } else { *key };
            return Some((task.element.clone(), round + sign, command));
        }
        let (key, _) = self
            .state
            .jobs
            .iter()
            .find(|(_, job)| job.retry_at.is_none() && job.tries_left > 0)?;
        let element = self.state.elements.get(key)?.element.clone();
        let form = choice(&element).map(|choice| choice.form.clone()).unwrap_or_default();
        let result = serde_json::Value::Object(form.into_iter().collect());
        Some((element, 0, Command::CompleteJob { job: *key, result }))
    }

    /// Notes which steps come of what happened.
    fn follow(&mut self, mut before: Instance, events: &[Event]) {
        for event in events {
            self.trail.follow(&before, event);
            self.note(&before, event);
            <ProcessInstance as decider::Decider>::evolve(&mut before, event);
        }
    }

    fn note(&mut self, before: &Instance, event: &Event) {
        let element_of = |key: Key| before.elements.get(&key).map(|element| element.element.clone());
        let (key, element, what) = match event {
            Event::TaskOpened {
                key,
                owner,
                element,
                candidates,
                assignee,
                by_rule,
                ..
            } if key == owner => {
                let around = before.elements.get(key).filter(|element| element.round.is_some());
                let rounds = around.and_then(|element| before.elements.get(&element.scope)?.rounds.as_ref());
                if rounds.is_some_and(|rounds| !rounds.people.is_empty()) {
                    // Said when the vote began.
                    return;
                }
                let people = assignee.iter().chain(candidates).cloned().collect();
                let by_rule = by_rule.clone();
                let all = false;
                (*key, Some(element.clone()), Foreseen::Asked { people, by_rule, all })
            }
            Event::RoundsPlanned { key, people, .. } if !people.is_empty() => {
                let people = people.clone();
                let what = Foreseen::Asked {
                    people,
                    by_rule: None,
                    all: true,
                };
                (*key, element_of(*key), what)
            }
            Event::TaskSkipped {
                key, element, reason, ..
            } => {
                let reason = reason.clone();
                (*key, Some(element.clone()), Foreseen::Skipped { reason })
            }
            Event::JobCreated { key, kind, .. } => (*key, element_of(*key), Foreseen::Job { kind: kind.clone() }),
            Event::IncidentRaised {
                owner, element, message, ..
            } => {
                let message = message.clone();
                (*owner, Some(element.clone()), Foreseen::Stuck { message })
            }
            Event::ProcessEnded { how, .. } => {
                let process = before.started.as_ref().map(|started| started.process.process.clone());
                (super::ROOT, process, Foreseen::Ended { how: how.clone() })
            }
            _ => return,
        };
        let Some(element) = element else { return };
        self.steps.push(Step {
            name: self.name_of(&element),
            element,
            what,
            because: self.trail.because(key),
        });
    }

    fn name_of(&self, element: &ElementId) -> Option<String> {
        // In the process itself, or in one that it calls.
        let references = self.state.elements.values().filter_map(|element| element.process.as_ref());
        let mut processes = references.filter_map(|reference| self.trail.process(reference));
        processes.find_map(|process| process.find(element).and_then(|at| process.node(at).name.clone()))
    }
}
