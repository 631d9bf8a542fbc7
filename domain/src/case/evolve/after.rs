//! 容缺补齐, 承诺核查, 好差评, 督办, 数据更正, 换用新历.

use super::{
    super::{
        events::Event,
        state::{Kernel, Rating, Supervision},
    },
    put,
};

pub(super) fn fold(case: &mut Kernel, event: &Event) -> bool {
    match event {
        Event::ToleranceMaterialSupplied { material, on } => {
            put(&mut case.materials, material.clone());
            if let Some(tolerance) = case
                .tolerance
                .iter_mut()
                .find(|tolerance| tolerance.promised.code == material.code)
            {
                tolerance.supplied_on = Some(*on);
            }
        }
        Event::ToleranceDefaulted { code, .. } => {
            if let Some(tolerance) = case.tolerance.iter_mut().find(|tolerance| tolerance.promised.code == *code) {
                tolerance.defaulted = true;
            }
        }
        Event::CommitmentVerified { kept, .. } => {
            if let Some(commitment) = case.commitment.as_mut() {
                commitment.verified_kept = Some(*kept);
            }
        }
        Event::CommitmentBreached {
            false_commitment,
            rectify_due_on,
            ..
        } => {
            if let Some(commitment) = case.commitment.as_mut() {
                commitment.breached = true;
                commitment.false_commitment = *false_commitment;
                commitment.rectify_due_on = *rectify_due_on;
            }
        }
        Event::CommitmentRectified { on, .. } => {
            if let Some(commitment) = case.commitment.as_mut() {
                commitment.rectified_on = Some(*on);
            }
        }
        Event::WarningRaised { level, limit, on } => case.warnings.push((*level, *limit, *on)),
        Event::OverdueRaised { limit, on, .. } => case.overdue.push((*limit, *on)),
        Event::Supervised {
            by,
            opinion,
            reply_due_on,
            on,
        } => {
            case.supervisions.push(Supervision {
                by: by.clone(),
                opinion: opinion.clone(),
                on: *on,
                reply_due_on: *reply_due_on,
                reply: None,
            });
        }
        Event::SupervisionAnswered { reply, .. } => {
            if let Some(supervision) = case.supervisions.iter_mut().find(|supervision| supervision.reply.is_none()) {
                supervision.reply = Some(reply.clone());
            }
        }
        Event::SatisfactionRated { grade, on, .. } => {
            case.rating = Some(Rating {
                grade: *grade,
                on: *on,
                handled_on: None,
            });
        }
        Event::BadReviewHandled { closed_on, .. } => {
            if let Some(rating) = case.rating.as_mut() {
                rating.handled_on = Some(*closed_on);
            }
        }
        Event::DataCorrected { path, new, .. } => {
            case.corrections_of_data += 1;
            case.read_differently(path, new);
        }
        Event::CalendarAdopted { edition, .. } => case.calendar_edition.clone_from(edition),
        _ => return false,
    }
    true
}
