//! Intermediate events, and what all events have in common.

use std::collections::HashSet;

use crate::bpmn::{
    report::Report,
    source::{
        Xml, attr, engine_attr, flag, is_catch, is_event, is_executable, is_throw, kid, kids_of, label, level, local, name,
    },
};

/// Whether an event is a link.
fn is_link(report: &Report<'_, '_>, event: Xml<'_>) -> bool {
    kids_of(event, "linkEventDefinition").next().is_some() || {
        let refers = kids_of(event, "eventDefinitionRef").map(crate::bpmn::source::text);
        let mut found = refers.filter_map(|reference| report.source.referred(&reference).map(name));
        found.any(|name| name == "linkEventDefinition")
    }
}

fn intermediate<'a>(report: &Report<'_, 'a>) -> impl Iterator<Item = Xml<'a>> + use<'a> {
    report
        .source
        .elements()
        .filter(|node| matches!(name(*node), "intermediateCatchEvent" | "intermediateThrowEvent"))
}

/// Something leads to an intermediate event, unless it is where a link arrives.
pub(super) fn incoming(report: &mut Report<'_, '_>) {
    for event in intermediate(report) {
        let arrives = name(event) == "intermediateCatchEvent" && is_link(report, event);
        let in_ad_hoc = level(event).is_some_and(|level| name(level) == "adHocSubProcess");
        if !arrives && !in_ad_hoc && report.source.incoming(event).is_empty() {
            report.error(
                event,
                format!("Nothing leads to {}.", label(event)),
                format!("{} 没有流入。", label(event)),
            );
        }
    }
}

/// An intermediate event leads somewhere, unless it is where a link leaves.
pub(super) fn outgoing(report: &mut Report<'_, '_>) {
    for event in intermediate(report) {
        let leaves = name(event) == "intermediateThrowEvent" && is_link(report, event);
        if !leaves && report.source.outgoing(event).is_empty() {
            report.strict(
                event,
                format!("{} leads nowhere; end the path with an end event.", label(event)),
                format!("{} 没有流出;请用结束事件结束该路径。", label(event)),
            );
        }
    }
}

/// Only what stands at the root of the file is shared between events (BPMN 2.0, 10.5.5: reusable event definitions are
/// top-level elements).
pub(super) fn shared_definitions(report: &mut Report<'_, '_>) {
    for reference in report.source.named("eventDefinitionRef") {
        let found = report.source.referred(&crate::bpmn::source::text(reference));
        let owner = found.and_then(|found| found.parent_element());
        if let Some(owner) = owner.filter(|owner| name(*owner) != "definitions") {
            report.error(
                reference,
                format!(
                    "This definition belongs to {}; put it at the root of the file to share it.",
                    label(owner)
                ),
                format!("该定义属于 {};要共用,请放到文件根元素下。", label(owner)),
            );
        }
    }
}

/// What an intermediate or an end event may be about.
pub(super) fn triggers(report: &mut Report<'_, '_>) {
    for event in report.source.elements().filter(|node| is_event(*node)) {
        let allowed: &[&str] = match name(event) {
            "intermediateCatchEvent" => &["message", "timer", "conditional", "link", "signal"],
            "intermediateThrowEvent" => &["message", "escalation", "compensate", "link", "signal"],
            "endEvent" => &[
                "message",
                "error",
                "escalation",
                "cancel",
                "compensate",
                "signal",
                "terminate",
            ],
            _ => continue,
        };
        let definitions = report.source.event_definitions(event);
        if definitions.is_empty() && name(event) == "intermediateCatchEvent" {
            report.error(
                event,
                format!(
                    "{} waits for nothing; say for what, or make it a throwing event.",
                    label(event)
                ),
                format!("{} 未说明等待什么;请补充,或改为抛出事件。", label(event)),
            );
        }
        for definition in &definitions {
            let kind = name(*definition).trim_end_matches("EventDefinition");
            if !allowed.contains(&kind) {
                report.error(
                    event,
                    format!("{} cannot be about {kind}; it can be: {}.", label(event), allowed.join(", ")),
                    format!("{} 不能是 {kind} 类型;可以是:{}。", label(event), allowed.join("、")),
                );
            }
        }
        let links = definitions
            .iter()
            .filter(|definition| name(**definition) == "linkEventDefinition")
            .count();
        if links > 0 && definitions.len() > 1 {
            report.error(
                event,
                format!("{} is a link and may be about nothing else.", label(event)),
                format!("{} 是链接事件,不能再包含其他定义。", label(event)),
            );
        }
    }
}

/// Only what waits for several things can wait for all of them.
pub(super) fn parallel_multiple(report: &mut Report<'_, '_>) {
    for event in report
        .source
        .elements()
        .filter(|node| is_catch(*node) && flag(*node, "parallelMultiple", false))
    {
        if report.source.event_definitions(event).len() < 2 {
            report.strict(
                event,
                format!("{} is parallelMultiple but waits for fewer than two things.", label(event)),
                format!("{} 声明为 parallelMultiple,但等待的事件少于两个。", label(event)),
            );
        }
    }
}

/// Each definition with the node that it belongs to: those of the root with each event that refers to them.
pub(super) fn definitions<'a>(report: &Report<'_, 'a>, kind: &str) -> Vec<(Xml<'a>, Xml<'a>)> {
    let events = report
        .source
        .elements()
        .filter(|node| is_event(*node) || name(*node) == "event");
    let of = |event: Xml<'a>| {
        report
            .source
            .event_definitions(event)
            .into_iter()
            .map(move |definition| (event, definition))
    };
    events
        .flat_map(of)
        .filter(|(_, definition)| name(*definition) == kind)
        .collect()
}

/// In an executable process a message event names its message.
pub(super) fn messages(report: &mut Report<'_, '_>) {
    // A message flow gives an event its message as well. Only dialects leave it at that.
    let mut touched = HashSet::new();
    if report.source.is_dialect() {
        for flow in report.source.named("messageFlow") {
            touched.extend(
                ["sourceRef", "targetRef"]
                    .into_iter()
                    .filter_map(|end| attr(flow, end))
                    .map(local),
            );
        }
    }
    for (event, definition) in definitions(report, "messageEventDefinition") {
        let named = attr(definition, "messageRef").is_some()
            || engine_attr(definition, "messageExpression").is_some()
            || attr(event, "id").is_some_and(|id| touched.contains(id));
        if is_executable(event) && !named {
            report.error(
                definition,
                format!("{} must name its message (messageRef).", label(event)),
                format!("{} 必须指定消息(messageRef)。", label(event)),
            );
        }
    }
}

/// By the letter of the standard it names the operation as well. No dialect does.
pub(super) fn operations(report: &mut Report<'_, '_>) {
    if report.source.is_dialect() {
        return;
    }
    for (event, definition) in definitions(report, "messageEventDefinition") {
        if is_executable(event) && kid(definition, "operationRef").is_none() {
            report.error(
                definition,
                format!(
                    "{} must name the operation that takes its message (operationRef), unless the file declares a dialect.",
                    label(event)
                ),
                format!(
                    "{} 必须指定处理消息的操作(operationRef);声明了方言命名空间的文件可省略。",
                    label(event)
                ),
            );
        }
    }
}

/// In an executable process a signal event names its signal.
pub(super) fn signals(report: &mut Report<'_, '_>) {
    for (event, definition) in definitions(report, "signalEventDefinition") {
        if is_executable(event) && attr(definition, "signalRef").is_none() {
            report.error(
                definition,
                format!("{} must name its signal (signalRef).", label(event)),
                format!("{} 必须指定信号(signalRef)。", label(event)),
            );
        }
    }
}

/// What throws an error says which, with its code.
pub(super) fn errors(report: &mut Report<'_, '_>) {
    thrown(report, "errorEventDefinition", "errorRef", "errorCode");
}

/// What throws an escalation says which, with its code.
pub(super) fn escalations(report: &mut Report<'_, '_>) {
    thrown(report, "escalationEventDefinition", "escalationRef", "escalationCode");
}

fn thrown(report: &mut Report<'_, '_>, kind: &'static str, reference: &'static str, code: &'static str) {
    for (event, definition) in definitions(report, kind) {
        if !is_throw(event) || !is_executable(event) {
            continue;
        }
        let Some(named) = attr(definition, reference) else {
            report.error(
                definition,
                format!("{} must say what it throws ({reference}).", label(event)),
                format!("{} 必须说明抛出什么({reference})。", label(event)),
            );
            continue;
        };
        if let Some(declared) = report
            .source
            .referred(named)
            .filter(|declared| attr(*declared, code).is_none())
        {
            report.strict(
                declared,
                format!("{} is thrown by {} and so needs a {code}.", label(declared), label(event)),
                format!("{} 由 {} 抛出,必须有 {code}。", label(declared), label(event)),
            );
        }
    }
}

/// Cancelling is for transactions: an end event in one, an event on the border of one.
pub(super) fn cancels(report: &mut Report<'_, '_>) {
    for (event, definition) in definitions(report, "cancelEventDefinition") {
        let around = |event: Xml<'_>| event.ancestors().any(|around| name(around) == "transaction");
        let host = attr(event, "attachedToRef").and_then(|host| report.source.referred(host));
        let fits = match name(event) {
            "endEvent" => around(event),
            "boundaryEvent" => host.is_some_and(|host| name(host) == "transaction"),
            _ => continue,
        };
        if !fits {
            report.error(
                definition,
                format!("{} cancels, but there is no transaction to cancel.", label(event)),
                format!("{} 要取消事务,但不在事务中。", label(event)),
            );
        }
    }
}

/// Properties of an event last as long as the event, which nothing can look into.
pub(super) fn properties(report: &mut Report<'_, '_>) {
    for event in report.source.elements().filter(|node| is_event(*node)) {
        if let Some(property) = kid(event, "property") {
            report.warning(
                property,
                format!("Properties of {} are not kept; use a data object.", label(event)),
                format!("{} 的属性不会保存;请改用数据对象。", label(event)),
            );
        }
    }
}
