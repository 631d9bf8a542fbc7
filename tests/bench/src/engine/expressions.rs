//! Conditions in FEEL and decision tables, compiled and asked again and again.

use std::{collections::BTreeMap, fmt::Write as _, time::Instant};

use process_engine::{dmn, expression::Expression};
use serde_json::{Value, json};

use crate::measure::{heading, line, median};

/// How often everything is measured in turn.
const ROUNDS: usize = 5;
/// Evaluations in each measurement.
const TIMES: u32 = 100_000;

/// Microseconds of an evaluation.
fn each(mut evaluate: impl FnMut()) -> f64 {
    let begin = Instant::now();
    (0..TIMES).for_each(|_| evaluate());
    begin.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES)
}

/// Five rules, two inputs, two outputs, as a bureau would choose who reviews.
fn table() -> String {
    let mut rules = String::new();
    for (at, (area, kind, level)) in [
        ("&lt; 500", "-", 1),
        ("[500..1000)", "\"住宅\"", 2),
        ("[500..1000)", "not(\"住宅\")", 3),
        ("[1000..5000)", "-", 4),
        ("&gt;= 5000", "\"住宅\",\"商业\"", 5),
    ]
    .into_iter()
    .enumerate()
    {
        let _ = write!(
            rules,
            r#"<rule id="r{at}"><inputEntry id="a{at}"><text>{area}</text></inputEntry>
            <inputEntry id="k{at}"><text>{kind}</text></inputEntry>
            <outputEntry id="l{at}"><text>{level}</text></outputEntry>
            <outputEntry id="s{at}"><text>"section{at}"</text></outputEntry></rule>"#
        );
    }
    format!(
        r##"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="m" name="m" namespace="urn:zhulu:bench">
        <inputData id="floor_area" name="floor_area"><variable name="floor_area" typeRef="number"/></inputData>
        <inputData id="kind" name="kind"><variable name="kind" typeRef="string"/></inputData>
        <decision id="review" name="review"><variable name="review"/>
          <informationRequirement id="n1"><requiredInput href="#floor_area"/></informationRequirement>
          <informationRequirement id="n2"><requiredInput href="#kind"/></informationRequirement>
          <decisionTable id="t" hitPolicy="UNIQUE">
            <input id="i1"><inputExpression id="e1" typeRef="number"><text>floor_area</text></inputExpression></input>
            <input id="i2"><inputExpression id="e2" typeRef="string"><text>kind</text></inputExpression></input>
            <output id="o1" name="level" typeRef="number"/><output id="o2" name="section" typeRef="string"/>
            {rules}
          </decisionTable>
        </decision></definitions>"##
    )
}

/// Measures and prints.
pub fn run() {
    heading("Conditions and decision tables, compiled");
    let variables: BTreeMap<String, Value> = [
        ("floor_area".to_owned(), json!(2_500)),
        ("kind".to_owned(), json!("住宅")),
        ("decided".to_owned(), json!("approved")),
    ]
    .into();
    for feel in [
        "floor_area > 1000",
        r#"floor_area > 1000 and kind = "住宅""#,
        r#"decided = "approved" and (kind in ("住宅", "商业") or floor_area * 2 > 10000)"#,
    ] {
        let expression = Expression::compile(feel).expect("FEEL");
        let times = (0..ROUNDS).map(|_| each(|| assert!(expression.holds(&variables).expect("a condition"))));
        line(feel, &format!("{:.2} µs", median(times.collect())), "(goal 2 µs)");
    }
    let model = dmn::read(table().as_bytes(), dmn::ReadOptions::default()).expect("a table");
    let ask = || assert_eq!(model.evaluate("review", &variables).expect("an answer").rules, [4]);
    let times = (0..ROUNDS).map(|_| each(ask)).collect();
    line(
        "a table of 5 rules, 2 inputs, 2 outputs, with the rules that hit",
        &format!("{:.2} µs", median(times)),
        "",
    );
}
