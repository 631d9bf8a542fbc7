//! One line in Chinese and one in English about each thing that happens to a process.

use process_engine::{
    instance::{Ending, Event, Instance, Key, MoveKind, Outcome, Person, SignPlace, Tally},
    model::TimeoutAction,
};

pub(crate) type Both = (String, String);

/// Whether what happened is the machine's own business: steps of tokens, that people who read a story need not see.
pub fn is_technical(name: &str) -> bool {
    matches!(
        name,
        "VariablesSet"
            | "ElementEntered"
            | "ElementMoved"
            | "ActivitySkipped"
            | "ElementLeft"
            | "ElementCancelled"
            | "RoundsPlanned"
            | "RoundCollected"
            | "RoundThrown"
            | "AdHocClosed"
            | "GatewayFired"
            | "TokensTaken"
            | "TokenPlaced"
            | "TimerScheduled"
            | "TimerMoved"
            | "MessageAwaited"
            | "MessageReceived"
            | "SignalAwaited"
            | "SignalReceived"
            | "ConditionAwaited"
            | "ConditionMet"
            | "ConditionLapsed"
            | "WaitEnded"
            | "CompensationOffered"
            | "CompensationBegun"
            | "JobCreated"
            | "JobCompleted"
            | "ProcessCalled"
            | "ProcessClockPaused"
            | "ProcessClockResumed"
    )
}

/// Tells about an event; the instance is as it was before it, or as it was after.
pub fn say(event: &Event, process: &Instance) -> Both {
    of_people(event, process)
        .or_else(|| of_course(event, process))
        .unwrap_or_else(|| of_machine(event))
}

/// What people did with their tasks.
#[allow(clippy::too_many_lines, reason = "a table: one arm for each event")]
fn of_people(event: &Event, process: &Instance) -> Option<Both> {
    let task = |key: &Key| task_name(process, *key);
    Some(match event {
        Event::TaskOpened {
            name,
            element,
            assignee,
            candidates,
            ..
        } => {
            let name = name.as_deref().unwrap_or(element);
            match assignee {
                Some(assignee) => both(
                    format!("待办“{name}”，由 {} 办理", assignee.name),
                    format!("Task “{name}” waits for {}", assignee.name),
                ),
                None => both(
                    format!("待办“{name}”，待 {} 认领", names(candidates, "、")),
                    format!("Task “{name}” waits to be claimed by {}", names(candidates, ", ")),
                ),
            }
        }
        Event::TaskClaimed { key, by, .. } => both(
            format!("{} 认领“{}”", by.name, task(key)),
            format!("{} claims “{}”", by.name, task(key)),
        ),
        Event::TaskUnclaimed { key, .. } => both(
            format!("“{}”放回待认领", task(key)),
            format!("“{}” waits to be claimed again", task(key)),
        ),
        Event::TaskAssigned { key, to, reason, .. } => both(
            format!("“{}”指派给 {}：{reason}", task(key), to.name),
            format!("“{}” is assigned to {}: {reason}", task(key), to.name),
        ),
        Event::TaskTransferred { key, to, reason, .. } => both(
            format!("“{}”转办 {}：{reason}", task(key), to.name),
            format!("“{}” is transferred to {}: {reason}", task(key), to.name),
        ),
        Event::TaskDelegated {
            key, from, to, reason, ..
        } => both(
            format!("{} 将“{}”委派给 {}：{reason}", from.name, task(key), to.name),
            format!("{} delegates “{}” to {}: {reason}", from.name, task(key), to.name),
        ),
        Event::TaskReturnedToOwner { key, by, .. } => both(
            format!("{} 归还委派的“{}”", by.name, task(key)),
            format!("{} returns the delegated “{}”", by.name, task(key)),
        ),
        Event::SignAdded {
            key, place, people, by, ..
        } => {
            let (zh, en) = match place {
                SignPlace::Before => ("前加签", "before"),
                SignPlace::After => ("后加签", "after"),
            };
            both(
                format!("{} 对“{}”{zh}：{}", by.name, task(key), names(people, "、")),
                format!("{} has {} asked {en} “{}”", by.name, names(people, ", "), task(key)),
            )
        }
        Event::SignRemoved { by, reason, .. } => both(
            format!("{} 撤销加签：{reason}", by.name),
            format!("{} no longer has somebody asked besides: {reason}", by.name),
        ),
        Event::ApproverAdded { person, by, reason, .. } => both(
            format!("{} 加签 {}：{reason}", by.name, person.name),
            format!("{} adds {} to those who are asked: {reason}", by.name, person.name),
        ),
        Event::ApproverRemoved { person, by, reason, .. } => both(
            format!("{} 减签 {}：{reason}", by.name, person.name),
            format!("{} removes {} from those who are asked: {reason}", by.name, person.name),
        ),
        Event::TaskCompleted {
            key, by, outcome, said, ..
        }
        | Event::TaskDecisionHeld {
            key, by, outcome, said, ..
        } => {
            let (zh, en) = outcome_said(outcome);
            let opinion = said.opinion.as_deref().map(|text| (format!("：{text}"), format!(": {text}")));
            let (opinion_zh, opinion_en) = opinion.unwrap_or_default();
            both(
                format!("{} 办理“{}”，{zh}{opinion_zh}", by.name, task(key)),
                format!("{} finishes “{}”, {en}{opinion_en}", by.name, task(key)),
            )
        }
        Event::TaskSkipped { element, reason, .. } => both(
            format!("“{element}”自动跳过：{reason}"),
            format!("“{element}” is skipped: {reason}"),
        ),
        Event::TaskAutoDecided { key, action, .. } => {
            let (zh, en) = timeout_said(*action);
            both(
                format!("“{}”超时，{zh}", task(key)),
                format!("“{}” is late and {en}", task(key)),
            )
        }
        Event::TaskUrged { key, by, message, .. } => {
            let who = by.as_ref().map_or("系统", |by| &by.name);
            let by = by.as_ref().map_or("The platform", |by| &by.name);
            both(
                format!("{who} 催办“{}”：{message}", task(key)),
                format!("{by} urges “{}”: {message}", task(key)),
            )
        }
        Event::VoteCast { by, outcome, tally, .. } => {
            let (zh, en) = outcome_said(outcome);
            both(
                format!("{} 会签{zh}（{}）", by.name, tally_zh(tally)),
                format!("{} votes: {en} ({})", by.name, tally_en(tally)),
            )
        }
        Event::VoteWithdrawn { by, reason, tally, .. } => both(
            format!("{} 收回会签意见（{}）：{reason}", by.name, tally_zh(tally)),
            format!("{} takes their vote back ({}): {reason}", by.name, tally_en(tally)),
        ),
        Event::HandedOver { from, to, reason, .. } => both(
            format!("{} 的待办交接给 {}：{reason}", from.name, to.name),
            format!("What waited for {} waits for {}: {reason}", from.name, to.name),
        ),
        Event::VoteClosed { passed, tally, .. } => both(
            format!("会签结束，{}（{}）", if *passed { "通过" } else { "未通过" }, tally_zh(tally)),
            format!(
                "The vote is over: {} ({})",
                if *passed { "passed" } else { "failed" },
                tally_en(tally)
            ),
        ),
        Event::CopySent { to, .. } => both(
            format!("抄送 {}", names(to, "、")),
            format!("A copy goes to {}", names(to, ", ")),
        ),
        Event::CopyRead { by, .. } => both(format!("{} 已阅", by.name), format!("{} has read the copy", by.name)),
        _ => return None,
    })
}

/// How the process as a whole went on.
fn of_course(event: &Event, process: &Instance) -> Option<Both> {
    Some(match event {
        Event::ProcessStarted { process, version, .. } => both(
            format!("流程启动（{} 第 {version} 版）", process.process),
            format!("The process begins ({}, version {version})", process.process),
        ),
        Event::ProcessSuspended { reason, .. } => {
            both(format!("流程挂起：{reason}"), format!("The process is suspended: {reason}"))
        }
        Event::ProcessClockPaused { reason, .. } => both(
            format!("流程计时暂停：{reason}"),
            format!("The clock of the process stands still: {reason}"),
        ),
        Event::ProcessClockResumed { .. } => both("流程计时恢复", "The clock of the process goes on"),
        Event::ProcessResumed { .. } => both("流程激活", "The process goes on"),
        Event::ProcessEnded { how, .. } => ending_said(how),
        Event::ProcessMigrated { version, reason, .. } => both(
            format!("流程迁移到第 {version} 版：{reason}"),
            format!("The process goes over to version {version}: {reason}"),
        ),
        Event::ProcessCalled { process, .. } => both(
            format!("调用流程 {}", process.process),
            format!("The process {} is called", process.process),
        ),
        Event::ChangedByHand { by, reason, .. } => {
            let who = by.as_ref().map_or("系统", |by| &by.name);
            let by = by.as_ref().map_or("The platform", |by| &by.name);
            both(format!("{who} 干预流程：{reason}"), format!("{by} interferes: {reason}"))
        }
        Event::TimerFired { key, .. } => {
            let element = process.waits.get(key).map(|wait| wait.element.to_string());
            let element = element.unwrap_or_else(|| key.to_string());
            both(format!("定时“{element}”到期"), format!("The time of “{element}” has come"))
        }
        Event::IncidentRaised { element, message, .. } => both(
            format!("流程在“{element}”停住：{message}"),
            format!("The process is stuck at “{element}”: {message}"),
        ),
        Event::IncidentResolved { note, .. } => {
            both(format!("异常已处理：{note}"), format!("What was stuck is repaired: {note}"))
        }
        Event::JobFailed { message, tries_left, .. } => both(
            format!("作业失败，还可重试 {tries_left} 次：{message}"),
            format!("A job failed, {tries_left} tries left: {message}"),
        ),
        Event::DecisionEvaluated { decision, rules, .. } => both(
            format!("决策表“{decision}”命中规则 {rules:?}"),
            format!("The decision “{decision}” matched the rules {rules:?}"),
        ),
        Event::TokensMoved {
            to, kind, by, reason, ..
        } => {
            let (zh, en) = move_said(*kind);
            let (who, by) = (
                by.as_ref().map_or("系统", |by| &by.name),
                by.as_ref().map_or("The platform", |by| &by.name),
            );
            both(
                format!("{who} {zh}到“{}”：{reason}", to.join("、")),
                format!("{by} {en} to “{}”: {reason}", to.join(", ")),
            )
        }
        _ => return None,
    })
}

/// What only the machine does, tersely: the name is enough.
fn of_machine(event: &Event) -> Both {
    let name: &str = event.into();
    let zh = match event {
        Event::ErrorThrown { code, .. } => format!("流程抛出错误 {code}"),
        Event::EscalationThrown { code, .. } => format!("流程升级 {code}"),
        Event::MessageThrown { message, .. } => format!("流程发出消息 {message}"),
        Event::SignalThrown { signal, .. } => format!("流程发出信号 {signal}"),
        Event::CompensationThrown { .. } => "流程补偿".to_owned(),
        Event::ElementEntered { element, .. } => format!("进入节点 {element}"),
        Event::JobCreated { kind, .. } => format!("作业 {kind}"),
        _ => format!("流程步骤 {name}"),
    };
    both(zh, format!("A step of the process: {name}"))
}

pub(crate) fn both(zh: impl Into<String>, en: impl Into<String>) -> Both {
    (zh.into(), en.into())
}

fn task_name(process: &Instance, key: Key) -> String {
    match process.tasks.get(&key) {
        Some(task) => task.name.clone().unwrap_or_else(|| task.element.to_string()),
        None => key.to_string(),
    }
}

pub(crate) fn names(people: &[Person], between: &str) -> String {
    let names: Vec<&str> = people.iter().map(|person| &*person.name).collect();
    names.join(between)
}

pub(crate) fn outcome_said(outcome: &Outcome) -> (&str, &str) {
    match outcome {
        Outcome::Approved => ("同意", "agreed"),
        Outcome::Rejected => ("不同意", "refused"),
        Outcome::Abstained => ("弃权", "abstained"),
        Outcome::Other(word) => (word, word),
    }
}

pub(crate) fn timeout_said(action: TimeoutAction) -> (&'static str, &'static str) {
    match action {
        TimeoutAction::Remind => ("提醒", "a reminder goes out"),
        TimeoutAction::Approve => ("自动通过", "is approved by itself"),
        TimeoutAction::Reject => ("自动拒绝", "is refused by itself"),
        TimeoutAction::Return => ("自动退回", "is returned by itself"),
    }
}

pub(crate) fn move_said(kind: MoveKind) -> (&'static str, &'static str) {
    match kind {
        MoveKind::Return => ("退回", "returns"),
        MoveKind::Withdraw => ("撤回", "takes back"),
        MoveKind::Jump => ("跳转", "moves on"),
        MoveKind::Reject => ("驳回", "refuses back"),
        MoveKind::Straight => ("直送", "goes straight back"),
    }
}

pub(crate) fn ending_said(how: &Ending) -> Both {
    match how {
        Ending::Completed => both("流程结束", "The process is done"),
        Ending::Terminated => both("流程终止", "The process is ended"),
        Ending::Failed { code } => both(format!("流程因错误 {code} 终止"), format!("The process failed: {code}")),
        Ending::Rejected => both("流程驳回终止", "The process ended with a refusal"),
        Ending::Revoked { reason } => both(
            format!("发起人撤销流程：{reason}"),
            format!("The process was taken back: {reason}"),
        ),
        Ending::Cancelled { reason } => both(format!("流程取消：{reason}"), format!("The process was cancelled: {reason}")),
    }
}

pub(crate) fn tally_zh(tally: &Tally) -> String {
    format!(
        "同意 {}、不同意 {}、弃权 {}，共 {}",
        tally.approvals, tally.rejections, tally.abstentions, tally.total
    )
}

pub(crate) fn tally_en(tally: &Tally) -> String {
    format!(
        "{} for, {} against, {} abstained, of {}",
        tally.approvals, tally.rejections, tally.abstentions, tally.total
    )
}
