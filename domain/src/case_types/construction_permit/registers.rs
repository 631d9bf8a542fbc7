//! What a construction permit writes into the registers of permits and projects.

use chrono::NaiveDate;

use super::{ConstructionPermit, Event, ParticipantRole, face};
use crate::{
    case::{CaseEvent, CaseState, Event as KernelEvent},
    registers::{
        Entry,
        permit::{self, ClosingReason},
        project,
    },
};

pub(super) fn entries(case: &CaseState<ConstructionPermit>, case_id: &str, event: &CaseEvent<ConstructionPermit>) -> Vec<Entry> {
    match event {
        CaseEvent::Kernel(
            KernelEvent::ApplicationAccepted { accepted_on: on, .. } | KernelEvent::DeemedAccepted { receipt_on: on, .. },
        ) => project(case, *on).into_iter().collect(),
        CaseEvent::Kernel(KernelEvent::DecisionRevoked { reason, on, .. }) => close(case, ClosingReason::Revoked, reason, *on),
        CaseEvent::Kernel(KernelEvent::LicenceCancelled { reason, on, .. }) => close(case, ClosingReason::Cancelled, reason, *on),
        CaseEvent::Own(Event::PermitIssued {
            permit_no,
            face,
            issued_on: on,
            ..
        }) => {
            let (case_id, on) = (case_id.to_owned(), *on);
            let register = permit::Command::Register {
                case_id: case_id.clone(),
                face: face.clone(),
                on,
            };
            let link = project::Command::LinkPermit {
                permit_no: permit_no.clone(),
                case_id,
                on,
            };
            // A project of a case that was accepted before the register existed is entered now.
            let project = project(case, on);
            let permit = Entry::Permit {
                permit_no: permit_no.clone(),
                command: register,
            };
            let link = Entry::Project {
                project_code: face.project_code.clone(),
                command: link,
            };
            project.into_iter().chain([permit, link]).collect()
        }
        CaseEvent::Own(Event::PermitAmended {
            field,
            old,
            new,
            basis,
            on,
        }) => {
            let (field, old, new, basis, on) = (field.clone(), old.clone(), new.clone(), basis.clone(), *on);
            to_permit(
                case,
                &permit::Command::Amend {
                    field,
                    old,
                    new,
                    basis,
                    on,
                },
            )
        }
        CaseEvent::Own(Event::PermitLapsed { due_on }) => close(case, ClosingReason::Lapsed, "逾期未开工", *due_on),
        CaseEvent::Own(Event::CompletionFiled { filing_no, on }) => close(case, ClosingReason::Completed, filing_no, *on),
        _ => Vec::new(),
    }
}

fn to_permit(case: &CaseState<ConstructionPermit>, command: &permit::Command) -> Vec<Entry> {
    case.own
        .permit_no
        .iter()
        .map(|permit_no| Entry::Permit {
            permit_no: permit_no.clone(),
            command: command.clone(),
        })
        .collect()
}

fn close(case: &CaseState<ConstructionPermit>, reason: ClosingReason, note: &str, on: NaiveDate) -> Vec<Entry> {
    to_permit(
        case,
        &permit::Command::Close {
            reason,
            note: note.to_owned(),
            on,
        },
    )
}

fn project(case: &CaseState<ConstructionPermit>, on: NaiveDate) -> Option<Entry> {
    let form = &case.kernel.form.read();
    let text = |field: &str| face::text(form, field).unwrap_or_default();
    let project_code = face::text(form, "project_code").or_else(|| case.kernel.project_code.clone())?;
    let client = face::participants(form)
        .into_iter()
        .find(|participant| participant.role == ParticipantRole::Client);
    let command = project::Command::Register {
        name: text("project_name"),
        region: text("region"),
        address: text("address"),
        client: client.map(|client| client.name).unwrap_or_default(),
        on,
    };
    Some(Entry::Project { project_code, command })
}
