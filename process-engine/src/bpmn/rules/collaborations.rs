//! Pools and what passes between them.

use crate::bpmn::{
    report::Report,
    source::{Xml, attr, is_catch, is_event, is_executable, is_throw, kids_of, label, local, name, process_of},
};

/// How many partners there are is from 0 up, at most at least 1, and not less than at least.
pub(super) fn multiplicities(report: &mut Report<'_, '_>) {
    for multiplicity in report.source.named("participantMultiplicity") {
        let number = |which, otherwise| attr(multiplicity, which).map_or(Some(otherwise), |number| number.parse::<i64>().ok());
        let (Some(minimum), Some(maximum)) = (number("minimum", 0), number("maximum", 1)) else {
            continue;
        };
        if minimum < 0 || maximum < 1 || maximum < minimum {
            report.error(
                multiplicity,
                format!("From {minimum} to {maximum} participants is no range: from 0 up, at most 1 or more."),
                format!("参与者数量 {minimum} 到 {maximum} 无效:最小值不小于 0,最大值不小于 1 且不小于最小值。"),
            );
        }
    }
}

/// The pool that the end of a message flow belongs to.
fn pool<'a>(report: &Report<'_, 'a>, end: Xml<'a>) -> Option<Xml<'a>> {
    if name(end) == "participant" {
        return Some(end);
    }
    let process = process_of(end).and_then(|process| attr(process, "id"))?;
    report
        .source
        .named("participant")
        .find(|pool| attr(*pool, "processRef").map(local) == Some(process))
}

fn ends<'a>(report: &Report<'_, 'a>, flow: Xml<'a>) -> (Option<Xml<'a>>, Option<Xml<'a>>) {
    let end = |which| attr(flow, which).and_then(|end| report.source.referred(end));
    (end("sourceRef"), end("targetRef"))
}

/// A message flow leads from one pool to another.
pub(super) fn different_pools(report: &mut Report<'_, '_>) {
    for flow in report.source.named("messageFlow") {
        let (Some(from), Some(to)) = ends(report, flow) else {
            continue;
        };
        let pools = (pool(report, from), pool(report, to));
        let one_pool = pools.0.is_some() && pools.0.map(|pool| pool.id()) == pools.1.map(|pool| pool.id());
        let one_process = process_of(from).is_some() && process_of(from).map(|p| p.id()) == process_of(to).map(|p| p.id());
        if one_pool || one_process {
            report.error(
                flow,
                format!(
                    "{} stays within one pool; message flows lead from one pool to another.",
                    label(flow)
                ),
                format!("{} 的两端在同一个池中;消息流必须连接不同的池。", label(flow)),
            );
        }
    }
}

/// Messages leave from what throws one and arrive at what catches one.
pub(super) fn event_ends(report: &mut Report<'_, '_>) {
    for flow in report.source.named("messageFlow") {
        let (from, to) = ends(report, flow);
        let about_message = |event: Xml<'_>, source: &crate::bpmn::source::Source<'_>| {
            let id = attr(event, "id").unwrap_or_default();
            let Some(event) = source.by_id(id) else { return false };
            source
                .event_definitions(event)
                .iter()
                .any(|definition| name(*definition) == "messageEventDefinition")
        };
        if let Some(event) = from.filter(|from| is_event(*from) && !(is_throw(*from) && about_message(*from, report.source))) {
            report.error(
                flow,
                format!("{} sends no message; {} cannot begin there.", label(event), label(flow)),
                format!("{} 不发送消息,{} 不能从此开始。", label(event), label(flow)),
            );
        }
        if let Some(event) = to.filter(|to| is_event(*to) && !(is_catch(*to) && about_message(*to, report.source))) {
            report.error(
                flow,
                format!("{} receives no message; {} cannot end there.", label(event), label(flow)),
                format!("{} 不接收消息,{} 不能在此结束。", label(event), label(flow)),
            );
        }
        wrong_task(report, flow, from, "receiveTask");
        wrong_task(report, flow, to, "sendTask");
    }
}

fn wrong_task<'a>(report: &mut Report<'_, 'a>, flow: Xml<'a>, end: Option<Xml<'a>>, wrong: &str) {
    if let Some(task) = end.filter(|end| name(*end) == wrong) {
        report.error(
            flow,
            format!("{} stands at the wrong end of {}.", label(task), label(flow)),
            format!("{} 位于 {} 的错误一端。", label(task), label(flow)),
        );
    }
}

/// What is correlated by a key is bound property by property.
pub(super) fn correlations(report: &mut Report<'_, '_>) {
    for subscription in report
        .source
        .named("correlationSubscription")
        .filter(|node| is_executable(*node))
    {
        let key = attr(subscription, "correlationKeyRef").and_then(|key| report.source.referred(key));
        let Some(key) = key else { continue };
        for property in kids_of(key, "correlationPropertyRef").map(crate::bpmn::source::text) {
            let is_bound = kids_of(subscription, "correlationPropertyBinding")
                .any(|binding| attr(binding, "correlationPropertyRef").map(local) == Some(local(&property)));
            if !is_bound {
                report.strict(
                    subscription,
                    format!("The property {property} of {} is not bound.", label(key)),
                    format!("{} 的属性 {property} 未绑定。", label(key)),
                );
            }
        }
    }
}
