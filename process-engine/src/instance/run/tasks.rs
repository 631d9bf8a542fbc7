//! A user task begins: who is asked, what is shown, until when.

use std::sync::Arc;

use super::{
    Run, Stuck,
    asking::{Asked, MAX_PEOPLE_PER_TASK},
};
use crate::{
    instance::{
        command::Rejection,
        event::Event,
        words::{Key, Obstacle, Outcome, Person},
    },
    model::{Deduplicate, Method, NodeIx, NodeKind, Process, Task, UserTask, Work},
};

/// Why nobody needs to decide: whoever would be asked has agreed already (自动去重).
pub const SKIPPED_DUPLICATE: &str = "审批人此前已同意，自动去重";

/// Who is asked for one task.
#[derive(Default)]
struct Offer {
    candidates: Vec<Person>,
    assignee: Option<Person>,
    by_rule: Option<String>,
}

impl Run<'_> {
    /// Opens a task for people; what needs nobody is settled at once.
    pub(super) fn open_task(
        &mut self,
        process: &Arc<Process>,
        at: NodeIx,
        key: Key,
        user: &UserTask,
    ) -> Result<Result<(), Stuck>, Rejection> {
        match self.offer(process, at, key, user) {
            Err(stuck) => Ok(Err(stuck)),
            Ok(Err((outcome, reason, people))) => self.skip(key, &outcome, reason, &people).map(Ok),
            Ok(Ok(offer)) => Ok(self.open(process, at, key, user, offer)),
        }
    }

    fn open(&mut self, process: &Process, at: NodeIx, key: Key, user: &UserTask, offer: Offer) -> Result<(), Stuck> {
        let node = process.node(at);
        let form_key = user.form_key.as_ref().map(|text| self.text(text, key)).transpose()?;
        let form = form_key.as_deref().and_then(|key| self.context.outside.form(key));
        let priority = user.priority.as_ref().map(|text| self.priority(text, key)).transpose()?;
        let due_at = user.due.as_ref().map(|timer| self.moment(timer, key)).transpose()?;
        let late = user
            .on_timeout
            .as_ref()
            .map(|late| self.moment(&late.after, key).map(|due_at| (late, due_at)))
            .transpose()?;
        let away = |person: &Person| self.context.outside.substitute(person, self.context.now);
        let substitute = offer.assignee.as_ref().and_then(away);
        self.emit(Event::TaskOpened {
            key,
            owner: key,
            element: node.id.clone(),
            name: node.name.clone(),
            candidates: offer.candidates,
            assignee: offer.assignee,
            by_rule: offer.by_rule,
            form_key,
            form,
            priority,
            due_at,
            means: user.means.clone(),
            substitute,
            at: self.context.now,
        });
        if let Some((late, due_at)) = late {
            self.schedule_timeout(key, &node.id, late, due_at);
        }
        Ok(())
    }

    /// Who is asked; or why nobody needs to be.
    #[allow(clippy::type_complexity, reason = "said once, and taken apart at once")]
    fn offer(
        &self,
        process: &Process,
        at: NodeIx,
        key: Key,
        user: &UserTask,
    ) -> Result<Result<Offer, (Outcome, &'static str, Vec<Person>)>, Stuck> {
        let node = process.node(at);
        let offer = if let Some(person) = self.person_of_round(key) {
            // 会签, 或签, 依次: everybody was found when the activity began. A group is one voice.
            to_one(person, "Approvers")
        } else if user.assignee.is_none() && user.candidates.is_empty() && user.rules.is_empty() {
            // No rule at all: whoever claims it does it.
            Offer::default()
        } else {
            let (people, rule) = match self.asked(&node.id, user, key)? {
                Asked::People(people, rule) => (people, rule),
                Asked::Settled(outcome, reason, people) => return Ok(Err((outcome, reason, people))),
            };
            self.divided(user.method, people, rule, key)
        };
        if let Some(assignee) = &offer.assignee
            && self.has_agreed(process, at, key, user, assignee)
        {
            return Ok(Err((Outcome::Approved, SKIPPED_DUPLICATE, vec![assignee.clone()])));
        }
        Ok(Ok(offer))
    }

    /// How those who were found divide the work.
    fn divided(&self, method: Method, people: Vec<Person>, rule: String, key: Key) -> Offer {
        match (method, people.as_slice()) {
            (_, [only]) => to_one(only.clone(), &rule),
            (Method::Random, _) => {
                let drawn = draw(self.context.seed, key, people.len());
                // The draw is on record, and never made again.
                let how = format!("{rule};Random {} of {}", drawn + 1, people.len());
                to_one(people[drawn].clone(), &how)
            }
            (Method::Claim | Method::Each, _) => Offer {
                candidates: people,
                assignee: None,
                by_rule: Some(rule),
            },
        }
    }

    /// Whoever is asked in a round of approvers.
    fn person_of_round(&self, key: Key) -> Option<Person> {
        let element = self.state.elements.get(&key)?;
        let round = element.round? as usize;
        let rounds = self.state.elements.get(&element.scope)?.rounds.as_ref()?;
        rounds.people.get(round).cloned()
    }

    /// Whether somebody has agreed to this already, where the model does not ask twice (自动去重).
    fn has_agreed(&self, process: &Process, at: NodeIx, key: Key, user: &UserTask, person: &Person) -> bool {
        let whole = self.activity_of(key);
        if self.asked_again.contains(&key) || self.asked_again.contains(&whole) {
            return false;
        }
        let node = process.node(at);
        let agreed = |element: &str| {
            self.state
                .decisions
                .iter()
                .rev()
                .find(|decision| !decision.undone && &*decision.element == element && decision.by.id == person.id)
                .is_some_and(|decision| decision.outcome == Outcome::Approved)
        };
        match user.deduplicate.unwrap_or(process.deduplicate) {
            Deduplicate::Never => false,
            // Whoever comes round to the same step again has something new before them.
            Deduplicate::Whole => process
                .nodes
                .iter()
                .filter(|other| other.id != node.id && is_user_task(&other.kind))
                .any(|other| agreed(&other.id)),
            Deduplicate::Consecutive => steps_before(process, at).iter().any(|other| agreed(&process.node(*other).id)),
        }
    }

    fn priority(&self, text: &crate::model::Text, key: Key) -> Result<i64, Stuck> {
        let written = self.text(text, key)?;
        written.trim().parse().map_err(|_| {
            let message = format!("the priority {written} is no whole number");
            Stuck::new(Obstacle::Expression, message)
        })
    }
}

/// One person has it at once; one group is offered it.
fn to_one(person: Person, rule: &str) -> Offer {
    let by_rule = Some(rule.to_owned());
    if person.is_group() {
        return Offer {
            candidates: vec![person],
            assignee: None,
            by_rule,
        };
    }
    Offer {
        candidates: Vec::new(),
        assignee: Some(person),
        by_rule,
    }
}

/// Draws one of so many: the same seed and key draw the same (splitmix64).
fn draw(seed: u64, key: Key, count: usize) -> usize {
    debug_assert!(count <= MAX_PEOPLE_PER_TASK);
    let mut mixed = seed ^ key.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^= mixed >> 31;
    usize::try_from(mixed % count.max(1) as u64).unwrap_or(0)
}

fn is_user_task(kind: &NodeKind) -> bool {
    matches!(kind, NodeKind::Task(Task { work: Work::User(_) }))
}

/// The user tasks that lead here with no other user task between.
pub(super) fn steps_before(process: &Process, at: NodeIx) -> Vec<NodeIx> {
    let mut seen = vec![false; process.nodes.len()];
    let mut open = vec![at];
    let mut found = Vec::new();
    while let Some(here) = open.pop() {
        for flow in &process.node(here).incoming {
            let source = process.flow(*flow).source;
            if std::mem::replace(&mut seen[source.0 as usize], true) {
                continue;
            }
            if is_user_task(&process.node(source).kind) {
                found.push(source);
            } else {
                open.push(source);
            }
        }
    }
    found
}
