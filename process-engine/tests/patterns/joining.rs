//! Merges and joins.

use process_engine::instance::Outcome;
use serde_json::json;

use crate::Story;

#[test]
fn wcp03_the_step_after_a_synchronization_begins_once_when_both_branches_are_done() {
    let mut story = Story::of("wcp03_synchronization", &[]);
    story
        .done("fire")
        .open(&["drainage"])
        .done("drainage")
        .open(&["decide"])
        .done("decide")
        .ended();
}

#[test]
fn wcp05_the_step_after_a_simple_merge_begins_whichever_branch_was_chosen() {
    for (area, branch) in [(2000, "large"), (80, "small")] {
        let mut story = Story::of("wcp05_simple_merge", &[("area", json!(area))]);
        story.done(branch).open(&["issue"]).done("issue").ended();
    }
}

#[test]
fn wcp07_a_synchronizing_merge_waits_for_the_branches_that_were_chosen_and_no_others() {
    let mut both = Story::of("wcp07_synchronizing_merge", &[("height", json!(30)), ("area", json!(2000))]);
    both.done("fire")
        .open(&["defence"])
        .done("defence")
        .open(&["issue"])
        .done("issue")
        .ended();
    let mut one = Story::of("wcp07_synchronizing_merge", &[("height", json!(30)), ("area", json!(80))]);
    one.done("fire").open(&["issue"]).done("issue").ended();
}

#[test]
fn wcp08_the_step_after_a_multi_merge_begins_once_for_each_branch() {
    let mut story = Story::of("wcp08_multi_merge", &[]);
    story
        .done("fire")
        .open(&["drainage", "inform"])
        .done("drainage")
        .open(&["inform", "inform"]);
    story.done("inform").done("inform").ended();
}

#[test]
fn wcp09_the_first_branch_goes_on_and_the_others_are_waited_for_but_begin_nothing() {
    let mut story = Story::of("wcp09_structured_discriminator", &[]);
    story.done("second").open(&["decide", "first", "third"]);
    story.done("first").done("third").open(&["decide"]).done("decide").ended();
    assert_eq!(story.0.times_done("decide"), 1);
}

#[test]
fn wcp28_what_comes_again_before_all_branches_came_is_kept_until_then() {
    let mut story = Story::of("wcp28_blocking_discriminator", &[]);
    story.open(&["first", "first", "second", "second"]);
    story.done("first").open(&["decide", "first", "second", "second"]);
    // The second thread comes over the same branch while the other branch of the first is still awaited.
    story.done("first").open(&["decide", "second", "second"]);
    story.done("second").open(&["decide", "decide", "second"]);
    story.done("second").done("decide").done("decide").ended();
}

#[test]
fn wcp30_two_of_three_branches_go_on_and_the_third_begins_nothing() {
    let mut story = Story::of("wcp30_structured_partial_join", &[]);
    story
        .done("third")
        .open(&["first", "second"])
        .done("first")
        .open(&["decide", "second"]);
    story.done("second").open(&["decide"]).done("decide").ended();
}

#[test]
fn wcp31_two_of_three_go_on_and_what_comes_again_is_kept_until_all_three_came() {
    let mut story = Story::of("wcp31_blocking_partial_join", &[]);
    story
        .done("first")
        .done("second")
        .open(&["decide", "first", "second", "third", "third"]);
    story.done("first").done("second").open(&["decide", "third", "third"]);
    story.done("third").open(&["decide", "decide", "third"]);
    story.done("third").done("decide").done("decide").ended();
}

#[test]
fn wcp33_an_and_join_keeps_further_tokens_of_a_branch_for_its_next_turn() {
    let mut story = Story::of("wcp33_generalized_and_join", &[]);
    story.done("left").done("left").open(&["right", "right"]);
    story
        .done("right")
        .open(&["decide", "right"])
        .done("right")
        .open(&["decide", "decide"]);
    story.done("decide").done("decide").ended();
}

#[test]
fn wcp37_a_local_merge_knows_what_can_still_come_through_nested_choices() {
    let model = "wcp37_local_synchronizing_merge";
    let mut expert = Story::of(model, &[("height", json!(30)), ("area", json!(9000))]);
    expert
        .open(&["expert", "fire"])
        .done("fire")
        .open(&["expert"])
        .done("expert")
        .open(&["issue"]);
    let mut skipped = Story::of(model, &[("height", json!(30)), ("area", json!(2000))]);
    skipped.open(&["fire"]).done("fire").open(&["issue"]).done("issue").ended();
}

#[test]
fn wcp38_a_general_merge_waits_as_long_as_a_loop_before_it_turns() {
    let model = "wcp38_general_synchronizing_merge";
    let mut story = Story::of(model, &[("height", json!(30)), ("area", json!(2000))]);
    story.done("defence").open(&["fire"]);
    story.decided("fire", Outcome::Rejected).open(&["fire"]);
    story.done("fire").open(&["issue"]).done("issue").ended();
}

#[test]
fn wcp41_one_step_takes_several_threads() {
    let mut story = Story::of("wcp41_thread_merge", &[]);
    story
        .done("left")
        .open(&["right"])
        .done("right")
        .open(&["decide"])
        .done("decide")
        .ended();
}
