//! Measures how fast views are rebuilt, and how long after an append it can be read.
//!
//! `cargo run --release -p projections --example rebuild_rate -- [PLACE] [CASES]` keeps the store it makes in PLACE, so that
//! a second run need not make it again.

#![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a tool that prints figures")]

#[path = "../src/testing/histories.rs"]
mod histories;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use domain::rules::Rules;
use event_store_contract::{EventStore, Expected, Position};
use event_store_embedded::EmbeddedStore;
use futures_util::{StreamExt, stream};
use histories::History;
use private_postgres::PrivatePostgres;
use projections::{ALL, Projections, views};
use tokio::sync::watch;

/// How many appends are under way at once while the store is filled.
const APPENDS_AT_ONCE: usize = 256;

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let place = args
        .next()
        .map_or_else(|| std::env::temp_dir().join("zhulu-rebuild-rate"), PathBuf::from);
    let cases: u64 = args.next().map_or(100_000, |cases| cases.parse().unwrap());
    std::fs::create_dir_all(&place).unwrap();
    let store: Arc<dyn EventStore> = Arc::new(EmbeddedStore::open(&place.join("store")).unwrap());
    if store.head().await.unwrap().is_none() {
        fill(&store, cases).await;
    }
    println!("{} events in the log", store.head().await.unwrap().unwrap_or_default().0);
    let postgres = PrivatePostgres::start(&place.join("postgres")).await.unwrap();
    let views = Projections::open_in(postgres.url(), "rate", store.clone(), views::all())
        .await
        .unwrap();
    for _ in 0..2 {
        for view in ["case_list", "timeline", "statistics", ALL] {
            rebuild(&views, view, &place).await;
        }
    }
    live(&views, &store, &place).await;
    postgres.stop().await.unwrap();
}

async fn fill(store: &Arc<dyn EventStore>, cases: u64) {
    let began = Instant::now();
    let rules = Rules::embedded();
    stream::iter(0..cases)
        .map(|seed| {
            let (store, rules) = (store.clone(), rules.clone());
            async move {
                let mut case = History::new(seed, &rules);
                case.straight();
                let events = std::mem::take(&mut case.unwritten);
                store.append(&case.stream(), Expected::NoStream, events).await.unwrap();
            }
        })
        .buffer_unordered(APPENDS_AT_ONCE)
        .for_each(|()| async {})
        .await;
    println!("{cases} cases were written in {:.1} s", began.elapsed().as_secs_f64());
}

/// Processor seconds that this program and its PostgreSQL have used: under load a better measure than the clock.
fn cpu_seconds(place: &Path) -> (f64, f64) {
    let stat = |pid: &str| -> Option<Vec<u64>> {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Some(
            text.rsplit_once(')')?
                .1
                .split_whitespace()
                .map(|field| field.parse().unwrap_or(0))
                .collect(),
        )
    };
    let data =
        std::fs::read_to_string(place.join("postgres/where")).map_or_else(|_| place.join("postgres"), |at| at.trim().into());
    let postmaster = std::fs::read_to_string(data.join("data/postmaster.pid")).unwrap_or_default();
    let postmaster: u64 = postmaster.lines().next().and_then(|pid| pid.parse().ok()).unwrap_or(0);
    let mut ticks = (0, 0);
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let pid = entry.file_name().to_string_lossy().into_owned();
        let Some(fields) = pid.parse::<u64>().ok().and_then(|_| stat(&pid)) else {
            continue;
        };
        if pid == std::process::id().to_string() {
            ticks.0 += fields[11] + fields[12];
        } else if pid == postmaster.to_string() {
            ticks.1 += fields[11..15].iter().sum::<u64>();
        } else if fields[1] == postmaster {
            ticks.1 += fields[11] + fields[12];
        }
    }
    (ticks.0 as f64 / 100.0, ticks.1 as f64 / 100.0)
}

async fn rebuild(views: &Projections, view: &str, place: &Path) {
    let before = cpu_seconds(place);
    let report = views.rebuild(view, |_| {}).await.unwrap();
    let rate = report.events as f64 / report.elapsed.as_secs_f64();
    println!(
        "{view}: {} events, {} cases, {} rows in {:.2} s = {rate:.0} events/s {:?}",
        report.events,
        report.cases,
        report.rows,
        report.elapsed.as_secs_f64(),
        report.phases
    );
    used(before, place, report.events);
}

fn used(before: (f64, f64), place: &Path, events: u64) {
    let after = cpu_seconds(place);
    let each = |seconds: f64| seconds * 1e6 / events as f64;
    println!(
        "    processor µs per event: {:.2} here, {:.2} in PostgreSQL",
        each(after.0 - before.0),
        each(after.1 - before.1)
    );
}

/// From before the append to after the row can be read.
async fn live(views: &Projections, store: &Arc<dyn EventStore>, place: &Path) {
    let (stop, told) = watch::channel(false);
    let running = tokio::spawn({
        let views = views.clone();
        async move { views.run(told).await }
    });
    let head = store.head().await.unwrap().unwrap_or_default();
    assert!(views.caught_up(ALL, head, Duration::from_secs(600)).await);
    let rules = Rules::embedded();
    let mut seed = 1_000_000 + u64::from(std::process::id()) * 100_000;
    for rate in [100_u32, 1_000, 10_000] {
        let mut events = Vec::new();
        for _ in 0..(rate * 5).div_ceil(11).min(5_000) {
            seed += 1;
            let mut case = History::new(seed, &rules);
            case.straight();
            let stream = case.stream();
            for event in std::mem::take(&mut case.unwritten) {
                events.push((stream.clone(), event));
            }
        }
        // Cases take turns, so that each batch touches many.
        let (cases, count) = (events.len() / 11, events.len());
        let mut turns = Vec::with_capacity(count);
        for turn in 0..11 {
            for case in 0..cases {
                turns.push(events[case * 11 + turn].clone());
            }
        }
        let before = cpu_seconds(place);
        let mut lags = offer(views, store, turns, rate).await;
        let head = store.head().await.unwrap().unwrap_or_default();
        let from = Instant::now();
        assert!(views.caught_up(ALL, head, Duration::from_secs(600)).await);
        lags.sort_unstable();
        let at = |share: usize| lags[lags.len() * share / 1000].as_secs_f64() * 1000.0;
        println!(
            "{rate} events/s offered, {} appended: append to visible p50 {:.2} ms, p90 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms; {:.0} ms behind at the end",
            lags.len(),
            at(500),
            at(900),
            at(990),
            at(999),
            from.elapsed().as_secs_f64() * 1000.0
        );
        used(before, place, lags.len() as u64);
    }
    stop.send(true).unwrap();
    running.await.unwrap();
}

/// Appends at a steady rate and measures from each append's answer (durable) to its being readable in all views.
async fn offer(
    views: &Projections,
    store: &Arc<dyn EventStore>,
    events: Vec<(event_store_contract::StreamName, event_store_contract::NewEvent)>,
    rate: u32,
) -> Vec<Duration> {
    let began = Instant::now();
    let pause = Duration::from_secs(1) / rate;
    let mut appends = Vec::with_capacity(events.len());
    for (number, (stream, event)) in events.into_iter().enumerate() {
        let due = began + pause * u32::try_from(number).unwrap();
        if due > Instant::now() {
            tokio::time::sleep_until(due.into()).await;
        }
        let (store, mut advanced) = (store.clone(), views.advanced());
        appends.push(tokio::spawn(async move {
            let position: Position = store.append(&stream, Expected::Any, vec![event]).await.unwrap().position;
            let durable = Instant::now();
            advanced.wait_for(|at| *at >= position).await.unwrap();
            durable.elapsed()
        }));
    }
    let mut lags = Vec::with_capacity(appends.len());
    for append in appends {
        lags.push(append.await.unwrap());
    }
    lags
}
