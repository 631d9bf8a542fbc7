//! Over to another version of the model: which element becomes which, and whether an instance can go.
//!
//! A plan is made once for two models; each instance is checked against it. Trying it is deciding the command without
//! keeping the events.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ROOT,
    state::{Element, Instance},
    words::Key,
};
use crate::model::{Activity, ElementId, NodeIx, NodeKind, Process, Repetition, SubProcess, Trigger};

/// Which element and which flow of the old model is which of the new one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Elements of the old model that have a counterpart.
    pub elements: BTreeMap<ElementId, ElementId>,
    /// Flows of the old model that have a counterpart.
    pub flows: BTreeMap<ElementId, ElementId>,
    /// What is wrong with the plan itself, whatever the instance.
    pub findings: Vec<String>,
}

impl Plan {
    /// The elements that have another name in the new model.
    pub fn renamed_elements(&self) -> Vec<(ElementId, ElementId)> {
        renamed(&self.elements)
    }

    /// The flows that have another name in the new model.
    pub fn renamed_flows(&self) -> Vec<(ElementId, ElementId)> {
        renamed(&self.flows)
    }
}

fn renamed(names: &BTreeMap<ElementId, ElementId>) -> Vec<(ElementId, ElementId)> {
    let differ = names.iter().filter(|(old, new)| old != new);
    differ.map(|(old, new)| (old.clone(), new.clone())).collect()
}

/// Says which element becomes which: as named, else the one of the same id.
pub fn plan(from: &Process, to: &Process, named: &[(ElementId, ElementId)]) -> Plan {
    let mut plan = Plan::default();
    for (old, new) in named {
        if from.find(old).is_none() {
            plan.findings.push(format!("{old} is no element of the model that is left"));
        } else if to.find(new).is_none() {
            plan.findings.push(format!("{new} is no element of the new model"));
        } else if plan.elements.insert(old.clone(), new.clone()).is_some() {
            plan.findings.push(format!("{old} is named twice"));
        }
    }
    let taken: BTreeSet<ElementId> = plan.elements.values().cloned().collect();
    if taken.len() < plan.elements.len() {
        plan.findings
            .push("two elements would become the same one of the new model".to_owned());
    }
    for node in &from.nodes {
        if !plan.elements.contains_key(&node.id) && !taken.contains(&node.id) && to.find(&node.id).is_some() {
            plan.elements.insert(node.id.clone(), node.id.clone());
        }
    }
    for flow in &from.flows {
        if let Some(counterpart) = counterpart_of_flow(from, to, &plan, &flow.id) {
            plan.flows.insert(flow.id.clone(), counterpart);
        }
    }
    plan
}

/// The flow of the same id; else the only one between the counterparts of its ends.
fn counterpart_of_flow(from: &Process, to: &Process, plan: &Plan, id: &ElementId) -> Option<ElementId> {
    if to.find_flow(id).is_some() {
        return Some(id.clone());
    }
    let flow = from.flow(from.find_flow(id)?);
    let end = |at: NodeIx| to.find(plan.elements.get(&from.node(at).id)?);
    let (source, target) = (end(flow.source)?, end(flow.target)?);
    let mut between = to.flows.iter().filter(|flow| flow.source == source && flow.target == target);
    let only = between.next()?;
    between.next().is_none().then(|| only.id.clone())
}

/// Everything that keeps an instance from going over by this plan, each as a sentence; nothing: it can go.
pub fn validate(instance: &Instance, from: &Process, to: &Process, plan: &Plan) -> Vec<String> {
    let mut findings = plan.findings.clone();
    let check = Check {
        instance,
        from,
        to,
        plan,
    };
    for (key, element) in instance.elements.iter().filter(|(key, _)| **key != ROOT) {
        if instance.is_of_own_process(*key) {
            findings.extend(check.element(element));
        }
    }
    for (scope, flow, _) in instance.tokens.iter() {
        if scope == ROOT || (instance.is_of_own_process(scope) && !check.is_call(scope)) {
            findings.extend(check.token(scope, flow));
        }
    }
    for done in instance.compensable.iter() {
        if done.scope != ROOT && (!instance.is_of_own_process(done.scope) || check.is_call(done.scope)) {
            continue;
        }
        let has_handler = done
            .handler
            .as_ref()
            .is_none_or(|handler| plan.elements.contains_key(handler));
        if !plan.elements.contains_key(&done.element) || !has_handler {
            let element = &done.element;
            findings.push(format!(
                "{element} was done and could be compensated, and the new model has no such activity or handler"
            ));
        }
    }
    findings
}

/// The sub-processes of the new model, outermost first, that an element stands in there and did not before; none, if it
/// cannot stand where the new model has it.
pub(super) fn new_scopes(to: &Process, at: NodeIx, around: Option<NodeIx>) -> Option<Vec<NodeIx>> {
    let mut between = Vec::new();
    let mut parent = to.node(at).parent;
    while parent != around {
        let scope = parent?;
        let node = to.node(scope);
        let is_plain = matches!(
            node.kind,
            NodeKind::SubProcess(SubProcess::Embedded | SubProcess::Transaction)
        );
        if !is_plain || !is_done_once(node.activity.as_deref()) {
            return None;
        }
        between.push(scope);
        parent = node.parent;
    }
    between.reverse();
    Some(between)
}

fn is_done_once(activity: Option<&Activity>) -> bool {
    activity.is_none_or(|activity| matches!(activity.repetition, Repetition::Once) && !activity.for_compensation)
}

struct Check<'a> {
    instance: &'a Instance,
    from: &'a Process,
    to: &'a Process,
    plan: &'a Plan,
}

/// What a scope becomes in the new model.
enum Scope {
    /// This node; none: the instance itself.
    Known(Option<NodeIx>),
    /// Nothing, which is a finding of its own.
    Missing,
}

impl Check<'_> {
    /// The element of the new model that one of the old model becomes.
    fn counterpart(&self, old: &ElementId) -> Option<NodeIx> {
        self.to.find(self.plan.elements.get(old)?)
    }

    fn is_call(&self, scope: Key) -> bool {
        let element = self.instance.elements.get(&scope);
        scope != ROOT && element.is_some_and(|element| element.process.is_some())
    }

    fn element(&self, element: &Element) -> Option<String> {
        let id = &element.element;
        let (Some(old), Some(new)) = (self.from.find(id), self.counterpart(id)) else {
            return Some(format!("{id} is being done, and the new model has no element for it"));
        };
        let (old, node) = (self.from.node(old), self.to.node(new));
        if old.kind.name() != node.kind.name() {
            let (was, is) = (old.kind.name(), node.kind.name());
            return Some(format!("{id} is a {was}, and {} of the new model a {is}", node.id));
        }
        if triggers(&old.kind) != triggers(&node.kind) {
            return Some(format!("{id} waits for something else than {} of the new model", node.id));
        }
        if !same_repetition(old.activity.as_deref(), node.activity.as_deref()) {
            return Some(format!("{id} is repeated in another way than {} of the new model", node.id));
        }
        if element.round.is_some() {
            return None;
        }
        let Scope::Known(around) = self.scope(element.scope) else {
            return None;
        };
        new_scopes(self.to, new, around)
            .is_none()
            .then(|| format!("{id} stands in another scope than {} of the new model", node.id))
    }

    /// The node of the new model that a scope becomes.
    fn scope(&self, scope: Key) -> Scope {
        if scope == ROOT {
            return Scope::Known(None);
        }
        let element = self.instance.elements.get(&scope);
        match element.and_then(|element| self.counterpart(&element.element)) {
            Some(at) => Scope::Known(Some(at)),
            None => Scope::Missing,
        }
    }

    fn token(&self, scope: Key, flow: &ElementId) -> Option<String> {
        let Some(new) = self.plan.flows.get(flow).and_then(|new| self.to.find_flow(new)) else {
            return Some(format!("a token waits on {flow}, and the new model has no such flow"));
        };
        let Scope::Known(around) = self.scope(scope) else {
            return None;
        };
        let source = self.to.node(self.to.flow(new).source);
        (source.parent != around).then(|| format!("a token waits on {flow}, which stands in another scope in the new model"))
    }
}

/// What an event waits for, by kind.
pub(super) fn triggers(kind: &NodeKind) -> Vec<std::mem::Discriminant<Trigger>> {
    match kind {
        NodeKind::Start { catch, .. } | NodeKind::Catch(catch) | NodeKind::Boundary { catch, .. } => {
            catch.triggers.iter().map(std::mem::discriminant).collect()
        }
        _ => Vec::new(),
    }
}

fn same_repetition(old: Option<&Activity>, new: Option<&Activity>) -> bool {
    let kind = |activity: Option<&Activity>| match activity.map(|activity| &activity.repetition) {
        None | Some(Repetition::Once) => (false, None),
        Some(Repetition::Standard { .. }) => (true, None),
        Some(Repetition::Multi(multi)) => (true, Some(multi.sequential)),
    };
    kind(old) == kind(new)
}
