//! A process killed while it appends: what it was promised is there, and nothing that it did not ask for.

use std::{
    collections::HashMap,
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use event_store_contract::{Direction, EventStore, Expected};
use event_store_embedded::EmbeddedStore;
use tempfile::TempDir;

use crate::{event, stream};

/// Tells a process of this test that it is the one to be killed, and where its store is.
const DIR: &str = "STORE_OF_THE_KILLED_PROCESS";
const WRITERS: usize = 6;
/// How often it is killed.
const KILLS: usize = 50;

#[tokio::test]
async fn what_was_acknowledged_survives_kill_9_and_nothing_else_appears() {
    let dir = TempDir::new().unwrap();
    let mut acknowledged = HashMap::new();
    // Sometimes at once, sometimes after some time: here and there in a commit.
    for kill_after in [1, 40, 7, 300, 120]
        .into_iter()
        .chain((5..KILLS).map(|round| round * 17 % 41 + 1))
    {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([
                "killing::appends_until_it_is_killed",
                "--exact",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(DIR, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut heard = 0;
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            // The last line may be torn.
            let Ok(line) = line else { break };
            let Some((writer, number)) = line
                .strip_prefix("acknowledged ")
                .and_then(|line| line.strip_suffix('.')?.split_once(' '))
            else {
                continue;
            };
            acknowledged.insert(writer.parse::<usize>().unwrap(), number.parse::<usize>().unwrap());
            heard += 1;
            if heard == kill_after {
                child.kill().unwrap();
            }
        }
        assert!(!child.wait().unwrap().success());
        assert!(heard >= kill_after, "the process was killed while it was appending");
        look_at(dir.path(), &mut acknowledged).await;
    }
}

/// Every writer's stream holds its numbers in order, up to what was acknowledged, or one more that was on its way. Once
/// that was seen, it stays.
async fn look_at(dir: &Path, acknowledged: &mut HashMap<usize, usize>) {
    let head = EmbeddedStore::open_read_only(dir).unwrap().head().await;
    let store = EmbeddedStore::open(dir).unwrap();
    assert_eq!(store.head().await, head, "a reader alone sees what a writer finds");
    assert!(store.verify(|_| {}).unwrap().is_whole());
    for writer in 0..WRITERS {
        let events = store
            .read_stream(&stream(&format!("writer-{writer}")), 0, Direction::Forwards, usize::MAX)
            .await
            .unwrap();
        for (number, event) in events.iter().enumerate() {
            assert_eq!(event.data, number.to_string());
        }
        let promised = acknowledged.get(&writer).map_or(0, |last| last + 1);
        assert!(
            (promised..=promised + 1).contains(&events.len()),
            "{promised} promised, {} there",
            events.len()
        );
        if let Some(last) = events.len().checked_sub(1) {
            acknowledged.insert(writer, last);
        }
    }
}

/// Not a test by itself: the process that is killed.
#[test]
fn appends_until_it_is_killed() {
    let Some(dir) = env::var_os(DIR) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = EmbeddedStore::open(Path::new(&dir)).unwrap();
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..WRITERS {
            let store = store.clone();
            writers.spawn(async move {
                let name = stream(&format!("writer-{writer}"));
                let mut next = store
                    .read_stream(&name, 0, Direction::Forwards, usize::MAX)
                    .await
                    .unwrap()
                    .len();
                // What was on its way when the process before was killed was not acknowledged to us.
                loop {
                    let expected = next
                        .checked_sub(1)
                        .map_or(Expected::NoStream, |last| Expected::Revision(last as u64));
                    store.append(&name, expected, vec![event(next.to_string())]).await.unwrap();
                    // One write, so that no line of another writer comes between.
                    std::io::stdout()
                        .write_all(format!("\nacknowledged {writer} {next}.\n").as_bytes())
                        .unwrap();
                    next += 1;
                }
            });
        }
        writers.join_all().await;
    });
}
