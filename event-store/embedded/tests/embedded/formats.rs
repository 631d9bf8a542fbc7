//! Files that an older version of the store wrote.

use std::path::Path;

use event_store_contract::{Direction, EventStore, Expected, Filter};
use event_store_embedded::{Draft, EmbeddedStore, OpenError, Write};
use tempfile::TempDir;

use crate::{
    event, stream,
    wide_writes::{see, set_metadata},
};

/// What a store of format 1 held after four appends: written by that version, not made up here.
const FORMAT_1: &str = "
    CREATE TABLE streams (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE events (
        pos INTEGER PRIMARY KEY,
        stream_id INTEGER NOT NULL,
        rev INTEGER NOT NULL,
        created INTEGER NOT NULL,
        crc INTEGER NOT NULL,
        event_id BLOB NOT NULL,
        hash BLOB NOT NULL,
        type TEXT NOT NULL,
        meta BLOB NOT NULL,
        data BLOB NOT NULL,
        UNIQUE (stream_id, rev)
    ) STRICT;
    INSERT INTO streams VALUES(1,'case-0');
    INSERT INTO streams VALUES(2,'case-1');
    INSERT INTO events VALUES(1,1,0,1795404318220969,2972667553,X'00000000000000000000000000000001',X'90EC54ECBB05043029850AAAFB74C6978AC50A08B0B19CA83500D47BA7CCD8C5','Happened',X'7B7D',X'7B226174223A307D');
    INSERT INTO events VALUES(2,2,0,1795404318236029,121952657,X'00000000000000000000000000000002',X'0317B19316FD4426754F94AEB1A7B60C5EFC352AABEA015D2B1B04C013B86456','Happened',X'7B7D',X'7B226174223A317D');
    INSERT INTO events VALUES(3,1,1,1795404318245784,2469556343,X'00000000000000000000000000000003',X'A0B8DADA6E770AE2A8AC68EA7F75D87DED1F09D49616C78B6A1A192AD858EF3C','Happened',X'7B7D',X'7B226174223A327D');
    INSERT INTO events VALUES(4,2,1,1795404318262978,3913335361,X'00000000000000000000000000000004',X'960DCE58E8248D6D0E45C9A2D9A13A9503B52BA6C706F391D0D26C79AC863EFE','Happened',X'7B7D',X'7B226174223A337D');
    PRAGMA application_id = 1516795212;
    PRAGMA user_version = 1;
";

fn store_of_format_1(dir: &Path) {
    rusqlite::Connection::open(dir.join("events.sqlite"))
        .unwrap()
        .execute_batch(FORMAT_1)
        .unwrap();
}

#[tokio::test]
async fn a_file_of_format_1_is_read_as_it_is_and_whole_also_by_those_who_only_read() {
    let dir = TempDir::new().unwrap();
    store_of_format_1(dir.path());
    let store = EmbeddedStore::open_read_only(dir.path()).unwrap();
    let report = store.verify(|_| {}).unwrap();
    assert!(report.is_whole(), "{report:?}");
    assert_eq!((report.events, report.streams, report.scavenged), (4, 2, 0));
    let events = store
        .read_stream(&stream("case-1"), 0, Direction::Forwards, 10)
        .await
        .unwrap();
    assert_eq!(
        events.iter().map(|event| event.data.clone()).collect::<Vec<_>>(),
        ["{\"at\":1}", "{\"at\":3}"]
    );
    assert!(see(&store, "case-0").events.iter().all(|seen| seen.is_json));
    let copy = TempDir::new().unwrap();
    assert!(store.backup(copy.path(), |_| {}).unwrap().report.is_whole());
}

#[tokio::test]
async fn a_file_of_format_1_is_brought_to_format_2_by_who_writes_to_it() {
    let dir = TempDir::new().unwrap();
    store_of_format_1(dir.path());
    let before = EmbeddedStore::open_read_only(dir.path())
        .unwrap()
        .read_all(None, 10, &Filter::all())
        .await
        .unwrap();
    let store = EmbeddedStore::open(dir.path()).unwrap();
    assert_eq!(store.read_all(None, 10, &Filter::all()).await.unwrap(), before);
    let write = Write {
        stream: stream("case-0"),
        expected: Expected::Revision(1),
        events: vec![Draft {
            event: event("no JSON"),
            is_json: false,
        }],
    };
    store.write(vec![write], Vec::new()).await.unwrap();
    set_metadata(&store, "case-0", r#"{"$maxCount":2}"#).await;
    drop(store);
    let store = EmbeddedStore::open(dir.path()).unwrap();
    let flags = |name| see(&store, name).events.iter().map(|seen| seen.is_json).collect::<Vec<_>>();
    assert_eq!(flags("case-0"), [true, false]);
    assert_eq!(flags("case-1"), [true, true]);
    assert!(store.verify(|_| {}).unwrap().is_whole());
}

#[test]
fn a_file_of_a_newer_format_is_left_alone() {
    let dir = TempDir::new().unwrap();
    store_of_format_1(dir.path());
    rusqlite::Connection::open(dir.path().join("events.sqlite"))
        .unwrap()
        .execute_batch("PRAGMA user_version = 99")
        .unwrap();
    for refused in [EmbeddedStore::open(dir.path()), EmbeddedStore::open_read_only(dir.path())] {
        assert!(matches!(refused.map(drop), Err(OpenError::OtherFormat { found: 99, .. })));
    }
}
