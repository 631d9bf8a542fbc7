//! Circles in which nothing waits and nothing changes: once a token is in one, it never stands still.

use std::collections::HashSet;

use super::Said;
use crate::{
    finding::Severity,
    model::{NodeIx, NodeKind, Process, Repetition, Work},
};

/// Says of each such circle where it is.
pub(super) fn look(said: &mut Said<'_, '_>) {
    let process = said.process;
    let all = || (0..process.nodes.len()).map(|at| NodeIx(u32::try_from(at).unwrap_or(u32::MAX)));
    let idle: HashSet<NodeIx> = all().filter(|at| passes(process, *at, false)).collect();
    let in_circles = circles(process, &idle);
    if let Some(first) = first_of(process, &in_circles) {
        let label = said.label(first);
        said.say(
            "endless-circle",
            Severity::Error,
            first,
            format!("{label} is in a circle in which nothing waits and nothing changes; put a task or an event into it."),
            format!("{label} 处于一个既不等待也不改变数据的环路中;请在其中加入任务或事件。"),
        );
        return;
    }
    let busy: HashSet<NodeIx> = all().filter(|at| passes(process, *at, true)).collect();
    if let Some(first) = first_of(process, &circles(process, &busy)) {
        let label = said.label(first);
        said.say(
            "circle-without-wait",
            Severity::Warning,
            first,
            format!("{label} is in a circle in which nothing waits; make sure that its scripts end it."),
            format!("{label} 处于一个没有等待的环路中;请确认其中的脚本会使其结束。"),
        );
    }
}

/// Whether a token passes a node without waiting; scripts and decisions do as well, but change something.
fn passes(process: &Process, at: NodeIx, with_scripts: bool) -> bool {
    let node = process.node(at);
    let repeated = node
        .activity
        .as_ref()
        .is_some_and(|activity| !matches!(activity.repetition, Repetition::Once));
    match &node.kind {
        _ if repeated => false,
        NodeKind::Exclusive | NodeKind::Parallel | NodeKind::Inclusive | NodeKind::Complex { .. } => true,
        NodeKind::Throw(throw) => throw.results.is_empty(),
        NodeKind::Task(task) => match task.work {
            Work::Nothing | Work::Manual => true,
            Work::Script(crate::model::Script::Feel { .. }) | Work::Decision(_) => with_scripts,
            _ => false,
        },
        _ => false,
    }
}

/// The nodes of a set that are in circles within it, or between two of them.
fn circles(process: &Process, set: &HashSet<NodeIx>) -> HashSet<NodeIx> {
    let mut left = set.clone();
    let next = |at: NodeIx| process.node(at).outgoing.iter().map(|flow| process.flow(*flow).target);
    let before = |at: NodeIx| process.node(at).incoming.iter().map(|flow| process.flow(*flow).source);
    let mut open: Vec<NodeIx> = left.iter().copied().collect();
    while let Some(at) = open.pop() {
        if !left.contains(&at) {
            continue;
        }
        let dead_end = !next(at).any(|other| left.contains(&other)) || !before(at).any(|other| left.contains(&other));
        if dead_end {
            left.remove(&at);
            open.extend(next(at).chain(before(at)));
        }
    }
    left
}

fn first_of(process: &Process, set: &HashSet<NodeIx>) -> Option<NodeIx> {
    set.iter().copied().min_by_key(|at| process.node(*at).place)
}
