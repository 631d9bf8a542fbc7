//! Sub-processes of all kinds.

use crate::bpmn::{
    report::Report,
    source::{Xml, attr, flag, is_activity, is_event_sub_process, is_executable, kids, kids_of, label, name},
};

fn event_sub_processes<'a>(report: &Report<'_, 'a>) -> impl Iterator<Item = Xml<'a>> + use<'a> {
    report.source.elements().filter(|node| is_event_sub_process(*node))
}

/// An event sub-process stands apart from the flow.
pub(super) fn event_flows(report: &mut Report<'_, '_>) {
    for handler in event_sub_processes(report) {
        for flow in [report.source.incoming(handler), report.source.outgoing(handler)].concat() {
            report.error(
                flow,
                format!(
                    "{} is an event sub-process; no flow may lead to it or away from it.",
                    label(handler)
                ),
                format!("{} 是事件子流程,不能有顺序流流入或流出。", label(handler)),
            );
        }
        if name(handler) != "subProcess" {
            report.error(
                handler,
                format!("A {} cannot be triggered by an event; use a subProcess.", name(handler)),
                format!("{} 不能由事件触发;请使用 subProcess。", name(handler)),
            );
        }
    }
}

/// It has one start event, and that waits for something.
pub(super) fn event_starts(report: &mut Report<'_, '_>) {
    let allowed = [
        "message",
        "timer",
        "escalation",
        "error",
        "compensate",
        "conditional",
        "signal",
    ];
    for handler in event_sub_processes(report) {
        let starts: Vec<Xml<'_>> = kids_of(handler, "startEvent").collect();
        let [start] = starts.as_slice() else {
            report.error(
                handler,
                format!("{} must have one start event; it has {}.", label(handler), starts.len()),
                format!("{} 必须恰有一个开始事件,现有 {} 个。", label(handler), starts.len()),
            );
            continue;
        };
        let definitions = report.source.event_definitions(*start);
        let kinds: Vec<&str> = definitions
            .iter()
            .map(|definition| name(*definition).trim_end_matches("EventDefinition"))
            .collect();
        if kinds.is_empty() || kinds.iter().any(|kind| !allowed.contains(kind)) {
            report.error(
                *start,
                format!(
                    "{} starts an event sub-process and must wait for one of: {}.",
                    label(*start),
                    allowed.join(", ")
                ),
                format!(
                    "{} 用于启动事件子流程,必须等待以下之一:{}。",
                    label(*start),
                    allowed.join("、")
                ),
            );
        }
    }
}

/// What an error or compensation starts interrupts.
pub(super) fn event_interrupting(report: &mut Report<'_, '_>) {
    for start in report
        .source
        .named("startEvent")
        .filter(|start| !flag(*start, "isInterrupting", true))
    {
        let definitions = report.source.event_definitions(start);
        if definitions
            .iter()
            .any(|one| matches!(name(*one), "errorEventDefinition" | "compensateEventDefinition"))
        {
            report.error(
                start,
                format!("{} cannot leave its scope running (isInterrupting=\"false\").", label(start)),
                format!("{} 不能是非中断的(isInterrupting=“false”)。", label(start)),
            );
        }
    }
}

/// An ad-hoc sub-process holds activities, and has no beginning and no end of its own.
pub(super) fn ad_hoc(report: &mut Report<'_, '_>) {
    for ad_hoc in report.source.named("adHocSubProcess") {
        if !kids(ad_hoc).any(is_activity) {
            report.error(
                ad_hoc,
                format!("{} must hold at least one activity.", label(ad_hoc)),
                format!("{} 至少要包含一个活动。", label(ad_hoc)),
            );
        }
        for event in kids(ad_hoc).filter(|kid| matches!(name(*kid), "startEvent" | "endEvent")) {
            report.error(
                event,
                format!("{} may not stand in an ad-hoc sub-process.", label(event)),
                format!("{} 不能出现在临时子流程中。", label(event)),
            );
        }
    }
}

/// How a transaction is carried out is up to us; other protocols are not spoken.
pub(super) fn transactions(report: &mut Report<'_, '_>) {
    for transaction in report
        .source
        .named("transaction")
        .filter(|transaction| is_executable(*transaction))
    {
        let Some(method) = attr(transaction, "method") else { continue };
        let ours = matches!(method, "##Compensate" | "##compensate" | "compensate");
        if !ours && !method.starts_with("##") {
            report.error(
                transaction,
                format!("The transaction method {method} is not spoken; only ##Compensate is."),
                format!("不支持事务方法 {method};只支持 ##Compensate。"),
            );
        } else if !ours {
            report.warning(
                transaction,
                format!("{method} is treated as ##Compensate: what is cancelled is compensated."),
                format!("{method} 按 ##Compensate 处理:取消即补偿。"),
            );
        }
    }
}
