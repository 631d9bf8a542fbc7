//! `./run bench [NAME…]`: what Zhulu does in a second, beside the disk and the peers, in one interleaved run.
#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a bench that cannot start should stop with the reason"
)]

mod append;
mod commands;
mod disk;
#[path = "../../../projections/src/testing/histories.rs"]
mod histories;
mod http_load;
mod measure;
mod pages;
#[cfg(feature = "peers")]
mod peers;
mod replay;
mod views;

const NAMES: &[&str] = &["append", "commands", "replay", "views", "pages"];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    #[cfg(feature = "peers")]
    if let [role, path, address] = arguments.as_slice()
        && role == "umadb-server"
    {
        return peers::umadb::serve(path, address);
    }
    let wanted: Vec<&str> = if arguments.is_empty() {
        NAMES.to_vec()
    } else {
        arguments.iter().map(String::as_str).collect()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(run(&wanted));
}

async fn run(wanted: &[&str]) {
    for name in wanted {
        match *name {
            "append" => append::run().await,
            "commands" => commands::run().await,
            "replay" => replay::run().await,
            "views" => views::run().await,
            "pages" => pages::run().await,
            other => {
                eprintln!("there is no bench {other}; there are: {}", NAMES.join(", "));
                std::process::exit(2);
            }
        }
    }
}
