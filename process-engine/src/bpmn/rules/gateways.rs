//! Gateways.

use crate::bpmn::{
    report::Report,
    source::{Xml, attr, flag, is_gateway, is_sub_process, label, level, name},
};

fn gateways<'a>(report: &Report<'_, 'a>) -> impl Iterator<Item = Xml<'a>> + use<'a> {
    report.source.elements().filter(|node| is_gateway(*node))
}

fn event_gateways<'a>(report: &Report<'_, 'a>) -> impl Iterator<Item = Xml<'a>> + use<'a> {
    report.source.named("eventBasedGateway")
}

/// A gateway splits or merges as its direction says.
pub(super) fn directions(report: &mut Report<'_, '_>) {
    for gateway in gateways(report) {
        let Some(direction) = attr(gateway, "gatewayDirection") else {
            continue;
        };
        let (incoming, outgoing) = (report.source.incoming(gateway).len(), report.source.outgoing(gateway).len());
        let fits = match direction {
            "Converging" => incoming > 1 && outgoing <= 1,
            "Diverging" => incoming <= 1 && outgoing > 1,
            "Mixed" => incoming > 1 && outgoing > 1,
            _ => true,
        };
        if !fits {
            report.strict(
                gateway,
                format!(
                    "{} says that it is {direction}, but has {incoming} flows in and {outgoing} out.",
                    label(gateway)
                ),
                format!(
                    "{} 声明为 {direction},但有 {incoming} 条流入、{outgoing} 条流出。",
                    label(gateway)
                ),
            );
        }
    }
}

/// A gateway has several flows in or several out; else it does nothing.
pub(super) fn connections(report: &mut Report<'_, '_>) {
    for gateway in gateways(report) {
        let (incoming, outgoing) = (report.source.incoming(gateway).len(), report.source.outgoing(gateway).len());
        if incoming < 2 && outgoing < 2 && name(gateway) != "eventBasedGateway" {
            report.strict(
                gateway,
                format!(
                    "{} has neither several flows in nor several out: it does nothing. Remove it.",
                    label(gateway)
                ),
                format!("{} 既无多条流入也无多条流出,不起作用,请删除。", label(gateway)),
            );
        }
    }
}

/// An event-based gateway chooses between at least two.
pub(super) fn event_outgoing(report: &mut Report<'_, '_>) {
    for gateway in event_gateways(report) {
        let outgoing = report.source.outgoing(gateway).len();
        if outgoing < 2 {
            report.error(
                gateway,
                format!("{} must have two flows out or more; it has {outgoing}.", label(gateway)),
                format!("{} 至少要有两条流出,现有 {outgoing} 条。", label(gateway)),
            );
        }
    }
}

/// The nodes right behind an event-based gateway.
fn targets<'a>(report: &Report<'_, 'a>, gateway: Xml<'a>) -> Vec<Xml<'a>> {
    let flows = report.source.outgoing(gateway).into_iter();
    flows
        .filter_map(|flow| attr(flow, "targetRef").and_then(|target| report.source.referred(target)))
        .collect()
}

/// Behind it stand events that catch messages, signals, times or conditions, or receive tasks.
pub(super) fn event_targets(report: &mut Report<'_, '_>) {
    for gateway in event_gateways(report) {
        for target in targets(report, gateway) {
            let allowed = match name(target) {
                "receiveTask" => true,
                "intermediateCatchEvent" => report.source.event_definitions(target).iter().all(|definition| {
                    matches!(
                        name(*definition),
                        "messageEventDefinition"
                            | "signalEventDefinition"
                            | "timerEventDefinition"
                            | "conditionalEventDefinition"
                    )
                }),
                _ => false,
            };
            if !allowed {
                report.error(
                    target,
                    format!(
                        "{} stands behind an event-based gateway; only receive tasks and events that catch a message, a signal, a time \
                         or a condition may.",
                        label(target)
                    ),
                    format!("{} 位于事件网关之后;只允许接收任务和消息、信号、定时、条件捕获事件。", label(target)),
                );
            }
        }
    }
}

/// Messages are awaited by events or by receive tasks, not by both; and such tasks have no events on their border.
pub(super) fn event_receives(report: &mut Report<'_, '_>) {
    for gateway in event_gateways(report) {
        let targets = targets(report, gateway);
        let catches_message = |target: &Xml<'_>| {
            let definitions = report.source.event_definitions(*target);
            definitions
                .iter()
                .any(|definition| name(*definition) == "messageEventDefinition")
        };
        let events = targets.iter().any(catches_message);
        for task in targets.iter().filter(|target| name(**target) == "receiveTask") {
            if events {
                report.error(
                    *task,
                    format!(
                        "{} and a message event stand behind the same gateway; use one or the other.",
                        label(*task)
                    ),
                    format!("{} 与消息事件位于同一事件网关之后;只能二选一。", label(*task)),
                );
            }
            let bordered = report.source.named("boundaryEvent").any(|event| {
                attr(event, "attachedToRef")
                    .and_then(|host| report.source.referred(host))
                    .map(|host| host.id())
                    == Some(task.id())
            });
            if bordered {
                report.error(
                    *task,
                    format!(
                        "{} stands behind an event-based gateway and may have no events on its border.",
                        label(*task)
                    ),
                    format!("{} 位于事件网关之后,不能有边界事件。", label(*task)),
                );
            }
        }
    }
}

/// Nothing else leads to what stands behind an event-based gateway.
pub(super) fn event_target_incoming(report: &mut Report<'_, '_>) {
    for gateway in event_gateways(report) {
        for target in targets(report, gateway) {
            if report.source.incoming(target).len() > 1 {
                report.error(
                    target,
                    format!(
                        "{} stands behind an event-based gateway; no other flow may lead to it.",
                        label(target)
                    ),
                    format!("{} 位于事件网关之后,不能再有其他流入。", label(target)),
                );
            }
        }
    }
}

/// A gateway that starts a process has no flows in; only such a one may wait for all of its events.
pub(super) fn event_instantiates(report: &mut Report<'_, '_>) {
    for gateway in event_gateways(report) {
        let starts = flag(gateway, "instantiate", false);
        if starts && !report.source.incoming(gateway).is_empty() {
            report.error(
                gateway,
                format!("{} starts the process and so may have no flows in.", label(gateway)),
                format!("{} 用于启动流程,不能有流入。", label(gateway)),
            );
        }
        if starts && level(gateway).is_some_and(is_sub_process) {
            report.error(
                gateway,
                format!("{} starts a process and so may not stand in a sub-process.", label(gateway)),
                format!("{} 用于启动流程,不能位于子流程中。", label(gateway)),
            );
        }
        if !starts && report.source.incoming(gateway).is_empty() {
            report.error(
                gateway,
                format!(
                    "{} has no flow in and does not start the process (instantiate).",
                    label(gateway)
                ),
                format!("{} 没有流入,也未声明 instantiate 启动流程。", label(gateway)),
            );
        }
        if !starts && attr(gateway, "eventGatewayType") == Some("Parallel") {
            report.error(
                gateway,
                format!(
                    "{} may be Parallel only if it starts the process; use a parallel gateway.",
                    label(gateway)
                ),
                format!("{} 只有在启动流程时才能为 Parallel;请使用并行网关。", label(gateway)),
            );
        }
    }
}
