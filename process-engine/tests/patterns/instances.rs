//! Several instances of one activity.

use process_engine::instance::{Bindings, Command, Outcome};
use serde_json::json;

use process_engine::testing::person;

use crate::Story;

#[test]
fn wcp12_instances_are_begun_one_after_the_other_and_nobody_waits_for_them() {
    let mut story = Story::of("wcp12_mi_without_synchronization", &[("number", json!(3))]);
    story
        .open(&["notify", "notify", "notify", "register"])
        .done("register")
        .runs();
    story.done("notify").done("notify").done("notify").ended();
}

#[test]
fn wcp13_three_instances_as_the_model_says_are_waited_for() {
    let mut story = Story::of("wcp13_mi_known_at_design_time", &[]);
    story
        .open(&["inspect", "inspect", "inspect"])
        .done("inspect")
        .done("inspect")
        .open(&["inspect"]);
    story.done("inspect").open(&["report"]).done("report").ended();
}

#[test]
fn wcp14_as_many_instances_as_there_are_buildings_are_waited_for() {
    let buildings = json!(["1#", "2#", "3#", "4#"]);
    let mut story = Story::of("wcp14_mi_known_at_run_time", &[("buildings", buildings)]);
    story.open(&["inspect"; 4]);
    (0..4).for_each(|_| _ = story.done("inspect"));
    story.open(&["report"]);
}

#[test]
fn wcp15_one_more_instance_is_added_while_the_others_run() {
    let mut story = Story::of("wcp15_mi_not_known_before", &[]);
    story.open(&["countersign"; 3]);
    add(&mut story, "zhao");
    story.open(&["countersign"; 4]);
    (0..3).for_each(|_| _ = story.done("countersign"));
    story.open(&["countersign"]).done("countersign").open(&["issue"]);
}

/// 并加签
fn add(story: &mut Story, whom: &str) {
    let task = story.0.task("countersign", "").unwrap();
    let asked = story.0.state().tasks.get(&task).and_then(|task| task.assignee.clone());
    story.0.be(asked.as_ref().map_or("zhang", |person| &person.id));
    let command = Command::AddApprover {
        task,
        person: person(whom),
        reason: "请消防一并会签".to_owned(),
    };
    let added = story.0.ask(&command).map(|_| ()).map_err(|why| why.to_string());
    story.went(&added);
}

#[test]
fn wcp26_all_instances_are_given_up_at_once() {
    let mut story = Story::of("wcp26_cancel_mi_activity", &[]);
    story
        .done("inspect")
        .open(&["inspect", "inspect"])
        .message("stop")
        .open(&[])
        .ended();
    assert_eq!(story.0.times_done("report"), 0);
}

#[test]
fn wcp27_the_instances_that_are_left_are_given_up_and_the_work_goes_on() {
    let mut story = Story::of("wcp27_complete_mi_activity", &[]);
    story
        .done("inspect")
        .message("enough")
        .open(&["report"])
        .done("report")
        .ended();
}

#[test]
fn wcp34_two_of_three_begin_the_next_step_and_the_third_may_still_be_done() {
    let mut story = Story::of("wcp34_static_partial_join_for_mi", &[]);
    story
        .done("opine")
        .open(&["opine", "opine"])
        .done("opine")
        .open(&["decide", "opine"]);
    story.done("opine").open(&["decide"]).done("decide").ended();
}

#[test]
fn wcp35_two_of_three_begin_the_next_step_and_the_third_is_given_up() {
    let mut story = Story::of("wcp35_cancelling_partial_join_for_mi", &[]);
    story.done("opine").done("opine").open(&["decide"]).done("decide").ended();
}

#[test]
fn wcp36_how_many_are_enough_changes_with_how_many_are_asked() {
    let mut three = Story::of("wcp36_dynamic_partial_join_for_mi", &[]);
    three.done("countersign").done("countersign").open(&["issue"]);
    // Of five, two are not sixty in a hundred.
    let mut five = Story::of("wcp36_dynamic_partial_join_for_mi", &[]);
    add(&mut five, "zhao");
    add(&mut five, "chen");
    five.done("countersign").done("countersign").open(&["countersign"; 3]);
    five.done("countersign").open(&["issue"]);
    five.0.complete("issue", Outcome::Approved, Bindings::new()).unwrap();
    five.ended();
}
