//! 审查: assignment, opinions, pauses, approval.

use async_graphql::{Context, Error, InputObject, Object};
use chrono::NaiveDate;
use domain::case::Command;

use super::{
    ask_kernel,
    inputs::{OfficerInput, ReadInput, count},
};
use crate::{
    asked::{Ask, CasePayload},
    errors::UserError,
    words::{Conclusion, PauseKind, Step},
};

/// 分办: gives the case to a handler, or to another
#[derive(Debug, InputObject)]
struct CaseAssignInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 承办人
    to: OfficerInput,
    /// 原因
    reason: String,
}

impl ReadInput<Command> for CaseAssignInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self { ask, to, reason } = self;
        Ok((ask, Command::Assign { to: to.into(), reason }))
    }
}

/// 签署意见
#[derive(Debug, InputObject)]
struct CaseRecordOpinionInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 办理环节
    step: Step,
    /// 结论
    conclusion: Conclusion,
    /// 意见
    text: String,
    /// 电子签名
    signature: Option<String>,
}

impl ReadInput<Command> for CaseRecordOpinionInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self {
            ask,
            step,
            conclusion,
            text,
            signature,
        } = self;
        Ok((
            ask,
            Command::RecordOpinion {
                step: step.into(),
                conclusion: conclusion.into(),
                text,
                signature,
            },
        ))
    }
}

/// 时限中止 (特别程序): the clock stands still from today, if the law lets it
#[derive(Debug, InputObject)]
struct CaseSuspendInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 中止事由
    kind: PauseKind,
    /// 依据
    basis: String,
    /// 预计工作日
    expected_working_days: i32,
}

impl ReadInput<Command> for CaseSuspendInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self {
            ask,
            kind,
            basis,
            expected_working_days,
        } = self;
        Ok((
            ask,
            Command::Suspend {
                kind: kind.into(),
                basis,
                expected_working_days: count(expected_working_days, "input.expectedWorkingDays")?,
            },
        ))
    }
}

/// 恢复计时
#[derive(Debug, InputObject)]
struct CaseResumeInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 中止事由
    kind: PauseKind,
    /// What it waited for and what came of it.
    evidence: String,
}

impl ReadInput<Command> for CaseResumeInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self { ask, kind, evidence } = self;
        Ok((
            ask,
            Command::Resume {
                kind: kind.into(),
                evidence,
            },
        ))
    }
}

/// 延长时限 (行政许可法 42): once
#[derive(Debug, InputObject)]
struct CaseExtendDeadlineInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 延长工作日
    add_working_days: i32,
    /// 理由, told to the applicant.
    reason: String,
}

impl ReadInput<Command> for CaseExtendDeadlineInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self {
            ask,
            add_working_days,
            reason,
        } = self;
        Ok((
            ask,
            Command::ExtendDeadline {
                add_working_days: count(add_working_days, "input.addWorkingDays")?,
                reason,
            },
        ))
    }
}

/// 审查完毕: by at least two officers (行政许可法 34)
#[derive(Debug, InputObject)]
struct CaseCompleteReviewInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 结论
    conclusion: Conclusion,
    /// The second officer's account.
    second_officer: String,
}

impl ReadInput<Command> for CaseCompleteReviewInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self {
            ask,
            conclusion,
            second_officer,
        } = self;
        Ok((
            ask,
            Command::CompleteReview {
                conclusion: conclusion.into(),
                second_officer,
            },
        ))
    }
}

/// 退回重办
#[derive(Debug, InputObject)]
struct CaseReturnInput {
    #[graphql(flatten)]
    ask: Ask,
    /// To which step.
    to: Step,
    /// 理由
    reason: String,
}

impl ReadInput<Command> for CaseReturnInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self { ask, to, reason } = self;
        Ok((ask, Command::Return { to: to.into(), reason }))
    }
}

/// 收回审核意见, before the next one acted
#[derive(Debug, InputObject)]
struct CaseRecallApprovalInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 理由
    reason: String,
}

impl ReadInput<Command> for CaseRecallApprovalInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self { ask, reason } = self;
        Ok((ask, Command::RecallApproval { reason }))
    }
}

/// 审核通过
#[derive(Debug, InputObject)]
struct CaseApproveBySectionInput {
    #[graphql(flatten)]
    ask: Ask,
}

impl ReadInput<Command> for CaseApproveBySectionInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        Ok((self.ask, Command::ApproveBySection))
    }
}

/// 督办
#[derive(Debug, InputObject)]
struct CaseSuperviseInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 督办意见
    opinion: String,
    /// 答复期限
    reply_due_on: NaiveDate,
}

impl ReadInput<Command> for CaseSuperviseInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self {
            ask,
            opinion,
            reply_due_on,
        } = self;
        Ok((ask, Command::Supervise { opinion, reply_due_on }))
    }
}

/// 答复督办
#[derive(Debug, InputObject)]
struct CaseAnswerSupervisionInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 答复
    reply: String,
}

impl ReadInput<Command> for CaseAnswerSupervisionInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self { ask, reply } = self;
        Ok((ask, Command::AnswerSupervision { reply }))
    }
}

#[derive(Default)]
pub(crate) struct ReviewMutations;

#[Object]
impl ReviewMutations {
    /// 分办: gives the case to a handler, or to another.
    async fn case_assign(&self, ctx: &Context<'_>, input: CaseAssignInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 签署意见
    async fn case_record_opinion(&self, ctx: &Context<'_>, input: CaseRecordOpinionInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 时限中止 (特别程序): the clock stands still from today, if the law lets it.
    async fn case_suspend(&self, ctx: &Context<'_>, input: CaseSuspendInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 恢复计时
    async fn case_resume(&self, ctx: &Context<'_>, input: CaseResumeInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 延长时限 (行政许可法 42): once.
    async fn case_extend_deadline(&self, ctx: &Context<'_>, input: CaseExtendDeadlineInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 审查完毕: by at least two officers (行政许可法 34).
    async fn case_complete_review(&self, ctx: &Context<'_>, input: CaseCompleteReviewInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 退回重办
    async fn case_return(&self, ctx: &Context<'_>, input: CaseReturnInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 收回审核意见, before the next one acted.
    async fn case_recall_approval(&self, ctx: &Context<'_>, input: CaseRecallApprovalInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 审核通过
    async fn case_approve_by_section(&self, ctx: &Context<'_>, input: CaseApproveBySectionInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 督办
    async fn case_supervise(&self, ctx: &Context<'_>, input: CaseSuperviseInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 答复督办
    async fn case_answer_supervision(&self, ctx: &Context<'_>, input: CaseAnswerSupervisionInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }
}
