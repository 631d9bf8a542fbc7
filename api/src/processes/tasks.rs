//! What people do with their tasks (办理).

use async_graphql::{Context, Error, InputObject, Object};
use process_engine::instance::{Command, Said};
use serde_json::Value;

use super::{
    ask_process,
    words::{PersonInput, ResumeMode, SignPlace, bindings, key, outcome},
};
use crate::{
    asked::{Ask, CasePayload},
    errors::UserError,
};

/// 认领, 放回, 撤回: a task and nothing else
#[derive(Debug, InputObject)]
struct TaskInput {
    #[graphql(flatten)]
    ask: Ask,
    /// The task's key in its case.
    task: i32,
}

/// 指派, 转办, 委派
#[derive(Debug, InputObject)]
struct TaskToInput {
    #[graphql(flatten)]
    ask: Ask,
    /// The task's key in its case.
    task: i32,
    /// To whom.
    to: PersonInput,
    /// 原因
    reason: String,
}

/// 办理
#[derive(Debug, InputObject)]
struct TaskCompleteInput {
    #[graphql(flatten)]
    ask: Ask,
    /// The task's key in its case.
    task: i32,
    /// `approved`, `rejected`, `abstained`, or what the model offers.
    outcome: String,
    /// 意见
    opinion: Option<String>,
    /// SHA-256 of the signature (手写签名) in hexadecimal.
    signature: Option<String>,
    /// What was filled in, by field.
    form: Option<Value>,
    /// 审批人自选: who approves the next steps.
    chosen: Option<Vec<ChosenInput>>,
}

/// Who approves a step that comes.
#[derive(Debug, InputObject)]
struct ChosenInput {
    /// The step, by its id in the model.
    element: String,
    /// Who.
    people: Vec<PersonInput>,
}

/// 前加签, 后加签
#[derive(Debug, InputObject)]
struct TaskAddSignInput {
    #[graphql(flatten)]
    ask: Ask,
    /// The task's key in its case.
    task: i32,
    /// Before or after.
    place: SignPlace,
    /// Who is asked besides.
    people: Vec<PersonInput>,
    /// 原因
    reason: String,
}

/// 并加签, 减签
#[derive(Debug, InputObject)]
struct TaskApproverInput {
    #[graphql(flatten)]
    ask: Ask,
    /// A task of the vote, by its key in its case.
    task: i32,
    /// Who.
    person: PersonInput,
    /// 原因
    reason: String,
}

/// 退回
#[derive(Debug, InputObject)]
struct TaskReturnInput {
    #[graphql(flatten)]
    ask: Ask,
    /// The task's key in its case.
    task: i32,
    /// The step that it goes back to, by its id in the model; it was done before.
    to: String,
    /// How it goes on from there.
    resume: ResumeMode,
    /// 原因
    reason: String,
}

/// 撤回
#[derive(Debug, InputObject)]
struct TaskWithdrawInput {
    #[graphql(flatten)]
    ask: Ask,
    /// The task that was decided, by its key in its case.
    task: i32,
    /// 原因
    reason: String,
}

/// 抄送
#[derive(Debug, InputObject)]
struct TaskSendCopyInput {
    #[graphql(flatten)]
    ask: Ask,
    /// The task's key in its case.
    task: i32,
    /// To whom.
    to: Vec<PersonInput>,
    /// 附言
    message: String,
}

/// 已阅
#[derive(Debug, InputObject)]
struct CopyReadInput {
    #[graphql(flatten)]
    ask: Ask,
    /// The copy's key in its case.
    copy: i32,
}

/// 催办
#[derive(Debug, InputObject)]
struct TaskUrgeInput {
    #[graphql(flatten)]
    ask: Ask,
    /// The task's key in its case.
    task: i32,
    /// 附言
    message: String,
}

fn complete(input: TaskCompleteInput) -> (Ask, Result<Command, UserError>) {
    let TaskCompleteInput {
        ask,
        task,
        outcome: word,
        opinion,
        signature,
        form,
        chosen,
    } = input;
    let command = key(task, "input.task").and_then(|task| {
        Ok(Command::CompleteTask {
            task,
            outcome: outcome(&word),
            said: Said { opinion, signature },
            form: bindings(form, "input.form")?,
            chosen: chosen
                .unwrap_or_default()
                .into_iter()
                .map(|chosen| (chosen.element.as_str().into(), PersonInput::read_all(chosen.people)))
                .collect(),
        })
    });
    (ask, command)
}

#[derive(Default)]
pub(crate) struct TaskMutations;

#[Object]
impl TaskMutations {
    /// 认领: takes a task that several could do.
    async fn task_claim(&self, ctx: &Context<'_>, input: TaskInput) -> Result<CasePayload, Error> {
        let command = key(input.task, "input.task").map(|task| Command::ClaimTask { task });
        ask_process(ctx, input.ask, command).await
    }

    /// 放回: lets others do it again.
    async fn task_unclaim(&self, ctx: &Context<'_>, input: TaskInput) -> Result<CasePayload, Error> {
        let command = key(input.task, "input.task").map(|task| Command::UnclaimTask { task });
        ask_process(ctx, input.ask, command).await
    }

    /// 指派: gives a task to somebody.
    async fn task_assign(&self, ctx: &Context<'_>, input: TaskToInput) -> Result<CasePayload, Error> {
        let TaskToInput { ask, task, to, reason } = input;
        let command = key(task, "input.task").map(|task| Command::AssignTask {
            task,
            to: to.read(),
            reason,
        });
        ask_process(ctx, ask, command).await
    }

    /// 转办: hands a task over; the other's decision is final.
    async fn task_transfer(&self, ctx: &Context<'_>, input: TaskToInput) -> Result<CasePayload, Error> {
        let TaskToInput { ask, task, to, reason } = input;
        let command = key(task, "input.task").map(|task| Command::TransferTask {
            task,
            to: to.read(),
            reason,
        });
        ask_process(ctx, ask, command).await
    }

    /// 委派: asks somebody for advice; the task comes back.
    async fn task_delegate(&self, ctx: &Context<'_>, input: TaskToInput) -> Result<CasePayload, Error> {
        let TaskToInput { ask, task, to, reason } = input;
        let command = key(task, "input.task").map(|task| Command::DelegateTask {
            task,
            to: to.read(),
            reason,
        });
        ask_process(ctx, ask, command).await
    }

    /// 办理: decides a task. One that means a step of the case itself is done by that step's own mutation.
    async fn task_complete(&self, ctx: &Context<'_>, input: TaskCompleteInput) -> Result<CasePayload, Error> {
        let (ask, command) = complete(input);
        ask_process(ctx, ask, command).await
    }

    /// 前加签, 后加签: asks others besides.
    async fn task_add_sign(&self, ctx: &Context<'_>, input: TaskAddSignInput) -> Result<CasePayload, Error> {
        let TaskAddSignInput {
            ask,
            task,
            place,
            people,
            reason,
        } = input;
        let command = key(task, "input.task").map(|task| Command::AddSign {
            task,
            place: place.into(),
            people: PersonInput::read_all(people),
            reason,
        });
        ask_process(ctx, ask, command).await
    }

    /// 并加签: one more in a running vote or sequence.
    async fn task_add_approver(&self, ctx: &Context<'_>, input: TaskApproverInput) -> Result<CasePayload, Error> {
        let TaskApproverInput {
            ask,
            task,
            person,
            reason,
        } = input;
        let command = key(task, "input.task").map(|task| Command::AddApprover {
            task,
            person: person.read(),
            reason,
        });
        ask_process(ctx, ask, command).await
    }

    /// 减签: one fewer in a running vote or sequence.
    async fn task_remove_approver(&self, ctx: &Context<'_>, input: TaskApproverInput) -> Result<CasePayload, Error> {
        let TaskApproverInput {
            ask,
            task,
            person,
            reason,
        } = input;
        let command = key(task, "input.task").map(|task| Command::RemoveApprover {
            task,
            person: person.read(),
            reason,
        });
        ask_process(ctx, ask, command).await
    }

    /// 退回 to a step that was done before, out of and into votes and parallel branches as well.
    async fn task_return(&self, ctx: &Context<'_>, input: TaskReturnInput) -> Result<CasePayload, Error> {
        let TaskReturnInput {
            ask,
            task,
            to,
            resume,
            reason,
        } = input;
        let command = key(task, "input.task").map(|task| Command::ReturnTo {
            task,
            to: to.as_str().into(),
            resume: resume.into(),
            reason,
        });
        ask_process(ctx, ask, command).await
    }

    /// 撤回: takes one's own last decision back, as long as nobody decided after it.
    async fn task_withdraw(&self, ctx: &Context<'_>, input: TaskWithdrawInput) -> Result<CasePayload, Error> {
        let TaskWithdrawInput { ask, task, reason } = input;
        let command = key(task, "input.task").map(|task| Command::WithdrawDecision { task, reason });
        ask_process(ctx, ask, command).await
    }

    /// 抄送
    async fn task_send_copy(&self, ctx: &Context<'_>, input: TaskSendCopyInput) -> Result<CasePayload, Error> {
        let TaskSendCopyInput { ask, task, to, message } = input;
        let command = key(task, "input.task").map(|task| Command::SendCopy {
            task,
            to: PersonInput::read_all(to),
            message,
        });
        ask_process(ctx, ask, command).await
    }

    /// 已阅: the copy was read.
    async fn copy_read(&self, ctx: &Context<'_>, input: CopyReadInput) -> Result<CasePayload, Error> {
        let command = key(input.copy, "input.copy").map(|copy| Command::ReadCopy { copy });
        ask_process(ctx, input.ask, command).await
    }

    /// 催办
    async fn task_urge(&self, ctx: &Context<'_>, input: TaskUrgeInput) -> Result<CasePayload, Error> {
        let TaskUrgeInput { ask, task, message } = input;
        let command = key(task, "input.task").map(|task| Command::UrgeTask { task, message });
        ask_process(ctx, ask, command).await
    }
}
