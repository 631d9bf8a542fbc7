//! How fast the store is on this machine, beside what the disk can do: `cargo run --release --example append_rate`.
//!
//! Rounds of the raw disk, one writer and many writers take turns, so that all of them meet the same weather.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, missing_docs)]

use std::{
    env,
    fs::File,
    io::Write,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use event_store_contract::{Direction, EventStore, Expected, Filter, NewEvent, StreamName};
use event_store_embedded::EmbeddedStore;
use uuid::Uuid;

const EVENT_BYTES: usize = 1_024;
/// What an event of a case usually has.
const SMALL_EVENT_BYTES: usize = 300;
const SMALL_EVENTS: usize = 300_000;
const EVENTS_PER_STREAM: u64 = 10;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(2);

fn main() {
    let dir = env::args()
        .nth(1)
        .map_or_else(|| env::temp_dir().join("append_rate"), PathBuf::from);
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let store = EmbeddedStore::open(&dir.join("store")).unwrap();

    let mut figures: Vec<(&str, Vec<f64>)> = ["raw append + fdatasync", "1 writer", "8 writers", "64 writers", "512 writers"]
        .map(|name| (name, Vec::new()))
        .into();
    for round in 0..ROUNDS {
        let rates = [
            raw_disk(&dir.join(format!("raw-{round}"))),
            runtime.block_on(appends(&store, 1)),
            runtime.block_on(appends(&store, 8)),
            runtime.block_on(appends(&store, 64)),
            runtime.block_on(appends(&store, 512)),
        ];
        for ((name, figures), (rate, p50, p99)) in figures.iter_mut().zip(rates) {
            println!("round {round}  {name:<24} {rate:>9.0}/s  p50 {p50:>6.0} µs  p99 {p99:>6.0} µs");
            figures.push(rate);
        }
    }
    for (name, figures) in &mut figures {
        figures.sort_by(f64::total_cmp);
        println!(
            "median   {name:<24} {:>9.0}/s  [{:.0}–{:.0}]",
            figures[ROUNDS / 2],
            figures[0],
            figures[ROUNDS - 1]
        );
    }
    println!(
        "1 writer / raw disk: {:.2}",
        figures[1].1[ROUNDS / 2] / figures[0].1[ROUNDS / 2]
    );
    drop(store);

    let small = EmbeddedStore::open(&dir.join("small")).unwrap();
    runtime.block_on(fill(&small));
    runtime.block_on(stream_reads(&small));
    for _ in 0..ROUNDS {
        whole_log(&small);
    }
    drop((small, runtime));
    std::fs::remove_dir_all(&dir).unwrap();
}

fn event(bytes: usize) -> NewEvent {
    let data = Bytes::from(vec![b'x'; bytes]);
    NewEvent {
        id: Uuid::new_v4(),
        name: "ConstructionPermitIssued".into(),
        data,
        metadata: Bytes::from_static(b"{}"),
    }
}

/// Rate, median and 99th percentile in microseconds.
fn summary(mut took: Vec<Duration>, all: Duration) -> (f64, f64, f64) {
    took.sort_unstable();
    let at = |share: usize| took[took.len() * share / 100].as_secs_f64() * 1e6;
    (took.len() as f64 / all.as_secs_f64(), at(50), at(99))
}

fn raw_disk(path: &PathBuf) -> (f64, f64, f64) {
    let mut file = File::create(path).unwrap();
    let bytes = vec![b'x'; EVENT_BYTES];
    let (begun, mut took) = (Instant::now(), Vec::new());
    while begun.elapsed() < ROUND {
        let before = Instant::now();
        file.write_all(&bytes).unwrap();
        file.sync_data().unwrap();
        took.push(before.elapsed());
    }
    let all = begun.elapsed();
    std::fs::remove_file(path).unwrap();
    summary(took, all)
}

/// Each writer appends one event at a time to a stream of its own, and takes a new one after ten.
async fn appends(store: &EmbeddedStore, writers: usize) -> (f64, f64, f64) {
    let store = Arc::new(store.clone());
    let begun = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..writers {
        let store = store.clone();
        tasks.spawn(async move {
            let mut took = Vec::new();
            while begun.elapsed() < ROUND {
                let stream = StreamName::of("constructionPermit", Uuid::new_v4()).unwrap();
                for revision in 0..EVENTS_PER_STREAM {
                    let expected = revision.checked_sub(1).map_or(Expected::NoStream, Expected::Revision);
                    let before = Instant::now();
                    store.append(&stream, expected, vec![event(EVENT_BYTES)]).await.unwrap();
                    took.push(before.elapsed());
                }
            }
            took
        });
    }
    let took = tasks.join_all().await.concat();
    summary(took, begun.elapsed())
}

/// Streams of ten small events, written in appends of a hundred streams' worth of events by eight writers.
async fn fill(store: &EmbeddedStore) {
    let begun = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..8 {
        let store = store.clone();
        tasks.spawn(async move {
            for at in 0..SMALL_EVENTS / 80 {
                let stream = StreamName::of("constructionPermit", format!("{writer}-{at}")).unwrap();
                let events = (0..10).map(|_| event(SMALL_EVENT_BYTES)).collect();
                store.append(&stream, Expected::NoStream, events).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    println!(
        "10 events an append, 8 writers: {:.0} events/s",
        SMALL_EVENTS as f64 / begun.elapsed().as_secs_f64()
    );
}

async fn stream_reads(store: &EmbeddedStore) {
    let (begun, mut took) = (Instant::now(), Vec::new());
    for round in 0..20_000 {
        let stream = StreamName::of(
            "constructionPermit",
            format!("{}-{}", round % 8, round * 7_919 % (SMALL_EVENTS / 80)),
        )
        .unwrap();
        let before = Instant::now();
        let events = store.read_stream(&stream, 0, Direction::Forwards, 1_000).await.unwrap();
        took.push(before.elapsed());
        assert_eq!(events.len(), 10);
    }
    let (rate, p50, p99) = summary(took, begun.elapsed());
    println!("read a stream of 10 events: {rate:.0}/s  p50 {p50:.0} µs  p99 {p99:.0} µs");
}

fn whole_log(store: &EmbeddedStore) {
    let (begun, mut after, mut events) = (Instant::now(), None, 0);
    loop {
        let page = store.read_all_blocking(after, 10_000, &Filter::all()).unwrap();
        events += page.events.len();
        after = page.position;
        if page.end {
            break;
        }
    }
    println!(
        "read the whole log in pages of 10,000: {:.0} events/s",
        events as f64 / begun.elapsed().as_secs_f64()
    );
}
