//! Triggers from outside.

use process_engine::{
    instance::{Bindings, Command, Outcome, StartedBy},
    testing::Simulation,
};

use crate::{Story, world};

#[test]
fn wcp23_a_signal_that_nobody_waits_for_is_lost() {
    let mut story = Story::of("wcp23_transient_trigger", &[]);
    let _ = story.0.signal("alarm", Bindings::new());
    story.done("prepare").open(&[]).runs();
    story.0.signal("alarm", Bindings::new()).unwrap();
    story.open(&["evacuate"]).done("evacuate").ended();
}

#[test]
fn wcp24_a_message_that_came_too_early_is_kept_until_it_is_waited_for() {
    let world = world("wcp24_persistent_trigger");
    let mut all = Simulation::new(&world);
    let at = all
        .start("wcp24_persistent_trigger", Bindings::new(), StartedBy::Somebody)
        .unwrap();
    all.send("payment", None, Bindings::new()).unwrap();
    let task = all.players()[at].task("prepare", "").unwrap();
    all.ask(
        at,
        &Command::CompleteTask {
            task,
            outcome: Outcome::Approved,
            said: process_engine::instance::Said::default(),
            form: Bindings::new(),
            chosen: Vec::new(),
        },
    )
    .unwrap();
    assert_eq!(all.players()[at].tasks("issue").len(), 1, "{}", all.players()[at].story());
}
