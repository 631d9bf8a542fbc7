//! The file as a whole.

use crate::bpmn::{
    report::Report,
    source::{BPMN, attr, flag, is_true, kids_of, label, name},
};

/// A model holds all that it refers to; no other file is opened.
pub(super) fn imports(report: &mut Report<'_, '_>) {
    for import in report.source.named("import") {
        let location = attr(import, "location").unwrap_or_default();
        report.error(
            import,
            format!("\"{location}\" is not imported: a model must hold all that it refers to. Put its content into this file."),
            format!("不会导入“{location}”:模型必须自成一体,请将其内容放入本文件。"),
        );
    }
}

/// An extension that must be understood is not: none is registered.
pub(super) fn extensions(report: &mut Report<'_, '_>) {
    for extension in report.source.named("extension") {
        if attr(extension, "mustUnderstand").is_some_and(is_true) {
            report.error(
                extension,
                "This extension says that it must be understood, and it is not.",
                "此扩展声明必须被理解,但系统不理解它。",
            );
        }
    }
}

/// There is something to run.
pub(super) fn has_a_process(report: &mut Report<'_, '_>) {
    let root = report.source.root();
    if root.tag_name().name() != "definitions" || root.tag_name().namespace() != Some(BPMN) {
        report.error(
            root,
            format!("The root must be definitions in the namespace {BPMN}."),
            format!("根元素必须是命名空间 {BPMN} 中的 definitions。"),
        );
    } else if kids_of(root, "process").next().is_none() {
        report.error(
            root,
            "The file holds no process: there is nothing to run.",
            "文件中没有流程,无可运行的内容。",
        );
    }
}

/// Choreographies describe what passes between partners; nobody runs them.
pub(super) fn choreographies(report: &mut Report<'_, '_>) {
    for node in report
        .source
        .elements()
        .filter(|node| name(*node).to_ascii_lowercase().contains("choreography"))
    {
        report.error(
            node,
            format!(
                "{}: choreographies are not run. Keep them in a file of their own.",
                label(node)
            ),
            format!("{}:编排图不可运行,请另存为单独的文件。", label(node)),
        );
    }
}

/// Neither does anybody run conversations.
pub(super) fn conversations(report: &mut Report<'_, '_>) {
    for node in report
        .source
        .elements()
        .filter(|node| name(*node).to_ascii_lowercase().contains("conversation"))
    {
        report.error(
            node,
            format!(
                "{}: conversations are not run. Keep them in a file of their own.",
                label(node)
            ),
            format!("{}:会话图不可运行,请另存为单独的文件。", label(node)),
        );
    }
}

/// Formats of texts are MIME types.
pub(super) fn mime_types(report: &mut Report<'_, '_>) {
    for node in report
        .source
        .elements()
        .filter(|node| matches!(name(*node), "documentation" | "textAnnotation"))
    {
        let Some(format) = attr(node, "textFormat") else { continue };
        if !is_mime_type(format) {
            report.error(
                node,
                format!("The textFormat \"{format}\" is no MIME type such as text/plain."),
                format!("textFormat“{format}”不是 MIME 类型(如 text/plain)。"),
            );
        }
    }
}

/// `type/subtype`, each a token of RFC 2045.
pub(super) fn is_mime_type(text: &str) -> bool {
    let token = |part: &str| {
        let allowed = |char: char| char.is_ascii_alphanumeric() || "!#$&^_.+-".contains(char);
        !part.is_empty() && part.chars().all(allowed)
    };
    let bare = text.split(';').next().unwrap_or_default().trim();
    bare.split_once('/').is_some_and(|(kind, rest)| token(kind) && token(rest))
}

/// A public process only shows what passes between partners; it cannot be executable.
pub(super) fn public_processes(report: &mut Report<'_, '_>) {
    for process in report.source.named("process") {
        if attr(process, "processType") == Some("Public") && flag(process, "isExecutable", false) {
            report.error(
                process,
                format!(
                    "{} is public and so cannot be executable; make it private or not executable.",
                    label(process)
                ),
                format!("{} 是公开流程,不能是可执行流程;请改为私有或不可执行。", label(process)),
            );
        }
    }
}

/// What a picture shows is in the model.
pub(super) fn pictures(report: &mut Report<'_, '_>) {
    let root = report.source.root();
    for shape in root
        .descendants()
        .filter(|node| matches!(node.tag_name().name(), "BPMNShape" | "BPMNEdge"))
    {
        let Some(shown) = attr(shape, "bpmnElement") else { continue };
        if report.source.referred(shown).is_none() {
            report.warning(
                shape,
                format!("The picture shows {shown}, which is not in the model."),
                format!("图形展示了模型中不存在的元素 {shown}。"),
            );
        }
    }
}
