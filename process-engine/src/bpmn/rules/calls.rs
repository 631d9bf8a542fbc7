//! Calls of processes and global tasks.

use super::io::{inputs, outputs, same_item};
use crate::bpmn::{
    report::Report,
    source::{Xml, attr, engine_attr, is_executable, kid, kids_of, label, name},
};

fn calls<'a>(report: &Report<'_, 'a>) -> impl Iterator<Item = Xml<'a>> + use<'a> {
    report.source.named("callActivity")
}

fn called<'a>(report: &Report<'_, 'a>, call: Xml<'a>) -> Option<Xml<'a>> {
    attr(call, "calledElement").and_then(|called| report.source.referred(called))
}

/// A call says what it calls.
pub(super) fn targets(report: &mut Report<'_, '_>) {
    for call in calls(report) {
        let named = attr(call, "calledElement").is_some();
        if engine_attr(call, "caseRef").is_some() {
            report.error(
                call,
                format!("{} calls a case of CMMN, which is not run here.", label(call)),
                format!("{} 调用 CMMN 案例,系统不支持。", label(call)),
            );
        } else if !named && is_executable(call) {
            report.error(
                call,
                format!("{} must say what it calls (calledElement).", label(call)),
                format!("{} 必须指定被调用流程(calledElement)。", label(call)),
            );
        }
    }
}

/// A process that is called has a plain start.
pub(super) fn none_start(report: &mut Report<'_, '_>) {
    for call in calls(report) {
        let Some(process) = called(report, call).filter(|called| name(*called) == "process") else {
            continue;
        };
        let plain = |start: Xml<'_>| report.source.event_definitions(start).is_empty();
        let starts: Vec<Xml<'_>> = kids_of(process, "startEvent").collect();
        if !starts.is_empty() && !starts.iter().any(|start| plain(*start)) {
            report.error(
                call,
                format!(
                    "{} calls {}, which has no start event that waits for nothing.",
                    label(call),
                    label(process)
                ),
                format!("{} 调用的 {} 没有空开始事件。", label(call), label(process)),
            );
        }
        if starts.iter().filter(|start| plain(**start)).count() > 1 {
            report.error(
                call,
                format!(
                    "{} calls {}, which has several plain start events; a call cannot say at which one it begins.",
                    label(call),
                    label(process)
                ),
                format!(
                    "{} 调用的 {} 有多个空开始事件,无法确定从哪一个开始。",
                    label(call),
                    label(process)
                ),
            );
        }
    }
}

/// A call hands in and takes out what is declared by what it calls.
pub(super) fn data(report: &mut Report<'_, '_>) {
    for call in calls(report) {
        let Some(called) = called(report, call) else { continue };
        let (own, other) = (kid(call, "ioSpecification"), kid(called, "ioSpecification"));
        if own.is_none() && other.is_none() {
            continue;
        }
        for (what, ours, theirs) in [
            ("data inputs", inputs(own), inputs(other)),
            ("data outputs", outputs(own), outputs(other)),
        ] {
            if ours.len() != theirs.len() {
                report.strict(
                    call,
                    format!(
                        "{} has {} {what}; {} has {}.",
                        label(call),
                        ours.len(),
                        label(called),
                        theirs.len()
                    ),
                    format!(
                        "{} 有 {} 个 {what},而 {} 有 {} 个。",
                        label(call),
                        ours.len(),
                        label(called),
                        theirs.len()
                    ),
                );
            }
            for (ours, theirs) in ours.iter().zip(&theirs) {
                if !same_item(report.source, *ours, *theirs) {
                    report.strict(
                        *ours,
                        format!(
                            "{} is of another item definition than {} of {}.",
                            label(*ours),
                            label(*theirs),
                            label(called)
                        ),
                        format!(
                            "{} 与 {} 的 {} 数据项定义不一致。",
                            label(*ours),
                            label(called),
                            label(*theirs)
                        ),
                    );
                }
            }
        }
    }
}
