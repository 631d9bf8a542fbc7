//! What the expressions of a model look at: of a whole form perhaps three fields. The rest of it is neither made into values
//! of FEEL, which are copied at every step, nor put into the history.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use dsntk_feel::Name;
use serde_json::Value;

/// What is looked at of a name.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum LookedAt {
    /// All of it.
    Whole,
    /// These members.
    Members(BTreeSet<Name>),
}

impl LookedAt {
    /// As much of a value as is looked at: what nobody looks at need not be taken in.
    pub(super) fn of<'a>(&self, value: Cow<'a, Value>) -> Cow<'a, Value> {
        let (Self::Members(members), Value::Object(entries)) = (self, &*value) else {
            return value;
        };
        let is_looked_at = |name: &str| members.iter().any(|member| *member == Name::from(name));
        let looked_at = entries.iter().filter(|(name, _)| is_looked_at(name));
        Cow::Owned(looked_at.map(|(name, entry)| (name.clone(), entry.clone())).collect())
    }
}

/// What the expressions of a model look at, by name.
#[derive(Debug, Default)]
pub(super) struct LookUps(BTreeMap<Name, LookedAt>);

impl LookUps {
    pub(super) fn note(&mut self, name: &Name, member: Option<&Name>) {
        let none = || LookedAt::Members(BTreeSet::new());
        match (self.0.entry(name.clone()).or_insert_with(none), member) {
            (LookedAt::Members(members), Some(member)) => _ = members.insert(member.clone()),
            (known, None) => *known = LookedAt::Whole,
            (LookedAt::Whole, Some(_)) => {}
        }
    }

    /// What is looked at of a name, by any expression of the model.
    pub(super) fn of(&self, name: &Name) -> LookedAt {
        self.0.get(name).cloned().unwrap_or(LookedAt::Whole)
    }
}
