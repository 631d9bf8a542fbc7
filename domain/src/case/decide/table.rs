//! Which command is possible at which stage: the table of the law. `matrix.rs` tests it cell by cell.

use super::super::{Command, Kernel, Rejection, Stage};

/// Refuses what is not possible where the case stands.
pub(in crate::case) fn check(case: &Kernel, command: &Command) -> Result<(), Rejection> {
    if is_possible(case, command) {
        return Ok(());
    }
    Err(Rejection::NotNow {
        command: command.into(),
        stage: case.stage,
    })
}

/// The type's own commands follow a grant; an ended or archived case takes none.
pub(super) fn check_own(case: &Kernel, command: &'static str) -> Result<(), Rejection> {
    if case.stage_has_licence() {
        return Ok(());
    }
    Err(Rejection::NotNow {
        command,
        stage: case.stage,
    })
}

#[allow(clippy::match_same_arms, reason = "the table has a line for each command, as the law has")]
fn is_possible(case: &Kernel, command: &Command) -> bool {
    use Command as C;
    use Stage as S;
    match (command, case.stage) {
        // A rolled-back case is as if it had never been; only its import may come again.
        (C::ImportCase { .. }, _) => case.stage == S::Draft || case.imported.is_some(),
        (C::RollBackImport { .. }, S::Draft) => false,
        (C::RollBackImport { .. } | C::FireTimer { .. }, _) => true,
        (_, S::RolledBack) => false,
        // An archived case is closed: its number still arrives, its data may still be corrected.
        (C::AssignNumber { .. } | C::CorrectData { .. }, stage) => stage != S::Draft,
        (_, S::Archived) => false,

        (C::Submit { .. }, stage) => stage == S::Draft,
        (C::AttachMaterial { .. }, S::Draft | S::Received | S::AwaitingCorrection | S::UnderReview | S::Suspended) => true,
        (C::AttachMaterial { .. } | C::SupplyTolerated { .. }, S::Accepted | S::Granted | S::GrantedTolerance | S::Delivered) => {
            case.tolerance_outstanding()
        }
        (C::SupplyTolerated { .. }, S::UnderReview | S::Suspended | S::PendingApproval | S::PendingDecision) => true,
        (C::AttachMaterial { .. } | C::SupplyTolerated { .. }, _) => false,
        (C::RejectMaterial { .. }, stage) => matches!(stage, S::Received | S::UnderReview),
        (C::NotifyCorrection { .. } | C::Accept { .. } | C::NotAccept { .. }, stage) => stage == S::Received,
        (C::SupplyCorrection { .. }, stage) => stage == S::AwaitingCorrection,

        (C::Assign { .. }, S::Received | S::AwaitingCorrection) => true,
        (C::Assign { .. }, stage) => is_in_hand(stage),
        (C::RecordOpinion { .. }, stage) => matches!(stage, S::UnderReview | S::PendingApproval | S::PendingDecision),
        (C::Suspend { .. }, stage) => matches!(stage, S::Accepted | S::UnderReview | S::PendingApproval | S::PendingDecision),
        (C::Resume { .. }, stage) => stage == S::Suspended,
        (C::ExtendDeadline { .. }, stage) => is_in_hand(stage),
        (C::CompleteReview { .. }, stage) => stage == S::UnderReview,
        (C::Return { .. } | C::RecallApproval { .. }, stage) => matches!(stage, S::PendingApproval | S::PendingDecision),
        (C::ApproveBySection, stage) => stage == S::PendingApproval,

        (C::Grant { .. } | C::Refuse { .. }, stage) => stage == S::PendingDecision,
        (C::RequestWithdrawal { .. }, S::Received | S::AwaitingCorrection) => true,
        (C::RequestWithdrawal { .. }, stage) => is_in_hand(stage),
        (C::ConfirmWithdrawal | C::DeclineWithdrawal { .. }, stage) => stage == S::WithdrawPending,
        (C::Deliver { .. }, stage) => matches!(stage, S::Granted | S::GrantedTolerance | S::Refused),
        (C::Archive { .. }, stage) => is_ended(stage),
        (
            C::AmendLicence { .. }
            | C::ReplaceLicence { .. }
            | C::RevokeDecision { .. }
            | C::CancelLicence { .. }
            | C::VerifyCommitment { .. }
            | C::RectifyCommitment { .. },
            _,
        ) => case.stage_has_licence(),
        (C::Rate { .. }, stage) => matches!(stage, S::Granted | S::GrantedTolerance | S::Refused) || is_ended(stage),
        (C::HandleBadReview { .. } | C::Supervise { .. } | C::AnswerSupervision { .. } | C::AdoptCalendar { .. }, stage) => {
            stage != S::Draft
        }
    }
}

/// Accepted and not decided.
fn is_in_hand(stage: Stage) -> bool {
    use Stage as S;
    matches!(
        stage,
        S::Accepted | S::UnderReview | S::Suspended | S::PendingApproval | S::PendingDecision
    )
}

/// Nothing more to decide or to deliver.
fn is_ended(stage: Stage) -> bool {
    use Stage as S;
    matches!(
        stage,
        S::Delivered | S::NotRequired | S::OutOfScope | S::Withdrawn | S::Revoked | S::Cancelled
    )
}
