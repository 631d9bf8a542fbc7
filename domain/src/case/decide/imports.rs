//! Cases of former systems: brought in as they were, taken back as if they had never come.

use super::super::{Command, Event, Kernel, Rejection, Stage};
use super::{not_before, written};
use crate::{metadata::bureau_date, rules::Desk};

/// The most steps of one imported case.
pub(crate) const MAX_IMPORTED_STEPS: usize = 5_000;

pub(super) fn decide(case: &Kernel, command: &Command, desk: &Desk) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::ImportCase { .. } => import(case, command, desk),
        Command::RollBackImport { batch, reason } => {
            let Some(imported) = case.imported.as_ref().filter(|imported| imported.batch == *batch) else {
                return Err(Rejection::NotOfThisBatch { batch: batch.clone() });
            };
            if imported.rolled_back {
                return Ok(Vec::new());
            }
            if imported.worked_on {
                return Err(Rejection::WorkedOnSinceImport);
            }
            Ok(vec![Event::ImportRolledBack {
                batch: batch.clone(),
                reason: reason.clone(),
            }])
        }
        _ => Ok(Vec::new()),
    }
}

fn import(case: &Kernel, command: &Command, desk: &Desk) -> Result<Vec<Event>, Rejection> {
    let Command::ImportCase {
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
    } = command
    else {
        return Ok(Vec::new());
    };
    if let Some(imported) = case.imported.as_ref().filter(|_| case.stage != Stage::RolledBack) {
        if imported.batch == *batch && imported.legacy_id == *legacy_id {
            return Ok(Vec::new());
        }
        return Err(Rejection::AlreadyImported {
            legacy_id: imported.legacy_id.clone(),
            batch: imported.batch.clone(),
        });
    }
    written("batch", batch)?;
    written("legacy_id", legacy_id)?;
    if steps.len() > MAX_IMPORTED_STEPS {
        let reason = format!("at most {MAX_IMPORTED_STEPS} steps (最多 {MAX_IMPORTED_STEPS} 步)");
        return Err(Rejection::InvalidInput {
            field: "steps".to_owned(),
            reason,
        });
    }
    let submitted_on = bureau_date(*submitted_at);
    let latest = steps
        .iter()
        .map(|step| step.at)
        .chain(decision.iter().map(|decision| decision.at))
        .fold(*submitted_at, Ord::max);
    if latest > desk.now {
        return Err(Rejection::InTheFuture { on: bureau_date(latest) });
    }
    if let Some(decision) = decision {
        not_before("the decision", bureau_date(decision.at), "the submission", submitted_on)?;
    }
    let mut events = Vec::with_capacity(steps.len() + 2);
    events.push(Event::ImportedCaseOpened {
        batch: batch.clone(),
        source: source.clone(),
        legacy_id: legacy_id.clone(),
        item_code: item_code.clone(),
        region: desk.region.clone(),
        attributes: attributes.clone(),
        activity: activity.clone(),
        resource: resource.clone(),
        submitted_at: *submitted_at,
    });
    events.extend(steps.iter().map(|step| Event::ImportedStepRecorded {
        batch: batch.clone(),
        step: step.step,
        activity: step.activity.clone(),
        resource: step.resource.clone(),
        attributes: step.attributes.clone(),
        at: step.at,
    }));
    events.extend(decision.iter().map(|decision| Event::ImportedDecisionRecorded {
        batch: batch.clone(),
        granted: decision.granted,
        licence_no: decision.licence_no.clone(),
        at: decision.at,
    }));
    Ok(events)
}
