//! Cycles, loops and recursion.

use process_engine::instance::Outcome;
use serde_json::json;

use crate::Story;

#[test]
fn wcp10_cycles_have_more_than_one_way_in_and_out() {
    let mut story = Story::of("wcp10_arbitrary_cycles", &[]);
    story.done("draft").decided("check", Outcome::Abstained).open(&["check"]);
    story
        .decided("check", Outcome::Rejected)
        .open(&["draft"])
        .done("draft")
        .done("check")
        .ended();
}

#[test]
fn wcp21_a_loop_is_tested_before_or_after_each_round() {
    let mut never = Story::of("wcp21_structured_loop", &[("left", json!(0))]);
    never
        .open(&["after"])
        .decided("after", Outcome::Rejected)
        .open(&["after"])
        .done("after")
        .ended();
    let mut once = Story::of("wcp21_structured_loop", &[("left", json!(1))]);
    once.open(&["before"]);
    let form = [("left".to_owned(), json!(0))].into();
    once.0.complete("before", Outcome::Approved, form).unwrap();
    once.open(&["after"]);
}

#[test]
fn wcp22_a_process_calls_itself() {
    let mut story = Story::of("wcp22_recursion", &[("depth", json!(3))]);
    story.open(&["bottom"]);
    let calls = story
        .0
        .state()
        .elements
        .values()
        .filter(|element| &*element.element == "itself")
        .count();
    assert_eq!(calls, 3, "{}", story.0.story());
    story.done("bottom").ended();
}
