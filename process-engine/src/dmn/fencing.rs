//! What a decision model may not hold, found before it is handed to its reader.

use std::collections::{HashMap, HashSet};

use roxmltree::{Document, Node};

use super::ReadOptions;
use crate::{
    expression::fence,
    finding::{Finding, Severity},
    model::Place,
};

/// The longest expression in a decision model.
const MAX_TEXT_BYTES: usize = 64 * 1024;
/// The deepest nesting of elements.
const MAX_DEPTH: usize = 64;
/// The most elements.
const MAX_ELEMENTS: usize = 50_000;

/// Everything that is wrong, with its place.
pub(super) fn check(document: &Document<'_>, options: ReadOptions) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut note = |rule, node: &Node<'_, '_>, message: String, message_zh: &str| {
        let at = document.text_pos_at(node.range().start);
        findings.push(Finding {
            rule,
            severity: Severity::Error,
            place: Place {
                line: at.row,
                column: at.col,
            },
            element: node.ancestors().find_map(|at| at.attribute("id")).map(str::to_owned),
            message,
            message_zh: message_zh.to_owned(),
        });
    };
    let root = document.root_element();
    if root.descendants().count() > MAX_ELEMENTS {
        note(
            "size",
            &root,
            format!("the model has more than {MAX_ELEMENTS} elements"),
            "决策模型元素过多",
        );
        return findings;
    }
    for node in root.descendants().filter(Node::is_element) {
        if node.ancestors().take(MAX_DEPTH + 1).count() > MAX_DEPTH {
            note(
                "nesting",
                &node,
                format!("elements are nested deeper than {MAX_DEPTH} levels"),
                "决策模型嵌套过深",
            );
            return findings;
        }
        let language = node.attribute("expressionLanguage").unwrap_or_default();
        if !language.is_empty() && !language.to_ascii_uppercase().contains("FEEL") {
            note(
                "language",
                &node,
                format!("expressions are written in FEEL, not in {language}"),
                "表达式必须使用 FEEL",
            );
        }
        if matches!(node.attribute("kind"), Some("Java" | "PMML")) {
            note(
                "external",
                &node,
                "functions outside cannot be called".to_owned(),
                "不允许调用外部函数",
            );
        }
        if node.tag_name().name() != "text" {
            continue;
        }
        let text = node.text().unwrap_or_default().trim();
        if text.is_empty() || text == "-" {
            continue;
        }
        let loops = |text: &str| {
            text.split(|c: char| !c.is_alphanumeric())
                .find(|word| matches!(*word, "for" | "function" | "external"))
                .map(str::to_owned)
        };
        let checked = fence::check(text, MAX_TEXT_BYTES).and_then(|_| match loops(text) {
            Some(word) if !options.trusted => Err(format!("may not use {word:?}")),
            _ => Ok(()),
        });
        if let Err(reason) = checked {
            note("expression", &node, format!("this expression {reason}"), "表达式不被允许");
        }
    }
    if let Some(id) = circle(&root) {
        note(
            "circle",
            &root,
            format!("the decision {id} needs its own result"),
            "决策之间存在循环依赖",
        );
    }
    findings
}

/// A decision that, through others, asks itself.
fn circle(root: &Node<'_, '_>) -> Option<String> {
    let mut needs: HashMap<&str, Vec<&str>> = HashMap::new();
    for element in root.children().filter(Node::is_element) {
        let Some(id) = element.attribute("id") else { continue };
        let asked = element
            .descendants()
            .filter(|node| matches!(node.tag_name().name(), "requiredDecision" | "requiredKnowledge"))
            .filter_map(|node| node.attribute("href")?.rsplit('#').next());
        needs.insert(id, asked.collect());
    }
    let mut done = HashSet::new();
    for start in needs.keys().copied() {
        // A walk with an explicit stack: each element is entered once and left once.
        let mut path: HashSet<&str> = HashSet::new();
        let mut open = vec![(start, false)];
        while let Some((id, leaves)) = open.pop() {
            if leaves {
                path.remove(id);
                done.insert(id);
                continue;
            }
            if path.contains(id) {
                return Some(id.to_owned());
            }
            if done.contains(id) {
                continue;
            }
            path.insert(id);
            open.push((id, true));
            open.extend(needs.get(id).into_iter().flatten().map(|next| (*next, false)));
        }
    }
    None
}
