//! A batch carries rows through the same door as every other command, many at a time, so that one disk write carries them
//! together. It can be stopped anywhere and run again: what is there is left alone.

use std::{num::NonZeroUsize, time::Duration};

use domain::{
    case,
    metadata::{Actor, Channel},
};
use event_store_contract::StreamName;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{Found, ImportReport, ImportRow, MAX_RECORDED_REJECTS, MAX_ROWS_PER_IMPORT, Reject};
use crate::{
    bureau::Bureau,
    envelope::{CommandError, Envelope, FailedCause, Receipt},
    execute::metadata,
    outside::Clock,
    permission::MIGRATION,
};

/// The category of the streams of batches; the id is the batch's name.
pub const CATEGORY: &str = "importBatch";
/// How many rows are under way at once, unless the order says otherwise.
pub const DEFAULT_CONCURRENCY: NonZeroUsize = NonZeroUsize::new(256).unwrap();
/// How often a row is tried again when the store is not available, each time after a longer wait.
pub const MAX_TRIES: u32 = 8;
/// After how many rows the progress is told.
const ROWS_PER_PROGRESS: u64 = 500;

/// What is to be imported, as what, by whom.
#[derive(Debug, Clone)]
pub struct Order {
    /// The batch's name.
    pub batch: String,
    /// The stream category of the cases.
    pub category: String,
    /// The item of the catalogue that they are of.
    pub item_code: String,
    /// The administrative division that they belong to.
    pub region: String,
    /// Who imports them.
    pub operator: String,
    /// Writes nothing; says what would be written.
    pub dry_run: bool,
    /// How many rows are under way at once.
    pub concurrency: NonZeroUsize,
}

impl Order {
    /// The actor of an import: a person, through the channel of migration.
    pub(super) fn actor(&self) -> Actor {
        actor(&self.operator)
    }
}

pub(super) fn actor(operator: &str) -> Actor {
    Actor {
        id: operator.to_owned(),
        name: operator.to_owned(),
        role: MIGRATION.to_owned(),
        organisation: String::new(),
        channel: Channel::Migration,
        on_behalf_of: None,
    }
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportProgress {
    /// Rows read.
    pub rows: u64,
    /// Events written.
    pub events: u64,
}

/// What happens to a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields explain themselves")]
pub enum BatchEvent {
    BatchStarted {
        batch: String,
        category: String,
        item_code: String,
        region: String,
    },
    BatchFinished {
        report: ImportReport,
    },
    RollbackStarted {
        batch: String,
        reason: String,
    },
    BatchRolledBack {
        batch: String,
        cases: u64,
        kept: u64,
    },
}

/// The case that a former system's case becomes: the same one, however often it is imported.
pub fn case_id(source: &str, legacy_id: &str) -> Uuid {
    // The namespace is the UUID v5 of this name in the URL namespace.
    let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, b"zhulu:imported-case");
    Uuid::new_v5(&namespace, format!("{source}\n{legacy_id}").as_bytes())
}

/// Imports everything that a reader finds. Bad rows are reported and stop nothing; only a store that stays away does.
pub async fn run(
    bureau: &Bureau,
    rows: impl Iterator<Item = Found> + Send,
    order: &Order,
    clock: &dyn Clock,
    mut progress: impl FnMut(ImportProgress) + Send,
) -> Result<ImportReport, CommandError> {
    let generation = generation(bureau, &order.batch).await?;
    if !order.dry_run {
        let Order {
            batch,
            category,
            item_code,
            region,
            ..
        } = order.clone();
        note(
            bureau,
            order,
            clock,
            BatchEvent::BatchStarted {
                batch,
                category,
                item_code,
                region,
            },
        )
        .await?;
    }
    let mut report = ImportReport {
        batch: order.batch.clone(),
        dry_run: order.dry_run,
        ..ImportReport::default()
    };
    let mut under_way = JoinSet::new();
    for found in rows {
        report.rows_read += 1;
        match found {
            Found::Case(_) if report.rows_read > MAX_ROWS_PER_IMPORT => {
                report.reject(Reject {
                    line: 0,
                    reason: format!("an import has at most {MAX_ROWS_PER_IMPORT} rows; split the file"),
                });
                break;
            }
            Found::Case(row) => {
                under_way.spawn(import_row(
                    bureau.clone(),
                    row,
                    order.clone(),
                    envelope_of(order, clock, generation),
                ));
            }
            Found::Reject(reject) => report.reject(reject),
        }
        if under_way.len() >= order.concurrency.get()
            && let Some(done) = under_way.join_next().await
        {
            take(&mut report, done)?;
        }
        if report.rows_read.is_multiple_of(ROWS_PER_PROGRESS) {
            progress(ImportProgress {
                rows: report.rows_read,
                events: report.events_written,
            });
        }
    }
    while let Some(done) = under_way.join_next().await {
        take(&mut report, done)?;
    }
    report.rejected.sort();
    progress(ImportProgress {
        rows: report.rows_read,
        events: report.events_written,
    });
    if !order.dry_run {
        let mut kept = report.clone();
        kept.rejected.truncate(MAX_RECORDED_REJECTS);
        note(bureau, order, clock, BatchEvent::BatchFinished { report: kept }).await?;
    }
    Ok(report)
}

/// The envelope of a row, but for the command's id.
fn envelope_of(order: &Order, clock: &dyn Clock, generation: u64) -> Envelope {
    // Until the row is known, the id is that of the batch; the row's own is derived from it.
    let batch = Uuid::new_v5(
        &Uuid::NAMESPACE_URL,
        format!("zhulu:import:{}:{generation}", order.batch).as_bytes(),
    );
    Envelope::new(batch, order.actor(), order.region.clone(), clock.now())
}

/// What became of one row.
struct Imported {
    line: u64,
    sums: Vec<(String, i64)>,
    outcome: Result<Written, CommandError>,
}

/// What was written for a row, or would have been.
enum Written {
    Events(u64),
    AlreadyThere,
}

async fn import_row(bureau: Bureau, row: Box<ImportRow>, order: Order, mut envelope: Envelope) -> Imported {
    let ImportRow {
        line,
        source,
        legacy_id,
        attributes,
        submitted_at,
        activity,
        resource,
        steps,
        decision,
        sums,
    } = *row;
    let case_id = case_id(&source, &legacy_id);
    envelope.correlation_id = Some(envelope.command_id);
    envelope.command_id = Uuid::new_v5(&envelope.command_id, case_id.as_bytes());
    let Order {
        batch,
        category,
        item_code,
        dry_run,
        ..
    } = order;
    let command = case::Command::ImportCase {
        batch,
        source,
        legacy_id,
        item_code,
        attributes,
        submitted_at,
        activity,
        resource,
        steps,
        decision,
    };
    let outcome = if dry_run {
        bureau
            .rehearse(&category, case_id, command, &envelope)
            .await
            .map(|events| match events {
                0 => Written::AlreadyThere,
                events => Written::Events(events),
            })
    } else {
        persist(&bureau, &category, case_id, command, &envelope)
            .await
            .map(|receipt| match receipt {
                Receipt {
                    repeated: false,
                    position: Some(_),
                    event_ids,
                    ..
                } => Written::Events(event_ids.len() as u64),
                _ => Written::AlreadyThere,
            })
    };
    Imported { line, sums, outcome }
}

/// Sends a command again for as long as the reason why it was not done may pass, up to a limit.
pub(super) async fn persist(
    bureau: &Bureau,
    category: &str,
    case_id: Uuid,
    command: case::Command,
    envelope: &Envelope,
) -> Result<Receipt, CommandError> {
    let mut wait = Duration::from_millis(20);
    for _ in 1..MAX_TRIES {
        match bureau.to_any_case(category, case_id, command.clone(), envelope).await {
            Err(cause) if cause.is_passing() => tokio::time::sleep(wait).await,
            outcome => return outcome,
        }
        wait *= 2;
    }
    bureau.to_any_case(category, case_id, command, envelope).await
}

fn take(report: &mut ImportReport, done: Result<Imported, tokio::task::JoinError>) -> Result<(), CommandError> {
    let Imported { line, sums, outcome } =
        done.map_err(|cause| FailedCause::Outside(format!("a row's task was stopped: {cause}")))?;
    match outcome {
        Ok(Written::Events(events)) => {
            report.cases_written += 1;
            report.events_written += events;
            report.add(sums);
        }
        Ok(Written::AlreadyThere) => {
            report.already_there += 1;
            report.add(sums);
        }
        Err(CommandError::Rejected(refusal)) => report.reject(Reject {
            line,
            reason: refusal.message_en,
        }),
        Err(cause) => return Err(cause),
    }
    Ok(())
}

/// How often a rollback of the batch was begun: after that, the same rows are new commands.
pub(super) async fn generation(bureau: &Bureau, batch: &str) -> Result<u64, CommandError> {
    Ok(batch_events(bureau, batch)
        .await?
        .iter()
        .filter(|event| matches!(event, BatchEvent::RollbackStarted { .. }))
        .count() as u64)
}

/// What happened to a batch so far.
pub async fn batch_events(bureau: &Bureau, batch: &str) -> Result<Vec<BatchEvent>, CommandError> {
    let stream = stream_of(batch)?;
    let events = bureau.read_whole(&stream).await?;
    let read = events.iter().map(|event| {
        decider::stored::decode(&event.name, &event.data).map_err(|cause| FailedCause::Unreadable {
            stream: stream.clone(),
            revision: event.revision,
            reason: cause.to_string(),
        })
    });
    Ok(read.collect::<Result<_, _>>()?)
}

pub(super) async fn note(bureau: &Bureau, order: &Order, clock: &dyn Clock, event: BatchEvent) -> Result<(), CommandError> {
    let stream = stream_of(&order.batch)?;
    let (name, data) = decider::stored::encode(&event).map_err(|cause| FailedCause::Unwritable {
        stream: stream.clone(),
        reason: cause.to_string(),
    })?;
    let envelope = Envelope::new(Uuid::new_v4(), order.actor(), order.region.clone(), clock.now());
    bureau
        .record(
            &stream,
            envelope.event_id(0),
            &name,
            data,
            &metadata("Import", &envelope, &order.region),
        )
        .await?;
    Ok(())
}

pub(super) fn stream_of(batch: &str) -> Result<StreamName, FailedCause> {
    StreamName::of(CATEGORY, batch).map_err(|cause| FailedCause::Unknown(format!("{batch:?} is no name for a batch: {cause}")))
}
