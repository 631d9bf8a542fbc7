//! Ids.

use std::collections::HashMap;

use crate::bpmn::{
    report::Report,
    source::{attr, id, is_flow_node, label, name},
};

/// Elements that are run or referred to; without an id neither can be.
const REFERABLE: [&str; 22] = [
    "process",
    "sequenceFlow",
    "dataObject",
    "dataObjectReference",
    "dataInput",
    "dataOutput",
    "property",
    "participant",
    "messageFlow",
    "message",
    "signal",
    "error",
    "escalation",
    "itemDefinition",
    "interface",
    "operation",
    "resource",
    "dataStore",
    "category",
    "globalTask",
    "globalUserTask",
    "globalScriptTask",
];

/// What may be referred to needs an id.
pub(super) fn present(report: &mut Report<'_, '_>) {
    for node in report.source.elements() {
        let needed = is_flow_node(node) || REFERABLE.contains(&name(node));
        if needed && id(node).is_none() {
            report.error(
                node,
                format!("{} needs an id.", label(node)),
                format!("{} 缺少 id。", label(node)),
            );
        }
    }
}

/// An id is there once.
pub(super) fn unique(report: &mut Report<'_, '_>) {
    let mut seen = HashMap::new();
    for node in report.source.elements() {
        let Some(id) = id(node) else { continue };
        if let Some(first) = seen.insert(id, node) {
            let line = report.source.place(first).line;
            report.error(
                node,
                format!("The id {id} is already used by {} in line {line}.", label(first)),
                format!("id {id} 已被第 {line} 行的 {} 使用。", label(first)),
            );
        }
    }
}

/// An id begins with a letter or an underscore and holds neither spaces nor colons.
pub(super) fn well_formed(report: &mut Report<'_, '_>) {
    for node in report.source.elements() {
        let Some(id) = attr(node, "id") else { continue };
        let begins = id.starts_with(|char: char| char.is_alphabetic() || char == '_');
        let goes_on = id
            .chars()
            .all(|char| char.is_alphanumeric() || matches!(char, '_' | '-' | '.' | '·'));
        if !(begins && goes_on) {
            report.strict(
                node,
                format!("\"{id}\" is no id in XML: it must begin with a letter or _ and hold only letters, digits, . - and _."),
                format!("“{id}”不是合法的 XML id:须以字母或 _ 开头,只含字母、数字、. - 和 _。"),
            );
        }
    }
}
