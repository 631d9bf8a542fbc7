//! Expressions, in FEEL and in the words of other engines.

use std::collections::BTreeMap;

use process_engine::expression::translate;
use serde_json::json;

use crate::{around, offended, on_a_small_stack, said_of};

#[test]
fn brackets_of_every_kind_stop_at_the_limit_of_nesting() {
    let of = BTreeMap::new();
    for (open, inside, close) in [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("{ a: ", "1", " }"),
        ("if true then ", "1", " else 2"),
        ("for i in [1] return ", "1", ""),
        ("some i in [1] satisfies ", "true", ""),
        ("abs(", "1", ")"),
        ("not(", "true", ")"),
        ("-(", "1", ")"),
        ("(1 in (", "1", "))"),
    ] {
        for levels in [33, 100, 60_000] {
            let said = said_of(&format!("{}{inside}{}", open.repeat(levels), close.repeat(levels)), &of);
            assert!(said.contains("deeper than") || said.contains("longer than"), "{open}: {said}");
        }
        // As deep as it may be, it is an expression like any other.
        let levels = 15;
        let said = said_of(&format!("{}{inside}{}", open.repeat(levels), close.repeat(levels)), &of);
        assert!(!said.contains("could not be evaluated"), "{open}: {said}");
    }
}

#[test]
fn rows_of_operators_stop_at_the_limit_of_a_row() {
    let of = BTreeMap::new();
    for part in [
        "+1",
        "-1",
        "*1",
        "**1",
        "<1",
        " and true",
        " or true",
        ".a",
        "[1]",
        " in [1]",
        " instance of number",
        "(1)",
    ] {
        let said = said_of(&format!("a{}", part.repeat(10_000)), &of);
        assert!(said.contains("in a row") || said.contains("longer than"), "{part}: {said}");
        let said = said_of(&format!("a{}", part.repeat(2_000 / part.len())), &of);
        assert!(!said.is_empty(), "{part}");
    }
}

#[test]
fn patterns_that_try_everything_end() {
    let of = BTreeMap::from([("text".to_owned(), json!(format!("{}!", "a".repeat(20_000))))]);
    for pattern in [
        "(a+)+$",
        "(a|aa)+$",
        "(a*)*b",
        "(.*)(.*)(.*)(.*)(.*)x",
        "(?:a{100}){100}",
        "(x+x+)+y",
        "^(([a-z])+.)+[A-Z]([a-z])+$",
    ] {
        for feel in [
            format!("matches(text, \"{pattern}\")"),
            format!("replace(text, \"{pattern}\", \"x\")"),
            format!("count(split(text, \"{pattern}\"))"),
        ] {
            // It is refused or it gives something; the engine of patterns never goes back.
            assert!(!said_of(&feel, &of).is_empty());
        }
    }
}

#[test]
fn expressions_of_other_engines_stop_at_the_limits_of_ours() {
    for (source, why) in [
        (format!("${{{}a{}}}", "(".repeat(40), ")".repeat(40)), "nested deeper"),
        (format!("${{{}a{}}}", "(".repeat(900), ")".repeat(900)), "nested deeper"),
        (format!("${{{}a}}", "!".repeat(1_500)), "nested deeper"),
        (format!("${{{}a}}", "-".repeat(1_500)), "nested deeper"),
        (format!("${{{}a}}", "not ".repeat(500)), "nested deeper"),
        (format!("${{{}1}}", "a ? 1 : ".repeat(250)), "nested deeper"),
        (format!("${{{}1{}}}", "a ? ".repeat(200), " : 1".repeat(200)), "nested deeper"),
        (format!("${{{}}}", "a[".repeat(900)), "nested deeper"),
        (format!("${{{}}}", "f.get(".repeat(300)), "nested deeper"),
        (format!("${{a{}}}", ".contains(b)".repeat(160)), "in FEEL"),
        (format!("${{{}b{}}}", "a.contains(".repeat(14), ")".repeat(14)), "in FEEL"),
        (format!("${{a{}}}", " + a".repeat(1_000)), "longer"),
        (format!("${{{}", "a".repeat(100)), "does not end"),
    ] {
        let said = on_a_small_stack(|| translate::feel_of(&source).map_err(|error| error.to_string()));
        let said = said.unwrap_err();
        assert!(said.contains(why), "{}…: {said}", &source[..30]);
    }
    let many = on_a_small_stack(|| translate::text(&"${a}".repeat(200_000)));
    assert!(many.unwrap_err().to_string().contains("longer"));
}

#[test]
fn a_model_whose_expressions_go_too_far_is_refused_where_they_stand() {
    for (condition, rule) in [
        (
            format!("${{{}a{}}}", "(".repeat(500), ")".repeat(500)),
            "expression-not-translated",
        ),
        (format!("={}1{}", "[".repeat(500), "]".repeat(500)), "expression-invalid"),
        (format!("={}", "1+".repeat(100_000)), "expression-invalid"),
        ("${".repeat(100_000), "expression-not-translated"),
        ("${a}".repeat(200_000), "expression-not-translated"),
        ("=function(x) x".to_owned(), "expression-invalid"),
    ] {
        let task = format!("<userTask id=\"a\" flowable:assignee=\"{condition}\"/>");
        assert_eq!(offended(around(&task).as_bytes()), [rule], "{}", &condition[..14]);
    }
}
