//! Following the log in one lane: batch after batch, all views in one transaction with their checkpoints.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, PoisonError, atomic::Ordering},
    time::Duration,
};

use event_store_contract::{Position, RecordedEvent, StoreError, StreamName};
use tokio::{sync::watch, time::Instant};

use crate::{
    catalog::{self, ViewRecord},
    derive::{Derived, Folder},
    fold::{is_rule_change, rules_at},
    handle::{Inner, ProjectionError},
    leases::Held,
    rebuild,
    session::Session,
    status::{Stop, ViewState},
    watching::Told,
    writing::{Ending, Target, WriteError, write},
};

/// The most events in one batch. One event alone is a batch when the log is quiet; the further the views are behind,
/// the more events of the same case share one writing of its rows.
const MAX_BATCH_EVENTS: usize = 10_000;
/// A view that is further behind is rebuilt beside what is shown: that is faster, and the others are not held up.
const MAX_POSITIONS_TO_FOLLOW: u64 = 20_000;
/// How long the checkpoints may stay behind while nothing for the views happens in the log, or only in other lanes.
const CHECKPOINT_PAUSE: Duration = Duration::from_millis(500);
/// How often it is looked whether a view that somebody else should rebuild has come.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// The pause after the first failure; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause between attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Why following ended.
enum End {
    /// We were told to.
    Stopped,
    /// Somebody moved a checkpoint or swapped a generation.
    LookAgain,
    /// The lane is somebody else's now.
    Lost,
}

/// Follows the log in a lane until told to stop, or until the lane is somebody else's.
pub(crate) async fn run(inner: &Arc<Inner>, held: Held, mut stop: watch::Receiver<bool>) {
    let mut pause = FIRST_PAUSE;
    let mut attempted = BTreeSet::new();
    loop {
        match follow(inner, held, &mut stop, &mut attempted, &mut pause).await {
            Ok(End::Stopped | End::Lost) => break,
            Ok(End::LookAgain) => {}
            Err(cause) => {
                tracing::warn!(%cause, "the views wait");
                tokio::select! {
                    () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
                    () = told_to_stop(&mut stop) => break,
                }
            }
        }
    }
}

/// Waits until somebody says so.
pub(crate) async fn told_to_stop(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone stops us as well.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn follow(
    inner: &Arc<Inner>,
    held: Held,
    stop: &mut watch::Receiver<bool>,
    attempted: &mut BTreeSet<(usize, u32)>,
    pause: &mut Duration,
) -> Result<End, ProjectionError> {
    let swapped = inner.swapped.notified();
    tokio::pin!(swapped);
    swapped.as_mut().enable();
    let session = inner.database.dedicated().await?;
    // Rows and checkpoints are lost together, if they are lost, and are then written again.
    session.client.batch_execute("set synchronous_commit to off").await?;
    if !catalog::claim(&session.client, &inner.base, held).await? {
        return Ok(End::Lost);
    }
    let newest = inner.store.head().await?.unwrap_or_default();
    let found = look(inner, &session, held, newest, attempted).await?;
    if !found.to_rebuild.is_empty() {
        rebuild_aside(inner, found.to_rebuild);
    }
    let mut loop_ = Live::new(inner.clone(), session, held, found.targets).await?;
    let look_again = tokio::time::sleep(LOOK_AGAIN);
    tokio::pin!(look_again);
    if loop_.targets.is_empty() {
        tokio::select! {
            () = &mut swapped => return Ok(End::LookAgain),
            () = &mut look_again, if found.others_rebuild => return Ok(End::LookAgain),
            () = told_to_stop(stop) => return Ok(End::Stopped),
        }
    }
    let from = loop_.targets.iter().map(|target| target.position).min().unwrap_or_default();
    let mut log = inner
        .store
        .follow(Some(from).filter(|from| from.0 > 0), Inner::filter())
        .await?;
    loop_.tell();
    loop {
        let page = tokio::select! {
            biased;
            () = told_to_stop(stop) => {
                loop_.save().await?;
                return Ok(End::Stopped);
            }
            () = &mut swapped => {
                loop_.save().await?;
                return Ok(End::LookAgain);
            }
            () = &mut look_again, if found.others_rebuild => {
                loop_.save().await?;
                return Ok(End::LookAgain);
            }
            // Before the next page: in a lane where nothing happens there is always one, of what happens in the others.
            () = tokio::time::sleep_until(loop_.saved_last + CHECKPOINT_PAUSE), if loop_.is_unsaved() => {
                if !loop_.save().await? {
                    return Ok(End::LookAgain);
                }
                continue;
            }
            page = log.next(MAX_BATCH_EVENTS) => page?,
        };
        let Some(to) = page.position.or_else(|| page.events.last().map(|event| event.position)) else {
            continue;
        };
        let mut events = page.events;
        if !held.lane.is_whole() {
            events.retain(|event| held.lane.has(&event.stream) || is_rule_change(event));
        }
        if !loop_.take(&events, to).await? {
            return Ok(End::LookAgain);
        }
        *pause = FIRST_PAUSE;
        if loop_.targets.is_empty() {
            return Ok(End::LookAgain);
        }
    }
}

/// Where the views are.
#[derive(Default)]
struct Found {
    /// Those to follow.
    targets: Vec<Target>,
    /// Those to rebuild (each version and generation is tried once).
    to_rebuild: Vec<usize>,
    /// There are some that another process rebuilds.
    others_rebuild: bool,
}

/// What is to be done about a view.
enum Course {
    Follow,
    Rebuild,
    /// It is being rebuilt here; that ends with a notice.
    WaitForUs,
    /// It is rebuilt elsewhere, or is of a newer program.
    WaitForOthers,
    /// It stopped at an event, or is not there.
    Leave,
}

async fn look(
    inner: &Inner,
    session: &Session,
    held: Held,
    newest: Position,
    attempted: &mut BTreeSet<(usize, u32)>,
) -> Result<Found, ProjectionError> {
    let records = catalog::load(&session.client, &inner.base).await?;
    inner.take_records(&records);
    inner.shown.take_lane(held.lane.index, &records);
    let mut found = Found::default();
    for (at, view) in inner.views.iter().enumerate() {
        let Some(record) = records.get(view.name()) else { continue };
        let Some(position) = record.lanes.get(held.lane.index as usize).copied() else {
            continue;
        };
        match course(inner, session, held, newest, at, record, attempted).await? {
            Course::Rebuild => found.to_rebuild.push(at),
            Course::WaitForOthers => found.others_rebuild = true,
            Course::WaitForUs | Course::Leave => {}
            Course::Follow => {
                let schema = catalog::public_schema(&inner.base, view.name());
                let target = Target::of(session, (at, view.as_ref()), record.generation, schema, position, held).await?;
                found.targets.push(target);
            }
        }
    }
    Ok(found)
}

/// A view of another version, or far behind, is rebuilt by whoever holds the first lane.
async fn course(
    inner: &Inner,
    session: &Session,
    held: Held,
    newest: Position,
    at: usize,
    record: &ViewRecord,
    attempted: &mut BTreeSet<(usize, u32)>,
) -> Result<Course, ProjectionError> {
    let view = &inner.views[at];
    if record.state != ViewState::Running {
        return Ok(Course::Leave);
    }
    let other_version = record.version != view.version();
    let far_behind = newest.0.saturating_sub(record.position.0) > MAX_POSITIONS_TO_FOLLOW;
    if !other_version && !far_behind {
        return Ok(Course::Follow);
    }
    let is_newer = record.version > view.version();
    if is_newer && inner.others.load(Ordering::Relaxed) {
        tracing::warn!(
            view = view.name(),
            "a newer program keeps this view; this one leaves it alone"
        );
        return Ok(Course::WaitForOthers);
    }
    let first_attempt = attempted.insert((at, record.generation));
    if held.lane.index == 0 {
        let underway = inner
            .rebuilding
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(view.name());
        return Ok(match (first_attempt, underway || other_version) {
            (true, _) => Course::Rebuild,
            (false, true) => Course::WaitForUs,
            (false, false) => Course::Follow,
        });
    }
    let wait = other_version || first_attempt || rebuild::is_underway(inner, session, view.name()).await?;
    Ok(if wait { Course::WaitForOthers } else { Course::Follow })
}

/// Rebuilds views while the others go on.
fn rebuild_aside(inner: &Arc<Inner>, views: Vec<usize>) {
    let inner = inner.clone();
    tokio::spawn(async move {
        match rebuild::rebuild(&inner, &views, Arc::new(|_| {})).await {
            Ok(report) => tracing::info!(
                events = report.events,
                seconds = report.elapsed.as_secs_f32(),
                "views were rebuilt"
            ),
            Err(cause) => tracing::error!(%cause, "views could not be rebuilt"),
        }
        inner.look_again();
    });
}

/// The views that are followed here.
struct Live {
    inner: Arc<Inner>,
    session: Arc<Session>,
    held: Held,
    folder: Folder,
    targets: Vec<Target>,
    /// When the checkpoints were last moved.
    saved_last: Instant,
}

impl Live {
    async fn new(inner: Arc<Inner>, session: Arc<Session>, held: Held, targets: Vec<Target>) -> Result<Self, StoreError> {
        let from = targets.iter().map(|target| target.position).min().unwrap_or_default();
        let rules = rules_at(&inner.store, from).await?;
        let folder = Folder::new(inner.store.clone(), inner.views.clone(), rules);
        Ok(Self {
            inner,
            session,
            held,
            folder,
            targets,
            saved_last: Instant::now(),
        })
    }

    /// Takes a batch, up to a position of the log; false, if somebody else moved a view meanwhile.
    async fn take(&mut self, events: &[RecordedEvent], to: Position) -> Result<bool, ProjectionError> {
        if events.is_empty() {
            self.come_to(to);
            return Ok(true);
        }
        let (mut derived, changes) = self.folder.derive(events, &self.targets).await?;
        let stops = derived.iter().map(|derived| derived.stop.clone()).collect::<Vec<_>>();
        self.stop_views(&mut derived, &stops).await?;
        let batch: Vec<(&Target, &Derived)> = self
            .targets
            .iter()
            .zip(&derived)
            .filter(|(target, _)| target.position < to)
            .collect();
        if batch.is_empty() {
            return Ok(true);
        }
        match write(&self.session, &self.inner.base, &batch, Ending::Commit(to)).await {
            Ok(()) => {}
            Err(WriteError::Fenced) => return Ok(false),
            Err(WriteError::Sql(cause)) if cause.as_db_error().is_none() => return Err(cause.into()),
            Err(WriteError::Sql(cause)) => {
                tracing::warn!(%cause, "a batch was refused; each view is tried alone");
                if !self.take_one_by_one(events, &mut derived, to).await? {
                    return Ok(false);
                }
            }
        }
        self.saved(to);
        self.come_to(to);
        self.inner.changed(changes);
        Ok(true)
    }

    /// Writes each view in a transaction of its own; those that PostgreSQL refuses stop.
    async fn take_one_by_one(
        &mut self,
        events: &[RecordedEvent],
        derived: &mut Vec<Derived>,
        to: Position,
    ) -> Result<bool, ProjectionError> {
        // The folds remember what was written; after a refusal that is not known.
        self.folder.forget();
        let mut stops = vec![None; self.targets.len()];
        for (at, (target, derived)) in self.targets.iter().zip(derived.iter()).enumerate() {
            if target.position >= to {
                continue;
            }
            match write(&self.session, &self.inner.base, &[(target, derived)], Ending::Commit(to)).await {
                Ok(()) => {}
                Err(WriteError::Fenced) => return Ok(false),
                Err(WriteError::Sql(cause)) if cause.as_db_error().is_none() => return Err(cause.into()),
                Err(WriteError::Sql(cause)) => {
                    stops[at] = Some(
                        self.culprit(events, target, crate::database::query_error(&cause).to_string())
                            .await?,
                    );
                }
            }
        }
        self.stop_views(derived, &stops).await?;
        Ok(true)
    }

    /// Which event PostgreSQL refuses the rows of: each stream is tried alone, then event by event.
    async fn culprit(&self, events: &[RecordedEvent], target: &Target, reason: String) -> Result<Stop, ProjectionError> {
        let mut by_stream: BTreeMap<&StreamName, Vec<RecordedEvent>> = BTreeMap::new();
        for event in events {
            by_stream.entry(&event.stream).or_default().push(event.clone());
        }
        for of_stream in by_stream.values() {
            if !self.is_refused(of_stream, target).await? {
                continue;
            }
            for through in 1..=of_stream.len() {
                if self.is_refused(&of_stream[..through], target).await? {
                    return Ok(stop_at(&of_stream[through - 1], reason));
                }
            }
        }
        events
            .last()
            .map(|event| stop_at(event, reason))
            .ok_or_else(|| ProjectionError::BrokenOff("a batch without events was refused".to_owned()))
    }

    async fn is_refused(&self, events: &[RecordedEvent], target: &Target) -> Result<bool, ProjectionError> {
        let rules = rules_at(&self.inner.store, target.position).await?;
        let mut folder = Folder::new(self.inner.store.clone(), self.inner.views.clone(), rules);
        let (derived, _) = folder.derive(events, std::slice::from_ref(target)).await?;
        let Some(derived) = derived.first() else { return Ok(false) };
        match write(&self.session, &self.inner.base, &[(target, derived)], Ending::RollBack).await {
            Err(WriteError::Sql(cause)) if cause.as_db_error().is_none() => Err(cause.into()),
            answer => Ok(answer.is_err()),
        }
    }

    /// Takes views out that could not take an event, and writes down why.
    async fn stop_views(&mut self, derived: &mut Vec<Derived>, stops: &[Option<Stop>]) -> Result<(), ProjectionError> {
        for (target, stop) in self.targets.iter().zip(stops) {
            let Some(stop) = stop else { continue };
            tracing::error!(view = target.name, event = %stop.event_id, stream = %stop.stream, revision = stop.revision,
                reason = %stop.reason, "a view stopped");
            self.inner.remember_stopped(target.name, true);
            catalog::mark_stopped(&self.session.client, &self.inner.base, target.name, stop).await?;
            self.inner.tell_others(Told::Look);
        }
        let mut keep = stops.iter().map(Option::is_none);
        self.targets.retain(|_| keep.next().unwrap_or(true));
        let mut keep = stops.iter().map(Option::is_none);
        derived.retain(|_| keep.next().unwrap_or(true));
        Ok(())
    }

    /// The views have come so far, whether or not that is saved.
    fn come_to(&mut self, to: Position) {
        for target in &mut self.targets {
            target.position = target.position.max(to);
        }
        self.tell();
    }

    fn tell(&self) {
        let come_to = self.targets.iter().map(|target| (target.name, target.position));
        self.inner.come_to(self.held.lane.index, come_to);
    }

    /// The checkpoints were moved.
    fn saved(&mut self, to: Position) {
        for target in &mut self.targets {
            target.saved = target.saved.max(to);
        }
        self.saved_last = Instant::now();
    }

    fn is_unsaved(&self) -> bool {
        self.targets.iter().any(|target| target.saved < target.position)
    }

    /// Saves the checkpoints; false, if somebody else moved a view meanwhile.
    async fn save(&mut self) -> Result<bool, ProjectionError> {
        // Also when there is nothing to save yet: then it is looked at again after the pause, and not at once.
        self.saved_last = Instant::now();
        let Some(to) = self.targets.iter().map(|target| target.position).min() else {
            return Ok(true);
        };
        let nothing = Derived::default();
        let batch: Vec<(&Target, &Derived)> = self
            .targets
            .iter()
            .filter(|target| target.saved < to)
            .map(|target| (target, &nothing))
            .collect();
        if batch.is_empty() {
            return Ok(true);
        }
        match write(&self.session, &self.inner.base, &batch, Ending::Commit(to)).await {
            Ok(()) => {}
            Err(WriteError::Fenced) => return Ok(false),
            Err(WriteError::Sql(cause)) => return Err(cause.into()),
        }
        self.saved(to);
        Ok(true)
    }
}

fn stop_at(event: &RecordedEvent, reason: String) -> Stop {
    Stop {
        event_id: event.id,
        stream: event.stream.to_string(),
        revision: event.revision,
        position: event.position,
        reason,
    }
}
