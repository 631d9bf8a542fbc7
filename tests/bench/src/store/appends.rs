//! How many durable appends of one event a second, by one caller, by 64, by 512; each call by itself, and over the client's
//! one open stream.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use kurrentdb::{BatchAppendClient, BatchAppendOptions, Client};

use super::{
    served::{Served, after, event, expecting},
    sqlite,
};
use crate::{
    append::{EVENT_BYTES, EVENTS_PER_STREAM},
    disk,
    measure::{Rate, closed_loop, heading, line, median, number},
};

/// How often everything is measured in turn.
const ROUNDS: u64 = 3;
/// How long each measurement takes.
const TIME: Duration = Duration::from_secs(3);
/// How many callers, and what is asked of each way.
const CALLERS: [(usize, &str); 3] = [(1, "(goal 2,500)"), (64, "(goal 25,000)"), (512, "(goal 30,000)")];

/// The two ways in.
#[derive(Clone)]
enum Door {
    Unary(Box<Client>),
    Batch(Arc<BatchAppendClient>),
}

pub(super) async fn run(dir: &Path) {
    heading("Store: durable appends of one 1 KB event through gRPC, the registry's client (events/s)");
    let served = Served::start(&dir.join("appends"));
    let client = served.client();
    let batch = client
        .batch_append(&BatchAppendOptions::default())
        .await
        .expect("a batch stream");
    let doors = [
        ("Append", Door::Unary(Box::new(client))),
        ("BatchAppend", Door::Batch(Arc::new(batch))),
    ];
    let (mut raw, mut bare) = (Vec::new(), Vec::new());
    let mut measured: Vec<Vec<Rate>> = vec![Vec::new(); doors.len() * CALLERS.len()];
    for round in 0..ROUNDS {
        raw.push(disk::appends_per_second(dir, EVENT_BYTES, TIME).expect("a disk"));
        bare.push(sqlite::commits_per_second(dir, TIME));
        for (at, (name, door)) in doors.iter().enumerate() {
            for (step, (callers, _)) in CALLERS.iter().enumerate() {
                let run = format!("{name}{round}x{callers}");
                measured[at * CALLERS.len() + step].push(rate(door.clone(), *callers, run).await);
            }
        }
    }
    let (raw, bare) = (median(raw), median(bare));
    line("disk: append + fdatasync, one writer", &number(raw), "");
    line("SQLite: insert + commit, one writer", &number(bare), "");
    for (at, (name, _)) in doors.iter().enumerate() {
        for (step, (callers, goal)) in CALLERS.iter().enumerate() {
            let rates = &measured[at * CALLERS.len() + step];
            let of = |figure: fn(&Rate) -> f64| median(rates.iter().map(figure).collect());
            let per_second = of(|rate| rate.per_second);
            let (p50, p99) = (of(|rate| rate.p50_ms), of(|rate| rate.p99_ms));
            line(
                &format!("{name}, {callers} callers"),
                &number(per_second),
                &format!(
                    "p50 {p50:.2} ms, p99 {p99:.2} ms; {:.2} of SQLite, {:.2} of the disk {goal}",
                    per_second / bare,
                    per_second / raw
                ),
            );
        }
    }
}

/// One append for each caller's turn, each at the revision where the caller's stream is.
async fn rate(door: Door, callers: usize, run: String) -> Rate {
    let streams = Arc::new((0..callers).map(|_| AtomicU64::new(0)).collect::<Vec<_>>());
    closed_loop(callers, TIME, move |caller, turn| {
        let (door, streams, run) = (door.clone(), Arc::clone(&streams), run.clone());
        async move {
            let before = turn % EVENTS_PER_STREAM;
            if before == 0 {
                streams[caller].fetch_add(1, Ordering::Relaxed);
            }
            let name = format!("{run}-{caller}-{}", streams[caller].load(Ordering::Relaxed));
            match door {
                Door::Unary(client) => drop(
                    client
                        .append_to_stream(name, &after(before), event())
                        .await
                        .expect("an append"),
                ),
                Door::Batch(batch) => {
                    drop(
                        batch
                            .append_to_stream(&name, expecting(before), vec![event()])
                            .await
                            .expect("an append"),
                    );
                }
            }
        }
    })
    .await
}
