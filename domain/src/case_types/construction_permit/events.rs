//! What can happen to a construction permit besides the kernel's events. These names are stored for ever: add, never change.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// What can happen to a construction permit after the decision (建筑法 9–10).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, strum::VariantNames, strum::IntoStaticStr)]
#[allow(missing_docs, reason = "the fields of stored events are named so that they need no second sentence")]
pub enum Event {
    /// 发证. The face is what the permit says, by the national exchange table SPGL_JZGCSGXKXXB_V3.
    PermitIssued { permit_no: String, face: Box<PermitFace>, issued_on: NaiveDate, start_by: NaiveDate },
    /// 开工
    ConstructionStarted { on: NaiveDate, reported_by: String },
    StartExtensionRequested { sequence: u8, reason: String, on: NaiveDate },
    StartExtensionGranted { sequence: u8, from: NaiveDate, to: NaiveDate, by: String, on: NaiveDate },
    StartExtensionRefused { sequence: u8, reason: String, by: String, on: NaiveDate },
    /// 中止施工
    ConstructionSuspendedReported { halted_on: NaiveDate, reported_on: NaiveDate, late: bool, reason: String, maintenance_plan: String },
    /// 恢复施工
    ResumptionReported { on: NaiveDate },
    /// 核验: halted for a year or more.
    RecheckRequested { on: NaiveDate },
    RecheckPassed { findings: Vec<Finding>, by: Vec<String>, on: NaiveDate },
    RecheckFailed { findings: Vec<Finding>, by: Vec<String>, on: NaiveDate },
    /// 变更 of a party, the project lead or the scale.
    PermitAmended { field: String, old: String, new: String, basis: String, on: NaiveDate },
    PermitReplaced { reason: String, on: NaiveDate },
    /// 自行废止: not started in time.
    PermitLapsed { due_on: NaiveDate },
    /// 竣工
    CompletionFiled { filing_no: String, on: NaiveDate },
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
