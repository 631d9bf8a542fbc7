//! Backup and restore: a copy is whole, or there is none.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use chrono::Utc;
use event_store_contract::{EventStore, Expected, Filter};
use event_store_embedded::{BackupError, EmbeddedStore, ScavengeOptions};
use tempfile::TempDir;

use crate::{
    event, stream,
    wide_writes::{events, open, see, set_metadata, write},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_taken_while_others_write_is_whole_and_not_older_than_its_beginning() {
    let (_dir, store) = open();
    write(&store, "before-1", Expected::Any, &events(3_000)).await.unwrap();
    let writing = Arc::new(AtomicBool::new(true));
    let writer = tokio::spawn({
        let (store, writing) = (store.clone(), writing.clone());
        async move {
            while writing.load(Ordering::Acquire) {
                write(&store, "beside-1", Expected::Any, &[event("{}"), event("{}")])
                    .await
                    .unwrap();
            }
        }
    });
    let target = TempDir::new().unwrap();
    for round in 0..3 {
        let head = store.head().await.unwrap();
        let dir = target.path().join(round.to_string());
        let (source, to) = (store.clone(), dir.clone());
        let backup = tokio::task::spawn_blocking(move || source.backup(&to, |_| {}))
            .await
            .unwrap()
            .unwrap();
        assert!(backup.report.is_whole() && backup.head >= head);
        assert_eq!(backup.file_bytes, fs::metadata(dir.join("events.sqlite")).unwrap().len());
        let copy = EmbeddedStore::open(&dir).unwrap();
        assert_eq!(copy.head().await.unwrap(), backup.head);
        assert_eq!(backup.head.unwrap().0 % 2, 0, "no half of an append");
    }
    writing.store(false, Ordering::Release);
    writer.await.unwrap();
}

#[tokio::test]
async fn a_copy_never_overwrites_anything() {
    let (_dir, store) = open();
    let target = TempDir::new().unwrap();
    fs::write(target.path().join("letter"), "to be kept").unwrap();
    let refused = store.backup(target.path(), |_| {});
    assert!(matches!(refused, Err(BackupError::NotEmpty { .. })), "{refused:?}");
    assert_eq!(fs::read_dir(target.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_damaged_store_gives_no_copy() {
    let (dir, store) = open();
    write(&store, "a-1", Expected::NoStream, &events(5)).await.unwrap();
    drop(store);
    let file = rusqlite::Connection::open(dir.path().join("events.sqlite")).unwrap();
    file.execute("UPDATE events SET data = x'00' WHERE pos = 3", []).unwrap();
    drop(file);
    let target = TempDir::new().unwrap();
    let refused = EmbeddedStore::restore(dir.path(), target.path(), |_| {});
    match refused {
        Err(BackupError::Damaged { report }) => assert_eq!(report.damages[0].position.0, 3),
        other => panic!("{other:?}"),
    }
    assert_eq!(fs::read_dir(target.path()).unwrap().count(), 0, "nothing is left of it");
}

#[tokio::test]
async fn a_restored_store_is_the_store_that_was_backed_up_and_smaller_after_a_scavenge() {
    let (dir, store) = open();
    for _ in 0..20 {
        write(&store, "gone-1", Expected::Any, &[event(vec![b'x'; 50_000])])
            .await
            .unwrap();
    }
    write(&store, "kept-1", Expected::NoStream, &events(5)).await.unwrap();
    set_metadata(&store, "gone-1", r#"{"$maxCount":1}"#).await;
    let options = ScavengeOptions {
        now: Utc::now(),
        stop: Arc::default(),
    };
    store.scavenge(options, |_| {}).await.unwrap();
    let targets = TempDir::new().unwrap();
    let (copied, restored) = (targets.path().join("copied"), targets.path().join("restored"));
    let backup = store.backup(&copied, |_| {}).unwrap();
    let again = EmbeddedStore::restore(&copied, &restored, |_| {}).unwrap();
    assert_eq!((again.head, &again.report), (backup.head, &backup.report));
    let page = store.read_all(None, 100, &Filter::all()).await.unwrap();
    let seen = see(&store, "kept-1");
    store.close().unwrap();
    assert!(fs::metadata(dir.path().join("events.sqlite")).unwrap().len() > 4 * again.file_bytes);
    let store = EmbeddedStore::open(&restored).unwrap();
    assert_eq!(store.read_all(None, 100, &Filter::all()).await.unwrap(), page);
    assert_eq!(see(&store, "kept-1"), seen);
    let place = write(&store, "kept-1", Expected::Revision(4), &events(1)).await.unwrap();
    assert_eq!(place.position.0, page.position.unwrap().0 + 1);
    assert_eq!(see(&store, "$ce-kept").events.len(), 6);
    assert_eq!(store.stream_head(&stream("gone-1")).unwrap().last, Some(19));
}
