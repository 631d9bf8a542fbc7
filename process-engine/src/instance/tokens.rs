//! The tokens that stand on flows.

use serde::Serialize;

use super::{keyed::Keyed, words::Key};
use crate::model::ElementId;

/// The tokens that stand on flows, by scope and flow.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tokens {
    /// Of each scope that has any: its flows in the order of their names, with how many tokens stand there.
    by_scope: Keyed<Vec<(ElementId, u32)>>,
}

impl Tokens {
    /// How many tokens stand on a flow.
    pub fn count(&self, scope: Key, flow: &str) -> u32 {
        self.by_scope.get(&scope).map_or(0, |flows| match place(flows, flow) {
            Ok(at) => flows[at].1,
            Err(_) => 0,
        })
    }

    /// Whether there are any in a scope.
    pub fn any_in(&self, scope: Key) -> bool {
        self.by_scope.contains_key(&scope)
    }

    /// The flows of a scope on which tokens stand, and how many.
    pub fn of(&self, scope: Key) -> impl Iterator<Item = (&ElementId, u32)> {
        self.by_scope
            .get(&scope)
            .into_iter()
            .flatten()
            .map(|(flow, count)| (flow, *count))
    }

    /// All of them: scope, flow, how many.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &ElementId, u32)> {
        self.by_scope
            .iter()
            .flat_map(|(scope, flows)| flows.iter().map(|(flow, count)| (*scope, flow, *count)))
    }

    /// Whether there are none at all.
    pub fn is_empty(&self) -> bool {
        self.by_scope.is_empty()
    }

    /// Puts tokens on a flow.
    pub fn put(&mut self, scope: Key, flow: &ElementId, count: u32) {
        self.by_scope.change(scope, |flows| match place(flows, flow) {
            Ok(at) => flows[at].1 = flows[at].1.saturating_add(count),
            Err(at) => flows.insert(at, (flow.clone(), count)),
        });
    }

    /// Takes one token from a flow, if one stands there.
    pub fn take(&mut self, scope: Key, flow: &str) {
        let Some(flows) = self.by_scope.get_mut(&scope) else { return };
        if let Ok(at) = place(flows, flow) {
            flows[at].1 -= 1;
            if flows[at].1 == 0 {
                flows.remove(at);
            }
        }
        if flows.is_empty() {
            self.by_scope.remove(&scope);
        }
    }

    /// Takes all tokens of a scope.
    pub fn forget(&mut self, scope: Key) {
        self.by_scope.remove(&scope);
    }
}

fn place(flows: &[(ElementId, u32)], flow: &str) -> Result<usize, usize> {
    flows.binary_search_by(|(at, _)| (**at).cmp(flow))
}

impl Serialize for Tokens {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.iter())
    }
}
