//! What tables decide, and what is refused.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{ReadOptions, read};

fn model(body: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="m" name="review" namespace="http://zhulu.cn/test">
{body}
</definitions>"#
    )
}

fn sections(hit_policy: &str) -> String {
    model(&format!(
        r##"<inputData id="area" name="area"><variable name="area" typeRef="number"/></inputData>
<inputData id="kind" name="kind"><variable name="kind" typeRef="string"/></inputData>
<decision id="sections" name="sections">
  <variable name="sections"/>
  <informationRequirement id="r1"><requiredInput href="#area"/></informationRequirement>
  <informationRequirement id="r2"><requiredInput href="#kind"/></informationRequirement>
  <decisionTable id="t" hitPolicy="{hit_policy}">
    <input id="i1"><inputExpression id="e1" typeRef="number"><text>area</text></inputExpression></input>
    <input id="i2"><inputExpression id="e2" typeRef="string"><text>kind</text></inputExpression></input>
    <output id="o1" name="section" typeRef="string"/>
    <rule id="a"><inputEntry id="a1"><text>&gt;= 5000</text></inputEntry><inputEntry id="a2"><text>-</text></inputEntry>
      <outputEntry id="a3"><text>"消防"</text></outputEntry></rule>
    <rule id="b"><inputEntry id="b1"><text>[1000..100000]</text></inputEntry><inputEntry id="b2"><text>"住宅","商业"</text></inputEntry>
      <outputEntry id="b3"><text>"人防"</text></outputEntry></rule>
    <rule id="c"><inputEntry id="c1"><text>-</text></inputEntry><inputEntry id="c2"><text>not("住宅")</text></inputEntry>
      <outputEntry id="c3"><text>"规划"</text></outputEntry></rule>
  </decisionTable>
</decision>"##
    ))
}

fn asked(xml: &str, decision: &str, of: Value) -> super::Decided {
    let variables: BTreeMap<String, Value> = serde_json::from_value(of).unwrap();
    let model = read(xml.as_bytes(), ReadOptions::default()).unwrap();
    model.evaluate(decision, &variables).unwrap()
}

#[test]
fn a_table_gives_what_its_rules_say_and_which_they_were() {
    let decided = asked(
        &sections("COLLECT"),
        "sections",
        json!({ "area": 8000, "kind": "住宅", "other": 1 }),
    );
    assert_eq!(decided.outputs, json!(["消防", "人防"]));
    assert_eq!(decided.rules, [1, 2]);
    assert_eq!(
        decided.inputs,
        BTreeMap::from([("area".to_owned(), json!(8000)), ("kind".to_owned(), json!("住宅"))])
    );
    let decided = asked(&sections("FIRST"), "sections", json!({ "area": 8000, "kind": "商业" }));
    assert_eq!((decided.outputs, decided.rules), (json!("消防"), vec![1]));
    let decided = asked(&sections("UNIQUE"), "sections", json!({ "area": 10, "kind": "住宅" }));
    assert_eq!(
        (decided.outputs, decided.rules),
        (Value::Null, vec![]),
        "no rule: null, never a guess"
    );
}

#[test]
fn decisions_ask_other_decisions() {
    let xml = model(
        r##"<inputData id="area" name="area"><variable name="area" typeRef="number"/></inputData>
<decision id="large" name="large"><variable name="large" typeRef="boolean"/>
  <informationRequirement id="r1"><requiredInput href="#area"/></informationRequirement>
  <literalExpression id="l1"><text>area &gt; 5000</text></literalExpression></decision>
<decision id="days" name="days"><variable name="days" typeRef="number"/>
  <informationRequirement id="r2"><requiredDecision href="#large"/></informationRequirement>
  <literalExpression id="l2"><text>if large then 10 else 5</text></literalExpression></decision>"##,
    );
    assert_eq!(asked(&xml, "days", json!({ "area": 6000 })).outputs, json!(10));
    assert_eq!(asked(&xml, "days", json!({ "area": 60 })).outputs, json!(5));
}

#[test]
fn what_has_no_bounds_or_reaches_outside_is_refused_with_its_place() {
    let literal = |text: &str| {
        model(&format!(
            r#"<decision id="d" name="d"><variable name="d"/><literalExpression id="l"><text>{text}</text></literalExpression></decision>"#
        ))
    };
    let deep = format!("{}{}", "(".repeat(200), ")".repeat(200));
    let circle = model(
        r##"<decision id="a" name="a"><variable name="a"/><informationRequirement id="r"><requiredDecision href="#b"/></informationRequirement>
<literalExpression id="l"><text>b</text></literalExpression></decision>
<decision id="b" name="b"><variable name="b"/><informationRequirement id="s"><requiredDecision href="#a"/></informationRequirement>
<literalExpression id="k"><text>a</text></literalExpression></decision>"##,
    );
    for (xml, rule) in [
        (literal("count(for i in 1..1000000000 return i)"), "expression"),
        (literal("function(x) external { java: {} }"), "expression"),
        (literal(&deep), "expression"),
        (literal("a &amp;&amp; b"), "dmn"),
        (circle, "circle"),
        ("<definitions/>".to_owned(), "dmn"),
        ("no xml".to_owned(), "xml"),
        (format!("<!DOCTYPE x [<!ENTITY a \"b\">]>{}", literal("1")), "xml"),
        (model(""), "decision"),
    ] {
        let rejected = read(xml.as_bytes(), ReadOptions::default()).unwrap_err();
        assert_eq!(rejected.findings[0].rule, rule, "{rejected}");
        assert!(rejected.findings[0].place.line >= 1);
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_refused_and_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes, ReadOptions::default());
    }

    #[test]
    fn arbitrary_expressions_in_a_model_never_panic(text in "[a-z0-9 ()\\[\\]{}<>=.,\"+*/-]{0,60}") {
        let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
        let xml = model(&format!(
            r#"<decision id="d" name="d"><variable name="d"/><literalExpression id="l"><text>{escaped}</text></literalExpression></decision>"#
        ));
        if let Ok(model) = read(xml.as_bytes(), ReadOptions::default()) {
            let _ = model.evaluate("d", &BTreeMap::new());
        }
    }
}

#[test]
fn test_cases_of_the_kit_pass_or_say_why_not() {
    let tests = |expected: &str| {
        format!(
            r#"<testCases xmlns="http://www.omg.org/spec/DMN/20160719/testcase" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xmlns:xsd="http://www.w3.org/2001/XMLSchema"><modelName>m.dmn</modelName>
<testCase id="001">
  <inputNode name="area"><value xsi:type="xsd:decimal">8000</value></inputNode>
  <inputNode name="kind"><value xsi:type="xsd:string">住宅</value></inputNode>
  <resultNode name="sections" type="decision"><expected><list>
    <item><value xsi:type="xsd:string">消防</value></item><item><value xsi:type="xsd:string">{expected}</value></item>
  </list></expected></resultNode>
</testCase></testCases>"#
        )
    };
    let model = sections("COLLECT");
    let passed = super::tck::run(model.as_bytes(), &tests("人防")).unwrap();
    assert_eq!(passed[0].failure, None);
    let failed = super::tck::run(model.as_bytes(), &tests("规划")).unwrap();
    assert!(failed[0].failure.as_deref().unwrap().contains("人防"));
}
