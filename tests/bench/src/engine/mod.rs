//! The process engine: in memory beside other engines, its past, many open instances, expressions, and durable.

mod drive;
mod durable;
mod expressions;
mod memory;
mod open;
mod past;
mod peers;
mod soak;

use crate::Options;

/// Measures and prints.
pub async fn run(options: &Options) {
    if let Some(first) = options.soak {
        return soak::run(first);
    }
    memory::run();
    past::run();
    open::run();
    expressions::run();
    durable::run().await;
}

/// The last part of it alone.
pub async fn run_durable() {
    durable::run().await;
}
