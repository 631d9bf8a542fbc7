//! Tasks that call an operation or carry a message: their data is the message's.

use super::io::{inputs, outputs, structure};
use crate::bpmn::{
    report::Report,
    source::{Source, Xml, attr, id, kid, kid_text, kids_of, label, local, name},
};

/// How many sets of inputs and outputs such a task has.
pub(super) fn sets(report: &mut Report<'_, '_>) {
    for task in report.source.elements() {
        let Some(io) = kid(task, "ioSpecification") else {
            if name(task) == "serviceTask" && attr(task, "operationRef").is_some() {
                report.strict(
                    task,
                    format!(
                        "{} calls an operation; say in an ioSpecification what is sent to it.",
                        label(task)
                    ),
                    format!("{} 调用了操作;请用 ioSpecification 说明发送的数据。", label(task)),
                );
            }
            continue;
        };
        let (ins, outs) = (kids_of(io, "inputSet").count(), kids_of(io, "outputSet").count());
        let speaks = attr(task, "operationRef").is_some() || attr(task, "messageRef").is_some();
        let wrong = match name(task) {
            "serviceTask" => ins != 1 || outs > 1,
            "sendTask" => ins != 1 || (speaks && inputs(Some(io)).len() > 1),
            "receiveTask" => outs != 1 || (speaks && outputs(Some(io)).len() > 1),
            _ => false,
        };
        if wrong {
            report.error(
                io,
                format!(
                    "{} carries one message; it may have one set with one item for it.",
                    label(task)
                ),
                format!("{} 只携带一个消息;只能有一个集合和一个数据项。", label(task)),
            );
        }
    }
}

/// The item that a message carries.
fn carried<'a>(source: &Source<'a>, message: &str) -> Option<&'a str> {
    let message = source.referred(message).filter(|found| name(*found) == "message")?;
    let item = attr(message, "itemRef").and_then(|item| source.referred(item))?;
    attr(item, "structureRef").or_else(|| id(item))
}

/// What goes in is what the message in carries, what comes out is what the message out carries.
pub(super) fn items(report: &mut Report<'_, '_>) {
    for task in report.source.elements() {
        let Some(io) = kid(task, "ioSpecification") else { continue };
        let operation = attr(task, "operationRef").and_then(|operation| report.source.referred(operation));
        let of_operation = |which| operation.and_then(|operation| kid_text(operation, which));
        let own = attr(task, "messageRef").map(str::to_owned);
        let (in_message, out_message) = match name(task) {
            "serviceTask" => (of_operation("inMessageRef"), of_operation("outMessageRef")),
            "sendTask" => (own.or_else(|| of_operation("inMessageRef")), None),
            "receiveTask" => (None, own.or_else(|| of_operation("inMessageRef"))),
            _ => continue,
        };
        for (message, data) in [(in_message, inputs(Some(io))), (out_message, outputs(Some(io)))] {
            let Some(item) = message.and_then(|message| carried(report.source, &message)) else {
                continue;
            };
            for data in data
                .into_iter()
                .take(1)
                .filter(|data| structure(report.source, *data) != Some(item))
            {
                report.strict(
                    data,
                    format!(
                        "{} of {} is not of the item definition that the message carries.",
                        label(data),
                        label(task)
                    ),
                    format!("{} 的 {} 与消息所携带的数据项定义不一致。", label(task), label(data)),
                );
            }
        }
    }
}

/// What is bound to an operation is what its messages carry, and each operation of a supported interface is bound.
pub(super) fn bindings(report: &mut Report<'_, '_>) {
    for binding in report.source.named("ioBinding") {
        let Some(operation) = attr(binding, "operationRef").and_then(|operation| report.source.referred(operation)) else {
            continue;
        };
        for (data, message) in [("inputDataRef", "inMessageRef"), ("outputDataRef", "outMessageRef")] {
            let Some(item) = kid_text(operation, message).and_then(|message| carried(report.source, &message)) else {
                continue;
            };
            let Some(data) = attr(binding, data).and_then(|data| bound(report.source, data)) else {
                continue;
            };
            if structure(report.source, data) != Some(item) {
                report.error(
                    binding,
                    format!(
                        "{} is not of the item definition that {message} of {} carries.",
                        label(data),
                        label(operation)
                    ),
                    format!("{} 与 {} 的 {message} 数据项定义不一致。", label(data), label(operation)),
                );
            }
        }
    }
    for supported in report.source.named("supportedInterfaceRef") {
        let Some(callable) = supported.parent_element() else {
            continue;
        };
        let Some(interface) = report.source.referred(&crate::bpmn::source::text(supported)) else {
            continue;
        };
        for operation in kids_of(interface, "operation") {
            let own = id(operation);
            let is_bound = kids_of(callable, "ioBinding").any(|binding| attr(binding, "operationRef").map(local) == own);
            if !is_bound {
                report.strict(
                    supported,
                    format!(
                        "{} supports {} but does not bind its {}.",
                        label(callable),
                        label(interface),
                        label(operation)
                    ),
                    format!(
                        "{} 支持 {},但未绑定其 {}。",
                        label(callable),
                        label(interface),
                        label(operation)
                    ),
                );
            }
        }
    }
}

/// The data that is bound: named itself, or the one of a set.
fn bound<'a>(source: &Source<'a>, reference: &str) -> Option<Xml<'a>> {
    let found = source.referred(reference)?;
    let list = match name(found) {
        "inputSet" => "dataInputRefs",
        "outputSet" => "dataOutputRefs",
        _ => return Some(found),
    };
    kid_text(found, list).and_then(|data| source.referred(&data))
}
