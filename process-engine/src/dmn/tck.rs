//! The test cases of the DMN technology compatibility kit: what a model is asked, and what it must give.
//!
//! Pure: whoever calls has read the files. The format is that of `http://www.omg.org/spec/DMN/20160719/testcase`.

use std::collections::BTreeMap;

use dsntk_feel::{FeelScope, Name, context::FeelContext, values::Value as FeelValue};
use roxmltree::{Document, Node};

use super::{ReadOptions, read};

/// The namespace of `xsi:type` and `xsi:nil`.
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// Numbers that differ by less are the same: the kit's own tolerance.
const TOLERANCE: f64 = 1e-8;

/// What came of one result that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The test case and the decision.
    pub name: String,
    /// Why it failed; none, if it passed.
    pub failure: Option<String>,
}

/// Runs the cases of a file of tests against its model.
pub fn run(model: &[u8], tests: &str) -> Result<Vec<Outcome>, String> {
    let document = Document::parse(tests).map_err(|cause| format!("the tests are not XML: {cause}"))?;
    let read = read(model, ReadOptions { trusted: true });
    let cases = document
        .root_element()
        .children()
        .filter(|node| node.tag_name().name() == "testCase");
    let mut outcomes = Vec::new();
    for case in cases {
        let id = case.attribute("id").unwrap_or_default();
        let mut context = FeelContext::default();
        for input in children(&case, "inputNode") {
            let name = Name::from(input.attribute("name").unwrap_or_default());
            context.set_entry(&name, value_of(&input));
        }
        for result in children(&case, "resultNode") {
            let name = result.attribute("name").unwrap_or_default();
            // A case may be about one invocable, whatever its results are called.
            let asked = case.attribute("invocableName").unwrap_or(name);
            let given = match &read {
                Ok(model) => model.ask_feel(asked, &context),
                Err(cause) => Err(cause.to_string()),
            };
            outcomes.push(Outcome {
                name: format!("{id} {name}"),
                failure: judge(&result, given.map(|given| part_named(name, given))),
            });
        }
    }
    Ok(outcomes)
}

/// A decision service of several decisions gives all of them at once; the kit asks for each by its name.
fn part_named(name: &str, given: FeelValue) -> FeelValue {
    match &given {
        FeelValue::Context(parts) => parts.get_entry(&Name::from(name)).cloned().unwrap_or(given),
        _ => given,
    }
}

/// Why a result is not what was expected.
fn judge(result: &Node<'_, '_>, given: Result<FeelValue, String>) -> Option<String> {
    let expects_error = result.attribute("errorResult") == Some("true");
    match given {
        Err(_) | Ok(FeelValue::Null(_)) if expects_error => None,
        Err(cause) => Some(cause),
        Ok(given) => {
            let expected = child(result, "expected").map_or(FeelValue::Null(None), |expected| value_of(&expected));
            (!same(&expected, &given)).then(|| format!("expected {expected}, got {given}"))
        }
    }
}

fn same(expected: &FeelValue, given: &FeelValue) -> bool {
    match (expected, given) {
        (FeelValue::Null(_), FeelValue::Null(_)) => true,
        (FeelValue::Number(expected), FeelValue::Number(given)) => {
            let number = |text: String| text.parse::<f64>().unwrap_or(f64::NAN);
            expected == given || (number(expected.to_string()) - number(given.to_string())).abs() < TOLERANCE
        }
        (FeelValue::List(expected), FeelValue::List(given)) => {
            expected.len() == given.len() && expected.iter().zip(given).all(|(expected, given)| same(expected, given))
        }
        (FeelValue::Context(expected), FeelValue::Context(given)) => {
            expected.len() == given.len()
                && expected
                    .iter()
                    .all(|(name, value)| given.get_entry(name).is_some_and(|given| same(value, given)))
        }
        (expected, given) => expected == given || expected.to_string() == given.to_string(),
    }
}

/// The value that a node holds: a value, a list, or components.
fn value_of(node: &Node<'_, '_>) -> FeelValue {
    if let Some(list) = child(node, "list") {
        return FeelValue::List(children(&list, "item").map(|item| value_of(&item)).collect());
    }
    let components: BTreeMap<&str, FeelValue> = children(node, "component")
        .map(|component| (component.attribute("name").unwrap_or_default(), value_of(&component)))
        .collect();
    if !components.is_empty() {
        let mut context = FeelContext::default();
        for (name, value) in components {
            context.set_entry(&Name::from(name), value);
        }
        return FeelValue::Context(context);
    }
    match child(node, "value") {
        Some(value) if value.attribute((XSI, "nil")) != Some("true") => typed(&value),
        _ => FeelValue::Null(None),
    }
}

/// A value by its `xsi:type`.
fn typed(value: &Node<'_, '_>) -> FeelValue {
    let text = value.text().unwrap_or_default();
    let kind = value.attribute((XSI, "type")).unwrap_or("xsd:string");
    let feel = match kind.rsplit(':').next().unwrap_or_default() {
        "boolean" => return FeelValue::Boolean(matches!(text.trim(), "true" | "1")),
        "decimal" | "double" | "float" | "integer" | "int" | "long" | "short" => text.trim().to_owned(),
        "date" => format!("date(\"{}\")", text.trim()),
        "time" => format!("time(\"{}\")", text.trim()),
        "dateTime" => format!("date and time(\"{}\")", text.trim()),
        "duration" | "dayTimeDuration" | "yearMonthDuration" => format!("duration(\"{}\")", text.trim()),
        _ => return FeelValue::String(text.to_owned()),
    };
    let scope = FeelScope::default();
    dsntk_feel_parser::parse_expression(&scope, &feel, false)
        .map_or(FeelValue::Null(None), |node| dsntk_feel_evaluator::evaluate(&scope, &node))
}

fn child<'a, 'x>(node: &Node<'a, 'x>, name: &str) -> Option<Node<'a, 'x>> {
    node.children().find(|child| child.tag_name().name() == name)
}

fn children<'a, 'x>(node: &Node<'a, 'x>, name: &'static str) -> impl Iterator<Item = Node<'a, 'x>> + use<'a, 'x> {
    node.children().filter(move |child| child.tag_name().name() == name)
}
