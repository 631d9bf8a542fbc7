//! The process that is measured, and how an instance of it is driven: as a host drives it, command by command.

use std::sync::Arc;

use chrono::Utc;
use process_engine::{
    bpmn,
    instance::{Bindings, Command, Context, Event, Instance, Key, Outcome, Person, ProcessInstance, Said, StartedBy},
    model::ProcessRef,
    testing::{World, person},
};
use serde_json::json;

/// Start, a user task, a choice, three user tasks beside each other, a join, a user task, the end.
pub const MODEL: &str = include_str!("permit_like.bpmn");
/// The process in it.
pub const PROCESS: &str = "permit";
/// What an instance goes through: three of the ten are gateways, two are events.
pub const ELEMENTS: f64 = 10.0;
/// From its start to its end: it is started, and five tasks are finished.
pub const COMMANDS: u32 = 6;

/// Where instances live: the model, and what a command is decided with.
pub struct Driver {
    process: ProcessRef,
    context: Context,
    variables: Bindings,
    starter: Person,
}

/// An instance and how far it is.
#[derive(Clone, Default)]
pub struct Driven {
    /// Its state.
    pub instance: Instance,
    turn: u32,
}

impl Driver {
    /// Reads the model.
    pub fn new() -> Self {
        let read = bpmn::read(MODEL.as_bytes(), &bpmn::ReadOptions::default()).expect("the model is read");
        let world = World::new().with(&read.definitions);
        let process = world.newest(PROCESS).expect("the process").clone();
        Self {
            process,
            context: Context {
                now: Utc::now(),
                actor: Some(person("zhang")),
                groups: Vec::new(),
                on_behalf_of: None,
                is_administrator: false,
                seed: 0,
                outside: Arc::new(world),
            },
            variables: [("floor_area".to_owned(), json!(2_500)), ("kind".to_owned(), json!("住宅"))].into(),
            starter: person("wang"),
        }
    }

    /// What is asked next of an instance: that it starts, or that its oldest open task is finished.
    fn command(&self, instance: &Instance) -> Command {
        match instance.tasks.keys().next() {
            None => Command::Start {
                process: self.process.clone(),
                version: 1,
                starter: Some(self.starter.clone()),
                business_key: None,
                variables: self.variables.clone(),
                by: StartedBy::Somebody,
            },
            Some(task) => Command::CompleteTask {
                task: *task,
                outcome: Outcome::Approved,
                said: Said::default(),
                form: Bindings::new(),
                chosen: Vec::new(),
            },
        }
    }

    /// One command: decided and folded in. An instance that has come to its end makes room for a new one.
    pub fn step(&self, driven: &mut Driven) -> Vec<Event> {
        if driven.turn == COMMANDS {
            *driven = Driven::default();
        }
        let command = self.command(&driven.instance);
        driven.turn += 1;
        ProcessInstance::step(&mut driven.instance, &command, &self.context).expect("the command is accepted")
    }

    /// The same by the two functions of a decider: the decision on a copy, and then every event folded in.
    pub fn decide_and_evolve(&self, driven: &mut Driven) -> Vec<Event> {
        use decider::Decider as _;
        let command = self.command(&driven.instance);
        let events = ProcessInstance::decide(&driven.instance, &command, &self.context).expect("the command is accepted");
        for event in &events {
            ProcessInstance::evolve(&mut driven.instance, event);
        }
        events
    }

    /// An instance after so many commands.
    pub fn after(&self, commands: u32) -> Driven {
        let mut driven = Driven::default();
        for _ in 0..commands {
            self.step(&mut driven);
        }
        driven
    }

    /// The tasks of an instance in the order in which they are finished.
    pub fn task_keys(&self) -> Vec<Key> {
        let mut driven = Driven::default();
        let mut keys = Vec::new();
        for _ in 0..COMMANDS {
            self.step(&mut driven);
            keys.extend(driven.instance.tasks.keys().next());
        }
        keys
    }

    /// All that happens from the start of an instance to its end.
    pub fn history(&self) -> Vec<Event> {
        let mut driven = Driven::default();
        let events = (0..COMMANDS).flat_map(|_| self.step(&mut driven)).collect();
        assert!(driven.instance.ended.is_some(), "the instance has come to its end");
        events
    }
}
