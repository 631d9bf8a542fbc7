//! What Flowable's expressions become in FEEL, and which of them cannot become anything.

use serde_json::{Value, json};

use super::{
    super::{
        Expression,
        translate::{TextOrFeel, feel_of, juel_to_feel, text},
    },
    variables,
};

#[test]
fn flowable_s_expressions_say_the_same_in_feel() {
    for (source, feel) in [
        ("${amount > 1000 && kind == 'new'}", "amount > 1000 and kind = \"new\""),
        (
            "${!approved || empty reason}",
            "not(approved) or list contains([null, \"\", []], reason)",
        ),
        (
            "${nrOfCompletedInstances/nrOfInstances >= 0.6}",
            "nrOfCompletedInstances / nrOfInstances >= 0.6",
        ),
        ("${execution.getVariable('days') le 3}", "days <= 3"),
        ("${a ? 'x' : 'y'}", "if a then \"x\" else \"y\""),
        ("${list[0].name}", "list[1].name"),
        (
            "${test.contains(\"a\")}",
            "if (test instance of string) then contains(test, \"a\") else list contains(test, \"a\")",
        ),
        (
            "${kind.equals('new') || !vars:exists(x)}",
            "(kind = \"new\") or not((x != null))",
        ),
        ("${(a || b) && (c)}", "(a or b) and (c)"),
        ("${a[i].b}", "a[(i) + 1].b"),
        ("${variables:get(days) / 2}", "days / 2"),
        ("${a == '}' && b eq null}", "a = \"}\" and b = null"),
        ("#{a}-${b}", "string(a) + \"-\" + string(b)"),
        ("${users.size() > 2}", "count(users) > 2"),
        (
            "${vars:getOrDefault(level, 3) gt 2}",
            "(if level = null then 3 else level) > 2",
        ),
        ("approve-${id}", "\"approve-\" + string(id)"),
        ("= amount > 5", "amount > 5"),
        ("amount > 5", "amount > 5"),
    ] {
        assert_eq!(feel_of(source).as_deref(), Ok(feel), "{source}");
    }
}

#[test]
fn what_has_no_equal_in_feel_is_refused_with_its_place() {
    for source in [
        "${bean.doSomething(execution)}",
        "${a ===  b}",
        "${myFunction(1)}",
        "${'open}",
        "${a ? b}",
        "${task.assignee}",
        "${execution.processInstanceId}",
        "${a +}",
        "${",
    ] {
        let error = feel_of(source).unwrap_err();
        assert!(!error.reason.is_empty(), "{source}");
    }
}

#[test]
fn a_translation_gives_what_the_original_meant() {
    let of = json!({
        "test": "abc", "list": ["a", "b"], "level": null, "users": ["u1", "u2", "u3"], "nrOfInstances": 5,
        "nrOfCompletedInstances": 3, "order": { "lines": [{ "amount": 5 }] }, "name": "", "n": 7,
    });
    for (source, expected) in [
        ("test.contains('b')", json!(true)),
        ("list.contains('b')", json!(true)),
        ("!list.contains('x') && test.startsWith('a')", json!(true)),
        ("vars:getOrDefault(level, 3) gt 2", json!(true)),
        ("nrOfCompletedInstances/nrOfInstances >= 0.6", json!(true)),
        ("nrOfInstances - nrOfCompletedInstances == 2", json!(true)),
        ("order.lines[0].amount * 2", json!(10)),
        ("empty name and not empty users", json!(true)),
        ("empty nothing && !users.isEmpty() && name.isEmpty()", json!(true)),
        ("users.size() == 3 ? users[2] : users[0]", json!("u3")),
        ("n mod 4 ne 3 || n div 7 == 1", json!(true)),
        ("execution.getVariable('n') <= 7", json!(true)),
        ("var:containsAny(list, 'x', 'a')", json!(true)),
    ] {
        let feel = juel_to_feel(source).unwrap();
        let given: Value = Expression::compile(&feel).unwrap().evaluate(&variables(of.clone())).unwrap();
        assert_eq!(given, expected, "{source} became {feel}");
    }
}

#[test]
fn a_text_is_plain_or_an_expression() {
    assert_eq!(text("abc"), Ok(TextOrFeel::Plain("abc".to_owned())));
    assert_eq!(text("{a}$"), Ok(TextOrFeel::Plain("{a}$".to_owned())));
    assert_eq!(text("${x}"), Ok(TextOrFeel::Feel("x".to_owned())));
    assert_eq!(text("=x + 1"), Ok(TextOrFeel::Feel("x + 1".to_owned())));
    assert_eq!(
        text("案件-${id}-\"${n}\""),
        Ok(TextOrFeel::Feel(
            "\"案件-\" + string(id) + \"-\\\"\" + string(n) + \"\\\"\"".to_owned()
        ))
    );
    assert!(text("a ${b").is_err());
}

#[test]
fn a_source_that_is_too_long_or_too_deep_is_refused() {
    for source in [
        "a".repeat(3_000),
        "(".repeat(500),
        "!".repeat(500),
        format!("a{}", "[0".repeat(100)),
    ] {
        assert!(juel_to_feel(&source).is_err());
    }
}
