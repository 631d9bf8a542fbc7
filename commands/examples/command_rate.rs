//! How fast the way in is over the embedded store: commands by 64 clients, the history of a case, the import of permits,
//! and whether the reactions keep up.
//!
//! `cargo run --release -p commands --example command_rate [permits.csv.gz]`
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss)]

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use commands::{Bureau, Envelope, ManualClock, Moment, imports, reactions::react_to_everything};
use domain::{
    case::{AcceptanceMode, CaseCommand, Command, Conclusion, IdKind, Material, MaterialSource, Officer, Party, PartyKind},
    case_types::construction_permit::{self as permit, ConstructionPermit, ITEM_CODE},
    metadata::{Actor, Channel, bureau_midnight},
};
use event_store_embedded::EmbeddedStore;
use uuid::Uuid;

const CLIENTS: usize = 64;
const CASES_PER_CLIENT: usize = 60;
const CATEGORY: &str = "constructionPermit";

/// The latest day of the stories.
fn noon() -> DateTime<Utc> {
    bureau_midnight("2026-09-18".parse().unwrap()) + TimeDelta::hours(12)
}

/// A day of its own for every few cases: a region gives at most 99 permits a day.
fn day_of(case: Uuid) -> DateTime<Utc> {
    noon() - TimeDelta::days(i64::from(case.as_bytes()[15]))
}

fn by(id: &str, role: &str, on: DateTime<Utc>) -> Envelope {
    let actor = Actor {
        id: id.into(),
        name: id.into(),
        role: role.into(),
        organisation: "11330109002514224B".into(),
        channel: Channel::Window,
        on_behalf_of: None,
    };
    Envelope::new(Uuid::now_v7(), actor, "330109", on)
}

fn submit() -> Command {
    let material = |code: &str| Material {
        code: code.into(),
        document: None,
        source: MaterialSource::Scan,
        originals: 1,
        copies: 0,
    };
    Command::Submit {
        item_code: ITEM_CODE.into(),
        project_code: None,
        applicant: Party {
            kind: PartyKind::LegalPerson,
            name: "示范建设投资有限公司".into(),
            id_no: "91110000600037341L".into(),
            id_kind: IdKind::Uscc,
            legal_representative: Some("王建国".into()),
            phone: None,
            address: None,
        },
        agent: None,
        form: permit::example_form(),
        materials: ["M01", "M02", "M03", "M04", "M05", "M06", "M07"].map(material).into(),
    }
}

/// A case from filing to the decision: six commands.
fn story(on: DateTime<Utc>) -> Vec<(Command, Envelope)> {
    let to = Officer {
        id: "zhang".into(),
        name: "zhang".into(),
    };
    vec![
        (submit(), by("wang", "windowClerk", on)),
        (
            Command::Accept {
                mode: AcceptanceMode::Normal,
                tolerance: Vec::new(),
                commitment: None,
            },
            by("wang", "windowClerk", on),
        ),
        (
            Command::Assign {
                to,
                reason: "轮值".into(),
            },
            by("li", "sectionChief", on),
        ),
        (
            Command::CompleteReview {
                conclusion: Conclusion::Agree,
                second_officer: "zhou".into(),
            },
            by("zhang", "handler", on),
        ),
        (Command::ApproveBySection, by("li", "sectionChief", on)),
        (Command::Grant { conditions: Vec::new() }, by("chen", "director", on)),
    ]
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(measure());
}

async fn measure() {
    let dir = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(dir.path()).unwrap();
    let bureau = Bureau::open(Arc::new(store)).await.unwrap();
    let cases: Vec<Vec<Uuid>> = (0..CLIENTS)
        .map(|_| (0..CASES_PER_CLIENT).map(|_| Uuid::now_v7()).collect())
        .collect();
    for round in 1..=3 {
        let cases: Vec<Vec<Uuid>> = if round == 1 { cases.clone() } else { fresh(&cases) };
        commands_of_many(&bureau, &cases).await;
    }
    let began = Instant::now();
    let clock = ManualClock::at(noon());
    react_to_everything(&bureau, None, &clock).await.unwrap();
    let numbers = 3 * CLIENTS * CASES_PER_CLIENT;
    println!(
        "reactions: {numbers} cases, all numbers and registers, in {:.2?}",
        began.elapsed()
    );
    histories(&bureau, &cases.concat()).await;
    if let Some(file) = std::env::args().nth(1).map(PathBuf::from) {
        import(&bureau, &file, &clock).await;
    }
}

fn fresh(cases: &[Vec<Uuid>]) -> Vec<Vec<Uuid>> {
    cases
        .iter()
        .map(|some| some.iter().map(|_| Uuid::now_v7()).collect())
        .collect()
}

async fn commands_of_many(bureau: &Bureau, cases: &[Vec<Uuid>]) {
    let began = Instant::now();
    let clients = cases.iter().cloned().map(|cases| {
        let bureau = bureau.clone();
        tokio::spawn(async move {
            let mut times = Vec::new();
            for case in cases {
                for (command, envelope) in story(day_of(case)) {
                    let began = Instant::now();
                    bureau
                        .to_case::<ConstructionPermit>(case, CaseCommand::Kernel(command), &envelope)
                        .await
                        .unwrap();
                    times.push(began.elapsed());
                }
            }
            times
        })
    });
    let mut times = Vec::new();
    for client in clients.collect::<Vec<_>>() {
        times.extend(client.await.unwrap());
    }
    let seconds = began.elapsed().as_secs_f64();
    let (p50, p99) = percentiles(&mut times);
    println!(
        "commands: {:.0}/s with {CLIENTS} clients (p50 {p50:.2?}, p99 {p99:.2?})",
        times.len() as f64 / seconds
    );
}

async fn histories(bureau: &Bureau, cases: &[Uuid]) {
    let mut times = Vec::new();
    let mut events = 0;
    for case in cases {
        let began = Instant::now();
        let seen = bureau.case_at(CATEGORY, *case, Moment::Revision(9)).await.unwrap().unwrap();
        times.push(began.elapsed());
        events += seen.events_seen;
    }
    let (p50, p99) = percentiles(&mut times);
    println!(
        "a case as it was, {} events: p50 {p50:.2?}, p99 {p99:.2?}",
        events / cases.len() as u64
    );
}

async fn import(bureau: &Bureau, file: &std::path::Path, clock: &ManualClock) {
    clock.set(noon());
    let order = imports::Order {
        batch: "rate".into(),
        category: CATEGORY.into(),
        item_code: ITEM_CODE.into(),
        region: "330109".into(),
        operator: "rate".into(),
        dry_run: false,
        concurrency: imports::batch::DEFAULT_CONCURRENCY,
    };
    for run in ["first", "again"] {
        let rows = imports::permits::read(imports::open(file).unwrap()).unwrap();
        let began = Instant::now();
        let report = imports::run(bureau, rows, &order, clock, |_| {}).await.unwrap();
        let seconds = began.elapsed().as_secs_f64();
        println!(
            "import, {run}: {} rows, {} events in {seconds:.2} s ({:.0} rows/s)",
            report.rows_read,
            report.events_written,
            report.rows_read as f64 / seconds
        );
    }
}

fn percentiles(times: &mut [Duration]) -> (Duration, Duration) {
    times.sort();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}
