//! A history moves into a store behind an address, and back.

use event_store_contract::{
    EventStore, Expected, Filter, MemoryStore,
    moving::{compare, copy},
};
use event_store_embedded::EmbeddedStore;

use crate::house::{House, event, name};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_moves_there_and_back_and_is_the_same() {
    let source = MemoryStore::new();
    for round in 0..300 {
        let events = (0..=round % 4).map(|at| event(&format!("Happened{at}"))).collect();
        source
            .append(&name(&format!("case-{}", round % 17)), Expected::Any, events)
            .await
            .unwrap();
    }
    let mut house = House::new().await;
    let there = house.connect().await;
    let back = EmbeddedStore::open(&house.dir.path().join("back")).unwrap();
    moved(&source, &there).await;
    moved(&there, &back).await;
    let same = compare(&source, &back, &Filter::all(), None, &mut |_| {}).await.unwrap();
    assert_eq!((same.events, same.streams, same.difference), (750, 17, None));
    house.kill().await;
}

async fn moved(from: &dyn EventStore, to: &dyn EventStore) {
    let copied = copy(from, to, &Filter::all(), &mut |_| {}).await.unwrap();
    assert_eq!((copied.written, copied.stood), (750, 0));
    let compared = compare(from, to, &Filter::all(), copied.until, &mut |_| {}).await.unwrap();
    assert_eq!((compared.events, compared.difference), (750, None));
}
