//! One thread of a load: folds its part of the streams and hands rows out in chunks.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use domain::rules::Rules;
use event_store_contract::{Position, RecordedEvent, StreamName};
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
const CHUNK_BYTES: usize = 256 * 1024;

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
    /// Which views could not take an event, in the order of the outlets.
    pub(super) stops: Vec<Option<Stop>>,
    pub(super) taken_back: Vec<(Uuid, Position)>,
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
    cases: Arc<AtomicU64>,
    rows: u64,
    taken_back: Vec<(Uuid, Position)>,
}

impl Folding {
    pub(super) fn new(
        views: Arc<Vec<Box<dyn View>>>,
        outlets: Vec<(usize, Vec<mpsc::Sender<Vec<u8>>>)>,
        cases: Arc<AtomicU64>,
    ) -> Self {
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
        Self {
            views,
            outlets,
            cases,
            rows: 0,
            taken_back: Vec::new(),
        }
    }

    /// Folds what it is given, and in the end writes the rows of all cases.
    pub(super) fn run(mut self, mut work: mpsc::Receiver<Work>) -> FoldedPart {
        let mut rules = Rules::embedded();
        let mut folds: HashMap<StreamName, Folded> = HashMap::new();
        while let Some(work) = work.blocking_recv() {
            match work {
                Work::Events(events) => self.fold(&mut folds, &events, &rules),
                Work::Rules(changed) => rules = changed,
                Work::WriteAll => {
                    for (stream, folded) in folds.drain() {
                        self.write_case(&stream, folded);
                    }
                    self.flush(0);
                }
            }
        }
        FoldedPart {
            rows: self.rows,
            stops: self.outlets.into_iter().map(|outlet| outlet.stop).collect(),
            taken_back: self.taken_back,
        }
    }

    fn fold(&mut self, folds: &mut HashMap<StreamName, Folded>, events: &[RecordedEvent], rules: &Rules) {
        let has_events = self.outlets.iter().any(|outlet| outlet.has_events);
        for event in events {
            if !folds.contains_key(&event.stream) {
                let Some((case, id)) = case_of(&event.stream) else { continue };
                // No hashes of rows: nothing is written twice here.
                folds.insert(event.stream.clone(), Folded::new(case, id, rules, 0));
                self.cases.fetch_add(1, Ordering::Relaxed);
            }
            let Some(folded) = folds.get_mut(&event.stream) else {
                continue;
            };
            folded.apply(event);
            folded.under(rules);
            if is_rollback(event) {
                self.taken_back.push((folded.seen.id, event.position));
            } else if has_events {
                self.write_event(folded, event);
            }
        }
        self.flush(CHUNK_BYTES);
    }

    fn write_event(&mut self, folded: &Folded, event: &RecordedEvent) {
        let seen_event = SeenEvent::new(event);
        for outlet in self
            .outlets
            .iter_mut()
            .filter(|outlet| outlet.has_events && outlet.stop.is_none())
        {
            let written = self.views[outlet.view].event_rows(&folded.seen, &seen_event, &folded.rules, &mut outlet.rows);
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
                self.rows += rows.count as u64;
                rows.count = 0;
                let chunk = std::mem::replace(&mut rows.bytes, Vec::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 4));
                // A copy that failed has closed its end, and tells why itself.
                let _ = table.blocking_send(chunk);
            }
        }
    }
}
