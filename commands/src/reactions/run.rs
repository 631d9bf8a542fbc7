//! The loop that walks along the log and reacts, in order, never skipping; in one lane of the streams, or in all of them.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use domain::{
    case_types::CATEGORIES,
    registers::{calendar_publication, number_sequence},
};
use event_store_contract::{Filter, Follow, Lane, Page, Position, RecordedEvent};
use tokio::time::Instant;

use super::{
    CaseSeen, adopt_calendar, allocate_number, assign_number, do_job,
    errand::{Errand, do_all, record_failure},
    folds::Folds,
    write_registers,
};
use crate::{
    bureau::Bureau,
    envelope::{CommandError, FailedCause},
    execute::read_metadata,
    outside::{Bookmarks, Clock, OutsideError, ProvisionalCases, Shutdown, shut_down},
};

/// The bookmark's name.
pub const BOOKMARK: &str = "reactions";
/// How many events are looked at in one go.
const EVENTS_PER_PAGE: usize = 1_000;
/// After how many events the bookmark is saved at the latest; walking them again does nothing twice.
const EVENTS_PER_BOOKMARK: usize = 5_000;
/// After how long the bookmark is saved at the latest, however busy the log is: whoever takes a lane over walks again what
/// came after it.
const BOOKMARK_AT_THE_LATEST: Duration = Duration::from_secs(1);
/// How long the log must be quiet before the bookmark is saved and provisional cases are looked for.
const QUIET: Duration = Duration::from_millis(200);
/// How long the loop waits after the store or a bookmark did not answer.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// How often provisional cases are looked for after a calendar was published: the view of deadlines may lag behind.
const SWEEPS_AFTER_PUBLICATION: u32 = 3;

/// What a former system recorded wants no numbers, entries or calendars: skipped by name, before anything is decoded.
const IMPORTED: &str = "Import";

/// Follows the log from the bookmark and reacts to what happens in a lane, until the program shuts down, or until the lane
/// is somebody else's. Whoever walks on in such a lane for a moment does nothing twice, and moves no bookmark.
pub async fn run<B, P>(
    bureau: Bureau,
    bookmarks: Arc<B>,
    provisional: Arc<P>,
    lane: Lane,
    clock: Arc<dyn Clock>,
    mut shutdown: Shutdown,
) where
    B: Bookmarks + ?Sized,
    P: ProvisionalCases + ?Sized,
{
    while !*shutdown.borrow() {
        let walk = Walk {
            bureau: &bureau,
            lane,
            bookmarks: &*bookmarks,
            provisional: &*provisional,
            clock: &*clock,
        };
        match walk.follow(&mut shutdown).await {
            Ok(End::Paused) => {}
            Ok(End::Lost) => {
                tracing::debug!(%lane, "another process works in this lane now");
                return;
            }
            Err(cause) => {
                tracing::warn!(%cause, "the reactions wait and begin again from their bookmark");
                tokio::select! {
                    () = shut_down(&mut shutdown) => {}
                    () = tokio::time::sleep(AFTER_FAILURE) => {}
                }
            }
        }
    }
}

/// Reacts to everything after a position up to the end of the log, also to what the reactions themselves write. For tests
/// and for tools that must leave nothing undone; returns where the log ended.
pub async fn react_to_everything(
    bureau: &Bureau,
    after: Option<Position>,
    clock: &dyn Clock,
) -> Result<Option<Position>, CommandError> {
    let (_running, shutdown) = tokio::sync::watch::channel(false);
    let mut folds = Folds::new();
    let mut at = after;
    loop {
        let page = bureau.store().read_all(at, EVENTS_PER_PAGE, &filter()).await?;
        react(bureau, Lane::WHOLE, &page, &mut folds, clock.now(), &shutdown).await?;
        let was = std::mem::replace(&mut at, page.position);
        if page.end && was == at {
            return Ok(at);
        }
    }
}

struct Walk<'a, B: ?Sized, P: ?Sized> {
    bureau: &'a Bureau,
    lane: Lane,
    bookmarks: &'a B,
    provisional: &'a P,
    clock: &'a dyn Clock,
}

impl<B: Bookmarks + ?Sized, P: ProvisionalCases + ?Sized> Walk<'_, B, P> {
    async fn follow(&self, shutdown: &mut Shutdown) -> Result<End, CommandError> {
        let mut saved = self.bookmarks.load(BOOKMARK).await.map_err(outside)?;
        let mut saved_last = Instant::now();
        let mut at = saved;
        let mut log = self.bureau.store().follow(at, filter()).await?;
        let mut folds = Folds::new();
        let mut unsaved = 0;
        // A publication may have passed just before the program stopped, so look once at every start.
        let mut sweeps = 1;
        loop {
            match self.next(&mut *log, shutdown, saved != at || sweeps > 0).await? {
                Next::Page(page) => {
                    let seen = react(self.bureau, self.lane, &page, &mut folds, self.clock.now(), shutdown).await?;
                    if !seen.is_done {
                        return Ok(End::Paused);
                    }
                    if seen.calendar {
                        sweeps = SWEEPS_AFTER_PUBLICATION;
                    }
                    at = page.position;
                    unsaved += page.events.len();
                    if unsaved < EVENTS_PER_BOOKMARK && saved_last.elapsed() < BOOKMARK_AT_THE_LATEST {
                        continue;
                    }
                    if !self.save(at).await? {
                        return Ok(End::Lost);
                    }
                    (saved, saved_last, unsaved) = (at, Instant::now(), 0);
                }
                Next::Quiet => {
                    if !self.save(at).await? {
                        return Ok(End::Lost);
                    }
                    (saved, saved_last, unsaved) = (at, Instant::now(), 0);
                    if sweeps > 0 {
                        sweeps -= 1;
                        adopt_calendar::sweep(self.bureau, self.provisional, self.lane, self.clock.now()).await?;
                    }
                }
                Next::ShutDown => {
                    self.save(at).await?;
                    return Ok(End::Paused);
                }
            }
        }
    }

    async fn next(&self, log: &mut dyn Follow, shutdown: &mut Shutdown, is_busy: bool) -> Result<Next, CommandError> {
        tokio::select! {
            biased;
            () = shut_down(shutdown) => Ok(Next::ShutDown),
            page = log.next(EVENTS_PER_PAGE) => Ok(Next::Page(page?)),
            () = tokio::time::sleep(QUIET), if is_busy => Ok(Next::Quiet),
        }
    }

    /// Saves the bookmark; false, if the lane is somebody else's by now.
    async fn save(&self, at: Option<Position>) -> Result<bool, CommandError> {
        let Some(at) = at else { return Ok(true) };
        Ok(self.bookmarks.save(BOOKMARK, at).await.map_err(outside)?)
    }
}

fn outside(cause: OutsideError) -> FailedCause {
    FailedCause::Outside(cause.0)
}

/// Why a walk ended.
enum End {
    /// The program shuts down.
    Paused,
    /// The lane is somebody else's.
    Lost,
}

enum Next {
    Page(Page),
    Quiet,
    ShutDown,
}

/// What came of a page.
struct Seen {
    /// Everything in it was reacted to.
    is_done: bool,
    /// A calendar was published in it.
    calendar: bool,
}

fn filter() -> Filter {
    let own = [number_sequence::CATEGORY, calendar_publication::CATEGORY];
    Filter::prefixes(CATEGORIES.iter().chain(&own).map(|category| format!("{category}-")))
}

async fn react(
    bureau: &Bureau,
    lane: Lane,
    page: &Page,
    folds: &mut Folds,
    now: DateTime<Utc>,
    shutdown: &Shutdown,
) -> Result<Seen, CommandError> {
    let mut errands = Vec::new();
    let mut calendar = false;
    for event in &page.events {
        if event.name.starts_with(IMPORTED) {
            continue;
        }
        if event.stream.category() == calendar_publication::CATEGORY {
            bureau.refresh_rules().await?;
            calendar = true;
            continue;
        }
        if !lane.has(&event.stream) {
            continue;
        }
        match errands_of(bureau, event, folds, now).await {
            Ok(more) => errands.extend(more),
            Err(Unreacted::ForNow(cause)) => return Err(cause),
            Err(Unreacted::ForEver(reaction, reason)) => {
                if !record_failure(bureau, reaction, event.id, event.stream.as_str(), &reason, now).await {
                    return Ok(Seen {
                        is_done: false,
                        calendar,
                    });
                }
            }
        }
    }
    let is_done = do_all(bureau, errands, shutdown).await;
    Ok(Seen { is_done, calendar })
}

/// Why there is no reaction to an event.
enum Unreacted {
    /// Asked again from the bookmark.
    ForNow(CommandError),
    /// It cannot be read, or names what is not there.
    ForEver(&'static str, String),
}

async fn errands_of(
    bureau: &Bureau,
    event: &RecordedEvent,
    folds: &mut Folds,
    now: DateTime<Utc>,
) -> Result<Vec<Errand>, Unreacted> {
    let poisoned = |reaction| move |cause: &dyn std::fmt::Display| Unreacted::ForEver(reaction, cause.to_string());
    let metadata = read_metadata(event).map_err(|cause| poisoned("read")(&cause))?;
    if event.stream.category() == number_sequence::CATEGORY {
        let errand = assign_number::react(event, &metadata, now).map_err(|cause| poisoned(assign_number::NAME)(&cause))?;
        return Ok(vec![errand]);
    }
    let case = folds.after(bureau, event).await.map_err(|cause| match cause {
        CommandError::Failed(FailedCause::Unreadable { .. }) => poisoned("read")(&cause),
        cause => Unreacted::ForNow(cause),
    })?;
    let seen = CaseSeen {
        event,
        metadata: &metadata,
        case,
    };
    let mut errands = allocate_number::react(&seen, now).map_err(|cause| poisoned(allocate_number::NAME)(&cause))?;
    errands.extend(write_registers::react(&seen, now).map_err(|cause| poisoned(write_registers::NAME)(&cause))?);
    errands.extend(do_job::react(&seen, now).map_err(|cause| poisoned(do_job::NAME)(&cause))?);
    errands.extend(adopt_calendar::react(&seen, &bureau.rules(), now));
    Ok(errands)
}
