//! Takes a batch back: every case of it that nobody has worked on since is as if it had never been imported.

use std::{collections::BTreeSet, num::NonZeroUsize};

use domain::{case, case_types::CATEGORIES};
use event_store_contract::{Filter, MAX_EVENTS_PER_READ};
use serde::Deserialize;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::batch::{BatchEvent, DEFAULT_CONCURRENCY, Order, generation, note, persist};
use crate::{
    bureau::Bureau,
    envelope::{CommandError, Envelope, FailedCause, Receipt},
    outside::Clock,
};

/// What became of a rollback.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct RollbackReport {
    /// The batch.
    pub batch: String,
    /// Cases taken back by this run.
    pub cases_rolled_back: u64,
    /// Cases that stay, and why: somebody worked on them since.
    pub kept: Vec<(Uuid, String)>,
}

/// Takes a batch back. Can be run again after it was stopped.
pub async fn roll_back(
    bureau: &Bureau,
    batch: &str,
    reason: &str,
    operator: &str,
    clock: &dyn Clock,
) -> Result<RollbackReport, CommandError> {
    let order = Order {
        batch: batch.to_owned(),
        category: String::new(),
        item_code: String::new(),
        region: "000000".to_owned(),
        operator: operator.to_owned(),
        dry_run: false,
        concurrency: DEFAULT_CONCURRENCY,
    };
    let (name, reason) = (batch.to_owned(), reason.to_owned());
    note(
        bureau,
        &order,
        clock,
        BatchEvent::RollbackStarted {
            batch: name,
            reason: reason.clone(),
        },
    )
    .await?;
    let generation = generation(bureau, batch).await?;
    let base = Uuid::new_v5(
        &Uuid::NAMESPACE_URL,
        format!("zhulu:rollback:{batch}:{generation}").as_bytes(),
    );
    let mut report = RollbackReport {
        batch: batch.to_owned(),
        ..RollbackReport::default()
    };
    let mut under_way: JoinSet<(Uuid, Result<Receipt, CommandError>)> = JoinSet::new();
    for (category, case_id) in cases_of(bureau, batch).await? {
        let mut envelope = Envelope::new(
            Uuid::new_v5(&base, case_id.as_bytes()),
            order.actor(),
            order.region.clone(),
            clock.now(),
        );
        envelope.correlation_id = Some(base);
        let command = case::Command::RollBackImport {
            batch: batch.to_owned(),
            reason: reason.clone(),
        };
        let bureau = bureau.clone();
        under_way.spawn(async move { (case_id, persist(&bureau, &category, case_id, command, &envelope).await) });
        take(&mut report, &mut under_way, order.concurrency).await?;
    }
    take(&mut report, &mut under_way, NonZeroUsize::MIN).await?;
    report.kept.sort();
    let (batch, cases, kept) = (batch.to_owned(), report.cases_rolled_back, report.kept.len() as u64);
    note(bureau, &order, clock, BatchEvent::BatchRolledBack { batch, cases, kept }).await?;
    Ok(report)
}

/// Waits until fewer than `below` are under way.
async fn take(
    report: &mut RollbackReport,
    under_way: &mut JoinSet<(Uuid, Result<Receipt, CommandError>)>,
    below: NonZeroUsize,
) -> Result<(), CommandError> {
    while under_way.len() >= below.get() {
        let Some(done) = under_way.join_next().await else { break };
        let (case_id, outcome) = done.map_err(|cause| FailedCause::Outside(format!("a rollback's task was stopped: {cause}")))?;
        match outcome {
            Ok(Receipt { position: Some(_), .. }) => report.cases_rolled_back += 1,
            Ok(_) => {}
            Err(CommandError::Rejected(refusal)) => report.kept.push((case_id, refusal.message_en)),
            Err(cause) => return Err(cause),
        }
    }
    Ok(())
}

/// The cases that the log says belong to the batch now. Read from the log itself, so none can be forgotten, whenever an
/// import was killed.
async fn cases_of(bureau: &Bureau, batch: &str) -> Result<BTreeSet<(String, Uuid)>, CommandError> {
    #[derive(Deserialize)]
    struct OfBatch {
        batch: String,
    }
    let filter = Filter::prefixes(CATEGORIES.iter().map(|category| format!("{category}-")));
    let mut cases = BTreeSet::new();
    let mut after = None;
    loop {
        let page = bureau.store().read_all(after, MAX_EVENTS_PER_READ, &filter).await?;
        for event in &page.events {
            if !matches!(&*event.name, "ImportedCaseOpened" | "ImportRolledBack") {
                continue;
            }
            let of: OfBatch = serde_json::from_slice(&event.data).map_err(|cause| FailedCause::Unreadable {
                stream: event.stream.clone(),
                revision: event.revision,
                reason: cause.to_string(),
            })?;
            let Ok(case_id) = event.stream.id().parse() else { continue };
            let case = (event.stream.category().to_owned(), case_id);
            if of.batch == batch && &*event.name == "ImportedCaseOpened" {
                cases.insert(case);
            } else {
                cases.remove(&case);
            }
        }
        if page.end {
            return Ok(cases);
        }
        after = page.position;
    }
}
