//! 事后: promised materials, commitments, ratings, corrections.

use async_graphql::{Context, Error, InputObject, Object};
use chrono::NaiveDate;
use domain::case::Command;

use super::{
    ask_kernel,
    inputs::{MaterialInput, ReadInput, small_count},
};
use crate::{
    asked::{Ask, CasePayload},
    errors::UserError,
    words::ReviewVerdict,
};

/// 补交容缺材料
#[derive(Debug, InputObject)]
struct CaseSupplyToleratedInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 申请材料
    material: MaterialInput,
}

impl ReadInput<Command> for CaseSupplyToleratedInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self { ask, material } = self;
        Ok((
            ask,
            Command::SupplyTolerated {
                material: material.read("input.material")?,
            },
        ))
    }
}

/// 核查承诺
#[derive(Debug, InputObject)]
struct CaseVerifyCommitmentInput {
    #[graphql(flatten)]
    ask: Ask,
    /// Whether it was kept.
    kept: bool,
    /// Whether it was false (虚假承诺).
    false_commitment: bool,
    /// 整改期限
    rectify_due_on: Option<NaiveDate>,
    /// 核查人员, at least two accounts.
    by: Vec<String>,
    /// 核查情况
    note: String,
}

impl ReadInput<Command> for CaseVerifyCommitmentInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self {
            ask,
            kept,
            false_commitment,
            rectify_due_on,
            by,
            note,
        } = self;
        Ok((
            ask,
            Command::VerifyCommitment {
                kept,
                false_commitment,
                rectify_due_on,
                by,
                note,
            },
        ))
    }
}

/// 整改完成
#[derive(Debug, InputObject)]
struct CaseRectifyCommitmentInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 核查人员
    by: Vec<String>,
}

impl ReadInput<Command> for CaseRectifyCommitmentInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self { ask, by } = self;
        Ok((ask, Command::RectifyCommitment { by }))
    }
}

/// 好差评: once for each case
#[derive(Debug, InputObject)]
struct CaseRateInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 1 (非常不满意) to 5 (非常满意)
    grade: i32,
    /// 评价渠道
    channel: String,
    /// 评价标签
    tags: Option<Vec<String>>,
    /// 评价内容
    comment: Option<String>,
}

impl ReadInput<Command> for CaseRateInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self {
            ask,
            grade,
            channel,
            tags,
            comment,
        } = self;
        Ok((
            ask,
            Command::Rate {
                grade: small_count(grade, "input.grade")?,
                channel,
                tags: tags.unwrap_or_default(),
                comment: comment.unwrap_or_default(),
            },
        ))
    }
}

/// 差评整改
#[derive(Debug, InputObject)]
struct CaseHandleBadReviewInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 核实结论
    verdict: ReviewVerdict,
    /// 整改措施
    measures: String,
    /// 回访日期
    contacted_on: NaiveDate,
}

impl ReadInput<Command> for CaseHandleBadReviewInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self {
            ask,
            verdict,
            measures,
            contacted_on,
        } = self;
        Ok((
            ask,
            Command::HandleBadReview {
                verdict: verdict.into(),
                measures,
                contacted_on,
            },
        ))
    }
}

/// 更正数据: says what is to be read differently from now on; never changes what is on record
#[derive(Debug, InputObject)]
struct CaseCorrectDataInput {
    #[graphql(flatten)]
    ask: Ask,
    /// Which field, as a JSON pointer.
    path: String,
    /// What it is to be.
    new: serde_json::Value,
    /// 理由
    reason: String,
    /// 批准人, two accounts on an archived case.
    approvers: Vec<String>,
}

impl ReadInput<Command> for CaseCorrectDataInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self {
            ask,
            path,
            new,
            reason,
            approvers,
        } = self;
        Ok((
            ask,
            Command::CorrectData {
                path,
                new,
                reason,
                approvers,
            },
        ))
    }
}

#[derive(Default)]
pub(crate) struct AfterMutations;

#[Object]
impl AfterMutations {
    /// 补交容缺材料
    async fn case_supply_tolerated(&self, ctx: &Context<'_>, input: CaseSupplyToleratedInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 核查承诺
    async fn case_verify_commitment(&self, ctx: &Context<'_>, input: CaseVerifyCommitmentInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 整改完成
    async fn case_rectify_commitment(&self, ctx: &Context<'_>, input: CaseRectifyCommitmentInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 好差评: once for each case.
    async fn case_rate(&self, ctx: &Context<'_>, input: CaseRateInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 差评整改
    async fn case_handle_bad_review(&self, ctx: &Context<'_>, input: CaseHandleBadReviewInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 更正数据: says what is to be read differently from now on; never changes what is on record.
    async fn case_correct_data(&self, ctx: &Context<'_>, input: CaseCorrectDataInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }
}
