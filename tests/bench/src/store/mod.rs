//! The store through its protocol, as the registry's own client sees it: `zhulu store serve` in a process of its own,
//! 1 KB events, every append durable before it is answered. Beside it in the same run: SQLite's bare insert and commit, and
//! what the disk does.

mod appends;
mod growth;
mod live;
mod reads;
mod served;
mod sqlite;

use served::Served;

use crate::Options;

/// Measures and prints.
pub async fn run(options: &Options) {
    let dir = tempfile::tempdir().expect("a directory");
    appends::run(dir.path()).await;
    live::run(&Served::start(&dir.path().join("live"))).await;
    let grown = dir.path().join("grown");
    growth::run(&grown.join("events"), options.ten_million).await;
    reads::run(&grown).await;
}
