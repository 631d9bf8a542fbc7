//! Streams that somebody else deleted, cut off, or wrote for the system.

use event_store_contract::{Direction, EventStore as _, Expected, Filter, StoreError};
use kurrentdb::{AppendToStreamOptions, Client, DeleteStreamOptions, StreamMetadataBuilder, TombstoneStreamOptions};

use crate::house::{House, event, name, url};

fn outsider(house: &House) -> Client {
    Client::new(url(house.address).parse().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tombstone_is_no_empty_stream() {
    let house = House::new().await;
    let (store, stream) = (house.connect().await, name("case-1"));
    store.append(&stream, Expected::NoStream, vec![event("First")]).await.unwrap();
    outsider(&house)
        .tombstone_stream("case-1", &TombstoneStreamOptions::default())
        .await
        .unwrap();
    let refused = store.read_stream(&stream, 0, Direction::Forwards, 10).await;
    assert!(matches!(refused, Err(StoreError::Damaged { .. })), "{refused:?}");
    let refused = store.append(&stream, Expected::Revision(0), vec![event("Second")]).await;
    assert!(matches!(refused, Err(StoreError::WrongRevision { .. })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_stream_reads_as_empty_and_goes_on_where_it_ended() {
    let house = House::new().await;
    let (store, stream) = (house.connect().await, name("case-1"));
    store
        .append(&stream, Expected::NoStream, vec![event("First"), event("Second")])
        .await
        .unwrap();
    outsider(&house)
        .delete_stream("case-1", &DeleteStreamOptions::default())
        .await
        .unwrap();
    assert_eq!(store.read_stream(&stream, 0, Direction::Forwards, 10).await, Ok(vec![]));
    let appended = store.append(&stream, Expected::NoStream, vec![event("Third")]).await.unwrap();
    assert_eq!(appended.revision, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_whose_beginning_is_cut_off_has_no_chain() {
    let house = House::new().await;
    let stream = name("case-1");
    let writer = house.connect().await;
    let events = (0..5).map(|_| event("Happened")).collect();
    writer.append(&stream, Expected::NoStream, events).await.unwrap();
    let metadata = StreamMetadataBuilder::new().truncate_before(3).build();
    outsider(&house)
        .set_stream_metadata("case-1", &AppendToStreamOptions::default(), &metadata)
        .await
        .unwrap();
    for direction in [Direction::Forwards, Direction::Backwards] {
        let reader = house.connect().await;
        let from = if direction == Direction::Forwards { 0 } else { u64::MAX };
        let events = reader.read_stream(&stream, from, direction, 10).await.unwrap();
        assert_eq!(events.len(), 2);
        assert!(events.iter().all(|event| event.hash.is_none() && event.revision >= 3));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_systems_own_events_are_in_nobodys_log() {
    let house = House::new().await;
    let store = house.connect().await;
    let appended = store
        .append(&name("case-1"), Expected::NoStream, vec![event("First")])
        .await
        .unwrap();
    let metadata = StreamMetadataBuilder::new().max_count(100).build();
    outsider(&house)
        .set_stream_metadata("case-1", &AppendToStreamOptions::default(), &metadata)
        .await
        .unwrap();
    let page = store.read_all(None, 10, &Filter::all()).await.unwrap();
    assert_eq!(
        (page.events.len(), page.position, page.end),
        (1, Some(appended.position), true)
    );
    assert_eq!(store.head().await, Ok(Some(appended.position)));
    let created = house.store.read_all(None, 1, &Filter::all()).await.unwrap().events[0].created;
    assert_eq!(page.events[0].created, created, "to the microsecond");
}
