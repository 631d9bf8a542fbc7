//! Commands (decide, append, durable), replays of case streams, and a case at any moment of its history.

use std::{path::Path, sync::Arc, time::Duration};

use chrono::Utc;
use commands::{Bureau, Envelope, Moment};
use domain::{
    case::{CaseCommand, Command, IdKind, Material, MaterialSource, Party, PartyKind},
    case_types::{
        AnyCase,
        construction_permit::{ConstructionPermit, ITEM_CODE, example_form},
    },
    metadata::{Actor, Channel},
};
use event_store_contract::{EventStore, Position, StreamName};
use event_store_embedded::EmbeddedStore;
use uuid::Uuid;

use crate::measure::{Rate, closed_loop, heading, line, median, number, percentile};

/// How often everything is measured in turn.
const ROUNDS: u64 = 3;
/// How long each measurement takes.
const TIME: Duration = Duration::from_secs(3);
/// Commands to a case before the client files the next one.
const COMMANDS_PER_CASE: u64 = 10;
/// How often the history is asked.
const QUESTIONS: usize = 5_000;
/// The most streams that are replayed.
const MAX_STREAMS: usize = 50_000;

const CATEGORY: &str = "constructionPermit";

fn clerk() -> Actor {
    Actor {
        id: "clerk".to_owned(),
        name: "窗口".to_owned(),
        role: "windowClerk".to_owned(),
        organisation: "11330109002514224B".to_owned(),
        channel: Channel::Window,
        on_behalf_of: None,
    }
}

fn material(code: &str) -> Material {
    Material { code: code.to_owned(), document: None, source: MaterialSource::Scan, originals: 1, copies: 0 }
}

fn submit() -> Command {
    Command::Submit {
        item_code: ITEM_CODE.to_owned(),
        project_code: None,
        applicant: Party {
            kind: PartyKind::LegalPerson,
            name: "示范建设有限公司".to_owned(),
            id_no: "91110000600037341L".to_owned(),
            id_kind: IdKind::Uscc,
            legal_representative: None,
            phone: None,
            address: None,
        },
        agent: None,
        form: example_form(),
        materials: ["M01", "M02", "M03", "M04", "M05", "M06", "M07"].into_iter().map(material).collect(),
    }
}

/// A case for each client: filed, then one material after the other, then the next case.
async fn command_rate(bureau: &Bureau, clients: usize, round: u64) -> Rate {
    let bureau = bureau.clone();
    closed_loop(clients, TIME, move |client, turn| {
        let bureau = bureau.clone();
        async move {
            let case = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{round}-{client}-{}", turn / COMMANDS_PER_CASE).as_bytes());
            let command = if turn % COMMANDS_PER_CASE == 0 { submit() } else { Command::AttachMaterial { material: material("M08") } };
            let envelope = Envelope::new(Uuid::new_v4(), clerk(), "330109", Utc::now());
            bureau.to_case::<ConstructionPermit>(case, CaseCommand::Kernel(command), &envelope).await.expect("a command");
        }
    })
    .await
}

/// Reads every case stream whole, on as many threads as the machine has, and folds it.
fn replay_rate(store: &EmbeddedStore, streams: &[StreamName]) -> f64 {
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let begin = std::time::Instant::now();
    let events: usize = std::thread::scope(|scope| {
        let parts: Vec<_> = streams
            .chunks(streams.len().div_ceil(threads).max(1))
            .map(|part| {
                scope.spawn(move || {
                    let mut seen = 0;
                    for stream in part {
                        let mut case = AnyCase::of(CATEGORY).expect("a case type");
                        for event in store.read_stream_blocking(stream, 0, event_store_contract::Direction::Forwards, 1_000).expect("a stream") {
                            case.apply(&event.name, &event.data).expect("a readable event");
                            seen += 1;
                        }
                    }
                    seen
                })
            })
            .collect();
        parts.into_iter().map(|part| part.join().expect("a replay")).sum()
    });
    #[allow(clippy::cast_precision_loss, reason = "counts of events are far below 2^52")]
    let rate = events as f64 / begin.elapsed().as_secs_f64();
    rate
}

/// The case streams in the store.
async fn case_streams(store: &EmbeddedStore) -> Vec<StreamName> {
    let mut streams = std::collections::HashSet::new();
    let mut after: Option<Position> = None;
    loop {
        let page = store.read_all(after, 10_000, &event_store_contract::Filter::prefixes(["constructionPermit-"])).await.expect("a page");
        streams.extend(page.events.iter().map(|event| event.stream.clone()));
        after = page.position;
        if page.end || streams.len() >= MAX_STREAMS {
            return streams.into_iter().collect();
        }
    }
}

/// Measures and prints.
pub async fn run() {
    heading("Commands: decide, append, durable");
    let dir = tempfile::tempdir().expect("a directory");
    let store = EmbeddedStore::open(&dir.path().join("store")).expect("a store");
    let bureau = Bureau::open(Arc::new(store.clone())).await.expect("a bureau");
    #[cfg(feature = "peers")]
    let peers = crate::peers::Executors::start(dir.path()).await;
    let (mut ours, mut theirs, mut p99) = (vec![], vec![], vec![]);
    for round in 0..ROUNDS {
        let rate = command_rate(&bureau, 64, round).await;
        ours.push(rate.per_second);
        p99.push(rate.p99_ms);
        #[cfg(feature = "peers")]
        theirs.extend(peers.measure(64, TIME, round).await);
    }
    let (ours, theirs) = (median(ours), median(std::mem::take(&mut theirs)));
    line("Zhulu, 64 clients (commands/s)", &number(ours), &format!("p99 {:.1} ms (goal 5,000/s)", median(p99)));
    if theirs > 0.0 {
        line("cqrs-es execute, 64 clients (commands/s)", &number(theirs), &format!("Zhulu is {:.1} x (goal 3)", ours / theirs));
    }
    replays(&store).await;
    history(&bureau, &store, dir.path()).await;
}

async fn replays(store: &EmbeddedStore) {
    let streams = case_streams(store).await;
    let rates = (0..ROUNDS).map(|_| replay_rate(store, &streams)).collect();
    line(&format!("replay of {} case streams (events/s)", streams.len()), &number(median(rates)), "(goal 500,000)");
}

async fn history(bureau: &Bureau, store: &EmbeddedStore, _dir: &Path) {
    let cases: Vec<Uuid> = case_streams(store).await.iter().filter_map(|stream| stream.id().parse().ok()).collect();
    let mut latencies = Vec::with_capacity(QUESTIONS);
    for question in 0..QUESTIONS {
        let case = cases[question % cases.len()];
        let start = std::time::Instant::now();
        let at = if question % 2 == 0 { Moment::Revision(question as u64 % COMMANDS_PER_CASE) } else { Moment::RecordedAt(Utc::now()) };
        bureau.case_at(CATEGORY, case, at).await.expect("a history");
        latencies.push(start.elapsed().as_secs_f64() * 1_000_000.0);
    }
    let (p50, p99) = (percentile(&mut latencies, 0.5), percentile(&mut latencies, 0.99));
    line("a 10-event case at any moment (µs)", &format!("p50 {p50:.0}  p99 {p99:.0}"), "(goal p50 200)");
}
