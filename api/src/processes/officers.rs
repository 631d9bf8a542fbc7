//! What those who keep processes running do: repair, move, suspend, migrate; and what workers outside report.

use async_graphql::{Context, Error, InputObject, Object, OneofObject};
use process_engine::instance::{Change, Command};
use serde_json::Value;

use super::{
    ask_process,
    words::{PersonInput, bindings, key},
};
use crate::{
    asked::{Ask, CasePayload},
    errors::UserError,
};

/// A case and why
#[derive(Debug, InputObject)]
struct ProcessReasonInput {
    #[graphql(flatten)]
    ask: Ask,
    /// 原因
    reason: String,
}

/// A case and nothing else
#[derive(Debug, InputObject)]
struct ProcessInput {
    #[graphql(flatten)]
    ask: Ask,
}

/// 设置变量
#[derive(Debug, InputObject)]
struct ProcessSetVariablesInput {
    #[graphql(flatten)]
    ask: Ask,
    /// The scope by its key; 0 is the process itself.
    scope: Option<i32>,
    /// The variables, by name.
    variables: Value,
    /// 原因
    reason: String,
}

/// 自由跳转
#[derive(Debug, InputObject)]
struct ProcessJumpInput {
    #[graphql(flatten)]
    ask: Ask,
    /// What is given up, by key.
    from: Vec<i32>,
    /// The steps that begin, by their ids in the model.
    to: Vec<String>,
    /// 原因
    reason: String,
}

/// 离职交接
#[derive(Debug, InputObject)]
struct ProcessHandOverInput {
    #[graphql(flatten)]
    ask: Ask,
    /// Whose tasks.
    from: PersonInput,
    /// Who has them from now on.
    to: PersonInput,
    /// 原因
    reason: String,
}

/// 重试异常
#[derive(Debug, InputObject)]
struct IncidentRetryInput {
    #[graphql(flatten)]
    ask: Ask,
    /// The incident's key in its case.
    incident: i32,
    /// What was repaired.
    note: String,
}

/// A job that was done
#[derive(Debug, InputObject)]
struct JobCompleteInput {
    #[graphql(flatten)]
    ask: Ask,
    /// The job's key in its case.
    job: i32,
    /// What came of it.
    result: Option<Value>,
}

/// A job that was not done
#[derive(Debug, InputObject)]
struct JobFailInput {
    #[graphql(flatten)]
    ask: Ask,
    /// The job's key in its case.
    job: i32,
    /// What went wrong.
    message: String,
    /// An error that the model may catch, by its code; none: it is tried again.
    error_code: Option<String>,
}

/// A message for a process
#[derive(Debug, InputObject)]
struct MessageDeliverInput {
    #[graphql(flatten)]
    ask: Ask,
    /// The message's name.
    name: String,
    /// Its key, if the process waits for one.
    correlation: Option<String>,
    /// What it brings, by variable.
    payload: Option<Value>,
}

/// An activity of an ad-hoc sub-process that begins
#[derive(Debug, InputObject)]
struct ActivityBeginInput {
    #[graphql(flatten)]
    ask: Ask,
    /// The ad-hoc sub-process, by key.
    scope: i32,
    /// The activity, by its id in the model.
    element: String,
}

/// An ad-hoc sub-process that is done
#[derive(Debug, InputObject)]
struct AdHocCompleteInput {
    #[graphql(flatten)]
    ask: Ask,
    /// The ad-hoc sub-process, by key.
    scope: i32,
}

/// One change of a process by hand; exactly one of its fields
#[derive(Debug, OneofObject)]
enum ProcessChangeInput {
    /// Gives up what runs under this key.
    GiveUp(i32),
    /// Begins an element.
    Begin(BeginInput),
    /// Puts a token on a flow.
    Place(PlaceInput),
}

/// An element that begins
#[derive(Debug, InputObject)]
struct BeginInput {
    /// Its id in the model.
    element: String,
    /// The scope by its key, if there are several.
    scope: Option<i32>,
    /// Variables of its own.
    variables: Option<Value>,
}

/// A flow that gets a token
#[derive(Debug, InputObject)]
struct PlaceInput {
    /// Its id in the model.
    flow: String,
    /// The scope by its key, if there are several.
    scope: Option<i32>,
}

/// 人工调整
#[derive(Debug, InputObject)]
struct ProcessModifyInput {
    #[graphql(flatten)]
    ask: Ask,
    /// The changes, in order.
    changes: Vec<ProcessChangeInput>,
    /// 原因
    reason: String,
}

impl ProcessChangeInput {
    fn read(self) -> Result<Change, UserError> {
        let scope = |scope: Option<i32>| scope.map(|scope| key(scope, "input.changes.scope")).transpose();
        Ok(match self {
            Self::GiveUp(at) => Change::GiveUp {
                key: key(at, "input.changes.giveUp")?,
            },
            Self::Begin(begin) => Change::Begin {
                element: begin.element.as_str().into(),
                scope: scope(begin.scope)?,
                variables: bindings(begin.variables, "input.changes.begin.variables")?,
            },
            Self::Place(place) => Change::Place {
                flow: place.flow.as_str().into(),
                scope: scope(place.scope)?,
            },
        })
    }
}

#[derive(Default)]
pub(crate) struct OfficerMutations;

#[Object]
impl OfficerMutations {
    /// 挂起: nothing happens until it is resumed.
    async fn process_suspend(&self, ctx: &Context<'_>, input: ProcessReasonInput) -> Result<CasePayload, Error> {
        ask_process(ctx, input.ask, Ok(Command::Suspend { reason: input.reason })).await
    }

    /// 激活
    async fn process_resume(&self, ctx: &Context<'_>, input: ProcessInput) -> Result<CasePayload, Error> {
        ask_process(ctx, input.ask, Ok(Command::Resume)).await
    }

    /// 终止: stops a process for ever; the case itself stays as it is.
    async fn process_cancel(&self, ctx: &Context<'_>, input: ProcessReasonInput) -> Result<CasePayload, Error> {
        ask_process(ctx, input.ask, Ok(Command::Cancel { reason: input.reason })).await
    }

    /// 设置变量: repairs what an expression needs.
    async fn process_set_variables(&self, ctx: &Context<'_>, input: ProcessSetVariablesInput) -> Result<CasePayload, Error> {
        let ProcessSetVariablesInput {
            ask,
            scope,
            variables,
            reason,
        } = input;
        let command = key(scope.unwrap_or(0), "input.scope").and_then(|scope| {
            Ok(Command::SetVariables {
                scope,
                variables: bindings(Some(variables), "input.variables")?,
                reason,
            })
        });
        ask_process(ctx, ask, command).await
    }

    /// 自由跳转 (管理员干预): gives up some steps and begins others.
    async fn process_jump(&self, ctx: &Context<'_>, input: ProcessJumpInput) -> Result<CasePayload, Error> {
        let ProcessJumpInput { ask, from, to, reason } = input;
        let from: Result<Vec<_>, _> = from.into_iter().map(|at| key(at, "input.from")).collect();
        let command = from.map(|from| Command::Jump {
            from,
            to: to.iter().map(|element| element.as_str().into()).collect(),
            reason,
        });
        ask_process(ctx, ask, command).await
    }

    /// 离职交接: everything in this case that waits for somebody waits for somebody else.
    async fn process_hand_over(&self, ctx: &Context<'_>, input: ProcessHandOverInput) -> Result<CasePayload, Error> {
        let ProcessHandOverInput { ask, from, to, reason } = input;
        let command = Command::HandOver {
            from: from.read(),
            to: to.read(),
            reason,
        };
        ask_process(ctx, ask, Ok(command)).await
    }

    /// 人工调整: begins and gives up steps, places tokens.
    async fn process_modify(&self, ctx: &Context<'_>, input: ProcessModifyInput) -> Result<CasePayload, Error> {
        let ProcessModifyInput { ask, changes, reason } = input;
        let changes: Result<Vec<_>, _> = changes.into_iter().map(ProcessChangeInput::read).collect();
        ask_process(ctx, ask, changes.map(|changes| Command::Modify { changes, reason })).await
    }

    /// 重试: an incident was repaired.
    async fn incident_retry(&self, ctx: &Context<'_>, input: IncidentRetryInput) -> Result<CasePayload, Error> {
        let IncidentRetryInput { ask, incident, note } = input;
        let command = key(incident, "input.incident").map(|incident| Command::RetryIncident { incident, note });
        ask_process(ctx, ask, command).await
    }

    /// A worker outside has done a job.
    async fn job_complete(&self, ctx: &Context<'_>, input: JobCompleteInput) -> Result<CasePayload, Error> {
        let JobCompleteInput { ask, job, result } = input;
        let command = key(job, "input.job").map(|job| Command::CompleteJob {
            job,
            result: result.unwrap_or_default(),
        });
        ask_process(ctx, ask, command).await
    }

    /// A worker outside could not do a job.
    async fn job_fail(&self, ctx: &Context<'_>, input: JobFailInput) -> Result<CasePayload, Error> {
        let JobFailInput {
            ask,
            job,
            message,
            error_code,
        } = input;
        let command = key(job, "input.job").map(|job| match error_code {
            Some(code) => Command::ThrowJobError {
                job,
                code,
                message: Some(message),
            },
            None => Command::FailJob { job, message },
        });
        ask_process(ctx, ask, command).await
    }

    /// A message has come for a process.
    async fn message_deliver(&self, ctx: &Context<'_>, input: MessageDeliverInput) -> Result<CasePayload, Error> {
        let MessageDeliverInput {
            ask,
            name,
            correlation,
            payload,
        } = input;
        let command = bindings(payload, "input.payload").map(|payload| Command::DeliverMessage {
            name,
            correlation,
            payload,
        });
        ask_process(ctx, ask, command).await
    }

    /// Begins an activity of an ad-hoc sub-process.
    async fn activity_begin(&self, ctx: &Context<'_>, input: ActivityBeginInput) -> Result<CasePayload, Error> {
        let ActivityBeginInput { ask, scope, element } = input;
        let command = key(scope, "input.scope").map(|scope| Command::BeginActivity {
            scope,
            element: element.as_str().into(),
        });
        ask_process(ctx, ask, command).await
    }

    /// An ad-hoc sub-process is done.
    async fn ad_hoc_complete(&self, ctx: &Context<'_>, input: AdHocCompleteInput) -> Result<CasePayload, Error> {
        let command = key(input.scope, "input.scope").map(|scope| Command::CompleteAdHoc { scope });
        ask_process(ctx, input.ask, command).await
    }
}
