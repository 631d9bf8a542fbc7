//! The words that the kernel's events are made of: parties, materials, steps, kinds. Their names are stored for ever: add, never change.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Which number.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::Display, strum::IntoStaticStr,
)]
pub enum NumberKind {
    /// 办件编号
    Case,
    /// 受理编号
    Acceptance,
    /// 补正通知书编号
    CorrectionNotice,
    /// 特别程序通知书编号
    SuspensionNotice,
    /// 决定书编号
    Decision,
    /// 证照编号 (施工许可证编号)
    Licence,
    /// 档案编号
    Archive,
}

/// A party to a case: 自然人, 法人 or another organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// What they are.
    pub kind: PartyKind,
    /// Their name.
    pub name: String,
    /// 统一社会信用代码 of an organisation, 公民身份号码 or another document's number of a person.
    pub id_no: String,
    /// What kind of document the number is of.
    pub id_kind: IdKind,
    /// 法定代表人
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_representative: Option<String>,
    /// 电话
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// 地址
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// What a party is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PartyKind {
    /// 自然人
    Person,
    /// 法人
    LegalPerson,
    /// 其他组织
    Other,
}

/// What kind of number identifies a party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum IdKind {
    /// 统一社会信用代码
    Uscc,
    /// 居民身份证
    ResidentId,
    /// 护照
    Passport,
    /// 军官证
    MilitaryId,
    /// 其他
    Other,
}

/// A stored file: its content's hash is its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// SHA-256 of the content, in hex.
    pub sha256: String,
    /// The file's name.
    pub name: String,
    /// Its size.
    pub size_bytes: u64,
    /// Its media type.
    pub media_type: String,
}

/// A material as it was handed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Material {
    /// Its code in the item's list (`M01`).
    pub code: String,
    /// The file, unless only paper was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
    /// Where it came from.
    pub source: MaterialSource,
    /// 原件份数
    pub originals: u8,
    /// 复印件份数
    pub copies: u8,
}

/// Where a material came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MaterialSource {
    /// 上传
    Upload,
    /// 共享数据
    Shared,
    /// 电子证照
    ELicence,
    /// 窗口扫描
    Scan,
}

/// One gap of a correction notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Which material.
    pub code: String,
    /// 补齐 (missing) or 补正 (wrong).
    pub kind: GapKind,
    /// What is wrong with it and what to do.
    pub reason: String,
}

/// Whether something is missing or wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString)]
pub enum GapKind {
    /// 补齐
    Missing,
    /// 补正
    Defective,
}

/// How an application was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString)]
pub enum AcceptanceMode {
    /// 正常受理
    Normal,
    /// 容缺受理
    Tolerance,
    /// 告知承诺
    Commitment,
}

/// A material promised at a tolerant acceptance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tolerated {
    /// Which material.
    pub code: String,
    /// By when it is promised.
    pub due_on: NaiveDate,
}

/// Why an application was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString)]
pub enum NotAcceptedKind {
    /// 不受理: no permit is needed.
    NotRequired,
    /// 不予受理: another authority's business.
    OutOfScope,
}

/// Somebody of the bureau to whom a case is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Officer {
    /// The account's id.
    pub id: String,
    /// The name at that time.
    pub name: String,
}

/// A step of the bureau's own work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
pub enum Step {
    /// 承办
    Handling,
    /// 审核
    Section,
    /// 批准
    Decision,
}

/// What somebody concluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
pub enum Conclusion {
    /// 同意
    Agree,
    /// 不同意
    Disagree,
    /// 退回
    Return,
    /// 需补正
    NeedsCorrection,
}

/// Why the clock stands still (行政许可法 45 and the like).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
pub enum PauseKind {
    /// 补正
    Correction,
    /// 听证
    Hearing,
    /// 招标
    Tender,
    /// 检验
    Inspection,
    /// 检测
    Testing,
    /// 鉴定
    Appraisal,
    /// 专家评审
    ExpertReview,
    /// 公示
    Publicity,
    /// 整改
    Rectification,
    /// 现场踏勘
    SiteVisit,
    /// 缴费
    Payment,
    /// 司法限制
    JudicialRestriction,
}

/// A field that was changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Which field.
    pub field: String,
    /// What it was.
    pub old: serde_json::Value,
    /// What it is now.
    pub new: serde_json::Value,
}

/// Why a licence was printed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString)]
pub enum ReplacementKind {
    /// 补证
    Lost,
    /// 换证
    Renewed,
}

/// How a document reached the applicant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString)]
pub enum DeliveryMethod {
    /// 窗口领取
    Window,
    /// 邮寄
    Mail,
    /// 电子
    Electronic,
}

/// How urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, strum::IntoStaticStr)]
pub enum WarningLevel {
    /// 黄
    Yellow,
    /// 红
    Red,
}

/// Which of a case's three limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::IntoStaticStr)]
pub enum LimitKind {
    /// 法定
    Statutory,
    /// 承诺
    Promised,
    /// 内部预警
    Internal,
}

/// What came of looking into a bad review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString)]
pub enum ReviewVerdict {
    /// 属实
    Founded,
    /// 不实
    Unfounded,
    /// 误评
    Mistaken,
}

/// What a step of a former system meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::EnumString)]
pub enum ImportedStep {
    /// 收件回执
    ReceiptConfirmed,
    /// 核对
    Checked,
    /// 认定
    Determined,
    /// 发出
    Sent,
    /// 修改
    Adjusted,
    /// 停办意见
    StopAdvised,
    /// 征求意见
    AdviceRequested,
    /// 意见
    AdviceGiven,
    /// 要求补充
    Requested,
    /// 报告
    Reported,
    /// 其他
    Other,
}
