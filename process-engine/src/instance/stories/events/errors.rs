//! Errors and escalations.

use serde_json::json;

use super::{
    bindings, done, end, error, escalation, event, flows, inside, is_over, open, process, start, started, started_in, task, world,
};
use crate::{
    instance::{Ending, Event, Obstacle},
    testing::Player,
};

/// A sub-process that ends in this error after `n`.
fn failing(id: &str, name: &str, besides: &[String]) -> String {
    let mut parts = vec![
        start(&format!("{id}s")),
        task(&format!("{id}n")),
        event("endEvent", &format!("{id}e"), &error(name)),
        flows(&[&format!("{id}s > {id}n > {id}e")]),
    ];
    parts.extend_from_slice(besides);
    inside("subProcess", id, &parts)
}

fn on(host: &str, id: &str, what: &str) -> String {
    event(&format!(r#"boundaryEvent attachedToRef="{host}""#), id, what)
}

fn handler(id: &str, what: &str) -> String {
    inside(
        r#"subProcess triggeredByEvent="true""#,
        id,
        &[
            event("startEvent", &format!("{id}s"), what),
            task(&format!("{id}t")),
            end(&format!("{id}e")),
            flows(&[&format!("{id}s > {id}t > {id}e")]),
        ],
    )
}

#[test]
fn this_very_code_is_caught_before_any_code() {
    let parts = [
        start("s"),
        failing("sub", "e1", &[]),
        on("sub", "b0", &error("")),
        on("sub", "b1", &error("e1")),
        on("sub", "b2", &error("e2")),
        task("t0"),
        task("t1"),
        task("t2"),
        end("e"),
        flows(&["s > sub > e", "b0 > t0 > e", "b1 > t1 > e", "b2 > t2 > e"]),
    ];
    let mut player = started(&parts);
    done(&mut player, "subn");
    assert_eq!(open(&player), ["t1"], "{}", player.story());
    assert_eq!(player.variable("errorCode"), Some(&json!("E1")));
}

#[test]
fn the_nearest_event_around_catches() {
    let inner = failing("inner", "e1", &[]);
    let outer = inside(
        "subProcess",
        "outer",
        &[
            start("os"),
            inner,
            end("oe"),
            flows(&["os > inner > oe"]),
            handler("x", &error("")),
        ],
    );
    let parts = [
        start("s"),
        outer,
        on("outer", "b", &error("e1")),
        task("never"),
        task("after"),
        end("e"),
        flows(&["s > outer > after > e", "b > never > e"]),
    ];
    let mut player = started(&parts);
    done(&mut player, "innern");
    assert_eq!(open(&player), ["xt"], "{}", player.story());
    done(&mut player, "xt");
    assert_eq!(open(&player), ["after"]);
}

#[test]
fn an_error_of_a_handler_is_not_caught_by_itself() {
    let handler = inside(
        r#"subProcess triggeredByEvent="true""#,
        "x",
        &[
            event("startEvent", "xs", &error("e1")),
            event("endEvent", "xe", &error("e1")),
            flows(&["xs > xe"]),
        ],
    );
    let parts = [
        start("s"),
        failing("sub", "e1", &[handler]),
        on("sub", "b", &error("e1")),
        task("t"),
        end("e"),
        flows(&["s > sub > e", "b > t > e"]),
    ];
    let mut player = started(&parts);
    done(&mut player, "subn");
    assert_eq!(open(&player), ["t"], "{}", player.story());
}

#[test]
fn an_error_goes_out_of_called_processes() {
    let called = process(
        "q",
        &[start("qs"), failing("qsub", "e1", &[]), end("qe"), flows(&["qs > qsub > qe"])],
    );
    let outer = process(
        "p",
        &[
            start("s"),
            r#"<callActivity id="call" calledElement="q"/>"#.to_owned(),
            on("call", "b", &error("e1")),
            task("t"),
            end("e"),
            flows(&["s > call > e", "b > t > e"]),
        ],
    );
    let mut player = started_in(world(&[outer, called]), &[]);
    done(&mut player, "qsubn");
    assert_eq!(open(&player), ["t"], "{}", player.story());
}

#[test]
fn an_error_that_nobody_catches_fails_the_instance() {
    let parts = [
        start("s"),
        failing("sub", "e1", &[]),
        on("sub", "b", &error("e2")),
        end("e"),
        flows(&["s > sub > e", "b > e"]),
    ];
    let mut player = started(&parts);
    done(&mut player, "subn");
    let code = "E1".to_owned();
    assert_eq!(player.state().ended, Some(Ending::Failed { code }));
}

#[test]
fn an_error_of_one_round_interrupts_the_whole_activity() {
    let many = r#"<multiInstanceLoopCharacteristics><loopCardinality xsi:type="tFormalExpression">3</loopCardinality></multiInstanceLoopCharacteristics>"#;
    // The loop stands before the nodes of a sub-process.
    let sub = inside(
        "subProcess",
        "sub",
        &[
            many.to_owned(),
            start("subs"),
            task("subn"),
            event("endEvent", "sube", &error("e1")),
            flows(&["subs > subn > sube"]),
        ],
    );
    let parts = [
        start("s"),
        sub,
        on("sub", "b", &error("e1")),
        task("t"),
        end("e"),
        flows(&["s > sub > e", "b > t > e"]),
    ];
    let mut player = started(&parts);
    assert_eq!(open(&player), ["subn", "subn", "subn"]);
    done(&mut player, "subn");
    assert_eq!(open(&player), ["t"], "{}", player.story());
    done(&mut player, "t");
    assert!(is_over(&player));
}

fn with_job(border: &str) -> Player {
    let parts = [
        start("s"),
        r#"<serviceTask id="j" zhulu:job="check"/>"#.to_owned(),
        on("j", "b", &error(border)),
        task("t"),
        end("e"),
        flows(&["s > j > e", "b > t > e"]),
    ];
    started(&parts)
}

#[test]
fn an_error_of_a_job_is_caught_on_its_border() {
    let mut player = with_job("e1");
    player.job_threw("j", "E1").unwrap();
    assert_eq!(open(&player), ["t"], "{}", player.story());
    assert!(player.state().jobs.is_empty());
}

#[test]
fn an_error_of_a_job_that_nobody_catches_is_to_be_repaired() {
    let mut player = with_job("e2");
    player.job_threw("j", "E1").unwrap();
    let incidents = player.incidents();
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0].obstacle, Obstacle::Error);
    let incident = *player.state().incidents.keys().next().unwrap();
    let note = "修好了".to_owned();
    player
        .ask(&crate::instance::Command::RetryIncident { incident, note })
        .unwrap();
    player.job_done("j", json!(null)).unwrap();
    assert!(is_over(&player), "{}", player.story());
}

fn escalating(interrupting: bool) -> Player {
    let sub = inside(
        "subProcess",
        "sub",
        &[
            start("ns"),
            event("intermediateThrowEvent", "nt", &escalation("c1")),
            task("n"),
            event("endEvent", "ne", &escalation("c2")),
            flows(&["ns > nt > n > ne"]),
        ],
    );
    let border = format!(r#"boundaryEvent attachedToRef="sub" cancelActivity="{interrupting}""#);
    started(&[
        start("s"),
        sub,
        event(&border, "b", &escalation("c1")),
        task("t"),
        task("after"),
        end("e"),
        flows(&["s > sub > after > e", "b > t > e"]),
    ])
}

#[test]
fn an_escalation_interrupts_only_if_its_catcher_does() {
    let player = escalating(true);
    assert_eq!(open(&player), ["t"], "{}", player.story());
    let mut player = escalating(false);
    assert_eq!(open(&player), ["n", "t"], "{}", player.story());
    // The second one goes unheard.
    done(&mut player, "n");
    assert_eq!(open(&player), ["after", "t"]);
    let unheard = |event: &&Event| matches!(event, Event::EscalationThrown { caught_by: None, .. });
    assert_eq!(player.events().iter().filter(unheard).count(), 1);
}

#[test]
fn what_goes_with_an_error_is_known_to_its_catcher() {
    let sub = inside(
        "subProcess",
        "sub",
        &[
            start("ns"),
            event(
                "endEvent",
                "ne",
                &[
                    r#"<extensionElements><flowable:in sourceExpression="${amount}" target="missing"/></extensionElements>"#,
                    &error("e1"),
                ]
                .concat(),
            ),
            flows(&["ns > ne"]),
        ],
    );
    let parts = [
        start("s"),
        sub,
        on("sub", "b", &error("e1")),
        task("t"),
        end("e"),
        flows(&["s > sub > e", "b > t > e"]),
    ];
    let mut player = Player::new(&std::sync::Arc::new(world(&[process("p", &parts)])));
    player.be("li").start("p", bindings(&[("amount", json!(7))])).unwrap();
    assert_eq!(player.variable("missing"), Some(&json!(7)), "{}", player.story());
}
