//! How fast the whole log is read: in this process, and through gRPC.

use std::{path::Path, time::Instant};

use event_store_contract::{EventStore as _, Filter, MAX_EVENTS_PER_READ};
use event_store_embedded::EmbeddedStore;
use kurrentdb::{ReadAllOptions, StreamPosition};

use super::{served::Served, sqlite};
use crate::measure::{heading, line, median, number};

/// How often everything is measured in turn.
const ROUNDS: usize = 3;

pub(super) async fn run(data: &Path) {
    heading("Store: reading the whole log (events/s)");
    let events = data.join("events");
    let (mut raw, mut bare, mut inside, mut outside) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let file = events.join("events.sqlite");
        raw.push(megabytes_per_second(&file));
        bare.push(sqlite::rows_per_second(&file));
        inside.push(in_process(&events).await);
        outside.push(through_grpc(data).await);
    }
    let bare = median(bare);
    line(
        "disk: the file, from the cache where it is there",
        &format!("{} MB/s", number(median(raw))),
        "",
    );
    line("SQLite: a walk along the table, each byte looked at", &number(bare), "");
    for (name, rates, goal) in [
        ("in process, checksums verified", inside, "800,000"),
        ("through gRPC", outside, "500,000"),
    ] {
        let rate = median(rates);
        line(name, &number(rate), &format!("{:.2} of SQLite (goal {goal})", rate / bare));
    }
}

async fn in_process(events: &Path) -> f64 {
    let store = EmbeddedStore::open_read_only(events).expect("a store");
    let begin = Instant::now();
    let (mut after, mut count) = (None, 0);
    loop {
        let page = store
            .read_all(after, MAX_EVENTS_PER_READ, &Filter::all())
            .await
            .expect("a page");
        count += page.events.len();
        after = page.position;
        if page.end {
            return rate(count, begin);
        }
    }
}

async fn through_grpc(data: &Path) -> f64 {
    let served = Served::start(data);
    let client = served.client();
    let options = ReadAllOptions::default().position(StreamPosition::Start);
    let begin = Instant::now();
    let mut events = client.read_all(&options).await.expect("a reading");
    let mut count = 0;
    while events.next().await.expect("an event").is_some() {
        count += 1;
    }
    rate(count, begin)
}

fn megabytes_per_second(file: &Path) -> f64 {
    use std::io::Read as _;
    let mut file = std::fs::File::open(file).expect("a file");
    let mut buffer = vec![0; 1024 * 1024];
    let begin = Instant::now();
    let mut total = 0;
    loop {
        let read = file.read(&mut buffer).expect("bytes");
        if read == 0 {
            return rate(total, begin) / 1e6;
        }
        total += read;
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn rate(count: usize, begin: Instant) -> f64 {
    count as f64 / begin.elapsed().as_secs_f64()
}
