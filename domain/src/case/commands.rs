//! What may be asked of any case.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::events::{
    AcceptanceMode, Change, Conclusion, DeliveryMethod, Document, Gap, ImportedStep, Material, NotAcceptedKind, NumberKind,
    Officer, Party, PauseKind, ReplacementKind, ReviewVerdict, Step, Tolerated,
};

/// What may be asked of any case. Who asks and when stands in the [`Desk`](crate::rules::Desk).
#[derive(Debug, Clone, PartialEq, strum::IntoStaticStr, strum::VariantNames)]
#[allow(missing_docs, reason = "commands mirror the events, whose fields explain themselves")]
pub enum Command {
    /// 提交申请
    Submit {
        item_code: String,
        project_code: Option<String>,
        applicant: Party,
        agent: Option<Party>,
        form: serde_json::Value,
        materials: Vec<Material>,
    },
    AssignNumber {
        kind: NumberKind,
        number: String,
        wanted_by: Uuid,
    },
    AttachMaterial {
        material: Material,
    },
    RejectMaterial {
        code: String,
        reason: String,
    },
    NotifyCorrection {
        gaps: Vec<Gap>,
        delivered_by: String,
    },
    SupplyCorrection {
        materials: Vec<Material>,
    },
    Accept {
        mode: AcceptanceMode,
        tolerance: Vec<Tolerated>,
        commitment: Option<Document>,
    },
    NotAccept {
        kind: NotAcceptedKind,
        reason: String,
        refer_to: Option<String>,
    },
    Assign {
        to: Officer,
        reason: String,
    },
    RecordOpinion {
        step: Step,
        conclusion: Conclusion,
        text: String,
        signature: Option<String>,
    },
    Suspend {
        kind: PauseKind,
        basis: String,
        expected_working_days: u32,
    },
    Resume {
        kind: PauseKind,
        evidence: String,
    },
    ExtendDeadline {
        add_working_days: u32,
        reason: String,
    },
    CompleteReview {
        conclusion: Conclusion,
        second_officer: String,
    },
    Return {
        to: Step,
        reason: String,
    },
    RecallApproval {
        reason: String,
    },
    ApproveBySection,
    Grant {
        conditions: Vec<String>,
    },
    Refuse {
        reasons: Vec<String>,
        remedies: Vec<String>,
    },
    RequestWithdrawal {
        reason: String,
    },
    ConfirmWithdrawal,
    DeclineWithdrawal {
        reason: String,
    },
    Deliver {
        method: DeliveryMethod,
        receiver: String,
    },
    Archive {
        retention: String,
        volume_hash: String,
    },
    AmendLicence {
        changes: Vec<Change>,
        basis: String,
    },
    ReplaceLicence {
        kind: ReplacementKind,
        reason: String,
    },
    RevokeDecision {
        article: String,
        reason: String,
    },
    CancelLicence {
        article: String,
        reason: String,
    },
    SupplyTolerated {
        material: Material,
    },
    VerifyCommitment {
        kept: bool,
        false_commitment: bool,
        rectify_due_on: Option<NaiveDate>,
        by: Vec<String>,
        note: String,
    },
    RectifyCommitment {
        by: Vec<String>,
    },
    Rate {
        grade: u8,
        channel: String,
        tags: Vec<String>,
        comment: String,
    },
    HandleBadReview {
        verdict: ReviewVerdict,
        measures: String,
        contacted_on: NaiveDate,
    },
    Supervise {
        opinion: String,
        reply_due_on: NaiveDate,
    },
    AnswerSupervision {
        reply: String,
    },
    CorrectData {
        path: String,
        new: serde_json::Value,
        reason: String,
        approvers: Vec<String>,
    },
    AdoptCalendar {
        edition: String,
    },
    /// A timer is due. What it means is decided against the case as it is now.
    FireTimer {
        timer: String,
        due_on: NaiveDate,
    },
    ImportCase {
        batch: String,
        source: String,
        legacy_id: String,
        item_code: String,
        attributes: BTreeMap<String, String>,
        submitted_at: DateTime<Utc>,
        /// The first step, if the former system recorded steps.
        activity: Option<String>,
        resource: Option<String>,
        /// Further steps and the outcome, each with its own time; recorded as events of their own.
        steps: Vec<ImportStep>,
        decision: Option<ImportDecision>,
    },
    RollBackImport {
        batch: String,
        reason: String,
    },
}

/// A step on its way in from a former system.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportStep {
    /// What it meant.
    pub step: ImportedStep,
    /// What the former system called it.
    pub activity: String,
    /// Who did it.
    pub resource: Option<String>,
    /// What else was recorded.
    pub attributes: BTreeMap<String, String>,
    /// The business time.
    pub at: DateTime<Utc>,
}

/// An outcome on its way in from a former system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportDecision {
    /// Granted or refused.
    pub granted: bool,
    /// The licence's number, if it has one.
    pub licence_no: Option<String>,
    /// The business time.
    pub at: DateTime<Utc>,
}
