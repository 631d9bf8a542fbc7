//! What an append costs when there are ten thousand events, and when there are ten million; and how large the file is.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use bytes::Bytes;
use event_store_contract::{EventStore, Expected, NewEvent, StreamName};
use event_store_embedded::EmbeddedStore;
use uuid::Uuid;

use super::sqlite;
use crate::{
    append::{EVENT_BYTES, payload},
    disk,
    measure::{heading, line, number},
};

/// How many write at once.
const WRITERS: u64 = 512;
/// The marks at which the cost is taken, over the tenth before each; of the first, over half of it, for it is small.
const MARKS: [u64; 4] = [10_000, 100_000, 1_000_000, 10_000_000];
/// How long the disk and SQLite are measured beside it.
const BESIDE: std::time::Duration = std::time::Duration::from_secs(3);

pub(super) async fn run(events: &Path, ten_million: bool) {
    heading("Store: the cost of an append by the number of events (in process, 512 writers, one event each, 10 to a stream)");
    std::fs::create_dir_all(events).expect("a directory");
    let store: Arc<dyn EventStore> = Arc::new(EmbeddedStore::open(events).expect("a store"));
    let data = payload();
    let mut written = 0;
    let marks = if ten_million { &MARKS[..] } else { &MARKS[..3] };
    for mark in marks {
        let window = (mark / 10).max(MARKS[0] / 2);
        write(&store, &data, written, mark - window).await;
        let begin = Instant::now();
        write(&store, &data, mark - window, *mark).await;
        written = *mark;
        #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let rate = window as f64 / begin.elapsed().as_secs_f64();
        let bytes = size(events);
        line(
            &format!("{} events", number(as_float(*mark))),
            &format!("{} events/s", number(rate)),
            &format!(
                "{:.1} µs an append; on the disk {} bytes, {} an event",
                1e6 / rate,
                number(as_float(bytes)),
                number(as_float(bytes / mark))
            ),
        );
    }
    let dir = events.parent().unwrap_or(events);
    let raw = disk::appends_per_second(dir, EVENT_BYTES, BESIDE).expect("a disk");
    line("disk: append + fdatasync, one writer", &format!("{} /s", number(raw)), "");
    line(
        "SQLite: insert + commit, one writer",
        &format!("{} /s", number(sqlite::commits_per_second(dir, BESIDE))),
        "",
    );
}

/// Appends the events with these numbers: number n is the event n / streams of its stream.
async fn write(store: &Arc<dyn EventStore>, data: &Bytes, from: u64, to: u64) {
    let next = Arc::new(AtomicU64::new(0));
    let tasks = (0..WRITERS).map(|writer| {
        let (store, data, next) = (Arc::clone(store), data.clone(), Arc::clone(&next));
        tokio::spawn(async move {
            // Ten events of a stream by one writer, one after the other, then a stream of its own again.
            while next.fetch_add(10, Ordering::Relaxed) < to - from {
                let name = StreamName::new(format!("growth-{writer}-{}", Uuid::new_v4().simple())).expect("a name");
                for revision in 0..10_u64 {
                    let event = NewEvent {
                        id: Uuid::new_v4(),
                        name: "Bench".into(),
                        data: data.clone(),
                        metadata: Bytes::from_static(b"{}"),
                    };
                    let expected = revision.checked_sub(1).map_or(Expected::NoStream, Expected::Revision);
                    store.append(&name, expected, vec![event]).await.expect("an append");
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("a writer");
    }
}

fn size(directory: &Path) -> u64 {
    let files = std::fs::read_dir(directory).expect("a directory").flatten();
    files.filter_map(|file| Some(file.metadata().ok()?.len())).sum()
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn as_float(count: u64) -> f64 {
    count as f64
}
