//! Compensation.

use super::events::definitions;
use crate::bpmn::{
    report::Report,
    source::{Xml, attr, flag, is_activity, is_event_sub_process, is_throw, kids, label, level, local, name},
};

/// The associations that lead away from an event.
fn associations<'a>(report: &Report<'_, 'a>, event: Xml<'a>) -> Vec<Xml<'a>> {
    let leads_away = |association: &Xml<'a>| attr(*association, "sourceRef").map(local) == attr(event, "id");
    report.source.named("association").filter(leads_away).collect()
}

fn handler<'a>(report: &Report<'_, 'a>, association: Xml<'a>) -> Option<Xml<'a>> {
    attr(association, "targetRef")
        .and_then(|target| report.source.referred(target))
        .filter(|target| is_activity(*target))
}

fn compensates<'a>(report: &Report<'_, 'a>, event: Xml<'a>) -> bool {
    report
        .source
        .event_definitions(event)
        .iter()
        .any(|definition| name(*definition) == "compensateEventDefinition")
}

/// An event on a border that compensates leads by one association to an activity that is there for it.
pub(super) fn handlers(report: &mut Report<'_, '_>) {
    for event in report.source.named("boundaryEvent") {
        if !compensates(report, event) {
            continue;
        }
        let handlers: Vec<Xml<'_>> = associations(report, event)
            .into_iter()
            .filter_map(|association| handler(report, association))
            .collect();
        let [handler] = handlers.as_slice() else {
            report.error(
                event,
                format!(
                    "{} must lead by one association to the activity that compensates; it leads to {}.",
                    label(event),
                    handlers.len()
                ),
                format!("{} 必须用一条关联指向补偿活动,现有 {} 条。", label(event), handlers.len()),
            );
            continue;
        };
        if !flag(*handler, "isForCompensation", false) {
            report.error(
                *handler,
                format!(
                    "{} compensates {}; set isForCompensation=\"true\".",
                    label(*handler),
                    label(event)
                ),
                format!(
                    "{} 用于补偿 {};请设置 isForCompensation=“true”。",
                    label(*handler),
                    label(event)
                ),
            );
        }
        if level(*handler).map(|level| level.id()) != level(event).map(|level| level.id()) {
            report.error(
                *handler,
                format!("{} stands on another level than what it compensates.", label(*handler)),
                format!("{} 与其补偿的活动不在同一层级。", label(*handler)),
            );
        }
    }
}

/// An activity that is there for compensation stands apart from the flow.
pub(super) fn no_flows(report: &mut Report<'_, '_>) {
    for activity in report
        .source
        .elements()
        .filter(|node| is_activity(*node) && flag(*node, "isForCompensation", false))
    {
        let flows = [report.source.incoming(activity), report.source.outgoing(activity)].concat();
        for flow in flows {
            report.error(
                flow,
                format!(
                    "{} is there for compensation; no flow may lead to it or away from it.",
                    label(activity)
                ),
                format!("{} 用于补偿,不能有顺序流流入或流出。", label(activity)),
            );
        }
    }
}

/// What is compensated by name is visible from where it is asked, and can be compensated.
pub(super) fn visible(report: &mut Report<'_, '_>) {
    for (event, definition) in definitions(report, "compensateEventDefinition") {
        let activity = attr(definition, "activityRef").and_then(|activity| report.source.referred(activity));
        let Some(activity) = activity.filter(|activity| is_activity(*activity) && is_throw(event)) else {
            continue;
        };
        let home = level(activity).map(|level| level.id());
        let mut around = level(event);
        let mut seen = around.map(|level| level.id()) == home;
        // An event sub-process sees what the scope that it handles has done.
        while let Some(here) = around.filter(|here| !seen && is_event_sub_process(*here)) {
            around = level(here);
            seen = around.map(|level| level.id()) == home;
        }
        if !seen {
            report.error(
                definition,
                format!(
                    "{} cannot see {}; both must stand on one level.",
                    label(event),
                    label(activity)
                ),
                format!("{} 无法补偿 {};二者必须位于同一层级。", label(event), label(activity)),
            );
        }
        if !can_be_compensated(report, activity) {
            report.strict(
                definition,
                format!(
                    "{} has nothing that compensates it: no event on its border, no event sub-process.",
                    label(activity)
                ),
                format!("{} 没有补偿边界事件或补偿事件子流程。", label(activity)),
            );
        }
    }
}

fn can_be_compensated<'a>(report: &Report<'_, 'a>, activity: Xml<'a>) -> bool {
    let on_border = |event: Xml<'a>| {
        let host = attr(event, "attachedToRef").and_then(|host| report.source.referred(host));
        host.map(|host| host.id()) == Some(activity.id()) && compensates(report, event)
    };
    let starts = |handler: Xml<'a>| kids(handler).any(|start| name(start) == "startEvent" && compensates(report, start));
    report.source.named("boundaryEvent").any(on_border)
        || kids(activity).any(|kid| is_event_sub_process(kid) && starts(kid))
        || kids(activity).any(|inner| is_activity(inner) && can_be_compensated(report, inner))
        || name(activity) == "callActivity"
}
