//! What is given up.

use crate::Story;

#[test]
fn wcp19_a_step_is_given_up_and_another_way_is_taken() {
    let mut story = Story::of("wcp19_cancel_activity", &[]);
    story
        .open(&["review"])
        .message("withdrawal")
        .open(&["file"])
        .done("file")
        .ended();
}

#[test]
fn wcp20_the_whole_case_is_given_up() {
    let mut story = Story::of("wcp20_cancel_case", &[]);
    story.done("watch").open(&[]).ended();
}

#[test]
fn wcp25_a_region_is_given_up_and_what_is_outside_goes_on() {
    let mut story = Story::of("wcp25_cancel_region", &[]);
    story
        .open(&["inspect", "publicity", "review"])
        .done("review")
        .message("change")
        .open(&["publicity", "redraw"]);
    story.done("redraw").done("publicity").ended();
}

#[test]
fn wcp29_the_first_branch_goes_on_and_the_others_are_given_up() {
    let mut story = Story::of("wcp29_cancelling_discriminator", &[]);
    story
        .open(&["first", "second", "third"])
        .done("second")
        .open(&["decide"])
        .done("decide")
        .ended();
}

#[test]
fn wcp32_two_of_three_branches_go_on_and_the_third_is_given_up() {
    let mut story = Story::of("wcp32_cancelling_partial_join", &[]);
    story
        .done("third")
        .open(&["first", "second"])
        .done("first")
        .open(&["decide"])
        .done("decide")
        .ended();
}
