//! What every case remembers.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::FiledForm;
use super::events::{
    AcceptanceMode, Conclusion, Document, Gap, LimitKind, Material, NumberKind, Officer, Party, PauseKind, Step, Tolerated,
    WarningLevel,
};
use crate::calendar::Limit;

/// Where a case stands. The names match the code values of live approval systems (工程审批系统 `ItemStatus`).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    strum::Display,
    strum::IntoStaticStr,
    strum::EnumString,
    strum::VariantArray,
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
    /// Since when it stands there.
    pub stage_since: Option<NaiveDate>,
    pub item_code: String,
    pub item_version: u32,
    pub number_prefix: String,
    pub calendar_edition: String,
    pub region: String,
    pub project_code: Option<String>,
    pub applicant: Option<Party>,
    pub agent: Option<Party>,
    pub received_on: Option<NaiveDate>,
    pub form: FiledForm,
    /// The latest number of each kind.
    pub numbers: BTreeMap<NumberKind, String>,
    /// Which events have their number.
    pub numbered: BTreeSet<(Uuid, NumberKind)>,
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
    /// Somebody of the present step has given an opinion: the step before can no longer take back its own.
    pub opinion_given_here: bool,
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
    /// The codes of what was supplied after the notice.
    pub supplied: Vec<String>,
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
    /// The second officer of a review (行政许可法 34).
    pub second_officer: Option<String>,
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
    /// What the last verification found.
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
    pub on: NaiveDate,
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
    /// Something was done to it by hand since.
    pub worked_on: bool,
}
