//! 撤回, 撤销, 自由跳转.

use super::{approve, is_over, open, refused, sketch::Sketch, started};
use crate::{
    instance::{Command, Ending, Key, Rejection},
    testing::Player,
};

fn branches() -> Player {
    let mut sketch = Sketch::new();
    sketch
        .line(&["start", "a", "+f", "b1", "b2", "+j", "d", "end"])
        .line(&["+f", "c1", "c2", "+j"]);
    started(&mut sketch)
}

fn decision_at(player: &Player, element: &str) -> Key {
    let decisions = player.state().decisions.iter().rev();
    decisions
        .filter(|decision| &*decision.element == element)
        .map(|decision| decision.task)
        .next()
        .unwrap()
}

fn withdraw(player: &Player, element: &str) -> Command {
    Command::WithdrawDecision {
        task: decision_at(player, element),
        reason: "有误".to_owned(),
    }
}

fn jump(player: &mut Player, from: &[&str], to: &[&str]) -> Result<(), Rejection> {
    let keys = from.iter().map(|element| player.task(element, "").unwrap()).collect();
    let command = Command::Jump {
        from: keys,
        to: to.iter().copied().map(Into::into).collect(),
        reason: "督办".to_owned(),
    };
    match player.be("admin").administrator(true).ask(&command) {
        Ok(_) => Ok(()),
        Err(crate::testing::NotPlayed::Refused(rejection)) => Err(rejection),
        Err(other) => panic!("{other}"),
    }
}

fn finish(player: &mut Player, steps: &[&str]) {
    player.administrator(false);
    for step in steps {
        approve(player, step);
    }
    assert!(is_over(player), "{:?}", open(player));
}

#[test]
fn who_decided_takes_it_back_before_anybody_decided_after() {
    let mut player = branches();
    approve(&mut player, "a");
    let command = withdraw(&player, "a");
    assert!(matches!(refused(player.be("p-d"), &command), Rejection::NotYours { .. }));
    player.be("p-a").ask(&command).unwrap();
    assert_eq!(open(&player), ["a"]);
    assert!(
        matches!(refused(&mut player, &command), Rejection::CannotWithdraw { .. }),
        "once"
    );
    approve(&mut player, "a");
    approve(&mut player, "b1");
    let command = withdraw(&player, "a");
    assert!(matches!(
        refused(player.be("p-a"), &command),
        Rejection::CannotWithdraw { .. }
    ));
}

#[test]
fn what_was_decided_beside_does_not_stand_in_the_way() {
    let mut player = branches();
    for step in ["a", "b1", "c1"] {
        approve(&mut player, step);
    }
    let command = withdraw(&player, "b1");
    player.be("p-b1").ask(&command).unwrap();
    assert_eq!(open(&player), ["b1", "c2"]);
    finish(&mut player, &["b1", "b2", "c2", "d"]);
}

#[test]
fn the_last_voice_of_a_vote_that_is_over_opens_it_again_when_it_is_taken_back() {
    let mut sketch = Sketch::new();
    let mut player = started(sketch.vote("v", "x,y", false, None).line(&["start", "v", "b", "end"]));
    approve(&mut player, "v");
    approve(&mut player, "v");
    let command = withdraw(&player, "v");
    player.be("y").ask(&command).unwrap();
    assert_eq!(open(&player), ["v", "v"]);
    finish(&mut player, &["v", "v", "b"]);
}

#[test]
fn who_started_it_takes_it_back_before_anybody_decided() {
    let mut player = branches();
    let revoke = Command::Revoke {
        reason: "不办了".to_owned(),
    };
    assert_eq!(refused(player.be("wang"), &revoke), Rejection::NotTheStarter);
    let mut other = player.clone();
    player.be("li").ask(&revoke).unwrap();
    assert!(matches!(player.state().ended, Some(Ending::Revoked { .. })));
    approve(&mut other, "a");
    assert!(matches!(refused(other.be("li"), &revoke), Rejection::CannotWithdraw { .. }));
}

#[test]
fn a_jump_needs_an_administrator_and_a_reason() {
    let mut player = branches();
    let mut command = Command::Jump {
        from: Vec::new(),
        to: vec!["d".into()],
        reason: " ".to_owned(),
    };
    assert_eq!(refused(player.be("wang"), &command), Rejection::NotAdministrator);
    assert_eq!(refused(player.administrator(true), &command), Rejection::ReasonMissing);
    if let Command::Jump { reason, to, .. } = &mut command {
        "督办".clone_into(reason);
        *to = vec!["nowhere".into()];
    }
    assert!(matches!(refused(&mut player, &command), Rejection::NoSuchElement { .. }));
}

#[test]
fn a_jump_past_the_join_gives_up_all_branches() {
    let mut player = branches();
    for step in ["a", "c1", "c2"] {
        approve(&mut player, step);
    }
    jump(&mut player, &["b1"], &["d"]).unwrap();
    assert_eq!(open(&player), ["d"]);
    finish(&mut player, &["d"]);
}

#[test]
fn a_jump_into_one_branch_lets_the_other_count_as_done() {
    let mut player = branches();
    jump(&mut player, &["a"], &["b2"]).unwrap();
    assert_eq!(open(&player), ["b2"]);
    finish(&mut player, &["b2", "d"]);
}

#[test]
fn a_jump_into_both_branches_begins_both() {
    let mut player = branches();
    jump(&mut player, &["a"], &["b2", "c1"]).unwrap();
    assert_eq!(open(&player), ["b2", "c1"]);
    finish(&mut player, &["b2", "c1", "c2", "d"]);
}

#[test]
fn a_jump_from_one_branch_into_the_other_lets_the_first_count_as_done() {
    let mut player = branches();
    approve(&mut player, "a");
    jump(&mut player, &["b1"], &["c2"]).unwrap();
    assert_eq!(open(&player), ["c2"]);
    finish(&mut player, &["c2", "d"]);
}

#[test]
fn what_cannot_stand_side_by_side_cannot_be_jumped_to_at_once() {
    let mut player = branches();
    assert!(matches!(
        jump(&mut player, &["a"], &["b1", "d"]),
        Err(Rejection::CannotBegin { .. })
    ));
}

#[test]
fn a_jump_into_a_sub_process_begins_it_in_its_midst() {
    let mut sketch = Sketch::new();
    sketch
        .level("s")
        .line(&["start-in", "i1", "i2", "end-in"])
        .end_level()
        .line(&["start", "a", "s", "b", "end"]);
    let mut player = started(&mut sketch);
    jump(&mut player, &["a"], &["i2"]).unwrap();
    assert_eq!(open(&player), ["i2"]);
    jump(&mut player, &["i2"], &["i1"]).unwrap();
    assert_eq!(open(&player), ["i1"]);
    jump(&mut player, &[], &["i2"]).unwrap();
    assert_eq!(open(&player), ["i2"]);
    finish(&mut player, &["i2", "b"]);
}
