//! What can be tested only from inside: a full disk, and a forger who knows how checksums are made.
#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use event_store_contract::{Direction, EventStore, Expected, Filter, NewEvent, Position, StoreError, StreamName, proof::Hash};
use rusqlite::{Connection, params};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    EmbeddedStore,
    record::{Place, content_checksum, whole_checksum},
    schema,
};

/// More pages than a full disk leaves in these tests, and fewer than they would write.
const PAGES_LEFT: u32 = 40;

fn event(data: impl Into<Bytes>) -> NewEvent {
    NewEvent {
        id: Uuid::new_v4(),
        name: "Happened".into(),
        data: data.into(),
        metadata: Bytes::new(),
    }
}

fn limit_pages(store: &EmbeddedStore, pages: u32) {
    store
        .0
        .writing
        .as_ref()
        .unwrap()
        .group
        .between_commits(|writer| writer.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())))
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_full_disk_refuses_appends_and_nothing_else_and_writing_resumes_by_itself() {
    let dir = TempDir::new().unwrap();
    let store = EmbeddedStore::open(dir.path()).unwrap();
    let name = StreamName::new("case-1").unwrap();
    let large = || vec![event(vec![b' '; 3_000]), event(vec![b' '; 3_000])];
    limit_pages(&store, PAGES_LEFT);
    let mut durable = 0;
    let mut refused = large();
    loop {
        match store.append(&name, Expected::Any, refused.clone()).await {
            Ok(appended) => durable = appended.revision + 1,
            Err(StoreError::Unavailable(reason)) => {
                assert!(reason.contains("full"), "{reason}");
                break;
            }
            Err(other) => panic!("{other}"),
        }
        refused = large();
    }
    assert!(durable > 0);
    let others = futures_of_several_appends(&store, &name, 5).await;
    assert!(
        others.iter().all(|answer| matches!(answer, Err(StoreError::Unavailable(_)))),
        "all who wait are told: {others:?}"
    );
    assert_eq!(store.head().await, Ok(Some(Position(durable))));
    let read = store.read_stream(&name, 0, Direction::Forwards, 1_000).await.unwrap();
    assert_eq!(read.len() as u64, durable);

    limit_pages(&store, 1_000_000);
    let appended = store.append(&name, Expected::Revision(durable - 1), refused).await.unwrap();
    assert_eq!(
        (appended.revision, appended.position),
        (durable + 1, Position(durable + 2)),
        "no position was lost"
    );
    assert!(store.verify(|_| {}).unwrap().is_whole());
}

/// Several large appends at the same moment.
async fn futures_of_several_appends(store: &EmbeddedStore, name: &StreamName, count: usize) -> Vec<Result<(), StoreError>> {
    let mut appends = tokio::task::JoinSet::new();
    for _ in 0..count {
        let (store, name) = (store.clone(), name.clone());
        appends.spawn(async move {
            store
                .append(&name, Expected::Any, vec![event(vec![b' '; 9_000])])
                .await
                .map(drop)
        });
    }
    appends.join_all().await
}

#[test]
fn every_commit_waits_for_the_disk() {
    const FULL: i64 = 2;
    let dir = TempDir::new().unwrap();
    let writer = schema::open_writer(&dir.path().join(schema::FILE)).unwrap();
    let mode: String = writer.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    let synchronous: i64 = writer.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap();
    assert_eq!((mode.as_str(), synchronous), ("wal", FULL));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_write_ahead_log_is_written_over_and_does_not_grow_for_ever() {
    const LOG_LIMIT_BYTES: u64 = 128 * 1024 * 1024;
    let dir = TempDir::new().unwrap();
    let store = EmbeddedStore::open(dir.path()).unwrap();
    let name = StreamName::new("case-1").unwrap();
    let megabyte = Bytes::from(vec![b' '; 1024 * 1024]);
    for _ in 0..30 {
        store
            .append(&name, Expected::Any, (0..5).map(|_| event(megabyte.clone())).collect())
            .await
            .unwrap();
    }
    let log = std::fs::metadata(dir.path().join("events.sqlite-wal")).unwrap().len();
    assert!(log < LOG_LIMIT_BYTES, "{log} bytes after 150 MB of events");
}

/// Rewrites an event in the file, with a checksum that fits.
fn forge(file: &Connection, position: u64, data: &[u8]) {
    let sql =
        "SELECT rev, created, event_id, hash, type, meta, name, flags FROM events JOIN streams ON id = stream_id WHERE pos = ?1";
    let checksum = file
        .query_row(sql, [position], |row| {
            let (id, hash): ([u8; 16], Hash) = (row.get(2)?, row.get(3)?);
            let (name, metadata, stream): (String, Vec<u8>, String) = (row.get(4)?, row.get(5)?, row.get(6)?);
            let place = Place {
                stream: &stream,
                revision: row.get(0)?,
                position,
                created_us: row.get(1)?,
                flags: row.get(7)?,
            };
            Ok(whole_checksum(
                content_checksum(Uuid::from_bytes(id), &name, data, &metadata),
                &place,
                &hash,
            ))
        })
        .unwrap();
    file.execute(
        "UPDATE events SET data = ?2, crc = ?3 WHERE pos = ?1",
        params![position, data, checksum],
    )
    .unwrap();
}

#[tokio::test]
async fn a_forged_event_with_a_checksum_that_fits_breaks_the_chain() {
    let dir = TempDir::new().unwrap();
    let name = StreamName::new("case-1").unwrap();
    let store = EmbeddedStore::open(dir.path()).unwrap();
    for number in 0..5 {
        store
            .append(&name, Expected::Any, vec![event(format!("{{\"fee_fen\":{number}}}"))])
            .await
            .unwrap();
    }
    drop(store);
    forge(
        &Connection::open(dir.path().join(schema::FILE)).unwrap(),
        3,
        b"{\"fee_fen\":0}",
    );

    let store = EmbeddedStore::open(dir.path()).unwrap();
    assert_eq!(
        store.read_all(None, 10, &Filter::all()).await.unwrap().events.len(),
        5,
        "its checksum fits"
    );
    let read = store.read_stream(&name, 0, Direction::Forwards, 10).await;
    assert!(matches!(read, Err(StoreError::Damaged { revision: 2, .. })), "{read:?}");
    let read = store.read_stream(&name, 2, Direction::Backwards, 1).await;
    assert!(matches!(read, Err(StoreError::Damaged { revision: 2, .. })), "{read:?}");
    let report = store.verify(|_| {}).unwrap();
    assert_eq!(
        report.damages.iter().map(|damage| damage.position).collect::<Vec<_>>(),
        [Position(3)]
    );
    assert!(report.damages[0].reason.contains("hash chain"));
}
