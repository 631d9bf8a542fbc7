//! Whether a permit is needed at all, and the conditions under which it may be granted (建筑法 7, 8 and the laws beside it).

use serde_json::Value;

use super::{ConstructionPermit, Rejection, face, parameter};
use crate::{
    case::{CaseState, Kernel},
    rules::Rules,
};

/// One condition of granting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, strum::VariantArray, strum::IntoStaticStr)]
pub enum Condition {
    /// 用地批准手续 (建筑法 8 一)
    LandApproved,
    /// 规划许可证 (建筑法 8 二)
    PlanningPermitted,
    /// 拆迁进度符合施工要求 (建筑法 8 三)
    DemolitionFarEnough,
    /// 已经确定施工企业 (建筑法 8 四)
    ContractorChosen,
    /// 施工图纸及技术资料 (建筑法 8 五)
    DrawingsReviewed,
    /// 资金安排 (建筑法 8 五)
    FundsArranged,
    /// 保证质量和安全的具体措施 (建筑法 8 六, 安全条例 42)
    SafetyMeasures,
    /// 消防设计审查 (消防法 11–12)
    FireReviewed,
    /// 人防意见
    CivilDefence,
    /// 节能审查 (民用建筑节能条例 13)
    EnergyReviewed,
}

impl Condition {
    /// 条件
    pub fn zh(self) -> &'static str {
        match self {
            Self::LandApproved => "已办理用地批准手续（M02）",
            Self::PlanningPermitted => "已取得建设工程规划许可证（M03）",
            Self::DemolitionFarEnough => "拆迁进度符合施工要求（M09）",
            Self::ContractorChosen => "已确定施工企业（M04）",
            Self::DrawingsReviewed => "施工图设计文件已审查合格（M05）",
            Self::FundsArranged => "建设资金已落实（M06）",
            Self::SafetyMeasures => "有保证工程质量和安全的具体措施（M07）",
            Self::FireReviewed => "特殊建设工程消防设计审查合格（M08）",
            Self::CivilDefence => "人防工程设计已审查（M10）",
            Self::EnergyReviewed => "已通过节能审查",
        }
    }

    /// The condition in English.
    pub fn en(self) -> &'static str {
        match self {
            Self::LandApproved => "the land is approved (M02)",
            Self::PlanningPermitted => "there is a planning permit (M03)",
            Self::DemolitionFarEnough => "the demolition is far enough (M09)",
            Self::ContractorChosen => "a contractor is chosen (M04)",
            Self::DrawingsReviewed => "the drawings passed review (M05)",
            Self::FundsArranged => "the funds are arranged (M06)",
            Self::SafetyMeasures => "there are measures for quality and safety (M07)",
            Self::FireReviewed => "the fire design of special works passed review (M08)",
            Self::CivilDefence => "the civil defence design was reviewed (M10)",
            Self::EnergyReviewed => "the energy review is passed",
        }
    }

    /// Whether the case meets it, by its materials and its form.
    fn is_met(self, case: &Kernel, form: &Value) -> bool {
        match self {
            Self::LandApproved => holds(case, "M02") && filled(form, "land_permit_no"),
            Self::PlanningPermitted => holds(case, "M03") && filled(form, "planning_permit_no"),
            Self::DemolitionFarEnough => !yes(form, "demolition_needed") || holds(case, "M09"),
            Self::ContractorChosen => holds(case, "M04") && face::has_contractor(form),
            Self::DrawingsReviewed => holds(case, "M05") && filled(form, "review_certificate_no"),
            Self::FundsArranged => holds(case, "M06"),
            Self::SafetyMeasures => holds(case, "M07"),
            Self::FireReviewed => !yes(form, "special_fire_design") || (holds(case, "M08") && filled(form, "fire_review_no")),
            Self::CivilDefence => {
                face::area_cm2(form, "area_civil_defence_m2").is_none_or(|area| area == 0) || holds(case, "M10")
            }
            Self::EnergyReviewed => yes(form, "energy_review_passed"),
        }
    }
}

/// All conditions together, so that the officer reads once what is missing.
pub(super) fn all_met(case: &Kernel) -> Result<(), Rejection> {
    let form = case.form.read();
    let unmet = |condition: &Condition| !condition.is_met(case, &form);
    let conditions: Vec<Condition> = <Condition as strum::VariantArray>::VARIANTS
        .iter()
        .copied()
        .filter(unmet)
        .collect();
    if conditions.is_empty() {
        Ok(())
    } else {
        Err(Rejection::ConditionsUnmet { conditions })
    }
}

/// Small works need no permit; the thresholds are the item's, for a province may raise them.
pub(super) fn needs_permit(case: &CaseState<ConstructionPermit>, rules: &Rules) -> Result<(), Rejection> {
    let contract_price_fen = parameter(&case.kernel, rules, "exempt_contract_price_fen")?;
    let area_cm2 = parameter(&case.kernel, rules, "exempt_area_cm2")?;
    let form = case.kernel.form.read();
    let small_price = face::contract_price_fen(&form).is_some_and(|price| price <= contract_price_fen);
    let small_area = face::area_cm2(&form, "area_m2").is_some_and(|area| area <= area_cm2);
    if small_price || small_area {
        return Err(Rejection::NoPermitNeeded {
            contract_price_fen,
            area_cm2,
        });
    }
    Ok(())
}

/// The material is here; or its absence is covered by a promise (容缺) or by the commitment (告知承诺).
fn holds(case: &Kernel, code: &str) -> bool {
    let promised = || {
        case.tolerance
            .iter()
            .any(|tolerance| tolerance.promised.code == code && !tolerance.defaulted)
    };
    let committed = || case.commitment.is_some() && is_tolerable(code);
    case.has_material(code) || promised() || committed()
}

/// What a commitment may stand in for: the materials that may be promised, never the safety measures.
fn is_tolerable(code: &str) -> bool {
    super::ITEMS
        .iter()
        .flat_map(|item| &item.materials)
        .any(|rule| rule.code == code && rule.tolerable)
}

fn filled(form: &Value, field: &str) -> bool {
    form.get(field)
        .and_then(Value::as_str)
        .is_some_and(|text| !text.trim().is_empty())
}

fn yes(form: &Value, field: &str) -> bool {
    form.get(field).and_then(Value::as_bool).unwrap_or(false)
}
