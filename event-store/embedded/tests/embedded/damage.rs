//! Damage: whatever is not what was written is found, and its place is named.

use std::{fs, path::Path};

use event_store_contract::{Direction, EventStore, Expected, Filter, NewEvent, Position, RecordedEvent, StoreError};
use event_store_embedded::{EmbeddedStore, OpenError};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{event, stream};

const DAMAGED: usize = 23;

/// A closed store with 60 events in four streams, the event to be damaged being the 24th, and that event.
async fn store_with_a_mark(dir: &Path) -> RecordedEvent {
    let store = EmbeddedStore::open(dir).unwrap();
    for at in 0..60 {
        let new = NewEvent {
            id: Uuid::new_v4(),
            name: format!("Happened{at:03}").into(),
            data: format!("{{\"text\":\"data-{at:03}-{}\"}}", "x".repeat(200)).into(),
            metadata: format!("{{\"text\":\"metadata-{at:03}\"}}").into(),
        };
        store
            .append(&stream(&format!("case-{}", at % 4)), Expected::Any, vec![new])
            .await
            .unwrap();
    }
    let page = store
        .read_all(Some(Position(DAMAGED as u64)), 1, &Filter::all())
        .await
        .unwrap();
    store.close().unwrap();
    page.events.into_iter().next().unwrap()
}

fn flip_a_bit_in(dir: &Path, mark: &[u8]) {
    let file = dir.join("events.sqlite");
    let mut bytes = fs::read(&file).unwrap();
    let places: Vec<_> = bytes
        .windows(mark.len())
        .enumerate()
        .filter(|(_, window)| *window == mark)
        .map(|(at, _)| at)
        .collect();
    assert_eq!(places.len(), 1, "the mark stands once in the file");
    bytes[places[0] + mark.len() / 2] ^= 0x04;
    fs::write(file, bytes).unwrap();
}

#[tokio::test]
async fn a_flipped_bit_is_found_wherever_it_is_and_its_place_is_named() {
    let marks: [fn(&RecordedEvent) -> Vec<u8>; 5] = [
        |event| event.data[..20].to_vec(),
        |event| event.metadata.to_vec(),
        |event| event.name.as_bytes().to_vec(),
        |event| event.id.as_bytes().to_vec(),
        |event| event.hash.unwrap().to_vec(),
    ];
    for mark in marks {
        let dir = TempDir::new().unwrap();
        let event = store_with_a_mark(dir.path()).await;
        flip_a_bit_in(dir.path(), &mark(&event));
        let store = EmbeddedStore::open(dir.path()).unwrap();

        let read = store.read_stream(&event.stream, 0, Direction::Forwards, 100).await;
        let Err(StoreError::Damaged {
            stream: name,
            revision,
            position,
            ..
        }) = read
        else {
            panic!("{read:?}")
        };
        assert_eq!(
            (name.as_str(), revision, position),
            (event.stream.as_str(), event.revision, event.position)
        );
        let read = store.read_all(None, 100, &Filter::all()).await;
        assert!(
            matches!(read, Err(StoreError::Damaged { position, .. }) if position == event.position),
            "{read:?}"
        );

        let other = store
            .read_stream(&stream("case-0"), 0, Direction::Forwards, 100)
            .await
            .unwrap();
        assert_eq!(other.len(), 15, "what is not damaged can be read");
        let report = store.verify(|_| {}).unwrap();
        let places: Vec<_> = report
            .damages
            .iter()
            .map(|damage| (damage.stream.clone(), damage.revision, damage.position))
            .collect();
        let here = (Some(event.stream.clone()), Some(event.revision), event.position);
        assert_eq!(places.first(), Some(&here), "{report:?}");
        // A changed hash also breaks the link from the event after it.
        assert!(places.len() <= 2, "{report:?}");
    }
}

#[tokio::test]
async fn a_whole_store_verifies_as_whole() {
    let dir = TempDir::new().unwrap();
    store_with_a_mark(dir.path()).await;
    let store = EmbeddedStore::open_read_only(dir.path()).unwrap();
    let mut last = None;
    let report = store.verify(|progress| last = Some(progress)).unwrap();
    assert!(report.is_whole(), "{report:?}");
    assert_eq!((report.events, report.streams), (60, 4));
    assert!(report.bytes > 60 * 200);
    assert_eq!(last.map(|progress| (progress.events, progress.of_events)), Some((60, 60)));
}

#[tokio::test]
async fn an_event_taken_out_is_missed() {
    let dir = TempDir::new().unwrap();
    let event = store_with_a_mark(dir.path()).await;
    let file = rusqlite::Connection::open(dir.path().join("events.sqlite")).unwrap();
    file.execute("DELETE FROM events WHERE pos = ?1", [event.position.0]).unwrap();
    drop(file);
    let store = EmbeddedStore::open(dir.path()).unwrap();
    assert!(matches!(
        store.read_stream(&event.stream, 0, Direction::Forwards, 100).await,
        Err(StoreError::Damaged { revision, .. }) if revision == event.revision + 1
    ));
    assert!(matches!(
        store.read_all(None, 100, &Filter::all()).await,
        Err(StoreError::Damaged { .. })
    ));
    let report = store.verify(|_| {}).unwrap();
    assert_eq!(report.damages[0].position, event.position);
    assert_eq!(report.damages[0].reason, "the event is missing");
}

#[tokio::test]
async fn a_torn_page_costs_its_own_events_only() {
    let dir = TempDir::new().unwrap();
    let event = store_with_a_mark(dir.path()).await;
    let file = dir.path().join("events.sqlite");
    let mut bytes = fs::read(&file).unwrap();
    let mark = &event.data[..20];
    let at = bytes.windows(mark.len()).position(|window| window == mark).unwrap();
    bytes[at / 4096 * 4096..][..4096].fill(0xa5);
    fs::write(&file, bytes).unwrap();
    let store = EmbeddedStore::open_read_only(dir.path()).unwrap();
    assert!(matches!(
        store.read_stream(&event.stream, 0, Direction::Forwards, 100).await,
        Err(StoreError::Damaged { .. })
    ));
    let opened = EmbeddedStore::open(dir.path()).map(drop);
    assert!(
        matches!(opened, Err(OpenError::Damaged(_))),
        "nothing is written to it: {opened:?}"
    );
    let report = store.verify(|_| {}).unwrap();
    assert!(
        report.damages.iter().any(|damage| damage.position == event.position),
        "{report:?}"
    );
    assert!(report.events > 30, "the other pages can be read: {report:?}");
    assert!(!report.complaints.is_empty());
}

#[tokio::test]
async fn nothing_is_chained_to_a_damaged_event() {
    let dir = TempDir::new().unwrap();
    store_with_a_mark(dir.path()).await;
    flip_a_bit_in(dir.path(), b"\"data-059");
    let store = EmbeddedStore::open(dir.path()).unwrap();
    let refused = store.append(&stream("case-3"), Expected::Any, vec![event("{}")]).await;
    assert!(
        matches!(refused, Err(StoreError::Damaged { revision: 14, .. })),
        "{refused:?}"
    );
    store
        .append(&stream("case-2"), Expected::Any, vec![event("{}")])
        .await
        .unwrap();
}

#[tokio::test]
async fn a_changed_value_in_any_column_is_found_and_its_place_is_named() {
    for (column, value) in [
        ("pos", "pos + 1000"),
        ("stream_id", "99"),
        ("rev", "rev + 50"),
        ("created", "created + 1"),
        ("crc", "crc + 1"),
        ("flags", "1"),
        ("event_id", "x'00112233445566778899aabbccddeeff'"),
        ("hash", "zeroblob(32)"),
        ("type", "'Happened999'"),
        ("meta", "x'7b7d'"),
        ("data", "x'7b7d'"),
    ] {
        let dir = TempDir::new().unwrap();
        let event = store_with_a_mark(dir.path()).await;
        let file = rusqlite::Connection::open(dir.path().join("events.sqlite")).unwrap();
        let changed = format!("UPDATE events SET {column} = {value} WHERE pos = {}", event.position.0);
        assert_eq!(file.execute(&changed, []).unwrap(), 1);
        drop(file);
        let store = EmbeddedStore::open_read_only(dir.path()).unwrap();
        let report = store.verify(|_| {}).unwrap();
        assert!(
            report.damages.iter().any(|damage| damage.position == event.position),
            "{column}: {report:?}"
        );
        let read = store.read_all(None, 100, &Filter::all()).await;
        assert!(matches!(read, Err(StoreError::Damaged { .. })), "{column}: {read:?}");
    }
}

#[tokio::test]
async fn a_renamed_stream_is_found() {
    let dir = TempDir::new().unwrap();
    let event = store_with_a_mark(dir.path()).await;
    let file = rusqlite::Connection::open(dir.path().join("events.sqlite")).unwrap();
    file.execute("UPDATE streams SET name = 'case-9' WHERE name = ?1", [event.stream.as_str()])
        .unwrap();
    drop(file);
    let report = EmbeddedStore::open_read_only(dir.path()).unwrap().verify(|_| {}).unwrap();
    assert_eq!(report.damages.len(), 15, "every event of it");
}

#[tokio::test]
async fn a_torn_end_of_the_file_is_never_taken_for_the_whole() {
    let dir = TempDir::new().unwrap();
    store_with_a_mark(dir.path()).await;
    let file = dir.path().join("events.sqlite");
    let bytes = fs::read(&file).unwrap();
    for torn in [1, 2_000, 4_096, 10_000] {
        fs::write(&file, &bytes[..bytes.len() - torn]).unwrap();
        let found = match EmbeddedStore::open_read_only(dir.path()) {
            Err(_) => true,
            Ok(store) => store.verify(|_| {}).map_or(true, |report| !report.is_whole()),
        };
        assert!(found, "{torn} bytes less");
    }
}

#[tokio::test]
async fn a_torn_end_of_the_write_ahead_log_costs_only_the_commit_that_was_on_its_way() {
    let dir = TempDir::new().unwrap();
    let store = EmbeddedStore::open(dir.path()).unwrap();
    let log = dir.path().join("events.sqlite-wal");
    let mut ends = Vec::new();
    for _ in 0..20 {
        store
            .append(&stream("case-1"), Expected::Any, vec![event("{}"), event("{}")])
            .await
            .unwrap();
        ends.push(usize::try_from(fs::metadata(&log).unwrap().len()).unwrap());
    }
    let (file, bytes) = (fs::read(dir.path().join("events.sqlite")).unwrap(), fs::read(&log).unwrap());
    for (end, garbled) in [(ends[18] + 1, 0), (ends[19] - 1, 0), (ends[19], 100), (ends[19], 4_000)] {
        let copy = TempDir::new().unwrap();
        let mut torn = bytes[..end].to_vec();
        for byte in torn.iter_mut().rev().take(garbled) {
            *byte ^= 0x55;
        }
        fs::write(copy.path().join("events.sqlite"), &file).unwrap();
        fs::write(copy.path().join("events.sqlite-wal"), torn).unwrap();
        let store = EmbeddedStore::open(copy.path()).unwrap();
        assert_eq!(store.head().await, Ok(Some(Position(38))), "{end} {garbled}");
        assert!(store.verify(|_| {}).unwrap().is_whole());
        let next = store
            .append(&stream("case-1"), Expected::Revision(37), vec![event("{}")])
            .await
            .unwrap();
        assert_eq!(next.position, Position(39));
    }
}
