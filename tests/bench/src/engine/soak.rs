//! `./run bench engine --soak`: random models and random paths through them, as the tests try a few of.

use std::time::Instant;

use process_engine::testing::random;

use crate::measure::{heading, line, number};

/// How many seeds are tried.
const SEEDS: u64 = 100_000;
/// After so many it is said how far it is.
const AT_ONCE: u64 = 10_000;

/// Tries all seeds from one on and prints what failed; the whole story of the first.
pub fn run(first: u64) {
    heading("Random processes");
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let begin = Instant::now();
    let (mut acts, mut events, mut failed) = (0, 0, Vec::new());
    let end = first + SEEDS;
    let mut next = first;
    while next < end {
        let until = (next + AT_ONCE - next % AT_ONCE).min(end);
        match random::soak(next..until, threads) {
            Ok(tried) => {
                acts += tried.acts;
                events += tried.events;
                next = until;
            }
            Err(failure) => {
                if failed.is_empty() {
                    println!("{failure}");
                }
                // What stands between the last look and the failure was tried and is not counted again.
                next = failure.seed + 1;
                failed.push(failure.seed);
            }
        }
        eprintln!("    {next} seeds, {} failed", failed.len());
    }
    #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let rate = SEEDS as f64 / begin.elapsed().as_secs_f64();
    line(
        "seeds, each a model and a path (seeds/s)",
        &number(rate),
        &format!("{SEEDS} in all"),
    );
    line(
        "acts and events that were compared with a replay",
        &format!("{acts}, {events}"),
        "",
    );
    line(
        "seeds for which something is not true",
        &failed.len().to_string(),
        &format!("{failed:?}"),
    );
}
