//! Compensation and transactions.

use serde_json::json;

use super::{
    began, done, done_with, end, error, event, flows, inside, is_over, message, open, process, script, start, started,
    started_in, started_with, task, world,
};
use crate::instance::{Bindings, Event};

const COMPENSATE: &str = "<compensateEventDefinition/>";

fn of(activity: &str) -> String {
    format!(r#"<compensateEventDefinition activityRef="{activity}"/>"#)
}

/// An activity with its handler `u<id>`: work for Li as well.
fn with_handler(activity: &str, id: &str) -> String {
    let handler = format!(r#"<userTask id="u{id}" flowable:assignee="li" isForCompensation="true"/>"#);
    format!(
        r#"{activity}<boundaryEvent id="k{id}" attachedToRef="{id}">{COMPENSATE}</boundaryEvent>{handler}<association id="as{id}" associationDirection="One" sourceRef="k{id}" targetRef="u{id}"/>"#
    )
}

fn compensable(id: &str) -> String {
    with_handler(&task(id), id)
}

fn line(thrower: &str, what: &str) -> Vec<String> {
    vec![
        start("s"),
        compensable("a"),
        compensable("b"),
        task("c"),
        event("intermediateThrowEvent", thrower, what),
        task("after"),
        end("e"),
        flows(&[&format!("s > a > b > c > {thrower} > after > e")]),
    ]
}

#[test]
fn what_was_done_is_compensated_the_last_first_and_whoever_threw_waits() {
    let mut player = started(&line("th", COMPENSATE));
    for element in ["a", "b", "c"] {
        done(&mut player, element);
    }
    assert_eq!(open(&player), ["ub"], "{}", player.story());
    done(&mut player, "ub");
    assert_eq!(open(&player), ["ua"], "{}", player.story());
    done(&mut player, "ua");
    assert_eq!(open(&player), ["after"], "{}", player.story());
    assert!(player.state().compensable.is_empty());
    done(&mut player, "after");
    assert!(is_over(&player));
}

#[test]
fn one_activity_may_be_meant() {
    let mut player = started(&line("th", &of("a")));
    for element in ["a", "b", "c"] {
        done(&mut player, element);
    }
    assert_eq!(open(&player), ["ua"], "{}", player.story());
    done(&mut player, "ua");
    assert_eq!(open(&player), ["after"]);
    assert_eq!(player.state().compensable.len(), 1);
}

#[test]
fn whoever_does_not_wait_goes_on_at_once() {
    let what = r#"<compensateEventDefinition waitForCompletion="false"/>"#;
    let mut player = started(&line("th", what));
    for element in ["a", "b", "c"] {
        done(&mut player, element);
    }
    assert_eq!(open(&player), ["after", "ub"], "{}", player.story());
    done(&mut player, "after");
    done(&mut player, "ub");
    assert_eq!(open(&player), ["ua"]);
    assert!(!is_over(&player));
    done(&mut player, "ua");
    assert!(is_over(&player), "{}", player.story());
}

#[test]
fn what_was_not_done_is_not_compensated() {
    let parts = [
        start("s"),
        compensable("a"),
        event(r#"boundaryEvent attachedToRef="a""#, "b", &message("m1")),
        event("intermediateThrowEvent", "th", COMPENSATE),
        task("after"),
        end("e"),
        flows(&["s > a > e", "b > th > after > e"]),
    ];
    let mut player = started(&parts);
    player.message("m1", Bindings::new()).unwrap();
    assert_eq!(open(&player), ["after"], "{}", player.story());
}

fn sub_of(parts: &[String], besides: &[String]) -> Vec<String> {
    let mut all = vec![
        start("s"),
        inside("subProcess", "sub", parts),
        task("c"),
        event("intermediateThrowEvent", "th", COMPENSATE),
        task("after"),
        end("e"),
        flows(&["s > sub > c > th > after > e"]),
    ];
    all.extend_from_slice(besides);
    all
}

fn inner() -> Vec<String> {
    vec![
        start("ns"),
        compensable("a"),
        compensable("b"),
        end("ne"),
        flows(&["ns > a > b > ne"]),
    ]
}

#[test]
fn what_was_done_in_a_sub_process_is_compensated_with_it() {
    let mut player = started(&sub_of(&inner(), &[]));
    for element in ["a", "b", "c"] {
        done(&mut player, element);
    }
    for element in ["ub", "ua"] {
        assert_eq!(open(&player), [element], "{}", player.story());
        done(&mut player, element);
    }
    assert_eq!(open(&player), ["after"], "{}", player.story());
    done(&mut player, "after");
    assert!(is_over(&player));
}

#[test]
fn the_handler_of_a_sub_process_stands_for_all_that_was_done_in_it() {
    let sub = with_handler(&inside("subProcess", "sub", &inner()), "sub");
    let mut parts = sub_of(&[], &[]);
    parts[1] = sub;
    let mut player = started(&parts);
    for element in ["a", "b", "c"] {
        done(&mut player, element);
    }
    assert_eq!(open(&player), ["usub"], "{}", player.story());
    done(&mut player, "usub");
    assert_eq!(open(&player), ["after"]);
    assert!(player.state().compensable.is_empty());
}

#[test]
fn an_interrupted_sub_process_takes_along_what_was_done_in_it() {
    let mut parts = sub_of(
        &inner(),
        &[event(r#"boundaryEvent attachedToRef="sub""#, "bd", &message("m1"))],
    );
    parts.push(flows(&["bd > th"]));
    let mut player = started(&parts);
    done(&mut player, "a");
    player.message("m1", Bindings::new()).unwrap();
    assert_eq!(open(&player), ["after"], "{}", player.story());
}

fn event_sub(besides: &[String], line: &str) -> String {
    let mut parts = vec![event("startEvent", "xs", COMPENSATE), end("xe"), flows(&[line])];
    parts.extend_from_slice(besides);
    inside(r#"subProcess triggeredByEvent="true""#, "x", &parts)
}

#[test]
fn a_compensation_event_sub_process_sees_the_variables_as_they_were() {
    let mut parts = inner();
    let property = r#"<property id="amount" name="amount"/>"#.to_owned();
    parts.insert(0, property);
    parts.push(event_sub(
        &[script("xt", "amount * 2", "twice"), task("xu")],
        "xs > xt > xu > xe",
    ));
    let mut player = started_with(&sub_of(&parts, &[]), &[("amount", json!(1))]);
    done_with(&mut player, "a", &[("amount", json!(21))]);
    for element in ["b", "c"] {
        done(&mut player, element);
    }
    assert_eq!(open(&player), ["xu"], "{}", player.story());
    assert_eq!(player.variable("twice"), Some(&json!(42)), "{}", player.story());
    assert_eq!(player.variable("amount"), Some(&json!(1)));
    done(&mut player, "xu");
    // It did not ask for the handlers of what was done inside.
    assert_eq!(open(&player), ["after"], "{}", player.story());
}

#[test]
fn a_compensation_event_sub_process_may_compensate_what_was_done_inside() {
    let mut parts = inner();
    parts.push(event_sub(
        &[event("intermediateThrowEvent", "xth", &of("a")), task("xu")],
        "xs > xth > xu > xe",
    ));
    let mut player = started(&sub_of(&parts, &[]));
    for element in ["a", "b", "c", "ua", "xu"] {
        assert!(open(&player).contains(&element), "{element}: {}", player.story());
        done(&mut player, element);
    }
    assert_eq!(open(&player), ["after"], "{}", player.story());
}

#[test]
fn each_round_that_was_done_is_compensated() {
    let many = r#"<userTask id="a" flowable:assignee="li"><multiInstanceLoopCharacteristics isSequential="true" flowable:elementVariable="item"><loopCardinality xsi:type="tFormalExpression">3</loopCardinality></multiInstanceLoopCharacteristics></userTask>"#;
    let parts = [
        start("s"),
        with_handler(many, "a"),
        event("intermediateThrowEvent", "th", &of("a")),
        task("after"),
        end("e"),
        flows(&["s > a > th > after > e"]),
    ];
    let mut player = started(&parts);
    for _ in 0..3 {
        done(&mut player, "a");
    }
    for _ in 0..3 {
        assert_eq!(open(&player), ["ua"], "{}", player.story());
        done(&mut player, "ua");
    }
    assert_eq!(open(&player), ["after"], "{}", player.story());
    done(&mut player, "after");
    assert!(is_over(&player));
}

#[test]
fn what_was_done_in_a_called_process_is_compensated_with_the_call() {
    let called = process("q", &inner());
    let outer = process(
        "p",
        &[
            start("s"),
            r#"<callActivity id="call" calledElement="q"/>"#.to_owned(),
            event("intermediateThrowEvent", "th", COMPENSATE),
            task("after"),
            end("e"),
            flows(&["s > call > th > after > e"]),
        ],
    );
    let mut player = started_in(world(&[outer, called]), &[]);
    for element in ["a", "b", "ub", "ua"] {
        assert_eq!(open(&player), [element], "{}", player.story());
        done(&mut player, element);
    }
    assert_eq!(open(&player), ["after"], "{}", player.story());
}

#[test]
fn an_end_event_compensates_its_own_scope_before_it_ends() {
    let mut parts = inner();
    parts[3] = event("endEvent", "ne", COMPENSATE);
    let mut player = started(&sub_of(&parts, &[]));
    for element in ["a", "b", "ub", "ua", "c"] {
        assert_eq!(open(&player), [element], "{}", player.story());
        done(&mut player, element);
    }
    assert_eq!(open(&player), ["after"]);
}

fn transaction(besides: &[String]) -> Vec<String> {
    let mut parts = vec![
        start("ns"),
        compensable("a"),
        compensable("b"),
        r#"<parallelGateway id="nf"/>"#.to_owned(),
        task("c"),
        task("d"),
        event("endEvent", "nc", "<cancelEventDefinition/>"),
        end("ne"),
        flows(&["ns > a > b > nf > c > nc", "nf > d > ne"]),
    ];
    parts.extend_from_slice(besides);
    vec![
        start("s"),
        inside("transaction", "tx", &parts),
        event(r#"boundaryEvent attachedToRef="tx""#, "bc", "<cancelEventDefinition/>"),
        event(r#"boundaryEvent attachedToRef="tx""#, "be", &error("e1")),
        task("cancelled"),
        task("failed"),
        end("e"),
        flows(&["s > tx > e", "bc > cancelled > e", "be > failed > e"]),
    ]
}

#[test]
fn a_cancelled_transaction_compensates_what_was_done_and_leaves_by_its_border() {
    let mut player = started(&transaction(&[]));
    for element in ["a", "b", "c"] {
        done(&mut player, element);
    }
    // `d` was given up.
    for element in ["ub", "ua"] {
        assert_eq!(open(&player), [element], "{}", player.story());
        done(&mut player, element);
    }
    assert_eq!(open(&player), ["cancelled"], "{}", player.story());
    done(&mut player, "cancelled");
    assert!(is_over(&player));
}

#[test]
fn an_error_leaves_a_transaction_without_compensation() {
    let hazard = [task("h"), event("endEvent", "he", &error("e1")), flows(&["nf > h > he"])];
    let mut player = started(&transaction(&hazard));
    for element in ["a", "b", "h"] {
        done(&mut player, element);
    }
    assert_eq!(open(&player), ["failed"], "{}", player.story());
    assert!(player.state().compensable.is_empty());
}

#[test]
fn a_transaction_that_ends_well_can_be_compensated_later() {
    let mut parts = transaction(&[]);
    parts[1] = inside("transaction", "tx", &inner());
    parts.push(event("intermediateThrowEvent", "th", &of("tx")));
    parts.push(task("after"));
    parts.retain(|part| !part.contains("s_tx"));
    parts.push(flows(&["s > tx > th > after > e", "bc > cancelled > e", "be > failed > e"]));
    let mut player = started(&parts);
    for element in ["a", "b", "ub", "ua", "after"] {
        assert_eq!(open(&player), [element], "{}", player.story());
        done(&mut player, element);
    }
    assert!(is_over(&player));
}

#[test]
fn a_handler_that_is_interrupted_does_not_stop_the_others() {
    let mut player = started(&line("th", COMPENSATE));
    for element in ["a", "b", "c"] {
        done(&mut player, element);
    }
    let key = player.task("ub", "").unwrap();
    let changes = vec![crate::instance::Change::GiveUp { key }];
    let reason = "不再需要".to_owned();
    player.ask(&crate::instance::Command::Modify { changes, reason }).unwrap();
    assert_eq!(open(&player), ["ua"], "{}", player.story());
    let begun = |event: &&Event| matches!(event, Event::CompensationBegun { .. });
    assert_eq!(player.events().iter().filter(begun).count(), 2);
    assert_eq!(began(&player, 'u'), ["ub", "ua"]);
}
