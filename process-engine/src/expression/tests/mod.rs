//! What expressions give, and what is refused.

#![allow(clippy::unwrap_used)]

mod hostile;
mod language;
mod translation;

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Expression, translate};

fn variables(value: Value) -> BTreeMap<String, Value> {
    serde_json::from_value(value).unwrap()
}

fn value(feel: &str, of: Value) -> Value {
    Expression::compile(feel).unwrap().evaluate(&variables(of)).unwrap()
}

#[test]
fn conditions_over_variables_hold_or_do_not() {
    let of =
        || json!({ "amount": 100_001, "kind": "新建", "form": { "area": 500.5 }, "sections": ["消防", "人防"], "建筑面积": 800 });
    for (feel, expected) in [
        ("amount > 100000", true),
        ("kind = \"新建\" and form.area >= 500.5", true),
        ("建筑面积 > 500", true),
        ("list contains(sections, \"消防\")", true),
        ("count(sections) = 2 and not(amount < 5)", true),
        ("amount in [1..10]", false),
        ("contains(kind, \"改\")", false),
        ("some s in sections satisfies s = \"人防\"", true),
    ] {
        assert_eq!(
            Expression::compile(feel).unwrap().holds(&variables(of())).unwrap(),
            expected,
            "{feel}"
        );
    }
}

#[test]
fn values_come_out_as_they_went_in() {
    assert_eq!(
        value("a", json!({ "a": { "b": [1, 2.5, null, true, "x"] } })),
        json!({ "b": [1, 2.5, null, true, "x"] })
    );
    assert_eq!(value("0.1 + 0.2", json!({})), json!(0.3), "numbers are decimals");
    assert_eq!(
        value("{ sum: a + 1, next: sum * 2 }", json!({ "a": 1 })),
        json!({ "sum": 2, "next": 4 })
    );
    assert_eq!(
        value("date(\"2026-03-01\") + duration(\"P1D\")", json!({})),
        json!("2026-03-02")
    );
}

#[test]
fn a_condition_that_is_null_is_an_error_and_never_false() {
    let missing = Expression::compile("amount > 5").unwrap();
    let error = missing.holds(&variables(json!({}))).unwrap_err();
    assert!(error.to_string().contains("null"), "{error}");
    let text = Expression::compile("\"yes\"").unwrap();
    assert!(text.holds(&variables(json!({}))).is_err());
}

#[test]
fn the_clock_is_the_moment_that_the_variables_hold() {
    let of = json!({ "now": "2026-03-01T10:00:00+08:00", "today": "2026-03-01" });
    assert_eq!(value("today() = date(\"2026-03-01\")", of.clone()), json!(true));
    assert_eq!(value("now() > date and time(\"2026-03-01T09:00:00+08:00\")", of), json!(true));
}

proptest! {
    #[test]
    fn arbitrary_texts_never_panic(text in "\\PC{0,80}") {
        let _ = Expression::compile(&text);
        let _ = translate::feel_of(&text);
        let _ = translate::feel_of(&format!("${{{text}}}"));
    }

    #[test]
    fn arbitrary_feel_like_texts_never_panic(parts in prop::collection::vec(
        prop_oneof![Just("a"), Just("("), Just(")"), Just("["), Just("]"), Just("1"), Just(".."), Just(" and "), Just("-"),
            Just("if "), Just(" then "), Just(" else "), Just("\"x\""), Just("{"), Just("}"), Just(":"), Just(","), Just("."), Just("date(")],
        0..30)) {
        let text = parts.concat();
        if let Ok(expression) = Expression::compile(&text) {
            let _ = expression.evaluate(&BTreeMap::new());
        }
    }
}
