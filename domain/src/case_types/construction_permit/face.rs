//! What the permit says (照面), read from the form; and what of it may be amended later.

use std::cell::LazyCell;

use chrono::{Datelike, NaiveDate};
use serde_json::Value;

use super::{ConstructionPermit, Nature, Participant, ParticipantRole, PermitFace, Rejection};
use crate::{
    case::{CaseState, Fact, Kernel, NumberKind, NumberWanted, form::Defect},
    values::{Area, Money, Region, Specialty, Uscc},
};

/// What can be amended, as the asker writes it.
pub(super) const AMENDABLE: &str = "project_name, address, scale, contract_price_wan, area_m2, planned_start_on, planned_completion_on, remark, \
    and name, uscc or lead_name of a participant such as Construction.lead_name";

/// The text of a field; none if it is empty.
pub(super) fn text(form: &Value, field: &str) -> Option<String> {
    form.get(field)?
        .as_str()
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

pub(super) fn contract_price_fen(form: &Value) -> Option<i64> {
    Money::parse_wan_yuan(&text(form, "contract_price_wan")?).ok().map(Money::fen)
}

pub(super) fn area_cm2(form: &Value, field: &str) -> Option<i64> {
    Area::parse(&text(form, field)?).ok().map(Area::cm2)
}

fn date(form: &Value, field: &str) -> Option<NaiveDate> {
    text(form, field)?.parse().ok()
}

/// The participants of the form; rows that name no known role are left out.
pub(super) fn participants(form: &Value) -> Vec<Participant> {
    let rows = form
        .get("participants")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    rows.iter()
        .filter_map(|row| {
            let role: ParticipantRole = serde_json::from_value(row.get("role")?.clone()).ok()?;
            let uscc = Uscc::parse(&text(row, "uscc")?).ok()?.to_string();
            Some(Participant {
                role,
                name: text(row, "name")?,
                uscc,
                lead_name: text(row, "lead_name")?,
            })
        })
        .collect()
}

/// 已经确定施工企业
pub(super) fn has_contractor(form: &Value) -> bool {
    let contractor = |participant: &Participant| {
        matches!(
            participant.role,
            ParticipantRole::Construction | ParticipantRole::GeneralContractor
        )
    };
    participants(form).iter().any(contractor)
}

/// What single fields cannot tell: dates in the wrong order, areas that do not add up, a client that is missing.
pub(super) fn contradictions(form: &Value) -> Vec<Defect> {
    let mut found = Vec::new();
    let mut defect = |field: &str, zh: &str, en: &str| {
        found.push(Defect {
            field: field.to_owned(),
            zh: zh.to_owned(),
            en: en.to_owned(),
        });
    };
    if date(form, "planned_completion_on") < date(form, "planned_start_on") {
        defect(
            "planned_completion_on",
            "计划竣工日期早于计划开工日期",
            "the planned completion lies before the planned start",
        );
    }
    let parts = area_cm2(form, "area_above_m2")
        .zip(area_cm2(form, "area_below_m2"))
        .and_then(|(above, below)| above.checked_add(below));
    if parts != area_cm2(form, "area_m2") {
        defect(
            "area_m2",
            "地上与地下建筑面积之和不等于总建筑面积",
            "the areas above and below ground do not add up to the total",
        );
    }
    if participants(form)
        .iter()
        .all(|participant| participant.role != ParticipantRole::Client)
    {
        defect("participants", "请填写建设单位", "the client (建设单位) is missing");
    }
    found
}

/// The series of permit numbers of the place and the day of filing: 区划 6 + 报建日期 8 + 当日序号 2 + 专业 2.
pub(super) fn permit_no_wanted(case: &Kernel) -> Option<NumberWanted> {
    let form = case.form.read();
    let region = Region::parse(&text(&form, "region")?).ok()?;
    let specialty = Specialty::parse(&text(&form, "specialty")?).ok()?;
    let filed_on = case.received_on?;
    let head = format!("{region}{:04}{:02}{:02}", filed_on.year(), filed_on.month(), filed_on.day());
    let template = format!("{head}{{seq:02}}{specialty}");
    Some(NumberWanted {
        kind: NumberKind::Licence,
        series: format!("SGXKZ{head}"),
        template,
    })
}

/// The face of the permit, from the form as it stands; none if the form lacks what every permit says.
pub(super) fn of(case: &Kernel, permit_no: &str, issued_on: NaiveDate) -> Option<PermitFace> {
    let form = &case.form.read();
    Some(PermitFace {
        permit_no: permit_no.to_owned(),
        project_code: text(form, "project_code").or_else(|| case.project_code.clone())?,
        region: text(form, "region")?,
        project_name: text(form, "project_name")?,
        address: text(form, "address")?,
        longitude_latitude: text(form, "longitude_latitude"),
        nature: serde_json::from_value::<Nature>(form.get("nature")?.clone()).ok()?,
        scale: text(form, "scale")?,
        contract_price_fen: contract_price_fen(form)?,
        area_cm2: area_cm2(form, "area_m2")?,
        area_above_cm2: area_cm2(form, "area_above_m2")?,
        area_below_cm2: area_cm2(form, "area_below_m2")?,
        area_civil_defence_cm2: area_cm2(form, "area_civil_defence_m2").unwrap_or(0),
        planned_start_on: date(form, "planned_start_on")?,
        planned_completion_on: date(form, "planned_completion_on")?,
        land_permit_no: text(form, "land_permit_no")?,
        planning_permit_no: text(form, "planning_permit_no")?,
        award_no: text(form, "award_no"),
        review_certificate_no: text(form, "review_certificate_no"),
        specialty: text(form, "specialty")?,
        participants: participants(form),
        issuer: issuer(&case.region),
        issued_on,
        remark: text(form, "remark"),
    })
}

/// The bureau of the region, by its name where the region is known.
fn issuer(region: &str) -> String {
    let name = Region::parse(region).ok().and_then(|region| region.full_name());
    format!("{}住房和城乡建设局", name.as_deref().unwrap_or(region))
}

/// What a field of the face says now.
pub(super) fn get(face: &PermitFace, field: &str) -> Result<String, Rejection> {
    let unknown = || Rejection::UnknownField {
        field: field.to_owned(),
        known: AMENDABLE,
    };
    Ok(match field {
        "project_name" => face.project_name.clone(),
        "address" => face.address.clone(),
        "scale" => face.scale.clone(),
        "contract_price_wan" => Money::from_fen(face.contract_price_fen).wan_yuan(),
        "area_m2" => Area::from_cm2(face.area_cm2).m2(),
        "planned_start_on" => face.planned_start_on.to_string(),
        "planned_completion_on" => face.planned_completion_on.to_string(),
        "remark" => face.remark.clone().unwrap_or_default(),
        _ => {
            let (role, part) = field.split_once('.').ok_or_else(unknown)?;
            let named = |participant: &&Participant| <&'static str>::from(participant.role) == role;
            let participant = face.participants.iter().find(named).ok_or_else(unknown)?;
            match part {
                "name" => participant.name.clone(),
                "uscc" => participant.uscc.clone(),
                "lead_name" => participant.lead_name.clone(),
                _ => return Err(unknown()),
            }
        }
    })
}

/// Writes a field of the face. A value that does not fit leaves the face as it was.
pub(super) fn set(face: &mut PermitFace, field: &str, new: &str) -> Result<(), Rejection> {
    let unknown = || Rejection::UnknownField {
        field: field.to_owned(),
        known: AMENDABLE,
    };
    let invalid = |reason: String| Rejection::InvalidValue {
        field: "new".to_owned(),
        reason,
    };
    let date = || {
        new.parse::<NaiveDate>()
            .map_err(|_| invalid("日期格式为 2026-09-18".to_owned()))
    };
    if new.trim().is_empty() && field != "remark" {
        return Err(Rejection::Empty { field: "new" });
    }
    match field {
        "project_name" => new.clone_into(&mut face.project_name),
        "address" => new.clone_into(&mut face.address),
        "scale" => new.clone_into(&mut face.scale),
        "contract_price_wan" => {
            face.contract_price_fen = Money::parse_wan_yuan(new).map_err(|error| invalid(error.to_string()))?.fen();
        }
        "area_m2" => face.area_cm2 = Area::parse(new).map_err(|error| invalid(error.to_string()))?.cm2(),
        "planned_start_on" => face.planned_start_on = date()?,
        "planned_completion_on" => face.planned_completion_on = date()?,
        "remark" => face.remark = Some(new.to_owned()).filter(|remark| !remark.is_empty()),
        _ => {
            let (role, part) = field.split_once('.').ok_or_else(unknown)?;
            let named = |participant: &&mut Participant| <&'static str>::from(participant.role) == role;
            let participant = face.participants.iter_mut().find(named).ok_or_else(unknown)?;
            match part {
                "name" => new.clone_into(&mut participant.name),
                "uscc" => participant.uscc = Uscc::parse(new).map_err(|error| invalid(error.to_string()))?.to_string(),
                "lead_name" => new.clone_into(&mut participant.lead_name),
                _ => return Err(unknown()),
            }
        }
    }
    Ok(())
}

/// What lists and reports show: from the permit once it is issued, from the form before.
pub(super) fn facts(case: &CaseState<ConstructionPermit>) -> Vec<Fact> {
    // The permit says nearly all; the form is taken apart only for what it does not.
    let form = LazyCell::new(|| case.kernel.form.read());
    let of_form = LazyCell::new(|| participants(&form));
    let face = case.own.face.as_deref();
    let mut facts = Vec::new();
    let mut add = |name, name_zh, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            facts.push(Fact { name, name_zh, value });
        }
    };
    let said = |field: &str| face.and_then(|face| get(face, field).ok()).or_else(|| text(&form, field));
    let named = |role: ParticipantRole| {
        let participants = face.map_or_else(|| of_form.as_slice(), |face| face.participants.as_slice());
        let found = participants.iter().find(|participant| participant.role == role);
        found.map(|participant| participant.name.clone())
    };
    add("permit_no", "施工许可证编号", case.own.permit_no.clone());
    add("project_name", "工程名称", said("project_name"));
    add(
        "project_code",
        "项目代码",
        face.map(|face| face.project_code.clone())
            .or_else(|| text(&form, "project_code"))
            .or_else(|| case.kernel.project_code.clone()),
    );
    add("address", "建设地址", said("address"));
    let nature = face.map(|face| <&'static str>::from(face.nature).to_owned());
    add("nature", "建设性质", nature.or_else(|| text(&form, "nature")));
    add("scale", "建设规模", said("scale"));
    add("area_m2", "总建筑面积（平方米）", said("area_m2"));
    add("contract_price_wan", "合同价格（万元）", said("contract_price_wan"));
    let specialty = face.map(|face| face.specialty.clone());
    add("specialty", "工程专业", specialty.or_else(|| text(&form, "specialty")));
    add("client", "建设单位", named(ParticipantRole::Client));
    add(
        "contractor",
        "施工单位",
        named(ParticipantRole::Construction).or_else(|| named(ParticipantRole::GeneralContractor)),
    );
    add("issued_on", "发证日期", case.own.issued_on.map(|on| on.to_string()));
    add("start_by", "开工期限", case.own.start_by.map(|on| on.to_string()));
    facts
}
