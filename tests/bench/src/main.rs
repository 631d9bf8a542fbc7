//! `./run bench [NAME…] [--phases] [--keep DIRECTORY] [--ten-million] [--soak [--from SEED]]`: what Zhulu does in a second,
//! beside the disk and the peers, in one interleaved run. With `--phases` the benches of commands and views tell where the
//! time goes; with `--keep` the views' log is kept, so that the next run need not write it again; with `--ten-million` the
//! store grows that far; with `--soak` the process engine is tried on 100,000 random models instead of being measured.
#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a bench that cannot start should stop with the reason"
)]
#![allow(unreachable_pub, reason = "nobody stands outside of a program")]

use std::path::PathBuf;

mod append;
mod commands;
mod disk;
mod engine;
#[path = "../../../projections/src/testing/histories.rs"]
mod histories;
mod http_load;
mod measure;
mod pages;
#[cfg(feature = "peers")]
mod peers;
mod processor;
mod replay;
mod store;
mod views;

const NAMES: &[&str] = &["append", "commands", "replay", "views", "pages", "store", "engine"];

/// The allocator that the program has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What was asked for beside the names of benches.
#[derive(Debug, Default)]
struct Options {
    /// Tell where the time goes.
    phases: bool,
    /// Where the views' log is kept between runs.
    keep: Option<PathBuf>,
    /// Let the store grow to ten million events.
    ten_million: bool,
    /// Try the process engine on random models: with seeds from here on.
    soak: Option<u64>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    #[cfg(feature = "peers")]
    if let [role, path, address] = arguments.as_slice()
        && role == "umadb-server"
    {
        return peers::umadb::serve(path, address);
    }
    let mut options = Options::default();
    let mut wanted = Vec::new();
    let mut rest = arguments.iter().map(String::as_str);
    while let Some(argument) = rest.next() {
        match argument {
            "--phases" => options.phases = true,
            "--ten-million" => options.ten_million = true,
            "--soak" => options.soak = Some(0),
            "--from" => options.soak = rest.next().and_then(|seed| seed.parse().ok()),
            "--keep" => options.keep = rest.next().map(PathBuf::from),
            name => wanted.push(name),
        }
    }
    if wanted.is_empty() {
        wanted = NAMES.to_vec();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(run(&wanted, &options));
}

async fn run(wanted: &[&str], options: &Options) {
    for name in wanted {
        match *name {
            "append" => append::run().await,
            "commands" => commands::run(options).await,
            "replay" => replay::run().await,
            "views" => views::run(options).await,
            "pages" => pages::run().await,
            "store" => store::run(options).await,
            "engine" => engine::run(options).await,
            // The last part of it alone.
            "engine-durable" => engine::run_durable().await,
            other => {
                eprintln!("there is no bench {other}; there are: {}", NAMES.join(", "));
                std::process::exit(2);
            }
        }
    }
}
