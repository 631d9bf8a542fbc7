//! The past of processes: events read from their stored form and folded.

use std::time::Instant;

use decider::{Decider as _, stored};
use process_engine::instance::{Event, Instance, ProcessInstance};

use crate::{
    engine::drive::Driver,
    measure::{heading, line, median, number},
};

/// How often everything is measured in turn.
const ROUNDS: usize = 5;
/// How many instances are replayed.
const INSTANCES: usize = 20_000;

/// Folds every history; says how many events there were in a second.
fn rate(events: usize, mut fold: impl FnMut() -> Instance) -> f64 {
    let begin = Instant::now();
    for _ in 0..INSTANCES {
        assert!(fold().ended.is_some(), "the replay comes to the end");
    }
    #[allow(clippy::cast_precision_loss, reason = "counts of events are far below 2^52")]
    let rate = (events * INSTANCES) as f64 / begin.elapsed().as_secs_f64();
    rate
}

/// Measures and prints.
pub fn run() {
    heading("Replay of processes, one core");
    let events = Driver::new().history();
    let kept: Vec<(String, Vec<u8>)> = events
        .iter()
        .map(|event| stored::encode(event).expect("a stored form"))
        .collect();
    let bytes: usize = kept.iter().map(|(_, data)| data.len()).sum();
    let (mut read, mut folded) = (vec![], vec![]);
    for _ in 0..ROUNDS {
        read.push(rate(events.len(), || {
            kept.iter().fold(Instance::default(), |mut state, (name, data)| {
                let event: Event = stored::decode(name, data).expect("a readable event");
                ProcessInstance::evolve(&mut state, &event);
                state
            })
        }));
        folded.push(rate(events.len(), || decider::replay::<ProcessInstance>(&events)));
    }
    line(
        &format!("events of {} bytes read and folded (events/s)", bytes / events.len()),
        &number(median(read)),
        "(goal 500,000/s)",
    );
    line("folded only (events/s)", &number(median(folded)), "");
}
