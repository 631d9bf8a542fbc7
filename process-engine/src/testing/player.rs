//! Drives one instance step by step, under a clock that only it moves.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use decider::Decider;
use serde_json::Value;

use super::{World, describe, person};
use crate::{
    instance::{
        Bindings, Command, Context, Event, Incident, Instance, Key, Outcome, Person, ProcessInstance, ROOT, Rejection, Said,
        StartedBy, Waiting,
    },
    model::ProcessRef,
};

/// The most timers that one move of the clock lets fire: an endless cycle stops here.
const MAX_TIMERS_PER_MOVE: u32 = 100_000;

/// What a player could not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotPlayed {
    /// The instance said no.
    #[error("refused: {0}")]
    Refused(#[from] Rejection),
    /// Nothing of this kind is open there.
    #[error("no {what} is open at {element}")]
    NotOpen {
        /// What was looked for.
        what: &'static str,
        /// Where.
        element: String,
    },
    /// A replay came to another state.
    #[error("after {command} a replay of the events comes to another state:\n{difference}")]
    ReplayDiffers {
        /// What was asked.
        command: String,
        /// Where both differ.
        difference: String,
    },
}

/// One instance, its events and a clock.
#[derive(Clone)]
pub struct Player {
    world: Arc<World>,
    state: Instance,
    /// The same, folded from events that went through their stored form.
    replayed: Instance,
    events: Vec<Event>,
    now: DateTime<Utc>,
    actor: Option<Person>,
    groups: Vec<Arc<str>>,
    on_behalf_of: Option<Person>,
    is_administrator: bool,
    seed: u64,
    replays: bool,
}

/// Where every clock begins: a Monday, 09:00 UTC.
pub(super) fn first_moment() -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_442_000, 0).unwrap_or_default()
}

impl Player {
    /// Nobody has done anything yet.
    pub fn new(world: &Arc<World>) -> Self {
        Self {
            world: world.clone(),
            state: Instance::default(),
            replayed: Instance::default(),
            events: Vec::new(),
            now: first_moment(),
            actor: None,
            groups: Vec::new(),
            on_behalf_of: None,
            is_administrator: false,
            seed: 0,
            replays: true,
        }
    }

    /// Without the second instance: for measurements.
    #[must_use]
    pub fn without_replay(mut self) -> Self {
        self.replays = false;
        self
    }

    /// What chance draws from; counted up with each command.
    #[must_use]
    pub fn seeded(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// From now on this person asks; an empty id: the platform itself.
    pub fn be(&mut self, who: &str) -> &mut Self {
        self.actor = (!who.is_empty()).then(|| person(who));
        self
    }

    /// What the actor belongs to.
    pub fn in_groups(&mut self, groups: &[&str]) -> &mut Self {
        self.groups = groups.iter().copied().map(Arc::from).collect();
        self
    }

    /// For whom the actor acts.
    pub fn acting_for(&mut self, whom: Option<&str>) -> &mut Self {
        self.on_behalf_of = whom.map(person);
        self
    }

    /// Whether the actor may act where only the one who is asked may.
    pub fn administrator(&mut self, is_administrator: bool) -> &mut Self {
        self.is_administrator = is_administrator;
        self
    }

    /// Where the instance is.
    pub fn state(&self) -> &Instance {
        &self.state
    }

    /// All that happened.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The moment.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Moves the clock without letting timers fire; for whoever keeps several clocks together.
    pub fn set_now(&mut self, now: DateTime<Utc>) {
        self.now = self.now.max(now);
    }

    /// The world that it lives in.
    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// What a command is decided with.
    pub fn context(&self) -> Context {
        Context {
            now: self.now,
            actor: self.actor.clone(),
            groups: self.groups.clone(),
            on_behalf_of: self.on_behalf_of.clone(),
            is_administrator: self.is_administrator,
            seed: self.seed,
            outside: self.world.clone(),
        }
    }

    /// Asks something; says what happened.
    pub fn ask(&mut self, command: &Command) -> Result<&[Event], NotPlayed> {
        let before = self.events.len();
        let context = self.context();
        self.seed = self.seed.wrapping_add(1);
        let events = ProcessInstance::step(&mut self.state, command, &context)?;
        if self.replays {
            self.replay(command, &events)?;
        }
        self.events.extend(events);
        Ok(&self.events[before..])
    }

    fn replay(&mut self, command: &Command, events: &[Event]) -> Result<(), NotPlayed> {
        let differs = |difference: String| NotPlayed::ReplayDiffers {
            command: format!("{command:?}"),
            difference,
        };
        for event in events {
            let stored = serde_json::to_string(event).map_err(|cause| differs(cause.to_string()))?;
            let read: Event = serde_json::from_str(&stored).map_err(|cause| differs(format!("{cause}: {stored}")))?;
            ProcessInstance::evolve(&mut self.replayed, &read);
        }
        match self.replayed == self.state {
            true => Ok(()),
            false => Err(differs(super::looking::difference(&self.state, &self.replayed))),
        }
    }

    /// Starts the newest process of this id.
    pub fn start(&mut self, process: &str, variables: Bindings) -> Result<&[Event], NotPlayed> {
        self.start_by(process, variables, StartedBy::Somebody)
    }

    /// Starts the newest process of this id by a message, a signal, a timer.
    pub fn start_by(&mut self, process: &str, variables: Bindings, by: StartedBy) -> Result<&[Event], NotPlayed> {
        let unknown = ProcessRef {
            model: "".into(),
            process: process.into(),
        };
        let reference = self.world.newest(process).unwrap_or(&unknown).clone();
        self.ask(&Command::Start {
            process: reference,
            version: 1,
            starter: self.actor.clone(),
            business_key: None,
            variables,
            by,
        })
    }

    /// The open tasks of an element, oldest first.
    pub fn tasks(&self, element: &str) -> Vec<Key> {
        let of = |(key, task): (&Key, &crate::instance::Task)| (&*task.element == element).then_some(*key);
        self.state.tasks.iter().filter_map(of).collect()
    }

    /// The open task of an element, if this person is asked for it; an empty id: the oldest.
    pub fn task(&self, element: &str, who: &str) -> Result<Key, NotPlayed> {
        let is_asked = |key: &Key| {
            let task = self.state.tasks.get(key);
            task.is_some_and(|task| {
                let is_who = |person: &Person| &*person.id == who;
                task.assignee.as_ref().is_some_and(is_who) || (task.assignee.is_none() && task.candidates.iter().any(is_who))
            })
        };
        let all = self.tasks(element);
        let found = all.iter().find(|key| who.is_empty() || is_asked(key));
        found.copied().ok_or_else(|| not_open("task", element))
    }

    /// Whoever is asked decides the oldest open task of an element: claims it, if nobody has it, and completes it.
    pub fn complete(&mut self, element: &str, outcome: Outcome, form: Bindings) -> Result<(), NotPlayed> {
        let key = self.task(element, "")?;
        self.complete_task(key, outcome, form)
    }

    /// The same for the task of one of several who are asked.
    pub fn complete_as(&mut self, who: &str, element: &str, outcome: Outcome) -> Result<(), NotPlayed> {
        let key = self.task(element, who)?;
        self.complete_task(key, outcome, Bindings::new())
    }

    /// Whoever is asked decides this task.
    pub fn complete_task(&mut self, task: Key, outcome: Outcome, form: Bindings) -> Result<(), NotPlayed> {
        let actor = self.actor.clone();
        if let Some(open) = self.state.tasks.get(&task) {
            let asked = open.assignee.clone().or_else(|| open.candidates.first().cloned());
            let must_be_claimed = open.assignee.is_none() && !open.candidates.is_empty();
            self.actor = asked.or_else(|| actor.clone());
            if must_be_claimed {
                let claimed = self.ask(&Command::ClaimTask { task }).map(|_| ());
                if let Err(cause) = claimed {
                    self.actor = actor;
                    return Err(cause);
                }
            }
        }
        let said = Said {
            opinion: Some("同意".to_owned()),
            signature: Some("0".repeat(64)),
        };
        let command = Command::CompleteTask {
            task,
            outcome,
            said,
            form,
            chosen: Vec::new(),
        };
        let done = self.ask(&command).map(|_| ());
        self.actor = actor;
        done
    }

    /// Everybody who is asked approves, until nobody is asked any more or the instance stands still.
    pub fn complete_everything(&mut self, limit: u32) -> Result<u32, NotPlayed> {
        let mut done = 0;
        while done < limit {
            let Some(key) = self.state.tasks.keys().next().copied() else {
                break;
            };
            self.complete_task(key, Outcome::Approved, Bindings::new())?;
            done += 1;
        }
        Ok(done)
    }

    /// The oldest open job of an element.
    pub fn job(&self, element: &str) -> Result<Key, NotPlayed> {
        let is_of = |key: &&Key| self.state.elements.get(key).is_some_and(|owner| &*owner.element == element);
        let found = self.state.jobs.keys().find(is_of);
        found.copied().ok_or_else(|| not_open("job", element))
    }

    /// The oldest open job of an element was done.
    pub fn job_done(&mut self, element: &str, result: Value) -> Result<(), NotPlayed> {
        let job = self.job(element)?;
        self.ask(&Command::CompleteJob { job, result }).map(|_| ())
    }

    /// The oldest open job of an element was not done.
    pub fn job_failed(&mut self, element: &str, message: &str) -> Result<(), NotPlayed> {
        let job = self.job(element)?;
        let message = message.to_owned();
        self.ask(&Command::FailJob { job, message }).map(|_| ())
    }

    /// The oldest open job of an element ended in an error of the model.
    pub fn job_threw(&mut self, element: &str, code: &str) -> Result<(), NotPlayed> {
        let job = self.job(element)?;
        let code = code.to_owned();
        let message = None;
        self.ask(&Command::ThrowJobError { job, code, message }).map(|_| ())
    }

    /// A message comes.
    pub fn message(&mut self, name: &str, payload: Bindings) -> Result<(), NotPlayed> {
        self.message_for(name, None, payload)
    }

    /// A message comes with a key.
    pub fn message_for(&mut self, name: &str, correlation: Option<&str>, payload: Bindings) -> Result<(), NotPlayed> {
        let command = Command::DeliverMessage {
            name: name.to_owned(),
            correlation: correlation.map(str::to_owned),
            payload,
        };
        self.ask(&command).map(|_| ())
    }

    /// A signal comes.
    pub fn signal(&mut self, name: &str, payload: Bindings) -> Result<(), NotPlayed> {
        let name = name.to_owned();
        self.ask(&Command::BroadcastSignal { name, payload }).map(|_| ())
    }

    /// The next timer that fires by itself: when, and which.
    pub fn next_timer(&self) -> Option<(DateTime<Utc>, Key)> {
        if self.state.suspended_at.is_some() || !self.state.is_running() {
            return None;
        }
        let stands_still = self.state.paused_at.is_some();
        let timers = self.state.waits.iter().filter_map(|(key, wait)| match &wait.what {
            Waiting::Timer { due_at, pausable, .. } if !(stands_still && *pausable) => Some((*due_at, *key)),
            _ => None,
        });
        timers.min()
    }

    /// Time goes by: what is due fires in the order in which it is due.
    pub fn advance(&mut self, by: TimeDelta) -> Result<u32, NotPlayed> {
        let until = self.now + by;
        let mut fired = 0;
        while let Some((due_at, timer)) = self.next_timer().filter(|(due_at, _)| *due_at <= until) {
            if fired >= MAX_TIMERS_PER_MOVE {
                break;
            }
            self.now = self.now.max(due_at);
            self.ask(&Command::FireTimer { timer })?;
            fired += 1;
        }
        self.now = until;
        Ok(fired)
    }

    /// How often elements of this name were done to the end.
    pub fn times_done(&self, element: &str) -> usize {
        let mut begun = std::collections::HashSet::new();
        let mut done = 0;
        for event in &self.events {
            match event {
                Event::ElementEntered { key, element: at, .. } if &**at == element => {
                    begun.insert(*key);
                }
                Event::ElementLeft { key, .. } if begun.contains(key) => done += 1,
                _ => {}
            }
        }
        done
    }

    /// Whether something of this name is being done.
    pub fn is_at(&self, element: &str) -> bool {
        self.state
            .elements
            .iter()
            .any(|(key, at)| *key != ROOT && &*at.element == element)
    }

    /// A variable of the instance.
    pub fn variable(&self, name: &str) -> Option<&Value> {
        self.state.variable(ROOT, name)
    }

    /// What must be repaired.
    pub fn incidents(&self) -> Vec<&Incident> {
        self.state.incidents.values().collect()
    }

    /// Where the instance is and how it came there, to be read when a story does not go as told.
    pub fn story(&self) -> String {
        describe(&self.state, &self.events)
    }
}

fn not_open(what: &'static str, element: &str) -> NotPlayed {
    NotPlayed::NotOpen {
        what,
        element: element.to_owned(),
    }
}
