//! What two versions of a process differ in: for those who deploy one, and for those whose cases go over to it.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{NodeIx, NodeKind, Process, Repetition, Work};

/// What two versions of a process differ in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Nodes that only the new version has.
    pub added: Vec<String>,
    /// Nodes that only the old version has.
    pub removed: Vec<String>,
    /// Nodes that both have and that are not the same.
    pub changed: Vec<ChangedNode>,
    /// Flows that only the new version has.
    pub flows_added: Vec<String>,
    /// Flows that only the old version has.
    pub flows_removed: Vec<String>,
    /// Flows that both have and that lead elsewhere or under another condition.
    pub flows_changed: Vec<String>,
}

impl Difference {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A node that is not the same in two versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangedNode {
    /// Which.
    pub element: String,
    /// What is not the same, in words of the model (`name`, `kind`, `candidates`).
    pub what: Vec<&'static str>,
}

/// What the new version of a process has otherwise than the old one.
pub fn difference(old: &Process, new: &Process) -> Difference {
    let (old_nodes, new_nodes) = (
        ids(old.nodes.iter().map(|node| &*node.id)),
        ids(new.nodes.iter().map(|node| &*node.id)),
    );
    let (old_flows, new_flows) = (
        ids(old.flows.iter().map(|flow| &*flow.id)),
        ids(new.flows.iter().map(|flow| &*flow.id)),
    );
    let changed = old_nodes.intersection(&new_nodes).filter_map(|id| {
        let what = changes(old, old.find(id)?, new, new.find(id)?);
        (!what.is_empty()).then(|| ChangedNode {
            element: (*id).to_owned(),
            what,
        })
    });
    let flows_changed = old_flows.intersection(&new_flows).filter(|id| {
        let shape = |process: &Process| {
            let flow = process.flow(process.find_flow(id)?);
            let ends = (process.node(flow.source).id.clone(), process.node(flow.target).id.clone());
            Some((ends, flow.condition.as_ref().map(|condition| condition.feel().to_owned())))
        };
        shape(old) != shape(new)
    });
    Difference {
        added: owned(new_nodes.difference(&old_nodes)),
        removed: owned(old_nodes.difference(&new_nodes)),
        changed: changed.collect(),
        flows_added: owned(new_flows.difference(&old_flows)),
        flows_removed: owned(old_flows.difference(&new_flows)),
        flows_changed: owned(flows_changed),
    }
}

fn ids<'a>(names: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    names.collect()
}

fn owned<'a>(names: impl Iterator<Item = &'a &'a str>) -> Vec<String> {
    names.map(|name| (*name).to_owned()).collect()
}

fn changes(old: &Process, old_at: NodeIx, new: &Process, new_at: NodeIx) -> Vec<&'static str> {
    let (before, after) = (old.node(old_at), new.node(new_at));
    let mut what = Vec::new();
    let parent = |process: &Process, at: Option<NodeIx>| at.map(|at| process.node(at).id.clone());
    let mut note = |differs: bool, name| {
        if differs {
            what.push(name);
        }
    };
    note(before.name != after.name, "name");
    note(before.kind.name() != after.kind.name(), "kind");
    note(parent(old, before.parent) != parent(new, after.parent), "scope");
    note(attached(old, before) != attached(new, after), "attachedTo");
    note(default_of(old, before) != default_of(new, after), "default");
    note(before.documentation != after.documentation, "documentation");
    note(before.legal_basis != after.legal_basis, "legalBasis");
    note(repetition(before) != repetition(after), "loopCharacteristics");
    // The compiled work has no equality of its own; what it says of itself is what was written in the model.
    note(work(before) != work(after), "settings");
    what
}

fn attached(process: &Process, node: &super::Node) -> Option<super::ElementId> {
    match node.kind {
        NodeKind::Boundary { attached_to, .. } => Some(process.node(attached_to).id.clone()),
        _ => None,
    }
}

fn default_of(process: &Process, node: &super::Node) -> Option<super::ElementId> {
    node.default.map(|flow| process.flow(flow).id.clone())
}

fn repetition(node: &super::Node) -> String {
    match node.activity.as_ref().map(|activity| &activity.repetition) {
        None | Some(Repetition::Once) => String::new(),
        Some(other) => format!("{other:?}"),
    }
}

fn work(node: &super::Node) -> String {
    match &node.kind {
        NodeKind::Task(task) => match &task.work {
            Work::User(user) => format!("{user:?}"),
            other => format!("{other:?}"),
        },
        NodeKind::Start { catch, interrupting } | NodeKind::Boundary { catch, interrupting, .. } => {
            format!("{catch:?} {interrupting}")
        }
        NodeKind::Catch(catch) => format!("{catch:?}"),
        NodeKind::Throw(throw) | NodeKind::End(throw) => format!("{throw:?}"),
        NodeKind::Call(call) => format!("{call:?}"),
        NodeKind::SubProcess(kind) => format!("{kind:?}"),
        NodeKind::Complex { activation } => format!("{activation:?}"),
        NodeKind::EventBased { instantiate, parallel } => format!("{instantiate} {parallel}"),
        NodeKind::Exclusive | NodeKind::Parallel | NodeKind::Inclusive => String::new(),
    }
}
