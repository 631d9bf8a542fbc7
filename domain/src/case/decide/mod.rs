//! The law of every case: what is asked, against where the case is.
//!
//! [`table`] says which command is possible at which stage; the other files say under which conditions, by topic.

mod after;
mod decision;
mod imports;
mod intake;
mod review;
pub(super) mod table;
mod timers;

use std::sync::Arc;

use chrono::NaiveDate;
use decider::Decider;

use super::{Case, CaseCommand, CaseEvent, CaseRejection, CaseState, CaseType, Command, Event, Kernel, Rejection};
use crate::{
    metadata::bureau_date,
    rules::{Desk, ItemDefinition},
};

type Decided<T> = Result<Vec<CaseEvent<T>>, CaseRejection<<T as CaseType>::Rejection>>;

/// Decides a command of the kernel or of the type, and adds what the type does at once when the kernel's events happen.
pub(super) fn decide<T: CaseType>(case: &CaseState<T>, command: &CaseCommand<T>, desk: &Desk) -> Decided<T> {
    not_in_the_future(desk).map_err(CaseRejection::Kernel)?;
    match command {
        CaseCommand::Kernel(command) => {
            table::check(&case.kernel, command).map_err(CaseRejection::Kernel)?;
            let events = match command {
                Command::FireTimer { timer, .. } => fire(case, timer, desk),
                _ => of_kernel(case, command, desk)?.into_iter().map(CaseEvent::Kernel).collect(),
            };
            Ok(with_followers(case, events, desk))
        }
        CaseCommand::Own(command) => {
            table::check_own(&case.kernel, name_of::<T>(command)).map_err(CaseRejection::Kernel)?;
            not_before_receipt(&case.kernel, desk).map_err(CaseRejection::Kernel)?;
            T::decide(case, command, desk).map_err(CaseRejection::Own)
        }
    }
}

/// The kernel's answer, and the type's where the kernel asks it.
fn of_kernel<T: CaseType>(
    case: &CaseState<T>,
    command: &Command,
    desk: &Desk,
) -> Result<Vec<Event>, CaseRejection<T::Rejection>> {
    let events = kernel(&case.kernel, command, desk).map_err(CaseRejection::Kernel)?;
    match command {
        Command::Submit { item_code, form, .. } => {
            if let Some(item) = desk.rules.item_on(item_code, desk.today()) {
                T::check_form(form, item).map_err(CaseRejection::Own)?;
            }
        }
        Command::CorrectData { path, new, .. } => {
            let mut corrected = case.kernel.clone();
            corrected.read_differently(path, new);
            if let Some(item) = case.kernel.item(&desk.rules).filter(|_| corrected.form != case.kernel.form) {
                T::check_form(&corrected.form.read(), item).map_err(CaseRejection::Own)?;
            }
        }
        Command::Accept { .. } => T::may_accept(case, desk).map_err(CaseRejection::Own)?,
        Command::Grant { .. } => T::may_grant(case, desk).map_err(CaseRejection::Own)?,
        Command::Archive { .. } => T::may_archive(case).map_err(CaseRejection::Own)?,
        _ => {}
    }
    Ok(events)
}

/// Which page of the law a command is on.
fn kernel(case: &Kernel, command: &Command, desk: &Desk) -> Result<Vec<Event>, Rejection> {
    use Command as C;
    if !matches!(
        command,
        C::Submit { .. } | C::ImportCase { .. } | C::RollBackImport { .. } | C::AssignNumber { .. }
    ) {
        not_before_receipt(case, desk)?;
    }
    match command {
        C::Submit { .. }
        | C::AssignNumber { .. }
        | C::AttachMaterial { .. }
        | C::RejectMaterial { .. }
        | C::NotifyCorrection { .. }
        | C::SupplyCorrection { .. }
        | C::Accept { .. }
        | C::NotAccept { .. } => intake::decide(case, command, desk),
        C::Assign { .. }
        | C::RecordOpinion { .. }
        | C::Suspend { .. }
        | C::Resume { .. }
        | C::ExtendDeadline { .. }
        | C::CompleteReview { .. }
        | C::Return { .. }
        | C::RecallApproval { .. }
        | C::ApproveBySection => review::decide(case, command, desk),
        C::Grant { .. }
        | C::Refuse { .. }
        | C::RequestWithdrawal { .. }
        | C::ConfirmWithdrawal
        | C::DeclineWithdrawal { .. }
        | C::Deliver { .. }
        | C::Archive { .. }
        | C::AmendLicence { .. }
        | C::ReplaceLicence { .. }
        | C::RevokeDecision { .. }
        | C::CancelLicence { .. } => decision::decide(case, command, desk),
        C::SupplyTolerated { .. }
        | C::VerifyCommitment { .. }
        | C::RectifyCommitment { .. }
        | C::Rate { .. }
        | C::HandleBadReview { .. }
        | C::Supervise { .. }
        | C::AnswerSupervision { .. }
        | C::CorrectData { .. }
        | C::AdoptCalendar { .. } => after::decide(case, command, desk),
        C::FireTimer { timer, .. } => Ok(timers::fire(case, timer, desk)),
        C::ImportCase { .. } | C::RollBackImport { .. } => imports::decide(case, command, desk),
    }
}

/// The name of a type's own command.
fn name_of<T: CaseType>(command: &T::Command) -> &'static str {
    let named = |name: &&&str| **name == command.as_ref();
    <T::Command as strum::VariantNames>::VARIANTS
        .iter()
        .find(named)
        .copied()
        .unwrap_or(T::NAME_EN)
}

/// A timer is the kernel's or the type's own; one that no longer applies does nothing.
fn fire<T: CaseType>(case: &CaseState<T>, timer: &str, desk: &Desk) -> Vec<CaseEvent<T>> {
    let events = timers::fire(&case.kernel, timer, desk);
    if !events.is_empty() {
        return events.into_iter().map(CaseEvent::Kernel).collect();
    }
    if !case.kernel.stage_has_licence() {
        return Vec::new();
    }
    T::fire(case, timer, desk)
}

/// The events, and after each of the kernel's what the type does at once.
fn with_followers<T: CaseType>(case: &CaseState<T>, events: Vec<CaseEvent<T>>, desk: &Desk) -> Vec<CaseEvent<T>> {
    let followed = |event: &CaseEvent<T>| matches!(event, CaseEvent::Kernel(event) if T::follows(event));
    if case.kernel.imported.is_some() || !events.iter().any(followed) {
        return events;
    }
    let mut after = case.clone();
    let mut all = Vec::with_capacity(events.len());
    for event in events {
        Case::<T>::evolve(&mut after, &event);
        let followers = match &event {
            CaseEvent::Kernel(event) if T::follows(event) => T::follow(&after, event, desk),
            _ => Vec::new(),
        };
        all.push(event);
        for follower in followers {
            let event = CaseEvent::Own(follower);
            Case::<T>::evolve(&mut after, &event);
            all.push(event);
        }
    }
    all
}

fn not_in_the_future(desk: &Desk) -> Result<(), Rejection> {
    let on = desk.today();
    if on > bureau_date(desk.now) {
        return Err(Rejection::InTheFuture { on });
    }
    Ok(())
}

fn not_before_receipt(case: &Kernel, desk: &Desk) -> Result<(), Rejection> {
    match case.received_on {
        Some(received_on) => not_before("this", desk.today(), "the receipt", received_on),
        None => Ok(()),
    }
}

/// Business dates keep their order where one is the condition of the other.
fn not_before(what: &'static str, on: NaiveDate, before: &'static str, earlier: NaiveDate) -> Result<(), Rejection> {
    if on < earlier {
        return Err(Rejection::OutOfOrder {
            what,
            on,
            before,
            earlier,
        });
    }
    Ok(())
}

/// The item's definition as the case has it pinned.
fn item_of<'a>(case: &Kernel, desk: &'a Desk) -> Result<&'a Arc<ItemDefinition>, Rejection> {
    case.item(&desk.rules).ok_or_else(|| Rejection::UnknownItem {
        code: case.item_code.clone(),
        on: desk.today(),
    })
}

/// What somebody must write may not be left empty.
fn written(field: &str, text: &str) -> Result<(), Rejection> {
    if text.trim().is_empty() {
        return Err(Rejection::InvalidInput {
            field: field.to_owned(),
            reason: "must not be empty (不能为空)".to_owned(),
        });
    }
    Ok(())
}

/// The names without repetition; empty ones are no names.
fn distinct(names: &[String]) -> std::collections::BTreeSet<&str> {
    names.iter().map(|name| name.trim()).filter(|name| !name.is_empty()).collect()
}
