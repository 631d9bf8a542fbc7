//! Any events, in any order: they fold to some state, and commands are decided on it or refused.
#![no_main]

use std::sync::Arc;

use chrono::DateTime;
use decider::Decider;
use libfuzzer_sys::fuzz_target;
use process_engine::{
    instance::{Bindings, Command, Context, Event, ProcessInstance, ROOT},
    testing::{World, person},
};

fuzz_target!(|bytes: &[u8]| {
    let lines = bytes.split(|byte| *byte == b'\n');
    let events: Vec<Event> = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let state = decider::replay::<ProcessInstance>(&events);
    let context = Context {
        now: DateTime::from_timestamp(1_772_442_000, 0).unwrap_or_default(),
        actor: Some(person("zhang")),
        groups: Vec::new(),
        on_behalf_of: None,
        is_administrator: true,
        seed: 0,
        outside: Arc::new(World::new()),
    };
    let reason = || "试一试".to_owned();
    let mut commands = vec![
        Command::Suspend { reason: reason() },
        Command::PauseClock { reason: reason() },
        Command::ResumeClock,
        Command::Cancel { reason: reason() },
        Command::SetVariables { scope: ROOT, variables: Bindings::new(), reason: reason() },
    ];
    commands.extend(state.tasks.keys().take(3).map(|task| Command::ClaimTask { task: *task }));
    commands.extend(state.jobs.keys().take(3).map(|job| Command::CompleteJob { job: *job, result: serde_json::json!({}) }));
    commands.extend(state.waits.keys().take(3).map(|timer| Command::FireTimer { timer: *timer }));
    for command in &commands {
        if let Ok(events) = ProcessInstance::decide(&state, command, &context) {
            let mut after = state.clone();
            events.iter().for_each(|event| ProcessInstance::evolve(&mut after, event));
        }
    }
});
