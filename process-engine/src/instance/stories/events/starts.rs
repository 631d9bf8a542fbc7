//! What starts a process.

use std::sync::Arc;

use super::{
    bindings, condition, done, end, event, flows, is_over, message, open, process, signal, start, started_by, task, timer, world,
};
use crate::{
    instance::{Bindings, Rejection, StartedBy},
    testing::{NotPlayed, Player},
};

fn several() -> Vec<String> {
    let mut parts = vec![
        start("s0"),
        event("startEvent", "s1", &message("m1")),
        event("startEvent", "s2", &signal("s1")),
        event("startEvent", "s3", &timer("timeCycle", "R/P1D")),
        event("startEvent", "s4", &condition("came = 2")),
        event("startEvent", "s5", &[message("m2"), signal("s2")].concat()),
        end("e"),
    ];
    for at in 0..6 {
        parts.push(task(&format!("t{at}")));
        parts.push(flows(&[&format!("s{at} > t{at} > e")]));
    }
    parts
}

#[test]
fn a_process_begins_at_what_started_it() {
    let cases = [
        (StartedBy::Somebody, "t0"),
        (StartedBy::Message("m1".to_owned()), "t1"),
        (StartedBy::Signal("s1".to_owned()), "t2"),
        (StartedBy::Timer("s3".into()), "t3"),
        (StartedBy::Condition("s4".into()), "t4"),
        (StartedBy::Message("m2".to_owned()), "t5"),
        (StartedBy::Signal("s2".to_owned()), "t5"),
    ];
    for (by, task) in cases {
        let player = started_by(&several(), by.clone());
        assert_eq!(open(&player), [task], "{by:?}");
        // The other ones start instances of their own.
        assert!(player.state().waits.is_empty());
    }
}

fn refused(parts: &[String], by: StartedBy) -> Rejection {
    let mut player = Player::new(&Arc::new(world(&[process("p", parts)])));
    match player.start_by("p", Bindings::new(), by) {
        Err(NotPlayed::Refused(rejection)) => {
            assert!(player.state().started.is_none() && player.events().is_empty());
            rejection
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_process_does_not_wait_for_does_not_start_it() {
    for by in [
        StartedBy::Message("m3".to_owned()),
        StartedBy::Signal("m1".to_owned()),
        StartedBy::Timer("s1".into()),
        StartedBy::Condition("nothing".into()),
    ] {
        assert!(matches!(refused(&several(), by), Rejection::NoSuchStart { .. }));
    }
    let only = [
        event("startEvent", "s1", &message("m1")),
        task("t"),
        end("e"),
        flows(&["s1 > t > e"]),
    ];
    assert!(matches!(refused(&only, StartedBy::Somebody), Rejection::NoSuchStart { .. }));
}

#[test]
fn of_several_plain_starts_one_is_chosen() {
    let parts = [
        start("counter"),
        start("online"),
        event("startEvent", "post", &message("m1")),
        task("at_counter"),
        task("on_screen"),
        end("e"),
        flows(&["counter > at_counter > e", "online > on_screen > e", "post > at_counter"]),
    ];
    let of = Rejection::SeveralStarts {
        starts: "counter, online".to_owned(),
    };
    assert_eq!(refused(&parts, StartedBy::Somebody), of);
    for (start, task) in [("counter", "at_counter"), ("online", "on_screen")] {
        let mut player = started_by(&parts, StartedBy::Chosen(start.into()));
        assert_eq!(open(&player), [task], "{}", player.story());
        assert!(player.state().waits.is_empty());
        done(&mut player, task);
        assert!(is_over(&player), "{}", player.story());
    }
    for wrong in ["post", "at_counter", "nowhere"] {
        assert!(matches!(
            refused(&parts, StartedBy::Chosen(wrong.into())),
            Rejection::NoSuchStart { .. }
        ));
    }
    let only = [start("s"), task("t"), end("e"), flows(&["s > t > e"])];
    assert_eq!(open(&started_by(&only, StartedBy::Chosen("s".into()))), ["t"]);
}

#[test]
fn a_parallel_multiple_start_waits_for_the_rest_of_its_definitions() {
    let parts = [
        event(
            r#"startEvent parallelMultiple="true""#,
            "s",
            &[message("m1"), message("m2")].concat(),
        ),
        task("t"),
        end("e"),
        flows(&["s > t > e"]),
    ];
    let mut player = started_by(&parts, StartedBy::Message("m2".to_owned()));
    assert!(open(&player).is_empty());
    assert!(player.message("m2", Bindings::new()).is_err());
    player.message("m1", bindings(&[])).unwrap();
    assert_eq!(open(&player), ["t"], "{}", player.story());
}

#[test]
fn a_receive_task_may_start_a_process() {
    let parts = [
        r#"<receiveTask id="r" messageRef="message-m1" instantiate="true"/>"#.to_owned(),
        task("t"),
        end("e"),
        flows(&["r > t > e"]),
    ];
    let mut player = started_by(&parts, StartedBy::Message("m1".to_owned()));
    assert_eq!(open(&player), ["t"], "{}", player.story());
    done(&mut player, "t");
    assert!(is_over(&player));
    assert!(matches!(refused(&parts, StartedBy::Somebody), Rejection::NoSuchStart { .. }));
}

fn gateway(kind: &str) -> Vec<String> {
    vec![
        format!(r#"<eventBasedGateway id="g" instantiate="true" eventGatewayType="{kind}"/>"#),
        event("intermediateCatchEvent", "w1", &message("m1")),
        event("intermediateCatchEvent", "w2", &message("m2")),
        task("t1"),
        task("t2"),
        end("e"),
        flows(&["g > w1 > t1 > e", "g > w2 > t2 > e"]),
    ]
}

#[test]
fn an_exclusive_event_based_gateway_starts_a_process_with_one_event() {
    let mut player = started_by(&gateway("Exclusive"), StartedBy::Message("m2".to_owned()));
    assert_eq!(open(&player), ["t2"], "{}", player.story());
    assert!(player.message("m1", Bindings::new()).is_err());
    done(&mut player, "t2");
    assert!(is_over(&player));
}

#[test]
fn a_parallel_event_based_gateway_starts_a_process_and_waits_for_all_of_its_events() {
    let mut player = started_by(&gateway("Parallel"), StartedBy::Message("m2".to_owned()));
    assert_eq!(open(&player), ["t2"], "{}", player.story());
    done(&mut player, "t2");
    assert!(!is_over(&player));
    player.message("m1", Bindings::new()).unwrap();
    assert_eq!(open(&player), ["t1"]);
    done(&mut player, "t1");
    assert!(is_over(&player), "{}", player.story());
}
