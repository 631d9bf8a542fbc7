//! From a batch of events to rows: fold the cases that they touch, once, and let every view derive from the folds.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hasher},
    sync::Arc,
};

use domain::{case::Stage, rules::Rules};
use event_store_contract::{Direction, EventStore, MAX_EVENTS_PER_READ, Position, RecordedEvent, StoreError, StreamName};
use futures_util::{StreamExt, TryStreamExt, stream};
use lru::LruCache;
use uuid::Uuid;

use crate::{
    fold::{Folded, case_of, changed_rules, is_rollback, is_rule_change},
    handle::CaseChange,
    rows::Rows,
    status::Stop,
    view::{RowsOf, SeenEvent, View},
    writing::Target,
};

/// How many bytes of events the kept folds may stand for; the next event of a kept case needs no reading. A fold takes
/// about three times as much memory.
#[cfg(not(test))]
const MAX_CACHED_BYTES: usize = 10 * 1024 * 1024;
/// So little in tests that cases are forgotten and read again.
#[cfg(test)]
const MAX_CACHED_BYTES: usize = 64 * 1024;
/// How many streams are read at once when cases are not cached.
const MAX_READS_AT_ONCE: usize = 16;
/// The view whose changes are told apart from others, for those who watch their worklist.
const WORKLIST: &str = "worklist";

/// What a batch means for one view.
#[derive(Debug, Default)]
pub(crate) struct Derived {
    /// The new rows, of cases and of events.
    pub(crate) rows: Rows,
    /// Cases whose earlier rows go.
    pub(crate) replaced: Vec<Uuid>,
    /// Cases that were taken back with their import, and where: rows of events up to there go.
    pub(crate) taken_back: Vec<(Uuid, Position)>,
    /// The event that the view could not take; nothing of this batch may then be written for it.
    pub(crate) stop: Option<Stop>,
}

/// Folds cases and derives rows, batch after batch, in log order.
pub(crate) struct Folder {
    store: Arc<dyn EventStore>,
    views: Arc<Vec<Box<dyn View>>>,
    rules: Rules,
    /// Counts the changes of the rules.
    epoch: u32,
    cases: LruCache<StreamName, Folded>,
    /// What the folds weigh together.
    bytes: usize,
}

impl Folder {
    /// Begins with the rules as they are before the first batch.
    pub(crate) fn new(store: Arc<dyn EventStore>, views: Arc<Vec<Box<dyn View>>>, rules: Rules) -> Self {
        Self {
            store,
            views,
            rules,
            epoch: 0,
            cases: LruCache::unbounded(),
            bytes: 0,
        }
    }

    /// Forgets the folds: what was derived from them was not written.
    pub(crate) fn forget(&mut self) {
        self.cases.clear();
        self.bytes = 0;
    }

    /// The rows of a batch for each of the targets, in their order, and what changed.
    pub(crate) async fn derive(
        &mut self,
        events: &[RecordedEvent],
        targets: &[Target],
    ) -> Result<(Vec<Derived>, Vec<CaseChange>), StoreError> {
        self.load_missing(events).await?;
        let views = self.views.clone();
        let mut derived: Vec<Derived> = targets
            .iter()
            .map(|target| Derived {
                rows: Rows::new(self.views[target.view].tables().len()),
                ..Derived::default()
            })
            .collect();
        let mut touched: Vec<Touched> = Vec::new();
        let mut known: HashSet<StreamName> = HashSet::new();
        for event in events {
            if is_rule_change(event) {
                self.rules = changed_rules(&self.rules, event);
                self.epoch += 1;
                continue;
            }
            let Some((folded, said)) = self.fold(event) else { continue };
            if is_rollback(event) {
                for (_, derived) in targets
                    .iter()
                    .zip(&mut derived)
                    .filter(|(target, _)| event.position > target.position)
                {
                    derived.taken_back.push((folded.seen.id, event.position));
                }
            } else {
                event_rows(&views, folded, &SeenEvent::new(event, said), targets, &mut derived);
            }
            if known.insert(event.stream.clone()) {
                touched.push(Touched {
                    stream: event.stream.clone(),
                    born_at: (event.revision == 0).then_some(event.position),
                });
            }
        }
        let mut changes = Vec::with_capacity(touched.len());
        for touched in &touched {
            let Some(folded) = self.cases.get_mut(&touched.stream) else {
                continue;
            };
            folded.settle();
            let worklist = case_rows(&views, folded, touched, targets, &mut derived);
            changes.push(change(folded, worklist));
        }
        self.make_room();
        Ok((derived, changes))
    }

    /// Folds an event into its case; none, if it is no case's.
    fn fold(&mut self, event: &RecordedEvent) -> Option<(&Folded, Option<(String, String)>)> {
        if !self.cases.contains(&event.stream) {
            let (case, id) = case_of(&event.stream)?;
            self.cases.put(
                event.stream.clone(),
                Folded::new(case, id, &self.rules, self.epoch, self.views.len()),
            );
        }
        let folded = self.cases.get_mut(&event.stream)?;
        let said = folded.apply_and_say(event);
        folded.under(&self.rules, self.epoch);
        self.bytes += event.data.len();
        Some((folded, said))
    }

    /// Folds from the store what the batch needs and is not cached: each case up to its first event in the batch.
    async fn load_missing(&mut self, events: &[RecordedEvent]) -> Result<(), StoreError> {
        let mut looked_at = HashSet::new();
        let mut missing = Vec::new();
        for event in events {
            if is_rule_change(event) || !looked_at.insert(&event.stream) {
                continue;
            }
            match self.cases.peek(&event.stream) {
                Some(folded) if folded.seen.revision + 1 == event.revision => continue,
                Some(_) => {
                    let gone = self.cases.pop(&event.stream);
                    self.bytes = self.bytes.saturating_sub(gone.map_or(0, |folded| folded.bytes));
                }
                None => {}
            }
            if event.revision > 0 {
                missing.push((event.stream.clone(), event.revision));
            }
        }
        let (store, rules, epoch, views) = (&self.store, &self.rules, self.epoch, self.views.len());
        let loaded: Vec<Option<(StreamName, Folded)>> = stream::iter(missing)
            .map(|(stream, below)| async move { load(store, rules, epoch, views, stream, below).await })
            .buffer_unordered(MAX_READS_AT_ONCE)
            .try_collect()
            .await?;
        for (stream, folded) in loaded.into_iter().flatten() {
            self.bytes += folded.bytes;
            self.cases.put(stream, folded);
        }
        Ok(())
    }

    /// Forgets the cases that were not touched for the longest time.
    fn make_room(&mut self) {
        while self.bytes > MAX_CACHED_BYTES {
            let Some((_, folded)) = self.cases.pop_lru() else { return };
            self.bytes = self.bytes.saturating_sub(folded.bytes);
        }
    }
}

/// A case that a batch touches.
struct Touched {
    stream: StreamName,
    /// Where its first event is, if that is in the batch: a view that has not seen it has no rows of the case.
    born_at: Option<Position>,
}

/// Folds a stream from the store, up to but without a revision.
async fn load(
    store: &Arc<dyn EventStore>,
    rules: &Rules,
    epoch: u32,
    views: usize,
    stream: StreamName,
    below: u64,
) -> Result<Option<(StreamName, Folded)>, StoreError> {
    let Some((case, id)) = case_of(&stream) else { return Ok(None) };
    let mut folded = Folded::new(case, id, rules, epoch, views);
    let mut from = 0;
    while from < below {
        let limit = usize::try_from(below - from)
            .unwrap_or(MAX_EVENTS_PER_READ)
            .min(MAX_EVENTS_PER_READ);
        let events = store.read_stream(&stream, from, Direction::Forwards, limit).await?;
        if events.is_empty() {
            break;
        }
        for event in &events {
            folded.apply(event);
        }
        from += events.len() as u64;
    }
    Ok(Some((stream, folded)))
}

/// The rows of one event, for each target that has not seen it.
fn event_rows(views: &[Box<dyn View>], folded: &Folded, seen: &SeenEvent<'_>, targets: &[Target], derived: &mut [Derived]) {
    let event = seen.recorded;
    for (target, derived) in targets.iter().zip(derived) {
        let view = &views[target.view];
        let has_events = view.tables().iter().any(|table| table.rows_of == RowsOf::Event);
        if !has_events || derived.stop.is_some() || event.position <= target.position {
            continue;
        }
        if let Err(cause) = view.event_rows(&folded.seen, seen, &folded.rules, &mut derived.rows) {
            derived.stop = Some(Stop {
                event_id: event.id,
                stream: event.stream.to_string(),
                revision: event.revision,
                position: event.position,
                reason: cause.to_string(),
            });
        }
    }
}

/// The rows of a case, for each target that has not seen its last event; whether its tasks changed.
fn case_rows(
    views: &[Box<dyn View>],
    folded: &mut Folded,
    touched: &Touched,
    targets: &[Target],
    derived: &mut [Derived],
) -> bool {
    let mut worklist = false;
    for (target, derived) in targets.iter().zip(derived) {
        if derived.stop.is_some() || folded.seen.position <= target.position {
            continue;
        }
        let view = &views[target.view];
        let mark = derived.rows.mark();
        if folded.seen.is_shown()
            && let Err(cause) = view.rows(&folded.seen, &folded.rules, &mut derived.rows)
        {
            derived.rows.back_to(&mark);
            derived.stop = Some(stop_of(folded, &touched.stream, cause.to_string()));
            continue;
        }
        let hash = hash_since(&derived.rows, &mark);
        if folded.rows_hashes[target.view] == Some(hash) {
            derived.rows.back_to(&mark);
            continue;
        }
        folded.rows_hashes[target.view] = Some(hash);
        worklist |= target.name == WORKLIST;
        if touched.born_at.is_none_or(|born_at| born_at <= target.position) {
            derived.replaced.push(folded.seen.id);
        }
    }
    worklist
}

/// The event to name when a view cannot show a case: the unreadable one, or its last.
pub(crate) fn stop_of(folded: &Folded, stream: &StreamName, reason: String) -> Stop {
    let stream = stream.to_string();
    match &folded.seen.unreadable {
        Some(unreadable) => Stop {
            event_id: unreadable.event_id,
            stream,
            revision: unreadable.revision,
            position: unreadable.position,
            reason,
        },
        None => Stop {
            event_id: folded.last_event_id,
            stream,
            revision: folded.seen.revision,
            position: folded.seen.position,
            reason,
        },
    }
}

fn hash_since(rows: &Rows, mark: &[(usize, usize)]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (table, (_, from)) in rows.tables.iter().zip(mark) {
        hasher.write(&table.bytes[*from..]);
        hasher.write_u8(0);
    }
    hasher.finish()
}

fn change(folded: &Folded, worklist: bool) -> CaseChange {
    let seen = &folded.seen;
    let stage: Stage = seen.case.kernel().stage;
    CaseChange {
        case_id: seen.id,
        category: seen.category,
        revision: seen.revision,
        position: seen.position,
        stage,
        worklist,
    }
}
