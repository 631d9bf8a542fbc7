//! The 43 control-flow patterns of the Workflow Patterns Initiative (workflowpatterns.com), one model and one story each.
//! What is supported and by what is told in `docs/processes/patterns.md`; a test here holds that list to the stories.

#![allow(clippy::unwrap_used, reason = "tests")]

mod branching;
mod cancelling;
mod instances;
mod iterating;
mod joining;
mod list;
mod states;
mod triggers;

use std::{path::PathBuf, sync::Arc};

use process_engine::{
    bpmn,
    instance::{Bindings, Outcome},
    testing::{Player, World},
};
use serde_json::Value;

/// The world of a pattern's model.
fn world(name: &str) -> Arc<World> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/patterns/models/{name}.bpmn"));
    let bytes = std::fs::read(&file).unwrap_or_else(|cause| panic!("{}: {cause}", file.display()));
    let read = bpmn::read(&bytes, &bpmn::ReadOptions::default()).unwrap_or_else(|refused| panic!("{name}: {refused}"));
    Arc::new(World::new().with(&read.definitions))
}

/// A story about a pattern's model.
struct Story(Player);

impl Story {
    /// Begins with these variables.
    fn of(name: &str, variables: &[(&str, Value)]) -> Self {
        let mut player = Player::new(&world(name));
        player.be("zhang").administrator(true);
        let variables: Bindings = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        if let Err(why) = player.start(name, variables) {
            panic!("{name} does not start: {why}");
        }
        Self(player)
    }

    /// Somebody approves the oldest task of an element.
    fn done(&mut self, element: &str) -> &mut Self {
        self.decided(element, Outcome::Approved)
    }

    /// Somebody decides the oldest task of an element.
    fn decided(&mut self, element: &str, outcome: Outcome) -> &mut Self {
        let done = self.0.complete(element, outcome, Bindings::new());
        self.went(&done.map_err(|why| why.to_string()));
        self
    }

    /// Only these tasks are open, in any order.
    #[track_caller]
    fn open(&mut self, expected: &[&str]) -> &mut Self {
        let mut open: Vec<String> = self.0.state().tasks.values().map(|task| task.element.to_string()).collect();
        open.sort();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(open, expected, "\n{}", self.0.story());
        self
    }

    /// A message comes.
    fn message(&mut self, name: &str) -> &mut Self {
        let done = self.0.message(name, Bindings::new()).map_err(|why| why.to_string());
        self.went(&done);
        self
    }

    #[track_caller]
    fn went<T>(&self, done: &Result<T, String>) {
        if let Err(why) = done {
            panic!("{why}\n{}", self.0.story());
        }
    }

    /// The instance has come to its end.
    #[track_caller]
    fn ended(&self) {
        assert!(self.0.state().ended.is_some(), "\n{}", self.0.story());
    }

    /// The instance has not come to its end.
    #[track_caller]
    fn runs(&self) {
        assert!(self.0.state().is_running(), "\n{}", self.0.story());
    }
}
