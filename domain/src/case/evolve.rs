//! What each event of the kernel changes. Total: history cannot be refused.

use chrono::NaiveDate;

use super::{
    events::{AcceptanceMode, Event, Material},
    state::{
        Acceptance, Closing, Commitment, Correction, Decision, Extension, Imported, Kernel, Opinion, Pause, Rating, Signed,
        Stage, Supervision, Tolerance, Withdrawal,
    },
};
use crate::metadata::bureau_date;

/// Folds an event in. The arms follow the way of a case: in, through review, to the decision, after it.
pub(super) fn evolve(case: &mut Kernel, event: &Event) {
    let known =
        intake(case, event) || review(case, event) || decision(case, event) || after(case, event) || imported(case, event);
    debug_assert!(known, "an event that nobody folds: {event:?}");
    if !matches!(
        event,
        Event::ImportedCaseOpened { .. } | Event::ImportedStepRecorded { .. } | Event::ImportedDecisionRecorded { .. }
    ) {
        worked_on(case);
    }
}

/// Something was done to the case besides its import.
pub(super) fn worked_on(case: &mut Kernel) {
    if let Some(imported) = case.imported.as_mut().filter(|imported| !imported.rolled_back) {
        imported.worked_on = true;
    }
}

fn enter(case: &mut Kernel, stage: Stage, on: NaiveDate) {
    case.stage = stage;
    case.stage_since = Some(on);
    case.opinion_given_here = false;
}

fn put(materials: &mut Vec<Material>, material: &Material) {
    match materials.iter_mut().find(|held| held.code == material.code) {
        Some(held) => *held = material.clone(),
        None => materials.push(material.clone()),
    }
}

fn intake(case: &mut Kernel, event: &Event) -> bool {
    match event {
        Event::ApplicationSubmitted {
            item_code,
            item_version,
            number_prefix,
            calendar_edition,
            region,
            project_code,
            applicant,
            agent,
            received_on,
            form,
            materials,
        } => {
            case.item_code.clone_from(item_code);
            case.item_version = *item_version;
            case.number_prefix.clone_from(number_prefix);
            case.calendar_edition.clone_from(calendar_edition);
            case.region.clone_from(region);
            case.project_code.clone_from(project_code);
            case.applicant = Some(applicant.clone());
            case.agent.clone_from(agent);
            case.received_on = Some(*received_on);
            case.form = form.clone();
            for material in materials {
                put(&mut case.materials, material);
            }
            enter(case, Stage::Received, *received_on);
        }
        Event::NumberAssigned { kind, number, wanted_by } => {
            case.numbers.insert(*kind, number.clone());
            case.numbered.insert((*wanted_by, *kind));
        }
        Event::MaterialAttached { material, .. } => put(&mut case.materials, material),
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
                put(&mut case.materials, material);
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
            let promise = |promised: &super::events::Tolerated| Tolerance {
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
                super::events::NotAcceptedKind::NotRequired => Stage::NotRequired,
                super::events::NotAcceptedKind::OutOfScope => Stage::OutOfScope,
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

fn review(case: &mut Kernel, event: &Event) -> bool {
    match event {
        Event::HandlerAssigned { to, on, .. } | Event::HandlerReassigned { to, on, .. } => {
            case.handler = Some(to.clone());
            if case.stage == Stage::Accepted {
                enter(case, Stage::UnderReview, *on);
            }
            if case.paused_from == Some(Stage::Accepted) {
                case.paused_from = Some(Stage::UnderReview);
            }
        }
        Event::OpinionRecorded {
            step,
            conclusion,
            text,
            by,
            on,
            ..
        } => {
            case.opinions.push(Opinion {
                step: *step,
                conclusion: *conclusion,
                text: text.clone(),
                by: by.clone(),
                on: *on,
            });
            case.opinion_given_here = matches!(case.stage, Stage::PendingApproval | Stage::PendingDecision);
        }
        Event::ClockSuspended {
            kind,
            counts_against_limit,
            basis,
            on,
            ..
        } => {
            case.pauses.push(Pause {
                kind: *kind,
                counts_against_limit: *counts_against_limit,
                basis: basis.clone(),
                from: *on,
                to: None,
            });
            case.paused_from = Some(case.stage);
            enter(case, Stage::Suspended, *on);
        }
        Event::ClockResumed { kind, on, .. } => {
            if let Some(pause) = case.pauses.iter_mut().find(|pause| pause.kind == *kind && pause.to.is_none()) {
                pause.to = Some(*on);
            }
            let stage = case.paused_from.take().unwrap_or(Stage::UnderReview);
            enter(case, stage, *on);
        }
        Event::DeadlineExtended {
            add_working_days,
            approver,
            on,
            ..
        } => {
            case.extension = Some(Extension {
                add_working_days: *add_working_days,
                approver: approver.clone(),
                on: *on,
            });
        }
        Event::ReviewCompleted {
            conclusion,
            by,
            second_officer,
            on,
        } => {
            let second_officer = Some(second_officer.clone());
            case.review = Some(Signed {
                by: by.clone(),
                on: *on,
                conclusion: Some(*conclusion),
                second_officer,
            });
            case.section_approval = None;
            enter(case, Stage::PendingApproval, *on);
        }
        Event::ReturnedForRework { to, on, .. } => return_to(case, *to, *on),
        Event::ApprovalRecalled { on, .. } => {
            let to = if case.stage == Stage::PendingDecision {
                super::events::Step::Section
            } else {
                super::events::Step::Handling
            };
            return_to(case, to, *on);
        }
        Event::ApprovedBySection { by, on } => {
            case.section_approval = Some(Signed {
                by: by.clone(),
                on: *on,
                conclusion: None,
                second_officer: None,
            });
            enter(case, Stage::PendingDecision, *on);
        }
        _ => return false,
    }
    true
}

fn return_to(case: &mut Kernel, step: super::events::Step, on: NaiveDate) {
    case.section_approval = None;
    match step {
        super::events::Step::Handling => {
            case.review = None;
            enter(case, Stage::UnderReview, on);
        }
        super::events::Step::Section | super::events::Step::Decision => enter(case, Stage::PendingApproval, on),
    }
}

fn decision(case: &mut Kernel, event: &Event) -> bool {
    match event {
        Event::DecisionGranted {
            with_tolerance,
            conditions,
            by,
            on,
        } => {
            case.decision = Some(Decision {
                granted: true,
                with_tolerance: *with_tolerance,
                by: by.clone(),
                on: *on,
                reasons: Vec::new(),
                remedies: Vec::new(),
                conditions: conditions.clone(),
            });
            case.licence_version = 1;
            enter(
                case,
                if *with_tolerance {
                    Stage::GrantedTolerance
                } else {
                    Stage::Granted
                },
                *on,
            );
        }
        Event::DecisionRefused {
            reasons,
            remedies,
            by,
            on,
        } => {
            case.decision = Some(Decision {
                granted: false,
                with_tolerance: false,
                by: by.clone(),
                on: *on,
                reasons: reasons.clone(),
                remedies: remedies.clone(),
                conditions: Vec::new(),
            });
            enter(case, Stage::Refused, *on);
        }
        Event::LicenceAmended { version, .. } | Event::LicenceReplaced { version, .. } => case.licence_version = *version,
        Event::LicenceCancelled { article, reason, on } => {
            case.closed = Some(Closing {
                on: *on,
                article: article.clone(),
                reason: reason.clone(),
            });
            enter(case, Stage::Cancelled, *on);
        }
        Event::DecisionRevoked { article, reason, on } => {
            case.closed = Some(Closing {
                on: *on,
                article: article.clone(),
                reason: reason.clone(),
            });
            enter(case, Stage::Revoked, *on);
        }
        Event::DocumentDelivered { on, .. } => {
            case.delivered_on = Some(*on);
            enter(case, Stage::Delivered, *on);
        }
        Event::CaseArchived { on, .. } => {
            case.archived_on = Some(*on);
            enter(case, Stage::Archived, *on);
        }
        Event::WithdrawalRequested { by, on, .. } => {
            case.withdrawal = Some(Withdrawal {
                by: by.clone(),
                on: *on,
                from_stage: case.stage,
                confirmed_on: None,
            });
            enter(case, Stage::WithdrawPending, *on);
        }
        Event::WithdrawalConfirmed { on, .. } => {
            if let Some(withdrawal) = case.withdrawal.as_mut() {
                withdrawal.confirmed_on = Some(*on);
            }
            enter(case, Stage::Withdrawn, *on);
        }
        Event::WithdrawalDeclined { on, .. } => {
            let stage = case
                .withdrawal
                .take()
                .map_or(Stage::Received, |withdrawal| withdrawal.from_stage);
            enter(case, stage, *on);
        }
        _ => return false,
    }
    true
}

fn after(case: &mut Kernel, event: &Event) -> bool {
    match event {
        Event::ToleranceMaterialSupplied { material, on } => {
            put(&mut case.materials, material);
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
            })
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

fn imported(case: &mut Kernel, event: &Event) -> bool {
    match event {
        Event::ImportedCaseOpened {
            batch,
            source,
            legacy_id,
            item_code,
            region,
            attributes,
            activity,
            submitted_at,
            ..
        } => {
            let submitted_on = bureau_date(*submitted_at);
            *case = Kernel {
                item_code: item_code.clone(),
                region: region.clone(),
                received_on: Some(submitted_on),
                imported: Some(Imported {
                    batch: batch.clone(),
                    source: source.clone(),
                    legacy_id: legacy_id.clone(),
                    attributes: attributes.clone(),
                    submitted_on,
                    last_activity: activity.clone(),
                    steps: u32::from(activity.is_some()),
                    decided_on: None,
                    licence_no: None,
                    rolled_back: false,
                    worked_on: false,
                }),
                ..Kernel::default()
            };
            enter(case, Stage::Received, submitted_on);
        }
        Event::ImportedStepRecorded { activity, at, .. } => {
            if let Some(imported) = case.imported.as_mut() {
                imported.last_activity = Some(activity.clone());
                imported.steps += 1;
            }
            if case.stage == Stage::Received {
                enter(case, Stage::UnderReview, bureau_date(*at));
            }
        }
        Event::ImportedDecisionRecorded {
            granted, licence_no, at, ..
        } => {
            let decided_on = bureau_date(*at);
            if let Some(imported) = case.imported.as_mut() {
                imported.decided_on = Some(decided_on);
                imported.licence_no.clone_from(licence_no);
            }
            enter(case, if *granted { Stage::Granted } else { Stage::Refused }, decided_on);
        }
        Event::ImportRolledBack { .. } => {
            if let Some(imported) = case.imported.as_mut() {
                imported.rolled_back = true;
            }
            case.stage = Stage::RolledBack;
        }
        _ => return false,
    }
    true
}
