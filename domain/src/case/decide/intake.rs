//! 接件, 补正, 受理 (行政许可法 32).

use chrono::NaiveDate;

use super::{
    super::{AcceptanceMode, Command, Document, Event, Gap, GapKind, Kernel, Material, Rejection, Tolerated},
    after, item_of, not_before, written,
};
use crate::{
    calendar::Limit,
    case::numbers,
    rules::{Desk, ItemDefinition},
};

/// The most materials that one command may bring.
const MAX_MATERIALS: usize = 200;

pub(super) fn decide(case: &Kernel, command: &Command, desk: &Desk) -> Result<Vec<Event>, Rejection> {
    let on = desk.today();
    match command {
        Command::Submit { .. } => submit(case, command, desk),
        Command::AssignNumber { kind, number, wanted_by } => {
            if case.numbered.contains(&(*wanted_by, *kind)) {
                return Ok(Vec::new());
            }
            if !numbers::is_wanted(case, *kind) {
                return Err(Rejection::NumberNotWanted { number: number.clone() });
            }
            Ok(vec![Event::NumberAssigned {
                kind: *kind,
                number: number.clone(),
                wanted_by: *wanted_by,
            }])
        }
        Command::AttachMaterial { material } => attach(case, material, desk),
        Command::RejectMaterial { code, reason } => {
            written("reason", reason)?;
            if !case.has_material(code) {
                return Err(Rejection::NothingThere {
                    what: format!("material {code}"),
                });
            }
            Ok(vec![Event::MaterialRejected {
                code: code.clone(),
                reason: reason.clone(),
                on,
            }])
        }
        Command::NotifyCorrection { gaps, delivered_by } => notify_correction(case, gaps, delivered_by, desk),
        Command::SupplyCorrection { materials } => supply_correction(case, materials, desk),
        Command::Accept {
            mode,
            tolerance,
            commitment,
        } => accept(case, *mode, tolerance, commitment.as_ref(), desk),
        Command::NotAccept { kind, reason, refer_to } => {
            written("reason", reason)?;
            let item = item_of(case, desk)?;
            if let Some(due_on) = notice_missed(case, item, desk) {
                return Err(Rejection::NoticeTooLate { due_on });
            }
            Ok(vec![Event::NotAccepted {
                kind: *kind,
                reason: reason.clone(),
                refer_to: refer_to.clone(),
                on,
            }])
        }
        _ => Ok(Vec::new()),
    }
}

fn submit(case: &Kernel, command: &Command, desk: &Desk) -> Result<Vec<Event>, Rejection> {
    let Command::Submit {
        item_code,
        project_code,
        applicant,
        agent,
        form,
        materials,
    } = command
    else {
        return Ok(Vec::new());
    };
    let received_on = desk.today();
    let unknown = || Rejection::UnknownItem {
        code: item_code.clone(),
        on: received_on,
    };
    let item = desk.rules.item_on(item_code, received_on).ok_or_else(unknown)?;
    written("applicant.name", &applicant.name)?;
    written("applicant.id_no", &applicant.id_no)?;
    all_known(materials, item)?;
    all_known(&case.materials, item)?;
    Ok(vec![Event::ApplicationSubmitted {
        item_code: item_code.clone(),
        item_version: item.version,
        number_prefix: item.number_prefix.clone(),
        calendar_edition: desk.rules.current_calendar().edition().to_string(),
        region: desk.region.clone(),
        project_code: project_code.clone(),
        applicant: applicant.clone(),
        agent: agent.clone(),
        received_on,
        form: form.into(),
        materials: materials.clone(),
    }])
}

fn attach(case: &Kernel, material: &Material, desk: &Desk) -> Result<Vec<Event>, Rejection> {
    use super::super::Stage;
    let promised = case
        .tolerance
        .iter()
        .any(|tolerance| tolerance.promised.code == material.code && tolerance.supplied_on.is_none());
    if promised
        || matches!(
            case.stage,
            Stage::Accepted | Stage::Granted | Stage::GrantedTolerance | Stage::Delivered
        )
    {
        return after::supply_tolerated(case, material, desk);
    }
    if case.stage != Stage::Draft {
        all_known(std::slice::from_ref(material), item_of(case, desk)?)?;
    } else if case.materials.len() >= MAX_MATERIALS {
        return Err(too_many());
    }
    Ok(vec![Event::MaterialAttached {
        material: material.clone(),
        on: desk.today(),
    }])
}

fn notify_correction(case: &Kernel, gaps: &[Gap], delivered_by: &str, desk: &Desk) -> Result<Vec<Event>, Rejection> {
    let item = item_of(case, desk)?;
    if gaps.is_empty() {
        return Err(Rejection::NoGaps);
    }
    for gap in gaps {
        written("gaps.reason", &gap.reason)?;
        let Some(rule) = item.materials.iter().find(|rule| rule.code == gap.code) else {
            return Err(Rejection::UnknownMaterial { code: gap.code.clone() });
        };
        if rule.shareable && gap.kind == GapKind::Missing {
            return Err(Rejection::MaterialShared { code: gap.code.clone() });
        }
    }
    if let Some(correction) = &case.correction {
        let is_new = |gap: &Gap| correction.supplied.contains(&gap.code);
        if !gaps.iter().all(is_new) {
            return Err(Rejection::AlreadyNotified {
                notified_on: correction.notified_on,
            });
        }
    }
    if let Some(due_on) = notice_missed(case, item, desk) {
        return Err(Rejection::NoticeTooLate { due_on });
    }
    let notified_on = desk.today();
    not_before_last_receipt("the notice", case, notified_on)?;
    let reply_due_on = add(case, item.correction_reply, notified_on, desk);
    Ok(vec![Event::CorrectionNotified {
        gaps: gaps.to_vec(),
        notified_on,
        reply_due_on,
        delivered_by: delivered_by.to_owned(),
    }])
}

fn supply_correction(case: &Kernel, materials: &[Material], desk: &Desk) -> Result<Vec<Event>, Rejection> {
    let item = item_of(case, desk)?;
    let Some(correction) = &case.correction else {
        return Err(Rejection::NothingThere {
            what: "a correction notice".to_owned(),
        });
    };
    let on = desk.today();
    not_before("the supply", on, "the notice", correction.notified_on)?;
    if on > correction.reply_due_on {
        return Err(Rejection::ReplyTooLate {
            due_on: correction.reply_due_on,
        });
    }
    all_known(materials, item)?;
    let supplied = |code: &String| materials.iter().any(|material| material.code == *code);
    let missing: Vec<String> = correction
        .gaps
        .iter()
        .map(|gap| gap.code.clone())
        .filter(|code| !supplied(code))
        .collect();
    if !missing.is_empty() {
        return Err(Rejection::MaterialsMissing { codes: missing });
    }
    Ok(vec![Event::CorrectionSupplied {
        materials: materials.to_vec(),
        on,
    }])
}

fn accept(
    case: &Kernel,
    mode: AcceptanceMode,
    tolerance: &[Tolerated],
    commitment: Option<&Document>,
    desk: &Desk,
) -> Result<Vec<Event>, Rejection> {
    let item = item_of(case, desk)?;
    let accepted_on = desk.today();
    not_before_last_receipt("the acceptance", case, accepted_on)?;
    if let Some(due_on) = notice_missed(case, item, desk) {
        // The law has accepted it already, from its receipt; saying so late changes nothing.
        return match (mode, case.last_receipt_on()) {
            (AcceptanceMode::Normal, Some(receipt_on)) => Ok(vec![deemed_accepted(item, receipt_on)]),
            _ => Err(Rejection::NoticeTooLate { due_on }),
        };
    }
    if mode == AcceptanceMode::Commitment {
        if !item.commitment {
            return Err(Rejection::CommitmentNotAllowed);
        }
        if commitment.is_none() {
            return Err(Rejection::CommitmentMissing);
        }
    }
    check_tolerance(case, mode, tolerance, item, desk)?;
    let forgiven = |code: &str| tolerance.iter().any(|promised| promised.code == code);
    let missing: Vec<String> = item
        .materials
        .iter()
        .filter(|rule| rule.required && !rule.shareable && !case.has_material(&rule.code) && !forgiven(&rule.code))
        .filter(|rule| !(mode == AcceptanceMode::Commitment && rule.tolerable))
        .map(|rule| rule.code.clone())
        .collect();
    if !missing.is_empty() {
        return Err(Rejection::MaterialsMissing { codes: missing });
    }
    Ok(vec![Event::ApplicationAccepted {
        mode,
        accepted_on,
        statutory: item.statutory,
        promised: item.promised,
        tolerance: tolerance.to_vec(),
        commitment: commitment.filter(|_| mode == AcceptanceMode::Commitment).cloned(),
    }])
}

fn check_tolerance(
    case: &Kernel,
    mode: AcceptanceMode,
    tolerance: &[Tolerated],
    item: &ItemDefinition,
    desk: &Desk,
) -> Result<(), Rejection> {
    let invalid = |reason: &str| Rejection::InvalidInput {
        field: "tolerance".to_owned(),
        reason: reason.to_owned(),
    };
    match mode {
        AcceptanceMode::Tolerance if tolerance.is_empty() => {
            return Err(invalid("name the materials that are promised (请列明容缺材料)"));
        }
        AcceptanceMode::Tolerance => {}
        _ if tolerance.is_empty() => return Ok(()),
        _ => {
            return Err(invalid(
                "only a tolerant acceptance names promised materials (仅容缺受理可列容缺材料)",
            ));
        }
    }
    let today = desk.today();
    let latest = case
        .calendar(&desk.rules)
        .add_working_days(today, item.tolerance_working_days)
        .on;
    for promised in tolerance {
        let Some(rule) = item.materials.iter().find(|rule| rule.code == promised.code) else {
            return Err(Rejection::UnknownMaterial {
                code: promised.code.clone(),
            });
        };
        if !rule.tolerable {
            return Err(Rejection::NotTolerable {
                code: promised.code.clone(),
            });
        }
        if promised.due_on < today || promised.due_on > latest {
            return Err(invalid(&format!(
                "{} must be promised between {today} and {latest}",
                promised.code
            )));
        }
    }
    Ok(())
}

/// 视为受理: nobody told the gaps in time, so the clock runs from the receipt.
pub(super) fn deemed_accepted(item: &ItemDefinition, receipt_on: NaiveDate) -> Event {
    Event::DeemedAccepted {
        receipt_on,
        statutory: item.statutory,
        promised: item.promised,
    }
}

/// The last day for telling the gaps, if it has passed. What was imported came in long ago and is not held to it.
fn notice_missed(case: &Kernel, item: &ItemDefinition, desk: &Desk) -> Option<NaiveDate> {
    let receipt_on = case.last_receipt_on().filter(|_| case.imported.is_none())?;
    let due_on = case
        .calendar(&desk.rules)
        .add_working_days(receipt_on, item.correction_notice_working_days)
        .on;
    (desk.today() > due_on).then_some(due_on)
}

fn not_before_last_receipt(what: &'static str, case: &Kernel, on: NaiveDate) -> Result<(), Rejection> {
    case.last_receipt_on()
        .map_or(Ok(()), |receipt_on| not_before(what, on, "the last receipt", receipt_on))
}

fn add(case: &Kernel, limit: Limit, start: NaiveDate, desk: &Desk) -> NaiveDate {
    use crate::calendar::LimitUnit;
    let calendar = case.calendar(&desk.rules);
    match limit.unit {
        LimitUnit::WorkingDay => calendar.add_working_days(start, limit.n).on,
        LimitUnit::NaturalDay => calendar.add_natural_days(start, limit.n).on,
        LimitUnit::Month => calendar.add_months(start, limit.n).on,
    }
}

fn all_known(materials: &[Material], item: &ItemDefinition) -> Result<(), Rejection> {
    if materials.len() > MAX_MATERIALS {
        return Err(too_many());
    }
    let unknown = |material: &&Material| item.materials.iter().all(|rule| rule.code != material.code);
    match materials.iter().find(unknown) {
        Some(material) => Err(Rejection::UnknownMaterial {
            code: material.code.clone(),
        }),
        None => Ok(()),
    }
}

fn too_many() -> Rejection {
    Rejection::InvalidInput {
        field: "materials".to_owned(),
        reason: format!("at most {MAX_MATERIALS} (最多 {MAX_MATERIALS} 份)"),
    }
}
