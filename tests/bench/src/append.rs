//! Durable appends of 1 KB events with an optimistic revision, beside the disk and the peers, in interleaved rounds.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use event_store_contract::{EventStore, Expected, NewEvent, StreamName};
use event_store_embedded::EmbeddedStore;
use uuid::Uuid;

use crate::measure::{Rate, closed_loop, heading, line, median, number};

/// The size of an event's data in these benches.
pub const EVENT_BYTES: usize = 1_024;
/// A new stream begins after this many events.
pub const EVENTS_PER_STREAM: u64 = 10;
/// How often everything is measured in turn.
const ROUNDS: usize = 3;
/// How long each measurement takes.
const TIME: Duration = Duration::from_secs(3);

/// JSON of the size that is wanted.
pub fn payload() -> Bytes {
    let filler = "x".repeat(EVENT_BYTES - 12);
    Bytes::from(format!("{{\"filler\":\"{filler}\"}}").into_bytes())
}

/// One append to the embedded store for each caller's turn.
async fn append_rate(store: Arc<dyn EventStore>, callers: usize, run: u64) -> Rate {
    let data = payload();
    let streams = Arc::new((0..callers).map(|_| AtomicU64::new(0)).collect::<Vec<_>>());
    closed_loop(callers, TIME, move |caller, turn| {
        let (store, data, streams) = (Arc::clone(&store), data.clone(), Arc::clone(&streams));
        async move {
            let revision = turn % EVENTS_PER_STREAM;
            if revision == 0 {
                streams[caller].fetch_add(1, Ordering::Relaxed);
            }
            let name = format!("bench-{run}-{caller}-{}", streams[caller].load(Ordering::Relaxed));
            let stream = StreamName::new(name).expect("a stream name");
            let expected = if revision == 0 {
                Expected::NoStream
            } else {
                Expected::Revision(revision - 1)
            };
            let event = NewEvent {
                id: Uuid::new_v4(),
                name: "Bench".into(),
                data,
                metadata: Bytes::from_static(b"{}"),
            };
            store.append(&stream, expected, vec![event]).await.expect("an append");
        }
    })
    .await
}

/// Measures and prints.
pub async fn run() {
    heading("Append: 1 KB events, optimistic revision, durable (events/s)");
    let dir = tempfile::tempdir().expect("a directory");
    let store: Arc<dyn EventStore> = Arc::new(EmbeddedStore::open(&dir.path().join("store")).expect("a store"));
    #[cfg(feature = "peers")]
    let peers = crate::peers::Appenders::start(dir.path()).await;
    let (mut raw, mut one, mut many) = (vec![], vec![], vec![]);
    let mut peer_rates: Vec<(String, Vec<f64>)> = Vec::new();
    for round in 0..ROUNDS as u64 {
        raw.push(crate::disk::appends_per_second(dir.path(), EVENT_BYTES, TIME).expect("a disk"));
        one.push(append_rate(Arc::clone(&store), 1, round * 2).await.per_second);
        many.push(append_rate(Arc::clone(&store), 64, round * 2 + 1).await.per_second);
        #[cfg(feature = "peers")]
        for (name, rate) in peers.measure(64, TIME, round).await {
            match peer_rates.iter_mut().find(|(known, _)| *known == name) {
                Some((_, rates)) => rates.push(rate),
                None => peer_rates.push((name, vec![rate])),
            }
        }
    }
    let (raw, one, many) = (median(raw), median(one), median(many));
    line("disk: append + fdatasync, one writer", &number(raw), "");
    line(
        "Zhulu embedded, one writer",
        &number(one),
        &format!("{:.2} of the disk (goal 0.60)", one / raw),
    );
    line("Zhulu embedded, 64 writers", &number(many), "(goal 30,000)");
    for (name, rates) in peer_rates.drain(..) {
        let rate = median(rates);
        line(
            &format!("{name}, 64 writers"),
            &number(rate),
            &format!("Zhulu is {:.1} x", many / rate),
        );
    }
}
