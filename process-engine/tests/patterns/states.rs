//! What depends on the state of the process: interleaving, milestones, critical sections.

use process_engine::{
    instance::{Bindings, Command, Key},
    testing::NotPlayed,
};

use crate::Story;

fn begin(story: &mut Story, around: &str, element: &str) -> Result<(), NotPlayed> {
    let scope: Key = {
        let mut all = story.0.state().elements.iter();
        *all.find(|(_, at)| &*at.element == around).unwrap().0
    };
    let element = element.into();
    story.0.ask(&Command::BeginActivity { scope, element }).map(|_| ())
}

fn close(story: &mut Story, around: &str) {
    let scope = *story
        .0
        .state()
        .elements
        .iter()
        .find(|(_, at)| &*at.element == around)
        .unwrap()
        .0;
    story.0.ask(&Command::CompleteAdHoc { scope }).unwrap();
}

#[test]
fn wcp11_the_instance_ends_when_nothing_is_left_to_do() {
    let mut story = Story::of("wcp11_implicit_termination", &[]);
    story.done("publish").runs();
    story.done("archive").ended();
}

#[test]
fn wcp17_steps_are_done_one_at_a_time_and_some_only_after_others() {
    let mut story = Story::of("wcp17_interleaved_parallel_routing", &[]);
    assert!(begin(&mut story, "visits", "draw").is_err());
    begin(&mut story, "visits", "measure").unwrap();
    assert!(begin(&mut story, "visits", "photograph").is_err());
    story
        .open(&["measure"])
        .done("measure")
        .open(&["draw"])
        .done("draw")
        .open(&[]);
    begin(&mut story, "visits", "photograph").unwrap();
    story.done("photograph");
    close(&mut story, "visits");
    story.open(&["report"]).done("report").ended();
}

#[test]
fn wcp18_an_objection_is_taken_only_as_long_as_the_publicity_lasts() {
    let mut story = Story::of("wcp18_milestone", &[]);
    story
        .message("objection")
        .open(&["examine", "publicity"])
        .message("objection")
        .open(&["examine", "examine", "publicity"]);
    story.done("publicity").open(&["examine", "examine", "issue"]);
    assert!(story.0.message("objection", Bindings::new()).is_err());
    story.done("examine").done("examine").done("issue").ended();
}

#[test]
fn wcp39_of_two_sections_one_is_entered_only_when_the_other_was_left() {
    let mut story = Story::of("wcp39_critical_section", &[]);
    begin(&mut story, "strongroom", "seal").unwrap();
    story.open(&["take_seal"]).done("take_seal");
    assert!(begin(&mut story, "strongroom", "archive").is_err());
    story.done("return_seal").open(&[]);
    begin(&mut story, "strongroom", "archive").unwrap();
    story.open(&["take_file"]).done("take_file").done("return_file");
    close(&mut story, "strongroom");
    story.ended();
}

#[test]
fn wcp40_steps_are_done_in_any_order_but_never_two_at_a_time() {
    let mut story = Story::of("wcp40_interleaved_routing", &[]);
    for step in ["interview", "measure", "photograph"] {
        begin(&mut story, "visits", step).unwrap();
        story.open(&[step]);
        let other = if step == "measure" { "interview" } else { "measure" };
        assert!(begin(&mut story, "visits", other).is_err());
        story.done(step);
    }
    close(&mut story, "visits");
    story.open(&["report"]);
}

#[test]
fn wcp43_what_still_runs_is_given_up_when_the_end_is_reached() {
    let mut story = Story::of("wcp43_explicit_termination", &[]);
    story.done("review").open(&[]).ended();
    assert_eq!(story.0.times_done("watch"), 0);
}
