//! What a decision model may not be, found before it is handed to its reader: each thing with its place.

use roxmltree::{Document, Node};

use super::logic::{Kind, Logic, Xml};
use crate::{
    finding::{Finding, Severity},
    model::Place,
};

/// The most elements.
const MAX_ELEMENTS: usize = 50_000;
/// The namespaces of DMN 1.2 to 1.5.
const NAMESPACES: [&str; 4] = [
    "http://www.omg.org/spec/DMN/20180521/MODEL/",
    "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/",
];

/// What was found.
pub(super) struct Notes<'d, 'a> {
    document: &'d Document<'a>,
    pub(super) findings: Vec<Finding>,
}

impl<'d, 'a> Notes<'d, 'a> {
    pub(super) fn new(document: &'d Document<'a>) -> Self {
        Self {
            document,
            findings: Vec::new(),
        }
    }

    pub(super) fn error(&mut self, rule: &'static str, node: Xml<'_>, message: String, message_zh: &str) {
        let at = self.document.text_pos_at(node.range().start);
        self.findings.push(Finding {
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
    }
}

/// Whether the file is one that can be looked at at all.
pub(super) fn shape(root: Xml<'_>, notes: &mut Notes<'_, '_>) -> bool {
    let namespace = root.tag_name().namespace().unwrap_or_default();
    if root.tag_name().name() != "definitions" || !NAMESPACES.contains(&namespace) {
        notes.error(
            "dmn",
            root,
            format!(
                "this is no model of DMN 1.2 to 1.5: its root is {:?} of {namespace:?}",
                root.tag_name().name()
            ),
            "不是 DMN 1.2 至 1.5 的模型",
        );
        return false;
    }
    if root.descendants().count() > MAX_ELEMENTS {
        notes.error(
            "size",
            root,
            format!("the model has more than {MAX_ELEMENTS} elements"),
            "决策模型元素过多",
        );
        return false;
    }
    true
}

/// What single elements may not say.
pub(super) fn elements(root: Xml<'_>, notes: &mut Notes<'_, '_>) {
    for node in root.descendants().filter(Node::is_element) {
        let language = node.attribute("expressionLanguage").unwrap_or_default();
        if !language.is_empty() && !language.to_ascii_uppercase().contains("FEEL") {
            notes.error(
                "language",
                node,
                format!("expressions are written in FEEL, not in {language}"),
                "表达式必须使用 FEEL",
            );
        }
        if node.tag_name().name() == "import" {
            notes.error(
                "import",
                node,
                "models that need other models are not read; put all into one".to_owned(),
                "不支持引用其他模型",
            );
        }
        let names_something = node.attribute("name").filter(|_| node.tag_name().name() != "definitions");
        if names_something.is_some_and(is_treacherous) {
            notes.error(
                "name",
                node,
                "a name may not hold + or the words for, some, every, return, satisfies, function".to_owned(),
                "名称中不能含有 + 或 for、some、every、return、satisfies、function 等词",
            );
        }
    }
}

/// Whether a name could hide a part of an expression in which it stands.
fn is_treacherous(name: &str) -> bool {
    name.contains('+')
        || name
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|word| matches!(word, "for" | "some" | "every" | "return" | "satisfies" | "function"))
}

/// What elements may not need.
pub(super) fn requirements(root: Xml<'_>, logic: &Logic, notes: &mut Notes<'_, '_>) {
    for element in &logic.elements {
        for needed in &element.requires {
            if logic.elements[*needed].kind == Kind::Service && element.kind != Kind::Service {
                notes.error(
                    "service",
                    root,
                    format!(
                        "{} calls the decision service {}, which is not supported",
                        element.name, logic.elements[*needed].name
                    ),
                    "不支持调用决策服务",
                );
            }
        }
    }
    if let Some(place) = circle(logic) {
        notes.error(
            "circle",
            root,
            format!("{} needs its own result", logic.elements[place].name),
            "决策之间存在循环依赖",
        );
    }
}

/// An element that, through others, needs itself.
fn circle(logic: &Logic) -> Option<usize> {
    let mut state = vec![0_u8; logic.elements.len()];
    for start in 0..logic.elements.len() {
        // A walk with a stack of its own: each element is entered once and left once.
        let mut open = vec![(start, false)];
        while let Some((place, leaves)) = open.pop() {
            if leaves {
                state[place] = 2;
                continue;
            }
            match state[place] {
                1 => return Some(place),
                2 => continue,
                _ => state[place] = 1,
            }
            open.push((place, true));
            for next in &logic.elements[place].requires {
                if state[*next] == 1 {
                    return Some(*next);
                }
                open.push((*next, false));
            }
        }
    }
    None
}
