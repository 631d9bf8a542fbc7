//! Which rules of a table match: asked of its own tests, so that a history can say why a table decided so.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use roxmltree::{Document, Node};

use super::Decision;
use crate::expression::{Expression, Variables, fence};

/// A decision table, for finding its rules.
#[derive(Debug)]
pub(super) struct Table {
    /// For each rule, its tests; one that always holds is left out.
    rules: Vec<Vec<Expression>>,
    /// Only the first that matches counts.
    first_only: bool,
}

impl Table {
    /// The rules that match, from 1. A rule whose tests cannot be read by themselves is not named.
    pub(super) fn matched(&self, variables: &dyn Variables) -> Vec<u32> {
        let matches = |tests: &[Expression]| tests.iter().all(|test| test.holds(variables).unwrap_or(false));
        let numbered = self.rules.iter().zip(1..).filter(|(tests, _)| matches(tests));
        let numbers = numbered.map(|(_, number)| number);
        if self.first_only {
            numbers.take(1).collect()
        } else {
            numbers.collect()
        }
    }
}

/// The decisions of a model.
pub(super) fn decisions(document: &Document<'_>) -> Vec<Decision> {
    let root = document.root_element();
    let elements: Vec<Node<'_, '_>> = root.children().filter(Node::is_element).collect();
    let by_id: HashMap<&str, Node<'_, '_>> = elements
        .iter()
        .filter_map(|element| Some((element.attribute("id")?, *element)))
        .collect();
    elements
        .iter()
        .filter(|element| element.tag_name().name() == "decision")
        .map(|element| Decision {
            id: element.attribute("id").unwrap_or_default().to_owned(),
            name: element.attribute("name").unwrap_or_default().to_owned(),
            inputs: inputs(*element, &by_id).into_iter().collect(),
            table: child(element, "decisionTable").map(|table| Arc::new(table_of(&table))),
        })
        .collect()
}

/// Every name that a decision, and everything that it asks, may look up.
fn inputs<'a>(start: Node<'a, 'a>, by_id: &HashMap<&str, Node<'a, 'a>>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut open = vec![start];
    while let Some(element) = open.pop() {
        if !seen.insert(element.range().start) {
            continue;
        }
        if element.tag_name().name() == "inputData" {
            names.extend(element.attribute("name").map(str::to_owned));
        }
        for node in element.descendants().filter(Node::is_element) {
            if let Some(href) = node.attribute("href").and_then(|href| href.rsplit('#').next()) {
                open.extend(by_id.get(href));
            }
            if node.tag_name().name() == "text"
                && let Some(text) = node.text()
                && let Ok(found) = fence::check(text, 1 << 16)
            {
                names.extend(found);
            }
        }
    }
    names
}

fn child<'a>(node: &Node<'a, 'a>, name: &str) -> Option<Node<'a, 'a>> {
    node.children().find(|child| child.tag_name().name() == name)
}

fn text_of<'a>(node: &Node<'a, 'a>) -> &'a str {
    child(node, "text").and_then(|text| text.text()).unwrap_or_default().trim()
}

fn table_of(table: &Node<'_, '_>) -> Table {
    let named = |name: &'static str| table.children().filter(move |child| child.tag_name().name() == name);
    let inputs: Vec<String> = named("input")
        .map(|input| {
            child(&input, "inputExpression")
                .map(|expression| text_of(&expression).to_owned())
                .unwrap_or_default()
        })
        .collect();
    let rules = named("rule")
        .map(|rule| {
            let entries = rule.children().filter(|child| child.tag_name().name() == "inputEntry");
            entries
                .zip(&inputs)
                .filter_map(|(entry, input)| test_of(input, text_of(&entry)))
                .collect()
        })
        .collect();
    Table {
        rules,
        first_only: matches!(table.attribute("hitPolicy"), Some("FIRST")),
    }
}

/// A test of an input as a condition of its own; none, if it always holds.
fn test_of(input: &str, test: &str) -> Option<Expression> {
    if test.is_empty() || test == "-" {
        return None;
    }
    let condition = match test.strip_prefix("not(").and_then(|rest| rest.strip_suffix(')')) {
        Some(inner) => format!("not(({input}) in ({inner}))"),
        None => format!("({input}) in ({test})"),
    };
    // A test that is no test of a value alone, such as one over `?`, never names its rule.
    Expression::compile(&condition).or_else(|_| Expression::compile("false")).ok()
}
