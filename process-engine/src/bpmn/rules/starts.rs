//! Start and end events.

use crate::bpmn::{
    report::Report,
    source::{Xml, flag, is_activity, is_event_sub_process, is_gateway, is_level, kids, kids_of, label, level, name},
};

/// Nothing leads to a start event.
pub(super) fn no_incoming(report: &mut Report<'_, '_>) {
    for event in report.source.named("startEvent") {
        for flow in report.source.incoming(event) {
            report.error(
                flow,
                format!("{} leads to a start event; nothing may.", label(flow)),
                format!("{} 指向开始事件,这是不允许的。", label(flow)),
            );
        }
    }
}

/// A start event leads somewhere.
pub(super) fn outgoing(report: &mut Report<'_, '_>) {
    for event in report.source.named("startEvent") {
        if report.source.outgoing(event).is_empty() {
            report.error(
                event,
                format!("{} leads nowhere.", label(event)),
                format!("{} 没有流出。", label(event)),
            );
        }
    }
}

/// What a process may start with, and what a sub-process.
pub(super) fn triggers(report: &mut Report<'_, '_>) {
    for event in report.source.named("startEvent") {
        let Some(level) = level(event) else { continue };
        if is_event_sub_process(level) {
            continue; // It has a rule of its own.
        }
        for definition in report.source.event_definitions(event) {
            let allowed = matches!(
                name(definition),
                "messageEventDefinition" | "timerEventDefinition" | "conditionalEventDefinition" | "signalEventDefinition"
            );
            if name(level) != "process" {
                report.error(
                    event,
                    format!(
                        "{} stands in a sub-process and may wait for nothing: it starts with the sub-process.",
                        label(event)
                    ),
                    format!("{} 位于子流程中,只能是空开始事件。", label(event)),
                );
            } else if !allowed {
                report.error(
                    event,
                    format!("A process cannot start with a {}.", name(definition)),
                    format!("流程不能以 {} 启动。", name(definition)),
                );
            }
        }
    }
}

fn levels<'a>(report: &Report<'_, 'a>) -> impl Iterator<Item = Xml<'a>> + use<'a> {
    report.source.elements().filter(|node| is_level(*node))
}

fn has(level: Xml<'_>, wanted: &str) -> bool {
    kids(level).any(|node| name(node) == wanted)
}

/// Whether something else than a start event starts a process.
fn starts_otherwise(level: Xml<'_>) -> bool {
    let starts = |node: Xml<'_>| matches!(name(node), "receiveTask" | "eventBasedGateway") && flag(node, "instantiate", false);
    kids(level).any(starts)
}

/// Where there is a start event there is an end event.
pub(super) fn start_needs_end(report: &mut Report<'_, '_>) {
    for level in levels(report) {
        if let Some(start) = kids_of(level, "startEvent").next().filter(|_| !has(level, "endEvent")) {
            report.strict(
                start,
                format!("{} has a start event but no end event; add one.", label(level)),
                format!("{} 有开始事件却没有结束事件,请补上。", label(level)),
            );
        }
    }
}

/// Where there is an end event there is a start event.
pub(super) fn end_needs_start(report: &mut Report<'_, '_>) {
    for level in levels(report).filter(|level| name(*level) != "adHocSubProcess") {
        let lacks_start = !has(level, "startEvent") && !starts_otherwise(level);
        if let Some(end) = kids_of(level, "endEvent").next().filter(|_| lacks_start) {
            report.strict(
                end,
                format!("{} has an end event but no start event; add one.", label(level)),
                format!("{} 有结束事件却没有开始事件,请补上。", label(level)),
            );
        }
    }
}

/// Nothing leads away from an end event.
pub(super) fn end_no_outgoing(report: &mut Report<'_, '_>) {
    for event in report.source.named("endEvent") {
        for flow in report.source.outgoing(event) {
            report.error(
                flow,
                format!("{} leads away from an end event; nothing may.", label(flow)),
                format!("{} 从结束事件流出,这是不允许的。", label(flow)),
            );
        }
    }
}

/// Something leads to an end event.
pub(super) fn end_incoming(report: &mut Report<'_, '_>) {
    for event in report.source.named("endEvent") {
        if report.source.incoming(event).is_empty() {
            report.error(
                event,
                format!("Nothing leads to {}.", label(event)),
                format!("{} 没有流入。", label(event)),
            );
        }
    }
}

/// A sub-process begins at one plain start event. A process may have several: each is another way to begin, and whoever
/// starts it says which.
pub(super) fn plain_starts(report: &mut Report<'_, '_>) {
    for level in levels(report) {
        let plain = |start: &Xml<'_>| report.source.event_definitions(*start).is_empty();
        let plain: Vec<Xml<'_>> = kids_of(level, "startEvent").filter(plain).collect();
        let Some(second) = plain.get(1).copied() else { continue };
        if name(level) == "process" {
            report.warning(
                second,
                format!(
                    "{} has {} plain start events; whoever starts it must say at which one it begins, and nothing can call it.",
                    label(level),
                    plain.len()
                ),
                format!(
                    "{} 有 {} 个空开始事件;启动时必须指明从哪一个开始,且不能被调用。",
                    label(level),
                    plain.len()
                ),
            );
        } else {
            report.error(
                second,
                format!("{} has {} plain start events; it begins at one.", label(level), plain.len()),
                format!("{} 有 {} 个空开始事件;子流程只能有一个。", label(level), plain.len()),
            );
        }
    }
}

/// Nodes that stand apart from the flow, or that a link leads to or away from.
fn stands_apart<'a>(report: &Report<'_, 'a>, node: Xml<'a>) -> bool {
    let link = report
        .source
        .event_definitions(node)
        .iter()
        .any(|definition| name(*definition) == "linkEventDefinition");
    link || is_event_sub_process(node) || flag(node, "isForCompensation", false) || name(node) == "boundaryEvent"
}

/// Where there is a start event nothing else begins; where there is an end event nothing else ends.
pub(super) fn beginnings_and_ends(report: &mut Report<'_, '_>) {
    for level in levels(report) {
        let (has_start, has_end) = (has(level, "startEvent"), has(level, "endEvent"));
        for node in kids(level).filter(|kid| is_activity(*kid) || is_gateway(*kid)) {
            if stands_apart(report, node) {
                continue;
            }
            if has_start && report.source.incoming(node).is_empty() {
                report.strict(
                    node,
                    format!("Nothing leads to {}, though {} has a start event.", label(node), label(level)),
                    format!("{} 有开始事件,但 {} 没有流入。", label(level), label(node)),
                );
            }
            if has_end && report.source.outgoing(node).is_empty() {
                report.strict(
                    node,
                    format!("{} leads nowhere, though {} has an end event.", label(node), label(level)),
                    format!("{} 有结束事件,但 {} 没有流出。", label(level), label(node)),
                );
            }
        }
    }
}
