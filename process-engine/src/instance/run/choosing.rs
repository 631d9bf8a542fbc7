//! The way on: which flows a token takes when its node is done.

use super::{Run, Stuck};
use crate::{
    instance::words::{Bindings, Key, Obstacle},
    model::{ElementId, FlowIx, NodeIx, NodeKind, Process},
};

impl Run<'_> {
    /// The flows that tokens are put on when this node is done.
    pub(super) fn ways_on(&self, process: &Process, at: NodeIx, scope: Key) -> Result<Vec<ElementId>, Stuck> {
        let node = process.node(at);
        let id = |flow: &FlowIx| process.flow(*flow).id.clone();
        match &node.kind {
            NodeKind::Exclusive => Ok(self.first_way(process, at, scope)?.iter().map(id).collect()),
            NodeKind::Parallel => Ok(node.outgoing.iter().map(id).collect()),
            _ => {
                let ways = match node.kind {
                    NodeKind::Complex { .. } => self.all_ways(process, at, scope, Some(&super::complex::phase(true, 1)))?,
                    _ => self.all_ways(process, at, scope, None)?,
                };
                let tokens = node.activity.as_ref().map_or(1, |activity| activity.completion_quantity) as usize;
                Ok(ways.iter().flat_map(|flow| std::iter::repeat_n(id(flow), tokens)).collect())
            }
        }
    }

    /// The first flow whose condition holds, or the default.
    fn first_way(&self, process: &Process, at: NodeIx, scope: Key) -> Result<Option<FlowIx>, Stuck> {
        let node = process.node(at);
        for flow in &node.outgoing {
            if node.default == Some(*flow) {
                continue;
            }
            match &process.flow(*flow).condition {
                None => return Ok(Some(*flow)),
                Some(condition) if self.holds(condition, scope)? => return Ok(Some(*flow)),
                Some(_) => {}
            }
        }
        match node.default {
            Some(flow) => Ok(Some(flow)),
            None if node.outgoing.is_empty() => Ok(None),
            None => Err(no_way_on(process, at)),
        }
    }

    /// All flows whose condition holds or that have none; the default, if there are none of these. The default flow of an
    /// activity is taken beside those that have none (BPMN 2.0, table 10.3).
    pub(super) fn all_ways(
        &self,
        process: &Process,
        at: NodeIx,
        scope: Key,
        besides: Option<&Bindings>,
    ) -> Result<Vec<FlowIx>, Stuck> {
        let node = process.node(at);
        let mut ways = Vec::with_capacity(node.outgoing.len());
        let mut has_one_held = false;
        for flow in node.outgoing.iter().filter(|flow| node.default != Some(**flow)) {
            let is_taken = match &process.flow(*flow).condition {
                None => true,
                Some(condition) => {
                    let holds = condition.holds(&self.seen(scope, besides))?;
                    has_one_held |= holds;
                    holds
                }
            };
            if is_taken {
                ways.push(*flow);
            }
        }
        let is_left_over = ways.is_empty() || (node.activity.is_some() && !has_one_held);
        if is_left_over && let Some(flow) = node.default {
            ways.push(flow);
        }
        if ways.is_empty() && !node.outgoing.is_empty() {
            return Err(no_way_on(process, at));
        }
        Ok(ways)
    }
}

fn no_way_on(process: &Process, at: NodeIx) -> Stuck {
    let node = process.node(at);
    let message = format!(
        "no condition of the flows that leave {} holds, and none of them is the default",
        node.id
    );
    Stuck::new(Obstacle::NoWayOn, message)
}
