//! 承办, 特别程序, 延期, 审核 (行政许可法 34, 42, 45).

use super::{
    super::{Command, Conclusion, Event, Kernel, LimitKind, PauseKind, Rejection, Stage, Step},
    item_of, not_before, written,
};
use crate::rules::Desk;

#[allow(clippy::too_many_lines, reason = "a table: one arm for each command")]
pub(super) fn decide(case: &Kernel, command: &Command, desk: &Desk) -> Result<Vec<Event>, Rejection> {
    let on = desk.today();
    let by = desk.actor.id.clone();
    match command {
        Command::Assign { to, reason } => {
            written("to.id", &to.id)?;
            let (to, reason) = (to.clone(), reason.clone());
            Ok(match &case.handler {
                Some(handler) if handler.id == to.id => Vec::new(),
                Some(handler) => vec![Event::HandlerReassigned {
                    from: handler.id.clone(),
                    to,
                    by,
                    reason,
                    on,
                }],
                None => vec![Event::HandlerAssigned { to, by, reason, on }],
            })
        }
        Command::RecordOpinion {
            step,
            conclusion,
            text,
            signature,
        } => {
            let expected = step_of(case.stage);
            if expected != Some(*step) {
                let reason = "the case is at another step (案件在其他环节)".to_owned();
                return Err(Rejection::InvalidInput {
                    field: "step".to_owned(),
                    reason,
                });
            }
            if *step != Step::Handling {
                four_eyes(case, &by, *step)?;
            }
            written("text", text)?;
            let (step, conclusion, text, signature) = (*step, *conclusion, text.clone(), signature.clone());
            Ok(vec![Event::OpinionRecorded {
                step,
                conclusion,
                text,
                by,
                signature,
                on,
            }])
        }
        Command::Suspend {
            kind,
            basis,
            expected_working_days,
        } => suspend(case, *kind, basis, *expected_working_days, desk),
        Command::Resume { kind, evidence } => {
            let Some(pause) = case.pauses.iter().find(|pause| pause.kind == *kind && pause.to.is_none()) else {
                return Err(Rejection::NotSuspended { kind: *kind });
            };
            not_before("the resumption", on, "the suspension", pause.from)?;
            Ok(vec![Event::ClockResumed {
                kind: *kind,
                evidence: evidence.clone(),
                on,
            }])
        }
        Command::ExtendDeadline {
            add_working_days,
            reason,
        } => extend(case, *add_working_days, reason, desk),
        Command::CompleteReview {
            conclusion,
            second_officer,
        } => {
            complete_review(case, *conclusion, second_officer, desk)?;
            let (conclusion, second_officer) = (*conclusion, second_officer.trim().to_owned());
            Ok(vec![Event::ReviewCompleted {
                conclusion,
                by,
                second_officer,
                on,
            }])
        }
        Command::Return { to, reason } => {
            written("reason", reason)?;
            let here = step_of(case.stage).unwrap_or(Step::Handling);
            let back = matches!(
                (here, to),
                (Step::Section, Step::Handling) | (Step::Decision, Step::Handling | Step::Section)
            );
            if !back {
                let reason = "a return goes to an earlier step (只能退回到之前的环节)".to_owned();
                return Err(Rejection::InvalidInput {
                    field: "to".to_owned(),
                    reason,
                });
            }
            four_eyes(case, &by, here)?;
            Ok(vec![Event::ReturnedForRework {
                to: *to,
                by,
                reason: reason.clone(),
                on,
            }])
        }
        Command::RecallApproval { reason } => {
            written("reason", reason)?;
            let signed = if case.stage == Stage::PendingDecision {
                &case.section_approval
            } else {
                &case.review
            };
            match signed {
                Some(signed) if signed.by != by => Err(Rejection::NotYourApproval { by: signed.by.clone() }),
                _ if case.opinion_given_here => Err(Rejection::TooLateToRecall),
                Some(_) => Ok(vec![Event::ApprovalRecalled {
                    by,
                    reason: reason.clone(),
                    on,
                }]),
                None => Err(Rejection::NothingThere {
                    what: "an approval to take back".to_owned(),
                }),
            }
        }
        Command::ApproveBySection => {
            four_eyes(case, &by, Step::Section)?;
            if let Some(review) = &case.review {
                not_before("the approval", on, "the review", review.on)?;
            }
            Ok(vec![Event::ApprovedBySection { by, on }])
        }
        _ => Ok(Vec::new()),
    }
}

/// 审办分离: whoever did an earlier step of this case may not do this one.
pub(super) fn four_eyes(case: &Kernel, by: &str, step: Step) -> Result<(), Rejection> {
    let handled = case.handler.as_ref().is_some_and(|handler| handler.id == by);
    let reviewed = case.review.as_ref().is_some_and(|review| review.by == by);
    let approved = step == Step::Decision && case.section_approval.as_ref().is_some_and(|approval| approval.by == by);
    if handled || reviewed || approved {
        return Err(Rejection::FourEyes);
    }
    Ok(())
}

fn step_of(stage: Stage) -> Option<Step> {
    match stage {
        Stage::UnderReview => Some(Step::Handling),
        Stage::PendingApproval => Some(Step::Section),
        Stage::PendingDecision => Some(Step::Decision),
        _ => None,
    }
}

fn suspend(
    case: &Kernel,
    kind: PauseKind,
    basis: &str,
    expected_working_days: u32,
    desk: &Desk,
) -> Result<Vec<Event>, Rejection> {
    let item = item_of(case, desk)?;
    let Some(rule) = item.pauses.iter().find(|rule| rule.kind == kind) else {
        return Err(Rejection::PauseNotAllowed { kind });
    };
    written("basis", basis)?;
    let on = desk.today();
    if let Some(acceptance) = &case.acceptance {
        not_before("the suspension", on, "the acceptance", acceptance.clock_start_on)?;
    }
    if case
        .pauses
        .iter()
        .any(|pause| pause.kind == kind && pause.from <= on && pause.to.is_none_or(|to| to > on))
    {
        return Err(Rejection::AlreadySuspended { kind });
    }
    let (counts_against_limit, basis) = (rule.counts_against_limit, basis.to_owned());
    Ok(vec![Event::ClockSuspended {
        kind,
        counts_against_limit,
        basis,
        expected_working_days,
        on,
    }])
}

fn extend(case: &Kernel, add_working_days: u32, reason: &str, desk: &Desk) -> Result<Vec<Event>, Rejection> {
    let max_working_days = item_of(case, desk)?.extension_working_days;
    if let Some(extension) = &case.extension {
        return Err(Rejection::AlreadyExtended { on: extension.on });
    }
    if !(1..=max_working_days).contains(&add_working_days) {
        return Err(Rejection::ExtensionTooLong { max_working_days });
    }
    written("reason", reason)?;
    let approver = desk.actor.id.clone();
    four_eyes(case, &approver, Step::Section)?;
    let on = desk.today();
    if let Some(clock) = case.clock(LimitKind::Statutory, &desk.rules) {
        let calendar = case.calendar(&desk.rules);
        if clock.is_overdue(calendar, on) {
            return Err(Rejection::AlreadyOverdue {
                due_on: clock.due(calendar).on,
            });
        }
    }
    Ok(vec![Event::DeadlineExtended {
        add_working_days,
        approver,
        reason: reason.to_owned(),
        on,
    }])
}

fn complete_review(case: &Kernel, conclusion: Conclusion, second_officer: &str, desk: &Desk) -> Result<(), Rejection> {
    let Some(handler) = &case.handler else {
        return Err(Rejection::NoHandler);
    };
    if handler.id != desk.actor.id {
        return Err(Rejection::NotTheHandler {
            handler: handler.name.clone(),
        });
    }
    let second_officer = second_officer.trim();
    if second_officer.is_empty() || second_officer == handler.id {
        return Err(Rejection::SecondOfficerMissing);
    }
    if !matches!(conclusion, Conclusion::Agree | Conclusion::Disagree) {
        let reason = "a review concludes to agree or to disagree (同意或不同意)".to_owned();
        return Err(Rejection::InvalidInput {
            field: "conclusion".to_owned(),
            reason,
        });
    }
    match &case.acceptance {
        Some(acceptance) => not_before("the review", desk.today(), "the acceptance", acceptance.clock_start_on),
        None => Ok(()),
    }
}
