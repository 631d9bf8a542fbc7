//! The load: read the log in large pages, fold it in several threads, copy the rows into empty tables.
//!
//! Memory is bounded: a thread that holds too much writes the rows of the case that it has not seen for the longest
//! time and forgets it. If that case goes on after all, it is read again as a whole at the end; of real cases few do.

use std::sync::Arc;

use event_store_contract::{Position, StreamName};
use tokio::{sync::mpsc, task::JoinHandle};
use uuid::Uuid;

use super::{
    Building, Tell,
    copying::{Onto, bulk_session, copy, remove_cases, remove_taken_back},
    folding::{FoldedPart, Folding, Work},
    reading::{read_log, read_streams},
};
use crate::{
    handle::{Inner, ProjectionError},
    status::Stop,
};

/// Threads that fold, each a part of the streams. Decoding is most of the work; PostgreSQL has the rest of the machine.
const FOLDING_THREADS: usize = 2;
/// How many pages may wait for a folding thread.
const PAGES_AHEAD: usize = 4;
/// How many chunks of rows may wait for PostgreSQL, for each table.
const CHUNKS_AHEAD: usize = 4;

/// What a load did.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) events: u64,
    pub(super) cases: u64,
    pub(super) rows: u64,
    pub(super) position: Position,
}

/// Fills the tables of these generations with everything up to about the head.
pub(super) async fn load(
    inner: &Arc<Inner>,
    building: &mut [Building],
    head: Position,
    tell: &Tell,
) -> Result<Loaded, ProjectionError> {
    let workshop = Workshop::open(inner, building, Onto::Nothing).await?;
    let reading = read_log(inner, &workshop.senders, head, tell).await;
    let done = workshop.close(building, reading.is_ok()).await;
    let (reading, mut done) = (reading?, done?);
    let cases = done.cases;
    if !done.late.is_empty() {
        let ids: Vec<Uuid> = done.late.iter().filter_map(|stream| stream.id().parse().ok()).collect();
        remove_cases(inner, building, &ids).await?;
        let workshop = Workshop::open(inner, building, Onto::Rows).await?;
        let late = std::mem::take(&mut done.late);
        let read = read_streams(inner, &workshop.senders, late, reading.position, &reading.rules).await;
        let again = workshop.close(building, read.is_ok()).await;
        read?;
        let again = again?;
        done.rows += again.rows;
        done.taken_back.extend(again.taken_back);
    }
    remove_taken_back(inner, building, &done.taken_back).await?;
    Ok(Loaded {
        events: reading.events,
        cases,
        rows: done.rows,
        position: reading.position,
    })
}

/// Threads that fold, and the copies that their rows go to.
struct Workshop {
    senders: Vec<mpsc::Sender<Work>>,
    threads: Vec<JoinHandle<FoldedPart>>,
    copies: Vec<JoinHandle<Result<(), ProjectionError>>>,
}

/// What all threads did together.
struct Done {
    rows: u64,
    cases: u64,
    taken_back: Vec<(Uuid, Position)>,
    late: Vec<StreamName>,
}

impl Workshop {
    async fn open(inner: &Arc<Inner>, building: &[Building], onto: Onto) -> Result<Self, ProjectionError> {
        let mut workshop = Self {
            senders: Vec::new(),
            threads: Vec::new(),
            copies: Vec::new(),
        };
        // One copy for each table, which all threads share: so it can be made in one transaction with the table's file.
        let mut outlets = Vec::new();
        for view in building {
            let mut tables = Vec::new();
            for shape in view.target.shapes.iter() {
                let (outlet, chunks) = mpsc::channel(CHUNKS_AHEAD);
                tables.push(outlet);
                let table = format!("{}.{}", view.target.schema, shape.table.name);
                workshop
                    .copies
                    .push(tokio::spawn(copy(bulk_session(inner).await?, table, onto, chunks)));
            }
            outlets.push((view.target.view, tables));
        }
        for _ in 0..FOLDING_THREADS {
            let (sender, receiver) = mpsc::channel(PAGES_AHEAD);
            let folding = Folding::new(inner.views.clone(), outlets.clone());
            workshop.senders.push(sender);
            workshop
                .threads
                .push(tokio::task::spawn_blocking(move || folding.run(receiver)));
        }
        Ok(workshop)
    }

    /// Has the rows of all cases written, if everything was read, and waits until they are.
    async fn close(self, building: &mut [Building], all_was_read: bool) -> Result<Done, ProjectionError> {
        for sender in self.senders.iter().filter(|_| all_was_read) {
            // A thread that ended early is found below.
            let _ = sender.send(Work::WriteAll).await;
        }
        drop(self.senders);
        let mut done = Done {
            rows: 0,
            cases: 0,
            taken_back: Vec::new(),
            late: Vec::new(),
        };
        let mut stops: Vec<Option<Stop>> = vec![None; building.len()];
        for thread in self.threads {
            let folded = thread.await.map_err(|cause| ProjectionError::BrokenOff(cause.to_string()))?;
            done.rows += folded.rows;
            done.cases += folded.cases;
            done.taken_back.extend(folded.taken_back);
            done.late.extend(folded.late);
            for (known, stop) in stops.iter_mut().zip(folded.stops) {
                *known = known.take().or(stop);
            }
        }
        let mut copied = Ok(());
        for copy in self.copies {
            let result = copy.await.map_err(|cause| ProjectionError::BrokenOff(cause.to_string()))?;
            copied = copied.and(result);
        }
        copied?;
        for (view, stop) in building.iter_mut().zip(stops) {
            view.stop = view.stop.take().or(stop);
        }
        Ok(done)
    }
}
