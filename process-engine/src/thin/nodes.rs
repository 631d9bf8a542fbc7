//! Nodes and flows of a level, and what connects them.

use roxmltree::Node;

use super::{
    roots::Reader,
    xml::{child, children, extra, flag, is_bpmn, local, place_of, text_of},
};
use crate::model::{Activity, DataObject, Flow, FlowIx, Node as ModelNode, NodeIx, NodeKind, Process, Repetition, SubProcess};

/// Elements that stand in a level and are neither nodes nor flows.
const BESIDES: [&str; 28] = [
    "documentation",
    "extensionElements",
    "incoming",
    "outgoing",
    "laneSet",
    "dataObject",
    "dataObjectReference",
    "dataStoreReference",
    "property",
    "association",
    "textAnnotation",
    "group",
    "ioSpecification",
    "dataInputAssociation",
    "dataOutputAssociation",
    "multiInstanceLoopCharacteristics",
    "standardLoopCharacteristics",
    "resourceRole",
    "performer",
    "humanPerformer",
    "potentialOwner",
    "completionCondition",
    "auditing",
    "monitoring",
    "ioBinding",
    "artifact",
    "correlationSubscription",
    "supports",
];

impl<'a> Reader<'a> {
    /// Reads a level: a process, or a sub-process.
    pub(super) fn level(&mut self, process: &mut Process, level: &Node<'a, 'a>, parent: Option<NodeIx>) {
        for node in level.children().filter(Node::is_element) {
            let name = node.tag_name().name();
            if node.tag_name().namespace() != Some(super::xml::BPMN) || name == "sequenceFlow" || BESIDES.contains(&name) {
                continue;
            }
            let Some(kind) = self.kind(&node) else { continue };
            let at = NodeIx(u32::try_from(process.nodes.len()).unwrap_or(u32::MAX));
            let is_level = matches!(kind, NodeKind::SubProcess(_));
            let activity = matches!(kind, NodeKind::Task(_) | NodeKind::SubProcess(_) | NodeKind::Call(_))
                .then(|| Box::new(self.activity(&node, &kind)));
            let id: crate::model::ElementId = node.attribute("id").unwrap_or_default().into();
            if id.is_empty() {
                self.wrong("id", &node, format!("a {name} needs an id"), "元素缺少标识");
            }
            process.node_by_id.insert(id.clone(), at);
            process.nodes.push(ModelNode {
                id,
                name: node.attribute("name").map(str::to_owned).filter(|name| !name.is_empty()),
                kind,
                parent,
                incoming: Vec::new(),
                outgoing: Vec::new(),
                default: None,
                activity,
                boundary: Vec::new(),
                children: Vec::new(),
                documentation: child(&node, "documentation")
                    .map(|text| text_of(&text))
                    .filter(|text| !text.is_empty()),
                legal_basis: extra(&node, "legalBasis").map(str::to_owned),
                place: place_of(self.document, &node),
            });
            match parent {
                Some(parent) => process.nodes[parent.0 as usize].children.push(at),
                None => process.children.push(at),
            }
            if is_level {
                self.level(process, &node, Some(at));
            }
        }
        let data = self.data(level);
        match parent {
            Some(parent) => {
                if let Some(activity) = &mut process.nodes[parent.0 as usize].activity {
                    activity.data = data;
                }
            }
            None => process.data = data,
        }
    }

    /// The data objects and properties of a level.
    pub(super) fn data(&mut self, level: &Node<'a, 'a>) -> Vec<DataObject> {
        let objects = level
            .children()
            .filter(|node| is_bpmn(node, "dataObject") || is_bpmn(node, "property"));
        objects
            .map(|node| {
                let id = node.attribute("id").unwrap_or_default();
                let value = super::xml::extensions(&node)
                    .find(|extension| extension.tag_name().name() == "value")
                    .map(|value| text_of(&value));
                let initial = value.map(|text| serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text)));
                DataObject {
                    id: id.into(),
                    name: node
                        .attribute("name")
                        .filter(|name| !name.is_empty())
                        .unwrap_or(id)
                        .to_owned(),
                    is_collection: flag(&node, "isCollection", false),
                    initial: initial.unwrap_or_default(),
                }
            })
            .collect()
    }

    fn kind(&mut self, node: &Node<'a, 'a>) -> Option<NodeKind> {
        Some(match node.tag_name().name() {
            "startEvent" => NodeKind::Start {
                catch: self.catch(node),
                interrupting: flag(node, "isInterrupting", true),
            },
            "intermediateCatchEvent" => NodeKind::Catch(self.catch(node)),
            "intermediateThrowEvent" => NodeKind::Throw(self.throw(node)),
            "endEvent" => NodeKind::End(self.throw(node)),
            "boundaryEvent" => NodeKind::Boundary {
                // Found when all nodes are there.
                attached_to: NodeIx(u32::MAX),
                interrupting: flag(node, "cancelActivity", true),
                catch: self.catch(node),
            },
            "exclusiveGateway" => NodeKind::Exclusive,
            "parallelGateway" => NodeKind::Parallel,
            "inclusiveGateway" => NodeKind::Inclusive,
            "complexGateway" => NodeKind::Complex {
                activation: child(node, "activationCondition").and_then(|at| self.expression(&at, &text_of(&at))),
            },
            "eventBasedGateway" => NodeKind::EventBased {
                instantiate: flag(node, "instantiate", false),
                parallel: node.attribute("eventGatewayType") == Some("Parallel"),
            },
            "subProcess" if flag(node, "triggeredByEvent", false) => NodeKind::SubProcess(SubProcess::Event),
            "subProcess" => NodeKind::SubProcess(SubProcess::Embedded),
            "transaction" => NodeKind::SubProcess(SubProcess::Transaction),
            "adHocSubProcess" => NodeKind::SubProcess(SubProcess::AdHoc(self.ad_hoc(node))),
            "callActivity" => NodeKind::Call(self.call(node)?),
            "task" | "manualTask" | "userTask" | "serviceTask" | "scriptTask" | "businessRuleTask" | "sendTask"
            | "receiveTask" => NodeKind::Task(self.task(node)?),
            other => {
                self.wrong(
                    "unknownElement",
                    node,
                    format!("{other} is no element that a process may hold here"),
                    format!("不支持的元素 {other}"),
                );
                return None;
            }
        })
    }

    /// Reads the flows and finds what refers to what, once all nodes are there.
    pub(super) fn connect(&mut self, process: &mut Process, root: &Node<'a, 'a>) {
        for node in root.descendants().filter(|node| is_bpmn(node, "sequenceFlow")) {
            self.flow(process, &node);
        }
        for node in root.descendants().filter(Node::is_element) {
            let Some(at) = node.attribute("id").and_then(|id| process.find(id)) else {
                continue;
            };
            if let Some(default) = node.attribute("default") {
                let flow = process.find_flow(default);
                if flow.is_none() {
                    self.wrong(
                        "default",
                        &node,
                        format!("there is no flow {default}"),
                        format!("默认连线 {default} 不存在"),
                    );
                }
                process.nodes[at.0 as usize].default = flow;
            }
            if let Some(host) = node.attribute("attachedToRef") {
                match process.find(local(host)) {
                    Some(host) => {
                        process.nodes[host.0 as usize].boundary.push(at);
                        if let NodeKind::Boundary { attached_to, .. } = &mut process.nodes[at.0 as usize].kind {
                            *attached_to = host;
                        }
                    }
                    None => self.wrong(
                        "attachedTo",
                        &node,
                        format!("{host} is no activity of this process"),
                        format!("附着的活动 {host} 不存在"),
                    ),
                }
            }
        }
        self.compensation(process, root);
    }

    fn flow(&mut self, process: &mut Process, node: &Node<'a, 'a>) {
        let end = |name: &str| node.attribute(name).and_then(|id| process.find(local(id)));
        let (Some(source), Some(target)) = (end("sourceRef"), end("targetRef")) else {
            self.wrong(
                "flowEnds",
                node,
                "a sequence flow must lead from an element of this process to another",
                "连线的起点或终点不存在",
            );
            return;
        };
        let condition = child(node, "conditionExpression").and_then(|at| self.expression(&at, &text_of(&at)));
        let at = FlowIx(u32::try_from(process.flows.len()).unwrap_or(u32::MAX));
        let id: crate::model::ElementId = node.attribute("id").unwrap_or_default().into();
        process.flow_by_id.insert(id.clone(), at);
        process.flows.push(Flow {
            id,
            name: node.attribute("name").map(str::to_owned).filter(|name| !name.is_empty()),
            source,
            target,
            condition,
            place: place_of(self.document, node),
        });
        process.nodes[source.0 as usize].outgoing.push(at);
        process.nodes[target.0 as usize].incoming.push(at);
    }

    /// A compensation boundary event is connected with its handler by an association.
    fn compensation(&mut self, process: &mut Process, root: &Node<'a, 'a>) {
        for node in root.descendants().filter(|node| is_bpmn(node, "association")) {
            let end = |name: &str| node.attribute(name).and_then(|id| process.find(local(id)));
            let (Some(source), Some(target)) = (end("sourceRef"), end("targetRef")) else {
                continue;
            };
            if let NodeKind::Boundary { attached_to, .. } = process.node(source).kind
                && let Some(activity) = process
                    .nodes
                    .get_mut(attached_to.0 as usize)
                    .and_then(|host| host.activity.as_mut())
            {
                activity.compensated_by = Some(target);
            }
        }
    }

    fn activity(&mut self, node: &Node<'a, 'a>, kind: &NodeKind) -> Activity {
        let quantity = |name: &str| node.attribute(name).and_then(|text| text.trim().parse::<u32>().ok());
        let (inputs, outputs) = self.data_associations(node);
        let mut activity = Activity {
            repetition: self.repetition(node, kind),
            for_compensation: flag(node, "isForCompensation", false),
            start_quantity: quantity("startQuantity").unwrap_or(1),
            completion_quantity: quantity("completionQuantity").unwrap_or(1),
            inputs,
            outputs,
            ..Activity::default()
        };
        activity.skip = extra(node, "skipExpression").and_then(|text| self.expression(node, text));
        for (name, value) in [
            ("startQuantity", activity.start_quantity),
            ("completionQuantity", activity.completion_quantity),
        ] {
            if value == 0 {
                self.wrong(
                    "quantity",
                    node,
                    format!("{name} must be at least 1"),
                    format!("{name} 至少为 1"),
                );
            }
        }
        if matches!(activity.repetition, Repetition::Once) && matches!(kind, NodeKind::SubProcess(_)) {
            activity.data = self.data(node);
        }
        activity
    }

    /// The lists of names of children, such as `dataInputAssociation`.
    pub(super) fn each(node: &Node<'a, 'a>, name: &'static str) -> Vec<Node<'a, 'a>> {
        children(node, name).collect()
    }
}
