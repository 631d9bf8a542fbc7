//! The language: what FEEL can say, through our own API.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{super::Expression, value, variables};

#[test]
fn loops_within_the_budget_are_allowed() {
    let of = || json!({ "rows": [{ "area": 10 }, { "area": 30 }], "n": 3 });
    for (feel, expected) in [
        ("for i in 1..3 return i * i", json!([1, 4, 9])),
        ("for i in 1..n return i", json!([1, 2, 3])),
        ("sum(for row in rows return row.area)", json!(40)),
        ("for i in 1..count(rows) return rows[i].area", json!([10, 30])),
        (
            "for i in 1..5 return if i = 1 then 1 else partial[-1] * i",
            json!([1, 2, 6, 24, 120]),
        ),
        ("for a in [1, 2], b in [3, 4] return a * b", json!([3, 4, 6, 8])),
        ("every row in rows satisfies row.area > 5", json!(true)),
        ("some row in rows satisfies row.area = 30", json!(true)),
        ("count(for i in 1..1000 return i)", json!(1000)),
        ("rows[area > 20]", json!([{ "area": 30 }])),
        ("rows[item.area > 20][1].area", json!(30)),
        ("sort(rows, function(x, y) x.area > y.area).area", json!([30, 10])),
    ] {
        assert_eq!(value(feel, of()), expected, "{feel}");
    }
}

#[test]
fn the_built_in_functions_are_there() {
    for (feel, expected) in [
        ("string length(\"竹笋\")", json!(2)),
        ("upper case(\"ab\") + \"c\"", json!("ABc")),
        ("substring(\"foobar\", 3, 2)", json!("ob")),
        ("contains(\"foobar\", \"oba\")", json!(true)),
        ("split(\"a;b\", \";\")", json!(["a", "b"])),
        ("string join([\"a\", \"b\"], \"-\")", json!("a-b")),
        ("replace(\"2026-01\", \"(\\\\d+)-(\\\\d+)\", \"$2/$1\")", json!("01/2026")),
        ("matches(\"浙A12345\", \"浙[A-L].*\")", json!(true)),
        ("round half up(2.5, 0)", json!(3)),
        ("decimal(1 / 3, 2)", json!(0.33)),
        ("modulo(10, 4)", json!(2)),
        ("2 ** 10", json!(1024)),
        ("list contains([1, 2], 2)", json!(true)),
        ("distinct values([1, 2, 1])", json!([1, 2])),
        ("concatenate([1], [2, 3])", json!([1, 2, 3])),
        ("median([1, 5, 3])", json!(3)),
        ("get value({ a: 1 }, \"a\")", json!(1)),
        ("context put({ a: 1 }, \"b\", 2)", json!({ "a": 1, "b": 2 })),
        ("date(\"2026-02-28\") + duration(\"P1D\") = date(2026, 3, 1)", json!(true)),
        ("(date(\"2026-03-05\") - date(\"2026-03-01\")) / duration(\"P1D\")", json!(4)),
        (
            "years and months duration(date(\"2024-01-01\"), date(\"2026-03-01\"))",
            json!("P2Y2M"),
        ),
        ("day of week(date(\"2026-03-02\"))", json!("Monday")),
        ("@\"2026-03-02\".month", json!(3)),
        (
            "date and time(\"2026-03-02T10:00:00+08:00\")",
            json!("2026-03-02T10:00:00+08:00"),
        ),
        ("before(1, [2..3])", json!(true)),
        ("5 in (> 3, < 1)", json!(true)),
        ("5 between 1 and 10", json!(true)),
        ("1 instance of number", json!(true)),
        ("string(1.50)", json!("1.50")),
        ("substring(string: \"abc\", start position: 2)", json!("bc")),
        ("null and false", json!(false)),
        ("null or true", json!(true)),
        ("null and true", json!(null)),
        ("if null then 1 else 2", json!(2)),
        ("1 // one\n + 1 /* two */", json!(2)),
    ] {
        assert_eq!(value(feel, json!({})), expected, "{feel}");
    }
}

#[test]
fn names_may_be_chinese_hold_blanks_or_be_called_like_functions() {
    let of = json!({ "建筑面积": 800, "建筑 面积": 5, "floor area": 7, "count": 4, "date": "2026-01-01", "第2层": 2 });
    for (feel, expected) in [
        ("建筑面积 + 1", json!(801)),
        ("建筑 面积 * 2", json!(10)),
        ("floor area > 5 and floor area < 9", json!(true)),
        ("count > 3", json!(true)),
        ("date = \"2026-01-01\"", json!(true)),
        ("第2层 + 1", json!(3)),
    ] {
        assert_eq!(value(feel, of.clone()), expected, "{feel}");
    }
}

#[test]
fn only_the_variables_that_an_expression_names_are_asked_for() {
    let expression = Expression::compile("if form.kind = \"a\" then sum(xs[item > n]) else other").unwrap();
    let names: Vec<&str> = expression.names().collect();
    for name in ["form", "xs", "n", "other"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert!(!names.contains(&"kind") && !names.contains(&"sum"), "{names:?}");
    let clock = Expression::compile("now() > deadline").unwrap();
    assert!(clock.names().any(|name| name == "now"));
}

#[test]
fn numbers_are_exact() {
    assert_eq!(value("a", json!({ "a": i64::MAX })), json!(i64::MAX));
    assert_eq!(
        value("a + 1", json!({ "a": 9_007_199_254_740_993_i64 })),
        json!(9_007_199_254_740_994_i64)
    );
    assert_eq!(value("a * 3", json!({ "a": 0.1 })), json!(0.3));
    assert_eq!(value("10 / 2", json!({})), json!(5), "a whole number leaves as one");
    assert_eq!(value("2.50 * 2", json!({})), json!(5));
}

#[test]
fn an_expression_is_shared_among_threads() {
    fn shared<T: Send + Sync + Clone>() {}
    shared::<Expression>();
    let expression = Expression::compile("a * 2").unwrap();
    std::thread::scope(|scope| {
        for a in 0..4 {
            let expression = expression.clone();
            scope.spawn(move || {
                let of: BTreeMap<String, Value> = variables(json!({ "a": a }));
                assert_eq!(expression.evaluate(&of).unwrap(), json!(a * 2));
            });
        }
    });
}
