//! Votes: what each voice adds, when it is over, and what it came to (会签, 或签, 票签).

use std::sync::Arc;

use serde_json::json;

use super::{Run, Stuck, asking::user_task, moving::Moving};
use crate::{
    instance::{
        command::Rejection,
        event::Event,
        words::{Bindings, Ending, Key, MoveKind, Obstacle, Outcome, Person, Phase, Resume, Tally},
    },
    model::{ElementId, NodeIx, OnReject, Over, Process, Repetition, UserTask, VoteRule},
};

/// The rule of a vote over approvers for which the model names none.
const DEFAULT_RULE: VoteRule = VoteRule::All;

impl Run<'_> {
    /// Somebody voted in a round of an approval: counts it. Whether the vote is over is looked at when the round is done.
    pub(crate) fn count_vote(&mut self, whole: Key, task: Key, by: &Person, outcome: &Outcome) {
        let Some(mut tally) = self.tally(whole) else { return };
        match outcome {
            Outcome::Approved => tally.approvals += 1,
            Outcome::Rejected => tally.rejections += 1,
            // A word of the model's own is neither for nor against.
            Outcome::Abstained | Outcome::Other(_) => tally.abstentions += 1,
        }
        self.emit(Event::VoteCast {
            key: whole,
            task,
            by: by.clone(),
            outcome: outcome.clone(),
            tally,
        });
    }

    /// Looks whether the vote of a repeated activity is over: closes it, gives up the rounds that are left, and leaves.
    /// Says whether nothing more is to be done about the activity now: it is gone, or it met an obstacle.
    pub(crate) fn look_at_vote(&mut self, whole: Key) -> Result<bool, Rejection> {
        let (process, at) = self.node_of(whole)?;
        let Some(rule) = vote_rule(&process, at) else {
            return Ok(false);
        };
        let Some(tally) = self.tally(whole) else {
            return Ok(false);
        };
        if self.state.incidents.values().any(|incident| incident.owner == whole) {
            return Ok(true);
        }
        let passed = match self.judged(rule, whole, tally) {
            Ok(None) => return Ok(false),
            Ok(Some(passed)) => passed,
            Err(stuck) => {
                self.stuck(whole, Phase::Active, stuck);
                return Ok(true);
            }
        };
        self.emit(Event::VoteClosed {
            key: whole,
            passed,
            tally,
            rule: name_of(rule),
        });
        let open: Vec<Key> = self.state.children(whole).map(|(key, _)| key).collect();
        for round in open {
            self.cancel(round);
        }
        let outcome = if passed { Outcome::Approved } else { Outcome::Rejected };
        self.set(whole, Bindings::from([("tally".to_owned(), as_value(tally))]));
        self.conclude(&process, at, whole, &outcome)?;
        Ok(true)
    }

    /// An activity of people is decided: a round of a vote adds its voice, anything else has its outcome.
    pub(crate) fn decided(&mut self, key: Key, task: Key, by: Option<&Person>, outcome: &Outcome) -> Result<(), Rejection> {
        let (process, at) = self.node_of(key)?;
        let Some(element) = self.state.elements.get(&key) else {
            return Ok(());
        };
        if element.round.is_none() {
            return self.conclude(&process, at, key, outcome);
        }
        let whole = element.scope;
        if is_standard_loop(&process, at) {
            // The condition of the loop asks how the last round was decided, and so does whatever follows.
            self.set(whole, outcome_variable(outcome));
        } else {
            self.emit(Event::VariablesSet {
                scope: key,
                variables: outcome_variable(outcome),
            });
        }
        if vote_rule(&process, at).is_some() {
            let nobody = self.platform();
            self.count_vote(whole, task, by.unwrap_or(&nobody), outcome);
        } else if *outcome == Outcome::Rejected && user_task(&process, at).is_some_and(|user| user.on_reject != OnReject::GoOn) {
            return self.conclude(&process, at, whole, outcome);
        }
        self.leave(key)
    }

    /// An activity of people as a whole has its outcome: it is left, or the model's rule for refusals is followed.
    pub(crate) fn conclude(&mut self, process: &Arc<Process>, at: NodeIx, key: Key, outcome: &Outcome) -> Result<(), Rejection> {
        self.set(key, outcome_variable(outcome));
        let user = user_task(process, at);
        if let Some(user) = user {
            self.send_copies(&process.node(at).id, user, key);
        }
        match user.map(|user| &user.on_reject) {
            Some(OnReject::End) if *outcome == Outcome::Rejected => {
                let scope = self.process_scope(key);
                if scope == crate::instance::ROOT {
                    self.end(Ending::Rejected);
                    return Ok(());
                }
                self.terminate(scope)
            }
            Some(OnReject::ReturnTo(to)) if *outcome == Outcome::Rejected => {
                let moving = Moving {
                    kind: MoveKind::Reject,
                    resume: Resume::Again,
                    reason: "",
                };
                // A target that the model should not have named is the modeller's mistake, not the approver's.
                if let Err(rejection) = self.return_to(key, to, moving) {
                    self.stuck(key, Phase::Leaving, Stuck::new(Obstacle::NoWayOn, rejection.to_string()));
                }
                Ok(())
            }
            _ => self.leave(key),
        }
    }

    /// 抄送 of a step that is done. Whoever cannot be found gets no copy: a copy never holds anything up.
    fn send_copies(&mut self, element: &ElementId, user: &UserTask, key: Key) {
        let mut to: Vec<Person> = Vec::new();
        for rule in &user.copies {
            to.extend(self.by_rule(rule, element, key, false).unwrap_or_default());
        }
        self.copy(element, to, None, "");
    }

    /// Sends copies to those who have no unread one of the same step; says whether there is anybody.
    pub(crate) fn copy(&mut self, element: &ElementId, to: Vec<Person>, by: Option<Person>, message: &str) -> bool {
        let mut new: Vec<Person> = Vec::new();
        for person in to {
            let is_in = |people: &[Person]| people.iter().any(|known| known.id == person.id);
            let copies = &mut self.state.copies.values().filter(|copy| copy.element == *element);
            if !is_in(&new) && !copies.any(|copy| is_in(&copy.to) && !is_in(&copy.read_by)) {
                new.push(person);
            }
        }
        if new.is_empty() {
            return false;
        }
        self.emit(Event::CopySent {
            key: self.next_key(),
            element: element.clone(),
            to: new,
            by,
            message: message.to_owned(),
            at: self.context.now,
        });
        true
    }

    fn tally(&self, whole: Key) -> Option<Tally> {
        Some(self.state.elements.get(&whole)?.rounds.as_ref()?.tally)
    }

    /// Whether a vote is over, and passed.
    fn judged(&self, rule: &VoteRule, whole: Key, tally: Tally) -> Result<Option<bool>, Stuck> {
        let everybody_voted = tally.open() == 0;
        Ok(match rule {
            VoteRule::All | VoteRule::Veto { .. } if tally.rejections > 0 => Some(false),
            // Whoever abstains is left out of the count; if all do, nobody has agreed.
            VoteRule::All => everybody_voted.then_some(tally.approvals > 0),
            VoteRule::Any if tally.approvals > 0 => Some(true),
            VoteRule::Any => (tally.rejections > 0 || everybody_voted).then_some(false),
            VoteRule::Ratio { percent } | VoteRule::Veto { percent } => by_ratio(*percent, tally),
            VoteRule::Feel { pass, fail } => {
                if self.holds(pass, whole)? {
                    return Ok(Some(true));
                }
                if let Some(fail) = fail
                    && self.holds(fail, whole)?
                {
                    return Ok(Some(false));
                }
                everybody_voted.then_some(false)
            }
        })
    }
}

/// The rule of a vote, if the rounds of this activity are voices.
pub(crate) fn vote_rule(process: &Process, at: NodeIx) -> Option<&VoteRule> {
    let Repetition::Multi(multi) = &process.node(at).activity.as_ref()?.repetition else {
        return None;
    };
    match (&multi.vote, &multi.over) {
        (Some(rule), _) => Some(rule),
        (None, Over::Approvers) => Some(&DEFAULT_RULE),
        (None, _) => None,
    }
}

/// Passed as soon as enough have agreed; failed as soon as too few are left who could.
fn by_ratio(percent: u32, tally: Tally) -> Option<bool> {
    let needed = u64::from(percent.clamp(1, 100)) * u64::from(tally.total);
    let reached = |voices: u32| u64::from(voices) * 100 >= needed;
    if tally.total > 0 && reached(tally.approvals) {
        return Some(true);
    }
    (tally.total == 0 || !reached(tally.approvals + tally.open())).then_some(false)
}

/// How a rule is named on record.
fn name_of(rule: &VoteRule) -> String {
    match rule {
        VoteRule::All => "all".to_owned(),
        VoteRule::Any => "any".to_owned(),
        VoteRule::Ratio { percent } => format!("ratio {percent}%"),
        VoteRule::Veto { percent } => format!("veto, ratio {percent}%"),
        VoteRule::Feel { pass, fail: None } => pass.feel().to_owned(),
        VoteRule::Feel { pass, fail: Some(fail) } => format!("{}; fails if {}", pass.feel(), fail.feel()),
    }
}

fn as_value(tally: Tally) -> serde_json::Value {
    json!({
        "approvals": tally.approvals,
        "rejections": tally.rejections,
        "abstentions": tally.abstentions,
        "total": tally.total,
    })
}

fn is_standard_loop(process: &Process, at: NodeIx) -> bool {
    let activity = process.node(at).activity.as_ref();
    activity.is_some_and(|activity| matches!(activity.repetition, Repetition::Standard { .. }))
}

fn outcome_variable(outcome: &Outcome) -> Bindings {
    Bindings::from([("outcome".to_owned(), outcome.as_str().into())])
}
