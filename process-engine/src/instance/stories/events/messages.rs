//! Messages, signals, links; events with several definitions; event-based gateways.

use chrono::TimeDelta;
use serde_json::json;

use super::{
    began, bindings, done, end, event, flows, inside, is_over, message, open, process, signal, start, started, started_in,
    started_with, task, timer, world,
};
use crate::{
    instance::{Bindings, Command, Event, Rejection},
    testing::{NotPlayed, Player},
};

const FORK: &str = r#"<parallelGateway id="f"/>"#;

fn keyed(name: &str, id: &str, key: &str) -> String {
    format!(
        r#"<intermediateCatchEvent id="{id}"><messageEventDefinition messageRef="message-{name}" zhulu:correlation="{key}"/></intermediateCatchEvent>"#
    )
}

fn two_waits() -> Vec<String> {
    vec![
        start("s"),
        FORK.to_owned(),
        keyed("m1", "w1", "one"),
        keyed("m1", "w2", "two"),
        event("intermediateCatchEvent", "w3", &message("m1")),
        task("t1"),
        task("t2"),
        task("t3"),
        end("e"),
        flows(&["s > f > w1 > t1 > e", "f > w2 > t2 > e", "f > w3 > t3 > e"]),
    ]
}

fn deliver(player: &mut Player, name: &str, key: Option<&str>) -> Result<(), NotPlayed> {
    player.message_for(name, key, Bindings::new())
}

#[test]
fn a_message_reaches_one_wait_the_oldest_that_its_key_fits() {
    let mut player = started_with(&two_waits(), &[("one", json!("A")), ("two", json!("B"))]);
    deliver(&mut player, "m1", Some("B")).unwrap();
    assert_eq!(open(&player), ["t2"]);
    // Whoever waits for no key takes what comes.
    deliver(&mut player, "m1", Some("B")).unwrap();
    assert_eq!(open(&player), ["t2", "t3"]);
    let refused = deliver(&mut player, "m1", Some("B")).unwrap_err();
    assert!(matches!(refused, NotPlayed::Refused(Rejection::NobodyWaits { .. })));
    assert!(deliver(&mut player, "m1", None).is_err());
    deliver(&mut player, "m1", Some("A")).unwrap();
    assert_eq!(open(&player), ["t1", "t2", "t3"]);
}

#[test]
fn what_comes_with_a_message_is_set_where_the_model_says_or_under_its_own_name() {
    let out = r#"<extensionElements><flowable:out source="amount" target="sum"/></extensionElements>"#;
    let parts = [
        start("s"),
        event("intermediateCatchEvent", "w1", &[out, &message("m1")].concat()),
        event("intermediateCatchEvent", "w2", &message("m2")),
        task("t"),
        end("e"),
        flows(&["s > w1 > w2 > t > e"]),
    ];
    let mut player = started(&parts);
    player
        .message("m1", bindings(&[("amount", json!(3)), ("other", json!(4))]))
        .unwrap();
    player.message("m2", bindings(&[("plain", json!(5))])).unwrap();
    let variable = |name| player.variable(name).cloned();
    assert_eq!(variable("sum"), Some(json!(3)), "{}", player.story());
    assert_eq!(variable("other"), None);
    assert_eq!(variable("plain"), Some(json!(5)));
}

#[test]
fn a_receive_task_waits_for_its_message_or_for_its_own_id() {
    let parts = [
        start("s"),
        r#"<receiveTask id="r1" messageRef="message-m1"/><receiveTask id="r2"/>"#.to_owned(),
        task("t"),
        end("e"),
        flows(&["s > r1 > r2 > t > e"]),
    ];
    let mut player = started(&parts);
    assert!(player.message("r2", Bindings::new()).is_err());
    player.message("m1", bindings(&[("x", json!(1))])).unwrap();
    assert_eq!(player.variable("x"), Some(&json!(1)));
    player.message("r2", Bindings::new()).unwrap();
    assert_eq!(open(&player), ["t"]);
}

#[test]
fn a_message_that_is_thrown_inside_is_caught_inside_by_one_wait() {
    let parts = [
        start("s"),
        FORK.to_owned(),
        event("intermediateThrowEvent", "th", &message("m1")),
        event("intermediateCatchEvent", "w1", &message("m1")),
        event("intermediateCatchEvent", "w2", &message("m1")),
        task("t0"),
        task("t1"),
        task("t2"),
        end("e"),
        flows(&["s > f > th > t0 > e", "f > w1 > t1 > e", "f > w2 > t2 > e"]),
    ];
    let player = started(&parts);
    // Whoever throws goes last, so both wait.
    assert_eq!(open(&player), ["t0", "t1"], "{}", player.story());
    let thrown = |event: &&Event| matches!(event, Event::MessageThrown { .. });
    assert_eq!(player.events().iter().filter(thrown).count(), 1);
}

#[test]
fn a_message_that_nobody_waits_for_inside_goes_out_with_what_it_carries() {
    let input = r#"<extensionElements><flowable:in sourceExpression="${amount * 2}" target="twice"/></extensionElements>"#;
    let parts = [
        start("s"),
        event("intermediateThrowEvent", "th", &[input, &message("m1")].concat()),
        r#"<sendTask id="se" messageRef="message-m2"/>"#.to_owned(),
        event("endEvent", "e", &message("m3")),
        flows(&["s > th > se > e"]),
    ];
    let player = started_with(&parts, &[("amount", json!(4))]);
    assert!(is_over(&player), "{}", player.story());
    let thrown: Vec<(&str, usize)> = player
        .events()
        .iter()
        .filter_map(|event| match event {
            Event::MessageThrown { message, payload, .. } => Some((message.as_str(), payload.len())),
            _ => None,
        })
        .collect();
    assert_eq!(thrown, [("m1", 1), ("m2", 0), ("m3", 0)]);
}

#[test]
fn a_signal_is_heard_by_everything_that_waits_for_it_in_one_decision() {
    let parts = [
        start("s"),
        FORK.to_owned(),
        event("intermediateCatchEvent", "w1", &signal("s1")),
        event("intermediateCatchEvent", "w2", &signal("s1")),
        event("intermediateCatchEvent", "w3", &signal("s2")),
        event("intermediateThrowEvent", "th", &signal("s1")),
        task("t1"),
        task("t2"),
        task("t3"),
        end("e"),
        flows(&["s > f > w1 > t1 > e", "f > w2 > t2 > e", "f > w3 > t3 > e", "f > th > e"]),
    ];
    let mut player = started(&parts);
    assert_eq!(open(&player), ["t1", "t2"], "{}", player.story());
    player.signal("s2", Bindings::new()).unwrap();
    assert_eq!(open(&player), ["t1", "t2", "t3"]);
    let name = "s2".to_owned();
    let payload = Bindings::new();
    assert!(player.ask(&Command::BroadcastSignal { name, payload }).unwrap().is_empty());
}

#[test]
fn a_link_goes_on_where_its_name_is_caught() {
    let link = |name: &str| format!(r#"<linkEventDefinition name="{name}"/>"#);
    let parts = [
        start("s"),
        event("intermediateThrowEvent", "l1", &link("x")),
        event("intermediateCatchEvent", "l2", &link("x")),
        task("t"),
        end("e"),
        flows(&["s > l1", "l2 > t > e"]),
    ];
    let mut player = started(&parts);
    assert_eq!(open(&player), ["t"], "{}", player.story());
    done(&mut player, "t");
    assert!(is_over(&player));
}

#[test]
fn of_an_event_based_gateway_the_first_event_takes_the_token() {
    let parts = [
        start("s"),
        r#"<eventBasedGateway id="g"/>"#.to_owned(),
        r#"<receiveTask id="w1" messageRef="message-m1"/>"#.to_owned(),
        event("intermediateCatchEvent", "w2", &timer("timeDuration", "PT1H")),
        r#"<receiveTask id="w3" messageRef="message-m2"/>"#.to_owned(),
        task("t1"),
        task("t2"),
        task("t3"),
        end("e"),
        flows(&["s > g > w1 > t1 > e", "g > w2 > t2 > e", "g > w3 > t3 > e"]),
    ];
    let mut player = started(&parts);
    player.message("m2", Bindings::new()).unwrap();
    assert_eq!(open(&player), ["t3"], "{}", player.story());
    assert!(player.state().waits.is_empty() && player.state().tokens.is_empty());
    assert!(player.message("m1", Bindings::new()).is_err());
    done(&mut player, "t3");
    assert!(is_over(&player));
    let mut player = started(&parts);
    player.advance(TimeDelta::hours(1)).unwrap();
    assert_eq!(open(&player), ["t2"]);
}

#[test]
fn one_definition_of_a_multiple_event_is_enough() {
    let parts = [
        start("s"),
        event("intermediateCatchEvent", "w", &[message("m1"), signal("s1")].concat()),
        task("t"),
        end("e"),
        flows(&["s > w > t > e"]),
    ];
    let mut player = started(&parts);
    player.signal("s1", Bindings::new()).unwrap();
    assert_eq!(open(&player), ["t"]);
    assert!(player.message("m1", Bindings::new()).is_err());
}

#[test]
fn a_parallel_multiple_event_needs_all_and_keeps_what_came() {
    let parts = [
        start("s"),
        event(
            r#"intermediateCatchEvent parallelMultiple="true""#,
            "w",
            &[message("m1"), signal("s1"), message("m2")].concat(),
        ),
        task("t"),
        end("e"),
        flows(&["s > w > t > e"]),
    ];
    let mut player = started(&parts);
    player.message("m2", bindings(&[("x", json!(1))])).unwrap();
    player.signal("s1", bindings(&[("y", json!(2))])).unwrap();
    assert!(open(&player).is_empty());
    assert!(player.message("m2", Bindings::new()).is_err());
    player.message("m1", bindings(&[("z", json!(3))])).unwrap();
    assert_eq!(open(&player), ["t"], "{}", player.story());
    let values = ["x", "y", "z"].map(|name| player.variable(name).cloned());
    assert_eq!(values, [Some(json!(1)), Some(json!(2)), Some(json!(3))]);
}

#[test]
fn an_event_on_the_border_that_does_not_interrupt_happens_as_often_as_its_message_comes() {
    let border = r#"boundaryEvent attachedToRef="a" cancelActivity="false""#;
    let parts = [
        start("s"),
        task("a"),
        event(border, "b", &message("m1")),
        task("x"),
        end("e"),
        flows(&["s > a > e", "b > x > e"]),
    ];
    let mut player = started(&parts);
    for _ in 0..3 {
        player.message("m1", Bindings::new()).unwrap();
    }
    assert_eq!(open(&player), ["a", "x", "x", "x"]);
    done(&mut player, "a");
    assert!(player.message("m1", Bindings::new()).is_err());
}

#[test]
fn what_came_with_one_definition_does_not_come_again_with_another() {
    let border = r#"boundaryEvent attachedToRef="a" cancelActivity="false""#;
    let parts = [
        start("s"),
        task("a"),
        event(border, "b", &[message("m1"), signal("s1")].concat()),
        task("x"),
        end("e"),
        flows(&["s > a > e", "b > x > e"]),
    ];
    let mut player = started(&parts);
    player.message("m1", bindings(&[("x", json!(1))])).unwrap();
    player.message("m1", bindings(&[("x", json!(2))])).unwrap();
    player.signal("s1", Bindings::new()).unwrap();
    assert_eq!(player.variable("x"), Some(&json!(2)));
    assert_eq!(open(&player), ["a", "x", "x", "x"]);
}

#[test]
fn a_multiple_throw_throws_each_in_order() {
    let parts = [
        start("s"),
        event(
            "intermediateThrowEvent",
            "th",
            &[signal("s1"), message("m1"), signal("s2")].concat(),
        ),
        end("e"),
        flows(&["s > th > e"]),
    ];
    let player = started(&parts);
    let thrown: Vec<&str> = player
        .events()
        .iter()
        .filter_map(|event| match event {
            Event::SignalThrown { signal, .. } => Some(signal.as_str()),
            Event::MessageThrown { message, .. } => Some(message.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(thrown, ["s1", "m1", "s2"]);
}

#[test]
fn whoever_is_interrupted_by_what_it_throws_does_not_go_on() {
    let sub = inside(
        "subProcess",
        "sub",
        &[
            start("s1s"),
            event("intermediateThrowEvent", "th", &signal("s1")),
            task("never"),
            end("e1"),
            flows(&["s1s > th > never > e1"]),
        ],
    );
    let parts = [
        start("s"),
        sub,
        event(r#"boundaryEvent attachedToRef="sub""#, "b", &signal("s1")),
        task("x"),
        end("e"),
        flows(&["s > sub > e", "b > x > e"]),
    ];
    let player = started(&parts);
    assert_eq!(open(&player), ["x"], "{}", player.story());
    assert!(began(&player, 'n').is_empty());
}

#[test]
fn waits_in_a_called_process_hear_as_well() {
    let called = process(
        "q",
        &[
            start("qs"),
            event("intermediateCatchEvent", "qw", &message("m1")),
            task("qt"),
            end("qe"),
            flows(&["qs > qw > qt > qe"]),
        ],
    );
    let outer = process(
        "p",
        &[
            start("s"),
            r#"<callActivity id="call" calledElement="q"/>"#.to_owned(),
            end("e"),
            flows(&["s > call > e"]),
        ],
    );
    let mut player = started_in(world(&[outer, called]), &[]);
    player.message("m1", Bindings::new()).unwrap();
    assert_eq!(open(&player), ["qt"], "{}", player.story());
}
