//! The load: read the log in large pages, fold it in several threads, copy the rows into empty tables.

use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash, Hasher},
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use domain::rules::Rules;
use event_store_contract::{Position, RecordedEvent, StreamName};
use futures_util::SinkExt;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    BULK_SETTINGS, Building, Phase, Progress, Tell,
    folding::{Folding, Work},
    per_second,
};
use crate::{
    catalog,
    fold::{changed_rules, is_rule_change},
    handle::{Inner, ProjectionError},
    session::Session,
    status::Stop,
    view::RowsOf,
    writing::taken_back_sql,
};

/// Threads that fold, each a part of the streams. Decoding is most of the work; PostgreSQL has the rest of the machine.
const FOLDING_THREADS: usize = 2;
/// The most events in one page of the log.
const PAGE_EVENTS: usize = 10_000;
/// How many pages may wait for a folding thread.
const PAGES_AHEAD: usize = 4;
/// How many chunks of rows may wait for PostgreSQL, for each table.
const CHUNKS_AHEAD: usize = 4;
/// The most cases that are folded at once. With more, the log is read several times, a part of the streams each time.
const MAX_FOLDED_CASES: u64 = 400_000;
/// How many indexes are built at once.
const INDEX_BUILDERS: usize = 2;
/// What binary copy begins with: its signature, no flags, no extension.
const COPY_HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What binary copy ends with.
const COPY_TRAILER: &[u8] = &[0xff, 0xff];

/// What a load did.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) events: u64,
    pub(super) cases: u64,
    pub(super) rows: u64,
    pub(super) position: Position,
}

/// What came of one reading of the log.
enum Pass {
    Done(Loaded, Vec<(Uuid, Position)>),
    /// There are more cases than may be folded at once; about so many readings will do.
    TooMany(u64),
}

/// Fills the tables of these generations with everything up to about the head.
pub(super) async fn load(
    inner: &Arc<Inner>,
    building: &mut [Building],
    head: Position,
    tell: &Tell,
) -> Result<Loaded, ProjectionError> {
    let mut parts = 1;
    'again: loop {
        let mut loaded = Loaded::default();
        let mut through = None;
        let mut taken_back = Vec::new();
        for part in 0..parts {
            match pass(inner, building, (part, parts), through, head, tell).await? {
                Pass::Done(done, back) => {
                    loaded.events += done.events;
                    loaded.cases += done.cases;
                    loaded.rows += done.rows;
                    loaded.position = done.position;
                    // All parts are read up to the same place.
                    through = Some(done.position);
                    taken_back.extend(back);
                }
                Pass::TooMany(needed) => {
                    parts = needed.max(parts + 1);
                    empty(inner, building).await?;
                    continue 'again;
                }
            }
        }
        remove_taken_back(inner, building, &taken_back).await?;
        return Ok(loaded);
    }
}

/// Reads the log once, folds one part of the streams, and writes their rows.
async fn pass(
    inner: &Arc<Inner>,
    building: &mut [Building],
    part: (u64, u64),
    through: Option<Position>,
    head: Position,
    tell: &Tell,
) -> Result<Pass, ProjectionError> {
    let cases = Arc::new(AtomicU64::new(0));
    let mut copies = Vec::new();
    let mut senders = Vec::new();
    let mut threads = Vec::new();
    for _ in 0..FOLDING_THREADS {
        let (sender, receiver) = mpsc::channel(PAGES_AHEAD);
        senders.push(sender);
        let mut outlets = Vec::new();
        for view in building.iter() {
            let mut tables = Vec::new();
            for shape in view.target.shapes.iter() {
                let (outlet, chunks) = mpsc::channel(CHUNKS_AHEAD);
                tables.push(outlet);
                let session = bulk_session(inner).await?;
                let sql = format!("copy {}.{} from stdin binary", view.target.schema, shape.table.name);
                copies.push(tokio::spawn(copy(session, sql, chunks)));
            }
            outlets.push((view.target.view, tables));
        }
        let folding = Folding::new(inner.views.clone(), outlets, cases.clone());
        threads.push(tokio::task::spawn_blocking(move || folding.run(receiver)));
    }
    let reading = read(inner, &senders, part, through, head, &cases, tell).await;
    if let Ok(Reading::Done { .. }) = reading {
        for sender in &senders {
            let _ = sender.send(Work::WriteAll).await;
        }
    }
    drop(senders);
    let mut faults: Vec<Option<Stop>> = vec![None; building.len()];
    let mut loaded = Loaded::default();
    let mut taken_back = Vec::new();
    for thread in threads {
        let folded = thread.await.map_err(|cause| ProjectionError::BrokenOff(cause.to_string()))?;
        loaded.rows += folded.rows;
        taken_back.extend(folded.taken_back);
        for (known, stop) in faults.iter_mut().zip(folded.stops) {
            *known = known.take().or(stop);
        }
    }
    let mut copied = Ok(());
    for copy in copies {
        let done = copy.await.map_err(|cause| ProjectionError::BrokenOff(cause.to_string()))?;
        copied = copied.and(done);
    }
    for (view, stop) in building.iter_mut().zip(faults) {
        view.stop = view.stop.take().or(stop);
    }
    match reading? {
        Reading::TooMany(parts) => Ok(Pass::TooMany(parts)),
        Reading::Done { events, position } => {
            copied?;
            Ok(Pass::Done(
                Loaded {
                    events,
                    position,
                    cases: cases.load(Ordering::Relaxed),
                    ..loaded
                },
                taken_back,
            ))
        }
    }
}

/// What came of reading.
enum Reading {
    Done { events: u64, position: Position },
    TooMany(u64),
}

/// Reads the log to its end and deals the events out to the folding threads, by the hash of their stream.
async fn read(
    inner: &Arc<Inner>,
    senders: &[mpsc::Sender<Work>],
    (part, parts): (u64, u64),
    through: Option<Position>,
    head: Position,
    cases: &AtomicU64,
    tell: &Tell,
) -> Result<Reading, ProjectionError> {
    let began = Instant::now();
    let filter = Inner::filter();
    let mut rules = Rules::embedded();
    let mut events = 0;
    let mut position = Position::default();
    loop {
        let after = Some(position).filter(|position| position.0 > 0);
        let page = inner.store.read_all(after, PAGE_EVENTS, &filter).await?;
        let mut dealt: Vec<Vec<RecordedEvent>> = senders
            .iter()
            .map(|_| Vec::with_capacity(page.events.len() / senders.len() + 64))
            .collect();
        let end = page.end || through.is_some_and(|through| page.position >= Some(through));
        position = page.position.unwrap_or(position).min(through.unwrap_or(Position(u64::MAX)));
        for event in page.events {
            if through.is_some_and(|through| event.position > through) {
                break;
            }
            if is_rule_change(&event) {
                rules = changed_rules(&rules, &event);
                for (sender, events) in senders.iter().zip(&mut dealt) {
                    deal(sender, Work::Events(std::mem::take(events))).await?;
                    deal(sender, Work::Rules(rules.clone())).await?;
                }
                continue;
            }
            let hash = hash_of(&event.stream);
            if hash % parts != part {
                continue;
            }
            events += 1;
            dealt[usize::try_from((hash / parts) % senders.len() as u64).unwrap_or(0)].push(event);
        }
        for (sender, events) in senders.iter().zip(dealt) {
            deal(sender, Work::Events(events)).await?;
        }
        let rate = per_second(events, began.elapsed());
        tell(Progress {
            phase: Phase::Folding,
            events,
            position,
            head,
            events_per_second: rate,
            time_left: time_left(position, head, began.elapsed()),
        });
        let folded = cases.load(Ordering::Relaxed);
        if folded > MAX_FOLDED_CASES && !end {
            let whole = (head.0 / position.0.max(1) + 1) * parts;
            return Ok(Reading::TooMany(whole.max(parts + 1)));
        }
        if end {
            return Ok(Reading::Done { events, position });
        }
    }
}

fn time_left(position: Position, head: Position, elapsed: Duration) -> Option<Duration> {
    let left = head.0.saturating_sub(position.0);
    let done = u32::try_from(position.0.min(u64::from(u32::MAX)))
        .ok()
        .filter(|done| *done > 0)?;
    Some((elapsed / done).saturating_mul(u32::try_from(left).unwrap_or(u32::MAX)))
}

async fn deal(sender: &mpsc::Sender<Work>, work: Work) -> Result<(), ProjectionError> {
    sender
        .send(work)
        .await
        .map_err(|_| ProjectionError::BrokenOff("a folding thread ended early".to_owned()))
}

fn hash_of(stream: &StreamName) -> u64 {
    let mut hasher = DefaultHasher::new();
    stream.hash(&mut hasher);
    hasher.finish()
}

async fn bulk_session(inner: &Inner) -> Result<Arc<Session>, ProjectionError> {
    let session = inner.database.dedicated().await?;
    session.client.batch_execute(BULK_SETTINGS).await?;
    Ok(session)
}

/// Copies chunks of rows into a table, until there are no more.
async fn copy(session: Arc<Session>, sql: String, mut chunks: mpsc::Receiver<Vec<u8>>) -> Result<(), ProjectionError> {
    let mut sink = pin!(session.client.copy_in::<_, Bytes>(&sql).await?);
    sink.feed(Bytes::from_static(COPY_HEADER)).await?;
    while let Some(chunk) = chunks.recv().await {
        sink.send(Bytes::from(chunk)).await?;
    }
    sink.feed(Bytes::from_static(COPY_TRAILER)).await?;
    sink.finish().await?;
    Ok(())
}

/// Empties the tables for another attempt.
async fn empty(inner: &Inner, building: &[Building]) -> Result<(), ProjectionError> {
    let session = bulk_session(inner).await?;
    for view in building {
        for shape in view.target.shapes.iter() {
            session
                .client
                .batch_execute(&format!("truncate {}.{}", view.target.schema, shape.table.name))
                .await?;
        }
    }
    Ok(())
}

/// Removes the rows of events that were taken back later in the log.
async fn remove_taken_back(inner: &Inner, building: &[Building], taken_back: &[(Uuid, Position)]) -> Result<(), ProjectionError> {
    if taken_back.is_empty() {
        return Ok(());
    }
    let (cases, positions): (Vec<Uuid>, Vec<i64>) = taken_back
        .iter()
        .map(|(case_id, position)| (*case_id, position.0.cast_signed()))
        .unzip();
    let session = bulk_session(inner).await?;
    for view in building {
        for shape in view.target.shapes.iter().filter(|shape| shape.table.rows_of == RowsOf::Event) {
            session
                .client
                .execute(&taken_back_sql(&view.target.schema, shape.table.name), &[&cases, &positions])
                .await?;
        }
    }
    Ok(())
}

/// Builds keys and indexes, several at a time, and counts what the planner wants to know.
pub(super) async fn index(inner: &Arc<Inner>, ready: &[Building]) -> Result<(), ProjectionError> {
    let mut keys = Vec::new();
    let mut indexes = Vec::new();
    for view in ready {
        let schema = &view.target.schema;
        for statement in catalog::split_sql(inner.views[view.target.view].as_ref())
            .1
            .split(';')
            .map(str::trim)
        {
            let list = if statement.starts_with("alter table") {
                &mut keys
            } else {
                &mut indexes
            };
            if !statement.is_empty() {
                list.push(format!("set search_path to {schema}; {statement}"));
            }
        }
        let tables: Vec<String> = view
            .target
            .shapes
            .iter()
            .map(|shape| format!("{schema}.{}", shape.table.name))
            .collect();
        indexes.push(format!("analyze {}", tables.join(", ")));
    }
    // A key locks its table against everybody else; indexes of one table can be built at the same time.
    in_parallel(inner, keys).await?;
    in_parallel(inner, indexes).await
}

async fn in_parallel(inner: &Arc<Inner>, statements: Vec<String>) -> Result<(), ProjectionError> {
    let queue = Arc::new(Mutex::new(statements.into_iter().collect::<VecDeque<_>>()));
    let mut builders = Vec::new();
    for _ in 0..INDEX_BUILDERS {
        let session = bulk_session(inner).await?;
        let queue = queue.clone();
        builders.push(tokio::spawn(async move {
            loop {
                let Some(statement) = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front() else {
                    return Ok(());
                };
                session.client.batch_execute(&statement).await?;
            }
        }));
    }
    for builder in builders {
        let built: Result<(), tokio_postgres::Error> =
            builder.await.map_err(|cause| ProjectionError::BrokenOff(cause.to_string()))?;
        built?;
    }
    Ok(())
}
