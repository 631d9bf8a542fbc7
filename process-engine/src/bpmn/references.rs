//! What refers to what: each reference must lead to an element of the right kind.

use super::{
    report::Report,
    source::{Xml, attr, is_activity, is_event, is_event_definition, is_flow_node, label, local, name, text},
};

/// What a reference may lead to.
#[derive(Clone, Copy)]
enum Kind {
    /// Elements of these names, separated by spaces.
    Named(&'static str),
    FlowNode,
    Activity,
    EventDefinition,
    /// What holds data.
    Data,
    /// What can be called.
    Callable,
    /// What message flows connect.
    Interaction,
    Anything,
}

/// Who holds the reference (empty: whoever has it), what it is called, and where it may lead.
type Reference = (&'static str, &'static str, Kind);

/// References in attributes.
const ATTRIBUTES: &[Reference] = &[
    ("", "default", Kind::Named("sequenceFlow")),
    ("", "categoryValueRef", Kind::Named("categoryValue")),
    ("sequenceFlow", "sourceRef", Kind::FlowNode),
    ("sequenceFlow", "targetRef", Kind::FlowNode),
    ("messageFlow", "sourceRef", Kind::Interaction),
    ("messageFlow", "targetRef", Kind::Interaction),
    ("association", "sourceRef", Kind::Anything),
    ("association", "targetRef", Kind::Anything),
    ("", "messageRef", Kind::Named("message")),
    ("", "itemRef", Kind::Named("itemDefinition")),
    ("signal", "structureRef", Kind::Named("itemDefinition")),
    ("error", "structureRef", Kind::Named("itemDefinition")),
    ("escalation", "structureRef", Kind::Named("itemDefinition")),
    ("", "itemSubjectRef", Kind::Named("itemDefinition")),
    ("", "dataObjectRef", Kind::Named("dataObject")),
    ("", "dataStoreRef", Kind::Named("dataStore")),
    ("", "signalRef", Kind::Named("signal")),
    ("", "errorRef", Kind::Named("error")),
    ("", "escalationRef", Kind::Named("escalation")),
    ("", "operationRef", Kind::Named("operation")),
    ("", "activityRef", Kind::Activity),
    ("", "attachedToRef", Kind::Activity),
    ("", "calledElement", Kind::Callable),
    ("", "processRef", Kind::Named("process")),
    (
        "",
        "definitionalCollaborationRef",
        Kind::Named("collaboration choreography globalConversation"),
    ),
    ("", "correlationPropertyRef", Kind::Named("correlationProperty")),
    ("", "correlationKeyRef", Kind::Named("correlationKey")),
    ("", "noneBehaviorEventRef", Kind::EventDefinition),
    ("", "oneBehaviorEventRef", Kind::EventDefinition),
    ("ioBinding", "inputDataRef", Kind::Named("inputSet dataInput")),
    ("ioBinding", "outputDataRef", Kind::Named("outputSet dataOutput")),
    ("", "parameterRef", Kind::Named("resourceParameter")),
    ("", "initiatingParticipantRef", Kind::Named("participant")),
    ("", "innerMessageFlowRef", Kind::Named("messageFlow")),
    ("", "outerMessageFlowRef", Kind::Named("messageFlow")),
    ("", "calledCollaborationRef", Kind::Named("collaboration globalConversation")),
    (
        "",
        "calledChoreographyRef",
        Kind::Named("choreography globalChoreographyTask"),
    ),
];

/// References in elements.
const ELEMENTS: &[Reference] = &[
    ("", "incoming", Kind::Named("sequenceFlow")),
    ("", "outgoing", Kind::Named("sequenceFlow")),
    ("", "categoryValueRef", Kind::Named("categoryValue")),
    ("", "supportedInterfaceRef", Kind::Named("interface")),
    ("", "eventDefinitionRef", Kind::EventDefinition),
    ("", "participantRef", Kind::Named("participant")),
    ("", "messageFlowRef", Kind::Named("messageFlow")),
    ("", "choreographyRef", Kind::Named("choreography globalChoreographyTask")),
    ("dataInputAssociation", "sourceRef", Kind::Data),
    ("dataInputAssociation", "targetRef", Kind::Data),
    ("dataOutputAssociation", "sourceRef", Kind::Data),
    ("dataOutputAssociation", "targetRef", Kind::Data),
    ("", "dataInputRefs", Kind::Named("dataInput")),
    ("", "optionalInputRefs", Kind::Named("dataInput")),
    ("", "whileExecutingInputRefs", Kind::Named("dataInput")),
    ("", "outputSetRefs", Kind::Named("outputSet")),
    ("", "dataOutputRefs", Kind::Named("dataOutput")),
    ("", "optionalOutputRefs", Kind::Named("dataOutput")),
    ("", "whileExecutingOutputRefs", Kind::Named("dataOutput")),
    ("", "inputSetRefs", Kind::Named("inputSet")),
    ("", "loopDataInputRef", Kind::Data),
    ("", "loopDataOutputRef", Kind::Data),
    ("", "flowNodeRef", Kind::FlowNode),
    ("", "resourceRef", Kind::Named("resource")),
    ("", "inMessageRef", Kind::Named("message")),
    ("", "outMessageRef", Kind::Named("message")),
    ("operation", "errorRef", Kind::Named("error")),
    ("", "operationRef", Kind::Named("operation")),
    ("", "interfaceRef", Kind::Named("interface")),
    ("", "endPointRef", Kind::Named("endPoint")),
    ("", "correlationPropertyRef", Kind::Named("correlationProperty")),
    ("", "innerParticipantRef", Kind::Named("participant")),
    ("", "outerParticipantRef", Kind::Named("participant")),
    ("", "supports", Kind::Named("process")),
    ("linkEventDefinition", "source", Kind::Named("linkEventDefinition")),
    ("linkEventDefinition", "target", Kind::Named("linkEventDefinition")),
];

/// References that the engines' dialects leave open: to a code, a name, or a process of another file.
const OPEN_IN_DIALECTS: [&str; 8] = [
    "errorRef",
    "messageRef",
    "signalRef",
    "escalationRef",
    "calledElement",
    "loopDataInputRef",
    "itemSubjectRef",
    "structureRef",
];

/// The namespace of the types that XML Schema has built in.
const XML_SCHEMA: &str = "http://www.w3.org/2001/XMLSchema";

/// Each reference leads to an element of the right kind.
pub(super) fn resolve(report: &mut Report<'_, '_>) {
    for node in report.source.elements() {
        for (holder, what, kind) in ATTRIBUTES {
            if (holder.is_empty() || *holder == name(node))
                && let Some(reference) = attr(node, what)
            {
                follow(report, node, what, reference, *kind);
            }
        }
        let Some(parent) = node.parent_element() else { continue };
        for (holder, what, kind) in ELEMENTS {
            if *what == name(node) && (holder.is_empty() || *holder == name(parent)) {
                let reference = text(node);
                if !reference.is_empty() {
                    follow(report, node, what, &reference, *kind);
                }
            }
        }
    }
}

/// References of these elements must not be empty.
pub(super) fn filled(report: &mut Report<'_, '_>) {
    for node in report.source.elements() {
        let Some(parent) = node.parent_element() else { continue };
        let holds = |(holder, what, _): &Reference| *what == name(node) && (holder.is_empty() || *holder == name(parent));
        if ELEMENTS.iter().any(holds) && text(node).is_empty() {
            report.error(
                node,
                format!(
                    "A {} of {} is empty; name an element or remove it.",
                    name(node),
                    label(parent)
                ),
                format!("{} 的 {} 为空,请填写元素 id 或删除。", label(parent), name(node)),
            );
        }
    }
}

fn follow<'a>(report: &mut Report<'_, 'a>, at: Xml<'a>, what: &str, reference: &str, kind: Kind) {
    if what == "calledElement" && reference.contains('{') {
        return;
    }
    let open = OPEN_IN_DIALECTS.contains(&what) && report.source.is_dialect();
    if let Some((prefix, _)) = reference.split_once(':') {
        match at.lookup_namespace_uri(Some(prefix)) {
            Some(XML_SCHEMA) => return,
            Some(uri) if attr(report.source.root(), "targetNamespace") == Some(uri) => {}
            // A prefix that is not declared, or of another file: only the element decides whether it is meant.
            _ if open => return,
            Some(_) => {
                report.error(
                    at,
                    format!("The {what} {reference} leads to another file; a model must hold all that it refers to."),
                    format!("{what} {reference} 指向其他文件;模型必须自成一体。"),
                );
                return;
            }
            None if report.source.by_id(reference).is_some() => {}
            None => {
                report.error(
                    at,
                    format!("The prefix of the {what} {reference} is not declared."),
                    format!("{what} {reference} 的前缀未声明。"),
                );
                return;
            }
        }
    }
    let Some(found) = report.source.referred(reference) else {
        let message = format!("The {what} {reference} refers to nothing in this file.");
        let message_zh = format!("{what} {reference} 引用的元素在本文件中不存在。");
        // What a signal, an error or an escalation carries is often said by the name of a type; nothing is done by it.
        if open || what == "structureRef" {
            report.warning(at, message, message_zh);
        } else {
            report.error(at, message, message_zh);
        }
        return;
    };
    if !fits(found, kind) {
        report.error(
            at,
            format!(
                "The {what} {} leads to {}; it may lead to {}.",
                local(reference),
                label(found),
                said(kind)
            ),
            format!(
                "{what} {} 指向 {},但只能指向 {}。",
                local(reference),
                label(found),
                said(kind)
            ),
        );
    }
}

fn fits(found: Xml<'_>, kind: Kind) -> bool {
    let name = name(found);
    match kind {
        Kind::Named(names) => names.split(' ').any(|one| one == name),
        Kind::FlowNode => is_flow_node(found) || name.ends_with("horeographyTask") || name.ends_with("horeography"),
        Kind::Activity => is_activity(found),
        Kind::EventDefinition => is_event_definition(found),
        Kind::Data => matches!(
            name,
            "dataObject"
                | "dataObjectReference"
                | "dataStoreReference"
                | "dataStore"
                | "property"
                | "dataInput"
                | "dataOutput"
                | "inputDataItem"
                | "outputDataItem"
        ),
        Kind::Callable => name == "process" || (name.starts_with("global") && name.ends_with("Task")),
        Kind::Interaction => is_activity(found) || is_event(found) || name == "participant",
        Kind::Anything => true,
    }
}

fn said(kind: Kind) -> String {
    match kind {
        Kind::Named(names) => names.replace(' ', " or "),
        Kind::FlowNode => "an activity, a gateway or an event".to_owned(),
        Kind::Activity => "an activity".to_owned(),
        Kind::EventDefinition => "an event definition".to_owned(),
        Kind::Data => "something that holds data".to_owned(),
        Kind::Callable => "a process or a global task".to_owned(),
        Kind::Interaction => "a participant, an activity or an event".to_owned(),
        Kind::Anything => "anything".to_owned(),
    }
}
