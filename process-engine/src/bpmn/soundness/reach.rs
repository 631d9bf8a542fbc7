//! Nodes that no token ever reaches.

use std::collections::HashSet;

use super::Said;
use crate::{
    finding::Severity,
    model::{NodeIx, NodeKind, Process, SubProcess, ThrowResult, Trigger, Work},
};

/// Says of each node that cannot be reached that it cannot.
pub(super) fn look(said: &mut Said<'_, '_>) {
    let process = said.process;
    let reached = reached(process);
    for at in (0..process.nodes.len()).map(index).filter(|at| !reached.contains(at)) {
        let parent_reached = process.node(at).parent.is_none_or(|parent| reached.contains(&parent));
        if !parent_reached {
            continue; // It is enough to say it of the sub-process.
        }
        let label = said.label(at);
        said.say(
            "unreachable",
            Severity::Error,
            at,
            format!("{label} can never be reached; connect it or remove it."),
            format!("{label} 永远无法到达;请连接或删除。"),
        );
    }
}

fn index(at: usize) -> NodeIx {
    NodeIx(u32::try_from(at).unwrap_or(u32::MAX))
}

fn reached(process: &Process) -> HashSet<NodeIx> {
    let mut reached = HashSet::new();
    let mut open = entries(process, None);
    while let Some(at) = open.pop() {
        if !reached.insert(at) {
            continue;
        }
        let node = process.node(at);
        open.extend(node.outgoing.iter().map(|flow| process.flow(*flow).target));
        open.extend(&node.boundary);
        if let Some(handler) = node.activity.as_ref().and_then(|activity| activity.compensated_by) {
            open.push(handler);
        }
        if matches!(node.kind, NodeKind::SubProcess(_)) {
            open.extend(entries(process, Some(at)));
        }
        for link in links_of(&node.kind) {
            open.extend(
                process
                    .level(node.parent)
                    .iter()
                    .filter(|other| arrives(process, **other, link)),
            );
        }
    }
    reached
}

/// Where tokens of a level come from.
pub(super) fn entries(process: &Process, level: Option<NodeIx>) -> Vec<NodeIx> {
    let nodes = process.level(level);
    let by_hand = level.is_some_and(|level| matches!(process.node(level).kind, NodeKind::SubProcess(SubProcess::AdHoc(_))));
    let has_start = nodes.iter().any(|at| starts(process, *at));
    let is_entry = |at: &&NodeIx| {
        let node = process.node(**at);
        match &node.kind {
            NodeKind::SubProcess(SubProcess::Event) => true,
            NodeKind::Boundary { .. } => false,
            NodeKind::Catch(catch) if catch.triggers.iter().any(|trigger| matches!(trigger, Trigger::Link(_))) => false,
            _ if node.activity.as_ref().is_some_and(|activity| activity.for_compensation) => false,
            _ if starts(process, **at) => true,
            // Without a start event, whatever has no flow in starts with its level.
            _ => (!has_start || by_hand) && node.incoming.is_empty(),
        }
    };
    nodes.iter().filter(is_entry).copied().collect()
}

/// Whether a node starts its level.
pub(super) fn starts(process: &Process, at: NodeIx) -> bool {
    match &process.node(at).kind {
        NodeKind::Start { .. } => true,
        NodeKind::EventBased { instantiate, .. } => *instantiate,
        NodeKind::Task(task) => {
            matches!(task.work, Work::Receive { instantiate: true, .. }) && process.node(at).incoming.is_empty()
        }
        _ => false,
    }
}

/// The links that a node leaves by.
pub(super) fn links_of(kind: &NodeKind) -> impl Iterator<Item = &str> {
    let results = match kind {
        NodeKind::Throw(throw) => throw.results.as_slice(),
        _ => &[],
    };
    results.iter().filter_map(|result| match result {
        ThrowResult::Link(name) => Some(name.as_str()),
        _ => None,
    })
}

/// Whether a link of this name arrives at a node.
pub(super) fn arrives(process: &Process, at: NodeIx, link: &str) -> bool {
    match &process.node(at).kind {
        NodeKind::Catch(catch) => catch
            .triggers
            .iter()
            .any(|trigger| matches!(trigger, Trigger::Link(name) if name == link)),
        _ => false,
    }
}
