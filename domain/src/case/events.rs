//! What can happen to any case. These names are stored for ever: add, never change.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::calendar::Limit;

/// What can happen to any case. Dates are business dates; who and when it was recorded stand in the metadata.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, strum::VariantNames, strum::IntoStaticStr)]
#[allow(
    missing_docs,
    reason = "the fields of stored events are named so that they need no second sentence"
)]
pub enum Event {
    /// 申请. The item's version and the calendar's edition are pinned here.
    ApplicationSubmitted {
        item_code: String,
        item_version: u32,
        /// What the item's numbers begin with.
        #[serde(default)]
        number_prefix: String,
        calendar_edition: String,
        region: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        project_code: Option<String>,
        applicant: Party,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent: Option<Party>,
        received_on: NaiveDate,
        form: serde_json::Value,
        materials: Vec<Material>,
    },
    /// 编号. A number arrived from its series.
    NumberAssigned {
        kind: NumberKind,
        number: String,
        wanted_by: Uuid,
    },
    MaterialAttached {
        material: Material,
        on: NaiveDate,
    },
    MaterialRejected {
        code: String,
        reason: String,
        on: NaiveDate,
    },
    /// 一次告知补正
    CorrectionNotified {
        gaps: Vec<Gap>,
        notified_on: NaiveDate,
        reply_due_on: NaiveDate,
        delivered_by: String,
    },
    CorrectionSupplied {
        materials: Vec<Material>,
        on: NaiveDate,
    },
    /// The applicant let the time for supplying pass.
    CorrectionLapsed {
        due_on: NaiveDate,
    },
    /// 受理
    ApplicationAccepted {
        mode: AcceptanceMode,
        accepted_on: NaiveDate,
        statutory: Limit,
        promised: Limit,
        #[serde(default)]
        tolerance: Vec<Tolerated>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commitment: Option<Document>,
    },
    /// 视为受理: nobody told the gaps in time (行政许可法 32); the clock runs from receipt.
    DeemedAccepted {
        receipt_on: NaiveDate,
        statutory: Limit,
        promised: Limit,
    },
    NotAccepted {
        kind: NotAcceptedKind,
        reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refer_to: Option<String>,
        on: NaiveDate,
    },
    HandlerAssigned {
        to: Officer,
        by: String,
        reason: String,
        on: NaiveDate,
    },
    HandlerReassigned {
        from: String,
        to: Officer,
        by: String,
        reason: String,
        on: NaiveDate,
    },
    OpinionRecorded {
        step: Step,
        conclusion: Conclusion,
        text: String,
        by: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<String>,
        on: NaiveDate,
    },
    ClockSuspended {
        kind: PauseKind,
        counts_against_limit: bool,
        basis: String,
        expected_working_days: u32,
        on: NaiveDate,
    },
    ClockResumed {
        kind: PauseKind,
        evidence: String,
        on: NaiveDate,
    },
    DeadlineExtended {
        add_working_days: u32,
        approver: String,
        reason: String,
        on: NaiveDate,
    },
    ReviewCompleted {
        conclusion: Conclusion,
        by: String,
        second_officer: String,
        on: NaiveDate,
    },
    ReturnedForRework {
        to: Step,
        by: String,
        reason: String,
        on: NaiveDate,
    },
    /// 审核人收回自己的审核意见, before the next one acted.
    ApprovalRecalled {
        by: String,
        reason: String,
        on: NaiveDate,
    },
    ApprovedBySection {
        by: String,
        on: NaiveDate,
    },
    DecisionGranted {
        with_tolerance: bool,
        #[serde(default)]
        conditions: Vec<String>,
        by: String,
        on: NaiveDate,
    },
    DecisionRefused {
        reasons: Vec<String>,
        remedies: Vec<String>,
        by: String,
        on: NaiveDate,
    },
    LicenceAmended {
        changes: Vec<Change>,
        basis: String,
        version: u32,
        on: NaiveDate,
    },
    LicenceReplaced {
        kind: ReplacementKind,
        reason: String,
        version: u32,
        on: NaiveDate,
    },
    /// 注销 (行政许可法 70)
    LicenceCancelled {
        article: String,
        reason: String,
        on: NaiveDate,
    },
    /// 撤销 (行政许可法 69)
    DecisionRevoked {
        article: String,
        reason: String,
        on: NaiveDate,
    },
    DocumentDelivered {
        method: DeliveryMethod,
        receiver: String,
        on: NaiveDate,
    },
    CaseArchived {
        retention: String,
        volume_hash: String,
        on: NaiveDate,
    },
    WithdrawalRequested {
        reason: String,
        by: String,
        on: NaiveDate,
    },
    WithdrawalConfirmed {
        by: String,
        on: NaiveDate,
    },
    WithdrawalDeclined {
        by: String,
        reason: String,
        on: NaiveDate,
    },
    ToleranceMaterialSupplied {
        material: Material,
        on: NaiveDate,
    },
    ToleranceDefaulted {
        code: String,
        due_on: NaiveDate,
    },
    CommitmentVerified {
        kept: bool,
        by: Vec<String>,
        note: String,
        on: NaiveDate,
    },
    CommitmentBreached {
        false_commitment: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rectify_due_on: Option<NaiveDate>,
        on: NaiveDate,
    },
    CommitmentRectified {
        by: Vec<String>,
        on: NaiveDate,
    },
    WarningRaised {
        level: WarningLevel,
        limit: LimitKind,
        on: NaiveDate,
    },
    OverdueRaised {
        limit: LimitKind,
        due_on: NaiveDate,
        on: NaiveDate,
    },
    /// 督办
    Supervised {
        by: String,
        opinion: String,
        reply_due_on: NaiveDate,
        on: NaiveDate,
    },
    SupervisionAnswered {
        by: String,
        reply: String,
        on: NaiveDate,
    },
    SatisfactionRated {
        grade: u8,
        channel: String,
        tags: Vec<String>,
        comment: String,
        on: NaiveDate,
    },
    BadReviewHandled {
        verdict: ReviewVerdict,
        measures: String,
        contacted_on: NaiveDate,
        closed_on: NaiveDate,
    },
    /// Never edits an event: says what is to be read differently from now on.
    DataCorrected {
        path: String,
        old: serde_json::Value,
        new: serde_json::Value,
        reason: String,
        approvers: Vec<String>,
        on: NaiveDate,
    },
    /// The case goes over to a newly published calendar; provisional due dates become certain.
    CalendarAdopted {
        edition: String,
        on: NaiveDate,
    },
    /// A case of a former system, with its own number and the row that it came from.
    ImportedCaseOpened {
        batch: String,
        source: String,
        legacy_id: String,
        item_code: String,
        region: String,
        attributes: BTreeMap<String, String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        activity: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resource: Option<String>,
        submitted_at: DateTime<Utc>,
    },
    /// A step that the former system recorded.
    ImportedStepRecorded {
        batch: String,
        step: ImportedStep,
        activity: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resource: Option<String>,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        attributes: BTreeMap<String, String>,
        at: DateTime<Utc>,
    },
    /// The outcome that the former system recorded.
    ImportedDecisionRecorded {
        batch: String,
        granted: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        licence_no: Option<String>,
        at: DateTime<Utc>,
    },
    /// 迁移回退: the batch is taken back; every view is as before it.
    ImportRolledBack {
        batch: String,
        reason: String,
    },
}

impl Event {
    /// The event's own business time, where it has one of its own: what a former system recorded keeps its time.
    pub fn occurred_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::ImportedCaseOpened { submitted_at, .. } => Some(*submitted_at),
            Self::ImportedStepRecorded { at, .. } | Self::ImportedDecisionRecorded { at, .. } => Some(*at),
            _ => None,
        }
    }
}

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
