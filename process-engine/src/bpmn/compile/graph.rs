//! The nodes and flows of a process, on all levels.

use std::collections::HashMap;

use roxmltree::NodeId;

use super::Compiler;
use crate::{
    bpmn::source::{
        Xml, attr, engine_attr, flag, id, is_activity, is_flow_node, is_sub_process, kid, kid_text, kids, kids_of, local, name,
        text, zhulu_attr, zhulu_elements,
    },
    model::{AdHoc, Flow, FlowIx, Node, NodeIx, NodeKind, Process, ProcessRef, SubProcess},
};

/// A process while it is made.
pub(super) struct Draft<'a> {
    xml: Vec<Xml<'a>>,
    parents: Vec<Option<NodeIx>>,
    at: HashMap<NodeId, NodeIx>,
    by_id: HashMap<&'a str, NodeIx>,
    /// The timers on the border of user tasks that only say what happens when they are late (`boundaryEventType`).
    pub(super) timeouts: HashMap<&'a str, Xml<'a>>,
    flows: Vec<Xml<'a>>,
}

impl<'a> Draft<'a> {
    fn new(process: Xml<'a>) -> Self {
        let mut draft = Self {
            xml: Vec::new(),
            parents: Vec::new(),
            at: HashMap::new(),
            by_id: HashMap::new(),
            timeouts: HashMap::new(),
            flows: Vec::new(),
        };
        draft.collect(process, None);
        draft
    }

    fn collect(&mut self, level: Xml<'a>, parent: Option<NodeIx>) {
        for node in kids(level) {
            if name(node) == "sequenceFlow" {
                self.flows.push(node);
            }
            let Some(id) = id(node).filter(|_| is_flow_node(node)) else {
                continue;
            };
            if let Some(host) = super::approvals::timeout_of(node) {
                self.timeouts.insert(host, node);
                continue;
            }
            let at = index(self.xml.len());
            if self.by_id.contains_key(id) {
                continue; // The rule of ids says that there are two.
            }
            self.by_id.insert(id, at);
            self.xml.push(node);
            self.parents.push(parent);
            self.at.insert(node.id(), at);
            if is_sub_process(node) {
                self.collect(node, Some(at));
            }
        }
    }

    /// The node that a reference names.
    pub(super) fn find(&self, reference: &str) -> Option<NodeIx> {
        self.by_id.get(local(reference)).copied()
    }
}

fn index(length: usize) -> NodeIx {
    NodeIx(u32::try_from(length).unwrap_or(u32::MAX))
}

impl<'a> Compiler<'_, 'a> {
    pub(super) fn process(&mut self, xml: Xml<'a>, reference: ProcessRef) -> Process {
        let draft = Draft::new(xml);
        let mut nodes: Vec<Node> = (0..draft.xml.len()).map(|at| self.node(&draft, at)).collect();
        let flows = self.flows(&draft, &mut nodes);
        let children = hang_together(&draft, &mut nodes);
        compensations(xml, &draft, &mut nodes);
        Process {
            name: attr(xml, "name").map(str::to_owned),
            executable: flag(xml, "isExecutable", true),
            node_by_id: nodes
                .iter()
                .zip(0..)
                .map(|(node, at)| (node.id.clone(), NodeIx(at)))
                .collect(),
            flow_by_id: flows
                .iter()
                .zip(0..)
                .map(|(flow, at)| (flow.id.clone(), FlowIx(at)))
                .collect(),
            children,
            data: Self::data(xml),
            candidate_starters: candidate_starters(xml),
            starter_variable: kids_of(xml, "startEvent")
                .find_map(|start| engine_attr(start, "initiator"))
                .map(str::to_owned),
            deduplicate: self.deduplicate(xml).unwrap_or_default(),
            reference,
            nodes,
            flows,
        }
    }

    fn node(&mut self, draft: &Draft<'a>, at: usize) -> Node {
        let xml = draft.xml[at];
        Node {
            id: id(xml).unwrap_or_default().into(),
            name: attr(xml, "name").map(str::to_owned),
            kind: self.kind(draft, xml),
            parent: draft.parents[at],
            incoming: Vec::new(),
            outgoing: Vec::new(),
            default: None,
            activity: is_activity(xml).then(|| Box::new(self.activity(xml))),
            boundary: Vec::new(),
            children: Vec::new(),
            documentation: kid_text(xml, "documentation"),
            legal_basis: legal_basis(xml),
            place: self.source.place(xml),
        }
    }

    fn kind(&mut self, draft: &Draft<'a>, xml: Xml<'a>) -> NodeKind {
        match name(xml) {
            "startEvent" => NodeKind::Start {
                catch: self.catch(xml),
                interrupting: flag(xml, "isInterrupting", true),
            },
            "intermediateCatchEvent" => NodeKind::Catch(self.catch(xml)),
            "intermediateThrowEvent" => NodeKind::Throw(self.throw(xml)),
            "endEvent" => NodeKind::End(self.throw(xml)),
            "boundaryEvent" => NodeKind::Boundary {
                attached_to: attr(xml, "attachedToRef")
                    .and_then(|host| draft.find(host))
                    .unwrap_or(NodeIx(0)),
                interrupting: flag(xml, "cancelActivity", true),
                catch: self.catch(xml),
            },
            "exclusiveGateway" => NodeKind::Exclusive,
            "parallelGateway" => NodeKind::Parallel,
            "inclusiveGateway" => NodeKind::Inclusive,
            "complexGateway" => NodeKind::Complex {
                activation: kid(xml, "activationCondition").and_then(|condition| self.formal(condition)),
            },
            "eventBasedGateway" => NodeKind::EventBased {
                instantiate: flag(xml, "instantiate", false),
                parallel: attr(xml, "eventGatewayType") == Some("Parallel"),
            },
            "subProcess" if flag(xml, "triggeredByEvent", false) => NodeKind::SubProcess(SubProcess::Event),
            "subProcess" => NodeKind::SubProcess(SubProcess::Embedded),
            "transaction" => NodeKind::SubProcess(SubProcess::Transaction),
            "adHocSubProcess" => NodeKind::SubProcess(SubProcess::AdHoc(AdHoc {
                sequential: attr(xml, "ordering") == Some("Sequential"),
                completion: kid(xml, "completionCondition").and_then(|condition| self.formal(condition)),
                cancel_remaining: flag(xml, "cancelRemainingInstances", true),
            })),
            "callActivity" => self.call(xml, draft),
            _ => NodeKind::Task(self.task(xml, draft)),
        }
    }

    fn flows(&mut self, draft: &Draft<'a>, nodes: &mut [Node]) -> Vec<Flow> {
        let mut flows: Vec<Flow> = Vec::new();
        let mut defaults = HashMap::new();
        for xml in &draft.flows {
            let end = |which| attr(*xml, which).and_then(|reference| draft.find(reference));
            let (Some(source), Some(target), Some(id)) = (end("sourceRef"), end("targetRef"), id(*xml)) else {
                continue;
            };
            let at = FlowIx(u32::try_from(flows.len()).unwrap_or(u32::MAX));
            nodes[source.0 as usize].outgoing.push(at);
            nodes[target.0 as usize].incoming.push(at);
            defaults.insert(id, at);
            flows.push(Flow {
                id: id.into(),
                name: attr(*xml, "name").map(str::to_owned),
                source,
                target,
                condition: kid(*xml, "conditionExpression").and_then(|condition| self.formal(condition)),
                place: self.source.place(*xml),
            });
        }
        for (node, xml) in nodes.iter_mut().zip(&draft.xml) {
            node.default = attr(*xml, "default").and_then(|flow| defaults.get(local(flow)).copied());
        }
        flows
    }
}

/// Hangs boundary events on their activities and nodes into their sub-processes; gives the nodes of the process's own level.
fn hang_together(draft: &Draft<'_>, nodes: &mut [Node]) -> Vec<NodeIx> {
    let mut own = Vec::new();
    for at in 0..nodes.len() {
        let here = index(at);
        match draft.parents[at] {
            Some(parent) => nodes[parent.0 as usize].children.push(here),
            None => own.push(here),
        }
        let host = attr(draft.xml[at], "attachedToRef").and_then(|host| draft.find(host));
        if let Some(host) = host.filter(|_| name(draft.xml[at]) == "boundaryEvent") {
            nodes[host.0 as usize].boundary.push(here);
        }
    }
    own
}

/// An association leads from a compensation event on an activity's border to the activity that compensates it.
fn compensations(process: Xml<'_>, draft: &Draft<'_>, nodes: &mut [Node]) {
    for association in process.descendants().filter(|node| name(*node) == "association") {
        let end = |which| attr(association, which).and_then(|reference| draft.find(reference));
        let (Some(event), Some(activity)) = (end("sourceRef"), end("targetRef")) else {
            continue;
        };
        let NodeKind::Boundary { attached_to, .. } = nodes[event.0 as usize].kind else {
            continue;
        };
        if nodes[activity.0 as usize].activity.is_none() {
            continue;
        }
        if let Some(host) = &mut nodes[attached_to.0 as usize].activity {
            host.compensated_by = Some(activity);
        }
    }
}

fn legal_basis(xml: Xml<'_>) -> Option<String> {
    let attribute = zhulu_attr(xml, "legalBasis").map(str::to_owned);
    attribute.or_else(|| zhulu_elements(xml, "legalBasis").map(text).find(|text| !text.is_empty()))
}

fn candidate_starters(xml: Xml<'_>) -> Vec<String> {
    let listed = ["candidateStarterUsers", "candidateStarterGroups"]
        .into_iter()
        .filter_map(|which| engine_attr(xml, which));
    let mut starters: Vec<String> = listed
        .flat_map(|list| list.split(','))
        .map(|who| who.trim().to_owned())
        .collect();
    starters.retain(|who| !who.is_empty());
    starters
}
