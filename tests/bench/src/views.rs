//! Rebuilds of views from a long log, and how long after an append its rows can be read.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use domain::rules::Rules;
use event_store_contract::{EventStore, Expected, NewEvent, Position, StreamName};
use event_store_embedded::EmbeddedStore;
use futures_util::{StreamExt, stream};
use private_postgres::PrivatePostgres;
use projections::{
    ALL, Phase, Projections,
    case_list::{self, CaseFilter, CaseSort, Paging},
    views,
};
use tokio::sync::watch;

use crate::{
    Options,
    histories::History,
    measure::{heading, line, median, number, percentile},
    processor::Used,
};

/// How many cases the log holds: with eleven events each it is somewhat over a million events.
const CASES: u64 = 100_000;
/// How many appends are under way at once while the store is filled.
const APPENDS_AT_ONCE: usize = 256;
/// How often every rebuild is measured.
const ROUNDS: usize = 3;
/// How long events are offered at each rate.
const OFFER: Duration = Duration::from_secs(5);
/// The pause of the reader between two pages.
const READER_PAUSE: Duration = Duration::from_millis(2);
/// The longest that a view may take to catch up before the bench gives up.
const PATIENCE: Duration = Duration::from_secs(600);

/// Writes this many cases, each worked from its filing to its permit.
pub async fn fill(store: &Arc<dyn EventStore>, cases: u64) {
    let rules = Rules::embedded();
    stream::iter(0..cases)
        .map(|seed| {
            let (store, rules) = (store.clone(), rules.clone());
            async move {
                let mut case = History::new(seed, &rules);
                case.straight();
                let events = std::mem::take(&mut case.unwritten);
                store
                    .append(&case.stream(), Expected::NoStream, events)
                    .await
                    .expect("an append");
            }
        })
        .buffer_unordered(APPENDS_AT_ONCE)
        .for_each(|()| async {})
        .await;
}

/// Measures and prints.
pub async fn run(options: &Options) {
    heading("Views: rebuild, and append to visible");
    let new = tempfile::tempdir().expect("a directory");
    let dir = options.keep.as_deref().unwrap_or(new.path());
    let store: Arc<dyn EventStore> = Arc::new(EmbeddedStore::open(&dir.join("store")).expect("a store"));
    if store.head().await.expect("a head").is_none() {
        fill(&store, CASES).await;
    }
    let postgres = PrivatePostgres::start(&dir.join("postgres")).await.expect("PostgreSQL");
    let views = Projections::open_in(postgres.url(), "bench", store.clone(), views::all())
        .await
        .expect("views");
    for (view, goal) in [
        ("case_list", "(goal 400,000)"),
        ("timeline", ""),
        ("statistics", ""),
        ("case_file", ""),
        ("deadlines", ""),
        ("worklist", ""),
        (ALL, "(goal 150,000)"),
    ] {
        let mut rates = Vec::new();
        let mut events = 0;
        for _ in 0..ROUNDS {
            let before = Used::so_far(&postgres);
            let report = views.rebuild(view, |_| {}).await.expect("a rebuild");
            events = report.events;
            #[allow(clippy::cast_precision_loss, reason = "counts of events are far below 2^52")]
            rates.push(report.events as f64 / report.elapsed.as_secs_f64());
            if options.phases {
                println!(
                    "    {view}: {} rows in {:.2?}: {:.2?}",
                    report.rows, report.elapsed, report.phases
                );
                println!("    {}", Used::so_far(&postgres).since(before, events));
            }
        }
        line(
            &format!("rebuild {view} from {events} events (events/s)"),
            &number(median(rates)),
            goal,
        );
    }
    reading_through_a_swap(&views).await;
    live(&views, &store, &postgres, options).await;
    postgres.stop().await.expect("PostgreSQL stops");
}

/// One reader goes on asking for a page while all views are rebuilt: its longest wait around the swap.
async fn reading_through_a_swap(views: &Projections) {
    let (stop, told) = watch::channel(false);
    let reader = tokio::spawn({
        let database = views.database().clone();
        async move {
            let mut waits = Vec::new();
            while !*told.borrow() {
                let began = Instant::now();
                case_list::page(&database, &CaseFilter::default(), CaseSort::default(), &Paging::first(50))
                    .await
                    .expect("a page");
                waits.push((began, began.elapsed()));
                tokio::time::sleep(READER_PAUSE).await;
            }
            waits
        }
    });
    let swapping_from = Arc::new(OnceLock::new());
    let seen = swapping_from.clone();
    views
        .rebuild(ALL, move |progress| {
            if progress.phase == Phase::Swapping {
                let _ = seen.set(Instant::now());
            }
        })
        .await
        .expect("a rebuild");
    let _ = stop.send(true);
    let waits = reader.await.expect("a reader");
    let from = *swapping_from.get().expect("a swap");
    let longest = |during_swap: bool| {
        let waits = waits.iter().filter(|(began, took)| (*began + *took >= from) == during_swap);
        waits.map(|(_, took)| took.as_secs_f64() * 1_000.0).fold(0.0, f64::max)
    };
    line(
        "a reader's longest wait during the swap of all views (ms)",
        &format!("{:.1}", longest(true)),
        &format!("(goal 50; while they were built: {:.1})", longest(false)),
    );
}

async fn live(views: &Projections, store: &Arc<dyn EventStore>, postgres: &PrivatePostgres, options: &Options) {
    let (stop, told) = watch::channel(false);
    let running = tokio::spawn({
        let views = views.clone();
        async move { views.run(told).await }
    });
    let head = store.head().await.expect("a head").unwrap_or_default();
    assert!(
        views.caught_up(ALL, head, PATIENCE).await,
        "the views must catch up before the lag is measured"
    );
    // A kept store has the cases of earlier runs.
    let mut seed = CASES + head.0;
    for (rate, goal) in [(100_u32, ""), (1_000, "(goal p50 1.5, p99 10)"), (10_000, "(goal: bounded)")] {
        let turns = turns(rate, &mut seed);
        let before = Used::so_far(postgres);
        let mut lags = offer(views, store, turns, rate).await;
        let behind = Instant::now();
        let head = store.head().await.expect("a head").unwrap_or_default();
        views.caught_up(ALL, head, PATIENCE).await;
        let behind_ms = behind.elapsed().as_secs_f64() * 1_000.0;
        let figure = format!(
            "p50 {:.2}  p99 {:.2}",
            percentile(&mut lags, 0.5),
            percentile(&mut lags, 0.99)
        );
        line(
            &format!("append to visible in all views at {rate} events/s (ms)"),
            &figure,
            &format!("{behind_ms:.0} ms behind at the end {goal}"),
        );
        if options.phases {
            println!("    {}", Used::so_far(postgres).since(before, lags.len() as u64));
        }
    }
    let _ = stop.send(true);
    let _ = running.await;
}

/// Events of many cases, which take turns, so that each batch touches many.
fn turns(rate: u32, seed: &mut u64) -> Vec<(StreamName, NewEvent)> {
    let rules = Rules::embedded();
    let wanted = u64::from(rate) * OFFER.as_secs();
    let mut cases = Vec::new();
    let mut count = 0;
    while count < wanted {
        *seed += 1;
        let mut case = History::new(*seed, &rules);
        case.straight();
        let stream = case.stream();
        let events: std::collections::VecDeque<_> = std::mem::take(&mut case.unwritten).into();
        count += events.len() as u64;
        cases.push((stream, events));
    }
    let mut turns = Vec::new();
    while cases.iter().any(|(_, events)| !events.is_empty()) {
        for (stream, events) in &mut cases {
            turns.extend(events.pop_front().map(|event| (stream.clone(), event)));
        }
    }
    turns
}

/// Appends at a steady rate; milliseconds from each append's answer (durable) to its being readable in all views.
async fn offer(views: &Projections, store: &Arc<dyn EventStore>, events: Vec<(StreamName, NewEvent)>, rate: u32) -> Vec<f64> {
    let began = Instant::now();
    let gap = Duration::from_secs(1) / rate;
    let mut appends = Vec::with_capacity(events.len());
    for (number, (stream, event)) in events.into_iter().enumerate() {
        let due = began + gap * u32::try_from(number).unwrap_or(u32::MAX);
        if due > Instant::now() {
            tokio::time::sleep_until(due.into()).await;
        }
        let (store, mut advanced) = (store.clone(), views.advanced());
        appends.push(tokio::spawn(async move {
            let position: Position = store
                .append(&stream, Expected::Any, vec![event])
                .await
                .expect("an append")
                .position;
            let durable = Instant::now();
            advanced.wait_for(|at| *at >= position).await.expect("the views go on");
            durable.elapsed().as_secs_f64() * 1_000.0
        }));
    }
    let mut lags = Vec::with_capacity(appends.len());
    for append in appends {
        lags.push(append.await.expect("an append"));
    }
    lags
}
