//! Scavenging: what nobody is shown goes, nothing else does, and the proof stays.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use chrono::{TimeDelta, Utc};
use event_store_contract::{Direction, EventStore, Expected, Filter, Position, StoreError};
use event_store_embedded::{EmbeddedStore, LogFrom, Refusal, ScavengeOptions, ScavengeReport};

use crate::{
    event, stream,
    wide_writes::{events, open, revisions, see, set_metadata, write},
};

fn options() -> ScavengeOptions {
    ScavengeOptions {
        now: Utc::now(),
        stop: Arc::default(),
    }
}

async fn scavenge(store: &EmbeddedStore) -> ScavengeReport {
    store.scavenge(options(), |_| {}).await.unwrap()
}

async fn history(store: &EmbeddedStore, name: &str) -> Vec<u64> {
    let events = store
        .read_stream(&stream(name), 0, Direction::Forwards, 10_000)
        .await
        .unwrap();
    events.iter().map(|event| event.revision).collect()
}

#[tokio::test]
async fn what_is_hidden_is_taken_out_and_the_rest_stays_as_it_was() {
    let (dir, store) = open();
    for name in ["count-1", "truncated-1", "deleted-1", "ended-1", "kept-1"] {
        write(&store, name, Expected::NoStream, &events(6)).await.unwrap();
    }
    set_metadata(&store, "count-1", r#"{"$maxCount":3}"#).await;
    set_metadata(&store, "count-1", r#"{"$maxCount":2}"#).await;
    set_metadata(&store, "truncated-1", r#"{"$tb":5}"#).await;
    store.delete(&stream("deleted-1"), Expected::Any).await.unwrap();
    store.tombstone(&stream("ended-1"), Expected::Any).await.unwrap();
    let before = ["count-1", "truncated-1", "kept-1"].map(|name| see(&store, name));

    let report = scavenge(&store).await;
    assert_eq!((report.streams, report.events, report.stopped), (5, 4 + 5 + 5 + 6 + 1, false));
    assert!(report.bytes > 0);
    assert_eq!(before, ["count-1", "truncated-1", "kept-1"].map(|name| see(&store, name)));
    assert_eq!(history(&store, "count-1").await, [4, 5]);
    assert_eq!(
        history(&store, "deleted-1").await,
        [5],
        "the last event tells where the stream goes on"
    );
    assert!(history(&store, "ended-1").await.is_empty());
    let verified = store.verify(|_| {}).unwrap();
    assert!(verified.is_whole(), "{verified:?}");
    assert_eq!((verified.events, verified.scavenged), (30 + 5 - 21, 21));
    assert_eq!(scavenge(&store).await.events, 0, "once is enough");

    drop(store);
    let store = EmbeddedStore::open(dir.path()).unwrap();
    let place = write(&store, "deleted-1", Expected::NoStream, &events(1)).await.unwrap();
    assert_eq!(place.revision, 6);
    let place = write(&store, "count-1", Expected::Revision(5), &events(1)).await.unwrap();
    assert_eq!(place.revision, 6);
    assert!(store.verify(|_| {}).unwrap().is_whole());
}

#[tokio::test]
async fn a_log_with_gaps_is_read_over_them_in_either_direction() {
    let (_dir, store) = open();
    for _ in 0..6 {
        write(&store, "kept-1", Expected::Any, &events(1)).await.unwrap();
        write(&store, "gone-1", Expected::Any, &events(2)).await.unwrap();
    }
    store.tombstone(&stream("gone-1"), Expected::Any).await.unwrap();
    assert_eq!(scavenge(&store).await.events, 12);
    let kept = [1, 4, 7, 10, 13, 16, 19];
    let page = store.read_all(None, 100, &Filter::all()).await.unwrap();
    assert_eq!(page.events.iter().map(|event| event.position.0).collect::<Vec<_>>(), kept);
    let seen = |from, direction| {
        let page = store
            .log_as_seen(from, direction, 100, u64::MAX, &|_, _| true, false, Utc::now())
            .unwrap();
        let position = |seen: &event_store_embedded::Seen| seen.event.as_ref().unwrap().position.0;
        page.events.iter().map(position).collect::<Vec<_>>()
    };
    assert_eq!(seen(LogFrom::Start, Direction::Forwards), kept);
    assert_eq!(seen(LogFrom::At(Position(5)), Direction::Forwards), kept[2..]);
    let backwards: Vec<_> = kept.into_iter().rev().collect();
    assert_eq!(seen(LogFrom::End, Direction::Backwards), backwards);
    assert_eq!(seen(LogFrom::At(Position(12)), Direction::Backwards), backwards[3..]);
    for (from, direction, revisions) in [
        (0, Direction::Forwards, vec![0, 1, 2, 3, 4, 5]),
        (u64::MAX, Direction::Backwards, vec![5, 4, 3, 2, 1, 0]),
    ] {
        let read = store.read_stream(&stream("kept-1"), from, direction, 10).await.unwrap();
        assert_eq!(read.iter().map(|event| event.revision).collect::<Vec<_>>(), revisions);
    }
}

#[tokio::test]
async fn a_scavenged_stream_is_read_from_where_it_begins_in_either_direction() {
    let (_dir, store) = open();
    write(&store, "a-1", Expected::NoStream, &events(10)).await.unwrap();
    set_metadata(&store, "a-1", r#"{"$tb":6}"#).await;
    scavenge(&store).await;
    let read = async |from, direction, limit| {
        let events = store.read_stream(&stream("a-1"), from, direction, limit).await.unwrap();
        events.iter().map(|event| event.revision).collect::<Vec<_>>()
    };
    assert_eq!(read(0, Direction::Forwards, 2).await, [6, 7]);
    assert_eq!(read(5, Direction::Forwards, 2).await, [6, 7]);
    assert_eq!(read(6, Direction::Forwards, 2).await, [6, 7]);
    assert_eq!(read(7, Direction::Forwards, 9).await, [7, 8, 9]);
    assert_eq!(read(u64::MAX, Direction::Backwards, 3).await, [9, 8, 7]);
    assert_eq!(read(7, Direction::Backwards, 9).await, [7, 6]);
    assert!(read(3, Direction::Backwards, 9).await.is_empty());
    assert_eq!(revisions(&see(&store, "a-1")), [6, 7, 8, 9]);
}

#[tokio::test]
async fn streams_that_are_kept_whole_keep_everything_that_was_said_of_them_too() {
    let (_dir, store) = open();
    store.keep_whole(Arc::new(|stream| stream.starts_with("case-")));
    for name in ["case-1", "foreign-1"] {
        write(&store, name, Expected::NoStream, &events(4)).await.unwrap();
        set_metadata(&store, name, "{}").await;
        set_metadata(&store, name, r#"{"$maxCount":1}"#).await;
    }
    let report = scavenge(&store).await;
    assert_eq!((report.streams, report.events), (2, 4));
    assert_eq!(history(&store, "case-1").await, [0, 1, 2, 3]);
    assert_eq!(history(&store, "$$case-1").await, [0, 1]);
    assert_eq!(history(&store, "foreign-1").await, [3]);
    assert_eq!(history(&store, "$$foreign-1").await, [1]);
}

#[tokio::test]
async fn nothing_that_is_said_hides_an_event_of_a_stream_that_is_kept_whole_and_nobody_deletes_it() {
    let (_dir, store) = open();
    write(&store, "case-1", Expected::NoStream, &events(4)).await.unwrap();
    // Said before anybody said that it is kept whole.
    set_metadata(&store, "case-1", r#"{"$tb":9223372036854775807}"#).await;
    assert!(see(&store, "case-1").events.is_empty());
    store.keep_whole(Arc::new(|stream| stream.starts_with("case-")));
    for said in [
        r#"{"$maxCount":1}"#,
        r#"{"$tb":3,"$maxAge":1}"#,
        r#"{"$tb":9223372036854775807}"#,
    ] {
        assert_eq!(revisions(&see(&store, "case-1")), [0, 1, 2, 3]);
        set_metadata(&store, "case-1", said).await;
    }
    let later = ScavengeOptions {
        now: Utc::now() + TimeDelta::days(1),
        ..options()
    };
    assert_eq!(store.scavenge(later, |_| {}).await.unwrap().events, 0);
    let reserved = || Refusal::Reserved {
        stream: stream("case-1"),
    };
    assert_eq!(store.delete(&stream("case-1"), Expected::Any).await, Err(reserved()));
    assert_eq!(store.tombstone(&stream("case-1"), Expected::Any).await, Err(reserved()));
    write(&store, "case-1", Expected::Revision(3), &events(1)).await.unwrap();
    assert_eq!(revisions(&see(&store, "case-1")), [0, 1, 2, 3, 4]);
    // What else was said of it counts.
    set_metadata(&store, "case-1", r#"{"$maxCount":1,"$acl":{"$w":"somebody"}}"#).await;
    let said = store.metadata(&stream("case-1")).unwrap().unwrap();
    assert_eq!(
        (said.max_count, said.acl.unwrap().write),
        (None, Some(vec!["somebody".to_owned()]))
    );
}

#[tokio::test]
async fn events_that_are_too_old_are_taken_out_but_the_last_of_a_stream() {
    let (_dir, store) = open();
    write(&store, "a-1", Expected::NoStream, &events(5)).await.unwrap();
    set_metadata(&store, "a-1", r#"{"$maxAge":60}"#).await;
    let later = |seconds| ScavengeOptions {
        now: Utc::now() + TimeDelta::seconds(seconds),
        ..options()
    };
    assert_eq!(store.scavenge(later(0), |_| {}).await.unwrap().events, 0);
    assert_eq!(store.scavenge(later(120), |_| {}).await.unwrap().events, 4);
    assert_eq!(history(&store, "a-1").await, [4]);
    assert!(store.verify(|_| {}).unwrap().is_whole());
}

#[tokio::test]
async fn what_is_missing_beside_what_was_scavenged_is_still_found() {
    let (dir, store) = open();
    write(&store, "a-1", Expected::NoStream, &events(6)).await.unwrap();
    write(&store, "b-1", Expected::NoStream, &events(6)).await.unwrap();
    set_metadata(&store, "a-1", r#"{"$tb":3}"#).await;
    scavenge(&store).await;
    drop(store);
    let file = rusqlite::Connection::open(dir.path().join("events.sqlite")).unwrap();
    // The first that is left of the one, and one in the middle of the other.
    file.execute_batch("DELETE FROM events WHERE pos IN (4, 9)").unwrap();
    drop(file);
    let store = EmbeddedStore::open(dir.path()).unwrap();
    let report = store.verify(|_| {}).unwrap();
    let missing: Vec<_> = report
        .damages
        .iter()
        .filter(|damage| damage.reason == "the event is missing")
        .map(|damage| damage.position.0)
        .collect();
    assert_eq!(missing, [4, 9], "{report:?}");
    let read = store.read_all(None, 100, &Filter::all()).await;
    assert!(matches!(read, Err(StoreError::Damaged { .. })), "{read:?}");
    let read = store.read_stream(&stream("a-1"), 0, Direction::Forwards, 10).await;
    assert!(matches!(read, Err(StoreError::Damaged { .. })), "{read:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scavenge_works_beside_writers_and_can_be_stopped_and_taken_up_again() {
    let (_dir, store) = open();
    for _ in 0..8 {
        write(&store, "long-1", Expected::Any, &events(1_000)).await.unwrap();
    }
    set_metadata(&store, "long-1", r#"{"$maxCount":1}"#).await;
    let stopped = options();
    let stop = stopped.stop.clone();
    let writing = Arc::new(AtomicBool::new(true));
    let writer = tokio::spawn({
        let (store, writing) = (store.clone(), writing.clone());
        async move {
            let mut written: u64 = 0;
            while writing.load(Ordering::Acquire) {
                write(&store, "beside-1", Expected::Any, &[event("{}")]).await.unwrap();
                written += 1;
                if written == 3 {
                    stop.store(true, Ordering::Release);
                }
            }
            written
        }
    });
    let first = store.scavenge(stopped, |_| {}).await.unwrap();
    let second = scavenge(&store).await;
    writing.store(false, Ordering::Release);
    let written = writer.await.unwrap();
    assert_eq!(first.events + second.events, 7_999);
    assert!(!second.stopped);
    assert_eq!(history(&store, "beside-1").await.len() as u64, written.min(10_000));
    let report = store.verify(|_| {}).unwrap();
    assert!(report.is_whole(), "{report:?}");
    assert!(second.free_bytes > 0);
}

#[tokio::test]
async fn a_list_passes_over_what_was_scavenged() {
    let (_dir, store) = open();
    write(&store, "case-1", Expected::NoStream, &events(4)).await.unwrap();
    assert_eq!(see(&store, "$ce-case").events.len(), 4);
    set_metadata(&store, "case-1", r#"{"$tb":2}"#).await;
    scavenge(&store).await;
    let seen = see(&store, "$ce-case");
    assert_eq!(
        (revisions(&seen), seen.last),
        (vec![2, 3], Some(3)),
        "numbers stay what they were"
    );
}

#[tokio::test]
async fn a_large_page_over_gaps_holds_what_small_pages_hold() {
    let (dir, store) = open();
    for _ in 0..30 {
        write(&store, "kept-1", Expected::Any, &events(100)).await.unwrap();
        write(&store, "gone-1", Expected::Any, &events(150)).await.unwrap();
    }
    store.delete(&stream("gone-1"), Expected::Any).await.unwrap();
    scavenge(&store).await;
    let mut small = Vec::new();
    let mut after = None;
    loop {
        let page = store.read_all(after, 1_000, &Filter::all()).await.unwrap();
        small.extend(page.events);
        after = page.position;
        if page.end {
            break;
        }
    }
    for limit in [2_000, 5_000, 6_001, 10_000] {
        let (mut large, mut after) = (Vec::new(), None);
        loop {
            let page = store.read_all(after, limit, &Filter::all()).await.unwrap();
            assert!(page.events.len() <= limit);
            large.extend(page.events);
            after = page.position;
            if page.end {
                break;
            }
        }
        assert_eq!(large, small, "{limit}");
    }
    drop(store);
    let file = rusqlite::Connection::open(dir.path().join("events.sqlite")).unwrap();
    file.execute("DELETE FROM events WHERE pos BETWEEN 2400 AND 6100", [])
        .unwrap();
    drop(file);
    let store = EmbeddedStore::open(dir.path()).unwrap();
    for limit in [2_000, 5_000, 10_000] {
        let mut after = None;
        let outcome = loop {
            match store.read_all(after, limit, &Filter::all()).await {
                Ok(page) if page.end => break Ok(()),
                Ok(page) => after = page.position,
                Err(error) => break Err(error),
            }
        };
        assert!(matches!(outcome, Err(StoreError::Damaged { .. })), "{limit}: {outcome:?}");
    }
}
