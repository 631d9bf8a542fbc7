//! Messages: their names, and what a message flow between two processes of one file means.

use std::collections::HashMap;

use super::Compiler;
use crate::{
    bpmn::source::{Source, Xml, attr, engine_attr, id, kid, kid_text, kids_of, local, name, process_of, text, zhulu_attr},
    model::Message,
};

/// The names that message flows give to what sends and what receives: both ends share one.
///
/// The receiver's own name comes first, since others outside may know it; then the sender's, the flow's, the flow's id.
pub(super) fn shared<'a>(source: &Source<'a>) -> HashMap<&'a str, String> {
    let mut groups: Vec<(Vec<&'a str>, String)> = Vec::new();
    for flow in source.named("messageFlow") {
        let end = |which| {
            let found = attr(flow, which).and_then(|reference| source.referred(reference))?;
            (process_of(found).is_some() && may_carry(source, found)).then_some(found)
        };
        let (Some(from), Some(to)) = (end("sourceRef"), end("targetRef")) else {
            continue;
        };
        let (Some(from_id), Some(to_id)) = (id(from), id(to)) else {
            continue;
        };
        let flow_message = attr(flow, "messageRef").and_then(|message| named(source, message));
        let name = own(source, to)
            .or_else(|| own(source, from))
            .or(flow_message)
            .or_else(|| id(flow).map(str::to_owned));
        let Some(name) = name else { continue };
        match groups
            .iter()
            .position(|(ends, _)| ends.contains(&from_id) || ends.contains(&to_id))
        {
            Some(known) => groups[known].0.extend([from_id, to_id]),
            None => groups.push((vec![from_id, to_id], name)),
        }
    }
    let each = |(ends, name): (Vec<&'a str>, String)| ends.into_iter().map(move |end| (end, name.clone()));
    groups.into_iter().flat_map(each).collect()
}

fn may_carry<'a>(source: &Source<'a>, node: Xml<'a>) -> bool {
    let definitions = source.event_definitions(node);
    let messages = definitions
        .iter()
        .filter(|definition| name(**definition) == "messageEventDefinition")
        .count();
    matches!(name(node), "sendTask" | "receiveTask") || messages == 1
}

/// The name of the message that an event or a task speaks of itself.
fn own<'a>(source: &Source<'a>, node: Xml<'a>) -> Option<String> {
    let of = |node: Xml<'a>| match attr(node, "messageRef") {
        Some(message) => named(source, message),
        None => operation(node).and_then(|operation| of_operation(source, &operation)),
    };
    match name(node) {
        "sendTask" | "receiveTask" => of(node),
        _ => source.event_definitions(node).into_iter().find_map(of),
    }
}

fn operation(node: Xml<'_>) -> Option<String> {
    attr(node, "operationRef")
        .map(str::to_owned)
        .or_else(|| kid_text(node, "operationRef"))
}

fn of_operation(source: &Source<'_>, operation: &str) -> Option<String> {
    let operation = source.referred(operation)?;
    named(source, &kid_text(operation, "inMessageRef")?)
}

/// The name of a message: its name, or its id.
fn named(source: &Source<'_>, reference: &str) -> Option<String> {
    let message = source.referred(reference).filter(|found| name(*found) == "message");
    match message {
        Some(message) => attr(message, "name").or_else(|| id(message)).map(str::to_owned),
        // Old models name a message that they never declare.
        None => source.is_dialect().then(|| local(reference).to_owned()),
    }
}

impl<'a> Compiler<'_, 'a> {
    /// The message that an event definition or a task speaks of; `of` is the node that it belongs to.
    pub(super) fn message(&mut self, node: Xml<'a>, of: Xml<'a>) -> Option<Message> {
        let shared = id(of).and_then(|id| self.shared_messages.get(id)).cloned();
        let declared = attr(node, "messageRef").and_then(|message| named(self.source, message));
        let by_operation = || operation(node).and_then(|operation| of_operation(self.source, &operation));
        let name = shared.or(declared).or_else(by_operation)?;
        Some(Message {
            name: self.text_value(node, &name)?,
            correlation: self.correlation(node, of),
        })
    }

    /// `zhulu:correlation` of the event or the task; else what the process's subscription says of the message.
    fn correlation(&mut self, node: Xml<'a>, of: Xml<'a>) -> Option<crate::expression::Expression> {
        let written = ["correlation", "correlationKey"].into_iter().find_map(|which| {
            zhulu_attr(node, which)
                .or_else(|| zhulu_attr(of, which))
                .or_else(|| engine_attr(node, which))
        });
        if let Some(written) = written {
            return self.expression(node, written);
        }
        let message = attr(node, "messageRef")?;
        let subscription = kid(process_of(of)?, "correlationSubscription")?;
        let speaks_of = |binding: &Xml<'a>| {
            let property = attr(*binding, "correlationPropertyRef").and_then(|property| self.source.referred(property));
            property.is_some_and(|property| {
                kids_of(property, "correlationPropertyRetrievalExpression")
                    .any(|retrieval| attr(retrieval, "messageRef").is_some_and(|other| local(other) == local(message)))
            })
        };
        let bindings: Vec<Xml<'a>> = kids_of(subscription, "correlationPropertyBinding")
            .filter(speaks_of)
            .collect();
        let paths: Vec<String> = bindings
            .iter()
            .filter_map(|binding| kid(*binding, "dataPath"))
            .map(text)
            .collect();
        match paths.as_slice() {
            [] => None,
            [path] => self.expression(node, path),
            several => self.expression(node, &format!("[{}]", several.join(", "))),
        }
    }
}
