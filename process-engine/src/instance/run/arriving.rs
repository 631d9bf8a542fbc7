//! A token comes over a flow: its node begins, or the token waits for others.

use super::{Arrival, Run, Stuck, is_join};
use crate::{
    instance::{
        command::Rejection,
        words::{Key, Obstacle, Phase},
    },
    model::{Catch, ElementId, NodeIx, NodeKind, Process, ThrowResult, Trigger},
};

/// A join and the flows whose tokens it begins with.
type Ready = (NodeIx, Vec<ElementId>);

impl Run<'_> {
    /// A token stands on a flow: what it leads to begins, if it needs no other.
    pub(super) fn arrive(&mut self, arrival: Arrival) -> Result<(), Rejection> {
        let process = self.process_in(arrival.scope)?;
        let flow = process.flow(arrival.flow);
        let node = process.node(flow.target);
        if self.state.tokens.count(arrival.scope, &flow.id) == 0 {
            return Ok(());
        }
        if is_join(node) {
            // Joins are looked at when everything that can move has moved.
            self.touched.insert(arrival.scope);
            return Ok(());
        }
        self.enter(&process, flow.target, arrival.scope, vec![flow.id.clone()], None)?;
        Ok(())
    }

    /// A join of this scope that can begin, and with which tokens; or one that nobody can tell of.
    fn ready_join(&self, process: &Process, scope: Key) -> Result<Option<Ready>, (NodeIx, Stuck)> {
        for (flow, _) in self.state.tokens.of(scope) {
            let Some(flow) = process.find_flow(flow) else { continue };
            let target = process.flow(flow).target;
            if self.is_stuck_before(scope, &process.node(target).id) {
                continue;
            }
            match self.joined(process, target, scope) {
                Ok(None) => {}
                Ok(Some(tokens)) => return Ok(Some((target, tokens))),
                Err(stuck) => return Err((target, stuck)),
            }
        }
        Ok(None)
    }

    /// The tokens with which a join begins, if it can.
    fn joined(&self, process: &Process, target: NodeIx, scope: Key) -> Result<Option<Vec<ElementId>>, Stuck> {
        let node = process.node(target);
        let count = |flow: &crate::model::FlowIx| self.state.tokens.count(scope, &process.flow(*flow).id);
        let ids = |flows: &[crate::model::FlowIx]| flows.iter().map(|flow| process.flow(*flow).id.clone()).collect::<Vec<_>>();
        match &node.kind {
            // One token from each flow, however many wait on one of them.
            NodeKind::Parallel => Ok(node.incoming.iter().all(|flow| count(flow) > 0).then(|| ids(&node.incoming))),
            NodeKind::Inclusive if node.incoming.len() > 1 => {
                let (full, empty): (Vec<_>, Vec<_>) = node.incoming.iter().copied().partition(|flow| count(flow) > 0);
                if full.is_empty() || self.may_still_come(process, target, scope, &full, &empty) {
                    return Ok(None);
                }
                Ok(Some(ids(&full)))
            }
            NodeKind::Complex { activation } if node.incoming.len() > 1 => {
                let full: Vec<_> = node.incoming.iter().copied().filter(|flow| count(flow) > 0).collect();
                let tokens = full.iter().map(count).sum();
                let is_activated =
                    !self.waits_for_reset(scope, &node.id) && self.is_activated(activation.as_ref(), scope, tokens)?;
                Ok(is_activated.then(|| ids(&full)))
            }
            _ => {
                let needed = node.activity.as_ref().map_or(1, |activity| activity.start_quantity) as usize;
                let waiting: Vec<ElementId> = node
                    .incoming
                    .iter()
                    .flat_map(|flow| std::iter::repeat_n(process.flow(*flow).id.clone(), count(flow) as usize))
                    .take(needed)
                    .collect();
                Ok((waiting.len() == needed).then_some(waiting))
            }
        }
    }

    /// Whether a token that is elsewhere in the scope can still come over one of the empty flows of an inclusive join: one
    /// that has a path to an empty flow that does not go through the join, and none to a full one (BPMN 2.0, 13.4.3).
    pub(super) fn may_still_come(
        &self,
        process: &Process,
        join: NodeIx,
        scope: Key,
        full: &[crate::model::FlowIx],
        empty: &[crate::model::FlowIx],
    ) -> bool {
        let to_full = leads_to(process, join, full);
        let to_empty = leads_to(process, join, empty);
        let could = |node: NodeIx| to_empty[node.0 as usize] && !to_full[node.0 as usize];
        let on_flows = self
            .state
            .tokens
            .of(scope)
            .filter_map(|(flow, _)| process.find_flow(flow))
            .any(|flow| {
                let target = process.flow(flow).target;
                target != join && could(target)
            });
        let arriving = self
            .arrivals
            .iter()
            .chain(&self.throwing)
            .filter(|arrival| arrival.scope == scope)
            .any(|arrival| could(process.flow(arrival.flow).target));
        let in_elements = self
            .state
            .children(scope)
            // What is compensated lets no token out.
            .filter(|(_, element)| element.compensation.is_none())
            .filter_map(|(_, element)| process.find(&element.element))
            .any(could);
        let gone_back_to = self
            .state
            .awaited_back(scope)
            .filter_map(|element| process.find(element))
            .any(could);
        on_flows || arriving || in_elements || gone_back_to
    }

    /// Begins every join that can.
    pub(super) fn begin_joins(&mut self, scope: Key) -> Result<bool, Rejection> {
        if !self.state.tokens.any_in(scope) {
            return Ok(false);
        }
        let process = self.process_in(scope)?;
        match self.ready_join(&process, scope) {
            Ok(Some((node, flows))) => {
                self.enter(&process, node, scope, flows, None)?;
                Ok(true)
            }
            Ok(None) => Ok(false),
            Err((node, stuck)) => {
                self.stuck_before(scope, &process.node(node).id.clone(), stuck);
                Ok(false)
            }
        }
    }

    /// More steps than any sound process takes: the token stops where it is.
    pub(super) fn endless(&mut self, key: Key) {
        let limit = super::MAX_STEPS_PER_COMMAND;
        let message = format!("the process took more than {limit} steps without waiting for anything; it goes round in circles");
        self.stuck(key, Phase::Entering, Stuck::new(Obstacle::Endless, message));
    }
}

/// For each node whether a path leads from it to one of these flows without going through the join.
pub(super) fn leads_to(process: &Process, join: NodeIx, flows: &[crate::model::FlowIx]) -> Vec<bool> {
    leads(process, join, flows, |_| true)
}

/// The same without the ways over borders that do not interrupt: what goes out there begins a run of its own, which brings
/// to a join all that it needs there.
pub(super) fn leads_in_the_same_run(process: &Process, join: NodeIx, flows: &[crate::model::FlowIx]) -> Vec<bool> {
    leads(process, join, flows, |interrupting| interrupting)
}

fn leads(process: &Process, join: NodeIx, flows: &[crate::model::FlowIx], crosses: fn(bool) -> bool) -> Vec<bool> {
    let mut leads = vec![false; process.nodes.len()];
    let mut open: Vec<NodeIx> = flows.iter().map(|flow| process.flow(*flow).source).collect();
    while let Some(node) = open.pop() {
        if node == join || std::mem::replace(&mut leads[node.0 as usize], true) {
            continue;
        }
        let here = process.node(node);
        open.extend(here.incoming.iter().map(|flow| process.flow(*flow).source));
        match &here.kind {
            NodeKind::Boundary {
                attached_to,
                interrupting,
                ..
            } if crosses(*interrupting) => open.push(*attached_to),
            NodeKind::Catch(catch) => open.extend(throwers_of(process, here.parent, catch)),
            _ => {}
        }
    }
    leads
}

/// The events of a level that go on at a link.
fn throwers_of(process: &Process, level: Option<NodeIx>, catch: &Catch) -> Vec<NodeIx> {
    let is_link = |name: &String| {
        let mut triggers = catch.triggers.iter();
        triggers.any(|trigger| matches!(trigger, Trigger::Link(link) if link == name))
    };
    let throws = |child: &NodeIx| match &process.node(*child).kind {
        NodeKind::Throw(throw) => throw
            .results
            .iter()
            .any(|result| matches!(result, ThrowResult::Link(name) if is_link(name))),
        _ => false,
    };
    process.level(level).iter().copied().filter(throws).collect()
}
