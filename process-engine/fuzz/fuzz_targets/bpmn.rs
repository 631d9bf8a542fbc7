//! Any bytes as a process model; what is read is run.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use process_engine::{
    bpmn::{self, ReadOptions},
    instance::Bindings,
    testing::{Player, World},
};

/// How many tasks are done at the most: loops of people have no end of their own.
const MAX_TASKS: u32 = 50;

fuzz_target!(|bytes: &[u8]| {
    let Ok(read) = bpmn::read(bytes, &ReadOptions::default()) else { return };
    let world = Arc::new(World::new().with(&read.definitions));
    for process in &read.definitions.processes {
        let mut player = Player::new(&world);
        player.be("zhang").administrator(true);
        if player.start(&process.reference.process, Bindings::new()).is_ok() {
            let _ = player.complete_everything(MAX_TASKS);
        }
    }
});
