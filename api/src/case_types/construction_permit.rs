//! 施工许可: what may be asked of a construction permit besides what may be asked of any case.

use async_graphql::{Context, Error, InputObject, Object};
use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    case::{CaseCommand, CaseType, Command as KernelCommand},
    case_types::construction_permit::{Command, ConstructionPermit, Finding, ITEM_CODE},
};
use uuid::Uuid;

use crate::{
    asked::{Ask, CasePayload, Travel, state},
    case_commands::inputs::{MaterialInput, PartyInput, ReadInput, count, read_all},
    errors::UserError,
};

/// The stream category.
pub(crate) const CATEGORY: &str = <ConstructionPermit as CaseType>::CATEGORY;

/// What a case's id is derived from besides the id of the command that files it.
const CASE_OF_COMMAND: &[u8] = b"case";

/// Asks a command of the type's own, or says what is wrong with its input.
async fn ask_own(ctx: &Context<'_>, command_id: Uuid, read: Result<(Ask, Command), UserError>) -> Result<CasePayload, Error> {
    let (ask, command) = match read {
        Ok(read) => read,
        Err(error) => return Ok(CasePayload::refused(command_id, vec![error])),
    };
    let (case, envelope) = match ask.open(ctx)? {
        Ok(opened) => opened,
        Err(error) => return Ok(CasePayload::refused(command_id, vec![error])),
    };
    if case.0 != CATEGORY {
        let error = UserError::invalid("input.caseId", "该案件不是施工许可", "this case is no construction permit");
        return Ok(CasePayload::refused(command_id, vec![error]));
    }
    let command = CaseCommand::<ConstructionPermit>::Own(command);
    let done = state(ctx)?
        .bureau
        .to_case::<ConstructionPermit>(case.1, command, &envelope)
        .await;
    CasePayload::of(ctx, case, command_id, done).await
}

/// 申请施工许可证: files a new case.
#[derive(Debug, InputObject)]
struct ConstructionPermitSubmitInput {
    /// Made by the client, once for each intention: the same command sent again is answered, not executed again.
    command_id: Uuid,
    /// The new case's own id, if the client makes it; else it is derived from the command's id.
    case_id: Option<Uuid>,
    /// 项目代码
    project_code: Option<String>,
    /// 申请人
    applicant: PartyInput,
    /// 代理人
    agent: Option<PartyInput>,
    /// 申请表: its fields are told by `item(code: "construction-permit") { form exampleForm }`.
    form: serde_json::Value,
    /// 申请材料
    materials: Vec<MaterialInput>,
    /// When it was received, if it was on paper and is entered later (补录).
    occurred_at: Option<DateTime<Utc>>,
    /// 办理依据
    legal_basis: Option<String>,
}

impl ConstructionPermitSubmitInput {
    fn read(self) -> Result<KernelCommand, UserError> {
        Ok(KernelCommand::Submit {
            item_code: ITEM_CODE.to_owned(),
            project_code: self.project_code,
            applicant: self.applicant.read("input.applicant")?,
            agent: self.agent.map(|agent| agent.read("input.agent")).transpose()?,
            form: self.form,
            materials: read_all(self.materials, "input.materials", MaterialInput::read)?,
        })
    }
}

/// 核验情况: one condition looked at in a recheck.
#[derive(Debug, InputObject)]
struct FindingInput {
    /// 条件
    condition: String,
    /// 是否符合
    passed: bool,
    /// 说明
    note: String,
}

impl From<FindingInput> for Finding {
    fn from(finding: FindingInput) -> Self {
        Self {
            condition: finding.condition,
            passed: finding.passed,
            note: finding.note,
        }
    }
}

/// 开工报告
#[derive(Debug, InputObject)]
struct ConstructionPermitReportStartInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 开工日期
    started_on: NaiveDate,
}

impl ReadInput<Command> for ConstructionPermitReportStartInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self { ask, started_on } = self;
        Ok((ask, Command::ReportStart { started_on }))
    }
}

/// 申请延期开工, before the date has passed
#[derive(Debug, InputObject)]
struct ConstructionPermitRequestStartExtensionInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 理由
    reason: String,
}

impl ReadInput<Command> for ConstructionPermitRequestStartExtensionInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self { ask, reason } = self;
        Ok((ask, Command::RequestStartExtension { reason }))
    }
}

/// 同意延期开工: at most twice, three months each (建筑法 9)
#[derive(Debug, InputObject)]
struct ConstructionPermitGrantStartExtensionInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 延期月数
    months: i32,
}

impl ReadInput<Command> for ConstructionPermitGrantStartExtensionInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self { ask, months } = self;
        Ok((
            ask,
            Command::GrantStartExtension {
                months: count(months, "input.months")?,
            },
        ))
    }
}

/// 不同意延期开工
#[derive(Debug, InputObject)]
struct ConstructionPermitRefuseStartExtensionInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 理由
    reason: String,
}

impl ReadInput<Command> for ConstructionPermitRefuseStartExtensionInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self { ask, reason } = self;
        Ok((ask, Command::RefuseStartExtension { reason }))
    }
}

/// 中止施工报告, within a month (建筑法 10)
#[derive(Debug, InputObject)]
struct ConstructionPermitReportSuspensionInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 中止施工日期
    halted_on: NaiveDate,
    /// 原因
    reason: String,
    /// 维护管理方案
    maintenance_plan: String,
}

impl ReadInput<Command> for ConstructionPermitReportSuspensionInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self {
            ask,
            halted_on,
            reason,
            maintenance_plan,
        } = self;
        Ok((
            ask,
            Command::ReportSuspension {
                halted_on,
                reason,
                maintenance_plan,
            },
        ))
    }
}

/// 恢复施工报告
#[derive(Debug, InputObject)]
struct ConstructionPermitReportResumptionInput {
    #[graphql(flatten)]
    ask: Ask,
}

impl ReadInput<Command> for ConstructionPermitReportResumptionInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        Ok((self.ask, Command::ReportResumption))
    }
}

/// 申请核验: halted for a year or more
#[derive(Debug, InputObject)]
struct ConstructionPermitRequestRecheckInput {
    #[graphql(flatten)]
    ask: Ask,
}

impl ReadInput<Command> for ConstructionPermitRequestRecheckInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        Ok((self.ask, Command::RequestRecheck))
    }
}

/// 核验: passed, if all findings passed
#[derive(Debug, InputObject)]
struct ConstructionPermitRecordRecheckInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 核验情况
    findings: Vec<FindingInput>,
    /// The second officer's account.
    second_officer: String,
}

impl ReadInput<Command> for ConstructionPermitRecordRecheckInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self {
            ask,
            findings,
            second_officer,
        } = self;
        Ok((
            ask,
            Command::RecordRecheck {
                findings: findings.into_iter().map(Into::into).collect(),
                second_officer,
            },
        ))
    }
}

/// 变更施工许可证: a party, the project lead or the scale
#[derive(Debug, InputObject)]
struct ConstructionPermitAmendPermitInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 变更事项
    field: String,
    /// 变更后内容
    new: String,
    /// 依据
    basis: String,
}

impl ReadInput<Command> for ConstructionPermitAmendPermitInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self { ask, field, new, basis } = self;
        Ok((ask, Command::AmendPermit { field, new, basis }))
    }
}

/// 补换施工许可证
#[derive(Debug, InputObject)]
struct ConstructionPermitReplacePermitInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 原因
    reason: String,
}

impl ReadInput<Command> for ConstructionPermitReplacePermitInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self { ask, reason } = self;
        Ok((ask, Command::ReplacePermit { reason }))
    }
}

/// 竣工备案
#[derive(Debug, InputObject)]
struct ConstructionPermitFileCompletionInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 备案编号
    filing_no: String,
}

impl ReadInput<Command> for ConstructionPermitFileCompletionInput {
    fn read(self) -> Result<(Ask, Command), UserError> {
        let Self { ask, filing_no } = self;
        Ok((ask, Command::FileCompletion { filing_no }))
    }
}

#[derive(Default)]
pub(crate) struct ConstructionPermitMutations;

#[Object]
impl ConstructionPermitMutations {
    /// 申请施工许可证: files a new case.
    async fn construction_permit_submit(
        &self,
        ctx: &Context<'_>,
        input: ConstructionPermitSubmitInput,
    ) -> Result<CasePayload, Error> {
        let command_id = input.command_id;
        let case_id = input.case_id.unwrap_or_else(|| Uuid::new_v5(&command_id, CASE_OF_COMMAND));
        let travel = Travel {
            command_id,
            occurred_at: input.occurred_at,
            legal_basis: input.legal_basis.clone(),
        };
        let command = match input.read() {
            Ok(command) => command,
            Err(error) => return Ok(CasePayload::refused(command_id, vec![error])),
        };
        let envelope = travel.envelope(ctx)?;
        let done = state(ctx)?.bureau.to_any_case(CATEGORY, case_id, command, &envelope).await;
        CasePayload::of(ctx, (CATEGORY, case_id), command_id, done).await
    }

    /// 开工报告
    async fn construction_permit_report_start(
        &self,
        ctx: &Context<'_>,
        input: ConstructionPermitReportStartInput,
    ) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_own(ctx, command_id, input.read()).await
    }

    /// 申请延期开工, before the date has passed.
    async fn construction_permit_request_start_extension(
        &self,
        ctx: &Context<'_>,
        input: ConstructionPermitRequestStartExtensionInput,
    ) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_own(ctx, command_id, input.read()).await
    }

    /// 同意延期开工: at most twice, three months each (建筑法 9).
    async fn construction_permit_grant_start_extension(
        &self,
        ctx: &Context<'_>,
        input: ConstructionPermitGrantStartExtensionInput,
    ) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_own(ctx, command_id, input.read()).await
    }

    /// 不同意延期开工
    async fn construction_permit_refuse_start_extension(
        &self,
        ctx: &Context<'_>,
        input: ConstructionPermitRefuseStartExtensionInput,
    ) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_own(ctx, command_id, input.read()).await
    }

    /// 中止施工报告, within a month (建筑法 10).
    async fn construction_permit_report_suspension(
        &self,
        ctx: &Context<'_>,
        input: ConstructionPermitReportSuspensionInput,
    ) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_own(ctx, command_id, input.read()).await
    }

    /// 恢复施工报告
    async fn construction_permit_report_resumption(
        &self,
        ctx: &Context<'_>,
        input: ConstructionPermitReportResumptionInput,
    ) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_own(ctx, command_id, input.read()).await
    }

    /// 申请核验: halted for a year or more.
    async fn construction_permit_request_recheck(
        &self,
        ctx: &Context<'_>,
        input: ConstructionPermitRequestRecheckInput,
    ) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_own(ctx, command_id, input.read()).await
    }

    /// 核验: passed, if all findings passed.
    async fn construction_permit_record_recheck(
        &self,
        ctx: &Context<'_>,
        input: ConstructionPermitRecordRecheckInput,
    ) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_own(ctx, command_id, input.read()).await
    }

    /// 变更施工许可证: a party, the project lead or the scale.
    async fn construction_permit_amend_permit(
        &self,
        ctx: &Context<'_>,
        input: ConstructionPermitAmendPermitInput,
    ) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_own(ctx, command_id, input.read()).await
    }

    /// 补换施工许可证
    async fn construction_permit_replace_permit(
        &self,
        ctx: &Context<'_>,
        input: ConstructionPermitReplacePermitInput,
    ) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_own(ctx, command_id, input.read()).await
    }

    /// 竣工备案
    async fn construction_permit_file_completion(
        &self,
        ctx: &Context<'_>,
        input: ConstructionPermitFileCompletionInput,
    ) -> Result<CasePayload, Error> {
        let command_id = input.ask.command_id;
        ask_own(ctx, command_id, input.read()).await
    }
}
