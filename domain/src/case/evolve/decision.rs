//! 决定, 送达, 归档, 撤件, 变更与撤销.

use super::{
    super::{
        events::Event,
        state::{Closing, Decision, Kernel, Stage, Withdrawal},
    },
    enter,
};

pub(super) fn fold(case: &mut Kernel, event: &Event) -> bool {
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
