//! What an instance remembers. Folded from its events alone: no model is needed to read the past.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use super::{
    keyed::Keyed,
    shared::Shared,
    tokens::Tokens,
    values::Values,
    words::{Back, Bindings, Ending, Key, Obstacle, Outcome, Person, Phase, Said, SignPlace, Tally, TimerPurpose},
};
use crate::model::{ElementId, ProcessRef};

/// What an instance remembers.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Instance {
    /// How it began; none: nothing has happened yet.
    pub started: Option<Shared<Started>>,
    /// How it ended.
    pub ended: Option<Ending>,
    /// Since when nothing may happen.
    pub suspended_at: Option<DateTime<Utc>>,
    /// Since when the pausable timers stand still.
    pub paused_at: Option<DateTime<Utc>>,
    /// The next key that is free.
    pub next_key: Key,
    /// Everything that is being done, by key; the instance itself is [`ROOT`](super::ROOT).
    pub elements: Keyed<Element>,
    /// Tokens that stand on flows, by the scope and the flow.
    pub tokens: Tokens,
    /// The variables of each scope that has any.
    pub variables: Keyed<Values>,
    /// What is waited for.
    pub waits: Keyed<Wait>,
    /// What waits for people.
    pub tasks: Keyed<Task>,
    /// What waits for somebody outside.
    pub jobs: Keyed<Job>,
    /// What must be repaired.
    pub incidents: Keyed<Incident>,
    /// Complex gateways that went on and wait for the rest of their tokens: the flows whose tokens they have.
    pub fired: Keyed<Vec<ElementId>>,
    /// What was done and could be compensated, oldest first.
    pub compensable: Shared<Vec<Compensable>>,
    /// Every decision of a person, oldest first: for returns, withdrawals, deduplication.
    pub decisions: Shared<Vec<Decision>>,
    /// Elements that were returned from and go straight back, by the key of the element that was begun instead.
    pub straight_back: Keyed<Vec<Back>>,
    /// Activities of people that were done and can be returned to, by the scope in which that was, and since when: the key
    /// that was free then. What was done in a scope that is gone belongs to the one around it.
    pub done: Keyed<Vec<(ElementId, Key)>>,
    /// Copies that were sent: by key, who got it and who has read it.
    pub copies: Keyed<Copy>,
}

/// How an instance began.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Started {
    /// The process that it follows.
    pub process: ProcessRef,
    /// The version under which it was deployed.
    pub version: u32,
    /// Who started it.
    pub starter: Option<Person>,
    /// What the world calls it.
    pub business_key: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// Something that is being done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Element {
    /// Its name in the model; for the instance itself the process's.
    pub element: ElementId,
    /// What it stands in.
    pub scope: Key,
    /// The instance of a repeated activity; the activity as a whole is its scope.
    pub round: Option<u32>,
    /// The process whose elements stand inside: of the instance itself and of calls.
    pub process: Option<ProcessRef>,
    /// The rounds, if it is a repeated activity as a whole.
    pub rounds: Option<Box<Rounds>>,
    /// What it compensates, if it does.
    pub compensation: Option<Compensation>,
    /// How many elements stand directly in it.
    pub inside: u32,
    /// Whether nothing more may begin in it (an ad-hoc sub-process that is coming to its end).
    pub closed: bool,
}

/// What an element compensates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Compensation {
    /// What has asked for it: an event that throws, or the scope around it.
    pub by: Key,
    /// Whether it is the activity itself once more, as the scope in which what was done in it is compensated.
    pub is_again: bool,
}

/// How the rounds of a repeated activity stand.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Rounds {
    /// One after the other.
    pub sequential: bool,
    /// The item of each round.
    pub items: Arc<Vec<Value>>,
    /// Who is asked in each round, if people are.
    pub people: Arc<Vec<Person>>,
    /// The number of the next round that begins.
    pub begun: u32,
    /// How many are being done.
    pub active: u32,
    /// How many are done.
    pub completed: u32,
    /// How many were given up.
    pub terminated: u32,
    /// The votes.
    pub tally: Tally,
    /// Whether the vote is over, and passed.
    pub passed: Option<bool>,
    /// What the rounds gave, by round.
    pub outputs: BTreeMap<u32, Value>,
    /// Rounds that were taken out again before they were done (减签).
    pub removed: BTreeSet<u32>,
}

/// Something that is waited for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Wait {
    /// The element that waits.
    pub owner: Key,
    /// The event of the model, or the task.
    pub element: ElementId,
    /// Which of the event's definitions.
    pub trigger: u32,
    /// For what.
    pub what: Waiting,
    /// What came with the other definitions of the same event that have happened.
    pub so_far: Bindings,
}

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Waiting {
    /// A time.
    Timer {
        /// What for.
        purpose: TimerPurpose,
        /// When.
        due_at: DateTime<Utc>,
        /// How often after that.
        repeats_left: Option<u32>,
        /// Whether it stands still with the clock.
        pausable: bool,
    },
    /// A message.
    Message {
        /// Its name.
        name: String,
        /// The key that it must carry.
        correlation: Option<String>,
    },
    /// A signal.
    Signal {
        /// Its name.
        name: String,
    },
    /// A condition.
    Condition {
        /// Whether it held when it was waited for again: it must cease to hold first.
        holds: bool,
    },
}

/// Something that waits for a person.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Task {
    /// The element that it belongs to; its own key, unless it was added by hand.
    pub owner: Key,
    /// The element in the model.
    pub element: ElementId,
    /// Its name.
    pub name: Option<String>,
    /// Who may claim it.
    pub candidates: Vec<Person>,
    /// Who does it.
    pub assignee: Option<Person>,
    /// Whoever decides for the assignee while they are away (代理).
    pub substitute: Option<Person>,
    /// Who gets it back, while it is delegated.
    pub delegated_by: Option<Person>,
    /// The people who decide before or after, and whether each has: those who are asked besides (加签).
    pub signs: Vec<Sign>,
    /// The decision that waits for those who decide after.
    pub held: Option<Box<(Person, Outcome, Said, Bindings)>>,
    /// Which form is shown.
    pub form_key: Option<String>,
    /// The very form that the key meant when the task was opened: SHA-256 of its file.
    pub form: Option<String>,
    /// The greater, the sooner.
    pub priority: Option<i64>,
    /// When it is due.
    pub due_at: Option<DateTime<Utc>>,
    /// Since when it waits.
    pub opened_at: DateTime<Utc>,
    /// What finishing it means to whoever the instance belongs to.
    pub means: Vec<String>,
    /// How often it was urged.
    pub urged: u32,
}

/// Somebody who is asked besides.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sign {
    /// The task that they have.
    pub task: Key,
    /// Before or after.
    pub place: SignPlace,
    /// Who.
    pub person: Person,
    /// What they decided.
    pub outcome: Option<Outcome>,
}

/// Something that waits for somebody outside.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Job {
    /// Its kind.
    pub kind: String,
    /// Its settings.
    pub fields: Bindings,
    /// How often it may still be tried.
    pub tries_left: u32,
    /// When it is tried again.
    pub retry_at: Option<DateTime<Utc>>,
}

/// Something that must be repaired.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Incident {
    /// The element that cannot go on.
    pub owner: Key,
    /// Its name in the model.
    pub element: ElementId,
    /// At which step.
    pub phase: Phase,
    /// What it is.
    pub obstacle: Obstacle,
    /// What is wrong, as a sentence.
    pub message: String,
    /// Since when.
    pub at: DateTime<Utc>,
}

/// Something that was done and could be compensated.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compensable {
    /// What it was called while it was done.
    pub key: Key,
    /// The activity.
    pub element: ElementId,
    /// What it stood in.
    pub scope: Key,
    /// What compensates it; none: what was done in it is compensated.
    pub handler: Option<ElementId>,
    /// Its variables when it was done.
    pub variables: Values,
    /// The process that it called, if it is a call.
    pub process: Option<ProcessRef>,
    /// What has asked for its compensation, while that has not begun.
    pub asked_by: Option<Key>,
}

/// A decision of a person.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decision {
    /// The task.
    pub task: Key,
    /// The element.
    pub element: ElementId,
    /// The scope in which the element stood: the one of the whole activity, if it is repeated.
    pub scope: Key,
    /// Which round of a repeated activity.
    pub round: Option<u32>,
    /// The repeated activity as a whole that the round belonged to.
    pub whole: Option<Key>,
    /// Who.
    pub by: Person,
    /// For whom, if by proxy (代理).
    pub on_behalf_of: Option<Person>,
    /// How.
    pub outcome: Outcome,
    /// When.
    pub at: DateTime<Utc>,
    /// Whether it was taken back by a return or a withdrawal since.
    pub undone: bool,
}

/// A copy for reading.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Copy {
    /// Of which step.
    pub element: ElementId,
    /// Who got it.
    pub to: Vec<Person>,
    /// Who has read it.
    pub read_by: Vec<Person>,
}

impl Instance {
    /// Whether anything can happen at all.
    pub fn is_running(&self) -> bool {
        self.started.is_some() && self.ended.is_none()
    }

    /// What stands in this scope.
    pub fn children(&self, scope: Key) -> impl Iterator<Item = (Key, &Element)> {
        let within = move |(key, element): &(&Key, &Element)| element.scope == scope && **key != super::ROOT;
        self.elements.iter().filter(within).map(|(key, element)| (*key, element))
    }

    /// The elements of a scope that are gone straight back to when a step before them has been done again (直达退回人).
    pub fn awaited_back(&self, scope: Key) -> impl Iterator<Item = &ElementId> {
        let all = self.straight_back.values().flatten().flat_map(Back::and_then);
        all.filter(move |back| back.scope == scope).map(|back| &back.element)
    }

    /// The process whose elements stand directly in this scope.
    pub fn process_of(&self, scope: Key) -> Option<&ProcessRef> {
        let mut at = self.elements.get(&scope)?;
        loop {
            if let Some(process) = &at.process {
                return Some(process);
            }
            at = self.elements.get(&at.scope)?;
        }
    }

    /// Whether an element stands in the instance's own process, and not in one that it calls.
    pub fn is_of_own_process(&self, key: Key) -> bool {
        let mut at = key;
        while let Some(element) = self.elements.get(&at) {
            at = element.scope;
            if at == super::ROOT {
                return true;
            }
            if self.elements.get(&at).is_none_or(|around| around.process.is_some()) {
                return false;
            }
        }
        false
    }

    /// Whether one element is the other, or stands somewhere in it.
    pub fn is_within(&self, key: Key, outer: Key) -> bool {
        let mut at = key;
        loop {
            if at == outer {
                return true;
            }
            match self.elements.get(&at) {
                Some(element) if at != super::ROOT => at = element.scope,
                _ => return false,
            }
        }
    }

    /// Whether a scope stands around another one in the same process.
    pub fn stands_around(&self, outer: Key, scope: Key) -> bool {
        let mut at = scope;
        while let Some(element) = self
            .elements
            .get(&at)
            .filter(|element| at != super::ROOT && element.process.is_none())
        {
            at = element.scope;
            if at == outer {
                return true;
            }
        }
        false
    }

    /// The value of a variable as seen from a scope: its own, or that of the nearest one around it.
    pub fn variable(&self, scope: Key, name: &str) -> Option<&Value> {
        let mut at = scope;
        loop {
            if let Some(value) = self.variables.get(&at).and_then(|own| own.get(name)) {
                return Some(value);
            }
            let element = self.elements.get(&at)?;
            // A called process does not see its caller's variables.
            if at == super::ROOT || element.process.is_some() {
                return None;
            }
            at = element.scope;
        }
    }

    /// The nearest scope, from here outwards, that has a variable of this name.
    pub fn holder_of(&self, scope: Key, name: &str) -> Option<Key> {
        let mut at = scope;
        loop {
            if self.variables.get(&at).is_some_and(|own| own.contains_key(name)) {
                return Some(at);
            }
            let element = self.elements.get(&at)?;
            if at == super::ROOT || element.process.is_some() {
                return None;
            }
            at = element.scope;
        }
    }
}
