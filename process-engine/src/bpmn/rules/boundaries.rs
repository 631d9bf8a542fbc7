//! Events on the border of activities.

use crate::bpmn::{
    compile::timeout_of,
    report::Report,
    source::{Xml, attr, flag, label, level, name},
};

fn boundaries<'a>(report: &Report<'_, 'a>) -> impl Iterator<Item = Xml<'a>> + use<'a> {
    report.source.named("boundaryEvent")
}

fn is_compensation<'a>(report: &Report<'_, 'a>, event: Xml<'a>) -> bool {
    let definitions = report.source.event_definitions(event);
    definitions
        .iter()
        .any(|definition| name(*definition) == "compensateEventDefinition")
}

/// Nothing leads to an event on a border.
pub(super) fn no_incoming(report: &mut Report<'_, '_>) {
    for event in boundaries(report) {
        for flow in report.source.incoming(event) {
            report.error(
                flow,
                format!("{} leads to an event on a border; nothing may.", label(flow)),
                format!("{} 指向边界事件,这是不允许的。", label(flow)),
            );
        }
    }
}

/// It leads somewhere, except where it compensates: then an association leads on.
pub(super) fn outgoing(report: &mut Report<'_, '_>) {
    for event in boundaries(report) {
        let flows = report.source.outgoing(event);
        let compensates = is_compensation(report, event);
        if compensates && let Some(flow) = flows.first() {
            report.error(
                *flow,
                format!("{} compensates; connect it by an association, not by a flow.", label(event)),
                format!("{} 是补偿事件,应使用关联而不是顺序流。", label(event)),
            );
        }
        if !compensates && flows.is_empty() && timeout_of(event).is_none() {
            report.error(
                event,
                format!("{} leads nowhere.", label(event)),
                format!("{} 没有流出。", label(event)),
            );
        }
    }
}

/// What it may wait for.
pub(super) fn triggers(report: &mut Report<'_, '_>) {
    let allowed = [
        "message",
        "timer",
        "escalation",
        "error",
        "cancel",
        "compensate",
        "conditional",
        "signal",
    ];
    for event in boundaries(report) {
        let definitions = report.source.event_definitions(event);
        if definitions.is_empty() {
            report.error(
                event,
                format!("{} waits for nothing.", label(event)),
                format!("{} 未说明等待什么。", label(event)),
            );
        }
        for definition in definitions {
            let kind = name(definition).trim_end_matches("EventDefinition");
            if !allowed.contains(&kind) {
                report.error(
                    event,
                    format!("{} cannot be about {kind}; it can be: {}.", label(event), allowed.join(", ")),
                    format!("{} 不能是 {kind} 类型;可以是:{}。", label(event), allowed.join("、")),
                );
            }
        }
    }
}

/// Errors and cancelling always interrupt; compensation comes after the activity is done.
pub(super) fn interrupting(report: &mut Report<'_, '_>) {
    for event in boundaries(report).filter(|event| !flag(*event, "cancelActivity", true)) {
        for definition in report.source.event_definitions(event) {
            if matches!(
                name(definition),
                "errorEventDefinition" | "cancelEventDefinition" | "compensateEventDefinition"
            ) {
                // Modellers of compensation in dialects write either, and neither means anything.
                let message = format!(
                    "{} cannot leave its activity running (cancelActivity=\"false\").",
                    label(event)
                );
                let message_zh = format!("{} 不能是非中断的(cancelActivity=“false”)。", label(event));
                if name(definition) == "compensateEventDefinition" {
                    report.strict(event, message, message_zh);
                } else {
                    report.error(event, message, message_zh);
                }
            }
        }
    }
}

/// It stands on the level of its activity.
pub(super) fn level_of_host(report: &mut Report<'_, '_>) {
    for event in boundaries(report) {
        let Some(host) = attr(event, "attachedToRef").and_then(|host| report.source.referred(host)) else {
            continue;
        };
        if level(host).map(|level| level.id()) != level(event).map(|level| level.id()) {
            report.error(
                event,
                format!(
                    "{} stands on another level than {}, on whose border it is.",
                    label(event),
                    label(host)
                ),
                format!("{} 与其所附着的 {} 不在同一层级。", label(event), label(host)),
            );
        }
    }
}
