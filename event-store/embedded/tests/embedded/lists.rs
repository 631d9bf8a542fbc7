//! The streams that the store itself makes: by category, by name, of all streams.

use chrono::Utc;
use event_store_contract::{Direction, Expected, NewEvent, StoreError};
use event_store_embedded::{EmbeddedStore, LINK_NAME, Life, SeenStream};

use crate::{
    event, stream,
    wide_writes::{events, open, see, set_metadata, write},
};

fn resolved(store: &EmbeddedStore, list: &str) -> Vec<(String, u64)> {
    let seen = store
        .stream_as_seen(&stream(list), 0, Direction::Forwards, 1_000, true, Utc::now())
        .unwrap();
    let place = |event: &event_store_contract::RecordedEvent| (event.stream.to_string(), event.revision);
    seen.events.iter().filter_map(|seen| seen.event.as_ref()).map(place).collect()
}

fn targets(seen: &SeenStream) -> Vec<String> {
    let data = |seen: &event_store_embedded::Seen| String::from_utf8(seen.event.as_ref().unwrap().data.to_vec()).unwrap();
    seen.events.iter().map(data).collect()
}

fn places(of: &[(&str, u64)]) -> Vec<(String, u64)> {
    of.iter().map(|(name, revision)| ((*name).to_owned(), *revision)).collect()
}

#[tokio::test]
async fn a_category_lists_the_events_of_its_streams_in_the_order_of_the_log() {
    let (_dir, store) = open();
    for name in ["case-1", "other-1", "case-2-x", "nodash", "$system-1", "case-1"] {
        write(&store, name, Expected::Any, &events(1)).await.unwrap();
    }
    let seen = see(&store, "$ce-case");
    assert_eq!(targets(&seen), ["0@case-1", "0@case-2-x", "1@case-1"]);
    assert_eq!((seen.first, seen.last, seen.end), (Some(0), Some(2), true));
    let entry = seen.events[1].event.as_ref().unwrap();
    assert_eq!(
        (&*entry.name, entry.revision, entry.stream.as_str()),
        (LINK_NAME, 1, "$ce-case")
    );
    assert_eq!(
        resolved(&store, "$ce-case"),
        places(&[("case-1", 0), ("case-2-x", 0), ("case-1", 1)])
    );
    assert_eq!(see(&store, "$ce-nodash").life, Life::Missing);
    assert_eq!(see(&store, "$ce-$system").life, Life::Missing);
}

#[tokio::test]
async fn events_are_listed_by_name_and_streams_by_their_first_event() {
    let (_dir, store) = open();
    let named = |name: &str| NewEvent {
        name: name.into(),
        ..event("{}")
    };
    write(&store, "a-1", Expected::Any, &[named("Opened"), named("Closed")])
        .await
        .unwrap();
    write(&store, "b-1", Expected::Any, &[named("Opened")]).await.unwrap();
    write(&store, "$own", Expected::Any, &[named("Opened")]).await.unwrap();
    assert_eq!(targets(&see(&store, "$et-Opened")), ["0@a-1", "0@b-1", "0@$own"]);
    assert_eq!(targets(&see(&store, "$et-Closed")), ["1@a-1"]);
    assert_eq!(targets(&see(&store, "$streams")), ["0@a-1", "0@b-1"]);
}

#[tokio::test]
async fn a_list_grows_with_the_log_and_is_read_both_ways_in_pages() {
    let (dir, mut store) = open();
    for round in 0..4_u64 {
        write(&store, "case-1", Expected::Any, &events(3)).await.unwrap();
        let head = store.stream_head(&stream("$ce-case")).unwrap();
        assert_eq!((head.life, head.last), (Life::Live, Some(round * 3 + 2)));
        if round == 1 {
            drop(store);
            store = EmbeddedStore::open(dir.path()).unwrap();
        }
    }
    let page = |from, direction, limit| {
        let seen = store
            .stream_as_seen(&stream("$ce-case"), from, direction, limit, false, Utc::now())
            .unwrap();
        (targets(&seen), seen.end)
    };
    let named = |revisions: &[u64]| revisions.iter().map(|at| format!("{at}@case-1")).collect::<Vec<_>>();
    assert_eq!(page(10, Direction::Forwards, 5), (named(&[10, 11]), true));
    assert_eq!(page(2, Direction::Forwards, 2), (named(&[2, 3]), false));
    assert_eq!(page(u64::MAX, Direction::Backwards, 2), (named(&[11, 10]), false));
    assert_eq!(page(1, Direction::Backwards, 5), (named(&[1, 0]), true));
    assert_eq!(page(99, Direction::Forwards, 5), (vec![], true));
}

#[tokio::test]
async fn a_list_shows_no_event_of_a_deleted_stream() {
    let (_dir, store) = open();
    write(&store, "case-1", Expected::Any, &events(1)).await.unwrap();
    write(&store, "case-2", Expected::Any, &events(2)).await.unwrap();
    store.delete(&stream("case-1"), Expected::Any).await.unwrap();
    set_metadata(&store, "case-2", r#"{"$maxCount":1}"#).await;
    assert_eq!(resolved(&store, "$ce-case"), places(&[("case-2", 1)]));
    assert_eq!(see(&store, "$ce-case").events.len(), 3, "the entries stay");
}

#[tokio::test]
async fn lists_that_were_lost_damaged_or_belong_to_another_store_are_made_anew() {
    let (dir, store) = open();
    write(&store, "case-1", Expected::Any, &events(3)).await.unwrap();
    assert_eq!(see(&store, "$ce-case").events.len(), 3);
    drop(store);
    let file = dir.path().join("index.sqlite");
    let (other_dir, other) = open();
    write(&other, "case-7", Expected::Any, &events(5)).await.unwrap();
    assert_eq!(see(&other, "$ce-case").events.len(), 5);
    drop(other);
    for damage in 0..3 {
        match damage {
            0 => std::fs::remove_file(&file).unwrap(),
            1 => std::fs::write(&file, "this is no list of anything, and long enough to be looked at").unwrap(),
            _ => drop(std::fs::copy(other_dir.path().join("index.sqlite"), &file).unwrap()),
        }
        let store = EmbeddedStore::open(dir.path()).unwrap();
        assert_eq!(
            targets(&see(&store, "$ce-case")),
            ["0@case-1", "1@case-1", "2@case-1"],
            "{damage}"
        );
    }
}

#[tokio::test]
async fn lists_are_kept_by_the_process_that_writes() {
    let (dir, store) = open();
    write(&store, "case-1", Expected::Any, &events(1)).await.unwrap();
    let reading = EmbeddedStore::open_read_only(dir.path()).unwrap();
    let refused = reading.stream_as_seen(&stream("$ce-case"), 0, Direction::Forwards, 1, false, Utc::now());
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
}
