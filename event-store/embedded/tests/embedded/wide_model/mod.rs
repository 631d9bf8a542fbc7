//! Whatever is asked of the wide door, the store answers as a list in memory does.

mod model;

use std::sync::Arc;

use bytes::Bytes;
use chrono::Utc;
use event_store_contract::{Direction, Expected, NewEvent, Position};
use event_store_embedded::{Check, Draft, EmbeddedStore, LogFrom, METADATA_NAME, Refusal, ScavengeOptions, Seen, Write};
use proptest::{collection::vec, prelude::*, test_runner::Config};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use self::model::{Event, Model, NEVER_AGAIN, New, Refused, Shown, is_link};
use crate::stream;

/// Few streams and few ids, so that they meet often.
const STREAMS: u8 = 3;
const IDS: u128 = 9;

#[derive(Debug, Clone)]
struct Part {
    stream: u8,
    expected: Expected,
    ids: Vec<u128>,
}

#[derive(Debug, Clone)]
enum Asked {
    Write {
        parts: Vec<Part>,
        checks: Vec<(u8, Expected)>,
    },
    /// Says something of a stream, without an opinion about what was said before.
    Say {
        stream: u8,
        what: Said,
        id: u128,
    },
    Delete {
        stream: u8,
        expected: Expected,
    },
    Tombstone {
        stream: u8,
        expected: Expected,
    },
    ReadStream {
        stream: u8,
        metadata: bool,
        from: u64,
        backwards: bool,
        limit: usize,
    },
    ReadCategory {
        from: u64,
        backwards: bool,
        limit: usize,
    },
    ReadLog {
        from: u64,
        after: bool,
        backwards: bool,
        limit: usize,
    },
    Scavenge,
    OpenAgain,
}

#[derive(Debug, Clone)]
enum Said {
    Nothing,
    MaxCount(u64),
    TruncateBefore(u64),
    Both(u64, u64),
    Deleted,
}

fn expected() -> impl Strategy<Value = Expected> {
    prop_oneof![
        3 => Just(Expected::NoStream),
        4 => (0..8_u64).prop_map(Expected::Revision),
        5 => Just(Expected::Any),
        2 => Just(Expected::StreamExists),
    ]
}

fn part() -> impl Strategy<Value = Part> {
    (0..STREAMS, expected(), vec(0..IDS, 1..4)).prop_map(|(stream, expected, ids)| Part { stream, expected, ids })
}

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![
        1 => Just(Said::Nothing),
        3 => (1..4_u64).prop_map(Said::MaxCount),
        3 => (0..9_u64).prop_map(Said::TruncateBefore),
        1 => (1..4_u64, 0..9_u64).prop_map(|(count, before)| Said::Both(count, before)),
        1 => Just(Said::Deleted),
    ]
}

fn asked() -> impl Strategy<Value = Asked> {
    let from = || prop_oneof![6 => 0..12_u64, 1 => Just(u64::MAX)];
    let reading = || (from(), any::<bool>(), 1..6_usize);
    prop_oneof![
        10 => part().prop_map(|part| Asked::Write { parts: vec![part], checks: Vec::new() }),
        4 => (vec(part(), 1..4), vec((0..STREAMS, expected()), 0..2))
            .prop_map(|(parts, checks)| Asked::Write { parts, checks }),
        4 => (0..STREAMS, said(), 0..IDS).prop_map(|(stream, what, id)| Asked::Say { stream, what, id: 1_000 + id }),
        2 => (0..STREAMS, expected()).prop_map(|(stream, expected)| Asked::Delete { stream, expected }),
        1 => (0..STREAMS, expected()).prop_map(|(stream, expected)| Asked::Tombstone { stream, expected }),
        8 => (0..STREAMS, any::<bool>(), reading()).prop_map(|(stream, metadata, (from, backwards, limit))| {
            Asked::ReadStream { stream, metadata, from, backwards, limit }
        }),
        3 => reading().prop_map(|(from, backwards, limit)| Asked::ReadCategory { from, backwards, limit }),
        4 => (reading(), any::<bool>()).prop_map(|((from, backwards, limit), after)| {
            Asked::ReadLog { from, after, backwards, limit }
        }),
        1 => Just(Asked::Scavenge),
        2 => Just(Asked::OpenAgain),
    ]
}

fn name(at: u8) -> String {
    format!("case-{at}")
}

fn said_as_json(what: &Said) -> Value {
    match what {
        Said::Nothing => json!({}),
        Said::MaxCount(count) => json!({ "$maxCount": count }),
        Said::TruncateBefore(before) => json!({ "$tb": before, "owner": "somebody" }),
        Said::Both(count, before) => json!({ "$maxCount": count, "$tb": before }),
        Said::Deleted => json!({ "$tb": NEVER_AGAIN }),
    }
}

fn direction(backwards: bool) -> Direction {
    if backwards {
        Direction::Backwards
    } else {
        Direction::Forwards
    }
}

fn draft(new: &New) -> Draft {
    Draft {
        event: NewEvent {
            id: Uuid::from_u128(new.id),
            name: new.name.as_str().into(),
            data: new.data.to_string().into(),
            metadata: Bytes::new(),
        },
        is_json: new.is_json,
    }
}

/// What the store shows, in the words of the model. What the store wrote of itself has an id of its own choice.
fn told(seen: &Seen) -> Event {
    let event = seen.event.as_ref().unwrap();
    let id = event.id.as_u128();
    Event {
        stream: event.stream.to_string(),
        revision: event.revision,
        position: event.position.0,
        id: (id < 2_000).then_some(id),
        name: event.name.to_string(),
        data: serde_json::from_slice(&event.data).unwrap_or_default(),
        is_json: seen.is_json,
    }
}

fn told_refusal(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::WrongRevision {
            stream,
            expected,
            actual,
        } => Refused::WrongRevision(stream.to_string(), expected, actual),
        Refusal::Deleted { stream } => Refused::Deleted(stream.to_string()),
        Refusal::Tombstoned { stream } => Refused::Tombstoned(stream.to_string()),
        Refusal::Reserved { stream } => Refused::Reserved(stream.to_string()),
        Refusal::Twice { stream } => Refused::Twice(stream.to_string()),
        Refusal::Store(error) => panic!("{error}"),
    }
}

async fn write(
    store: &EmbeddedStore,
    model: &mut Model,
    parts: Vec<(String, Expected, Vec<New>)>,
    checks: Vec<(String, Expected)>,
) -> Result<(), TestCaseError> {
    let writes = parts
        .iter()
        .map(|(name, expected, events)| Write {
            stream: stream(name),
            expected: *expected,
            events: events.iter().map(draft).collect(),
        })
        .collect();
    let checked = checks
        .iter()
        .map(|(name, expected)| Check {
            stream: stream(name),
            expected: *expected,
        })
        .collect();
    let answer = store.write(writes, checked).await.map_err(told_refusal);
    prop_assert_eq!(answer, model.write(&parts, &checks));
    Ok(())
}

async fn ask(dir: &TempDir, store: &mut Option<EmbeddedStore>, model: &mut Model, asked: Asked) -> Result<(), TestCaseError> {
    if let Asked::OpenAgain = asked
        && store.take().is_some()
    {
        model.open_again();
    }
    let store = store.get_or_insert_with(|| EmbeddedStore::open(dir.path()).unwrap());
    match asked {
        Asked::Write { parts, checks } => {
            let new = |id: &u128| New {
                id: *id,
                name: "Happened".into(),
                data: json!(id.to_string()),
                is_json: id.is_multiple_of(2),
            };
            let parts = parts
                .iter()
                .map(|part| (name(part.stream), part.expected, part.ids.iter().map(new).collect()))
                .collect();
            let checks = checks.into_iter().map(|(at, expected)| (name(at), expected)).collect();
            write(store, model, parts, checks).await?;
        }
        Asked::Say { stream, what, id } => {
            let said = New {
                id,
                name: METADATA_NAME.into(),
                data: said_as_json(&what),
                is_json: true,
            };
            let parts = vec![(format!("$${}", name(stream)), Expected::Any, vec![said])];
            write(store, model, parts, Vec::new()).await?;
        }
        Asked::Delete { stream: at, expected } => {
            let answer = store.delete(&stream(&name(at)), expected).await.map_err(told_refusal);
            prop_assert_eq!(answer, model.delete(&name(at), expected));
        }
        Asked::Tombstone { stream: at, expected } => {
            let answer = store.tombstone(&stream(&name(at)), expected).await.map_err(told_refusal);
            prop_assert_eq!(answer, model.tombstone(&name(at), expected));
        }
        Asked::Scavenge => {
            let options = ScavengeOptions {
                now: Utc::now(),
                stop: Arc::default(),
            };
            let report = store.scavenge(options, |_| {}).await.unwrap();
            prop_assert_eq!(report.events, model.scavenge());
        }
        Asked::OpenAgain => {}
        reading => read(store, model, &reading)?,
    }
    prop_assert_eq!(store.committed().borrow().head, model.len() as u64);
    Ok(())
}

fn read(store: &EmbeddedStore, model: &Model, asked: &Asked) -> Result<(), TestCaseError> {
    match *asked {
        Asked::ReadStream {
            stream: at,
            metadata,
            from,
            backwards,
            limit,
        } => {
            let name = if metadata { format!("$${}", name(at)) } else { name(at) };
            let seen = store
                .stream_as_seen(&stream(&name), from, direction(backwards), limit, false, Utc::now())
                .unwrap();
            let shown = Shown {
                life: seen.life,
                events: seen.events.iter().map(told).collect(),
                first: seen.first,
                last: seen.last,
                end: seen.end,
            };
            prop_assert_eq!(shown, model.read_stream(&name, from, direction(backwards), limit));
        }
        Asked::ReadCategory { from, backwards, limit } => {
            // Asked all the time, so that the list holds what was scavenged later as well; compared with what is left.
            let whole = store
                .stream_as_seen(&stream("$ce-case"), 0, Direction::Forwards, 10_000, false, Utc::now())
                .unwrap();
            prop_assert!(whole.events.iter().all(|seen| is_link(&seen.event.as_ref().unwrap().name)));
            let target = |seen: &Seen| String::from_utf8(seen.event.as_ref().unwrap().data.to_vec()).unwrap();
            let left: Vec<String> = model
                .read_category("case", 0, Direction::Forwards, usize::MAX)
                .0
                .into_iter()
                .map(|(_, target)| target)
                .collect();
            prop_assert_eq!(whole.events.iter().map(target).collect::<Vec<_>>(), left);
            let piece = store
                .stream_as_seen(&stream("$ce-case"), from, direction(backwards), limit, false, Utc::now())
                .unwrap();
            let numbers = |events: &[Seen]| {
                events
                    .iter()
                    .map(|seen| seen.event.as_ref().unwrap().revision)
                    .collect::<Vec<_>>()
            };
            // Pieces of the list as it was numbered, until one has something that is left.
            let (numbered, left) = (whole.last.map_or(0, |last| last + 1), numbers(&whole.events));
            let all: Vec<u64> = match direction(backwards) {
                Direction::Forwards => (from..numbered).collect(),
                Direction::Backwards => (0..numbered).rev().filter(|at| *at <= from).collect(),
            };
            let of_those_left = |piece: &[u64]| piece.iter().copied().filter(|at| left.contains(at)).collect::<Vec<_>>();
            let expected = all
                .chunks(limit)
                .map(of_those_left)
                .find(|piece| !piece.is_empty())
                .unwrap_or_default();
            prop_assert_eq!(numbers(&piece.events), expected);
        }
        Asked::ReadLog {
            from,
            after,
            backwards,
            limit,
        } => {
            let way = direction(backwards);
            let begin = if after {
                LogFrom::After(Position(from))
            } else {
                LogFrom::At(Position(from))
            };
            let page = store
                .log_as_seen(begin, way, limit, u64::MAX, &|_, _| true, false, Utc::now())
                .unwrap();
            let included = match (after, way) {
                (false, _) => Some(from),
                (true, Direction::Forwards) => from.checked_add(1),
                (true, Direction::Backwards) => from.checked_sub(1),
            };
            let (events, end) = match included {
                Some(from) => model.read_log(from, way, limit),
                None => (Vec::new(), true),
            };
            prop_assert_eq!(page.events.iter().map(told).collect::<Vec<_>>(), events);
            prop_assert_eq!(page.end, end);
        }
        _ => {}
    }
    Ok(())
}

proptest! {
    #![proptest_config(Config { cases: 48, failure_persistence: None, ..Config::default() })]

    #[test]
    fn the_wide_door_answers_as_a_list_in_memory(asked in vec(asked(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (dir, mut model, mut store) = (TempDir::new().unwrap(), Model::default(), None);
            for asked in asked {
                ask(&dir, &mut store, &mut model, asked).await?;
            }
            let store = store.get_or_insert_with(|| EmbeddedStore::open(dir.path()).unwrap());
            let report = store.verify(|_| {}).unwrap();
            prop_assert!(report.is_whole(), "{report:?}");
            Ok::<_, TestCaseError>(())
        })?;
    }
}
