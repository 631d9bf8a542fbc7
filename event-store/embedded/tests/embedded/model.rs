//! Whatever is asked of it, the embedded store answers as the store in memory does.

use event_store_contract::{
    Direction, EventStore, Expected, Filter, MemoryStore, NewEvent, Page, Position, RecordedEvent, StreamName,
};
use event_store_embedded::EmbeddedStore;
use proptest::{collection::vec, prelude::*, test_runner::Config};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{event, stream};

/// Few streams and few ids, so that they meet often.
const STREAMS: u8 = 3;
const IDS: u128 = 8;

#[derive(Debug, Clone)]
enum Asked {
    Append {
        stream: u8,
        expected: Expected,
        ids: Vec<u128>,
    },
    AppendTogether {
        appends: Vec<(u8, Expected, Vec<u128>)>,
    },
    ReadStream {
        stream: u8,
        from: u64,
        backwards: bool,
        limit: usize,
    },
    ReadAll {
        after: Option<u64>,
        limit: usize,
        prefixes: Vec<String>,
    },
    OpenAgain,
}

fn expected() -> impl Strategy<Value = Expected> {
    prop_oneof![
        2 => Just(Expected::NoStream),
        4 => (0..6_u64).prop_map(Expected::Revision),
        4 => Just(Expected::Any),
        1 => Just(Expected::StreamExists),
    ]
}

fn append() -> impl Strategy<Value = (u8, Expected, Vec<u128>)> {
    (0..STREAMS, expected(), vec(0..IDS, 1..4))
}

fn asked() -> impl Strategy<Value = Asked> {
    let from = prop_oneof![0..8_u64, Just(u64::MAX)];
    prop_oneof![
        8 => append().prop_map(|(stream, expected, ids)| Asked::Append { stream, expected, ids }),
        2 => vec(append(), 2..5).prop_map(|appends| Asked::AppendTogether { appends }),
        4 => (0..STREAMS, from, any::<bool>(), 0..5_usize)
            .prop_map(|(stream, from, backwards, limit)| Asked::ReadStream { stream, from, backwards, limit }),
        2 => (prop::option::of(0..20_u64), 0..6_usize, vec((0..STREAMS).prop_map(|at| format!("case-{at}")), 0..3))
            .prop_map(|(after, limit, prefixes)| Asked::ReadAll { after, limit, prefixes }),
        1 => Just(Asked::OpenAgain),
    ]
}

fn name(at: u8) -> StreamName {
    stream(&format!("case-{at}"))
}

fn events(ids: &[u128]) -> Vec<NewEvent> {
    ids.iter()
        .map(|id| NewEvent {
            id: Uuid::from_u128(*id),
            ..event(id.to_string())
        })
        .collect()
}

/// All but the moment of recording.
fn timeless(events: Vec<RecordedEvent>) -> Vec<RecordedEvent> {
    events
        .into_iter()
        .map(|event| RecordedEvent {
            created: chrono::DateTime::UNIX_EPOCH,
            ..event
        })
        .collect()
}

async fn ask(dir: &TempDir, store: &mut Option<EmbeddedStore>, model: &MemoryStore, asked: Asked) -> Result<(), TestCaseError> {
    if let Asked::OpenAgain = asked {
        *store = None;
    }
    let store = store.get_or_insert_with(|| EmbeddedStore::open(dir.path()).unwrap());
    match asked {
        Asked::Append { stream, expected, ids } => {
            let (name, events) = (name(stream), events(&ids));
            prop_assert_eq!(
                store.append(&name, expected, events.clone()).await,
                model.append(&name, expected, events).await
            );
        }
        Asked::AppendTogether { appends } => {
            // Polled in turn on one thread, they are queued in this order, whichever commits they share.
            let mut together = Vec::new();
            let mut one_by_one = Vec::new();
            for (at, expected, ids) in appends {
                let (name, events) = (name(at), events(&ids));
                one_by_one.push(model.append(&name, expected, events.clone()).await);
                let store = store.clone();
                together.push(tokio::spawn(async move { store.append(&name, expected, events).await }));
            }
            for (together, alone) in together.into_iter().zip(one_by_one) {
                prop_assert_eq!(together.await.unwrap(), alone);
            }
        }
        Asked::ReadStream {
            stream,
            from,
            backwards,
            limit,
        } => {
            let direction = if backwards {
                Direction::Backwards
            } else {
                Direction::Forwards
            };
            let read = store.read_stream(&name(stream), from, direction, limit).await.unwrap();
            let modelled = model.read_stream(&name(stream), from, direction, limit).await.unwrap();
            prop_assert_eq!(timeless(read), timeless(modelled));
        }
        Asked::ReadAll { after, limit, prefixes } => {
            let (after, filter) = (after.map(Position), Filter::prefixes(prefixes));
            let read = store.read_all(after, limit, &filter).await.unwrap();
            let modelled = model.read_all(after, limit, &filter).await.unwrap();
            let timeless = |page: Page| Page {
                events: timeless(page.events),
                ..page
            };
            prop_assert_eq!(timeless(read), timeless(modelled));
        }
        Asked::OpenAgain => {}
    }
    prop_assert_eq!(store.head().await, model.head().await);
    Ok(())
}

proptest! {
    #![proptest_config(Config { cases: 48, failure_persistence: None, ..Config::default() })]

    #[test]
    fn the_embedded_store_answers_as_the_store_in_memory(asked in vec(asked(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (dir, model, mut store) = (TempDir::new().unwrap(), MemoryStore::new(), None);
            for asked in asked {
                ask(&dir, &mut store, &model, asked).await?;
            }
            Ok::<_, TestCaseError>(())
        })?;
    }
}
