//! Decision models that are hard on whoever reads or evaluates them.

use std::{collections::BTreeMap, fmt::Write as _};

use process_engine::dmn::{self, ReadOptions};
use serde_json::{Value, json};

use crate::on_a_small_stack;

fn model(body: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="m" name="m" namespace="http://zhulu.cn/test">{body}</definitions>"#
    )
}

/// What is said of a model: why it is refused, or what its decision `d` gives.
fn said_of(xml: &str, of: Value) -> String {
    let variables: BTreeMap<String, Value> = serde_json::from_value(of).unwrap();
    on_a_small_stack(|| match dmn::read(xml.as_bytes(), ReadOptions::default()) {
        Err(rejected) => rejected
            .findings
            .iter()
            .map(|one| format!("{}: {}\n", one.rule, one.message))
            .collect(),
        Ok(model) => match model.evaluate("d", &variables) {
            Err(error) => error,
            Ok(decided) => decided.outputs.to_string(),
        },
    })
}

fn is_said(what: &str, xml: &str, of: Value) {
    let said = said_of(xml, of);
    let shown: String = said.chars().take(300).collect();
    assert!(said.contains(what), "{what}: {shown}");
}

/// A table over inputs `i0`, `i1`… with these rules.
fn table(inputs: usize, rules: &str) -> String {
    let mut text = String::new();
    for n in 0..inputs {
        let _ = write!(
            text,
            r#"<inputData id="i{n}" name="i{n}"><variable name="i{n}" typeRef="number"/></inputData>"#
        );
    }
    text += r#"<decision id="d" name="d"><variable name="d"/>"#;
    for n in 0..inputs {
        let _ = write!(
            text,
            r##"<informationRequirement id="r{n}"><requiredInput href="#i{n}"/></informationRequirement>"##
        );
    }
    text += r#"<decisionTable id="t" hitPolicy="COLLECT">"#;
    for n in 0..inputs {
        let _ = write!(
            text,
            r#"<input id="in{n}"><inputExpression id="ie{n}" typeRef="number"><text>i{n}</text></inputExpression></input>"#
        );
    }
    model(&format!(
        "{text}<output id=\"o\" typeRef=\"number\"/>{rules}</decisionTable></decision>"
    ))
}

#[test]
fn files_that_are_hard_to_parse_are_refused_by_the_limits_of_all_files() {
    let levels = 100_000;
    let empty = || json!({});
    is_said("too-deep", &model(&"<list>".repeat(levels)), empty());
    is_said(
        "too-deep",
        &model(&format!("{}{}", "<context>".repeat(1_000), "</context>".repeat(1_000))),
        empty(),
    );
    let attributes = (0..60_000).fold(String::new(), |mut text, n| {
        let _ = write!(text, " a{n}=\"\"");
        text
    });
    is_said("too-many-attributes", &model(&format!("<decision{attributes}/>")), empty());
    is_said("size: ", &model(&" ".repeat(dmn::MAX_MODEL_BYTES)), empty());
    is_said("size: ", &model(&"<a/>".repeat(60_000)), empty());
    is_said("xml: ", &format!("<!DOCTYPE d [<!ENTITY a \"b\">]>{}", model("")), empty());
}

#[test]
fn a_table_of_a_billion_combinations_is_as_dear_as_its_rules_and_no_dearer() {
    // Thirty inputs with two values each: what matters is that the rules are few, not how much they cover.
    let inputs = 30;
    let rule = |n: usize| {
        let entries: String = (0..inputs)
            .map(|at| {
                format!(
                    "<inputEntry><text>{}</text></inputEntry>",
                    if at == n { "&gt;= 1" } else { "-" }
                )
            })
            .collect();
        format!("<rule id=\"u{n}\">{entries}<outputEntry><text>{n}</text></outputEntry></rule>")
    };
    let xml = table(inputs, &(0..inputs).map(rule).collect::<String>());
    let of: serde_json::Map<String, Value> = (0..inputs).map(|n| (format!("i{n}"), json!(n % 2))).collect();
    let expected: Vec<usize> = (0..inputs).filter(|n| n % 2 == 1).collect();
    assert_eq!(said_of(&xml, of.into()), json!(expected).to_string());
}

#[test]
fn a_table_with_more_rules_than_the_budget_pays_for_is_not_begun() {
    let rule = "<rule><inputEntry><text>some a in [1..1000] satisfies a * a = i0</text></inputEntry><outputEntry><text>1</text></outputEntry></rule>";
    is_said("steps", &table(1, &rule.repeat(3_000)), json!({ "i0": 1 }));
}

#[test]
fn needs_of_needs_stop_at_a_limit() {
    let chain = |length: usize| {
        let mut text = String::new();
        for n in 0..length {
            let id = if n == 0 { "d".to_owned() } else { format!("d{n}") };
            let next = n + 1;
            let needs = if next < length {
                format!(r##"<informationRequirement id="r{n}"><requiredDecision href="#d{next}"/></informationRequirement>"##)
            } else {
                String::new()
            };
            let gives = if next < length { format!("d{next}") } else { "1".to_owned() };
            let _ = write!(
                text,
                r#"<decision id="{id}" name="{id}"><variable name="{id}"/>{needs}<literalExpression><text>{gives}</text></literalExpression></decision>"#
            );
        }
        model(&text)
    };
    assert_eq!(said_of(&chain(60), json!({})), "1");
    for length in [70, 3_000] {
        is_said("more than 64 times", &chain(length), json!({}));
    }
}

#[test]
fn what_needs_itself_is_refused() {
    let circle = |kind: &str, needs: &str, required: &str| {
        model(&format!(
            r##"<{kind} id="a" name="a"><variable name="a"/><{needs} id="r"><{required} href="#b"/></{needs}></{kind}>
<{kind} id="b" name="b"><variable name="b"/><{needs} id="s"><{required} href="#a"/></{needs}></{kind}>
<decision id="d" name="d"><variable name="d"/><literalExpression><text>1</text></literalExpression></decision>"##
        ))
    };
    is_said(
        "circle",
        &circle("decision", "informationRequirement", "requiredDecision"),
        json!({}),
    );
    is_said(
        "circle",
        &circle("businessKnowledgeModel", "knowledgeRequirement", "requiredKnowledge"),
        json!({}),
    );
    let mut itself = String::new();
    for n in 0..2_000 {
        let next = (n + 1) % 2_000;
        let _ = write!(
            itself,
            r##"<decision id="d{n}" name="d{n}"><variable name="d{n}"/><informationRequirement id="r{n}"><requiredDecision href="#d{next}"/></informationRequirement><literalExpression><text>1</text></literalExpression></decision>"##
        );
    }
    is_said("circle", &model(&itself), json!({}));
}

#[test]
fn types_that_are_made_of_themselves_end() {
    let types = r#"<itemDefinition name="t"><itemComponent name="inner"><typeRef>t</typeRef></itemComponent></itemDefinition>
<itemDefinition name="u" isCollection="true"><typeRef>u</typeRef></itemDefinition>"#;
    for of in ["t", "u"] {
        let xml = model(&format!(
            r##"{types}<inputData id="x" name="x"><variable name="x" typeRef="{of}"/></inputData>
<decision id="d" name="d"><variable name="d"/><informationRequirement id="r"><requiredInput href="#x"/></informationRequirement>
<literalExpression><text>x = null</text></literalExpression></decision>"##
        ));
        let deep = (0..100).fold(json!(1), |inner, _| json!({ "inner": inner }));
        for value in [json!(1), json!([1]), json!({ "inner": { "inner": 1 } }), deep] {
            assert!(!said_of(&xml, json!({ "x": value })).is_empty());
        }
    }
}

#[test]
fn bytes_that_are_no_decision_model_are_refused() {
    for bytes in [
        &b""[..],
        b"\0",
        b"\xff\xfe",
        b"<",
        b"<definitions",
        b"<definitions/>",
        b"<a>\0</a>",
        b"<!DOCTYPE a>",
        b"\xc3\x28",
    ] {
        let read = on_a_small_stack(|| dmn::read(bytes, ReadOptions::default()).map(|_| ()));
        assert!(read.is_err(), "{bytes:?}");
    }
    let whole = table(
        2,
        "<rule><inputEntry><text>1</text></inputEntry><inputEntry><text>-</text></inputEntry><outputEntry><text>1</text></outputEntry></rule>",
    );
    for length in 0..whole.len() {
        let read = on_a_small_stack(|| dmn::read(&whole.as_bytes()[..length], ReadOptions::default()).map(|_| ()));
        assert!(read.is_err(), "cut off at {length}");
    }
}
