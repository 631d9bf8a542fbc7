//! Expressions that somebody wrote to stop the house: each is refused, or ends within the budget.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{super::Expression, variables};

/// Why an expression was not accepted or gave nothing; none, if it gave something.
fn refused(feel: &str, of: &Value) -> Option<String> {
    match Expression::compile(feel) {
        Err(error) => Some(error.reason),
        Ok(expression) => expression.evaluate(&variables(of.clone())).err().map(|error| error.reason),
    }
}

#[test]
fn what_is_too_long_or_too_deep_is_refused_before_it_is_parsed() {
    for (feel, why) in [
        (format!("{}{}", "[".repeat(5_000), "]".repeat(5_000)), "longer"),
        (format!("{}a", "a + ".repeat(1_000)), "longer"),
        ("x".repeat(2_000_000), "longer"),
        (format!("\"{}\"", "字".repeat(1_000_000)), "longer"),
        (format!("{}1{}", "[".repeat(33), "]".repeat(33)), "deeper"),
        (format!("{}1", "if a then 1 else ".repeat(40)), "deeper"),
        (format!("{}1", "-".repeat(1_500)), "in a row"),
        (format!("a{}", "[1]".repeat(400)), "in a row"),
        (format!("a{}", "+1".repeat(900)), "in a row"),
        (String::new(), "empty"),
        ("\"open".to_owned(), "does not end"),
        ("a /* open".to_owned(), "does not end"),
        ("a \u{7} b".to_owned(), "control"),
    ] {
        let reason = refused(&feel, &json!({})).unwrap_or_default();
        assert!(reason.contains(why), "{}: {reason}", &feel[..feel.len().min(40)]);
    }
}

#[test]
fn functions_of_ones_own_and_functions_outside_are_refused() {
    for feel in [
        "function(a) a + 1",
        "(function(f) f(f))(function(f) f(f))",
        "{ f: function(n) f(n), r: f(1) }.r",
        "function(a) external { java: { class: \"java.lang.Math\", method signature: \"exit(int)\" } }",
        "[now][1]()",
        "bean.run()",
        "run(1)",
        "sort([1], function(a, b) f(a))",
        "count(function(a) a)",
    ] {
        assert!(refused(feel, &json!({})).is_some(), "{feel}");
    }
}

#[test]
fn loops_without_bounds_are_not_begun() {
    let rows: Vec<Value> = (0..3_000).map(|row| json!({ "id": row, "amount": row * 3 })).collect();
    let of = json!({ "n": 1_000_000_000, "rows": rows, "text": "a".repeat(100_000), "deep": [[[[1], [2]], [[3]]]] });
    for feel in [
        "count(for i in 1..1000000000 return i)",
        "count(for i in 1..2000 return i)",
        "count(for i in 1..n return i)",
        "count(for i in -n..n return i)",
        "some i in [1..1000000] satisfies i = 0",
        "every i in [1..n] satisfies i > 0",
        "count(for a in 1..1000, b in 1..1000, c in 1..1000 return a)",
        "count(for a in 1..1000 return for b in 1..1000 return for c in 1..1000 return c)",
        "some a in rows, b in rows, c in rows satisfies a.id = b.id + c.id",
        "count(rows[count(rows[count(rows[id > 1]) > 1]) > 1])",
        "for i in 1..100 return partial",
        "for i in 1..100 return [partial, partial]",
        "sort(rows, function(x, y) count(rows[id > x.id]) > count(rows[id < y.id]))",
        "count(for d in date(\"0001-01-01\")..date(\"9999-01-01\") return d)",
        "count(for d in range(\"[1..100000000]\") return d)",
        "{ r: [1..100000000], c: count(for i in r return i) }.c",
        "replace(text, \"a\", text)",
        "string join(for i in 1..1000 return text, text)",
        "matches(text, replace(text, \"a\", \"(a+)+\"))",
    ] {
        let reason = refused(feel, &of).unwrap_or_default();
        assert!(
            ["steps", "grows", "range"].iter().any(|word| reason.contains(word)),
            "{feel}: {reason}"
        );
    }
}

#[test]
fn what_doubles_and_doubles_is_not_begun() {
    let chain = |entry: fn(usize) -> String| (1..60).map(entry).collect::<String>();
    let entries = chain(|n| format!(", a{n}: a{0} + a{0}", n - 1));
    let lists = chain(|n| format!(", a{n}: [a{0}, a{0}]", n - 1));
    for feel in [
        format!("{{ a0: \"ha\"{entries} }}"),
        format!("string length({{ a0: \"ha\"{entries} }}.a59)"),
        format!("{{ a0: 1{lists} }}"),
    ] {
        let reason = refused(&feel, &json!({})).unwrap_or_default();
        assert!(reason.contains("steps"), "{feel}: {reason}");
    }
}

#[test]
fn huge_powers_texts_and_patterns_end() {
    let of = json!({ "evil": format!("{}!", "a".repeat(5_000)), "big": 1e300, "n": 9_999_999 });
    for feel in [
        "10 ** 9999999",
        "10 ** n ** n",
        "big * big * big",
        "string(10 ** 6144)",
        "exp(n)",
        "round up(1 / 3, 9999999)",
        "decimal(1 / 3, n)",
        "substring(evil, n, n)",
        "matches(evil, \"(a+)+$\")",
        "replace(evil, \"(a|aa)+$\", \"x\")",
        "matches(evil, \"(?:a{1000}){1000}\")",
        "split(evil, \"\")",
        "date(n, n, n)",
        "duration(\"P99999999999999999999D\")",
        "date(\"2026-01-01\") + duration(\"P999999999Y\")",
        "time(n, n, n)",
        "time(1, 1, 1.9999999999)",
        "1 / 0",
        "modulo(1, 0)",
        "mode([])",
        "sublist([1], n, n)",
        "insert before([1], -n, 1)",
        "[1][n]",
        "[1][-n]",
        "[1][1e300]",
    ] {
        if let Ok(expression) = Expression::compile(feel) {
            let _ = expression.evaluate(&variables(of.clone()));
        }
    }
}

#[test]
fn more_values_or_text_than_an_evaluation_takes_in_is_an_error() {
    let many = json!({ "a": vec![1; 200_000] });
    assert!(refused("count(a)", &many).unwrap_or_default().contains("values"));
    let long = json!({ "a": "x".repeat(2_000_000) });
    assert!(refused("string length(a)", &long).unwrap_or_default().contains("text"));
    let unseen: BTreeMap<String, Value> = variables(long);
    assert!(
        Expression::compile("1 + 1").unwrap().evaluate(&unseen).is_ok(),
        "what an expression does not name is not looked at"
    );
}

#[test]
fn the_clock_cannot_be_read_in_any_spelling() {
    let of = json!({ "now": "2000-01-01T00:00:00Z", "today": "2000-01-01" });
    for feel in [
        "now()",
        "now ( )",
        "{ a: now() }.a",
        "(now)()",
        "[now()][1]",
        "for i in [1] return now()",
        "if true then now() else null",
    ] {
        if let Ok(expression) = Expression::compile(feel) {
            let value = expression
                .evaluate(&variables(of.clone()))
                .map_or(Value::Null, |value| match value {
                    Value::Array(items) => items.into_iter().next().unwrap_or(Value::Null),
                    other => other,
                });
            assert!(
                value.is_null() || value.as_str().is_some_and(|at| at.starts_with("2000-01-01")),
                "{feel}: {value}"
            );
        }
    }
}
