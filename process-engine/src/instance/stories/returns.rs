//! 退回 to any earlier step: out of and into parallel branches, votes and sub-processes, with both ways to resume.

use chrono::TimeDelta;

use super::{approve, asked, give_back, is_over, open, refused, sketch::Sketch, started};
use crate::instance::{Command, Ending, Outcome, Rejection, Resume};

/// a, then b1 b2 beside c1 c2, then d.
fn branches() -> Sketch {
    let mut sketch = Sketch::new();
    sketch
        .line(&["start", "a", "+f", "b1", "b2", "+j", "d", "end"])
        .line(&["+f", "c1", "c2", "+j"]);
    sketch
}

#[test]
fn a_return_within_a_branch_leaves_the_other_branch_alone() {
    let mut player = started(&mut branches());
    approve(&mut player, "a");
    approve(&mut player, "b1");
    give_back(&mut player, "b2", "b1", Resume::Again);
    assert_eq!(open(&player), ["b1", "c1"]);
    for step in ["b1", "b2", "c1", "c2", "d"] {
        approve(&mut player, step);
    }
    assert!(is_over(&player));
}

#[test]
fn a_return_within_a_branch_leaves_a_token_alone_that_waits_at_the_join() {
    let mut player = started(&mut branches());
    for step in ["a", "b1", "c1", "c2"] {
        approve(&mut player, step);
    }
    give_back(&mut player, "b2", "b1", Resume::Again);
    assert_eq!(open(&player), ["b1"]);
    for step in ["b1", "b2", "d"] {
        approve(&mut player, step);
    }
    assert!(is_over(&player));
}

#[test]
fn a_return_to_before_the_fork_gives_up_all_branches_and_the_token_at_the_join() {
    let mut player = started(&mut branches());
    for step in ["a", "b1", "c1", "c2"] {
        approve(&mut player, step);
    }
    give_back(&mut player, "b2", "a", Resume::Again);
    assert_eq!(open(&player), ["a"]);
    assert!(player.state().tokens.is_empty());
    for step in ["a", "b1", "b2", "c1", "c2", "d"] {
        approve(&mut player, step);
    }
    assert!(is_over(&player));
}

#[test]
fn a_return_into_a_branch_after_the_join_lets_the_other_branch_count_as_done() {
    let mut player = started(&mut branches());
    for step in ["a", "b1", "b2", "c1", "c2"] {
        approve(&mut player, step);
    }
    give_back(&mut player, "d", "b1", Resume::Again);
    assert_eq!(open(&player), ["b1"]);
    for step in ["b1", "b2", "d"] {
        approve(&mut player, step);
    }
    assert!(is_over(&player));
    assert_eq!(player.times_done("c1"), 1);
}

#[test]
fn straight_back_leaves_everything_else_where_it_is() {
    let mut player = started(&mut branches());
    for step in ["a", "b1", "c1"] {
        approve(&mut player, step);
    }
    give_back(&mut player, "b2", "a", Resume::Straight);
    assert_eq!(open(&player), ["a", "c2"]);
    approve(&mut player, "c2");
    approve(&mut player, "a");
    // Straight back to who returned it; b1 and the fork are not done again.
    assert_eq!(open(&player), ["b2"]);
    for step in ["b2", "d"] {
        approve(&mut player, step);
    }
    assert!(is_over(&player));
    assert_eq!(player.times_done("b1"), 1);
}

#[test]
fn two_who_return_straight_to_the_same_step_share_it() {
    let mut player = started(&mut branches());
    for step in ["a", "b1", "c1"] {
        approve(&mut player, step);
    }
    give_back(&mut player, "b2", "a", Resume::Straight);
    give_back(&mut player, "c2", "a", Resume::Straight);
    assert_eq!(open(&player), ["a"]);
    approve(&mut player, "a");
    assert_eq!(open(&player), ["b2", "c2"]);
    for step in ["b2", "c2", "d"] {
        approve(&mut player, step);
    }
    assert!(is_over(&player));
}

#[test]
fn who_got_it_back_can_return_it_further_and_all_go_straight_back() {
    let mut sketch = Sketch::new();
    let mut player = started(sketch.line(&["start", "a", "b", "c", "end"]));
    approve(&mut player, "a");
    approve(&mut player, "b");
    give_back(&mut player, "c", "b", Resume::Straight);
    give_back(&mut player, "b", "a", Resume::Straight);
    assert_eq!(open(&player), ["a"]);
    for step in ["a", "b", "c"] {
        assert_eq!(open(&player), [step]);
        approve(&mut player, step);
    }
    assert!(is_over(&player));
}

#[test]
fn a_step_beside_can_not_be_returned_to() {
    let mut player = started(&mut branches());
    for step in ["a", "b1", "c1"] {
        approve(&mut player, step);
    }
    let task = player.task("b2", "").unwrap();
    let command = Command::ReturnTo {
        task,
        to: "c1".into(),
        resume: Resume::Again,
        reason: String::new(),
    };
    player.be("p-b2");
    assert!(matches!(refused(&mut player, &command), Rejection::StandsBeside { .. }));
}

#[test]
fn only_what_was_done_can_be_returned_to_and_what_is_done_again_counts_no_more() {
    let mut sketch = Sketch::new();
    let mut player = started(sketch.line(&["start", "a", "b", "c", "end"]));
    approve(&mut player, "a");
    approve(&mut player, "b");
    give_back(&mut player, "c", "a", Resume::Again);
    let task = player.task("a", "").unwrap();
    let command = Command::ReturnTo {
        task,
        to: "b".into(),
        resume: Resume::Again,
        reason: String::new(),
    };
    player.be("p-a");
    assert_eq!(
        refused(&mut player, &command),
        Rejection::NotDoneBefore { element: "b".to_owned() }
    );
    for step in ["a", "b", "c"] {
        approve(&mut player, step);
    }
    assert!(is_over(&player));
}

#[test]
fn a_return_into_a_vote_opens_it_again_as_a_whole() {
    let mut sketch = Sketch::new();
    let mut player = started(sketch.vote("v", "x,y,z", false, None).line(&["start", "a", "v", "b", "end"]));
    approve(&mut player, "a");
    for _ in 0..3 {
        approve(&mut player, "v");
    }
    give_back(&mut player, "b", "v", Resume::Again);
    assert_eq!(asked(&player, "v"), ["x", "y", "z"]);
    for _ in 0..3 {
        approve(&mut player, "v");
    }
    approve(&mut player, "b");
    assert!(is_over(&player));
}

#[test]
fn a_return_out_of_a_vote_gives_up_all_its_voices() {
    for resume in [Resume::Again, Resume::Straight] {
        let mut sketch = Sketch::new();
        let mut player = started(sketch.vote("v", "x,y,z", false, None).line(&["start", "a", "v", "end"]));
        approve(&mut player, "a");
        approve(&mut player, "v");
        give_back(&mut player, "v", "a", resume);
        assert_eq!(open(&player), ["a"]);
        approve(&mut player, "a");
        // Nobody's voice counts any more.
        assert_eq!(asked(&player, "v"), ["x", "y", "z"]);
        for _ in 0..3 {
            approve(&mut player, "v");
        }
        assert!(is_over(&player));
    }
}

#[test]
fn a_return_out_of_a_sub_process_gives_it_up_or_keeps_it_for_the_way_back() {
    let mut sketch = Sketch::new();
    sketch
        .level("s")
        .line(&["start-in", "i1", "i2", "end-in"])
        .end_level()
        .line(&["start", "a", "s", "b", "end"]);
    let mut again = started(&mut sketch);
    approve(&mut again, "a");
    approve(&mut again, "i1");
    let mut straight = again.clone();
    give_back(&mut again, "i2", "a", Resume::Again);
    assert_eq!(open(&again), ["a"]);
    for step in ["a", "i1", "i2", "b"] {
        approve(&mut again, step);
    }
    assert!(is_over(&again));
    give_back(&mut straight, "i2", "a", Resume::Straight);
    assert_eq!(open(&straight), ["a"]);
    for step in ["a", "i2", "b"] {
        approve(&mut straight, step);
    }
    assert!(is_over(&straight));
}

#[test]
fn a_return_into_a_sub_process_that_is_over_begins_it_in_its_midst() {
    for resume in [Resume::Again, Resume::Straight] {
        let mut sketch = Sketch::new();
        sketch
            .level("s")
            .line(&["start-in", "+fi", "i1", "i2", "+ji", "end-in"])
            .line(&["+fi", "k1", "+ji"])
            .end_level()
            .line(&["start", "a", "s", "b", "end"]);
        let mut player = started(&mut sketch);
        for step in ["a", "i1", "i2", "k1"] {
            approve(&mut player, step);
        }
        give_back(&mut player, "b", "i1", resume);
        assert_eq!(open(&player), ["i1"]);
        approve(&mut player, "i1");
        if resume == Resume::Again {
            // The branch beside it counts as done.
            assert_eq!(open(&player), ["i2"]);
            approve(&mut player, "i2");
        }
        assert_eq!(open(&player), ["b"]);
        approve(&mut player, "b");
        assert!(is_over(&player));
        assert_eq!(player.times_done("k1"), 1);
    }
}

#[test]
fn a_loop_around_the_branches_does_not_take_what_stands_beside() {
    let mut sketch = Sketch::new();
    sketch
        .line(&["start", "x0", "+f", "b1", "b2", "+j", "x1", "end"])
        .line(&["+f", "c1", "+j"])
        .flow("x1", "x0", Some("false"));
    let mut player = started(&mut sketch);
    approve(&mut player, "b1");
    give_back(&mut player, "b2", "b1", Resume::Again);
    assert_eq!(open(&player), ["b1", "c1"]);
    for step in ["b1", "b2", "c1"] {
        approve(&mut player, step);
    }
    assert!(is_over(&player));
}

#[test]
fn a_return_out_of_an_inclusive_branch_waits_for_the_same_branches_again() {
    let mut sketch = Sketch::new();
    sketch
        .line(&["start", "a", "or1", "b1", "b2", "or2", "d", "end"])
        .line(&["or1", "c1", "or2"]);
    let mut player = started(&mut sketch);
    for step in ["a", "b1", "c1"] {
        approve(&mut player, step);
    }
    give_back(&mut player, "b2", "b1", Resume::Again);
    assert_eq!(open(&player), ["b1"]);
    for step in ["b1", "b2"] {
        approve(&mut player, step);
    }
    give_back(&mut player, "d", "b2", Resume::Again);
    for step in ["b2", "d"] {
        approve(&mut player, step);
    }
    assert!(is_over(&player));
}

#[test]
fn a_refusal_goes_where_the_model_says() {
    use crate::model::OnReject;
    for (on_reject, after) in [
        (OnReject::ReturnTo("a".into()), Some("a")),
        (OnReject::End, None),
        (OnReject::GoOn, Some("c")),
    ] {
        let mut sketch = Sketch::new();
        let mut user = super::sketch::of("x");
        user.on_reject = on_reject.clone();
        let mut player = started(sketch.user("b", user).line(&["start", "a", "b", "c", "end"]));
        approve(&mut player, "a");
        player
            .complete("b", Outcome::Rejected, crate::instance::Bindings::new())
            .unwrap();
        match after {
            Some(step) => assert_eq!(open(&player), [step]),
            None => assert_eq!(player.state().ended, Some(Ending::Rejected)),
        }
    }
}

#[test]
fn the_timer_on_the_border_runs_anew_after_a_return() {
    let mut sketch = Sketch::new();
    sketch
        .user("b", super::sketch::of("x"))
        .border("late", 3, true)
        .line(&["start", "a", "b", "c", "end"])
        .line(&["late", "hurry", "end"]);
    let mut player = started(&mut sketch);
    approve(&mut player, "a");
    player.advance(TimeDelta::days(2)).unwrap();
    approve(&mut player, "b");
    give_back(&mut player, "c", "b", Resume::Again);
    player.advance(TimeDelta::days(2)).unwrap();
    assert_eq!(open(&player), ["b"]);
    player.advance(TimeDelta::days(2)).unwrap();
    assert_eq!(open(&player), ["hurry"]);
}

#[test]
fn a_border_that_ends_the_way_straight_back_gives_up_what_cannot_stand_beside_it() {
    let mut sketch = Sketch::new();
    sketch
        .user("a", super::sketch::of("x"))
        .border("late", 3, true)
        .line(&["start", "a", "+f", "b1", "+j", "d", "end"])
        .line(&["+f", "c1", "+j"])
        .line(&["late", "hurry", "end"]);
    let mut player = started(&mut sketch);
    approve(&mut player, "a");
    give_back(&mut player, "b1", "a", Resume::Straight);
    assert_eq!(open(&player), ["a", "c1"]);
    player.advance(TimeDelta::days(4)).unwrap();
    assert_eq!(open(&player), ["hurry"]);
    approve(&mut player, "hurry");
    assert!(is_over(&player));
}

#[test]
fn a_return_out_of_an_event_sub_process_that_interrupted_lets_its_event_happen_again() {
    let mut sketch = Sketch::new();
    sketch
        .event_level("late", "start-late", 3, true)
        .line(&["start-late", "hurry", "end-late"])
        .end_level()
        .line(&["start", "a", "+f", "b1", "+j", "d", "end"])
        .line(&["+f", "c1", "+j"]);
    let mut player = started(&mut sketch);
    approve(&mut player, "a");
    approve(&mut player, "b1");
    player.advance(TimeDelta::days(4)).unwrap();
    assert_eq!(open(&player), ["hurry"]);
    give_back(&mut player, "hurry", "b1", Resume::Again);
    assert_eq!(open(&player), ["b1"]);
    player.advance(TimeDelta::days(4)).unwrap();
    assert_eq!(open(&player), ["hurry"]);
    give_back(&mut player, "hurry", "a", Resume::Again);
    for step in ["a", "b1", "c1", "d"] {
        approve(&mut player, step);
    }
    assert!(is_over(&player));
}
