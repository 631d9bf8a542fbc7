//! Building views anew: fold the whole log in memory, copy the rows into tables beside the ones that are shown, index
//! them, catch up, and take their place in one short transaction.

mod copying;
mod folding;
mod loading;
mod reading;
mod swapping;

use std::{
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use event_store_contract::{Page, Position};

use crate::{
    catalog,
    derive::Folder,
    fold::rules_at,
    handle::{Inner, ProjectionError},
    leases::Held,
    session::Session,
    status::Stop,
    writing::{Ending, Target, WriteError, write},
};

/// Sets a session up for bulk work.
///
/// - Nothing that is lost in a crash was ever shown.
/// - Several indexes are built at once, so each is built by one process.
/// - The planner is told roughly how values are spread; `PostgreSQL`'s own housekeeping refines that later.
/// - What is written goes to the disk at once and not all together at the end, when somebody would have to wait for it.
const BULK_SETTINGS: &str = "set synchronous_commit to off; set maintenance_work_mem to '128MB'; \
    set max_parallel_maintenance_workers to 0; set default_statistics_target to 20; set backend_flush_after to '2MB'";
/// How many events are caught up in one batch after the load.
const CATCH_UP_EVENTS: usize = 5_000;

/// What a rebuild is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Reading the log and folding it.
    Folding,
    /// Writing the rows of the folded cases.
    Writing,
    /// Building indexes.
    Indexing,
    /// Taking what was appended meanwhile.
    CatchingUp,
    /// Taking the place of what is shown.
    Swapping,
}

/// How far a rebuild is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// What it is doing.
    pub phase: Phase,
    /// Events taken so far.
    pub events: u64,
    /// How far the log was read.
    pub position: Position,
    /// How far it goes.
    pub head: Position,
    /// Events taken a second.
    pub events_per_second: f64,
    /// How long the rest of the reading will take; none, while that cannot be told.
    pub time_left: Option<Duration>,
}

/// What a rebuild did.
#[derive(Debug, Clone, PartialEq)]
pub struct RebuildReport {
    /// The views that were swapped in.
    pub views: Vec<String>,
    /// Events taken.
    pub events: u64,
    /// Cases folded.
    pub cases: u64,
    /// Rows written.
    pub rows: u64,
    /// How long all of it took.
    pub elapsed: Duration,
    /// How long each phase took: folding and writing, indexing, catching up, swapping.
    pub phases: Vec<(Phase, Duration)>,
    /// Views that could not take an event; what was shown of them still is, and they are marked as stopped.
    pub stopped: Vec<(String, Stop)>,
}

/// Tells how a rebuild goes.
pub(crate) type Tell = Arc<dyn Fn(Progress) + Send + Sync>;

/// A generation that is being built.
pub(crate) struct Building {
    pub(crate) target: Target,
    /// The generation that it is to replace.
    pub(crate) replaces: u32,
    pub(crate) stop: Option<Stop>,
}

/// Builds these views anew and swaps them in.
pub(crate) async fn rebuild(inner: &Arc<Inner>, views: &[usize], tell: Tell) -> Result<RebuildReport, ProjectionError> {
    let _marks = Marks::set(inner, views)?;
    let session = inner.database.dedicated().await?;
    session.client.batch_execute(BULK_SETTINGS).await?;
    let result = rebuild_locked(inner, &session, views, &tell).await;
    // The session ends a moment after it is let go of; the next rebuild need not wait for that.
    session.client.batch_execute("select pg_advisory_unlock_all()").await?;
    result
}

async fn rebuild_locked(
    inner: &Arc<Inner>,
    session: &Arc<Session>,
    views: &[usize],
    tell: &Tell,
) -> Result<RebuildReport, ProjectionError> {
    for view in views {
        lock(inner, session, inner.views[*view].name()).await?;
    }
    let mut building = Vec::new();
    for view in views {
        building.push(prepare(inner, session, *view).await?);
    }
    let result = build(inner, session, &mut building, tell).await;
    for view in building.iter().filter(|building| result.is_err() || building.stop.is_some()) {
        let drop = format!("drop schema if exists {} cascade", view.target.schema);
        if let Err(cause) = session.client.batch_execute(&drop).await {
            tracing::warn!(%cause, schema = view.target.schema, "what was left of a rebuild could not be removed");
        }
    }
    let report = result?;
    for (view, stop) in &report.stopped {
        catalog::mark_stopped(&session.client, &inner.base, view, stop).await?;
    }
    inner.look_again();
    match report.stopped.first() {
        Some((view, stop)) if report.views.is_empty() => Err(ProjectionError::Poisoned {
            view: view.clone(),
            event_id: stop.event_id,
            stream: stop.stream.clone(),
            revision: stop.revision,
            reason: stop.reason.clone(),
        }),
        _ => Ok(report),
    }
}

async fn build(
    inner: &Arc<Inner>,
    session: &Arc<Session>,
    building: &mut [Building],
    tell: &Tell,
) -> Result<RebuildReport, ProjectionError> {
    let began = Instant::now();
    let head = inner.store.head().await?.unwrap_or_default();
    let loaded = loading::load(inner, building, head, tell).await?;
    let mut phases = vec![(Phase::Folding, began.elapsed())];
    let progress = |phase, position| {
        tell(Progress {
            phase,
            events: loaded.events,
            position,
            head,
            events_per_second: per_second(loaded.events, began.elapsed()),
            time_left: None,
        });
    };
    let mut ready: Vec<Building> = Vec::new();
    let mut stopped = Vec::new();
    for view in building.iter().map(|view| Building {
        target: view.target.clone(),
        replaces: view.replaces,
        stop: view.stop.clone(),
    }) {
        match &view.stop {
            Some(stop) => stopped.push((view.target.name.to_owned(), stop.clone())),
            None => ready.push(view),
        }
    }
    let from = Instant::now();
    progress(Phase::Indexing, loaded.position);
    copying::index(inner, &ready).await?;
    phases.push((Phase::Indexing, from.elapsed()));

    let from = Instant::now();
    progress(Phase::CatchingUp, loaded.position);
    let targets: Vec<Target> = ready
        .iter()
        .map(|view| Target {
            position: loaded.position,
            saved: loaded.position,
            ..view.target.clone()
        })
        .collect();
    let mut chase = Chase::new(inner, targets, loaded.position).await?;
    while chase.step(session, Ending::Commit(loaded.position)).await? {}
    phases.push((Phase::CatchingUp, from.elapsed()));

    let from = Instant::now();
    progress(Phase::Swapping, chase.position);
    if !ready.is_empty() {
        swapping::swap(inner, session, &ready, &mut chase).await?;
    }
    phases.push((Phase::Swapping, from.elapsed()));
    Ok(RebuildReport {
        views: ready.iter().map(|view| view.target.name.to_owned()).collect(),
        events: loaded.events + chase.events,
        cases: loaded.cases,
        rows: loaded.rows,
        elapsed: began.elapsed(),
        phases,
        stopped,
    })
}

#[allow(clippy::cast_precision_loss, reason = "a rate that people read")]
pub(crate) fn per_second(events: u64, elapsed: Duration) -> f64 {
    events as f64 / elapsed.as_secs_f64().max(f64::EPSILON)
}

/// Follows the log behind a load, until a view can be swapped in.
pub(crate) struct Chase {
    inner: Arc<Inner>,
    folder: Folder,
    pub(crate) targets: Vec<Target>,
    pub(crate) position: Position,
    pub(crate) events: u64,
}

impl Chase {
    async fn new(inner: &Arc<Inner>, targets: Vec<Target>, position: Position) -> Result<Self, ProjectionError> {
        let rules = rules_at(&inner.store, position).await?;
        let folder = Folder::new(inner.store.clone(), inner.views.clone(), rules);
        Ok(Self {
            inner: inner.clone(),
            folder,
            targets,
            position,
            events: 0,
        })
    }

    /// Takes one page; whether there is more. The checkpoint is not written: the generation is not shown yet.
    pub(crate) async fn step(&mut self, session: &Session, ending: Ending) -> Result<bool, ProjectionError> {
        let after = Some(self.position).filter(|position| position.0 > 0);
        let page: Page = self.inner.store.read_all(after, CATCH_UP_EVENTS, &Inner::filter()).await?;
        let to = page.position.unwrap_or(self.position);
        if !page.events.is_empty() {
            let (derived, _) = self.folder.derive(&page.events, &self.targets).await?;
            if let Some((target, stop)) = self
                .targets
                .iter()
                .zip(&derived)
                .find_map(|(target, derived)| Some((target, derived.stop.clone()?)))
            {
                return Err(ProjectionError::Poisoned {
                    view: target.name.to_owned(),
                    event_id: stop.event_id,
                    stream: stop.stream,
                    revision: stop.revision,
                    reason: stop.reason,
                });
            }
            let batch: Vec<_> = self.targets.iter().zip(&derived).collect();
            if ending != Ending::Inside {
                session.client.batch_execute("begin").await?;
            }
            let written = write(session, &self.inner.base, &batch, Ending::Inside).await;
            if ending != Ending::Inside {
                session
                    .client
                    .batch_execute(if written.is_ok() { "commit" } else { "rollback" })
                    .await?;
            }
            if let Err(WriteError::Sql(cause)) = written {
                return Err(cause.into());
            }
        }
        self.events += page.events.len() as u64;
        self.position = to;
        for target in &mut self.targets {
            target.position = to;
        }
        Ok(!page.end)
    }

    /// Forgets what was taken inside a transaction that did not come to be.
    pub(crate) fn back_to(&mut self, position: Position) {
        self.folder.forget();
        self.position = position;
        for target in &mut self.targets {
            target.position = position;
        }
    }
}

/// The names of views that are being rebuilt here, taken back at the end however it comes.
struct Marks {
    inner: Arc<Inner>,
    names: Vec<&'static str>,
}

impl Marks {
    fn set(inner: &Arc<Inner>, views: &[usize]) -> Result<Self, ProjectionError> {
        let names: Vec<&'static str> = views.iter().map(|view| inner.views[*view].name()).collect();
        let mut rebuilding = inner.rebuilding.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(name) = names.iter().find(|name| rebuilding.contains(*name)) {
            return Err(ProjectionError::RebuiltAlready((*name).to_owned()));
        }
        rebuilding.extend(names.iter().copied());
        Ok(Self {
            inner: inner.clone(),
            names,
        })
    }
}

impl Drop for Marks {
    fn drop(&mut self) {
        let mut rebuilding = self.inner.rebuilding.lock().unwrap_or_else(PoisonError::into_inner);
        for name in &self.names {
            rebuilding.remove(name);
        }
    }
}

/// Keeps other programs from rebuilding the same view; PostgreSQL lets go of it with the session.
async fn lock(inner: &Inner, session: &Session, view: &str) -> Result<(), ProjectionError> {
    let key = catalog::public_schema(&inner.base, view);
    let row = session
        .client
        .query_one("select pg_try_advisory_lock(hashtextextended($1, 0))", &[&key])
        .await?;
    if row.get::<_, bool>(0) {
        Ok(())
    } else {
        Err(ProjectionError::RebuiltAlready(view.to_owned()))
    }
}

/// Whether any program is rebuilding a view now.
pub(crate) async fn is_underway(inner: &Inner, session: &Session, view: &str) -> Result<bool, ProjectionError> {
    let key = catalog::public_schema(&inner.base, view);
    let sql = "select exists (select from pg_locks where locktype = 'advisory' and granted and objsubid = 1 and database = \
               (select oid from pg_database where datname = current_database()) \
               and (classid::int8 << 32 | objid::int8) = hashtextextended($1, 0))";
    Ok(session.client.query_one(sql, &[&key]).await?.get(0))
}

/// Creates the tables of the next generation of a view.
async fn prepare(inner: &Inner, session: &Session, at: usize) -> Result<Building, ProjectionError> {
    let view = &inner.views[at];
    let records = catalog::load(&session.client, &inner.base).await?;
    let replaces = records.get(view.name()).map_or(0, |record| record.generation);
    let generation = replaces + 1;
    let schema = catalog::side_schema(&inner.base, view.as_ref(), generation);
    session
        .client
        .batch_execute(&format!("drop schema if exists {schema} cascade; begin"))
        .await?;
    let created = catalog::create_tables(&session.client, &schema, view.as_ref()).await;
    session
        .client
        .batch_execute(if created.is_ok() { "commit" } else { "rollback" })
        .await?;
    created?;
    let target = Target::of(
        session,
        (at, view.as_ref()),
        generation,
        schema,
        Position::default(),
        Held::NOBODY,
    )
    .await?;
    Ok(Building {
        target,
        replaces,
        stop: None,
    })
}
