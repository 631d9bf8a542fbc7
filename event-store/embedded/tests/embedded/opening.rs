//! Opening, closing, opening again; one writer at a time, readers beside it.

use event_store_contract::{Direction, EventStore, Expected, Filter, StoreError};
use event_store_embedded::{EmbeddedStore, OpenError};
use tempfile::TempDir;

use crate::{event, stream};

#[tokio::test]
async fn what_was_appended_is_there_when_the_store_is_opened_again() {
    let dir = TempDir::new().unwrap();
    let name = stream("case-1");
    let (mut revisions, mut head) = (0, None);
    for round in 0..3 {
        let store = EmbeddedStore::open(dir.path()).unwrap();
        assert_eq!(store.head().await, Ok(head));
        assert_eq!(
            store.read_stream(&name, 0, Direction::Forwards, 100).await.unwrap().len(),
            revisions
        );
        let expected = revisions
            .checked_sub(1)
            .map_or(Expected::NoStream, |last| Expected::Revision(last as u64));
        let appended = store.append(&name, expected, vec![event("{}"), event("[]")]).await.unwrap();
        revisions += 2;
        head = Some(appended.position);
        if round == 1 {
            store.close().unwrap();
        }
    }
}

#[tokio::test]
async fn the_same_append_is_recognised_after_opening_again() {
    let dir = TempDir::new().unwrap();
    let (name, events) = (stream("case-1"), vec![event("1"), event("2")]);
    let append = async |expected| {
        EmbeddedStore::open(dir.path())
            .unwrap()
            .append(&name, expected, events.clone())
            .await
    };
    let first = append(Expected::Any).await;
    assert!(first.is_ok());
    assert_eq!(append(Expected::Any).await, first);
    assert_eq!(append(Expected::NoStream).await, first);
}

#[test]
fn a_second_writer_is_refused_and_told_who_the_first_is() {
    let dir = TempDir::new().unwrap();
    let first = EmbeddedStore::open(dir.path()).unwrap();
    let Err(refused) = EmbeddedStore::open(dir.path()) else {
        panic!("a second writer was let in")
    };
    assert!(matches!(refused, OpenError::Locked { .. }));
    assert!(
        refused
            .to_string()
            .contains(&format!("in use by process {}", std::process::id())),
        "{refused}"
    );
    drop(first);
    EmbeddedStore::open(dir.path()).unwrap();
}

#[tokio::test]
async fn a_store_can_be_read_while_another_writes_to_it() {
    let dir = TempDir::new().unwrap();
    assert!(matches!(
        EmbeddedStore::open_read_only(dir.path()),
        Err(OpenError::Missing { .. })
    ));
    let writing = EmbeddedStore::open(dir.path()).unwrap();
    let name = stream("case-1");
    writing.append(&name, Expected::NoStream, vec![event("1")]).await.unwrap();

    let reading = EmbeddedStore::open_read_only(dir.path()).unwrap();
    assert_eq!(reading.head().await, writing.head().await);
    let mut follower = reading.follow(None, Filter::all()).await.unwrap();
    assert_eq!(follower.next(10).await.unwrap().events.len(), 1);
    writing.append(&name, Expected::Revision(0), vec![event("2")]).await.unwrap();
    assert_eq!(follower.next(10).await.unwrap().events[0].revision, 1);
    let refused = reading.append(&name, Expected::Revision(1), vec![event("3")]).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    drop(writing);
    assert_eq!(reading.read_stream(&name, 0, Direction::Forwards, 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_closed_store_refuses_and_its_followers_hear_of_it() {
    let dir = TempDir::new().unwrap();
    let store = EmbeddedStore::open(dir.path()).unwrap();
    let mut follower = store.follow(None, Filter::all()).await.unwrap();
    let waiting = tokio::spawn(async move { follower.next(1).await });
    store.close().unwrap();
    assert!(matches!(waiting.await.unwrap(), Err(StoreError::Unavailable(_))));
    let refused = store.append(&stream("case-1"), Expected::Any, vec![event("1")]).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    let refused = store.read_stream(&stream("case-1"), 0, Direction::Forwards, 1).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    store.close().unwrap();
}

#[tokio::test]
async fn a_backup_is_a_whole_store() {
    let (dir, copy) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let store = EmbeddedStore::open(dir.path()).unwrap();
    for at in 0..50 {
        store
            .append(&stream(&format!("case-{}", at % 7)), Expected::Any, vec![event("{}")])
            .await
            .unwrap();
    }
    let file = copy.path().join("events.sqlite");
    store.backup_to(&file).unwrap();
    assert!(store.backup_to(&file).is_err(), "a backup never overwrites");
    let copied = EmbeddedStore::open(copy.path()).unwrap();
    assert!(copied.verify(|_| {}).unwrap().is_whole());
    let (all, same) = (
        store.read_all(None, 100, &Filter::all()).await,
        copied.read_all(None, 100, &Filter::all()).await,
    );
    assert_eq!(all, same);
}

#[test]
fn another_programs_file_is_not_taken_for_a_store() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("events.sqlite");
    rusqlite::Connection::open(&file)
        .unwrap()
        .execute_batch("CREATE TABLE notes (text)")
        .unwrap();
    assert!(matches!(EmbeddedStore::open(dir.path()), Err(OpenError::NotAStore { .. })));
    std::fs::write(&file, "not a database at all, but long enough to look at").unwrap();
    assert!(EmbeddedStore::open(dir.path()).is_err());
}
