//! What every case remembers, and why it may refuse.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::events::{
    AcceptanceMode, Conclusion, Document, Gap, LimitKind, Material, NumberKind, Officer, Party, PauseKind, Step, Tolerated, WarningLevel,
};
use crate::calendar::Limit;

/// Where a case stands. The names match the code values of live approval systems (工程审批系统 ItemStatus).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, strum::Display, strum::IntoStaticStr,
    strum::EnumString, strum::VariantArray,
)]
pub enum Stage {
    /// 草稿: nothing filed yet.
    #[default]
    Draft,
    /// 已接件
    Received,
    /// 补正中
    AwaitingCorrection,
    /// 已受理
    Accepted,
    /// 承办中
    UnderReview,
    /// 特别程序 (时限中止)
    Suspended,
    /// 待审核
    PendingApproval,
    /// 待批准
    PendingDecision,
    /// 准予
    Granted,
    /// 容缺准予
    GrantedTolerance,
    /// 不予许可
    Refused,
    /// 不受理
    NotRequired,
    /// 不予受理
    OutOfScope,
    /// 撤件待确认
    WithdrawPending,
    /// 已撤件
    Withdrawn,
    /// 已撤销
    Revoked,
    /// 已注销
    Cancelled,
    /// 已送达
    Delivered,
    /// 已归档
    Archived,
    /// 迁移已回退: the case is as if it had never been imported.
    RolledBack,
}

impl Stage {
    /// The stage in Chinese.
    pub fn name_zh(self) -> &'static str {
        match self {
            Self::Draft => "草稿",
            Self::Received => "已接件",
            Self::AwaitingCorrection => "补正中",
            Self::Accepted => "已受理",
            Self::UnderReview => "承办中",
            Self::Suspended => "特别程序",
            Self::PendingApproval => "待审核",
            Self::PendingDecision => "待批准",
            Self::Granted => "准予许可",
            Self::GrantedTolerance => "容缺准予",
            Self::Refused => "不予许可",
            Self::NotRequired => "不受理",
            Self::OutOfScope => "不予受理",
            Self::WithdrawPending => "撤件待确认",
            Self::Withdrawn => "已撤件",
            Self::Revoked => "已撤销",
            Self::Cancelled => "已注销",
            Self::Delivered => "已送达",
            Self::Archived => "已归档",
            Self::RolledBack => "迁移已回退",
        }
    }

    /// Whether the bureau still owes a decision.
    pub fn is_open(self) -> bool {
        matches!(
            self,
            Self::Received
                | Self::AwaitingCorrection
                | Self::Accepted
                | Self::UnderReview
                | Self::Suspended
                | Self::PendingApproval
                | Self::PendingDecision
                | Self::WithdrawPending
        )
    }
}

/// What every case remembers. Folded from events; dates are business dates.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[allow(missing_docs, reason = "the fields are those of the events that set them")]
pub struct Kernel {
    pub stage: Stage,
    pub item_code: String,
    pub item_version: u32,
    pub calendar_edition: String,
    pub region: String,
    pub project_code: Option<String>,
    pub applicant: Option<Party>,
    pub agent: Option<Party>,
    pub received_on: Option<NaiveDate>,
    pub form: serde_json::Value,
    pub numbers: BTreeMap<NumberKind, String>,
    pub materials: Vec<Material>,
    pub correction: Option<Correction>,
    pub acceptance: Option<Acceptance>,
    pub not_accepted: Option<(NaiveDate, String)>,
    pub handler: Option<Officer>,
    pub opinions: Vec<Opinion>,
    pub pauses: Vec<Pause>,
    /// Where the case returns to when the clock goes on.
    pub paused_from: Option<Stage>,
    pub extension: Option<Extension>,
    pub review: Option<Signed>,
    pub section_approval: Option<Signed>,
    pub decision: Option<Decision>,
    pub delivered_on: Option<NaiveDate>,
    pub archived_on: Option<NaiveDate>,
    pub withdrawal: Option<Withdrawal>,
    pub tolerance: Vec<Tolerance>,
    pub commitment: Option<Commitment>,
    pub licence_version: u32,
    pub closed: Option<Closing>,
    pub warnings: Vec<(WarningLevel, LimitKind, NaiveDate)>,
    pub overdue: Vec<(LimitKind, NaiveDate)>,
    pub supervisions: Vec<Supervision>,
    pub rating: Option<Rating>,
    pub corrections_of_data: u32,
    pub imported: Option<Imported>,
}

/// The one correction notice of a case.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "as the event")]
pub struct Correction {
    pub gaps: Vec<Gap>,
    pub notified_on: NaiveDate,
    pub reply_due_on: NaiveDate,
    pub supplied_on: Option<NaiveDate>,
}

/// The acceptance of a case, and the limits that it was accepted under.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "as the event")]
pub struct Acceptance {
    pub mode: AcceptanceMode,
    pub accepted_on: NaiveDate,
    /// The clock's start: the date of receipt when the case was deemed accepted.
    pub clock_start_on: NaiveDate,
    pub deemed: bool,
    pub statutory: Limit,
    pub promised: Limit,
}

/// An opinion on record.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "as the event")]
pub struct Opinion {
    pub step: Step,
    pub conclusion: Conclusion,
    pub text: String,
    pub by: String,
    pub on: NaiveDate,
}

/// A time in which the clock stood still, or would have if the law let it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "as the event")]
pub struct Pause {
    pub kind: PauseKind,
    pub counts_against_limit: bool,
    pub basis: String,
    pub from: NaiveDate,
    pub to: Option<NaiveDate>,
}

/// The one extension of a case.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "as the event")]
pub struct Extension {
    pub add_working_days: u32,
    pub approver: String,
    pub on: NaiveDate,
}

/// Who did it, and when.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "as the event")]
pub struct Signed {
    pub by: String,
    pub on: NaiveDate,
    pub conclusion: Option<Conclusion>,
}

/// The decision.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "as the event")]
pub struct Decision {
    pub granted: bool,
    pub with_tolerance: bool,
    pub by: String,
    pub on: NaiveDate,
    pub reasons: Vec<String>,
    pub remedies: Vec<String>,
    pub conditions: Vec<String>,
}

/// A wish to withdraw.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "as the event")]
pub struct Withdrawal {
    pub by: String,
    pub on: NaiveDate,
    pub from_stage: Stage,
    pub confirmed_on: Option<NaiveDate>,
}

/// A promised material.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "as the event")]
pub struct Tolerance {
    pub promised: Tolerated,
    pub supplied_on: Option<NaiveDate>,
    pub defaulted: bool,
}

/// A written commitment and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "as the event")]
pub struct Commitment {
    pub document: Option<Document>,
    pub verified_kept: Option<bool>,
    pub breached: bool,
    pub false_commitment: bool,
    pub rectify_due_on: Option<NaiveDate>,
    pub rectified_on: Option<NaiveDate>,
}

/// How a licence ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "as the event")]
pub struct Closing {
    pub on: NaiveDate,
    pub article: String,
    pub reason: String,
}

/// 督办
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "as the event")]
pub struct Supervision {
    pub by: String,
    pub opinion: String,
    pub reply_due_on: NaiveDate,
    pub reply: Option<String>,
}

/// 好差评
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "as the event")]
pub struct Rating {
    pub grade: u8,
    pub on: NaiveDate,
    pub handled_on: Option<NaiveDate>,
}

/// Where an imported case came from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "as the event")]
pub struct Imported {
    pub batch: String,
    pub source: String,
    pub legacy_id: String,
    pub attributes: BTreeMap<String, String>,
    pub submitted_on: NaiveDate,
    pub last_activity: Option<String>,
    pub steps: u32,
    pub decided_on: Option<NaiveDate>,
    pub licence_no: Option<String>,
    pub rolled_back: bool,
}

/// Why a case did not do what was asked. Each one is a sentence that the asker can act on.
#[derive(Debug, Clone, PartialEq, thiserror::Error, strum::AsRefStr)]
#[allow(missing_docs, reason = "the sentence beside each variant is its documentation")]
pub enum Rejection {
    #[error("{command} is not possible while the case is {stage} ({})", stage.name_zh())]
    NotNow { command: &'static str, stage: Stage },
    #[error("item {code} is not in the catalogue on {on}; choose one of the published items")]
    UnknownItem { code: String, on: NaiveDate },
    #[error("{field}: {reason}")]
    InvalidInput { field: String, reason: String },
    #[error("material {code} is not in the list of this item")]
    UnknownMaterial { code: String },
    #[error("these materials are missing: {codes}; supply them, or ask for a tolerant acceptance of those that may be promised", codes = .codes.join(", "))]
    MaterialsMissing { codes: Vec<String> },
    #[error("material {code} may not be promised for later (不可容缺)")]
    NotTolerable { code: String },
    #[error("this item cannot be decided on a commitment (不适用告知承诺)")]
    CommitmentNotAllowed,
    #[error("a commitment needs its signed document")]
    CommitmentMissing,
    #[error("all gaps must be told at once (一次告知): a notice was given on {notified_on}; a second one may only name what was supplied after it")]
    AlreadyNotified { notified_on: NaiveDate },
    #[error("gaps had to be told by {due_on}; the application is deemed accepted (视为受理)")]
    NoticeTooLate { due_on: NaiveDate },
    #[error("a correction notice names at least one gap")]
    NoGaps,
    #[error("the clock stands still already for this reason ({kind})")]
    AlreadySuspended { kind: PauseKind },
    #[error("the clock is not suspended for this reason ({kind})")]
    NotSuspended { kind: PauseKind },
    #[error("this item knows no pause of the kind {kind}")]
    PauseNotAllowed { kind: PauseKind },
    #[error("the deadline was extended already on {on}; it can be extended once (行政许可法 42)")]
    AlreadyExtended { on: NaiveDate },
    #[error("an extension adds 1 to {max_working_days} working days")]
    ExtensionTooLong { max_working_days: u32 },
    #[error("whoever handled or approved the case before may not do this step as well (审办分离); another officer must")]
    FourEyes,
    #[error("the substance is checked by at least two officers (行政许可法 34); name the second one")]
    SecondOfficerMissing,
    #[error("nobody handles the case yet; assign a handler first")]
    NoHandler,
    #[error("only {handler} handles this case; have it reassigned first")]
    NotTheHandler { handler: String },
    #[error("a refusal states its reasons and the remedies 行政复议 and 行政诉讼 (行政许可法 38)")]
    ReasonsMissing,
    #[error("the next officer has acted already; ask for a return instead")]
    TooLateToRecall,
    #[error("only {by} may take this approval back")]
    NotYourApproval { by: String },
    #[error("a grade is 1 (非常不满意) to 5 (非常满意)")]
    InvalidGrade,
    #[error("this case was rated already; a case is rated once")]
    AlreadyRated,
    #[error("there is no bad review to handle")]
    NoBadReview,
    #[error("a correction of data on an archived case needs two different approvers")]
    TwoApproversNeeded,
    #[error("a commitment is verified by at least two officers")]
    TwoVerifiersNeeded,
    #[error("{on} lies in the future; business dates are today or earlier")]
    InTheFuture { on: NaiveDate },
    #[error("{what} is dated {on}, before {earlier} of {before}; correct the date")]
    OutOfOrder { what: &'static str, on: NaiveDate, before: &'static str, earlier: NaiveDate },
    #[error("the number {number} was not asked for, or was assigned already")]
    NumberNotWanted { number: String },
    #[error("legacy case {legacy_id} was imported already in batch {batch}")]
    AlreadyImported { legacy_id: String, batch: String },
    #[error("this case does not belong to batch {batch}")]
    NotOfThisBatch { batch: String },
    #[error("this case was worked on after its import; it cannot be rolled back any more")]
    WorkedOnSinceImport,
    #[error("there is no such thing on this case: {what}")]
    NothingThere { what: String },
}
