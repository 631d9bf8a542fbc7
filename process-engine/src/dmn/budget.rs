//! What a decision can cost with the inputs at hand, with all that it needs.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::logic::{Kind, Logic};
use crate::expression::cost::{Foreseen, MAX_COST, Reckoning, with};

/// The longest way from a decision to what it needs last: the evaluator takes some frames of the stack for each step.
const MAX_STEPS_DOWN: u32 = 64;

/// The account of one decision.
pub(super) struct Budget<'a> {
    logic: &'a Logic,
    inputs: &'a BTreeMap<String, Value>,
    known: HashMap<usize, (Foreseen<'a>, u64)>,
}

impl<'a> Budget<'a> {
    pub(super) fn new(logic: &'a Logic, inputs: &'a BTreeMap<String, Value>) -> Self {
        Self {
            logic,
            inputs,
            known: HashMap::new(),
        }
    }

    /// Whether an element may be asked.
    pub(super) fn afford(&mut self, place: usize) -> Result<(), String> {
        self.of(place, 0).map(|_| ())
    }

    /// What an element can give, and what it costs. The evaluator asks what several need once for each of them.
    fn of(&mut self, place: usize, down: u32) -> Result<(Foreseen<'a>, u64), String> {
        if let Some(known) = self.known.get(&place) {
            return Ok(known.clone());
        }
        if down > MAX_STEPS_DOWN {
            return Err(format!("needs others that need others, more than {MAX_STEPS_DOWN} times"));
        }
        let logic = self.logic;
        let element = &logic.elements[place];
        if matches!(element.kind, Kind::Input | Kind::Implicit) {
            let value = self
                .inputs
                .get(element.variable.as_str())
                .map_or_else(Foreseen::nothing, Foreseen::seen);
            return Ok((value, 0));
        }
        let mut scope = None;
        let mut cost = 0_u64;
        for needed in &element.requires {
            let (value, of_needed) = self.of(*needed, down + 1)?;
            cost = cost.saturating_add(of_needed).saturating_add(value.made().units);
            scope = with(&scope, logic.elements[*needed].variable.clone(), value);
        }
        let mut reckoning = Reckoning::default();
        let value = match &element.node {
            Some(node) => reckoning
                .of(node, &scope)
                .map_err(|reason| format!("{} {reason}", element.name))?,
            None => Foreseen::nothing(),
        };
        cost = cost.saturating_add(reckoning.cost());
        if cost > MAX_COST {
            return Err(format!(
                "{} could take more than {MAX_COST} steps with these values",
                element.name
            ));
        }
        self.known.insert(place, (value.clone(), cost));
        Ok((value, cost))
    }
}
