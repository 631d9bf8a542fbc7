//! Histories that move, stop, go on, and are told apart.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use uuid::Uuid;

use super::*;
use crate::{Appended, Direction, EventStore, Expected, Filter, Follow, MemoryStore, NewEvent, Page, RecordedEvent};

fn name(stream: &str) -> StreamName {
    StreamName::new(stream).expect("a name")
}

fn event(data: impl Into<Bytes>) -> NewEvent {
    NewEvent {
        id: Uuid::new_v4(),
        name: "Happened".into(),
        data: data.into(),
        metadata: Bytes::from_static(b"{\"by\":\"test\"}"),
    }
}

/// A history of several streams that take turns, with data of every kind.
async fn history(appends: usize) -> MemoryStore {
    let store = MemoryStore::new();
    for round in 0..appends {
        let events = (0..=round % 3).map(|at| match (round + at) % 4 {
            0 => event(format!("{{ \"面积\": {round}.50 }}")),
            1 => event(vec![0xff, 0, at.try_into().unwrap_or(9)]),
            2 => event("{\n}"),
            _ => event("null"),
        });
        let stream = name(&format!("case-{}", round % 7));
        store
            .append(&stream, Expected::Any, events.collect())
            .await
            .expect("an append");
    }
    store
}

async fn everything(store: &dyn EventStore) -> Vec<RecordedEvent> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = store.read_all(after, 999, &Filter::all()).await.expect("a page");
        all.extend(page.events);
        after = page.position;
        if page.end {
            return all;
        }
    }
}

fn same(one: &[RecordedEvent], other: &[RecordedEvent]) -> bool {
    let told = |event: &RecordedEvent| {
        let RecordedEvent {
            id,
            stream,
            revision,
            name,
            data,
            metadata,
            hash,
            ..
        } = event.clone();
        (id, stream, revision, name, data, metadata, hash)
    };
    one.iter().map(told).eq(other.iter().map(told))
}

/// A store whose writer dies after some appends.
struct Dying {
    store: MemoryStore,
    appends_left: AtomicUsize,
}

#[async_trait]
impl EventStore for Dying {
    async fn append(&self, stream: &StreamName, expected: Expected, events: Vec<NewEvent>) -> Result<Appended, StoreError> {
        let left = self
            .appends_left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if left.is_err() {
            return Err(StoreError::Unavailable("it died".into()));
        }
        self.store.append(stream, expected, events).await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: u64,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        self.store.read_stream(stream, from, direction, limit).await
    }

    async fn read_all(&self, after: Option<Position>, limit: usize, filter: &Filter) -> Result<Page, StoreError> {
        self.store.read_all(after, limit, filter).await
    }

    async fn head(&self) -> Result<Option<Position>, StoreError> {
        self.store.head().await
    }

    async fn follow(&self, after: Option<Position>, filter: Filter) -> Result<Box<dyn Follow>, StoreError> {
        self.store.follow(after, filter).await
    }
}

#[tokio::test]
async fn a_copy_is_the_same_history_and_a_second_copy_writes_nothing() {
    let (source, target) = (history(3_000).await, MemoryStore::new());
    let copied = copy(&source, &target, &Filter::all(), &mut |_| {}).await.expect("a copy");
    let events = everything(&source).await;
    assert_eq!((copied.written, copied.stood), (events.len() as u64, 0));
    assert!(same(&events, &everything(&target).await));
    let again = copy(&source, &target, &Filter::all(), &mut |_| {}).await.expect("a copy");
    assert_eq!((again.written, again.stood, again.bytes), (0, copied.written, copied.bytes));
    let compared = compare(&source, &target, &Filter::all(), copied.until, &mut |_| {})
        .await
        .expect("a comparison");
    assert_eq!(
        (compared.events, compared.streams, compared.difference),
        (copied.written, 7, None)
    );
}

#[tokio::test]
async fn a_copy_that_was_stopped_anywhere_goes_on_from_there() {
    let source = history(1_500).await;
    let target = MemoryStore::new();
    for lives in [0, 1, 13, 400, 401, 5_000] {
        let dying = Dying {
            store: target.clone(),
            appends_left: AtomicUsize::new(lives),
        };
        let ended = copy(&source, &dying, &Filter::all(), &mut |_| {}).await;
        assert_eq!(ended.is_ok(), lives == 5_000, "{lives}");
        // The run in which it stopped may be there in part.
        let stands = everything(&target).await.len();
        if let Some(next) = everything(&source).await.get(stands).filter(|_| lives == 13) {
            let expected = next.revision.checked_sub(1).map_or(Expected::NoStream, Expected::Revision);
            let half = NewEvent {
                id: next.id,
                name: next.name.clone(),
                data: next.data.clone(),
                metadata: next.metadata.clone(),
            };
            target.append(&next.stream, expected, vec![half]).await.expect("half a run");
        }
    }
    assert!(same(&everything(&source).await, &everything(&target).await));
}

#[tokio::test]
async fn a_target_with_another_history_is_refused() {
    let source = history(20).await;
    for stream in ["case-0", "case-3"] {
        let target = MemoryStore::new();
        target
            .append(&name(stream), Expected::NoStream, vec![event("{}")])
            .await
            .expect("an append");
        let refused = copy(&source, &target, &Filter::all(), &mut |_| {}).await;
        assert!(matches!(refused, Err(MoveError::Diverged { .. })), "{refused:?}");
    }
}

#[tokio::test]
async fn a_comparison_names_the_first_difference() {
    let source = history(40).await;
    let events = everything(&source).await;
    for change in ["missing", "too much", "data", "order"] {
        let target = MemoryStore::new();
        let mut copied = events.clone();
        let expects = match change {
            "missing" => {
                copied.pop();
                DifferenceKind::Missing
            }
            "too much" => {
                let last = copied.last().expect("an event").clone();
                copied.push(RecordedEvent {
                    id: Uuid::new_v4(),
                    revision: last.revision + 1,
                    ..last
                });
                DifferenceKind::TooMuch
            }
            "data" => {
                copied[11].data = Bytes::from_static(b"{}");
                DifferenceKind::Part("data")
            }
            _ => {
                let at = (1..copied.len())
                    .find(|at| copied[*at].stream != copied[*at - 1].stream)
                    .expect("a change");
                copied.swap(at, at - 1);
                DifferenceKind::OtherEvent {
                    stream: copied[at - 1].stream.clone(),
                    revision: copied[at - 1].revision,
                }
            }
        };
        for event in copied {
            let new = NewEvent {
                id: event.id,
                name: event.name,
                data: event.data,
                metadata: event.metadata,
            };
            target
                .append(&event.stream, Expected::Any, vec![new])
                .await
                .expect("an append");
        }
        let compared = compare(&source, &target, &Filter::all(), None, &mut |_| {})
            .await
            .expect("a comparison");
        assert_eq!(
            compared.difference.map(|difference| difference.kind),
            Some(expects),
            "{change}"
        );
    }
}

#[tokio::test]
async fn lines_bring_every_byte_back_and_an_import_can_be_stopped() {
    let source = history(1_200).await;
    let mut file = Vec::new();
    let exported = export(&source, &Filter::all(), &mut file, &mut |_| {})
        .await
        .expect("an export");
    assert_eq!(check(&mut file.as_slice(), &mut |_| {}).expect("a file that holds"), exported);
    let target = MemoryStore::new();
    let dying = Dying {
        store: target.clone(),
        appends_left: AtomicUsize::new(700),
    };
    assert!(import(&mut file.as_slice(), &dying, &mut |_| {}).await.is_err());
    let imported = import(&mut file.as_slice(), &target, &mut |_| {}).await.expect("an import");
    assert_eq!(
        (imported.summary, imported.written + imported.stood),
        (exported, exported.events)
    );
    assert!(same(&everything(&source).await, &everything(&target).await));
}

#[tokio::test]
async fn a_file_that_was_changed_cut_or_shuffled_is_refused() {
    let mut file = Vec::new();
    export(&history(30).await, &Filter::all(), &mut file, &mut |_| {})
        .await
        .expect("an export");
    let text = String::from_utf8(file).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    let joined = |lines: &[&str]| lines.join("\n") + "\n";
    let without = |left_out: usize| joined(&[&lines[..left_out], &lines[left_out + 1..]].concat());
    let mut swapped = lines.clone();
    let same_stream = (1..lines.len())
        .find(|at| lines[*at][..20] == lines[*at - 1][..20])
        .expect("a run of two");
    swapped.swap(same_stream, same_stream - 1);
    for (what, changed) in [
        ("a byte", text.replacen(".50", ".51", 1)),
        ("a name", text.replacen("Happened", "Happens", 1)),
        ("a line left out", without(9)),
        ("the last line left out", without(lines.len() - 1)),
        ("the file cut", text[..text.len() / 2].to_owned()),
        ("the last byte cut", text[..text.len() - 1].to_owned()),
        ("shuffled", joined(&swapped)),
        ("doubled", format!("{text}{text}")),
        ("empty", String::new()),
    ] {
        let refused = check(&mut changed.as_bytes(), &mut |_| {});
        assert!(matches!(refused, Err(MoveError::Line { .. })), "{what}: {refused:?}");
    }
}

#[test]
fn an_endless_line_is_refused() {
    let mut endless = std::io::BufReader::new(std::io::repeat(b' '));
    let refused = check(&mut endless, &mut |_| {});
    assert!(
        matches!(
            refused,
            Err(MoveError::Line {
                number: 1,
                reason: LineError::TooLong
            })
        ),
        "{refused:?}"
    );
}
