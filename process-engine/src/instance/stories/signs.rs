//! 前加签, 后加签, and taking back who was asked besides.

use super::{approve, decide, is_over, open, people, refused, sketch::Sketch, started};
use crate::{
    instance::{Command, Event, Key, Outcome, Rejection, SignPlace},
    testing::Player,
};

use Outcome::{Approved, Rejected};
use SignPlace::{After, Before};

/// Wang has it.
fn task() -> (Player, Key) {
    let mut sketch = Sketch::new();
    let mut player = started(sketch.user("a", super::sketch::of("wang")).line(&["start", "a", "b", "end"]));
    let task = player.task("a", "wang").unwrap();
    player.be("wang");
    (player, task)
}

fn sign(player: &mut Player, task: Key, place: SignPlace, who: &[&str]) -> Vec<Key> {
    let asked = player
        .ask(&Command::AddSign {
            task,
            place,
            people: people(who),
            reason: "请协助审核".to_owned(),
        })
        .unwrap();
    let opened = |event: &Event| match event {
        Event::TaskOpened { key, .. } => Some(*key),
        _ => None,
    };
    asked.iter().filter_map(opened).collect()
}

fn by(player: &mut Player, who: &str, task: Key, outcome: Outcome) {
    player.be(who).ask(&decide(task, outcome)).unwrap();
}

#[test]
fn who_is_asked_before_decides_before() {
    let (mut player, task) = task();
    let signs = sign(&mut player, task, Before, &["x", "y"]);
    assert_eq!(
        refused(&mut player, &decide(task, Approved)),
        Rejection::WaitsForSigns { task }
    );
    by(&mut player, "x", signs[0], Approved);
    by(&mut player, "y", signs[1], Rejected);
    // The refusal is known; the decision is Wang's all the same.
    let known: Vec<_> = player
        .state()
        .tasks
        .get(&task)
        .unwrap()
        .signs
        .iter()
        .map(|sign| sign.outcome.clone())
        .collect();
    assert_eq!(known, [Some(Approved), Some(Rejected)]);
    by(&mut player, "wang", task, Approved);
    assert_eq!(open(&player), ["b"]);
}

#[test]
fn who_is_asked_after_decides_after() {
    let (mut player, task) = task();
    let signs = sign(&mut player, task, After, &["x", "y"]);
    by(&mut player, "wang", task, Approved);
    assert_eq!(
        refused(&mut player, &decide(task, Approved)),
        Rejection::DecidedAlready { task }
    );
    by(&mut player, "x", signs[0], Approved);
    assert_eq!(open(&player), ["a", "a"]);
    by(&mut player, "y", signs[1], Approved);
    assert_eq!(open(&player), ["b"]);
    let decided = player
        .state()
        .decisions
        .iter()
        .map(|decision| &*decision.by.id)
        .collect::<Vec<_>>();
    assert_eq!(decided, ["wang"], "whoever was asked besides decides nothing of their own");
}

#[test]
fn a_refusal_after_refuses_the_whole() {
    let (mut player, task) = task();
    let signs = sign(&mut player, task, After, &["x", "y"]);
    by(&mut player, "wang", task, Approved);
    by(&mut player, "x", signs[0], Rejected);
    assert_eq!(open(&player), ["b"], "y is not asked any more");
    assert_eq!(player.variable("outcome").unwrap(), "rejected");
}

#[test]
fn a_refusal_waits_for_nobody() {
    let (mut player, task) = task();
    sign(&mut player, task, After, &["x"]);
    by(&mut player, "wang", task, Rejected);
    assert_eq!(player.variable("outcome").unwrap(), "rejected");
    assert_eq!(open(&player), ["b"]);
}

#[test]
fn who_is_asked_besides_can_ask_others_in_turn() {
    let (mut player, task) = task();
    let outer = sign(&mut player, task, Before, &["x"])[0];
    player.be("x");
    let inner = sign(&mut player, outer, After, &["y"])[0];
    by(&mut player, "x", outer, Approved);
    assert_eq!(
        refused(player.be("wang"), &decide(task, Approved)),
        Rejection::WaitsForSigns { task }
    );
    by(&mut player, "y", inner, Approved);
    by(&mut player, "wang", task, Approved);
    approve(&mut player, "b");
    assert!(is_over(&player));
}

#[test]
fn who_was_asked_besides_is_not_asked_any_more_and_the_work_goes_on() {
    let (mut player, task) = task();
    let remove = |who: &str| Command::RemoveApprover {
        task,
        person: crate::testing::person(who),
        reason: String::new(),
    };
    sign(&mut player, task, Before, &["x"]);
    player.ask(&remove("x")).unwrap();
    sign(&mut player, task, After, &["y", "z"]);
    by(&mut player, "wang", task, Approved);
    player.ask(&remove("y")).unwrap();
    assert_eq!(open(&player), ["a", "a"]);
    player.ask(&remove("z")).unwrap();
    assert_eq!(open(&player), ["b"]);
    assert!(matches!(refused(&mut player, &remove("z")), Rejection::NoSuchTask { .. }));
}

#[test]
fn nobody_is_asked_twice_and_no_group_is() {
    let (mut player, task) = task();
    let ask = |who: &[&str]| Command::AddSign {
        task,
        place: Before,
        people: people(who),
        reason: String::new(),
    };
    for who in [&["wang"][..], &["x", "x"]] {
        assert!(matches!(refused(&mut player, &ask(who)), Rejection::AskedAlready { .. }));
    }
    assert!(matches!(refused(&mut player, &ask(&["role:x"])), Rejection::Invalid { .. }));
    assert_eq!(refused(&mut player, &ask(&[])), Rejection::NobodyNamed);
    sign(&mut player, task, Before, &["x"]);
    assert!(matches!(refused(&mut player, &ask(&["x"])), Rejection::AskedAlready { .. }));
}

#[test]
fn a_return_takes_along_whoever_was_asked_besides() {
    let mut sketch = Sketch::new();
    let mut player = started(sketch.line(&["start", "a", "b", "end"]));
    approve(&mut player, "a");
    let task = player.task("b", "").unwrap();
    player.be("p-b");
    let outer = sign(&mut player, task, Before, &["x"])[0];
    player.be("x");
    sign(&mut player, outer, Before, &["y"]);
    // Whoever was asked besides can send it back as well.
    player
        .be("x")
        .ask(&Command::ReturnTo {
            task: outer,
            to: "a".into(),
            resume: crate::instance::Resume::Again,
            reason: String::new(),
        })
        .unwrap();
    assert_eq!(open(&player), ["a"]);
    approve(&mut player, "a");
    approve(&mut player, "b");
    assert!(is_over(&player));
}
