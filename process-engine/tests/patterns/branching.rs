//! Sequence, splits and choices.

use chrono::TimeDelta;
use serde_json::json;

use crate::Story;

#[test]
fn wcp01_one_step_begins_when_the_one_before_is_done() {
    let mut story = Story::of("wcp01_sequence", &[]);
    story
        .open(&["register"])
        .done("register")
        .open(&["review"])
        .done("review")
        .ended();
}

#[test]
fn wcp02_both_branches_of_a_parallel_split_begin() {
    let mut story = Story::of("wcp02_parallel_split", &[]);
    story
        .open(&["drainage", "fire"])
        .done("drainage")
        .open(&["fire"])
        .done("fire")
        .ended();
}

#[test]
fn wcp04_one_branch_of_an_exclusive_choice_begins() {
    Story::of("wcp04_exclusive_choice", &[("area", json!(2000))]).open(&["large"]);
    Story::of("wcp04_exclusive_choice", &[("area", json!(80))]).open(&["small"]);
}

#[test]
fn wcp06_every_branch_of_a_multi_choice_whose_condition_holds_begins() {
    let model = "wcp06_multi_choice";
    Story::of(model, &[("height", json!(30)), ("area", json!(2000))]).open(&["defence", "fire"]);
    Story::of(model, &[("height", json!(30)), ("area", json!(80))]).open(&["fire"]);
    Story::of(model, &[("height", json!(6)), ("area", json!(80))]).open(&["plain"]);
}

#[test]
fn wcp16_whatever_happens_first_chooses_and_the_other_is_not_waited_for_any_more() {
    let mut paid = Story::of("wcp16_deferred_choice", &[]);
    paid.open(&[]).message("payment").open(&["issue"]);
    paid.0.advance(TimeDelta::days(6)).unwrap();
    paid.open(&["issue"]).done("issue").ended();
    let mut late = Story::of("wcp16_deferred_choice", &[]);
    late.0.advance(TimeDelta::days(5)).unwrap();
    late.open(&["close"]);
    assert!(late.0.message("payment", crate::Bindings::new()).is_err());
}

#[test]
fn wcp42_one_step_sends_several_threads_on() {
    let mut story = Story::of("wcp42_thread_split", &[]);
    story
        .done("print")
        .open(&["post", "post", "post"])
        .done("post")
        .done("post")
        .done("post")
        .ended();
}
