//! The wide door, going out: what a reader from outside is shown.

use chrono::{DateTime, TimeDelta, Utc};
use event_store_contract::{Direction, EventStore, Expected, NewEvent, Position, StreamName};
use event_store_embedded::{Draft, EmbeddedStore, LINK_NAME, Life, LogFrom, LogPage, Seen, Write};

use crate::{
    event, stream,
    wide_writes::{events, open, revisions, see, set_metadata, write},
};

fn read(store: &EmbeddedStore, name: &str, from: u64, direction: Direction, limit: usize) -> (Vec<u64>, bool) {
    let seen = store
        .stream_as_seen(&stream(name), from, direction, limit, false, Utc::now())
        .unwrap();
    (revisions(&seen), seen.end)
}

fn log(store: &EmbeddedStore, from: LogFrom, direction: Direction, limit: usize) -> LogPage {
    store
        .log_as_seen(from, direction, limit, u64::MAX, &|_, _| true, false, Utc::now())
        .unwrap()
}

fn positions(page: &LogPage) -> Vec<u64> {
    page.events
        .iter()
        .map(|seen| seen.event.as_ref().unwrap().position.0)
        .collect()
}

#[tokio::test]
async fn a_stream_is_read_both_ways_in_pages_until_its_end() {
    let (_dir, store) = open();
    write(&store, "a-1", Expected::NoStream, &events(5)).await.unwrap();
    assert_eq!(read(&store, "a-1", 0, Direction::Forwards, 2), (vec![0, 1], false));
    assert_eq!(read(&store, "a-1", 3, Direction::Forwards, 2), (vec![3, 4], true));
    assert_eq!(read(&store, "a-1", 5, Direction::Forwards, 2), (vec![], true));
    assert_eq!(read(&store, "a-1", u64::MAX, Direction::Forwards, 2), (vec![], true));
    assert_eq!(read(&store, "a-1", u64::MAX, Direction::Backwards, 3), (vec![4, 3, 2], false));
    assert_eq!(read(&store, "a-1", 1, Direction::Backwards, 3), (vec![1, 0], true));
    assert_eq!(see(&store, "b-1").life, Life::Missing);
}

#[tokio::test]
async fn the_newest_events_are_shown_if_they_were_limited_by_number() {
    let (_dir, store) = open();
    write(&store, "a-1", Expected::NoStream, &events(5)).await.unwrap();
    set_metadata(&store, "a-1", r#"{"$maxCount":2}"#).await;
    assert_eq!(read(&store, "a-1", 0, Direction::Forwards, 9), (vec![3, 4], true));
    assert_eq!(read(&store, "a-1", u64::MAX, Direction::Backwards, 9), (vec![4, 3], true));
    assert_eq!(read(&store, "a-1", 2, Direction::Backwards, 9), (vec![], true));
    write(&store, "a-1", Expected::Any, &events(1)).await.unwrap();
    let seen = see(&store, "a-1");
    assert_eq!((revisions(&seen), seen.first, seen.last), (vec![4, 5], Some(4), Some(5)));
    set_metadata(&store, "a-1", "{}").await;
    assert_eq!(
        see(&store, "a-1").events.len(),
        6,
        "until they are scavenged, nothing is lost"
    );
}

#[tokio::test]
async fn nothing_is_shown_before_the_truncation() {
    let (_dir, store) = open();
    write(&store, "a-1", Expected::NoStream, &events(5)).await.unwrap();
    set_metadata(&store, "a-1", r#"{"$tb":3}"#).await;
    assert_eq!(revisions(&see(&store, "a-1")), [3, 4]);
    set_metadata(&store, "a-1", r#"{"$tb":3,"$maxCount":1}"#).await;
    assert_eq!(revisions(&see(&store, "a-1")), [4], "the narrower of the two counts");
    set_metadata(&store, "a-1", r#"{"$tb":7}"#).await;
    let seen = see(&store, "a-1");
    assert_eq!(
        (seen.life, seen.events.len(), seen.first, seen.last),
        (Life::Live, 0, None, Some(4))
    );
}

#[tokio::test]
async fn an_event_that_has_become_too_old_is_not_shown() {
    let (_dir, store) = open();
    write(&store, "a-1", Expected::NoStream, &events(3)).await.unwrap();
    set_metadata(&store, "a-1", r#"{"$maxAge":60}"#).await;
    let at = |now: DateTime<Utc>, direction| {
        let from = if direction == Direction::Forwards { 0 } else { u64::MAX };
        let seen = store.stream_as_seen(&stream("a-1"), from, direction, 10, false, now).unwrap();
        revisions(&seen)
    };
    let now = Utc::now();
    assert_eq!(at(now, Direction::Forwards), [0, 1, 2]);
    assert_eq!(at(now, Direction::Backwards), [2, 1, 0]);
    assert!(at(now + TimeDelta::seconds(120), Direction::Forwards).is_empty());
    assert!(at(now + TimeDelta::seconds(120), Direction::Backwards).is_empty());
}

#[tokio::test]
async fn of_what_was_said_of_a_stream_only_the_last_is_shown() {
    let (_dir, store) = open();
    for json in ["{}", r#"{"$maxCount":3}"#, r#"{"$maxCount":4}"#] {
        set_metadata(&store, "a-1", json).await;
    }
    let seen = see(&store, "$$a-1");
    assert_eq!((revisions(&seen), seen.first, seen.last), (vec![2], Some(2), Some(2)));
    assert_eq!(store.metadata(&stream("a-1")).unwrap().unwrap().max_count, Some(4));
}

#[tokio::test]
async fn what_is_said_of_a_stream_is_known_at_once_and_after_opening_again() {
    let (dir, store) = open();
    assert_eq!(store.metadata(&stream("a-1")), Ok(None));
    for count in 1..20_u64 {
        set_metadata(&store, "a-1", &format!(r#"{{"$maxCount":{count}}}"#)).await;
        assert_eq!(store.metadata(&stream("a-1")).unwrap().unwrap().max_count, Some(count));
    }
    drop(store);
    let read_only = EmbeddedStore::open_read_only(dir.path()).unwrap();
    assert_eq!(read_only.metadata(&stream("a-1")).unwrap().unwrap().max_count, Some(19));
    let store = EmbeddedStore::open(dir.path()).unwrap();
    assert_eq!(store.metadata(&stream("a-1")).unwrap().unwrap().max_count, Some(19));
}

#[tokio::test]
async fn the_log_shows_everything_whatever_was_truncated_or_deleted() {
    let (_dir, store) = open();
    write(&store, "a-1", Expected::NoStream, &events(3)).await.unwrap();
    set_metadata(&store, "a-1", r#"{"$maxCount":1}"#).await;
    store.delete(&stream("a-1"), Expected::Any).await.unwrap();
    store.tombstone(&stream("b-1"), Expected::Any).await.unwrap();
    assert_eq!(
        positions(&log(&store, LogFrom::Start, Direction::Forwards, 10)),
        [1, 2, 3, 4, 5, 6]
    );
}

#[tokio::test]
async fn the_log_is_read_both_ways_from_a_position_with_it_or_after_it() {
    let (_dir, store) = open();
    write(&store, "a-1", Expected::NoStream, &events(6)).await.unwrap();
    let at = |position| LogFrom::At(Position(position));
    let after = |position| LogFrom::After(Position(position));
    for (from, direction, limit, positions_read, end) in [
        (LogFrom::Start, Direction::Forwards, 3, vec![1, 2, 3], false),
        (at(3), Direction::Forwards, 2, vec![3, 4], false),
        (after(3), Direction::Forwards, 9, vec![4, 5, 6], true),
        (LogFrom::End, Direction::Forwards, 9, vec![], true),
        (at(7), Direction::Forwards, 9, vec![], true),
        (LogFrom::End, Direction::Backwards, 2, vec![6, 5], false),
        (at(3), Direction::Backwards, 9, vec![3, 2, 1], true),
        (after(3), Direction::Backwards, 9, vec![2, 1], true),
        (at(99), Direction::Backwards, 1, vec![6], false),
        (LogFrom::Start, Direction::Backwards, 9, vec![], true),
    ] {
        let page = log(&store, from, direction, limit);
        assert_eq!((positions(&page), page.end), (positions_read, end), "{from:?} {direction:?}");
        let last = page.events.last().and_then(|seen| seen.event.as_ref());
        assert_eq!(page.position, last.map(|event| event.position), "{from:?} {direction:?}");
    }
}

#[tokio::test]
async fn a_page_of_the_log_ends_after_so_many_were_looked_through() {
    let (_dir, store) = open();
    for name in ["a-1", "b-1", "a-2", "b-2"] {
        write(&store, name, Expected::NoStream, &events(2)).await.unwrap();
    }
    let wants = |stream: &str, name: &str| stream.starts_with("b-") && name == "Happened";
    let page = |from, max| {
        store
            .log_as_seen(from, Direction::Forwards, 10, max, &wants, false, Utc::now())
            .unwrap()
    };
    let first = page(LogFrom::Start, 3);
    assert_eq!(
        (positions(&first), first.position, first.end, first.looked_through),
        (vec![3], Some(Position(3)), false, 3)
    );
    let rest = page(LogFrom::After(Position(3)), 100);
    assert_eq!((positions(&rest), rest.end, rest.looked_through), (vec![4, 7, 8], true, 5));
    let nothing = page(LogFrom::After(Position(8)), 100);
    assert_eq!((nothing.position, nothing.end, nothing.looked_through), (None, true, 0));
}

fn link(to: &str) -> Draft {
    let event = NewEvent {
        name: LINK_NAME.into(),
        ..event(to.to_owned())
    };
    Draft { event, is_json: false }
}

fn places(seen: &[Seen]) -> Vec<(Option<(StreamName, u64)>, bool)> {
    seen.iter()
        .map(|seen| {
            let place = seen.event.as_ref().map(|event| (event.stream.clone(), event.revision));
            (place, seen.link.is_some())
        })
        .collect()
}

#[tokio::test]
async fn a_link_leads_to_its_event_or_stays_alone_if_that_cannot_be_seen() {
    let (_dir, store) = open();
    write(&store, "a-1", Expected::NoStream, &events(3)).await.unwrap();
    write(&store, "gone-1", Expected::NoStream, &events(1)).await.unwrap();
    write(&store, "over-1", Expected::NoStream, &events(1)).await.unwrap();
    set_metadata(&store, "a-1", r#"{"$tb":1}"#).await;
    store.delete(&stream("gone-1"), Expected::Any).await.unwrap();
    store.tombstone(&stream("over-1"), Expected::Any).await.unwrap();
    let links = [
        "2@a-1",
        "0@a-1",
        "9@a-1",
        "0@gone-1",
        "0@over-1",
        "0@never-1",
        "no link at all",
    ];
    let writes = Write {
        stream: stream("list"),
        expected: Expected::NoStream,
        events: links.map(link).into(),
    };
    store.write(vec![writes], Vec::new()).await.unwrap();

    let seen = |resolve| {
        store
            .stream_as_seen(&stream("list"), 0, Direction::Forwards, 10, resolve, Utc::now())
            .unwrap()
            .events
    };
    let alone = (None, true);
    let mut resolved = vec![(Some((stream("a-1"), 2)), true)];
    resolved.extend(std::iter::repeat_n(alone, 6));
    assert_eq!(places(&seen(true)), resolved);
    assert!(seen(true)[0].is_json);
    assert!(seen(false).iter().all(|seen| seen.event.is_some() && seen.link.is_none()));
    let in_log = store
        .log_as_seen(
            LogFrom::Start,
            Direction::Forwards,
            100,
            u64::MAX,
            &|stream, _| stream == "list",
            true,
            Utc::now(),
        )
        .unwrap();
    assert_eq!(places(&in_log.events), resolved);
}

#[tokio::test]
async fn what_is_no_json_stays_none() {
    let (dir, store) = open();
    let drafts = [true, false, true].map(|is_json| Draft {
        event: event(vec![0_u8, 159, 146, 150]),
        is_json,
    });
    let writes = Write {
        stream: stream("a-1"),
        expected: Expected::NoStream,
        events: drafts.into(),
    };
    store.write(vec![writes], Vec::new()).await.unwrap();
    drop(store);
    let store = EmbeddedStore::open(dir.path()).unwrap();
    let flags = |seen: Vec<Seen>| seen.iter().map(|seen| seen.is_json).collect::<Vec<_>>();
    assert_eq!(flags(see(&store, "a-1").events), [true, false, true]);
    assert_eq!(
        flags(log(&store, LogFrom::End, Direction::Backwards, 10).events),
        [true, false, true]
    );
    assert!(store.verify(|_| {}).unwrap().is_whole());
}

#[tokio::test]
async fn followers_hear_of_every_commit_and_of_the_end() {
    let (_dir, store) = open();
    let mut news = store.committed();
    write(&store, "a-1", Expected::NoStream, &events(2)).await.unwrap();
    assert_eq!(news.borrow_and_update().head, 2);
    store.close().unwrap();
    assert!(news.borrow_and_update().closed);
    assert!(store.head().await.is_ok());
}
