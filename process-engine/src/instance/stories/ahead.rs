//! Why here, and what next: 流程预测 and explanations.

use serde_json::json;

use super::{approve, sketch::Sketch, started};
use crate::{
    instance::{Bindings, Cause, Choice, Ending, Foreseen, MoveKind, Outcome, Resume, Step, explain, predict},
    model::OnReject,
    testing::Player,
};

/// a; then b if there is much to it, else c; then a vote.
fn drawn() -> Player {
    let mut sketch = Sketch::new();
    sketch
        .vote("v", "x,y", false, None)
        .line(&["start", "a", "x1"])
        .flow("x1", "b", Some("amount > 100"))
        .line(&["x1", "c", "v", "end"])
        .line(&["b", "v"]);
    started(&mut sketch)
}

fn foreseen(player: &Player, choices: &[Choice]) -> Vec<Step> {
    predict(player.state(), &player.context(), choices)
}

fn elements(steps: &[Step]) -> Vec<&str> {
    steps.iter().map(|step| &*step.element).collect()
}

fn amount(amount: u32) -> Choice {
    Choice {
        element: "a".into(),
        outcome: Outcome::Approved,
        form: Bindings::from([("amount".to_owned(), json!(amount))]),
        told: Bindings::new(),
    }
}

#[test]
fn what_comes_next_follows_the_conditions_and_says_who_is_asked() {
    let player = drawn();
    let steps = foreseen(&player, &[amount(500)]);
    assert_eq!(elements(&steps), ["b", "v", "p"]);
    let condition = Cause::Condition {
        element: "x1".into(),
        flow: "x1>b".into(),
        feel: Some("amount > 100".to_owned()),
    };
    assert!(steps[0].because.contains(&condition), "{:?}", steps[0].because);
    let asked = |step: &Step| match &step.what {
        Foreseen::Asked { people, all, .. } => (people.iter().map(|person| person.id.to_string()).collect(), *all),
        other => panic!("{other:?}"),
    };
    assert_eq!(asked(&steps[0]), (vec!["p-b".to_owned()], false));
    assert_eq!(asked(&steps[1]), (vec!["x".to_owned(), "y".to_owned()], true));
    assert_eq!(steps[2].what, Foreseen::Ended { how: Ending::Completed });
    assert_eq!(elements(&foreseen(&player, &[amount(50)])), ["c", "v", "p"]);
    // Nothing has happened.
    assert_eq!(super::open(&player), ["a"]);
}

#[test]
fn what_cannot_be_told_is_said_to_be_stuck() {
    let player = drawn();
    let steps = foreseen(&player, &[]);
    assert!(matches!(steps.last().unwrap().what, Foreseen::Stuck { .. }), "{steps:?}");
}

#[test]
fn a_loop_is_foreseen_once() {
    let mut sketch = Sketch::new();
    let mut user = super::sketch::of("x");
    user.on_reject = OnReject::ReturnTo("a".into());
    let player = started(sketch.user("b", user).line(&["start", "a", "b", "end"]));
    let refusal = Choice {
        element: "b".into(),
        outcome: Outcome::Rejected,
        form: Bindings::new(),
        told: Bindings::new(),
    };
    let steps = foreseen(&player, &[refusal]);
    assert_eq!(elements(&steps), ["b", "a", "b", "a"]);
}

#[test]
fn why_a_step_is_open_is_told_from_the_events() {
    let mut player = drawn();
    player.complete("a", Outcome::Approved, amount(500).form).unwrap();
    let told = explain(player.events(), &**player.world());
    let here = told.iter().find(|here| &*here.element == "b").unwrap();
    assert!(matches!(&here.because[0], Cause::Decided { by, .. } if &*by.id == "p-a"));
    assert!(matches!(&here.because[1], Cause::Condition { flow, .. } if &**flow == "x1>b"));
    super::give_back(&mut player, "b", "a", Resume::Again);
    let told = explain(player.events(), &**player.world());
    let here = told.iter().find(|here| &*here.element == "a").unwrap();
    assert!(matches!(
        &here.because[..],
        [Cause::Moved {
            kind: MoveKind::Return,
            ..
        }]
    ));
    approve(&mut player, "a");
}
