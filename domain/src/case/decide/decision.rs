//! 决定, 送达, 归档, 撤件, 变更与撤销 (行政许可法 38, 44, 49, 69, 70).

use super::{
    super::{Command, Event, Kernel, Rejection, Stage, Step},
    distinct, not_before, review, written,
};
use crate::rules::Desk;

#[allow(clippy::too_many_lines, reason = "a table: one arm for each command")]
pub(super) fn decide(case: &Kernel, command: &Command, desk: &Desk) -> Result<Vec<Event>, Rejection> {
    let on = desk.today();
    let by = desk.actor.id.clone();
    match command {
        Command::Grant { conditions } => {
            may_decide(case, command.into(), desk)?;
            Ok(vec![Event::DecisionGranted {
                with_tolerance: case.tolerance_outstanding(),
                conditions: conditions.clone(),
                by,
                on,
            }])
        }
        Command::Refuse { reasons, remedies } => {
            may_decide(case, command.into(), desk)?;
            if distinct(reasons).is_empty() || distinct(remedies).is_empty() {
                return Err(Rejection::ReasonsMissing);
            }
            Ok(vec![Event::DecisionRefused {
                reasons: reasons.clone(),
                remedies: remedies.clone(),
                by,
                on,
            }])
        }
        Command::RequestWithdrawal { reason } => Ok(vec![Event::WithdrawalRequested {
            reason: reason.clone(),
            by,
            on,
        }]),
        Command::ConfirmWithdrawal => {
            after_request(case, desk)?;
            Ok(vec![Event::WithdrawalConfirmed { by, on }])
        }
        Command::DeclineWithdrawal { reason } => {
            written("reason", reason)?;
            after_request(case, desk)?;
            Ok(vec![Event::WithdrawalDeclined {
                by,
                reason: reason.clone(),
                on,
            }])
        }
        Command::Deliver { method, receiver } => {
            written("receiver", receiver)?;
            if let Some(decided_on) = case.decided_on() {
                not_before("the delivery", on, "the decision", decided_on)?;
            }
            Ok(vec![Event::DocumentDelivered {
                method: *method,
                receiver: receiver.clone(),
                on,
            }])
        }
        Command::Archive { retention, volume_hash } => {
            nothing_open(case)?;
            Ok(vec![Event::CaseArchived {
                retention: retention.clone(),
                volume_hash: volume_hash.clone(),
                on,
            }])
        }
        Command::AmendLicence { changes, basis } => {
            written("basis", basis)?;
            if changes.is_empty() {
                return Err(Rejection::InvalidInput {
                    field: "changes".to_owned(),
                    reason: "name what changes (请列明变更内容)".to_owned(),
                });
            }
            after_decision(case, desk)?;
            Ok(vec![Event::LicenceAmended {
                changes: changes.clone(),
                basis: basis.clone(),
                version: case.licence_version + 1,
                on,
            }])
        }
        Command::ReplaceLicence { kind, reason } => {
            written("reason", reason)?;
            after_decision(case, desk)?;
            Ok(vec![Event::LicenceReplaced {
                kind: *kind,
                reason: reason.clone(),
                version: case.licence_version + 1,
                on,
            }])
        }
        Command::RevokeDecision { article, reason } => {
            by_law(article, reason)?;
            after_decision(case, desk)?;
            Ok(vec![Event::DecisionRevoked {
                article: article.clone(),
                reason: reason.clone(),
                on,
            }])
        }
        Command::CancelLicence { article, reason } => {
            by_law(article, reason)?;
            after_decision(case, desk)?;
            Ok(vec![Event::LicenceCancelled {
                article: article.clone(),
                reason: reason.clone(),
                on,
            }])
        }
        _ => Ok(Vec::new()),
    }
}

/// The decider is a third person, and the date lies where the clock ran.
fn may_decide(case: &Kernel, command: &'static str, desk: &Desk) -> Result<(), Rejection> {
    review::four_eyes(case, &desk.actor.id, Step::Decision)?;
    let on = desk.today();
    if let Some(approval) = &case.section_approval {
        not_before("the decision", on, "the section's approval", approval.on)?;
    }
    if let Some(acceptance) = &case.acceptance {
        not_before("the decision", on, "the acceptance", acceptance.clock_start_on)?;
    }
    if case
        .pauses
        .iter()
        .any(|pause| pause.from < on && pause.to.is_none_or(|to| to > on))
    {
        return Err(Rejection::NotNow {
            command,
            stage: Stage::Suspended,
        });
    }
    Ok(())
}

fn by_law(article: &str, reason: &str) -> Result<(), Rejection> {
    written("article", article)?;
    written("reason", reason)
}

fn after_decision(case: &Kernel, desk: &Desk) -> Result<(), Rejection> {
    case.decided_on().map_or(Ok(()), |decided_on| {
        not_before("this", desk.today(), "the decision", decided_on)
    })
}

fn after_request(case: &Kernel, desk: &Desk) -> Result<(), Rejection> {
    case.withdrawal.as_ref().map_or(Ok(()), |withdrawal| {
        not_before("the answer", desk.today(), "the request", withdrawal.on)
    })
}

fn nothing_open(case: &Kernel) -> Result<(), Rejection> {
    if case.open_bad_review() {
        return Err(Rejection::StillOpen {
            what: "the bad review (差评)".to_owned(),
        });
    }
    if case.supervisions.iter().any(|supervision| supervision.reply.is_none()) {
        return Err(Rejection::StillOpen {
            what: "the supervision (督办)".to_owned(),
        });
    }
    if case.stage == Stage::Delivered
        && case
            .tolerance
            .iter()
            .any(|tolerance| tolerance.supplied_on.is_none() && !tolerance.defaulted)
    {
        return Err(Rejection::StillOpen {
            what: "promised materials (容缺材料)".to_owned(),
        });
    }
    Ok(())
}
