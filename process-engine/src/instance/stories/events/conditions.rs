//! Conditional events: they happen when a condition begins to hold.

use serde_json::json;

use super::{
    bindings, condition, done, done_with, end, event, flows, inside, is_over, open, script, start, started, started_with, task,
};
use crate::{
    instance::{Command, Obstacle},
    testing::Player,
};

fn set(player: &mut Player, name: &str, value: serde_json::Value) {
    let command = Command::SetVariables {
        scope: 0,
        variables: bindings(&[(name, value)]),
        reason: "更正".to_owned(),
    };
    player.ask(&command).unwrap();
}

fn on_border(interrupting: bool, feel: &str) -> Vec<String> {
    let border = format!(r#"boundaryEvent attachedToRef="a" cancelActivity="{interrupting}""#);
    vec![
        start("s"),
        task("a"),
        event(&border, "b", &condition(feel)),
        task("x"),
        end("e"),
        flows(&["s > a > e", "b > x > e"]),
    ]
}

#[test]
fn an_event_waits_until_its_condition_holds() {
    let parts = [
        start("s"),
        event("intermediateCatchEvent", "w", &condition("area &gt; 500")),
        task("t"),
        end("e"),
        flows(&["s > w > t > e"]),
    ];
    let mut player = started_with(&parts, &[("area", json!(100))]);
    set(&mut player, "area", json!(400));
    assert!(open(&player).is_empty());
    set(&mut player, "area", json!(600));
    assert_eq!(open(&player), ["t"], "{}", player.story());
    // What holds already happens at once.
    assert_eq!(open(&started_with(&parts, &[("area", json!(501))])), ["t"]);
}

#[test]
fn a_condition_on_the_border_that_holds_already_is_met_before_the_work_begins() {
    let parts = [
        start("s"),
        script("a", "true", "was_done"),
        event(r#"boundaryEvent attachedToRef="a""#, "b", &condition("urgent")),
        task("x"),
        task("y"),
        end("e"),
        flows(&["s > a > y > e", "b > x > e"]),
    ];
    let player = started_with(&parts, &[("urgent", json!(true))]);
    assert_eq!(open(&player), ["x"], "{}", player.story());
    assert_eq!(player.variable("was_done"), None);
    assert_eq!(open(&started_with(&parts, &[("urgent", json!(false))])), ["y"]);
}

#[test]
fn a_condition_is_met_again_only_after_it_ceased_to_hold() {
    let mut player = started_with(&on_border(false, "level = 3"), &[("level", json!(1))]);
    for level in [3, 3, 2, 3] {
        set(&mut player, "level", json!(level));
    }
    assert_eq!(open(&player), ["a", "x", "x"], "{}", player.story());
}

#[test]
fn what_a_task_says_is_looked_at_at_once() {
    let mut parts = on_border(true, "stop = true");
    parts.extend([r#"<parallelGateway id="f"/>"#.to_owned(), task("c"), flows(&["f > c > e"])]);
    parts.retain(|part| !part.contains("s_a"));
    parts.push(flows(&["s > f > a > e", "b > x > e"]));
    let mut player = started(&parts);
    done_with(&mut player, "c", &[("stop", json!(true))]);
    assert_eq!(open(&player), ["x"], "{}", player.story());
}

#[test]
fn a_condition_that_gives_nothing_is_an_incident_and_never_false() {
    let mut player = started(&on_border(true, "area &gt; 500"));
    let incidents = player.incidents();
    assert_eq!(incidents.len(), 1, "{}", player.story());
    assert_eq!((incidents[0].obstacle, &*incidents[0].element), (Obstacle::Expression, "b"));
    // It is repaired by a value.
    set(&mut player, "area", json!(100));
    assert!(player.incidents().is_empty(), "{}", player.story());
    set(&mut player, "area", json!(501));
    assert_eq!(open(&player), ["x"]);
}

#[test]
fn an_event_sub_process_begins_before_all_else_if_its_condition_holds_already() {
    let event_sub = inside(
        r#"subProcess triggeredByEvent="true""#,
        "ev",
        &[
            event("startEvent", "es", &condition("urgent")),
            task("x"),
            end("ee"),
            flows(&["es > x > ee"]),
        ],
    );
    let parts = [start("s"), task("a"), end("e"), event_sub, flows(&["s > a > e"])];
    let mut player = started_with(&parts, &[("urgent", json!(true))]);
    assert_eq!(open(&player), ["x"], "{}", player.story());
    done(&mut player, "x");
    assert!(is_over(&player));
    let mut player = started_with(&parts, &[("urgent", json!(false))]);
    assert_eq!(open(&player), ["a"]);
    set(&mut player, "urgent", json!(true));
    assert_eq!(open(&player), ["x"]);
}
