//! 收件与受理: from handing in to the acceptance.

use async_graphql::{Context, Error, InputObject, Object};
use domain::case::Command;

use super::{
    ask_kernel,
    inputs::{DocumentInput, GapInput, MaterialInput, ReadInput, ToleratedInput, read_all},
};
use crate::{
    asked::{Ask, CasePayload},
    errors::UserError,
    words::{AcceptanceMode, NotAcceptedKind},
};

/// 补充材料: hands in a material
#[derive(Debug, InputObject)]
struct CaseAttachMaterialInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 申请材料
    material: MaterialInput,
}

impl ReadInput<Command> for CaseAttachMaterialInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self { ask, material } = self;
        Ok((
            ask,
            Command::AttachMaterial {
                material: material.read("input.material")?,
            },
        ))
    }
}

/// 退回材料: says what is wrong with one material
#[derive(Debug, InputObject)]
struct CaseRejectMaterialInput {
    #[graphql(flatten)]
    ask: Ask,
    /// Which material.
    code: String,
    /// 退回原因
    reason: String,
}

impl ReadInput<Command> for CaseRejectMaterialInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self { ask, code, reason } = self;
        Ok((ask, Command::RejectMaterial { code, reason }))
    }
}

/// 一次告知补正: tells all gaps at once (行政许可法 32)
#[derive(Debug, InputObject)]
struct CaseNotifyCorrectionInput {
    #[graphql(flatten)]
    ask: Ask,
    /// All gaps.
    gaps: Vec<GapInput>,
    /// How the notice reaches the applicant (送达方式).
    delivered_by: String,
}

impl ReadInput<Command> for CaseNotifyCorrectionInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self { ask, gaps, delivered_by } = self;
        Ok((
            ask,
            Command::NotifyCorrection {
                gaps: gaps.into_iter().map(Into::into).collect(),
                delivered_by,
            },
        ))
    }
}

/// 补正: hands in what was missing or wrong
#[derive(Debug, InputObject)]
struct CaseSupplyCorrectionInput {
    #[graphql(flatten)]
    ask: Ask,
    /// What is handed in.
    materials: Vec<MaterialInput>,
}

impl ReadInput<Command> for CaseSupplyCorrectionInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self { ask, materials } = self;
        Ok((
            ask,
            Command::SupplyCorrection {
                materials: read_all(materials, "input.materials", MaterialInput::read)?,
            },
        ))
    }
}

/// 受理
#[derive(Debug, InputObject)]
struct CaseAcceptInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 受理方式
    mode: AcceptanceMode,
    /// 容缺材料, of a tolerant acceptance.
    tolerance: Option<Vec<ToleratedInput>>,
    /// 告知承诺书, of an acceptance on a commitment.
    commitment: Option<DocumentInput>,
}

impl ReadInput<Command> for CaseAcceptInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self {
            ask,
            mode,
            tolerance,
            commitment,
        } = self;
        Ok((
            ask,
            Command::Accept {
                mode: mode.into(),
                tolerance: tolerance.unwrap_or_default().into_iter().map(Into::into).collect(),
                commitment: commitment.map(|document| document.read("input.commitment")).transpose()?,
            },
        ))
    }
}

/// 不受理 or 不予受理
#[derive(Debug, InputObject)]
struct CaseNotAcceptInput {
    #[graphql(flatten)]
    ask: Ask,
    /// Which of the two.
    kind: NotAcceptedKind,
    /// 理由
    reason: String,
    /// Whose business it is (告知向有关机关申请).
    refer_to: Option<String>,
}

impl ReadInput<Command> for CaseNotAcceptInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self {
            ask,
            kind,
            reason,
            refer_to,
        } = self;
        Ok((
            ask,
            Command::NotAccept {
                kind: kind.into(),
                reason,
                refer_to,
            },
        ))
    }
}

/// 申请撤件
#[derive(Debug, InputObject)]
struct CaseRequestWithdrawalInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 撤件原因
    reason: String,
}

impl ReadInput<Command> for CaseRequestWithdrawalInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self { ask, reason } = self;
        Ok((ask, Command::RequestWithdrawal { reason }))
    }
}

/// 确认撤件
#[derive(Debug, InputObject)]
struct CaseConfirmWithdrawalInput {
    #[graphql(flatten)]
    ask: Ask,
}

impl ReadInput<Command> for CaseConfirmWithdrawalInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        Ok((self.ask, Command::ConfirmWithdrawal))
    }
}

/// 不同意撤件
#[derive(Debug, InputObject)]
struct CaseDeclineWithdrawalInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 理由
    reason: String,
}

impl ReadInput<Command> for CaseDeclineWithdrawalInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self { ask, reason } = self;
        Ok((ask, Command::DeclineWithdrawal { reason }))
    }
}

#[derive(Default)]
pub(crate) struct IntakeMutations;

#[Object]
impl IntakeMutations {
    /// 补充材料: hands in a material.
    async fn case_attach_material(&self, ctx: &Context<'_>, input: CaseAttachMaterialInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 退回材料: says what is wrong with one material.
    async fn case_reject_material(&self, ctx: &Context<'_>, input: CaseRejectMaterialInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 一次告知补正: tells all gaps at once (行政许可法 32).
    async fn case_notify_correction(&self, ctx: &Context<'_>, input: CaseNotifyCorrectionInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 补正: hands in what was missing or wrong.
    async fn case_supply_correction(&self, ctx: &Context<'_>, input: CaseSupplyCorrectionInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 受理
    async fn case_accept(&self, ctx: &Context<'_>, input: CaseAcceptInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 不受理 or 不予受理
    async fn case_not_accept(&self, ctx: &Context<'_>, input: CaseNotAcceptInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 申请撤件
    async fn case_request_withdrawal(&self, ctx: &Context<'_>, input: CaseRequestWithdrawalInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 确认撤件
    async fn case_confirm_withdrawal(&self, ctx: &Context<'_>, input: CaseConfirmWithdrawalInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }

    /// 不同意撤件
    async fn case_decline_withdrawal(&self, ctx: &Context<'_>, input: CaseDeclineWithdrawalInput) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_kernel(ctx, command_id, input.read()).await
    }
}
