//! Whether a file is built as the XML schema of BPMN 2.0 says: known elements and attributes, in their places, often enough.
//!
//! The order of elements is not looked at: it changes nothing, and many drawing tools have their own.

mod elements;

use std::{
    collections::{HashMap, HashSet},
    sync::OnceLock,
};

use super::{
    report::Report,
    source::{BPMN, XSI, Xml, attr, is_bpmn, is_level, label, local, name},
};
use elements::{ELEMENTS, GROUPS, REFERENCES};

/// What an attribute may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    Text,
    Boolean,
    Number,
    OneOf(&'static str),
}

/// An element with all that it builds on.
#[derive(Debug, Default)]
struct Known {
    attributes: HashMap<&'static str, Value>,
    required: Vec<&'static str>,
    children: HashSet<&'static str>,
    at_least_one: Vec<&'static str>,
    at_most_one: Vec<&'static str>,
}

fn schema() -> &'static HashMap<&'static str, Known> {
    static SCHEMA: OnceLock<HashMap<&'static str, Known>> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let declared = ELEMENTS.iter().map(|element| (element.name, resolved(element.name)));
        let references = REFERENCES.split_whitespace().map(|name| (name, Known::default()));
        declared.chain(references).collect()
    })
}

fn resolved(name: &str) -> Known {
    let Some(element) = ELEMENTS.iter().find(|element| element.name == name) else {
        return Known::default();
    };
    let mut known = if element.base.is_empty() {
        Known::default()
    } else {
        resolved(element.base)
    };
    for attribute in element.attributes.split_whitespace() {
        let Some((name, kind)) = attribute.split_once(':') else {
            continue;
        };
        let (kind, required) = kind.strip_suffix('!').map_or((kind, false), |kind| (kind, true));
        let value = match kind {
            "b" => Value::Boolean,
            "i" => Value::Number,
            "s" | "r" => Value::Text,
            values => Value::OneOf(values),
        };
        known.attributes.insert(name, value);
        known.required.extend(required.then_some(name));
    }
    for child in element.children.split_whitespace() {
        let bare = child.trim_end_matches(['?', '*', '+']);
        let Some(group) = bare.strip_prefix('@') else {
            known.children.insert(bare);
            known.at_least_one.extend((!child.ends_with(['?', '*'])).then_some(bare));
            known.at_most_one.extend((!child.ends_with(['*', '+'])).then_some(bare));
            continue;
        };
        let members = GROUPS
            .iter()
            .find(|(name, _)| *name == group)
            .map_or("", |(_, members)| members);
        known.children.extend(members.split_whitespace());
    }
    known
}

/// Elements that BPMN 2.0 does not have, or not there; elements of others that do not stand in `extensionElements`.
pub(super) fn elements(report: &mut Report<'_, '_>) {
    for node in report.source.elements().filter(|node| name(*node) != "extensionElements") {
        if !schema().contains_key(name(node)) {
            report.error(
                node,
                format!("BPMN 2.0 has no element {}; remove it.", name(node)),
                format!("BPMN 2.0 没有元素 {},请删除。", name(node)),
            );
            continue;
        }
        for child in node.children().filter(roxmltree::Node::is_element) {
            misplaced(report, node, child);
        }
    }
}

fn misplaced<'a>(report: &mut Report<'_, 'a>, node: Xml<'a>, child: Xml<'a>) {
    let tag = child.tag_name();
    if is_bpmn(child) {
        let allowed = schema()
            .get(name(node))
            .is_some_and(|known| known.children.contains(name(child)));
        if !allowed && schema().contains_key(name(child)) {
            report.error(
                child,
                format!("A {} may not stand in a {}.", name(child), name(node)),
                format!("{} 不能出现在 {} 之内。", name(child), name(node)),
            );
        }
        return;
    }
    // Pictures stand in the root; texts may hold mark-up; anything else belongs into extensionElements.
    let mixed = matches!(
        name(node),
        "documentation" | "text" | "script" | "rendering" | "partitionElement"
    );
    let picture = name(node) == "definitions" && tag.namespace().is_some_and(|uri| uri != BPMN);
    if !mixed && !picture {
        report.error(
            child,
            format!(
                "The element {} is not of BPMN 2.0; put it into extensionElements.",
                tag.name()
            ),
            format!("元素 {} 不属于 BPMN 2.0,请放入 extensionElements。", tag.name()),
        );
    }
}

/// Elements that stand in another one too often or not at all.
pub(super) fn occurrences(report: &mut Report<'_, '_>) {
    for node in report.source.elements() {
        let Some(known) = schema().get(name(node)) else { continue };
        let count = |wanted: &str| node.children().filter(|child| name(*child) == wanted).count();
        for wanted in known.at_least_one.iter().filter(|wanted| count(wanted) == 0) {
            report.error(
                node,
                format!("{} needs a {wanted}.", label(node)),
                format!("{} 缺少 {wanted}。", label(node)),
            );
        }
        for wanted in known.at_most_one.iter().filter(|wanted| count(wanted) > 1) {
            report.error(
                node,
                format!("{} may have only one {wanted}.", label(node)),
                format!("{} 只能有一个 {wanted}。", label(node)),
            );
        }
        let loops = node
            .children()
            .filter(|child| name(*child).ends_with("LoopCharacteristics"))
            .count();
        if loops > 1 {
            report.error(
                node,
                format!("{} may be repeated in one way only.", label(node)),
                format!("{} 只能有一种循环方式。", label(node)),
            );
        }
    }
}

/// Attributes that BPMN 2.0 does not have there.
pub(super) fn attributes(report: &mut Report<'_, '_>) {
    for node in report.source.elements() {
        let Some(known) = schema().get(name(node)) else { continue };
        for attribute in node
            .attributes()
            .filter(|attribute| attribute.namespace().is_none_or(|uri| uri == BPMN))
        {
            if !known.attributes.contains_key(attribute.name()) {
                report.error(
                    node,
                    format!(
                        "BPMN 2.0 knows no attribute {} of a {}; remove it.",
                        attribute.name(),
                        name(node)
                    ),
                    format!("BPMN 2.0 的 {} 没有属性 {},请删除。", name(node), attribute.name()),
                );
            }
        }
    }
}

/// Attributes that are required.
pub(super) fn required(report: &mut Report<'_, '_>) {
    for node in report.source.elements() {
        let Some(known) = schema().get(name(node)) else { continue };
        // An empty namespace is allowed, if it is written.
        let has = |wanted: &str| attr(node, wanted).is_some() || (wanted == "targetNamespace" && node.has_attribute(wanted));
        for wanted in known.required.iter().filter(|wanted| !has(wanted)) {
            // Names of links are written as references by some; whoever reads links says so.
            report.error(
                node,
                format!("{} needs the attribute {wanted}.", label(node)),
                format!("{} 缺少属性 {wanted}。", label(node)),
            );
        }
    }
}

/// Values of attributes that are not allowed.
pub(super) fn values(report: &mut Report<'_, '_>) {
    for node in report.source.elements() {
        let Some(known) = schema().get(name(node)) else { continue };
        for attribute in node.attributes().filter(|attribute| attribute.namespace().is_none()) {
            let (Some(value), written) = (known.attributes.get(attribute.name()), attribute.value().trim()) else {
                continue;
            };
            let allowed = match value {
                Value::Text => continue,
                Value::Boolean if matches!(written, "true" | "false" | "1" | "0") => continue,
                Value::Number if written.parse::<i64>().is_ok() => continue,
                Value::OneOf(values) if values.split('|').any(|one| one == written) => continue,
                Value::Boolean => "true, false".to_owned(),
                Value::Number => "a whole number".to_owned(),
                Value::OneOf(values) => values.replace('|', ", "),
            };
            report.error(
                node,
                format!(
                    "The {} of {} is \"{written}\"; it can be: {allowed}.",
                    attribute.name(),
                    label(node)
                ),
                format!("{} 的 {} 为“{written}”;可取值:{allowed}。", label(node), attribute.name()),
            );
        }
    }
}

/// `xsi:type` of expressions.
pub(super) fn types(report: &mut Report<'_, '_>) {
    for node in report.source.elements() {
        let Some(written) = node.attribute((XSI, "type")) else {
            continue;
        };
        let formal = matches!(local(written.trim()), "tFormalExpression" | "tExpression");
        if !formal && !is_level(node) {
            report.error(
                node,
                format!("xsi:type=\"{written}\" is no type of BPMN 2.0 that may stand here."),
                format!("xsi:type=“{written}”不是此处允许的 BPMN 2.0 类型。"),
            );
        }
    }
}

/// Whether an element holds an expression.
pub(super) fn is_expression(node: Xml<'_>) -> bool {
    let declared = ELEMENTS.iter().find(|element| element.name == name(node));
    declared.is_some_and(|element| element.base == "tExpression")
}
