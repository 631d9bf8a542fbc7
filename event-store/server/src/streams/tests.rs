//! Writes that the disk does not take in time.
#![allow(clippy::unwrap_used)]

use std::{sync::Arc, time::Duration};

use event_store_contract::{Direction, Expected, NewEvent, StreamName};
use event_store_embedded::{Draft, Write};
use rusqlite::Connection;
use uuid::Uuid;

use super::WriteError;
use crate::testing::secure_desk;

/// More than an appender commits in its own thread, which the test needs for itself.
const FOR_THE_WRITERS_THREAD: usize = 100 * 1024;

#[tokio::test]
async fn a_write_that_the_disk_does_not_take_in_time_is_said_to_be_timed_out_and_is_written_all_the_same() {
    let mut desk = secure_desk().await;
    Arc::get_mut(&mut desk.desk).unwrap().write_timeout = Duration::from_millis(1);
    // Whoever holds the lock of the file holds up the writer, however long that is.
    let somebody = Connection::open(desk.directory.path().join("events/events.sqlite")).unwrap();
    somebody.execute_batch("BEGIN IMMEDIATE").unwrap();

    let stream = StreamName::new("slow-1").unwrap();
    let write = Write {
        stream: stream.clone(),
        expected: Expected::NoStream,
        events: vec![Draft::from(NewEvent {
            id: Uuid::new_v4(),
            name: "Slow".into(),
            data: vec![b' '; FOR_THE_WRITERS_THREAD].into(),
            metadata: b"".to_vec().into(),
        })],
    };
    let mut committed = desk.store.committed();
    committed.mark_unchanged();
    assert!(matches!(desk.write_one(write).await, Err(WriteError::TimedOut)));
    let read = || desk.store.read_stream_blocking(&stream, 0, Direction::Forwards, 10);
    assert!(read().map_or(true, |events| events.is_empty()));

    somebody.execute_batch("ROLLBACK").unwrap();
    committed.changed().await.unwrap();
    assert_eq!(read().unwrap().len(), 1);
}
