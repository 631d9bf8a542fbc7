//! What is looked at before the XML is parsed: a file that could cost too much time is not opened at all. And what is looked
//! at before the rules are: a file that they would take too long over.

use roxmltree::Document;

use super::source::{id, is_bpmn, is_flow_node, name};
use crate::{finding::Finding, model::Place};

/// The largest model that is read. The largest that we know of (a bank's, drawn by hand) has 2 MB.
pub const MAX_MODEL_BYTES: usize = 5 * 1024 * 1024;

/// How deep elements may stand in each other. Sub-processes nest two levels each; nobody draws twenty of them.
pub const MAX_NESTING: usize = 64;

/// How many attributes one element may have: they are compared pairwise by the parser.
pub const MAX_ATTRIBUTES: usize = 128;

/// How many namespaces a file may declare: the parser copies the list at each declaration.
pub const MAX_NAMESPACE_DECLARATIONS: usize = 2_048;

/// How many elements a file may hold, its picture included: each is looked at by every rule.
pub const MAX_ELEMENTS: usize = 50_000;

/// How many nodes a file may hold. What can stand beside what is a question of each with each; and nobody reads a drawing of
/// three thousand boxes.
pub const MAX_NODES: usize = 3_000;

/// How many sequence flows a file may hold: two for each node.
pub const MAX_FLOWS: usize = 2 * MAX_NODES;

/// How long an id may be: it stands in every event of its element, for ever.
pub const MAX_ID_CHARACTERS: usize = 255;

/// Why a file is not parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    rule: &'static str,
    at: usize,
    message: String,
    message_zh: String,
}

impl Refusal {
    /// The refusal with its place in the file.
    pub(crate) fn found_in(self, text: &str) -> Finding {
        Finding {
            place: place_of(text, self.at),
            ..Finding::whole_file(self.rule, self.message, self.message_zh)
        }
    }
}

/// Looks whether a file may be parsed.
pub(crate) fn look(text: &str) -> Result<(), Refusal> {
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut namespaces) = (0, 0usize, 0);
    while let Some(open) = find(bytes, at, b"<") {
        let rest = &bytes[open..];
        let skip_to: Option<&[u8]> = match rest {
            _ if rest.starts_with(b"<!--") => Some(b"-->"),
            _ if rest.starts_with(b"<![CDATA[") => Some(b"]]>"),
            _ if rest.starts_with(b"<?") => Some(b"?>"),
            _ => None,
        };
        if let Some(end) = skip_to {
            let Some(close) = find(bytes, open, end) else { return Ok(()) };
            at = close + end.len();
            continue;
        }
        let tag = Tag::read(rest);
        namespaces += tag.namespaces;
        if tag.attributes > MAX_ATTRIBUTES || namespaces > MAX_NAMESPACE_DECLARATIONS {
            return Err(refusal("too-many-attributes", open, MAX_ATTRIBUTES, "attributes", "属性"));
        }
        match tag.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            Kind::Empty => {}
        }
        if depth > MAX_NESTING {
            return Err(refusal("too-deep", open, MAX_NESTING, "levels of nested elements", "层嵌套"));
        }
        at = open + tag.length.max(1);
    }
    Ok(())
}

/// Looks whether a file that was parsed may be read.
pub(super) fn measure(document: &Document<'_>) -> Result<(), Refusal> {
    let (mut elements, mut nodes, mut flows) = (0, 0, 0);
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        let at = node.range().start;
        elements += 1;
        if elements > MAX_ELEMENTS {
            return Err(refusal("too-many-elements", at, MAX_ELEMENTS, "elements", "元素"));
        }
        if !is_bpmn(node) {
            continue;
        }
        nodes += usize::from(is_flow_node(node));
        if nodes > MAX_NODES {
            return Err(refusal("too-many-nodes", at, MAX_NODES, "nodes", "节点"));
        }
        flows += usize::from(name(node) == "sequenceFlow");
        if flows > MAX_FLOWS {
            return Err(refusal("too-many-flows", at, MAX_FLOWS, "sequence flows", "顺序流"));
        }
        if id(node).is_some_and(|id| id.chars().count() > MAX_ID_CHARACTERS) {
            return Err(refusal(
                "id-too-long",
                at,
                MAX_ID_CHARACTERS,
                "characters in an id",
                "字符的标识",
            ));
        }
    }
    Ok(())
}

fn refusal(rule: &'static str, at: usize, limit: usize, what: &str, what_zh: &str) -> Refusal {
    Refusal {
        rule,
        at,
        message: format!("The file has more than {limit} {what} here; such a file is not read."),
        message_zh: format!("文件此处超过 {limit} 个{what_zh},不予读取。"),
    }
}

/// Where a byte offset is.
fn place_of(text: &str, offset: usize) -> Place {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    Place {
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: u32::try_from(column).unwrap_or(u32::MAX),
    }
}

fn find(bytes: &[u8], from: usize, what: &[u8]) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let first = what.first()?;
    let mut base = 0;
    while let Some(hit) = rest[base..].iter().position(|byte| byte == first) {
        if rest[base + hit..].starts_with(what) {
            return Some(from + base + hit);
        }
        base += hit + 1;
    }
    None
}

enum Kind {
    Open,
    Close,
    Empty,
}

struct Tag {
    kind: Kind,
    attributes: usize,
    namespaces: usize,
    length: usize,
}

impl Tag {
    fn read(rest: &[u8]) -> Self {
        let (mut attributes, mut namespaces, mut quote) = (0, 0, None);
        for (at, byte) in rest.iter().enumerate().skip(1) {
            match (quote, byte) {
                (Some(open), byte) if open == *byte => quote = None,
                (None, b'"' | b'\'') => quote = Some(*byte),
                (None, b'=') => attributes += 1,
                (None, b'x') if rest[at..].starts_with(b"xmlns") => namespaces += 1,
                (None, b'>') => {
                    let kind = match (rest.get(1), rest[at - 1]) {
                        (Some(b'/'), _) => Kind::Close,
                        (_, b'/') | (Some(b'!'), _) => Kind::Empty,
                        _ => Kind::Open,
                    };
                    return Self {
                        kind,
                        attributes,
                        namespaces,
                        length: at + 1,
                    };
                }
                _ => {}
            }
        }
        Self {
            kind: Kind::Empty,
            attributes,
            namespaces,
            length: rest.len(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_file_may_be_parsed() {
        let text = "<?xml version='1.0'?><!-- <a><a><a> === --><a x='>'><![CDATA[<b><b>]]><c/></a>";
        assert_eq!(look(text), Ok(()));
    }

    #[test]
    fn a_file_that_nests_too_deep_is_refused_where_it_does() {
        let text = "<a>\n".repeat(MAX_NESTING + 1);
        let refusal = look(&text).unwrap_err();
        assert_eq!(refusal.rule, "too-deep");
        assert_eq!(place_of(&text, refusal.at).line, u32::try_from(MAX_NESTING).unwrap() + 1);
    }

    #[test]
    fn an_element_with_too_many_attributes_is_refused() {
        let many: Vec<String> = (0..=MAX_ATTRIBUTES).map(|n| format!("a{n}='1'")).collect();
        assert_eq!(
            look(&format!("<a {}/>", many.join(" "))).unwrap_err().rule,
            "too-many-attributes"
        );
    }
}
