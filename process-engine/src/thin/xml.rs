//! Looking into the XML: names, attributes, places.

use roxmltree::{Document, Node};

use crate::model::Place;

/// The namespace of BPMN 2.0 models.
pub(super) const BPMN: &str = "http://www.omg.org/spec/BPMN/20100524/MODEL";
/// Our own namespace.
pub(super) const ZHULU: &str = "http://zhulu.cn/bpmn";
/// The dialects of other engines, which are read alike.
pub(super) const DIALECTS: [&str; 3] = [
    "http://flowable.org/bpmn",
    "http://activiti.org/bpmn",
    "http://camunda.org/schema/1.0/bpmn",
];

pub(super) fn is_bpmn(node: &Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name && node.tag_name().namespace() == Some(BPMN)
}

pub(super) fn child<'a, 'x>(node: &Node<'a, 'x>, name: &str) -> Option<Node<'a, 'x>> {
    node.children().find(|child| is_bpmn(child, name))
}

pub(super) fn children<'a, 'x>(node: &Node<'a, 'x>, name: &'static str) -> impl Iterator<Item = Node<'a, 'x>> + use<'a, 'x> {
    node.children().filter(move |child| is_bpmn(child, name))
}

/// The text of an element, without white space around it.
pub(super) fn text_of(node: &Node<'_, '_>) -> String {
    node.text().unwrap_or_default().trim().to_owned()
}

pub(super) fn flag(node: &Node<'_, '_>, name: &str, otherwise: bool) -> bool {
    node.attribute(name)
        .map_or(otherwise, |value| matches!(value.trim(), "true" | "1"))
}

/// The local part of a name with a prefix.
pub(super) fn local(name: &str) -> &str {
    name.trim().rsplit(':').next().unwrap_or_default()
}

/// An attribute in a dialect's namespace, or in ours.
pub(super) fn extra<'a>(node: &Node<'a, '_>, name: &str) -> Option<&'a str> {
    node.attribute((ZHULU, name))
        .or_else(|| DIALECTS.iter().find_map(|space| node.attribute((*space, name))))
        .map(str::trim)
        .filter(|value| !value.is_empty())
}

/// An extension element in a dialect's namespace, or in ours.
pub(super) fn extensions<'a, 'x>(node: &Node<'a, 'x>) -> impl Iterator<Item = Node<'a, 'x>> + use<'a, 'x> {
    child(node, "extensionElements")
        .into_iter()
        .flat_map(|elements| elements.children())
        .filter(|extension| {
            let space = extension.tag_name().namespace();
            extension.is_element() && (space == Some(ZHULU) || DIALECTS.iter().any(|dialect| space == Some(dialect)))
        })
}

pub(super) fn place_of(document: &Document<'_>, node: &Node<'_, '_>) -> Place {
    let at = document.text_pos_at(node.range().start);
    Place {
        line: at.row,
        column: at.col,
    }
}
