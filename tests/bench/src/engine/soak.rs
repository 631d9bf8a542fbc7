//! `./run bench engine --soak [--from SEED]`: random models and random paths through them, as the tests try a few of.

use std::{
    panic::catch_unwind,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use process_engine::testing::random;

use crate::measure::{heading, line, number};

/// How many seeds are tried.
const SEEDS: u64 = 100_000;
/// After so many it is said how far it is.
const AT_ONCE: u64 = 5_000;
/// Whoever is at the same seed when we look again after this time is slow, and the seed is named.
const LOOK: Duration = Duration::from_secs(10);
/// No seed.
const NONE: u64 = u64::MAX;

/// What was found.
#[derive(Default)]
struct Found {
    acts: u64,
    events: u64,
    failed: Vec<u64>,
    slowest: (Duration, u64),
}

/// Tries seeds until there are none left.
fn work(next: &AtomicU64, end: u64, found: &Mutex<Found>, at: &AtomicU64) {
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end {
            return at.store(NONE, Ordering::Relaxed);
        }
        at.store(seed, Ordering::Relaxed);
        let begin = Instant::now();
        let tried = catch_unwind(|| random::check(seed).map_err(|failure| failure.to_string()));
        let took = begin.elapsed();
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        match tried.unwrap_or_else(|_| Err(format!("seed {seed}: it panics"))) {
            Ok(tried) => {
                found.acts += tried.acts;
                found.events += tried.events;
            }
            Err(story) => {
                if found.failed.is_empty() {
                    println!("{story}");
                }
                found.failed.push(seed);
            }
        }
        found.slowest = found.slowest.max((took, seed));
        if (seed + 1).is_multiple_of(AT_ONCE) {
            eprintln!("    up to seed {seed}, {} failed", found.failed.len());
        }
    }
}

/// Names the seeds that take long, until all are done.
fn watch(at: &[AtomicU64]) {
    let mut before = Vec::new();
    loop {
        std::thread::sleep(LOOK);
        let now: Vec<u64> = at.iter().map(|at| at.load(Ordering::Relaxed)).collect();
        if now.iter().all(|seed| *seed == NONE) {
            return;
        }
        for seed in now.iter().filter(|seed| **seed != NONE && before.contains(*seed)) {
            eprintln!("    seed {seed} takes long");
        }
        before = now;
    }
}

/// Tries all seeds from one on and prints what failed; the whole story of the first.
pub fn run(first: u64) {
    heading("Random processes");
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let begin = Instant::now();
    let (next, found) = (AtomicU64::new(first), Mutex::<Found>::default());
    let at: Vec<AtomicU64> = (0..threads).map(|_| AtomicU64::new(first)).collect();
    let mut took = Duration::ZERO;
    std::thread::scope(|scope| {
        let working: Vec<_> = at
            .iter()
            .map(|at| scope.spawn(|| work(&next, first + SEEDS, &found, at)))
            .collect();
        scope.spawn(|| watch(&at));
        for one in working {
            let _ = one.join();
        }
        took = begin.elapsed();
    });
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let rate = SEEDS as f64 / took.as_secs_f64();
    line(
        "seeds, each a model and a path (seeds/s)",
        &number(rate),
        &format!(
            "{SEEDS} in all; the slowest was {} in {:.1?}",
            found.slowest.1, found.slowest.0
        ),
    );
    line(
        "acts, and events that were compared with a replay",
        &format!("{}, {}", found.acts, found.events),
        "",
    );
    line(
        "seeds for which something is not true",
        &found.failed.len().to_string(),
        &format!("{:?}", found.failed),
    );
}
