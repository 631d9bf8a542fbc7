//! A disk that is really full: a small file system in memory, for which the test has to be the superuser.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use event_store_contract::{Direction, EventStore, Expected, StoreError};
use event_store_embedded::EmbeddedStore;
use tempfile::TempDir;

use crate::{event, stream};

const MEGABYTES: usize = 4;

/// A mounted file system, let go when this is dropped.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let dir = TempDir::new().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={MEGABYTES}m"), "tmpfs"])
            .arg(dir.path())
            .stderr(Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success()).then(|| Self(dir))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn on_a_full_disk_reads_go_on_and_writing_resumes_when_there_is_room() {
    let Some(disk) = SmallDisk::mount() else {
        println!("skipped: only the superuser can mount a small disk");
        return;
    };
    let filler = disk.path().join("filler");
    fs::write(&filler, vec![0; 1024 * 1024]).unwrap();
    let dir = disk.path().join("store");
    let store = EmbeddedStore::open(&dir).unwrap();
    let name = stream("case-1");
    let mut durable: u64 = 0;
    let reason = loop {
        assert!(durable < 10_000, "the disk is never full");
        match store.append(&name, Expected::Any, vec![event(vec![b' '; 9_000])]).await {
            Ok(appended) => durable = appended.revision + 1,
            Err(StoreError::Unavailable(reason)) => break reason,
            Err(other) => panic!("{other}"),
        }
    };
    assert!(reason.contains("full") || reason.contains("disk"), "{reason}");
    for _ in 0..5 {
        let refused = store.append(&name, Expected::Any, vec![event(vec![b' '; 90_000])]).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    }
    let read = store.read_stream(&name, 0, Direction::Forwards, 10_000).await.unwrap();
    assert_eq!(read.len() as u64, durable);
    assert!(store.verify(|_| {}).unwrap().is_whole());

    fs::remove_file(&filler).unwrap();
    let appended = store
        .append(&name, Expected::Revision(durable - 1), vec![event("{}")])
        .await
        .unwrap();
    assert_eq!(appended.position.0, durable + 1, "nothing was written in between");
    drop(store);
    let store = EmbeddedStore::open(&dir).unwrap();
    assert!(store.verify(|_| {}).unwrap().is_whole());
    drop(store);
}
