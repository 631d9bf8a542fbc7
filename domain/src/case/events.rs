//! What can happen to any case. These names are stored for ever: add, never change.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::filed::FiledForm;
pub use super::words::*;
use crate::calendar::Limit;

/// What can happen to any case. Dates are business dates; who and when it was recorded stand in the metadata.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, strum::VariantNames, strum::IntoStaticStr)]
#[allow(
    missing_docs,
    reason = "the fields of stored events are named so that they need no second sentence"
)]
#[allow(clippy::large_enum_variant, reason = "few live at once, and each only for a moment")]
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
        form: FiledForm,
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
