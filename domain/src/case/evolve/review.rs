//! 承办, 特别程序, 延期, 审核.

use chrono::NaiveDate;

use super::{
    super::{
        events::{Event, Step},
        state::{Extension, Kernel, Opinion, Pause, Signed, Stage},
    },
    enter,
};

pub(super) fn fold(case: &mut Kernel, event: &Event) -> bool {
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
                Step::Section
            } else {
                Step::Handling
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

fn return_to(case: &mut Kernel, step: Step, on: NaiveDate) {
    case.section_approval = None;
    match step {
        Step::Handling => {
            case.review = None;
            enter(case, Stage::UnderReview, on);
        }
        Step::Section | Step::Decision => enter(case, Stage::PendingApproval, on),
    }
}
