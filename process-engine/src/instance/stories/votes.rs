//! 会签, 或签, 票签, 依次审批.

use super::{approve, asked, is_over, open, refused, sketch::Sketch, started};
use crate::{
    expression::Expression,
    instance::{Command, Event, Outcome, Rejection, Tally},
    model::VoteRule,
};

use Outcome::{Abstained, Approved, Rejected};

/// A vote of five, then who is next.
fn vote(rule: Option<VoteRule>, sequential: bool) -> crate::testing::Player {
    let mut sketch = Sketch::new();
    let ways = sketch
        .vote("v", "a,b,c,d,e", sequential, rule)
        .line(&["start", "v", "x1"])
        .flow("x1", "no", Some("outcome = \"rejected\""))
        .line(&["x1", "yes", "end"])
        .line(&["no", "end"]);
    started(ways)
}

/// Votes in order; says after how many it was over, and with what.
fn cast(rule: Option<VoteRule>, voices: &[Outcome]) -> (usize, Option<bool>) {
    let mut player = vote(rule, false);
    for (count, voice) in voices.iter().enumerate() {
        player.complete("v", voice.clone(), super::Bindings::new()).unwrap();
        let closed = player.events().iter().rev().find_map(|event| match event {
            Event::VoteClosed { passed, .. } => Some(*passed),
            _ => None,
        });
        if closed.is_some() {
            assert!(player.tasks("v").is_empty(), "whoever has not voted is not asked any more");
            return (count + 1, closed);
        }
    }
    (voices.len(), None)
}

#[test]
fn all_must_agree_and_the_first_refusal_ends_it() {
    let all = |voices: &[Outcome]| cast(Some(VoteRule::All), voices);
    assert_eq!(all(&[Approved, Approved, Approved, Approved]), (4, None));
    assert_eq!(all(&[Approved, Approved, Approved, Approved, Approved]), (5, Some(true)));
    assert_eq!(all(&[Approved, Rejected]), (2, Some(false)));
    // Whoever abstains is left out of the count.
    assert_eq!(all(&[Approved, Abstained, Abstained, Abstained, Abstained]), (5, Some(true)));
    assert_eq!(
        all(&[Abstained, Abstained, Abstained, Abstained, Abstained]),
        (5, Some(false))
    );
}

#[test]
fn one_decision_is_enough_where_one_is_asked_for() {
    let any = |voices: &[Outcome]| cast(Some(VoteRule::Any), voices);
    assert_eq!(any(&[Approved]), (1, Some(true)));
    assert_eq!(any(&[Abstained, Rejected]), (2, Some(false)));
}

#[test]
fn a_ratio_is_over_as_soon_as_it_is_reached_or_out_of_reach() {
    let ratio = |voices: &[Outcome]| cast(Some(VoteRule::Ratio { percent: 60 }), voices);
    assert_eq!(ratio(&[Approved, Rejected, Approved, Approved]), (4, Some(true)));
    assert_eq!(ratio(&[Rejected, Rejected, Abstained]), (3, Some(false)));
    assert_eq!(ratio(&[Rejected, Rejected, Approved, Approved]), (4, None));
}

#[test]
fn one_refusal_is_a_veto() {
    let veto = |voices: &[Outcome]| cast(Some(VoteRule::Veto { percent: 60 }), voices);
    assert_eq!(veto(&[Approved, Approved, Rejected]), (3, Some(false)));
    assert_eq!(veto(&[Approved, Approved, Approved]), (3, Some(true)));
}

#[test]
fn a_condition_counts_voices_apart() {
    let rule = VoteRule::Feel {
        pass: Expression::compile("approvals >= 2 and rejections = 0").unwrap(),
        fail: Some(Expression::compile("rejections >= 2").unwrap()),
    };
    assert_eq!(cast(Some(rule.clone()), &[Approved, Abstained, Approved]), (3, Some(true)));
    assert_eq!(cast(Some(rule), &[Rejected, Approved, Rejected]), (3, Some(false)));
}

#[test]
fn the_outcome_and_the_tally_are_variables_and_the_way_on_follows_them() {
    let mut player = vote(Some(VoteRule::Any), false);
    player.complete("v", Rejected, super::Bindings::new()).unwrap();
    assert_eq!(player.variable("outcome").unwrap(), "rejected");
    assert_eq!(player.variable("tally").unwrap()["rejections"], 1);
    assert_eq!(open(&player), ["no"]);
}

#[test]
fn one_after_the_other_is_asked_in_order() {
    let mut player = vote(None, true);
    for who in ["a", "b", "c", "d", "e"] {
        assert_eq!(asked(&player, "v"), [who]);
        approve(&mut player, "v");
    }
    assert_eq!(open(&player), ["yes"]);
    let mut player = vote(None, true);
    approve(&mut player, "v");
    player.complete("v", Rejected, super::Bindings::new()).unwrap();
    assert_eq!(open(&player), ["no"], "the first refusal ends it");
}

#[test]
fn a_group_is_one_voice_that_any_member_gives() {
    let mut sketch = Sketch::new();
    let mut player = started(sketch.vote("v", "role:lawyer,b", false, None).line(&["start", "v", "end"]));
    let task = player.task("v", "role:lawyer").unwrap();
    player.be("zhao");
    assert!(matches!(
        refused(&mut player, &super::decide(task, Approved)),
        Rejection::NotYours { .. }
    ));
    player.in_groups(&["role:lawyer"]);
    player.ask(&super::decide(task, Approved)).unwrap();
    approve(&mut player, "v");
    assert!(is_over(&player));
}

#[test]
fn a_vote_knows_no_other_words_than_for_against_and_neither() {
    let mut player = vote(None, false);
    let task = player.task("v", "a").unwrap();
    player.be("a");
    let command = super::decide(task, Outcome::Other("later".to_owned()));
    assert!(matches!(refused(&mut player, &command), Rejection::NoSuchOutcome { .. }));
}

#[test]
fn one_more_voice_changes_what_is_needed() {
    let mut player = vote(Some(VoteRule::Ratio { percent: 60 }), false);
    approve(&mut player, "v");
    approve(&mut player, "v");
    let task = player.task("v", "c").unwrap();
    player.be("c");
    let add = |who: &str| Command::AddApprover {
        task,
        person: crate::testing::person(who),
        reason: "专业意见".to_owned(),
    };
    player.ask(&add("f")).unwrap();
    assert!(matches!(refused(&mut player, &add("a")), Rejection::AskedAlready { .. }));
    approve(&mut player, "v");
    assert!(!player.tasks("v").is_empty(), "three of six are not enough");
    approve(&mut player, "v");
    assert_eq!(open(&player), ["yes"]);
}

#[test]
fn one_voice_fewer_can_end_the_vote() {
    let mut player = vote(Some(VoteRule::Ratio { percent: 60 }), false);
    approve(&mut player, "v");
    approve(&mut player, "v");
    let task = player.task("v", "c").unwrap();
    player.be("c");
    let remove = |who: &str| Command::RemoveApprover {
        task,
        person: crate::testing::person(who),
        reason: "回避".to_owned(),
    };
    assert!(
        matches!(refused(&mut player, &remove("a")), Rejection::NotAsked { .. }),
        "has voted"
    );
    player.ask(&remove("d")).unwrap();
    assert_eq!(asked(&player, "v"), ["c", "e"], "two of four are not enough");
    player.ask(&remove("e")).unwrap();
    assert_eq!(open(&player), ["yes"], "two of three are");
    let tally = Tally {
        approvals: 2,
        total: 3,
        ..Tally::default()
    };
    let is_closed = |event: &Event| matches!(event, Event::VoteClosed { tally: counted, .. } if *counted == tally);
    assert!(player.events().iter().any(is_closed));
}

#[test]
fn somebody_joins_and_leaves_a_sequence() {
    let mut player = vote(None, true);
    approve(&mut player, "v");
    let task = player.task("v", "b").unwrap();
    player.be("b");
    let person = crate::testing::person;
    player
        .ask(&Command::AddApprover {
            task,
            person: person("f"),
            reason: String::new(),
        })
        .unwrap();
    for who in ["c", "d"] {
        player
            .ask(&Command::RemoveApprover {
                task,
                person: person(who),
                reason: String::new(),
            })
            .unwrap();
    }
    for who in ["b", "e", "f"] {
        assert_eq!(asked(&player, "v"), [who]);
        approve(&mut player, "v");
    }
    assert_eq!(open(&player), ["yes"]);
}

#[test]
fn who_is_asked_now_can_be_taken_out_of_a_sequence() {
    let mut player = vote(None, true);
    let task = player.task("v", "a").unwrap();
    player.be("a");
    player
        .ask(&Command::RemoveApprover {
            task,
            person: crate::testing::person("a"),
            reason: "回避".to_owned(),
        })
        .unwrap();
    assert_eq!(asked(&player, "v"), ["b"]);
}

#[test]
fn a_voice_is_taken_back_while_the_vote_is_open() {
    for sequential in [false, true] {
        let mut player = vote(None, sequential);
        approve(&mut player, "v");
        let first = player.state().decisions[0].clone();
        player.be("a");
        player
            .ask(&Command::WithdrawDecision {
                task: first.task,
                reason: "看错了".to_owned(),
            })
            .unwrap();
        if sequential {
            assert_eq!(asked(&player, "v"), ["a"]);
        } else {
            assert_eq!(asked(&player, "v"), ["b", "c", "d", "e", "a"]);
        }
        for _ in 0..5 {
            approve(&mut player, "v");
        }
        assert_eq!(open(&player), ["yes"]);
        assert_eq!(player.variable("tally").unwrap()["approvals"], 5);
    }
}
