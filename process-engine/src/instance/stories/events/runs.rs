//! Several runs of the same nodes at once: an event on a border that does not interrupt lets one token out after the other.

use chrono::TimeDelta;

use super::{done, end, event, flows, is_over, open, process, start, started_in, task, timer, world};
use crate::{
    instance::{Command, Key, Rejection, Resume},
    testing::{NotPlayed, Player},
};

/// Beside `long`, each hour somebody is asked to check (`a`) and, in two steps, to note (`b1`, `b2`); then to file (`z`).
fn twice() -> Player {
    let parts = [
        start("s"),
        task("long"),
        event(
            r#"boundaryEvent attachedToRef="long" cancelActivity="false""#,
            "hourly",
            &timer("timeCycle", "R2/PT1H"),
        ),
        r#"<parallelGateway id="f"/><parallelGateway id="j"/>"#.to_owned(),
        task("a"),
        task("b1"),
        task("b2"),
        task("z"),
        end("e"),
        end("e2"),
        flows(&["s > long > e", "hourly > f > a > j > z > e2", "f > b1 > b2 > j"]),
    ];
    let mut player = started_in(world(&[process("p", &parts)]), &[]);
    player.advance(TimeDelta::hours(2)).unwrap();
    assert_eq!(open(&player), ["a", "a", "b1", "b1", "long"]);
    player
}

fn first(player: &Player, element: &str) -> Key {
    player.tasks(element)[0]
}

fn approve(player: &mut Player, task: Key) {
    player
        .complete_task(task, crate::instance::Outcome::Approved, super::bindings(&[]))
        .unwrap();
}

fn refused(player: &mut Player, command: &Command) -> Rejection {
    match player.administrator(true).ask(command) {
        Err(NotPlayed::Refused(rejection)) => rejection,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_move_within_one_of_several_runs_is_refused_as_long_as_they_cannot_be_told_apart() {
    let mut player = twice();
    // The first run has checked and is about to note; the second one has done nothing yet.
    let (check, note) = (first(&player, "a"), first(&player, "b1"));
    approve(&mut player, check);
    approve(&mut player, note);
    let at = first(&player, "b2");
    let jump = Command::Jump {
        from: vec![at],
        to: vec!["b1".into()],
        reason: "重办".to_owned(),
    };
    let back = Command::ReturnTo {
        task: at,
        to: "b1".into(),
        resume: Resume::Again,
        reason: "重办".to_owned(),
    };
    let several = Rejection::SeveralRuns { join: "j".to_owned() };
    assert_eq!(refused(&mut player, &jump), several);
    assert_eq!(refused(&mut player, &back), several);
    // When the first run is through, the second one may be moved.
    done(&mut player, "b2");
    done(&mut player, "z");
    let note = first(&player, "b1");
    approve(&mut player, note);
    let back = Command::ReturnTo {
        task: first(&player, "b2"),
        to: "b1".into(),
        resume: Resume::Again,
        reason: "重办".to_owned(),
    };
    player.ask(&back).unwrap();
    for element in ["b1", "b2", "a", "z", "long"] {
        done(&mut player, element);
    }
    assert!(is_over(&player), "{}", player.story());
}

#[test]
fn a_return_to_a_step_beside_which_all_runs_stay_needs_not_tell_them_apart() {
    let parts = [
        start("s"),
        task("before"),
        task("long"),
        event(
            r#"boundaryEvent attachedToRef="long" cancelActivity="false""#,
            "hourly",
            &timer("timeCycle", "R3/PT1H"),
        ),
        task("x"),
        end("e"),
        end("e2"),
        flows(&["s > before > long > e", "hourly > x > e2"]),
    ];
    let mut player = started_in(world(&[process("p", &parts)]), &[]);
    done(&mut player, "before");
    player.advance(TimeDelta::hours(3)).unwrap();
    assert_eq!(open(&player), ["long", "x", "x", "x"]);
    let back = Command::ReturnTo {
        task: first(&player, "long"),
        to: "before".into(),
        resume: Resume::Again,
        reason: "重办".to_owned(),
    };
    player.ask(&back).unwrap();
    assert_eq!(open(&player), ["before"], "{}", player.story());
}
