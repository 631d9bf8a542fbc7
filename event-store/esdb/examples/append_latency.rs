//! How long an append takes on loopback: along a lane, and as the client's plain append, for one caller and for many.
//!
//! `cargo run --release -p event-store-esdb --example append_latency [esdb://…]`; without an address, a server of our own
//! runs in this process.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss)]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use event_store_contract::{EventStore, Expected, Filter, NewEvent, StreamName};
use event_store_embedded::EmbeddedStore;
use event_store_esdb::EsdbStore;
use event_store_server::{EsdbConfig, Security, start};
use kurrentdb::{AppendToStreamOptions, Client, EventData, StreamState};
use uuid::Uuid;

const BYTES: usize = 1_000;

#[tokio::main]
async fn main() {
    let dir = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(&dir.path().join("store")).unwrap();
    let config = EsdbConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        security: Security::Insecure,
        own_streams: Arc::new(|_| false),
        directory: dir.path().to_owned(),
        advertise: None,
        version: "0.0.0",
    };
    let server = start(store.clone(), config).await.unwrap();
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| format!("esdb://{}?tls=false", server.address()));
    for (callers, each) in [(1, 2_000), (64, 200), (512, 40)] {
        along_lanes(&address, callers, each).await;
        plain(&address, callers, each).await;
    }
    delivery(&address).await;
}

fn data() -> String {
    format!("{{\"text\":\"{}\"}}", "x".repeat(BYTES))
}

fn event() -> NewEvent {
    NewEvent {
        id: Uuid::new_v4(),
        name: "Happened".into(),
        data: data().into(),
        metadata: "{}".into(),
    }
}

async fn along_lanes(address: &str, callers: usize, each: usize) {
    let store = EsdbStore::connect(address).await.unwrap();
    measured("along a lane", callers, each, async |stream, revision: Option<u64>| {
        let expected = revision.map_or(Expected::NoStream, Expected::Revision);
        let stream = StreamName::new(stream).unwrap();
        store.clone().append(&stream, expected, vec![event()]).await.unwrap();
    })
    .await;
}

async fn plain(address: &str, callers: usize, each: usize) {
    let client = Client::new(address.parse().unwrap()).unwrap();
    let text = data();
    let value: &serde_json::value::RawValue = serde_json::from_str(&text).unwrap();
    measured("plain append", callers, each, async |stream: &str, revision: Option<u64>| {
        let expected = revision.map_or(StreamState::NoStream, StreamState::StreamRevision);
        let options = AppendToStreamOptions::default().stream_state(expected);
        let event = EventData::json("Happened", &value).unwrap().id(Uuid::new_v4());
        client.append_to_stream(stream, &options, event).await.unwrap();
    })
    .await;
}

async fn measured(what: &str, callers: usize, each: usize, append: impl AsyncFn(&str, Option<u64>)) {
    let run = Uuid::new_v4().simple().to_string();
    let began = Instant::now();
    let callers_of = (0..callers).map(|caller| {
        let (stream, append) = (format!("case{caller}-{run}"), &append);
        async move {
            let mut took = Vec::with_capacity(each);
            for revision in 0..each as u64 {
                let began = Instant::now();
                append(&stream, revision.checked_sub(1)).await;
                took.push(began.elapsed());
            }
            took
        }
    });
    let mut took: Vec<Duration> = futures_util::future::join_all(callers_of).await.concat();
    let rate = took.len() as f64 / began.elapsed().as_secs_f64();
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() - 1) * percent / 100].as_secs_f64() * 1_000.0;
    println!(
        "{what:>14}, {callers:>3} callers: {rate:>8.0}/s, p50 {:.2} ms, p99 {:.2} ms",
        at(50),
        at(99)
    );
}

/// From the append to the page of a follower.
async fn delivery(address: &str) {
    let store = EsdbStore::connect(address).await.unwrap();
    let head = store.head().await.unwrap();
    let mut follower = store.follow(head, Filter::all()).await.unwrap();
    let mut took = Vec::new();
    let stream = StreamName::new(format!("case-{}", Uuid::new_v4())).unwrap();
    for _ in 0..500 {
        let began = Instant::now();
        let (appended, page) = tokio::join!(store.append(&stream, Expected::Any, vec![event()]), follower.next(10));
        assert_eq!(Some(appended.unwrap().position), page.unwrap().position);
        took.push(began.elapsed());
    }
    took.sort_unstable();
    println!("append to a follower's page: p50 {:?}, p99 {:?}", took[250], took[495]);
}
