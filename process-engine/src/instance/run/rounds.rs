//! Repeated activities: the activity as a whole is a scope, each round an element in it.

use std::sync::Arc;

use serde_json::Value;

use super::{Run, Stuck, votes::vote_rule};
use crate::{
    expression::Expression,
    instance::{
        command::Rejection,
        event::Event,
        state::Rounds,
        words::{Bindings, Key, Obstacle, Person, Phase},
    },
    model::{Multi, MultiBehavior, NodeIx, NodeKind, Over, Process, Repetition, Text, Throw, ThrowResult, Trigger},
};

/// The most rounds of one activity: as many people, plots or pages as one case ever has, and few enough to look at all.
pub(crate) const MAX_ROUNDS: usize = 10_000;

/// What one round of a multi-instance activity is about, before it begins.
struct Plan {
    items: Vec<Value>,
    people: Vec<Person>,
}

impl Run<'_> {
    /// A repeated activity begins: finds out what it runs over. Its rounds begin when it is looked at.
    pub(super) fn begin_rounds(&mut self, process: &Arc<Process>, at: NodeIx, key: Key) -> Result<Result<(), Stuck>, Rejection> {
        let (sequential, plan) = match repetition(process, at) {
            Repetition::Multi(multi) => match self.plan_rounds(process, at, key, multi)? {
                Ok(plan) => (multi.sequential, plan),
                Err(stuck) => return Ok(Err(stuck)),
            },
            Repetition::Once | Repetition::Standard { .. } => {
                let (items, people) = (Vec::new(), Vec::new());
                (true, Plan { items, people })
            }
        };
        if !self.state.elements.contains_key(&key) {
            // Nobody needed to be asked: it has been left.
            return Ok(Ok(()));
        }
        if plan.items.len() > MAX_ROUNDS {
            let message = format!(
                "{} rounds were asked for; there can be {MAX_ROUNDS} at most",
                plan.items.len()
            );
            return Self::refuse(Stuck::new(Obstacle::Expression, message));
        }
        self.emit(Event::RoundsPlanned {
            key,
            sequential,
            items: plan.items,
            people: plan.people,
        });
        self.touched.insert(key);
        Ok(Ok(()))
    }

    fn plan_rounds(
        &mut self,
        process: &Arc<Process>,
        at: NodeIx,
        key: Key,
        multi: &Multi,
    ) -> Result<Result<Plan, Stuck>, Rejection> {
        let items = match &multi.over {
            Over::Approvers => {
                let found = self.approvers(process, at, key)?;
                return Ok(found.map(|people| Plan {
                    items: people.iter().map(|person| Value::String(person.id.to_string())).collect(),
                    people,
                }));
            }
            Over::Cardinality(cardinality) => self.cardinality(cardinality, key),
            Over::Collection(collection) => self.collection(collection, key),
        };
        Ok(items.map(|items| Plan {
            items,
            people: Vec::new(),
        }))
    }

    fn cardinality(&self, cardinality: &Expression, key: Key) -> Result<Vec<Value>, Stuck> {
        let value = self.value(cardinality, key)?;
        let whole = value.as_u64().or_else(|| {
            let number = value.as_f64().filter(|number| number.fract() == 0.0 && *number >= 0.0)?;
            // A whole number that was computed, as 3.0.
            format!("{number:.0}").parse().ok()
        });
        let count = whole.and_then(|count| usize::try_from(count).ok()).ok_or_else(|| {
            let message = format!(
                "{} gives {value}; the number of rounds is a whole number from 0",
                cardinality.feel()
            );
            Stuck::new(Obstacle::Expression, message)
        })?;
        // One more than is allowed is enough to be refused.
        Ok(vec![Value::Null; count.min(MAX_ROUNDS + 1)])
    }

    fn collection(&self, collection: &Expression, key: Key) -> Result<Vec<Value>, Stuck> {
        match self.value(collection, key)? {
            Value::Array(items) => Ok(items),
            other => {
                let message = format!("{} gives {other}, and a list is needed", collection.feel());
                Err(Stuck::new(Obstacle::Expression, message))
            }
        }
    }

    /// Whether a scope is a repeated activity as a whole.
    pub(super) fn holds_rounds(&self, scope: Key) -> bool {
        self.rounds(scope).is_some()
    }

    fn rounds(&self, whole: Key) -> Option<&Rounds> {
        self.state.elements.get(&whole)?.rounds.as_deref()
    }

    fn is_any_open(&self, whole: Key) -> bool {
        self.state.elements.get(&whole).is_some_and(|element| element.inside > 0)
    }

    fn has_incident(&self, owner: Key) -> bool {
        !self.state.incidents.is_empty() && self.state.incidents.values().any(|incident| incident.owner == owner)
    }

    /// Begins the next rounds, or ends the activity.
    pub(super) fn look_at_rounds(&mut self, whole: Key) -> Result<(), Rejection> {
        // A vote that is over ends the activity, whatever is still open.
        if self.has_incident(whole) || self.look_at_vote(whole)? {
            return Ok(());
        }
        let (process, at) = self.node_of(whole)?;
        match repetition(&process, at) {
            Repetition::Once => self.leave(whole),
            Repetition::Standard {
                test_before,
                condition,
                maximum,
            } => {
                if self.is_any_open(whole) {
                    return Ok(());
                }
                match self.is_another_due(whole, *test_before, condition.as_ref(), *maximum) {
                    Ok(Some(round)) => self.begin_round(&process, at, whole, round),
                    Ok(None) => self.leave(whole),
                    Err(stuck) => {
                        self.stuck(whole, Phase::Active, stuck);
                        Ok(())
                    }
                }
            }
            Repetition::Multi(_) => self.begin_next_rounds(&process, at, whole),
        }
    }

    /// The next round of a standard loop, if there is one.
    fn is_another_due(
        &self,
        whole: Key,
        test_before: bool,
        condition: Option<&Expression>,
        maximum: Option<u32>,
    ) -> Result<Option<u32>, Stuck> {
        let done = self.rounds(whole).map_or(0, |rounds| rounds.begun);
        if maximum.is_some_and(|maximum| done >= maximum) {
            return Ok(None);
        }
        let is_due = match condition {
            _ if done == 0 && !test_before => true,
            Some(condition) => self.holds(condition, whole)?,
            // Nothing says that it is done more than once, unless the maximum does.
            None => maximum.is_some() || done == 0,
        };
        Ok(is_due.then_some(done))
    }

    /// Begins the rounds of a multi-instance activity that are due; ends it, when none is left.
    fn begin_next_rounds(&mut self, process: &Arc<Process>, at: NodeIx, whole: Key) -> Result<(), Rejection> {
        loop {
            let Some(rounds) = self.rounds(whole) else { return Ok(()) };
            if rounds.sequential && self.is_any_open(whole) {
                return Ok(());
            }
            let planned = u32::try_from(rounds.items.len()).unwrap_or(u32::MAX);
            let next = (rounds.begun..planned).find(|round| !rounds.removed.contains(round));
            let Some(next) = next else { break };
            self.begin_round(process, at, whole, next)?;
            if self.has_incident(whole) {
                return Ok(());
            }
        }
        if self.is_any_open(whole) { Ok(()) } else { self.leave(whole) }
    }

    fn begin_round(&mut self, process: &Arc<Process>, at: NodeIx, whole: Key, round: u32) -> Result<(), Rejection> {
        let mut own = Bindings::new();
        if let Repetition::Multi(multi) = repetition(process, at) {
            if let Some(name) = &multi.element_variable {
                let item = self.rounds(whole).and_then(|rounds| rounds.items.get(round as usize));
                own.insert(name.clone(), item.cloned().unwrap_or(Value::Null));
            }
            if let Some(name) = &multi.index_variable {
                own.insert(name.clone(), round.into());
            }
        }
        self.enter_with(process, at, whole, (Vec::new(), Some(round)), own)?;
        Ok(())
    }

    /// A round is done: its results go out, and the activity is asked whether that was enough.
    pub(super) fn leave_round(&mut self, process: &Arc<Process>, at: NodeIx, key: Key) -> Result<(), Rejection> {
        let Some((whole, Some(round))) = self.state.elements.get(&key).map(|element| (element.scope, element.round)) else {
            return Ok(());
        };
        if let Err(stuck) = self.own_outputs(process, at, key, whole) {
            self.stuck(key, Phase::Leaving, stuck);
            return Ok(());
        }
        if let Repetition::Multi(multi) = repetition(process, at)
            && let Some((_, inner)) = &multi.output
        {
            let value = self.state.variable(key, inner).cloned().unwrap_or(Value::Null);
            self.emit(Event::RoundCollected {
                key: whole,
                round,
                value,
            });
        }
        self.offer_compensation(process, at, key)?;
        self.emit(Event::ElementLeft { key, flows: Vec::new() });
        self.touched.insert(whole);
        if let Repetition::Multi(multi) = repetition(process, at) {
            if let Err(stuck) = self.throw_of_round(process, at, whole, multi)? {
                self.stuck(whole, Phase::Active, stuck);
                return Ok(());
            }
            return self.close_if_enough(process, at, whole);
        }
        Ok(())
    }

    /// Ends a multi-instance activity whose completion condition holds; what still runs is given up.
    pub(super) fn close_if_enough(&mut self, process: &Arc<Process>, at: NodeIx, whole: Key) -> Result<(), Rejection> {
        let Repetition::Multi(multi) = repetition(process, at) else {
            return Ok(());
        };
        // A vote is over by its own rule.
        if !self.holds_rounds(whole) || vote_rule(process, at).is_some() {
            return Ok(());
        }
        let Some(condition) = &multi.completion else {
            return Ok(());
        };
        match self.holds(condition, whole) {
            Ok(true) => {
                self.cancel_inside(whole);
                self.leave(whole)
            }
            Ok(false) => Ok(()),
            Err(cause) => {
                self.stuck(whole, Phase::Active, cause.into());
                Ok(())
            }
        }
    }

    /// Gives up everything that is done in a scope, and takes the tokens that wait there.
    pub(crate) fn cancel_inside(&mut self, scope: Key) {
        self.cancel_inside_but(scope, None);
    }

    /// The same, but for one element.
    pub(super) fn cancel_inside_but(&mut self, scope: Key, kept: Option<Key>) {
        let inside = self.state.children(scope).map(|(key, _)| key);
        let inside: Vec<Key> = inside.filter(|key| Some(*key) != kept).collect();
        for key in inside {
            self.cancel(key);
        }
        let waiting: Vec<_> = self
            .state
            .tokens
            .of(scope)
            .flat_map(|(flow, count)| std::iter::repeat_n(flow.clone(), count as usize))
            .collect();
        if !waiting.is_empty() {
            self.emit(Event::TokensTaken { scope, flows: waiting });
        }
        for arrivals in [&mut self.arrivals, &mut self.throwing] {
            arrivals.retain(|arrival| arrival.scope != scope);
        }
    }

    /// Sets the variable that collects what the rounds gave.
    pub(super) fn write_collected(&mut self, process: &Process, at: NodeIx, scope: Key, collected: Vec<Value>) {
        if let Repetition::Multi(multi) = repetition(process, at)
            && let Some((outer, _)) = &multi.output
        {
            self.set(scope, Bindings::from([(outer.clone(), Value::Array(collected))]));
        }
    }

    /// What a round throws when it is done (BPMN 2.0, table 10.30). Boundary events of the activity catch it; that does not
    /// interrupt the activity, whose other rounds go on.
    fn throw_of_round(
        &mut self,
        process: &Arc<Process>,
        at: NodeIx,
        whole: Key,
        multi: &Multi,
    ) -> Result<Result<(), Stuck>, Rejection> {
        let completed = self.rounds(whole).map_or(0, |rounds| rounds.completed);
        match &multi.behavior {
            MultiBehavior::All => {}
            MultiBehavior::One(_) if completed != 1 => {}
            MultiBehavior::None(event) | MultiBehavior::One(event) => {
                let name = event.as_deref();
                self.caught_at_border(process, at, whole, name, |trigger| {
                    name.is_some_and(|name| is_named(trigger, name))
                })?;
            }
            MultiBehavior::Complex(behaviours) => {
                for (condition, throw) in behaviours {
                    match self.holds(condition, whole) {
                        Ok(true) => {
                            let name = throw.results.iter().find_map(name_of);
                            let catches = |trigger: &Trigger| catches(trigger, throw);
                            self.caught_at_border(process, at, whole, name.as_deref(), catches)?;
                        }
                        Ok(false) => {}
                        Err(cause) => return Ok(Err(cause.into())),
                    }
                }
            }
        }
        Ok(Ok(()))
    }

    fn caught_at_border(
        &mut self,
        process: &Arc<Process>,
        at: NodeIx,
        whole: Key,
        event: Option<&str>,
        catches: impl Fn(&Trigger) -> bool,
    ) -> Result<(), Rejection> {
        let Some(scope) = self.state.elements.get(&whole).map(|element| element.scope) else {
            return Ok(());
        };
        let is_caught = |border: &NodeIx| match &process.node(*border).kind {
            NodeKind::Boundary { catch, .. } => catch.triggers.iter().any(&catches),
            _ => false,
        };
        let catching: Vec<NodeIx> = process.node(at).boundary.iter().copied().filter(is_caught).collect();
        self.emit(Event::RoundThrown {
            key: whole,
            event: event.map(str::to_owned),
            caught_by: catching.iter().map(|border| process.node(*border).id.clone()).collect(),
        });
        for border in catching {
            self.enter(process, border, scope, Vec::new(), None)?;
        }
        Ok(())
    }
}

/// How often the activity at this node is done.
fn repetition(process: &Process, at: NodeIx) -> &Repetition {
    static ONCE: Repetition = Repetition::Once;
    process
        .node(at)
        .activity
        .as_ref()
        .map_or(&ONCE, |activity| &activity.repetition)
}

fn plain(text: &Text) -> Option<&str> {
    match text {
        Text::Plain(plain) => Some(plain),
        Text::Computed(_) => None,
    }
}

/// Whether an event waits for something of this name or code.
fn is_named(trigger: &Trigger, name: &str) -> bool {
    match trigger {
        Trigger::Signal(signal) => plain(signal) == Some(name),
        Trigger::Message(message) => plain(&message.name) == Some(name),
        Trigger::Error(code) | Trigger::Escalation(code) => code.as_deref().is_none_or(|code| code == name),
        _ => false,
    }
}

fn name_of(result: &ThrowResult) -> Option<String> {
    match result {
        ThrowResult::Signal(text) => plain(text).map(str::to_owned),
        ThrowResult::Message(message) => plain(&message.name).map(str::to_owned),
        ThrowResult::Error(code) | ThrowResult::Escalation(code) => Some(code.clone()),
        _ => None,
    }
}

/// Whether an event catches one of the things that are thrown.
fn catches(trigger: &Trigger, throw: &Throw) -> bool {
    throw.results.iter().any(|result| {
        let same_kind = matches!(
            (trigger, result),
            (Trigger::Signal(_), ThrowResult::Signal(_))
                | (Trigger::Message(_), ThrowResult::Message(_))
                | (Trigger::Error(_), ThrowResult::Error(_))
                | (Trigger::Escalation(_), ThrowResult::Escalation(_))
                | (Trigger::Compensation, ThrowResult::Compensation { .. })
        );
        let is_compensation = matches!(trigger, Trigger::Compensation);
        same_kind && (is_compensation || name_of(result).is_some_and(|name| is_named(trigger, &name)))
    })
}
