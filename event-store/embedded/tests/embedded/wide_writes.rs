//! The wide door, going in: the protocol's rules of writing, deleting and bringing back.

use chrono::Utc;
use event_store_contract::{Appended, Direction, EventStore, Expected, Filter, MAX_EVENT_BYTES, NewEvent, Position, StoreError};
use event_store_embedded::{Check, Draft, EmbeddedStore, Life, METADATA_NAME, Refusal, SeenStream, Write};
use tempfile::TempDir;

use crate::{event, stream};

/// The revision at which a stream has ended for ever.
const NEVER_AGAIN: u64 = i64::MAX.cast_unsigned();

pub(crate) fn open() -> (TempDir, EmbeddedStore) {
    let dir = TempDir::new().unwrap();
    let store = EmbeddedStore::open(dir.path()).unwrap();
    (dir, store)
}

pub(crate) fn events(count: usize) -> Vec<NewEvent> {
    (0..count).map(|at| event(format!("{at}"))).collect()
}

pub(crate) async fn write(
    store: &EmbeddedStore,
    name: &str,
    expected: Expected,
    events: &[NewEvent],
) -> Result<Appended, Refusal> {
    let write = Write {
        stream: stream(name),
        expected,
        events: events.iter().cloned().map(Draft::from).collect(),
    };
    let all = store.write(vec![write], Vec::new()).await?;
    assert_eq!(all.len(), 1);
    Ok(all[0])
}

pub(crate) fn metadata(json: &str) -> NewEvent {
    NewEvent {
        name: METADATA_NAME.into(),
        ..event(json.to_owned())
    }
}

pub(crate) async fn set_metadata(store: &EmbeddedStore, name: &str, json: &str) {
    write(store, &format!("$${name}"), Expected::Any, &[metadata(json)])
        .await
        .unwrap();
}

pub(crate) fn see(store: &EmbeddedStore, name: &str) -> SeenStream {
    store
        .stream_as_seen(&stream(name), 0, Direction::Forwards, 1_000, false, Utc::now())
        .unwrap()
}

pub(crate) fn revisions(seen: &SeenStream) -> Vec<u64> {
    seen.events.iter().map(|seen| seen.event.as_ref().unwrap().revision).collect()
}

fn wrong(name: &str, expected: Expected, actual: Option<u64>) -> Refusal {
    Refusal::WrongRevision {
        stream: stream(name),
        expected,
        actual,
    }
}

#[tokio::test]
async fn several_streams_are_written_together_or_not_at_all() {
    let (_dir, store) = open();
    let to = |name: &str, expected, count| Write {
        stream: stream(name),
        expected,
        events: events(count).into_iter().map(Draft::from).collect(),
    };
    let both = vec![to("a-1", Expected::NoStream, 2), to("b-1", Expected::Any, 1)];
    let first = store.write(both.clone(), Vec::new()).await.unwrap();
    assert_eq!(
        first
            .iter()
            .map(|place| (place.revision, place.position.0))
            .collect::<Vec<_>>(),
        [(1, 2), (0, 3)]
    );
    assert_eq!(
        store.write(both, Vec::new()).await.unwrap(),
        first,
        "the same again is the same answer"
    );

    let refused = store
        .write(
            vec![to("a-1", Expected::Revision(1), 1), to("b-1", Expected::NoStream, 1)],
            Vec::new(),
        )
        .await;
    assert_eq!(refused, Err(wrong("b-1", Expected::NoStream, Some(0))));
    assert_eq!(store.head().await, Ok(Some(Position(3))), "nothing of it was written");
}

#[tokio::test]
async fn a_write_of_which_a_part_stands_already_is_refused_as_a_whole() {
    let (_dir, store) = open();
    let known = events(1);
    write(&store, "a-1", Expected::NoStream, &known).await.unwrap();
    let part = |name, events: &[NewEvent]| Write {
        stream: stream(name),
        expected: Expected::NoStream,
        events: events.iter().cloned().map(Draft::from).collect(),
    };
    let refused = store
        .write(vec![part("b-1", &events(1)), part("a-1", &known)], Vec::new())
        .await;
    assert_eq!(refused, Err(wrong("a-1", Expected::NoStream, Some(0))));
    assert_eq!(store.stream_head(&stream("b-1")).unwrap().life, Life::Missing);
}

#[tokio::test]
async fn a_stream_that_comes_twice_in_one_write_follows_itself() {
    let (_dir, store) = open();
    let part = |expected, count| Write {
        stream: stream("a-1"),
        expected,
        events: events(count).into_iter().map(Draft::from).collect(),
    };
    let twice = vec![part(Expected::NoStream, 2), part(Expected::Any, 3)];
    let places = store.write(twice.clone(), Vec::new()).await.unwrap();
    assert_eq!(places.iter().map(|place| place.revision).collect::<Vec<_>>(), [1, 4]);
    assert_eq!(store.write(twice, Vec::new()).await.unwrap(), places);
    let refused = store
        .write(vec![part(Expected::Any, 1), part(Expected::Revision(5), 1)], Vec::new())
        .await;
    assert_eq!(refused, Err(Refusal::Twice { stream: stream("a-1") }));
}

#[tokio::test]
async fn a_check_on_another_stream_holds_or_nothing_is_written() {
    let (_dir, store) = open();
    write(&store, "b-1", Expected::NoStream, &events(3)).await.unwrap();
    let attempt = async |expected, events: &[NewEvent]| {
        let write = Write {
            stream: stream("a-1"),
            expected: Expected::Any,
            events: events.iter().cloned().map(Draft::from).collect(),
        };
        let check = Check {
            stream: stream("b-1"),
            expected,
        };
        store.write(vec![write], vec![check]).await
    };
    for expected in [Expected::NoStream, Expected::Revision(1), Expected::Revision(3)] {
        assert_eq!(attempt(expected, &events(1)).await, Err(wrong("b-1", expected, Some(2))));
    }
    let written = events(1);
    let first = attempt(Expected::Revision(2), &written).await.unwrap();
    write(&store, "b-1", Expected::Any, &events(1)).await.unwrap();
    assert_eq!(
        attempt(Expected::Revision(2), &written).await,
        Ok(first),
        "what was written before is not checked again"
    );
    attempt(Expected::StreamExists, &events(1)).await.unwrap();
    store.delete(&stream("b-1"), Expected::Any).await.unwrap();
    attempt(Expected::NoStream, &events(1)).await.unwrap();
    let deleted = Err(Refusal::Deleted { stream: stream("b-1") });
    assert_eq!(attempt(Expected::StreamExists, &events(1)).await, deleted);
}

#[tokio::test]
async fn a_deleted_stream_reads_as_deleted_and_goes_on_where_it_ended() {
    let (_dir, store) = open();
    write(&store, "a-1", Expected::NoStream, &events(3)).await.unwrap();
    let position = store.delete(&stream("a-1"), Expected::Revision(2)).await.unwrap();
    assert_eq!(position, Position(4), "the place of the event that deletes it");
    let seen = see(&store, "a-1");
    assert_eq!((seen.life, seen.events.len(), seen.last), (Life::SoftDeleted, 0, Some(2)));

    let place = write(&store, "a-1", Expected::Revision(2), &events(1)).await.unwrap();
    assert_eq!(place.revision, 3);
    let seen = see(&store, "a-1");
    assert_eq!((seen.life, revisions(&seen)), (Life::Live, vec![3]));
    let said = store.metadata(&stream("a-1")).unwrap().unwrap();
    assert_eq!((said.truncate_before, said.revision), (Some(3), 1));
    assert!(store.verify(|_| {}).unwrap().is_whole());
}

#[tokio::test]
async fn a_deleted_stream_is_no_stream_and_any_stream_but_does_not_exist() {
    for (expected, revision) in [(Expected::NoStream, 2), (Expected::Any, 2), (Expected::Revision(1), 2)] {
        let (_dir, store) = open();
        write(&store, "a-1", Expected::NoStream, &events(2)).await.unwrap();
        store.delete(&stream("a-1"), Expected::Any).await.unwrap();
        let exists = write(&store, "a-1", Expected::StreamExists, &events(1)).await;
        assert_eq!(exists, Err(Refusal::Deleted { stream: stream("a-1") }));
        let early = write(&store, "a-1", Expected::Revision(0), &events(1)).await;
        assert_eq!(early, Err(wrong("a-1", Expected::Revision(0), Some(1))));
        let place = write(&store, "a-1", expected, &events(2)).await.unwrap();
        assert_eq!(place.revision, revision + 1, "{expected:?}");
        assert_eq!(revisions(&see(&store, "a-1")), [2, 3]);
    }
}

#[tokio::test]
async fn a_deleted_stream_still_knows_what_was_written_to_it_before() {
    let (_dir, store) = open();
    let first = events(2);
    let place = write(&store, "a-1", Expected::NoStream, &first).await.unwrap();
    store.delete(&stream("a-1"), Expected::Any).await.unwrap();
    assert_eq!(write(&store, "a-1", Expected::NoStream, &first).await, Ok(place));
    assert_eq!(see(&store, "a-1").life, Life::SoftDeleted, "a repetition brings nothing back");
    let begins_alike = [first[0].clone(), event("other")];
    assert_eq!(
        write(&store, "a-1", Expected::NoStream, &begins_alike).await,
        Err(wrong("a-1", Expected::NoStream, Some(1)))
    );
}

#[tokio::test]
async fn a_stream_that_never_was_cannot_be_deleted_and_a_wrong_revision_deletes_nothing() {
    let (_dir, store) = open();
    for expected in [
        Expected::Any,
        Expected::NoStream,
        Expected::StreamExists,
        Expected::Revision(0),
    ] {
        assert_eq!(
            store.delete(&stream("a-1"), expected).await,
            Err(wrong("a-1", expected, None))
        );
    }
    write(&store, "a-1", Expected::NoStream, &events(2)).await.unwrap();
    for expected in [Expected::NoStream, Expected::Revision(0), Expected::Revision(7)] {
        assert_eq!(
            store.delete(&stream("a-1"), expected).await,
            Err(wrong("a-1", expected, Some(1)))
        );
    }
    assert_eq!(see(&store, "a-1").life, Life::Live);
}

#[tokio::test]
async fn bringing_a_stream_back_keeps_what_else_was_said_of_it() {
    let (_dir, store) = open();
    write(&store, "a-1", Expected::NoStream, &events(2)).await.unwrap();
    set_metadata(
        &store,
        "a-1",
        r#"{"$tb":9223372036854775807,"owner":"somebody","$maxCount":9}"#,
    )
    .await;
    assert_eq!(see(&store, "a-1").life, Life::SoftDeleted, "whoever says so deletes it too");
    write(&store, "a-1", Expected::Any, &events(1)).await.unwrap();
    let said = store.metadata(&stream("a-1")).unwrap().unwrap();
    assert_eq!((said.truncate_before, said.max_count), (Some(2), Some(9)));
    assert!(std::str::from_utf8(&said.raw).unwrap().contains(r#""owner":"somebody""#));
}

#[tokio::test]
async fn saying_something_of_a_deleted_stream_brings_it_back_empty() {
    let (_dir, store) = open();
    write(&store, "a-1", Expected::NoStream, &events(2)).await.unwrap();
    store.delete(&stream("a-1"), Expected::Any).await.unwrap();
    set_metadata(&store, "a-1", r#"{"$maxCount":5}"#).await;
    let seen = see(&store, "a-1");
    assert_eq!((seen.life, seen.events.len(), seen.last), (Life::Live, 0, Some(1)));
    let said = store.metadata(&stream("a-1")).unwrap().unwrap();
    assert_eq!((said.max_count, said.truncate_before), (Some(5), Some(2)));
}

#[tokio::test]
async fn a_stream_that_was_ended_refuses_everything_for_ever() {
    let (dir, store) = open();
    let first = events(2);
    write(&store, "a-1", Expected::NoStream, &first).await.unwrap();
    assert_eq!(store.tombstone(&stream("a-1"), Expected::Revision(1)).await, Ok(Position(3)));
    let ended = || Refusal::Tombstoned { stream: stream("a-1") };
    drop(store);
    let store = EmbeddedStore::open(dir.path()).unwrap();
    for expected in [
        Expected::Any,
        Expected::NoStream,
        Expected::StreamExists,
        Expected::Revision(1),
    ] {
        assert_eq!(write(&store, "a-1", expected, &first).await, Err(ended()));
        assert_eq!(store.delete(&stream("a-1"), expected).await, Err(ended()));
        assert_eq!(store.tombstone(&stream("a-1"), expected).await, Err(ended()));
    }
    assert_eq!(see(&store, "a-1").life, Life::Tombstoned);
    let narrow = store.append(&stream("a-1"), Expected::Any, events(1)).await;
    let unknowable = Some(NEVER_AGAIN);
    assert!(
        matches!(&narrow, Err(StoreError::WrongRevision { actual, .. }) if *actual == unknowable),
        "{narrow:?}"
    );
    let end = store.read_all(Some(Position(2)), 1, &Filter::all()).await.unwrap();
    assert_eq!(
        (&*end.events[0].name, end.events[0].revision),
        ("$streamDeleted", NEVER_AGAIN)
    );
    assert!(store.verify(|_| {}).unwrap().is_whole());
    for (direction, from) in [(Direction::Forwards, 0), (Direction::Backwards, u64::MAX)] {
        let kept = store.read_stream(&stream("a-1"), from, direction, 10).await.unwrap();
        assert_eq!(kept.len(), 2, "its history stays until it is scavenged");
    }
}

#[tokio::test]
async fn of_an_ended_stream_something_may_still_be_said_but_not_read() {
    let (_dir, store) = open();
    store.tombstone(&stream("a-1"), Expected::NoStream).await.unwrap();
    set_metadata(&store, "a-1", r#"{"$maxCount":5}"#).await;
    assert_eq!(see(&store, "$$a-1").life, Life::Tombstoned);
    assert_eq!(see(&store, "a-1").life, Life::Tombstoned);
}

#[tokio::test]
async fn a_stream_of_which_something_is_said_exists_without_events() {
    let (_dir, store) = open();
    let exists = write(&store, "a-1", Expected::StreamExists, &events(1)).await;
    assert_eq!(exists, Err(wrong("a-1", Expected::StreamExists, None)));
    set_metadata(&store, "a-1", r#"{"owner":"somebody"}"#).await;
    assert_eq!(see(&store, "a-1").life, Life::Missing);
    let place = write(&store, "a-1", Expected::StreamExists, &events(1)).await.unwrap();
    assert_eq!(place.revision, 0);
}

#[tokio::test]
async fn what_the_store_makes_itself_is_nobodys_to_write_or_delete() {
    let (_dir, store) = open();
    for name in ["$ce-case", "$et-Happened", "$streams"] {
        let reserved = || Refusal::Reserved { stream: stream(name) };
        assert_eq!(write(&store, name, Expected::Any, &events(1)).await, Err(reserved()));
        assert_eq!(store.delete(&stream(name), Expected::Any).await, Err(reserved()));
        assert_eq!(store.tombstone(&stream(name), Expected::Any).await, Err(reserved()));
    }
    set_metadata(&store, "a-1", "{}").await;
    let said = Refusal::Reserved { stream: stream("$$a-1") };
    assert_eq!(store.delete(&stream("$$a-1"), Expected::Any).await, Err(said.clone()));
    assert_eq!(store.tombstone(&stream("$$a-1"), Expected::Any).await, Err(said));
}

#[tokio::test]
async fn the_same_events_again_without_a_revision_are_recognised_in_their_own_stream_only() {
    let (_dir, store) = open();
    let known = events(2);
    let place = write(&store, "a-1", Expected::Any, &known).await.unwrap();
    write(&store, "a-1", Expected::Any, &events(1)).await.unwrap();
    assert_eq!(write(&store, "a-1", Expected::Any, &known).await, Ok(place));
    assert_eq!(
        write(&store, "a-1", Expected::StreamExists, &known[..1])
            .await
            .unwrap()
            .revision,
        0
    );
    let half = [known[0].clone(), event("new")];
    assert_eq!(
        write(&store, "a-1", Expected::Any, &half).await,
        Err(wrong("a-1", Expected::Any, Some(2)))
    );
    assert_eq!(write(&store, "b-1", Expected::Any, &known).await.unwrap().revision, 1);
}

#[tokio::test]
async fn an_event_that_is_too_large_is_refused_before_it_is_written() {
    let (_dir, store) = open();
    let refused = write(&store, "a-1", Expected::Any, &[event(vec![b' '; MAX_EVENT_BYTES])]).await;
    assert!(matches!(refused, Err(Refusal::Store(StoreError::TooLarge(_)))), "{refused:?}");
    let refused = write(&store, "a-1", Expected::Any, &[]).await;
    assert!(matches!(refused, Err(Refusal::Store(StoreError::TooLarge(_)))), "{refused:?}");
}
