//! Many open instances in memory: does a step cost more because others stand open?

use std::time::Instant;

use crate::{
    engine::drive::{COMMANDS, Driven, Driver},
    measure::{heading, line, median},
};

/// How often everything is measured in turn.
const ROUNDS: usize = 5;
/// Commands in each measurement.
const STEPS: usize = 400_000;
/// Few instances, and many.
const FEW: usize = 1_000;
const MANY: usize = 200_000;

/// Instances that stand at every step of their way.
fn stand_open(driver: &Driver, count: usize) -> Vec<Driven> {
    (1..=COMMANDS)
        .cycle()
        .take(count)
        .map(|commands| driver.after(commands))
        .collect()
}

/// Each instance in turn takes a step; one that ends makes room for a new one. Microseconds of a step.
fn step_time(driver: &Driver, instances: &mut [Driven]) -> f64 {
    let begin = Instant::now();
    let count = instances.len();
    for step in 0..STEPS {
        drop(driver.step(&mut instances[step % count]));
    }
    #[allow(clippy::cast_precision_loss, reason = "a count of steps")]
    let each = begin.elapsed().as_secs_f64() * 1e6 / STEPS as f64;
    each
}

/// Measures and prints.
pub fn run() {
    heading("Many instances open at once, one core");
    let driver = Driver::new();
    let mut few = stand_open(&driver, FEW);
    let alone: Vec<f64> = (0..ROUNDS).map(|_| step_time(&driver, &mut few)).collect();
    drop(few);
    let mut many = stand_open(&driver, MANY);
    let mut busy = stand_open(&driver, FEW);
    let (mut beside, mut turns) = (vec![], vec![]);
    for _ in 0..ROUNDS {
        beside.push(step_time(&driver, &mut busy));
        turns.push(step_time(&driver, &mut many));
    }
    let (alone, beside, turns) = (median(alone), median(beside), median(turns));
    let slower = |time: f64| format!("{:+.0} %", (time / alone - 1.0) * 100.0);
    line("a step with 1,000 open (µs)", &format!("{alone:.2}"), "");
    line(
        "a step of 1,000 while 200,000 others stand open (µs)",
        &format!("{beside:.2}"),
        &format!("{} (goal +10 %)", slower(beside)),
    );
    line(
        "a step with 200,000 open, all in turn (µs)",
        &format!("{turns:.2}"),
        &format!("{}: each is read from memory, not from the cache", slower(turns)),
    );
}
