//! In memory, on one core: from the start of an instance to its end, beside the engines of other languages.

use std::time::{Duration, Instant};

use crate::{
    engine::{
        drive::{COMMANDS, Driven, Driver, ELEMENTS},
        peers,
    },
    measure::{heading, line, median, number},
};

/// How often everything is measured in turn.
const ROUNDS: usize = 5;
/// How long each measurement takes.
const TIME: Duration = Duration::from_secs(2);
/// Instances between two looks at the clock.
const AT_ONCE: u32 = 100;

/// Whole instances in a second.
fn instances_rate(mut whole: impl FnMut()) -> f64 {
    let begin = Instant::now();
    let mut instances = 0;
    while begin.elapsed() < TIME {
        (0..AT_ONCE).for_each(|_| whole());
        instances += AT_ONCE;
    }
    f64::from(instances) / begin.elapsed().as_secs_f64()
}

/// Measures and prints.
pub fn run() {
    heading("The process engine in memory, one core: start, task, choice, three tasks, join, task, end");
    let driver = Driver::new();
    let events = driver.history().len();
    let peers = peers::installed();
    let (mut stepped, mut decided) = (vec![], vec![]);
    let mut theirs = vec![vec![]; peers.len()];
    for _ in 0..ROUNDS {
        stepped.push(instances_rate(|| {
            let mut one = Driven::default();
            (0..COMMANDS).for_each(|_| drop(driver.step(&mut one)));
        }));
        decided.push(instances_rate(|| {
            let mut one = Driven::default();
            (0..COMMANDS).for_each(|_| drop(driver.decide_and_evolve(&mut one)));
        }));
        for (peer, rates) in peers.iter().zip(&mut theirs) {
            rates.push(peer.instances_rate(TIME));
        }
    }
    let stepped = median(stepped);
    let per_element = |rate: f64| 1e6 / rate / ELEMENTS;
    line(
        &format!("instances, {COMMANDS} commands and {events} events each (instances/s)"),
        &number(stepped),
        "(goal 20,000/s)",
    );
    line("an element (µs)", &format!("{:.2}", per_element(stepped)), "(goal 5)");
    let decided = median(decided);
    line(
        "the same by decide and evolve (instances/s)",
        &number(decided),
        &format!("{:.2} µs an element", per_element(decided)),
    );
    for (peer, rates) in peers.iter().zip(theirs) {
        let rate = median(rates);
        line(
            &format!("{} (instances/s)", peer.name()),
            &number(rate),
            &format!("{:.0} µs an element; Zhulu is {:.0} x", per_element(rate), stepped / rate),
        );
    }
    if peers.is_empty() {
        println!("    without the peers: they are brought by ./run bench, where Node.js and Python are");
    }
}
