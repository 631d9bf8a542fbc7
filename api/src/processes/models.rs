//! Deploying models, and the staff that candidates are found among.

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use casework::deployment::Command;
use chrono::{NaiveDate, Utc};
use commands::Migration;
use domain::registers::staff::{self, Department, Member, Substitution};
use process_engine::model::ElementId;
use uuid::Uuid;

use super::definitions::ModelKind;
use crate::{
    asked::{Travel, state},
    errors::{self, UserError, outcome},
    ids::GlobalId,
    scalars::LogPosition,
};

/// What became of a command on the models or the staff.
#[derive(SimpleObject)]
pub(crate) struct ModelPayload {
    /// Why it was not done; empty, if it was.
    user_errors: Vec<UserError>,
    /// The command.
    command_id: Uuid,
    /// Where the command's last event stands in the log; none, if it wrote nothing.
    position: Option<LogPosition>,
}

/// 提出部署
#[derive(Debug, InputObject)]
struct ModelProposeInput {
    /// Made by the client, once for each intention.
    command_id: Uuid,
    /// What it is called among all models.
    key: String,
    /// What it is.
    kind: ModelKind,
    /// 名称
    name: String,
    /// The file.
    source: String,
    /// From which day new cases go by it; none: from today.
    effective_from: Option<NaiveDate>,
    /// How many of a hundred new cases go by it; none: all.
    percent: Option<i32>,
    /// 说明
    note: Option<String>,
}

/// 批准部署
#[derive(Debug, InputObject)]
struct ModelApproveInput {
    /// Made by the client, once for each intention.
    command_id: Uuid,
    /// The model.
    key: String,
    /// The version.
    version: i32,
}

/// 不予部署, 停用
#[derive(Debug, InputObject)]
struct ModelReasonInput {
    /// Made by the client, once for each intention.
    command_id: Uuid,
    /// The model.
    key: String,
    /// The version.
    version: i32,
    /// 原因
    reason: String,
}

/// 灰度调整
#[derive(Debug, InputObject)]
struct ModelRolloutInput {
    /// Made by the client, once for each intention.
    command_id: Uuid,
    /// The model.
    key: String,
    /// The version.
    version: i32,
    /// How many of a hundred new cases go by it.
    percent: i32,
    /// 原因
    reason: String,
}

/// 迁移在办件
#[derive(Debug, InputObject)]
struct ProcessMigrateInput {
    /// Made by the client, once for each intention.
    command_id: Uuid,
    /// The cases, all of one type.
    case_ids: Vec<ID>,
    /// The version of their own model that they go over to.
    version: i32,
    /// Elements that are called otherwise in the new version.
    elements: Option<Vec<RenamedInput>>,
    /// 原因
    reason: String,
    /// Only tried: nothing is written.
    dry_run: Option<bool>,
}

/// What became of one case.
#[derive(SimpleObject)]
pub(crate) struct MigratedCase {
    /// The case.
    case_id: ID,
    /// How many events it is, or would be; none, if it cannot go over.
    events: Option<i32>,
    /// Why it stays as it is; empty, if it goes over.
    user_errors: Vec<UserError>,
}

/// What became of a migration (迁移结果).
#[derive(SimpleObject)]
pub(crate) struct ProcessMigratePayload {
    /// Each case, by itself.
    cases: Vec<MigratedCase>,
    /// What is wrong with the input as a whole.
    user_errors: Vec<UserError>,
    /// The command.
    command_id: Uuid,
}

/// An element that is called otherwise.
#[derive(Debug, InputObject)]
struct RenamedInput {
    /// Its id in the old version.
    from: String,
    /// Its id in the new version.
    to: String,
}

/// 人员登记
#[derive(Debug, InputObject)]
struct StaffRecordInput {
    /// Made by the client, once for each intention.
    command_id: Uuid,
    /// The account.
    id: String,
    /// 姓名
    name: String,
    /// 部门, by its code.
    department: String,
    /// 岗位
    posts: Option<Vec<String>>,
    /// 角色
    roles: Option<Vec<String>>,
    /// 用户组
    groups: Option<Vec<String>>,
}

/// 离职
#[derive(Debug, InputObject)]
struct StaffLeaveInput {
    /// Made by the client, once for each intention.
    command_id: Uuid,
    /// The account.
    id: String,
}

/// 部门登记
#[derive(Debug, InputObject)]
struct DepartmentRecordInput {
    /// Made by the client, once for each intention.
    command_id: Uuid,
    /// Its code.
    code: String,
    /// 名称
    name: String,
    /// 上级部门
    parent: Option<String>,
    /// 负责人, by their account.
    leader: Option<String>,
}

/// 代理
#[derive(Debug, InputObject)]
struct SubstituteNameInput {
    /// Made by the client, once for each intention.
    command_id: Uuid,
    /// Who is away.
    person: String,
    /// Who decides for them.
    substitute: String,
    /// From this day on.
    from: NaiveDate,
    /// Up to and with this day.
    until: NaiveDate,
}

/// 代理结束
#[derive(Debug, InputObject)]
struct SubstituteEndInput {
    /// Made by the client, once for each intention.
    command_id: Uuid,
    /// Who is back.
    person: String,
}

impl ProcessMigrateInput {
    /// The type and the ids of the cases, and what they go over to.
    fn read(self) -> Result<(&'static str, Vec<Uuid>, Migration), UserError> {
        let read = self.case_ids.iter().map(|id| GlobalId::decode_case(id));
        let cases: Result<Vec<_>, _> = read.collect();
        let cases = cases.map_err(|cause| UserError::invalid("input.caseIds", "案件标识无效", cause))?;
        let category = cases
            .first()
            .map(|(category, _)| *category)
            .ok_or_else(|| UserError::invalid("input.caseIds", "请指明案件", "name the cases"))?;
        if cases.iter().any(|(other, _)| *other != category) {
            return Err(UserError::invalid(
                "input.caseIds",
                "案件类型不一致",
                "the cases are not of one type",
            ));
        }
        let migration = Migration {
            key: category.to_owned(),
            version: natural(self.version, "input.version")?,
            elements: self
                .elements
                .unwrap_or_default()
                .into_iter()
                .map(|renamed| (ElementId::from(renamed.from), ElementId::from(renamed.to)))
                .collect(),
            reason: self.reason,
        };
        Ok((category, cases.into_iter().map(|(_, case_id)| case_id).collect(), migration))
    }
}

fn travel(command_id: Uuid) -> Travel {
    Travel {
        command_id,
        occurred_at: None,
        legal_basis: None,
    }
}

async fn ask_models(ctx: &Context<'_>, command_id: Uuid, command: Command) -> Result<ModelPayload, Error> {
    let envelope = travel(command_id).envelope(ctx)?;
    let done = state(ctx)?.bureau.to_models(command, &envelope).await;
    payload(command_id, outcome(done)?.map(|receipt| receipt.position))
}

async fn ask_with_reason(
    ctx: &Context<'_>,
    input: ModelReasonInput,
    command: impl FnOnce(String, u32, String) -> Command,
) -> Result<ModelPayload, Error> {
    match natural(input.version, "input.version") {
        Ok(version) => ask_models(ctx, input.command_id, command(input.key, version, input.reason)).await,
        Err(error) => Ok(refused(input.command_id, error)),
    }
}

async fn ask_staff(ctx: &Context<'_>, command_id: Uuid, command: staff::Command) -> Result<ModelPayload, Error> {
    let envelope = travel(command_id).envelope(ctx)?;
    let done = state(ctx)?.bureau.to_staff(command, &envelope).await;
    payload(command_id, outcome(done)?.map(|receipt| receipt.position))
}

#[allow(clippy::unnecessary_wraps, reason = "it ends resolvers, which may fail before")]
fn payload(command_id: Uuid, done: Result<Option<event_store_contract::Position>, UserError>) -> Result<ModelPayload, Error> {
    let (position, user_errors) = match done {
        Ok(position) => (position, Vec::new()),
        Err(error) => (None, vec![error]),
    };
    Ok(ModelPayload {
        user_errors,
        command_id,
        position: position.map(LogPosition),
    })
}

fn refused(command_id: Uuid, error: UserError) -> ModelPayload {
    ModelPayload {
        user_errors: vec![error],
        command_id,
        position: None,
    }
}

/// A version or a share: not below 0.
fn natural(value: i32, field: &str) -> Result<u32, UserError> {
    u32::try_from(value).map_err(|_| UserError::invalid(field, "不能为负数", "must not be negative"))
}

#[derive(Default)]
pub(crate) struct ModelMutations;

#[Object]
impl ModelMutations {
    /// 提出部署: the file is checked; somebody else must approve it.
    async fn model_propose(&self, ctx: &Context<'_>, input: ModelProposeInput) -> Result<ModelPayload, Error> {
        let today = domain::metadata::bureau_date(state(ctx)?.clock.now().with_timezone(&Utc));
        let percent = match natural(input.percent.unwrap_or(100), "input.percent") {
            Ok(percent) => percent,
            Err(error) => return Ok(refused(input.command_id, error)),
        };
        let command = Command::Propose {
            key: input.key,
            kind: input.kind.into(),
            name: input.name,
            source: input.source,
            effective_from: input.effective_from.unwrap_or(today),
            percent,
            note: input.note.unwrap_or_default(),
        };
        ask_models(ctx, input.command_id, command).await
    }

    /// 批准部署, by somebody who did not propose it.
    async fn model_approve(&self, ctx: &Context<'_>, input: ModelApproveInput) -> Result<ModelPayload, Error> {
        match natural(input.version, "input.version") {
            Ok(version) => ask_models(ctx, input.command_id, Command::Approve { key: input.key, version }).await,
            Err(error) => Ok(refused(input.command_id, error)),
        }
    }

    /// 不予部署
    async fn model_decline(&self, ctx: &Context<'_>, input: ModelReasonInput) -> Result<ModelPayload, Error> {
        ask_with_reason(ctx, input, |key, version, reason| Command::Decline { key, version, reason }).await
    }

    /// 灰度调整: how many of a hundred new cases go by a version; a case always goes by the same.
    async fn model_rollout(&self, ctx: &Context<'_>, input: ModelRolloutInput) -> Result<ModelPayload, Error> {
        let numbers =
            natural(input.version, "input.version").and_then(|version| Ok((version, natural(input.percent, "input.percent")?)));
        let (version, percent) = match numbers {
            Ok(numbers) => numbers,
            Err(error) => return Ok(refused(input.command_id, error)),
        };
        let command = Command::ChangeRollout {
            key: input.key,
            version,
            percent,
            reason: input.reason,
        };
        ask_models(ctx, input.command_id, command).await
    }

    /// 停用: no new case goes by a version any more; what runs by it goes on.
    async fn model_retire(&self, ctx: &Context<'_>, input: ModelReasonInput) -> Result<ModelPayload, Error> {
        ask_with_reason(ctx, input, |key, version, reason| Command::Retire { key, version, reason }).await
    }

    /// 迁移: cases that run go over to another version of their model, each by itself: one that does something that has no
    /// place there stays as it is, and says why.
    async fn process_migrate(&self, ctx: &Context<'_>, input: ProcessMigrateInput) -> Result<ProcessMigratePayload, Error> {
        let command_id = input.command_id;
        let tried_only = input.dry_run.unwrap_or(false);
        let (category, cases, migration) = match input.read() {
            Ok(read) => read,
            Err(error) => {
                return Ok(ProcessMigratePayload {
                    cases: Vec::new(),
                    user_errors: vec![error],
                    command_id,
                });
            }
        };
        let envelope = travel(command_id).envelope(ctx)?;
        let bureau = &state(ctx)?.bureau;
        let done = bureau.migrate(category, &cases, &migration, tried_only, &envelope).await;
        let mut migrated = Vec::new();
        for (case_id, answer) in done.map_err(errors::refused)? {
            let (events, user_errors) = match outcome(answer)? {
                Ok(events) => (Some(i32::try_from(events).unwrap_or(i32::MAX)), Vec::new()),
                Err(error) => (None, vec![error]),
            };
            migrated.push(MigratedCase {
                case_id: GlobalId::Case { category, case_id }.encode().into(),
                events,
                user_errors,
            });
        }
        Ok(ProcessMigratePayload {
            cases: migrated,
            user_errors: Vec::new(),
            command_id,
        })
    }

    /// 人员登记: somebody came, or what is known of them changed.
    async fn staff_record(&self, ctx: &Context<'_>, input: StaffRecordInput) -> Result<ModelPayload, Error> {
        let member = Member {
            id: input.id,
            name: input.name,
            department: input.department,
            posts: input.posts.unwrap_or_default(),
            roles: input.roles.unwrap_or_default(),
            groups: input.groups.unwrap_or_default(),
        };
        ask_staff(ctx, input.command_id, staff::Command::RecordMember { member }).await
    }

    /// 离职
    async fn staff_leave(&self, ctx: &Context<'_>, input: StaffLeaveInput) -> Result<ModelPayload, Error> {
        ask_staff(ctx, input.command_id, staff::Command::LeaveMember { id: input.id }).await
    }

    /// 部门登记
    async fn department_record(&self, ctx: &Context<'_>, input: DepartmentRecordInput) -> Result<ModelPayload, Error> {
        let department = Department {
            code: input.code,
            name: input.name,
            parent: input.parent,
            leader: input.leader,
        };
        ask_staff(ctx, input.command_id, staff::Command::RecordDepartment { department }).await
    }

    /// 代理: somebody decides for somebody else for a time.
    async fn substitute_name(&self, ctx: &Context<'_>, input: SubstituteNameInput) -> Result<ModelPayload, Error> {
        let command = staff::Command::NameSubstitute {
            person: input.person,
            substitution: Substitution {
                substitute: input.substitute,
                from: input.from,
                until: input.until,
            },
        };
        ask_staff(ctx, input.command_id, command).await
    }

    /// 代理结束
    async fn substitute_end(&self, ctx: &Context<'_>, input: SubstituteEndInput) -> Result<ModelPayload, Error> {
        ask_staff(ctx, input.command_id, staff::Command::EndSubstitute { person: input.person }).await
    }
}
