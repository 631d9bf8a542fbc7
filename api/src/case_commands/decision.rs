//! 决定与送达: the decision, its document, and what may become of it.

use async_graphql::{Context, Error, InputObject, Object};
use domain::case::Command;

use super::inputs::ChangeInput;
use super::{ask_kernel, inputs::ReadInput};
use crate::{
    asked::{Ask, CasePayload},
    errors::UserError,
    words::{DeliveryMethod, ReplacementKind},
};

/// 准予许可
#[derive(Debug, InputObject)]
struct CaseGrantInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 附加条件
    conditions: Option<Vec<String>>,
}

impl ReadInput<Command> for CaseGrantInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self { ask, conditions } = self;
        Ok((
            ask,
            Command::Grant {
                conditions: conditions.unwrap_or_default(),
            },
        ))
    }
}

/// 不予许可: with its reasons and the remedies (行政许可法 38)
#[derive(Debug, InputObject)]
struct CaseRefuseInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 理由
    reasons: Vec<String>,
    /// 救济途径
    remedies: Vec<String>,
}

impl ReadInput<Command> for CaseRefuseInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self { ask, reasons, remedies } = self;
        Ok((ask, Command::Refuse { reasons, remedies }))
    }
}

/// 送达
#[derive(Debug, InputObject)]
struct CaseDeliverInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 送达方式
    method: DeliveryMethod,
    /// 签收人
    receiver: String,
}

impl ReadInput<Command> for CaseDeliverInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self { ask, method, receiver } = self;
        Ok((
            ask,
            Command::Deliver {
                method: method.into(),
                receiver,
            },
        ))
    }
}

/// 变更许可
#[derive(Debug, InputObject)]
struct CaseAmendLicenceInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 变更事项
    changes: Vec<ChangeInput>,
    /// 依据
    basis: String,
}

impl ReadInput<Command> for CaseAmendLicenceInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self { ask, changes, basis } = self;
        Ok((
            ask,
            Command::AmendLicence {
                changes: changes.into_iter().map(Into::into).collect(),
                basis,
            },
        ))
    }
}

/// 补证 or 换证
#[derive(Debug, InputObject)]
struct CaseReplaceLicenceInput {
    #[graphql(flatten)]
    ask: Ask,
    /// Which of the two.
    kind: ReplacementKind,
    /// 原因
    reason: String,
}

impl ReadInput<Command> for CaseReplaceLicenceInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self { ask, kind, reason } = self;
        Ok((
            ask,
            Command::ReplaceLicence {
                kind: kind.into(),
                reason,
            },
        ))
    }
}

/// 撤销许可 (行政许可法 69)
#[derive(Debug, InputObject)]
struct CaseRevokeDecisionInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 条款
    article: String,
    /// 理由
    reason: String,
}

impl ReadInput<Command> for CaseRevokeDecisionInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self { ask, article, reason } = self;
        Ok((ask, Command::RevokeDecision { article, reason }))
    }
}

/// 注销许可 (行政许可法 70)
#[derive(Debug, InputObject)]
struct CaseCancelLicenceInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 条款
    article: String,
    /// 理由
    reason: String,
}

impl ReadInput<Command> for CaseCancelLicenceInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self { ask, article, reason } = self;
        Ok((ask, Command::CancelLicence { article, reason }))
    }
}

/// 归档
#[derive(Debug, InputObject)]
struct CaseArchiveInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 保管期限
    retention: String,
    /// SHA-256 of the volume, in hex.
    volume_hash: String,
}

impl ReadInput<Command> for CaseArchiveInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self {
            ask,
            retention,
            volume_hash,
        } = self;
        Ok((ask, Command::Archive { retention, volume_hash }))
    }
}

#[derive(Default)]
pub(crate) struct DecisionMutations;

#[Object]
impl DecisionMutations {
    /// 准予许可
    async fn case_grant(&self, ctx: &Context<'_>, input: CaseGrantInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 不予许可: with its reasons and the remedies (行政许可法 38).
    async fn case_refuse(&self, ctx: &Context<'_>, input: CaseRefuseInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 送达
    async fn case_deliver(&self, ctx: &Context<'_>, input: CaseDeliverInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 变更许可
    async fn case_amend_licence(&self, ctx: &Context<'_>, input: CaseAmendLicenceInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 补证 or 换证
    async fn case_replace_licence(&self, ctx: &Context<'_>, input: CaseReplaceLicenceInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 撤销许可 (行政许可法 69)
    async fn case_revoke_decision(&self, ctx: &Context<'_>, input: CaseRevokeDecisionInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 注销许可 (行政许可法 70)
    async fn case_cancel_licence(&self, ctx: &Context<'_>, input: CaseCancelLicenceInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 归档
    async fn case_archive(&self, ctx: &Context<'_>, input: CaseArchiveInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }
}
