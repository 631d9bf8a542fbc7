//! Commands (decide, append, durable), and a case at any moment of its history.

use std::{sync::Arc, time::Duration};

use chrono::Utc;
use commands::{Bureau, Envelope, ManualClock, Moment, reactions::react_to_everything};
use domain::{
    case::{CaseCommand, Command, IdKind, Material, MaterialSource, Party, PartyKind},
    case_types::construction_permit::{ConstructionPermit, ITEM_CODE, example_form},
    metadata::{Actor, Channel},
};
use event_store_contract::{EventStore, Position, StreamName};
use event_store_embedded::EmbeddedStore;
use uuid::Uuid;

use crate::{
    Options,
    measure::{Rate, closed_loop, heading, line, median, number, percentile},
};

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

/// The stream category of the cases here.
pub const CATEGORY: &str = "constructionPermit";

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
    Material {
        code: code.to_owned(),
        document: None,
        source: MaterialSource::Scan,
        originals: 1,
        copies: 0,
    }
}

/// A complete application.
pub fn submit() -> Command {
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
        materials: ["M01", "M02", "M03", "M04", "M05", "M06", "M07"]
            .into_iter()
            .map(material)
            .collect(),
    }
}

/// A case for each client: filed, then one material after the other, then the next case.
async fn command_rate(bureau: &Bureau, clients: usize, round: u64) -> Rate {
    let bureau = bureau.clone();
    closed_loop(clients, TIME, move |client, turn| {
        let bureau = bureau.clone();
        async move {
            let case = Uuid::new_v5(
                &Uuid::NAMESPACE_OID,
                format!("{round}-{client}-{}", turn / COMMANDS_PER_CASE).as_bytes(),
            );
            let command = if turn % COMMANDS_PER_CASE == 0 {
                submit()
            } else {
                Command::AttachMaterial {
                    material: material("M08"),
                }
            };
            let envelope = Envelope::new(Uuid::new_v4(), clerk(), "330109", Utc::now());
            bureau
                .to_case::<ConstructionPermit>(case, CaseCommand::Kernel(command), &envelope)
                .await
                .expect("a command");
        }
    })
    .await
}

/// The case streams in the store.
pub async fn case_streams(store: &EmbeddedStore) -> Vec<StreamName> {
    let mut streams = std::collections::HashSet::new();
    let mut after: Option<Position> = None;
    loop {
        let page = store
            .read_all(
                after,
                10_000,
                &event_store_contract::Filter::prefixes(["constructionPermit-"]),
            )
            .await
            .expect("a page");
        streams.extend(page.events.iter().map(|event| event.stream.clone()));
        after = page.position;
        if page.end || streams.len() >= MAX_STREAMS {
            return streams.into_iter().collect();
        }
    }
}

/// Measures and prints.
pub async fn run(options: &Options) {
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
    line(
        "Zhulu, 64 clients (commands/s)",
        &number(ours),
        &format!("p99 {:.1} ms (goal 5,000/s)", median(p99)),
    );
    if theirs > 0.0 {
        line(
            "cqrs-es execute, 64 clients (commands/s)",
            &number(theirs),
            &format!("Zhulu is {:.1} x (goal 3)", ours / theirs),
        );
    }
    history(&bureau, &store).await;
    if options.phases {
        reactions(&bureau).await;
    }
}

/// The reactions to everything that was filed: a number for each case, whatever else its registers want.
async fn reactions(bureau: &Bureau) {
    let head = bureau.store().head().await.expect("a head").unwrap_or_default();
    let began = std::time::Instant::now();
    react_to_everything(bureau, None, &ManualClock::at(Utc::now()))
        .await
        .expect("reactions");
    println!("    reactions to all {} events of the log in {:.2?}", head.0, began.elapsed());
}

async fn history(bureau: &Bureau, store: &EmbeddedStore) {
    let cases: Vec<Uuid> = case_streams(store)
        .await
        .iter()
        .filter_map(|stream| stream.id().parse().ok())
        .collect();
    let mut latencies = Vec::with_capacity(QUESTIONS);
    for question in 0..QUESTIONS {
        let case = cases[question % cases.len()];
        let start = std::time::Instant::now();
        let at = if question % 2 == 0 {
            Moment::Revision(question as u64 % COMMANDS_PER_CASE)
        } else {
            Moment::RecordedAt(Utc::now())
        };
        bureau.case_at(CATEGORY, case, at).await.expect("a history");
        latencies.push(start.elapsed().as_secs_f64() * 1_000_000.0);
    }
    let (p50, p99) = (percentile(&mut latencies, 0.5), percentile(&mut latencies, 0.99));
    line(
        "a 10-event case at any moment (µs)",
        &format!("p50 {p50:.0}  p99 {p99:.0}"),
        "(goal p50 200)",
    );
}
