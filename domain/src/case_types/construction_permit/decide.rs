//! The law after the decision: issue, start, extensions, suspension, recheck, amendments, completion (建筑法 9–10).

use chrono::NaiveDate;

use super::{ConstructionPermit, Event, Finding, Phase, Rejection, State, corresponding_day, face, months, parameter};
use crate::{
    case::{CaseEvent, CaseState, Event as KernelEvent},
    rules::Desk,
};

/// The article by which a permit is cancelled that failed its recheck.
const CANCELLATION_ARTICLE: &str = "建筑法 10、行政许可法 70";

/// What may be asked of a construction permit besides the kernel's commands.
#[derive(Debug, Clone, PartialEq, strum::AsRefStr, strum::IntoStaticStr, strum::VariantNames)]
#[allow(missing_docs, reason = "commands mirror the events, whose fields explain themselves")]
pub enum Command {
    ReportStart {
        started_on: NaiveDate,
    },
    RequestStartExtension {
        reason: String,
    },
    GrantStartExtension {
        months: u32,
    },
    RefuseStartExtension {
        reason: String,
    },
    ReportSuspension {
        halted_on: NaiveDate,
        reason: String,
        maintenance_plan: String,
    },
    ReportResumption,
    RequestRecheck,
    /// Passed, if all findings passed.
    RecordRecheck {
        findings: Vec<Finding>,
        second_officer: String,
    },
    AmendPermit {
        field: String,
        new: String,
        basis: String,
    },
    ReplacePermit {
        reason: String,
    },
    FileCompletion {
        filing_no: String,
    },
}

pub(super) fn decide(
    case: &CaseState<ConstructionPermit>,
    command: &Command,
    desk: &Desk,
) -> Result<Vec<CaseEvent<ConstructionPermit>>, Rejection> {
    let own = &case.own;
    let phase = own.phase.ok_or(Rejection::NotIssued)?;
    let today = desk.today();
    let issued_on = own.issued_on.unwrap_or(today);
    possible(today, "this", issued_on, today)?;
    let by = desk.actor.id.clone();
    let event = match (command, phase) {
        (Command::ReportStart { started_on }, Phase::Issued) => start(own, *started_on, desk)?,

        (Command::RequestStartExtension { reason }, Phase::Issued) => request_extension(case, reason, desk)?,
        (Command::GrantStartExtension { months }, Phase::Issued) => grant_extension(case, *months, desk)?,
        (Command::RefuseStartExtension { reason }, Phase::Issued) => {
            written("reason", reason)?;
            own.extension_asked_on.ok_or(Rejection::NoExtensionAsked)?;
            Event::StartExtensionRefused {
                sequence: next_sequence(own),
                reason: reason.clone(),
                by,
                on: today,
            }
        }

        (
            Command::ReportSuspension {
                halted_on,
                reason,
                maintenance_plan,
            },
            Phase::Active,
        ) => {
            written("reason", reason)?;
            possible(*halted_on, "the suspension", own.started_on.unwrap_or(issued_on), today)?;
            let report_by = corresponding_day(*halted_on, months(&case.kernel, &desk.rules, "suspension_report_months")?);
            let (reason, maintenance_plan) = (reason.clone(), maintenance_plan.clone());
            let late = today > report_by;
            Event::ConstructionSuspendedReported {
                halted_on: *halted_on,
                reported_on: today,
                late,
                reason,
                maintenance_plan,
            }
        }
        (Command::ReportResumption, Phase::Halted) => match recheck_from(case, desk)? {
            (halted_on, from) if today >= from => return Err(Rejection::RecheckNeeded { halted_on }),
            (halted_on, _) => {
                possible(today, "the resumption", halted_on, today)?;
                Event::ResumptionReported { on: today }
            }
        },
        (Command::RequestRecheck, Phase::Halted) => match recheck_from(case, desk)? {
            (_, from) if today >= from => Event::RecheckRequested { on: today },
            _ => return Err(Rejection::RecheckNotNeeded),
        },
        (
            Command::RecordRecheck {
                findings,
                second_officer,
            },
            Phase::Recheck,
        ) => return recheck(own, findings, second_officer, desk),

        (Command::AmendPermit { field, new, basis }, Phase::Issued | Phase::Active | Phase::Halted) => {
            amend(own, field, new, basis, today)?
        }
        (Command::ReplacePermit { reason }, Phase::Issued | Phase::Active | Phase::Halted) => {
            written("reason", reason)?;
            Event::PermitReplaced {
                reason: reason.clone(),
                on: today,
            }
        }
        (Command::FileCompletion { filing_no }, Phase::Active) => {
            written("filing_no", filing_no)?;
            possible(today, "the completion", own.started_on.unwrap_or(issued_on), today)?;
            Event::CompletionFiled {
                filing_no: filing_no.clone(),
                on: today,
            }
        }
        (_, phase) => return Err(Rejection::NotInThisPhase { phase }),
    };
    Ok(vec![CaseEvent::Own(event)])
}

/// 发证: follows the arrival of the number, dated like the decision. Nothing, if the grant is gone or the permit is out.
pub(super) fn issue(case: &CaseState<ConstructionPermit>, number: &str, desk: &Desk) -> Option<Event> {
    let decision = case.kernel.decision.as_ref().filter(|decision| decision.granted)?;
    if case.own.permit_no.is_some() || !case.kernel.stage_has_licence() {
        return None;
    }
    let issued_on = decision.on;
    let face = face::of(&case.kernel, number, issued_on)?;
    let within = months(&case.kernel, &desk.rules, "start_within_months").ok()?;
    let start_by = case.kernel.calendar(&desk.rules).add_months(issued_on, within).on;
    Some(Event::PermitIssued {
        permit_no: number.to_owned(),
        face: Box::new(face),
        issued_on,
        start_by,
    })
}

fn start(own: &State, started_on: NaiveDate, desk: &Desk) -> Result<Event, Rejection> {
    let today = desk.today();
    possible(started_on, "the start", own.issued_on.unwrap_or(today), today)?;
    match own.start_by {
        Some(start_by) if started_on > start_by => Err(Rejection::StartedTooLate { start_by }),
        _ => Ok(Event::ConstructionStarted {
            on: started_on,
            reported_by: desk.actor.id.clone(),
        }),
    }
}

fn next_sequence(own: &State) -> u8 {
    u8::try_from(own.extensions.len()).unwrap_or(u8::MAX).saturating_add(1)
}

fn request_extension(case: &CaseState<ConstructionPermit>, reason: &str, desk: &Desk) -> Result<Event, Rejection> {
    let own = &case.own;
    written("reason", reason)?;
    let most = parameter(&case.kernel, &desk.rules, "start_extensions")?;
    let granted = u8::try_from(own.extensions.len()).unwrap_or(u8::MAX);
    if i64::from(granted) >= most {
        return Err(Rejection::NoMoreExtensions { granted });
    }
    if own.extension_asked_on.is_some() {
        return Err(Rejection::ExtensionPending);
    }
    let on = desk.today();
    match own.start_by {
        Some(start_by) if on > start_by => Err(Rejection::AskedTooLate { start_by }),
        _ => Ok(Event::StartExtensionRequested {
            sequence: next_sequence(own),
            reason: reason.to_owned(),
            on,
        }),
    }
}

fn grant_extension(case: &CaseState<ConstructionPermit>, granted_months: u32, desk: &Desk) -> Result<Event, Rejection> {
    let own = &case.own;
    own.extension_asked_on.ok_or(Rejection::NoExtensionAsked)?;
    let max_months = months(&case.kernel, &desk.rules, "start_extension_months")?;
    if !(1..=max_months).contains(&granted_months) {
        return Err(Rejection::ExtensionTooLong { max_months });
    }
    let from = own.start_by.ok_or(Rejection::NotIssued)?;
    let to = case.kernel.calendar(&desk.rules).add_months(from, granted_months).on;
    Ok(Event::StartExtensionGranted {
        sequence: next_sequence(own),
        from,
        to,
        by: desk.actor.id.clone(),
        on: desk.today(),
    })
}

/// Since when the works are halted, and from which day on only a recheck lets them go on.
fn recheck_from(case: &CaseState<ConstructionPermit>, desk: &Desk) -> Result<(NaiveDate, NaiveDate), Rejection> {
    let halted_on = case.own.halted_on.ok_or(Rejection::NotInThisPhase { phase: Phase::Active })?;
    Ok((
        halted_on,
        corresponding_day(halted_on, months(&case.kernel, &desk.rules, "recheck_after_months")?),
    ))
}

/// All findings passed, or the permit is taken back (建筑法 10).
fn recheck(
    own: &State,
    findings: &[Finding],
    second_officer: &str,
    desk: &Desk,
) -> Result<Vec<CaseEvent<ConstructionPermit>>, Rejection> {
    let on = desk.today();
    let second = second_officer.trim();
    if findings.is_empty() || second.is_empty() || second == desk.actor.id {
        return Err(Rejection::RecheckIncomplete);
    }
    if let Some(asked_on) = own.recheck_asked_on {
        possible(on, "the recheck", asked_on, on)?;
    }
    let (findings, by) = (findings.to_vec(), vec![desk.actor.id.clone(), second.to_owned()]);
    if findings.iter().all(|finding| finding.passed) {
        return Ok(vec![CaseEvent::Own(Event::RecheckPassed { findings, by, on })]);
    }
    let cancelled = KernelEvent::LicenceCancelled {
        article: CANCELLATION_ARTICLE.to_owned(),
        reason: "核验不合格".to_owned(),
        on,
    };
    Ok(vec![
        CaseEvent::Own(Event::RecheckFailed { findings, by, on }),
        CaseEvent::Kernel(cancelled),
    ])
}

fn amend(own: &State, field: &str, new: &str, basis: &str, on: NaiveDate) -> Result<Event, Rejection> {
    written("basis", basis)?;
    let mut face = own.face.clone().ok_or(Rejection::NotIssued)?;
    let old = face::get(&face, field)?;
    face::set(&mut face, field, new)?;
    Ok(Event::PermitAmended {
        field: field.to_owned(),
        old,
        new: new.to_owned(),
        basis: basis.to_owned(),
        on,
    })
}

fn written(field: &'static str, text: &str) -> Result<(), Rejection> {
    if text.trim().is_empty() {
        Err(Rejection::Empty { field })
    } else {
        Ok(())
    }
}

fn possible(on: NaiveDate, what: &'static str, earliest: NaiveDate, today: NaiveDate) -> Result<(), Rejection> {
    if on < earliest || on > today {
        return Err(Rejection::ImpossibleDate {
            what,
            on,
            earlier: earliest,
        });
    }
    Ok(())
}
