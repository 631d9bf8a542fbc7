//! The embedded store from outside: the contract's suite, and what a disk and a killed process add to it.
#![allow(clippy::unwrap_used)]

mod copies;
mod damage;
mod formats;
mod full_disk;
mod killing;
mod lists;
mod model;
mod opening;
mod scavenging;
mod wide_model;
mod wide_races;
mod wide_reads;
mod wide_writes;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use event_store_contract::{EventStore, NewEvent, StreamName, suite};
use event_store_embedded::EmbeddedStore;
use tempfile::TempDir;
use uuid::Uuid;

#[test]
fn the_embedded_store_passes_the_suite() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(pass_the_suite());
}

#[test]
fn the_embedded_store_passes_the_suite_on_one_thread() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(pass_the_suite());
}

async fn pass_the_suite() {
    let dirs = Mutex::new(Vec::new());
    suite::run_all(async || {
        let dir = TempDir::new().unwrap();
        let store = EmbeddedStore::open(dir.path()).unwrap();
        dirs.lock().unwrap().push(dir);
        Arc::new(store) as Arc<dyn EventStore>
    })
    .await;
}

fn stream(name: &str) -> StreamName {
    StreamName::new(name).unwrap()
}

fn event(data: impl Into<Bytes>) -> NewEvent {
    NewEvent {
        id: Uuid::new_v4(),
        name: "Happened".into(),
        data: data.into(),
        metadata: Bytes::from_static(b"{}"),
    }
}
