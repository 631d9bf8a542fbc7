//! Replay: case streams read whole, their checksums and chains verified, and folded.

use std::{sync::Arc, time::Instant};

use casework::AnyWork;
use event_store_contract::{Direction, EventStore, Filter, Position, StreamName};
use event_store_embedded::EmbeddedStore;

use crate::{
    commands::{CATEGORY, case_streams},
    measure::{heading, line, median, number},
    views::fill,
};

/// How many cases are replayed.
const CASES: u64 = 20_000;
/// How often everything is measured in turn.
const ROUNDS: u64 = 3;
/// The most events read at once.
const PAGE: usize = 10_000;

/// Reads every case stream whole, on as many threads as the machine has, and folds it.
fn replay_rate(store: &EmbeddedStore, streams: &[StreamName]) -> f64 {
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let begin = Instant::now();
    let events: usize = std::thread::scope(|scope| {
        let parts: Vec<_> = streams
            .chunks(streams.len().div_ceil(threads).max(1))
            .map(|part| {
                scope.spawn(move || {
                    let mut seen = 0;
                    for stream in part {
                        let mut case = AnyWork::of(CATEGORY).expect("a case type");
                        for event in store
                            .read_stream_blocking(stream, 0, Direction::Forwards, 1_000)
                            .expect("a stream")
                        {
                            case.apply(&event.name, &event.data).expect("a readable event");
                            seen += 1;
                        }
                    }
                    seen
                })
            })
            .collect();
        parts.into_iter().map(|part| part.join().expect("a replay")).sum()
    });
    #[allow(clippy::cast_precision_loss, reason = "counts of events are far below 2^52")]
    let rate = events as f64 / begin.elapsed().as_secs_f64();
    rate
}

/// Walks along the log and folds every case as its events come by, on one thread.
fn walk_rate(store: &EmbeddedStore) -> f64 {
    let begin = Instant::now();
    let mut cases = std::collections::HashMap::new();
    let (mut after, mut seen): (Option<Position>, u32) = (None, 0);
    loop {
        let page = store
            .read_all_blocking(after, PAGE, &Filter::prefixes(["constructionPermit-"]))
            .expect("a page");
        for event in &page.events {
            let case = cases
                .entry(event.stream.clone())
                .or_insert_with(|| AnyWork::of(CATEGORY).expect("a case type"));
            case.apply(&event.name, &event.data).expect("a readable event");
            seen += 1;
        }
        after = page.position;
        if page.end {
            return f64::from(seen) / begin.elapsed().as_secs_f64();
        }
    }
}

/// Measures and prints.
pub async fn run() {
    heading("Replay: case streams read, verified, folded");
    let dir = tempfile::tempdir().expect("a directory");
    let store = EmbeddedStore::open(&dir.path().join("store")).expect("a store");
    fill(&(Arc::new(store.clone()) as Arc<dyn EventStore>), CASES).await;
    let mut streams: Vec<StreamName> = case_streams(&store).await;
    streams.sort_by_key(|stream| {
        store
            .read_stream_blocking(stream, 0, Direction::Forwards, 1)
            .ok()
            .and_then(|first| Some(first.first()?.position))
    });
    let (mut whole, mut along) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        whole.push(replay_rate(&store, &streams));
        along.push(walk_rate(&store));
    }
    line(
        &format!("{} case streams, one after the other (events/s)", streams.len()),
        &number(median(whole)),
        "(goal 500,000)",
    );
    line("all cases along the log, one thread (events/s)", &number(median(along)), "");
}
