//! Why a case may refuse. Each reason is a sentence that the asker can act on, in Chinese and in English.

use chrono::NaiveDate;

use super::{events::PauseKind, state::Stage};

/// What every rejection can tell: a stable code, a Chinese sentence, the field that it is about. English is its `Display`.
pub trait Explain {
    /// The code that programs know it by: `NOT_NOW`.
    fn code(&self) -> String;
    /// The sentence in Chinese.
    fn zh(&self) -> String;
    /// The field of the input that it is about.
    fn field(&self) -> Option<String> {
        None
    }
}

/// `NotNow` as `NOT_NOW`: the code of a rejection is its variant's name.
pub fn code_of(variant: &str) -> String {
    let mut code = String::with_capacity(variant.len() + 4);
    for (at, letter) in variant.char_indices() {
        if at > 0 && letter.is_ascii_uppercase() {
            code.push('_');
        }
        code.push(letter.to_ascii_uppercase());
    }
    code
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
    #[error(
        "material {code} can be had from shared data and must not be asked of the applicant (在线政务规定 7); fetch it instead"
    )]
    MaterialShared { code: String },
    #[error("material {code} may not be promised for later (不可容缺)")]
    NotTolerable { code: String },
    #[error("this item cannot be decided on a commitment (不适用告知承诺)")]
    CommitmentNotAllowed,
    #[error("a commitment needs its signed document")]
    CommitmentMissing,
    #[error(
        "all gaps must be told at once (一次告知): a notice was given on {notified_on}; a second one may only name what was supplied after it"
    )]
    AlreadyNotified { notified_on: NaiveDate },
    #[error("gaps had to be told by {due_on}; the application is deemed accepted (视为受理)")]
    NoticeTooLate { due_on: NaiveDate },
    #[error("what was missing had to be supplied by {due_on}; file a new application")]
    ReplyTooLate { due_on: NaiveDate },
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
    #[error("the limit ended on {due_on} and cannot be extended any more")]
    AlreadyOverdue { due_on: NaiveDate },
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
    OutOfOrder {
        what: &'static str,
        on: NaiveDate,
        before: &'static str,
        earlier: NaiveDate,
    },
    #[error("the number {number} was not asked for, or was assigned already")]
    NumberNotWanted { number: String },
    #[error("legacy case {legacy_id} was imported already in batch {batch}")]
    AlreadyImported { legacy_id: String, batch: String },
    #[error("this case does not belong to batch {batch}")]
    NotOfThisBatch { batch: String },
    #[error("this case was worked on after its import; it cannot be rolled back any more")]
    WorkedOnSinceImport,
    #[error("this is still open: {what}; close it before the archive")]
    StillOpen { what: String },
    #[error("there is no such thing on this case: {what}")]
    NothingThere { what: String },
}

impl Explain for Rejection {
    fn code(&self) -> String {
        code_of(self.as_ref())
    }

    fn zh(&self) -> String {
        match self {
            Self::NotNow { command, stage } => format!("案件{}，不能执行“{command}”", stage.name_zh()),
            Self::UnknownItem { code, on } => format!("{on} 的事项目录中没有事项 {code}，请选择已发布的事项"),
            Self::InvalidInput { field, reason } => format!("{field}：{reason}"),
            Self::UnknownMaterial { code } => format!("材料 {code} 不在该事项的材料清单中"),
            Self::MaterialsMissing { codes } => format!("缺少材料：{}；请补齐，可容缺的材料可申请容缺受理", codes.join("、")),
            Self::MaterialShared { code } => {
                format!("材料 {code} 可通过数据共享取得，不得再要求申请人提供（在线政务规定第七条）；请调取共享数据")
            }
            Self::NotTolerable { code } => format!("材料 {code} 不可容缺"),
            Self::CommitmentNotAllowed => "该事项不适用告知承诺".to_owned(),
            Self::CommitmentMissing => "告知承诺须附签署的承诺书".to_owned(),
            Self::AlreadyNotified { notified_on } => {
                format!("补正须一次告知：{notified_on} 已告知；再次告知只能针对其后补交的材料")
            }
            Self::NoticeTooLate { due_on } => format!("应于 {due_on} 前一次告知；逾期未告知，自收到材料之日起视为受理"),
            Self::ReplyTooLate { due_on } => format!("应于 {due_on} 前补正；请重新申请"),
            Self::NoGaps => "补正通知书至少列明一项".to_owned(),
            Self::AlreadySuspended { kind } => format!("时限已因“{}”中止", kind.name_zh()),
            Self::NotSuspended { kind } => format!("时限未因“{}”中止", kind.name_zh()),
            Self::PauseNotAllowed { kind } => format!("该事项不适用特别程序“{}”", kind.name_zh()),
            Self::AlreadyExtended { on } => format!("已于 {on} 延长期限；期限只能延长一次（行政许可法第四十二条）"),
            Self::ExtensionTooLong { max_working_days } => format!("延长期限为 1 至 {max_working_days} 个工作日"),
            Self::AlreadyOverdue { due_on } => format!("办理期限已于 {due_on} 届满，不能再延长"),
            Self::FourEyes => "审办分离：此前承办或审核的人员不得再办理本环节，请由其他人员办理".to_owned(),
            Self::SecondOfficerMissing => "实质审查须有两名以上工作人员（行政许可法第三十四条），请注明第二名".to_owned(),
            Self::NoHandler => "尚未指定承办人，请先分派".to_owned(),
            Self::NotTheHandler { handler } => format!("本案由 {handler} 承办，请先改派"),
            Self::ReasonsMissing => "不予许可应当说明理由，并告知行政复议、行政诉讼的权利（行政许可法第三十八条）".to_owned(),
            Self::TooLateToRecall => "下一环节已处理，不能收回；请申请退回".to_owned(),
            Self::NotYourApproval { by } => format!("只有 {by} 可以收回该意见"),
            Self::InvalidGrade => "评价等级为 1（非常不满意）至 5（非常满意）".to_owned(),
            Self::AlreadyRated => "本案已评价；一案一评".to_owned(),
            Self::NoBadReview => "没有待处理的差评".to_owned(),
            Self::TwoApproversNeeded => "更正已归档案件的数据须经两名不同人员批准".to_owned(),
            Self::TwoVerifiersNeeded => "承诺核查须有两名以上工作人员".to_owned(),
            Self::InTheFuture { on } => format!("{on} 晚于今日；业务日期不得晚于今日"),
            Self::OutOfOrder {
                what,
                on,
                before,
                earlier,
            } => format!("“{what}”的日期 {on} 早于 {before} 的日期 {earlier}，请更正"),
            Self::NumberNotWanted { number } => format!("编号 {number} 未被请求，或已赋号"),
            Self::AlreadyImported { legacy_id, batch } => format!("原案件 {legacy_id} 已在批次 {batch} 中导入"),
            Self::NotOfThisBatch { batch } => format!("本案不属于批次 {batch}"),
            Self::WorkedOnSinceImport => "本案导入后已有人工办理，不能回退".to_owned(),
            Self::StillOpen { what } => format!("尚有未办结事项：{what}；请先办结再归档"),
            Self::NothingThere { what } => format!("本案没有：{what}"),
        }
    }

    fn field(&self) -> Option<String> {
        match self {
            Self::InvalidInput { field, .. } => Some(field.clone()),
            Self::UnknownItem { .. } => Some("item_code".to_owned()),
            Self::UnknownMaterial { .. } | Self::MaterialsMissing { .. } | Self::NotTolerable { .. } => {
                Some("materials".to_owned())
            }
            Self::InTheFuture { .. } | Self::OutOfOrder { .. } => Some("occurred_at".to_owned()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_variant_in_capitals() {
        assert_eq!(Rejection::FourEyes.code(), "FOUR_EYES");
        assert_eq!(Rejection::NoGaps.code(), "NO_GAPS");
    }
}
