//! The model as it is handed to the evaluator: the same with a twin for each table, which gives the numbers of the rules that
//! match. So the very evaluation that decides also says why, and it can stand in the history.

use std::{collections::BTreeSet, fmt::Write as _};

use dsntk_feel::Name;

use super::logic::{Kind, Logic, Xml, children, text_of};

/// DMN 1.2, and the version that the evaluator reads it as; for tables and requirements they are the same.
const DMN_12: &str = "http://www.omg.org/spec/DMN/20180521/MODEL/";
const DMN_13: &str = "https://www.omg.org/spec/DMN/20191111/MODEL/";

/// The names of types as FEEL has them (DMN 1.5, 10.3.1.3), and the only ones that the evaluator knows: of the others it
/// makes null, and no rule would match.
const TYPE_NAMES: [(&str, &str); 3] = [
    ("date and time", "dateTime"),
    ("days and time duration", "dayTimeDuration"),
    ("years and months duration", "yearMonthDuration"),
];

/// The name of the twin of a table.
pub(super) fn twin_of(place: usize) -> String {
    format!("zhulu_rules_{place}")
}

/// The text of the model with its twins.
pub(super) fn with_twins(text: &str, root: Xml<'_>, logic: &Logic) -> String {
    let mut edits: Vec<(std::ops::Range<usize>, String)> = Vec::new();
    let prefix = prefix_of(text, root);
    for node in root.children().filter(roxmltree::Node::is_element) {
        if node.tag_name().name() == "DMNDI" || node.tag_name().name() == "extensionElements" {
            edits.push((node.range(), String::new()));
        }
        if node.tag_name().name() != "decision" {
            continue;
        }
        let place = node.attribute("id").and_then(|id| logic.by_id.get(id)).copied();
        let implicit = place.map(|place| implicit_of(logic, place, &prefix)).unwrap_or_default();
        if let Some(first) = node.children().find(|child| child.is_element() && !implicit.is_empty()) {
            // Requirements stand behind the variable and before the logic.
            let at = children(node, "variable")
                .next()
                .map_or(first.range().start, |variable| variable.range().end);
            edits.push((at..at, implicit.clone()));
        }
        let Some(table) = children(node, "decisionTable").next() else {
            continue;
        };
        for entry in children_of_rules(table, "outputEntry") {
            // A cell that is left empty gives nothing.
            if text_of(entry).is_none() {
                edits.push((
                    entry.range(),
                    format!("<{prefix}outputEntry><{prefix}text>null</{prefix}text></{prefix}outputEntry>"),
                ));
            }
        }
        if let Some(place) = place {
            let end = node.range().end;
            edits.push((end..end, twin(text, node, table, place, &implicit, &prefix)));
        }
    }
    let members: BTreeSet<&Name> = logic.elements.iter().flat_map(|element| &element.members).collect();
    let end = text[..root.range().end].rfind("</").unwrap_or(root.range().end);
    let implicit = logic.elements.iter().filter(|element| element.kind == Kind::Implicit);
    let declared = implicit.map(|element| (element.id.clone(), element.name.as_str()));
    let declared = declared.chain(members.into_iter().map(|name| (member_id(name), name.as_str())));
    for (id, name) in declared {
        let name = escaped(name);
        edits.push((
            end..end,
            format!(r#"<{prefix}inputData id="{id}" name="{name}"><{prefix}variable name="{name}"/></{prefix}inputData>"#),
        ));
    }
    with_known_types(applied(text, edits).replace(DMN_12, DMN_13))
}

fn with_known_types(mut text: String) -> String {
    for (name, known) in TYPE_NAMES
        .into_iter()
        .filter(|(name, _)| text.contains(name))
        .collect::<Vec<_>>()
    {
        for (before, after) in [("typeRef=\"", "\""), ("typeRef='", "'"), ("typeRef>", "</")] {
            text = text.replace(&format!("{before}{name}{after}"), &format!("{before}{known}{after}"));
        }
    }
    text
}

fn children_of_rules<'a>(table: Xml<'a>, name: &'static str) -> impl Iterator<Item = Xml<'a>> {
    children(table, "rule").flat_map(move |rule| children(rule, name))
}

/// The requirements of inputs that nobody declared, and of names that are none but must be known as names.
fn implicit_of(logic: &Logic, place: usize, prefix: &str) -> String {
    let element = &logic.elements[place];
    let inputs = element.requires.iter().map(|needed| &logic.elements[*needed]);
    let inputs = inputs
        .filter(|needed| needed.kind == Kind::Implicit)
        .map(|needed| needed.id.clone());
    let mut text = String::new();
    for id in inputs.chain(element.members.iter().map(member_id)) {
        let _ = write!(
            text,
            r##"<{prefix}informationRequirement><{prefix}requiredInput href="#{id}"/></{prefix}informationRequirement>"##
        );
    }
    text
}

/// The id under which a name is declared that no input has.
fn member_id(name: &Name) -> String {
    let hexadecimal = name.as_str().bytes().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    format!("zhulu_name_{hexadecimal}")
}

/// A table that gives the numbers of all rules that match.
fn twin(text: &str, decision: Xml<'_>, table: Xml<'_>, place: usize, implicit: &str, prefix: &str) -> String {
    let name = twin_of(place);
    let mut twin = format!(r#"<{prefix}decision id="{name}" name="{name}"><{prefix}variable name="{name}"/>{implicit}"#);
    for requirement in ["informationRequirement", "knowledgeRequirement"] {
        for node in children(decision, requirement) {
            twin.push_str(&text[node.range()]);
        }
    }
    let _ = write!(twin, r#"<{prefix}decisionTable hitPolicy="COLLECT">"#);
    for input in children(table, "input") {
        twin.push_str(&text[input.range()]);
    }
    let _ = write!(twin, "<{prefix}output/>");
    for (number, rule) in (1..).zip(children(table, "rule")) {
        let _ = write!(twin, "<{prefix}rule>");
        for entry in children(rule, "inputEntry") {
            twin.push_str(&text[entry.range()]);
        }
        let _ = write!(
            twin,
            "<{prefix}outputEntry><{prefix}text>{number}</{prefix}text></{prefix}outputEntry></{prefix}rule>"
        );
    }
    let _ = write!(twin, "</{prefix}decisionTable></{prefix}decision>");
    twin
}

/// The prefix of the model's own names, as it is written.
fn prefix_of(text: &str, root: Xml<'_>) -> String {
    let tag = &text[root.range().start + 1..];
    let name = &tag[..tag.find(|c: char| c.is_whitespace() || matches!(c, '>' | '/')).unwrap_or(0)];
    name.split_once(':')
        .map_or_else(String::new, |(prefix, _)| format!("{prefix}:"))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

fn applied(text: &str, mut edits: Vec<(std::ops::Range<usize>, String)>) -> String {
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let mut result = String::with_capacity(text.len() * 2);
    let mut at = 0;
    for (range, with) in edits {
        if range.start < at {
            continue;
        }
        result.push_str(&text[at..range.start]);
        result.push_str(&with);
        at = range.end;
    }
    result.push_str(&text[at..]);
    result
}
