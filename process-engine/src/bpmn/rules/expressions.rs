//! Expressions.

use crate::bpmn::{
    report::Report,
    schema,
    source::{XSI, Xml, attr, is_executable, label, local, name, text},
};

fn expressions<'a>(report: &Report<'_, 'a>) -> impl Iterator<Item = Xml<'a>> + use<'a> {
    report.source.elements().filter(|node| schema::is_expression(*node))
}

/// Elements that the schema itself makes formal.
fn is_formal(node: Xml<'_>) -> bool {
    let typed = node
        .attribute((XSI, "type"))
        .is_some_and(|written| local(written.trim()) == "tFormalExpression");
    typed
        || matches!(name(node), "formalExpression" | "transformation" | "messagePath" | "dataPath")
        || attr(node, "language").is_some()
        || (name(node) == "condition"
            && node
                .parent_element()
                .is_some_and(|owner| name(owner) == "complexBehaviorDefinition"))
}

/// In an executable process expressions are formal. A plain text is taken for prose, unless it can only be an expression.
pub(super) fn formal(report: &mut Report<'_, '_>) {
    if report.source.is_dialect() {
        return;
    }
    for node in expressions(report).filter(|node| is_executable(*node) && !is_formal(*node)) {
        let written = text(node);
        if can_only_be_an_expression(&written) {
            continue;
        }
        report.error(
            node,
            format!(
                "The {} \"{written}\" must be a formal expression: add xsi:type=\"tFormalExpression\".",
                name(node)
            ),
            format!(
                "{}“{written}”必须是形式表达式:请加 xsi:type=\"tFormalExpression\"。",
                name(node)
            ),
        );
    }
}

/// `${…}`, or a comparison: nobody writes those in prose.
fn can_only_be_an_expression(written: &str) -> bool {
    written.starts_with("${") || written.starts_with("#{") || written.contains(['<', '>', '='])
}

/// An expression says something.
pub(super) fn filled(report: &mut Report<'_, '_>) {
    for node in expressions(report).filter(|node| text(*node).is_empty()) {
        let Some(owner) = node.parent_element() else { continue };
        report.error(
            node,
            format!("The {} of {} is empty.", name(node), label(owner)),
            format!("{} 的 {} 为空。", label(owner), name(node)),
        );
    }
}

/// A condition is true or false; a number or a text is neither.
pub(super) fn boolean(report: &mut Report<'_, '_>) {
    let conditions = [
        "condition",
        "conditionExpression",
        "completionCondition",
        "loopCondition",
        "activationCondition",
    ];
    for node in expressions(report).filter(|node| conditions.contains(&name(*node))) {
        let written = text(node);
        if is_number_or_text(&written) {
            report.error(
                node,
                format!("The {} {written} is neither true nor false.", name(node)),
                format!("{} 的值 {written} 既非真也非假。", name(node)),
            );
        }
    }
}

fn is_number_or_text(written: &str) -> bool {
    let digits = written.trim_start_matches('-');
    let is_number = digits.starts_with(|letter: char| letter.is_ascii_digit()) && digits.parse::<f64>().is_ok();
    let quoted = written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    is_number || quoted.is_some_and(|inner| !inner.contains('"'))
}
