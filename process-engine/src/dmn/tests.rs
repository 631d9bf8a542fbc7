//! What tables decide, and what is refused.

#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, fmt::Write as _};

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
fn of_a_whole_form_only_what_is_looked_at_is_taken_in() {
    let of_form = |expression: &str| {
        model(&format!(
            r##"<inputData id="form" name="form"><variable name="form" typeRef="Any"/></inputData>
<decision id="large" name="large"><variable name="large"/>
  <informationRequirement id="r1"><requiredInput href="#form"/></informationRequirement>
  <literalExpression id="l"><text>{expression}</text></literalExpression>
</decision>"##
        ))
    };
    let form = json!({ "form": { "area": 8000, "site": { "city": "杭州", "zone": 3 }, "remark": "无" } });
    for (expression, outputs, looked_at) in [
        ("form.area &gt; 5000", json!(true), json!({ "area": 8000 })),
        ("form.site.zone", json!(3), json!({ "site": { "city": "杭州", "zone": 3 } })),
        ("form.floors", json!(null), json!({})),
        ("count(get entries(form))", json!(3), form["form"].clone()),
        (
            "(if form.area &gt; 1 then form else null).remark",
            json!("无"),
            form["form"].clone(),
        ),
        ("for one in [form] return one.area", json!([8000]), form["form"].clone()),
    ] {
        let decided = asked(&of_form(expression), "large", form.clone());
        assert_eq!(decided.outputs, outputs, "{expression}");
        assert_eq!(decided.inputs["form"], looked_at, "{expression}");
    }
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
    let nested = model(&format!(
        "<decision id=\"d\" name=\"d\">{}<literalExpression><text>1</text></literalExpression>{}</decision>",
        "<list>".repeat(200),
        "</list>".repeat(200)
    ));
    let circle = model(
        r##"<decision id="a" name="a"><variable name="a"/><informationRequirement id="r"><requiredDecision href="#b"/></informationRequirement>
<literalExpression id="l"><text>b</text></literalExpression></decision>
<decision id="b" name="b"><variable name="b"/><informationRequirement id="s"><requiredDecision href="#a"/></informationRequirement>
<literalExpression id="k"><text>a</text></literalExpression></decision>"##,
    );
    for (xml, rule) in [
        (literal("nobody(1)"), "expression"),
        (literal("now()"), "expression"),
        (literal(&format!("1{}", "+1".repeat(2_000))), "bounds"),
        (literal(&format!("\"{}\"", "x".repeat(70_000))), "bounds"),
        (literal("function(x) external { java: {} }"), "expression"),
        (literal(&deep), "bounds"),
        (literal("a &amp;&amp; b"), "expression"),
        (literal("1").replace("20191111", "20991111"), "dmn"),
        (nested, "too-deep"),
        (
            model(
                r#"<import name="other" namespace="o" importType="DMN"/><decision id="d" name="d"><literalExpression><text>1</text></literalExpression></decision>"#,
            ),
            "import",
        ),
        (
            model(r#"<decision id="d" name="for all"><literalExpression><text>1</text></literalExpression></decision>"#),
            "name",
        ),
        (
            literal("1").replace("id=\"l\"", "id=\"l\" expressionLanguage=\"JavaScript\""),
            "language",
        ),
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

fn refused(xml: &str, of: Value) -> String {
    let variables: BTreeMap<String, Value> = serde_json::from_value(of).unwrap();
    match read(xml.as_bytes(), ReadOptions::default()) {
        Err(rejected) => rejected.to_string(),
        Ok(model) => model.evaluate("d", &variables).unwrap_err(),
    }
}

fn decision(text: &str) -> String {
    model(&format!(
        r##"<inputData id="i" name="rows"><variable name="rows"/></inputData><inputData id="n" name="n"><variable name="n"/></inputData>
<decision id="d" name="d"><variable name="d"/>
<informationRequirement id="r1"><requiredInput href="#i"/></informationRequirement>
<informationRequirement id="r2"><requiredInput href="#n"/></informationRequirement>
<literalExpression id="l"><text>{text}</text></literalExpression></decision>"##
    ))
}

#[test]
fn every_hit_policy_is_known() {
    let table = |policy: &str, outputs: &str| {
        model(&format!(
            r##"<inputData id="a" name="a"><variable name="a" typeRef="number"/></inputData>
<decision id="d" name="d"><variable name="d"/><informationRequirement id="r"><requiredInput href="#a"/></informationRequirement>
<decisionTable id="t" {policy}><input id="i"><inputExpression id="e"><text>a</text></inputExpression></input>
<output id="o"><outputValues><text>{outputs}</text></outputValues></output>
<rule id="r1"><inputEntry id="x1"><text>&gt; 1</text></inputEntry><outputEntry id="y1"><text>10</text></outputEntry></rule>
<rule id="r2"><inputEntry id="x2"><text>&gt; 2</text></inputEntry><outputEntry id="y2"><text>30</text></outputEntry></rule>
<rule id="r3"><inputEntry id="x3"><text>&gt; 2</text></inputEntry><outputEntry id="y3"><text>20</text></outputEntry></rule>
</decisionTable></decision>"##
        ))
    };
    for (policy, expected) in [
        (r#"hitPolicy="UNIQUE""#, json!(null)),
        (r#"hitPolicy="ANY""#, json!(null)),
        (r#"hitPolicy="PRIORITY""#, json!(30)),
        (r#"hitPolicy="FIRST""#, json!(10)),
        (r#"hitPolicy="RULE ORDER""#, json!([10, 30, 20])),
        (r#"hitPolicy="OUTPUT ORDER""#, json!([30, 20, 10])),
        (r#"hitPolicy="COLLECT""#, json!([10, 30, 20])),
        (r#"hitPolicy="COLLECT" aggregation="SUM""#, json!(60)),
        (r#"hitPolicy="COLLECT" aggregation="MIN""#, json!(10)),
        (r#"hitPolicy="COLLECT" aggregation="MAX""#, json!(30)),
        (r#"hitPolicy="COLLECT" aggregation="COUNT""#, json!(3)),
    ] {
        let decided = asked(&table(policy, "30, 20, 10"), "d", json!({ "a": 5 }));
        assert_eq!(decided.outputs, expected, "{policy}");
        let all = if policy.contains("FIRST") { vec![1] } else { vec![1, 2, 3] };
        assert_eq!(decided.rules, all, "{policy}");
    }
    let one = asked(&table(r#"hitPolicy="UNIQUE""#, "30, 20, 10"), "d", json!({ "a": 2 }));
    assert_eq!((one.outputs, one.rules), (json!(10), vec![1]));
}

#[test]
fn an_input_is_what_the_model_says_it_is_or_an_error() {
    let xml = model(
        r##"<itemDefinition id="t" name="tApplication"><itemComponent id="c1" name="filed on"><typeRef>date</typeRef></itemComponent>
<itemComponent id="c2" name="area"><typeRef>number</typeRef></itemComponent></itemDefinition>
<itemDefinition id="ts" name="tApplications" isCollection="true"><typeRef>tApplication</typeRef></itemDefinition>
<inputData id="i" name="applications"><variable name="applications" typeRef="tApplications"/></inputData>
<decision id="d" name="d"><variable name="d"/><informationRequirement id="r"><requiredInput href="#i"/></informationRequirement>
<literalExpression id="l"><text>applications[filed on &gt;= date("2026-03-01")].area</text></literalExpression></decision>"##,
    );
    let of = json!({ "applications": [{ "filed on": "2026-03-02", "area": 5 }, { "filed on": "2026-02-02", "area": 6 }] });
    assert_eq!(asked(&xml, "d", of).outputs, json!([5]));
    for (of, why) in [
        (json!({ "applications": [{ "filed on": "soon", "area": 5 }] }), "date"),
        (
            json!({ "applications": [{ "filed on": "2026-03-02", "area": "5" }] }),
            "number",
        ),
        (json!({ "applications": 5 }), "members"),
    ] {
        let reason = refused(&xml, of);
        assert!(reason.contains(why), "{reason}");
    }
}

#[test]
fn types_may_have_the_long_names_of_feel_in_structures_as_well() {
    let xml = model(
        r##"<itemDefinition name="visit"><itemComponent name="at"><typeRef>date and time</typeRef></itemComponent>
  <itemComponent name="took"><typeRef>days and time duration</typeRef></itemComponent></itemDefinition>
<inputData id="v" name="visit"><variable name="visit" typeRef="visit"/></inputData>
<decision id="d" name="d"><variable name="d"/>
  <informationRequirement id="r"><requiredInput href="#v"/></informationRequirement>
  <decisionTable id="t" hitPolicy="FIRST">
    <input id="i1"><inputExpression id="e1" typeRef="date and time"><text>visit.at</text></inputExpression></input>
    <input id="i2"><inputExpression id="e2" typeRef="days and time duration"><text>visit.took</text></inputExpression></input>
    <output id="o"/>
    <rule id="a"><inputEntry id="a1"><text>&gt; date and time("2026-03-02T09:00:00")</text></inputEntry>
      <inputEntry id="a2"><text>&lt; duration("PT2H")</text></inputEntry><outputEntry id="a3"><text>"short"</text></outputEntry></rule>
    <rule id="b"><inputEntry id="b1"><text>-</text></inputEntry><inputEntry id="b2"><text>-</text></inputEntry>
      <outputEntry id="b3"><text>"other"</text></outputEntry></rule>
  </decisionTable></decision>"##,
    );
    let visit = |took| json!({ "visit": { "at": "2026-03-02T10:00:00", "took": took } });
    assert_eq!(asked(&xml, "d", visit("PT1H")).outputs, json!("short"));
    assert_eq!(asked(&xml, "d", visit("PT3H")).outputs, json!("other"));
}

#[test]
fn a_table_that_declares_no_inputs_means_the_variables_that_it_names() {
    let xml = r#"<?xml version="1.0" encoding="UTF-8"?>
<dmn:definitions xmlns:dmn="http://www.omg.org/spec/DMN/20180521/MODEL/" xmlns:dmndi="http://www.omg.org/spec/DMN/20180521/DMNDI/"
  id="m" name="drawn elsewhere" namespace="http://camunda.org/schema/1.0/dmn">
<dmn:decision id="level" name="审批层级">
  <dmn:decisionTable id="t" hitPolicy="FIRST">
    <dmn:input id="i1" label="金额"><dmn:inputExpression id="e1" typeRef="integer"><dmn:text>amount</dmn:text></dmn:inputExpression></dmn:input>
    <dmn:input id="i2" label="类型"><dmn:inputExpression id="e2" typeRef="string"><dmn:text>类型</dmn:text></dmn:inputExpression></dmn:input>
    <dmn:output id="o1" name="level" typeRef="string"/><dmn:output id="o2" name="days" typeRef="integer"/>
    <dmn:rule id="r1"><dmn:inputEntry id="a1"><dmn:text>&gt; 100000</dmn:text></dmn:inputEntry><dmn:inputEntry id="a2"><dmn:text></dmn:text></dmn:inputEntry>
      <dmn:outputEntry id="a3"><dmn:text>"局长"</dmn:text></dmn:outputEntry><dmn:outputEntry id="a4"><dmn:text>5</dmn:text></dmn:outputEntry></dmn:rule>
    <dmn:rule id="r2"><dmn:inputEntry id="b1"><dmn:text></dmn:text></dmn:inputEntry><dmn:inputEntry id="b2"><dmn:text>"加急"</dmn:text></dmn:inputEntry>
      <dmn:outputEntry id="b3"><dmn:text>"科长"</dmn:text></dmn:outputEntry><dmn:outputEntry id="b4"><dmn:text></dmn:text></dmn:outputEntry></dmn:rule>
  </dmn:decisionTable>
</dmn:decision>
<dmndi:DMNDI><dmndi:DMNDiagram/></dmndi:DMNDI>
</dmn:definitions>"#;
    let decided = asked(xml, "level", json!({ "amount": 200_000, "类型": "普通" }));
    assert_eq!(
        (decided.outputs, decided.rules),
        (json!({ "level": "局长", "days": 5 }), vec![1])
    );
    let decided = asked(xml, "审批层级", json!({ "amount": 2, "类型": "加急", "other": 1 }));
    assert_eq!(
        (decided.outputs, decided.rules),
        (json!({ "level": "科长", "days": null }), vec![2])
    );
    assert_eq!(decided.inputs.len(), 2);
}

#[test]
fn knowledge_contexts_and_invocations_are_understood() {
    let xml = model(
        r##"<inputData id="area" name="area"><variable name="area" typeRef="number"/></inputData>
<businessKnowledgeModel id="fee" name="fee"><variable name="fee"/><encapsulatedLogic id="f"><formalParameter id="p" name="size" typeRef="number"/>
  <literalExpression id="fl"><text>if size &gt; 1000 then size * 2 else size</text></literalExpression></encapsulatedLogic></businessKnowledgeModel>
<decision id="d" name="d"><variable name="d"/>
<informationRequirement id="r"><requiredInput href="#area"/></informationRequirement>
<knowledgeRequirement id="k"><requiredKnowledge href="#fee"/></knowledgeRequirement>
<context id="c"><contextEntry id="c1"><variable name="base"/><invocation id="v"><literalExpression id="vl"><text>fee</text></literalExpression>
  <binding><parameter name="size"/><literalExpression id="vb"><text>area</text></literalExpression></binding></invocation></contextEntry>
<contextEntry id="c2"><literalExpression id="cl"><text>base + fee(1)</text></literalExpression></contextEntry></context></decision>"##,
    );
    assert_eq!(asked(&xml, "d", json!({ "area": 2000 })).outputs, json!(4001));
}

#[test]
fn what_could_take_too_long_is_not_begun() {
    let rows: Vec<Value> = (0..1_000).map(|row| json!({ "id": row })).collect();
    for text in [
        "count(for i in 1..1000000000 return i)",
        "count(for i in 1..n return i)",
        "count(for a in 1..1000, b in 1..1000, c in 1..1000 return a)",
        "some a in rows, b in rows, c in rows satisfies a.id = b.id + c.id",
        "{ f: function(g) g(g), r: f(f) }.r",
    ] {
        let reason = refused(&decision(text), json!({ "rows": rows, "n": 1_000_000 }));
        assert!(
            ["steps", "range", "calls"].iter().any(|word| reason.contains(word)),
            "{text}: {reason}"
        );
    }
    let of = json!({ "rows": rows, "n": 1_000_000 });
    assert_eq!(
        asked(&decision("count(rows[id &lt; 10])"), "d", of.clone()).outputs,
        json!(10)
    );
    assert_eq!(
        asked(&decision("sum(for row in rows[id &lt; 10] return row.id)"), "d", of).outputs,
        json!(45)
    );
}

#[test]
fn decisions_that_double_each_other_are_not_begun() {
    let doubling = |text: &str| {
        let mut body = r#"<decision id="d0" name="d0"><variable name="d0"/><literalExpression><text>"ha"</text></literalExpression></decision>"#.to_owned();
        for n in 1..40 {
            let (id, before) = (if n == 39 { "d".to_owned() } else { format!("d{n}") }, n - 1);
            let text = text.replace('x', &format!("d{before}"));
            let _ = write!(
                body,
                r##"<decision id="{id}" name="{id}"><variable name="{id}"/>
<informationRequirement id="r{n}"><requiredDecision href="#d{before}"/></informationRequirement>
<informationRequirement id="q{n}"><requiredDecision href="#d{before}"/></informationRequirement>
<literalExpression><text>{text}</text></literalExpression></decision>"##
            );
        }
        model(&body)
    };
    for text in ["x + x", "[x, x]", "1"] {
        let reason = refused(&doubling(text), json!({}));
        assert!(reason.contains("steps"), "{text}: {reason}");
    }
}

#[test]
fn tables_of_other_engines_are_refused_with_advice() {
    for (text, advice) in [
        ("amount &gt; 5 &amp;&amp; kind == 'new'", "amount > 5 and kind ="),
        ("${amount &gt; 5}", "amount > 5"),
    ] {
        let rejected = read(decision(text).as_bytes(), ReadOptions::default()).unwrap_err();
        assert_eq!(rejected.findings[0].rule, "expression");
        assert!(rejected.findings[0].message.contains(advice), "{rejected}");
        assert!(rejected.findings[0].place.line > 1);
    }
}

#[test]
fn test_cases_hold_contexts_lists_dates_nothing_and_errors() {
    let model = model(
        r##"<inputData id="i" name="order"><variable name="order"/></inputData>
<decision id="d" name="d"><variable name="d"/><informationRequirement id="r"><requiredInput href="#i"/></informationRequirement>
<context id="c"><contextEntry id="a"><variable name="due"/><literalExpression id="al"><text>order.filed + duration("P5D")</text></literalExpression></contextEntry>
<contextEntry id="b"><variable name="total"/><literalExpression id="bl"><text>sum(order.lines)/3</text></literalExpression></contextEntry>
<contextEntry id="e"><variable name="none"/><literalExpression id="el"><text>order.nothing</text></literalExpression></contextEntry></context></decision>
<decision id="bad" name="bad"><variable name="bad"/><literalExpression id="l"><text>1 + "a"</text></literalExpression></decision>"##,
    );
    let tests = r#"<tc:testCases xmlns:tc="http://www.omg.org/spec/DMN/20160719/testcase" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xmlns:xsd="http://www.w3.org/2001/XMLSchema"><tc:modelName>m.dmn</tc:modelName><tc:labels><tc:label>x</tc:label></tc:labels>
<tc:testCase id="001">
  <tc:inputNode name="order">
    <tc:component name="filed"><tc:value xsi:type="xsd:date">2026-03-01</tc:value></tc:component>
    <tc:component name="lines"><tc:list><tc:item><tc:value xsi:type="xsd:decimal">1</tc:value></tc:item><tc:item><tc:value xsi:type="xsd:double">9</tc:value></tc:item></tc:list></tc:component>
  </tc:inputNode>
  <tc:resultNode name="d" type="decision"><tc:expected>
    <tc:component name="due"><tc:value xsi:type="xsd:date">2026-03-06</tc:value></tc:component>
    <tc:component name="total"><tc:value xsi:type="xsd:decimal">3.33333333</tc:value></tc:component>
    <tc:component name="none"><tc:value xsi:nil="true"/></tc:component>
  </tc:expected></tc:resultNode>
  <tc:resultNode name="bad" type="decision" errorResult="true"><tc:expected><tc:value xsi:nil="true"/></tc:expected></tc:resultNode>
</tc:testCase></tc:testCases>"#;
    let outcomes = super::tck::run(model.as_bytes(), tests).unwrap();
    let failures: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.failure.as_deref()).collect();
    assert!(failures.is_empty(), "{failures:?}");
    assert_eq!(outcomes.len(), 2);
    let unreadable = super::tck::run(b"<x/>", tests).unwrap();
    assert!(unreadable[0].failure.is_some());
    assert!(super::tck::run(model.as_bytes(), "<").is_err());
}
