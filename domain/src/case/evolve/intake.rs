//! 接件, 补正, 受理.

use chrono::NaiveDate;

use super::{
    super::{
        events::{AcceptanceMode, Event, NotAcceptedKind, Tolerated},
        state::{Acceptance, Commitment, Correction, Kernel, Stage, Tolerance},
    },
    enter, put,
};

#[allow(clippy::too_many_lines, reason = "a table: one arm for each event")]
pub(super) fn fold(case: &mut Kernel, event: &Event) -> bool {
    match event {
        Event::NumberAssigned { kind, number, wanted_by } => {
            case.numbers.insert(*kind, number.clone());
            case.numbered.insert((*wanted_by, *kind));
        }
        Event::MaterialAttached { material, .. } => put(&mut case.materials, material.clone()),
        Event::MaterialRejected { code, .. } => case.materials.retain(|material| material.code != *code),
        Event::CorrectionNotified {
            gaps,
            notified_on,
            reply_due_on,
            ..
        } => {
            case.correction = Some(Correction {
                gaps: gaps.clone(),
                notified_on: *notified_on,
                reply_due_on: *reply_due_on,
                supplied_on: None,
                supplied: Vec::new(),
            });
            enter(case, Stage::AwaitingCorrection, *notified_on);
        }
        Event::CorrectionSupplied { materials, on } => {
            for material in materials {
                put(&mut case.materials, material.clone());
            }
            if let Some(correction) = case.correction.as_mut() {
                correction.supplied_on = Some(*on);
                correction.supplied = materials.iter().map(|material| material.code.clone()).collect();
            }
            enter(case, Stage::Received, *on);
        }
        Event::CorrectionLapsed { due_on } => enter(case, Stage::Withdrawn, *due_on),
        Event::ApplicationAccepted {
            mode,
            accepted_on,
            statutory,
            promised,
            tolerance,
            commitment,
        } => {
            case.acceptance = Some(Acceptance {
                mode: *mode,
                accepted_on: *accepted_on,
                clock_start_on: *accepted_on,
                deemed: false,
                statutory: *statutory,
                promised: *promised,
            });
            let promise = |promised: &Tolerated| Tolerance {
                promised: promised.clone(),
                supplied_on: None,
                defaulted: false,
            };
            case.tolerance = tolerance.iter().map(promise).collect();
            if *mode == AcceptanceMode::Commitment {
                case.commitment = Some(Commitment {
                    document: commitment.clone(),
                    verified_kept: None,
                    breached: false,
                    false_commitment: false,
                    rectify_due_on: None,
                    rectified_on: None,
                });
            }
            enter_accepted(case, *accepted_on);
        }
        Event::DeemedAccepted {
            receipt_on,
            statutory,
            promised,
        } => {
            case.acceptance = Some(Acceptance {
                mode: AcceptanceMode::Normal,
                accepted_on: *receipt_on,
                clock_start_on: *receipt_on,
                deemed: true,
                statutory: *statutory,
                promised: *promised,
            });
            enter_accepted(case, *receipt_on);
        }
        Event::NotAccepted { kind, reason, on, .. } => {
            case.not_accepted = Some((*on, reason.clone()));
            let stage = match kind {
                NotAcceptedKind::NotRequired => Stage::NotRequired,
                NotAcceptedKind::OutOfScope => Stage::OutOfScope,
            };
            enter(case, stage, *on);
        }
        _ => return false,
    }
    true
}

/// An accepted case whose handler was named before is under review at once.
fn enter_accepted(case: &mut Kernel, on: NaiveDate) {
    let stage = if case.handler.is_some() {
        Stage::UnderReview
    } else {
        Stage::Accepted
    };
    enter(case, stage, on);
}
