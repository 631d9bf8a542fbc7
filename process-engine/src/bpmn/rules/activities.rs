//! Tasks.

use super::file::is_mime_type;
use crate::bpmn::{
    report::Report,
    source::{Xml, attr, flag, is_sub_process, kid, kids_of, label, level, name, text},
};

/// A receive task that starts the process stands at its beginning.
pub(super) fn instantiating(report: &mut Report<'_, '_>) {
    for task in report
        .source
        .named("receiveTask")
        .filter(|task| flag(*task, "instantiate", false))
    {
        let flows = report.source.incoming(task);
        let source = |flow: &Xml<'_>| attr(*flow, "sourceRef").map(str::to_owned);
        let from_start = |flow: &Xml<'_>| {
            source(flow)
                .and_then(|source| report.source.referred(&source))
                .is_some_and(|source| name(source) == "startEvent")
        };
        if !flows.iter().all(from_start) {
            report.error(
                task,
                format!(
                    "{} starts the process; no flow may lead to it but from a start event.",
                    label(task)
                ),
                format!("{} 用于启动流程;除开始事件外不能有其他流入。", label(task)),
            );
        }
        let has_start = level(task).is_some_and(|level| kids_of(level, "startEvent").next().is_some());
        if has_start && flows.is_empty() {
            report.error(
                task,
                format!("{} starts the process, which has a start event already.", label(task)),
                format!("{} 用于启动流程,但流程已有开始事件。", label(task)),
            );
        }
        if level(task).is_some_and(is_sub_process) {
            report.error(
                task,
                format!("{} starts a process and so may not stand in a sub-process.", label(task)),
                format!("{} 用于启动流程,不能位于子流程中。", label(task)),
            );
        }
    }
}

/// A script says in what language it is, as a MIME type; the dialects write its bare name.
pub(super) fn script_formats(report: &mut Report<'_, '_>) {
    for task in report.source.elements() {
        let format = match name(task) {
            "scriptTask" => attr(task, "scriptFormat"),
            "globalScriptTask" => attr(task, "scriptLanguage"),
            _ => continue,
        };
        let script = kid(task, "script").map(text).unwrap_or_default();
        let has_script = !script.is_empty() && !script.starts_with("${");
        match format {
            Some(format) if !is_mime_type(format) => report.strict(
                task,
                format!(
                    "The script format \"{format}\" of {} is no MIME type such as application/feel.",
                    label(task)
                ),
                format!("{} 的脚本格式“{format}”不是 MIME 类型(如 application/feel)。", label(task)),
            ),
            // A bare word may be one of the host's; anything else is in some language.
            None if has_script && !(report.options.foreign_scripts && is_word(&script)) => report.error(
                task,
                format!(
                    "{} has a script but does not say in what language (scriptFormat).",
                    label(task)
                ),
                format!("{} 有脚本但未说明语言(scriptFormat)。", label(task)),
            ),
            _ => {}
        }
    }
}

fn is_word(script: &str) -> bool {
    script.chars().all(|char| char.is_alphanumeric() || char == '_')
}
