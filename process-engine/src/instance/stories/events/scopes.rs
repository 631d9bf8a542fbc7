//! Event sub-processes, and the end of everything in a scope.

use chrono::TimeDelta;
use serde_json::json;

use super::{
    bindings, done, end, escalation, event, flows, inside, is_over, message, open, script, signal, start, started, task, timer,
};
use crate::instance::{Bindings, Ending};

fn event_sub(interrupting: bool, id: &str, what: &str) -> String {
    inside(
        r#"subProcess triggeredByEvent="true""#,
        id,
        &[
            event(
                &format!(r#"startEvent isInterrupting="{interrupting}""#),
                &format!("{id}s"),
                what,
            ),
            task(&format!("{id}t")),
            end(&format!("{id}e")),
            flows(&[&format!("{id}s > {id}t > {id}e")]),
        ],
    )
}

fn around(events: &[String]) -> Vec<String> {
    let mut parts = vec![start("ns"), task("n1"), task("n2"), end("ne"), flows(&["ns > n1 > n2 > ne"])];
    parts.extend_from_slice(events);
    vec![
        start("s"),
        inside("subProcess", "sub", &parts),
        task("after"),
        end("e"),
        flows(&["s > sub > after > e"]),
    ]
}

#[test]
fn an_interrupting_event_sub_process_gives_up_all_else_and_the_scope_lives_on() {
    let mut player = started(&around(&[
        event_sub(true, "x", &message("m1")),
        event_sub(false, "y", &message("m2")),
    ]));
    player.message("m1", bindings(&[("said", json!("yes"))])).unwrap();
    assert_eq!(open(&player), ["xt"], "{}", player.story());
    // Nothing else begins in the scope any more.
    assert!(player.message("m1", Bindings::new()).is_err());
    assert!(player.message("m2", Bindings::new()).is_err());
    done(&mut player, "xt");
    assert_eq!(open(&player), ["after"], "{}", player.story());
}

#[test]
fn an_event_sub_process_that_does_not_interrupt_may_begin_again_and_the_scope_waits_for_it() {
    let mut player = started(&around(&[event_sub(false, "x", &message("m1"))]));
    player.message("m1", Bindings::new()).unwrap();
    player.message("m1", Bindings::new()).unwrap();
    assert_eq!(open(&player), ["n1", "xt", "xt"]);
    done(&mut player, "n1");
    done(&mut player, "n2");
    assert_eq!(open(&player), ["xt", "xt"]);
    // The scope is still there, and hears.
    player.message("m1", Bindings::new()).unwrap();
    for _ in 0..3 {
        assert!(!open(&player).contains(&"after"));
        done(&mut player, "xt");
    }
    assert_eq!(open(&player), ["after"], "{}", player.story());
    assert!(player.message("m1", Bindings::new()).is_err());
}

#[test]
fn an_event_sub_process_of_the_process_itself_waits_from_the_beginning() {
    let mut parts = vec![start("s"), task("n"), end("e"), flows(&["s > n > e"])];
    parts.push(event_sub(false, "x", &timer("timeCycle", "R2/PT1H")));
    parts.push(event_sub(true, "y", &signal("s1")));
    let mut player = started(&parts);
    player.advance(TimeDelta::hours(5)).unwrap();
    assert_eq!(open(&player), ["n", "xt", "xt"], "{}", player.story());
    player.signal("s1", Bindings::new()).unwrap();
    assert_eq!(open(&player), ["yt"]);
    done(&mut player, "yt");
    assert_eq!(player.state().ended, Some(Ending::Completed));
}

#[test]
fn waits_for_event_sub_processes_keep_no_scope_alive() {
    let mut player = started(&around(&[event_sub(false, "x", &timer("timeDuration", "P1D"))]));
    done(&mut player, "n1");
    done(&mut player, "n2");
    assert_eq!(open(&player), ["after"]);
    assert!(player.state().waits.is_empty());
}

#[test]
fn what_came_is_known_inside_and_goes_out_where_the_model_says() {
    let out = r#"<extensionElements><flowable:out source="amount" target="sum"/></extensionElements>"#;
    let event_sub = inside(
        r#"subProcess triggeredByEvent="true""#,
        "x",
        &[
            event("startEvent", "xs", &[out, &message("m1")].concat()),
            script("xt", "amount + 1", "more"),
            task("xu"),
            end("xe"),
            flows(&["xs > xt > xu > xe"]),
        ],
    );
    let mut player = started(&around(&[event_sub]));
    player.message("m1", bindings(&[("amount", json!(3))])).unwrap();
    assert_eq!(player.variable("sum"), Some(&json!(3)), "{}", player.story());
    assert_eq!(player.variable("more"), Some(&json!(4)));
    assert_eq!(player.variable("amount"), None);
}

#[test]
fn an_event_sub_process_is_interrupted_with_its_scope() {
    let mut parts = around(&[event_sub(false, "x", &message("m1"))]);
    parts.push(event(r#"boundaryEvent attachedToRef="sub""#, "b", &message("m2")));
    parts.push(task("z"));
    parts.push(flows(&["b > z > e"]));
    let mut player = started(&parts);
    player.message("m1", Bindings::new()).unwrap();
    player.message("m2", Bindings::new()).unwrap();
    assert_eq!(open(&player), ["z"], "{}", player.story());
    assert!(player.state().waits.is_empty());
}

#[test]
fn a_terminate_event_ends_its_scope_only() {
    let sub = inside(
        "subProcess",
        "sub",
        &[
            start("ns"),
            r#"<parallelGateway id="nf"/>"#.to_owned(),
            task("n1"),
            task("n2"),
            event("endEvent", "nt", "<terminateEventDefinition/>"),
            end("ne"),
            flows(&["ns > nf > n1 > nt", "nf > n2 > ne"]),
        ],
    );
    let parts = [
        start("s"),
        r#"<parallelGateway id="f"/>"#.to_owned(),
        sub,
        task("beside"),
        task("after"),
        event("endEvent", "t", "<terminateEventDefinition/>"),
        end("e"),
        flows(&["s > f > sub > after > t", "f > beside > e"]),
    ];
    let mut player = started(&parts);
    done(&mut player, "n1");
    assert_eq!(open(&player), ["after", "beside"], "{}", player.story());
    done(&mut player, "after");
    assert_eq!(player.state().ended, Some(Ending::Terminated));
}

#[test]
fn a_terminate_event_of_a_round_ends_that_round_only() {
    let sub = inside(
        "subProcess",
        "sub",
        &[
            r#"<multiInstanceLoopCharacteristics><loopCardinality xsi:type="tFormalExpression">2</loopCardinality></multiInstanceLoopCharacteristics>"#.to_owned(),
            start("ns"),
            r#"<parallelGateway id="nf"/>"#.to_owned(),
            task("n1"),
            task("n2"),
            event("endEvent", "nt", "<terminateEventDefinition/>"),
            end("ne"),
            flows(&["ns > nf > n1 > nt", "nf > n2 > ne"]),
        ],
    );
    let parts = [start("s"), sub, end("e"), flows(&["s > sub > e"])];
    let mut player = started(&parts);
    done(&mut player, "n1");
    assert_eq!(open(&player), ["n1", "n2"], "{}", player.story());
    done(&mut player, "n1");
    assert!(is_over(&player));
}

#[test]
fn an_escalation_is_heard_by_an_event_sub_process_and_the_work_goes_on() {
    let sub = inside(
        "subProcess",
        "sub",
        &[
            start("ns"),
            event("intermediateThrowEvent", "nt", &escalation("c1")),
            task("n"),
            end("ne"),
            flows(&["ns > nt > n > ne"]),
            event_sub(false, "x", &escalation("c1")),
        ],
    );
    let parts = [
        start("s"),
        sub,
        event(
            r#"boundaryEvent attachedToRef="sub" cancelActivity="false""#,
            "b",
            &escalation(""),
        ),
        task("never"),
        end("e"),
        flows(&["s > sub > e", "b > never > e"]),
    ];
    let player = started(&parts);
    assert_eq!(open(&player), ["n", "xt"], "{}", player.story());
}

#[test]
fn an_interrupted_ad_hoc_sub_process_ends_with_the_event_sub_process() {
    let parts = [
        start("s"),
        inside("adHocSubProcess", "sub", &[task("n"), event_sub(true, "x", &message("m1"))]),
        task("after"),
        end("e"),
        flows(&["s > sub > after > e"]),
    ];
    let mut player = started(&parts);
    player.message("m1", Bindings::new()).unwrap();
    done(&mut player, "xt");
    assert_eq!(open(&player), ["after"], "{}", player.story());
}
