//! What can happen to a construction permit besides the kernel's events. These names are stored for ever: add, never change.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// What can happen to a construction permit after the decision (建筑法 9–10).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, strum::VariantNames, strum::IntoStaticStr)]
#[allow(
    missing_docs,
    reason = "the fields of stored events are named so that they need no second sentence"
)]
pub enum Event {
    /// 发证. The face is what the permit says, by the national exchange table `SPGL_JZGCSGXKXXB_V3`.
    PermitIssued {
        permit_no: String,
        face: Box<PermitFace>,
        issued_on: NaiveDate,
        start_by: NaiveDate,
    },
    /// 开工
    ConstructionStarted {
        on: NaiveDate,
        reported_by: String,
    },
    StartExtensionRequested {
        sequence: u8,
        reason: String,
        on: NaiveDate,
    },
    StartExtensionGranted {
        sequence: u8,
        from: NaiveDate,
        to: NaiveDate,
        by: String,
        on: NaiveDate,
    },
    StartExtensionRefused {
        sequence: u8,
        reason: String,
        by: String,
        on: NaiveDate,
    },
    /// 中止施工
    ConstructionSuspendedReported {
        halted_on: NaiveDate,
        reported_on: NaiveDate,
        late: bool,
        reason: String,
        maintenance_plan: String,
    },
    /// 恢复施工
    ResumptionReported {
        on: NaiveDate,
    },
    /// 核验: halted for a year or more.
    RecheckRequested {
        on: NaiveDate,
    },
    RecheckPassed {
        findings: Vec<Finding>,
        by: Vec<String>,
        on: NaiveDate,
    },
    RecheckFailed {
        findings: Vec<Finding>,
        by: Vec<String>,
        on: NaiveDate,
    },
    /// 变更 of a party, the project lead or the scale.
    PermitAmended {
        field: String,
        old: String,
        new: String,
        basis: String,
        on: NaiveDate,
    },
    PermitReplaced {
        reason: String,
        on: NaiveDate,
    },
    /// 自行废止: not started in time.
    PermitLapsed {
        due_on: NaiveDate,
    },
    /// 竣工
    CompletionFiled {
        filing_no: String,
        on: NaiveDate,
    },
}

/// One condition looked at in a recheck.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields explain themselves")]
pub struct Finding {
    pub condition: String,
    pub passed: bool,
    pub note: String,
}

/// What the permit says (施工许可证照面).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields mirror the form, whose titles are in form.json")]
pub struct PermitFace {
    pub permit_no: String,
    pub project_code: String,
    pub region: String,
    pub project_name: String,
    pub address: String,
    pub longitude_latitude: Option<String>,
    pub nature: Nature,
    pub scale: String,
    pub contract_price_fen: i64,
    pub area_cm2: i64,
    pub area_above_cm2: i64,
    pub area_below_cm2: i64,
    pub area_civil_defence_cm2: i64,
    pub planned_start_on: NaiveDate,
    pub planned_completion_on: NaiveDate,
    pub land_permit_no: String,
    pub planning_permit_no: String,
    pub award_no: Option<String>,
    pub review_certificate_no: Option<String>,
    pub specialty: String,
    pub participants: Vec<Participant>,
    pub issuer: String,
    pub issued_on: NaiveDate,
    pub remark: Option<String>,
}

/// A party to the building works (五方责任主体 and others).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields explain themselves")]
pub struct Participant {
    pub role: ParticipantRole,
    pub name: String,
    /// 统一社会信用代码
    pub uscc: String,
    /// 项目负责人 / 总监
    pub lead_name: String,
}

/// What a party does in the works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, strum::IntoStaticStr)]
pub enum ParticipantRole {
    /// 建设单位
    Client,
    /// 勘察单位
    Survey,
    /// 设计单位
    Design,
    /// 施工单位
    Construction,
    /// 监理单位
    Supervision,
    /// 工程总承包单位
    GeneralContractor,
}

/// 建设性质
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
pub enum Nature {
    /// 新建
    New,
    /// 改建
    Rebuild,
    /// 扩建
    Extension,
    /// 装修
    Decoration,
    /// 拆除
    Demolition,
}

impl Event {
    /// One line in Chinese and one in English.
    pub fn say(&self) -> (String, String) {
        match self {
            Self::PermitIssued { permit_no, start_by, .. } => (
                format!("核发施工许可证 {permit_no}，应于 {start_by} 前开工"),
                format!("permit {permit_no} was issued; the works must start by {start_by}"),
            ),
            Self::ConstructionStarted { on, .. } => (format!("{on} 开工"), format!("the works started on {on}")),
            Self::StartExtensionRequested { sequence, reason, .. } => (
                format!("申请第{sequence}次延期开工：{reason}"),
                format!("start extension {sequence} was requested: {reason}"),
            ),
            Self::StartExtensionGranted { sequence, to, .. } => (
                format!("同意第{sequence}次延期开工，延至 {to}"),
                format!("start extension {sequence} was granted until {to}"),
            ),
            Self::StartExtensionRefused { sequence, reason, .. } => (
                format!("不同意第{sequence}次延期开工：{reason}"),
                format!("start extension {sequence} was refused: {reason}"),
            ),
            Self::ConstructionSuspendedReported {
                halted_on, late, reason, ..
            } => (
                format!(
                    "报告自 {halted_on} 中止施工{}：{reason}",
                    if *late { "（逾期报告）" } else { "" }
                ),
                format!(
                    "a halt since {halted_on} was reported{}: {reason}",
                    if *late { " late" } else { "" }
                ),
            ),
            Self::ResumptionReported { on } => (format!("{on} 恢复施工"), format!("the works went on on {on}")),
            Self::RecheckRequested { .. } => ("申请核验施工许可证".to_owned(), "a recheck was requested".to_owned()),
            Self::RecheckPassed { by, .. } => (
                format!("核验合格（{}）", by.join("、")),
                format!("the recheck was passed ({})", by.join(", ")),
            ),
            Self::RecheckFailed { by, .. } => (
                format!("核验不合格（{}），收回施工许可证", by.join("、")),
                format!("the recheck failed ({}); the permit is taken back", by.join(", ")),
            ),
            Self::PermitAmended { field, old, new, .. } => (
                format!("变更 {field}：{old} → {new}"),
                format!("{field} was amended from {old} to {new}"),
            ),
            Self::PermitReplaced { reason, .. } => (
                format!("补发施工许可证：{reason}"),
                format!("the permit was replaced: {reason}"),
            ),
            Self::PermitLapsed { due_on } => (
                format!("逾期未开工（{due_on}），施工许可证自行废止"),
                format!("not started by {due_on}: the permit lapsed"),
            ),
            Self::CompletionFiled { filing_no, .. } => (
                format!("竣工备案 {filing_no}"),
                format!("completion was filed as {filing_no}"),
            ),
        }
    }
}
