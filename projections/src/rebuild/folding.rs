//! One thread of a load: folds its part of the streams and hands rows out in chunks.

use std::{collections::HashSet, sync::Arc};

use domain::rules::Rules;
use event_store_contract::{Position, RecordedEvent, StreamName};
use lru::LruCache;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::{
    derive::stop_of,
    fold::{Folded, case_of, is_rollback},
    rows::Rows,
    status::Stop,
    view::{RowsOf, SeenEvent, View},
};

/// How many bytes of rows are handed on at once.
const CHUNK_BYTES: usize = 64 * 1024;
/// How many bytes of events the folds of one thread may stand for. A fold takes about three times as much memory.
#[cfg(not(test))]
const MAX_FOLDED_BYTES: usize = 24 * 1024 * 1024;
/// So little in tests that cases are forgotten and come back.
#[cfg(test)]
const MAX_FOLDED_BYTES: usize = 16 * 1024;

/// What a folding thread is given.
pub(super) enum Work {
    /// Events of its streams, in log order.
    Events(Vec<RecordedEvent>),
    /// The rules changed here.
    Rules(Rules),
    /// That was all: write the rows of the cases.
    WriteAll,
}

/// What a folding thread did.
pub(super) struct FoldedPart {
    pub(super) rows: u64,
    pub(super) cases: u64,
    /// Which views could not take an event, in the order of the outlets.
    pub(super) stops: Vec<Option<Stop>>,
    pub(super) taken_back: Vec<(Uuid, Position)>,
    /// Cases that went on after their rows were written: they are to be read again, as a whole.
    pub(super) late: HashSet<StreamName>,
}

/// Where the rows of one view go.
struct Outlet {
    view: usize,
    has_events: bool,
    rows: Rows,
    tables: Vec<mpsc::Sender<Vec<u8>>>,
    stop: Option<Stop>,
}

/// One thread of a load.
pub(super) struct Folding {
    views: Arc<Vec<Box<dyn View>>>,
    outlets: Vec<Outlet>,
    folds: LruCache<StreamName, Folded>,
    /// What the folds weigh together.
    bytes: usize,
    /// Cases whose rows were written to make room.
    written: HashSet<Uuid>,
    done: FoldedPart,
}

impl Folding {
    pub(super) fn new(views: Arc<Vec<Box<dyn View>>>, outlets: Vec<(usize, Vec<mpsc::Sender<Vec<u8>>>)>) -> Self {
        let outlets = outlets
            .into_iter()
            .map(|(view, tables)| Outlet {
                view,
                has_events: views[view].tables().iter().any(|table| table.rows_of == RowsOf::Event),
                rows: Rows::new(tables.len()),
                tables,
                stop: None,
            })
            .collect();
        let done = FoldedPart {
            rows: 0,
            cases: 0,
            stops: Vec::new(),
            taken_back: Vec::new(),
            late: HashSet::new(),
        };
        Self {
            views,
            outlets,
            folds: LruCache::unbounded(),
            bytes: 0,
            written: HashSet::new(),
            done,
        }
    }

    /// Folds what it is given, and in the end writes the rows of all cases.
    pub(super) fn run(mut self, mut work: mpsc::Receiver<Work>) -> FoldedPart {
        let mut rules = Rules::embedded();
        let mut epoch = 0;
        while let Some(work) = work.blocking_recv() {
            match work {
                Work::Events(events) => self.fold(&events, &rules, epoch),
                Work::Rules(changed) => {
                    rules = changed;
                    epoch += 1;
                }
                Work::WriteAll => {
                    while let Some((stream, folded)) = self.folds.pop_lru() {
                        self.write_case(&stream, folded);
                    }
                    self.flush(0);
                }
            }
        }
        self.done.stops = self.outlets.into_iter().map(|outlet| outlet.stop).collect();
        self.done
    }

    fn fold(&mut self, events: &[RecordedEvent], rules: &Rules, epoch: u32) {
        let has_events = self.outlets.iter().any(|outlet| outlet.has_events);
        for event in events {
            if !self.folds.contains(&event.stream) {
                let Some((case, id)) = case_of(&event.stream) else { continue };
                if self.written.contains(&id) {
                    self.done.late.insert(event.stream.clone());
                    continue;
                }
                // No hashes of rows: nothing is written twice here.
                self.folds.put(event.stream.clone(), Folded::new(case, id, rules, epoch, 0));
                self.done.cases += 1;
            }
            let Some(folded) = self.folds.get_mut(&event.stream) else {
                continue;
            };
            let said = if has_events {
                folded.apply_and_say(event)
            } else {
                folded.apply(event);
                None
            };
            folded.under(rules, epoch);
            self.bytes += event.data.len();
            if is_rollback(event) {
                self.done.taken_back.push((folded.seen.id, event.position));
            } else if has_events {
                write_event(&self.views, &mut self.outlets, folded, &SeenEvent::new(event, said));
            }
        }
        self.make_room();
        self.flush(CHUNK_BYTES);
    }

    /// Writes the rows of the cases that were not seen for the longest time, and forgets them.
    fn make_room(&mut self) {
        while self.bytes > MAX_FOLDED_BYTES {
            let Some((stream, folded)) = self.folds.pop_lru() else {
                return;
            };
            self.bytes = self.bytes.saturating_sub(folded.bytes);
            self.written.insert(folded.seen.id);
            self.write_case(&stream, folded);
        }
    }

    fn write_case(&mut self, stream: &StreamName, mut folded: Folded) {
        folded.settle();
        if !folded.seen.is_shown() {
            return;
        }
        for outlet in self.outlets.iter_mut().filter(|outlet| outlet.stop.is_none()) {
            let mark = outlet.rows.mark();
            if let Err(cause) = self.views[outlet.view].rows(&folded.seen, &folded.rules, &mut outlet.rows) {
                outlet.rows.back_to(&mark);
                outlet.stop = Some(stop_of(&folded, stream, cause.to_string()));
            }
        }
        self.flush(CHUNK_BYTES);
    }

    /// Hands on what is at least so large.
    fn flush(&mut self, at_least: usize) {
        for outlet in &mut self.outlets {
            for (rows, table) in outlet.rows.tables.iter_mut().zip(&outlet.tables) {
                if rows.bytes.is_empty() || rows.bytes.len() < at_least {
                    continue;
                }
                self.done.rows += rows.count as u64;
                rows.count = 0;
                let chunk = std::mem::replace(&mut rows.bytes, Vec::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 4));
                // A copy that failed has closed its end, and tells why itself.
                let _ = table.blocking_send(chunk);
            }
        }
    }
}

/// Writes the rows of one event.
fn write_event(views: &[Box<dyn View>], outlets: &mut [Outlet], folded: &Folded, seen: &SeenEvent<'_>) {
    let event = seen.recorded;
    for outlet in outlets.iter_mut().filter(|outlet| outlet.has_events && outlet.stop.is_none()) {
        let written = views[outlet.view].event_rows(&folded.seen, seen, &folded.rules, &mut outlet.rows);
        if let Err(cause) = written {
            outlet.stop = Some(Stop {
                event_id: event.id,
                stream: event.stream.to_string(),
                revision: event.revision,
                position: event.position,
                reason: cause.to_string(),
            });
        }
    }
}
