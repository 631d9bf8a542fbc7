//! What is told of processes that are foreseen, explained or tried.

use async_graphql::{Enum, SimpleObject};
use casework::Tried;
use chrono::{DateTime, Utc};
use process_engine::instance::{self as engine, Cause, Foreseen, Here, Step, Waiting};
use serde_json::Value;

use super::{
    definitions::ModelFinding,
    words::{ProcessPerson, key_number},
};
use crate::{errors::UserError, scalars::small};

/// What a cause is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum CauseKind {
    /// 流程启动
    Started,
    /// 有人办理
    Decided,
    /// 会签结果
    Voted,
    /// 无须审批
    Skipped,
    /// 超时
    Late,
    /// 条件成立
    Condition,
    /// 决策表
    Table,
    /// 事件发生
    Happened,
    /// 人工流转
    Moved,
}

/// One reason why a token is where it is (原因).
#[derive(Debug, SimpleObject)]
pub(crate) struct ProcessCause {
    /// What it is.
    kind: CauseKind,
    /// 说明
    message: String,
    /// The same in English.
    message_en: String,
    /// The element that it is about.
    element: Option<String>,
    /// The flow that was taken.
    flow: Option<String>,
    /// The condition that held, in FEEL.
    condition: Option<String>,
    /// The decision that was asked.
    decision: Option<String>,
    /// The rules that matched, from 1.
    rules: Vec<i32>,
    /// What the table gave.
    outputs: Option<Value>,
}

impl From<&Cause> for ProcessCause {
    fn from(cause: &Cause) -> Self {
        let (message, message_en) = casework::cause_said(cause);
        let mut told = Self {
            kind: CauseKind::Started,
            message,
            message_en,
            element: None,
            flow: None,
            condition: None,
            decision: None,
            rules: Vec::new(),
            outputs: None,
        };
        let (kind, element) = match cause {
            Cause::Started { .. } => (CauseKind::Started, None),
            Cause::Decided { element, .. } => (CauseKind::Decided, Some(element)),
            Cause::Voted { element, .. } => (CauseKind::Voted, Some(element)),
            Cause::Skipped { element, .. } => (CauseKind::Skipped, Some(element)),
            Cause::Late { element, .. } => (CauseKind::Late, Some(element)),
            Cause::Happened { element } => (CauseKind::Happened, Some(element)),
            Cause::Moved { .. } => (CauseKind::Moved, None),
            Cause::Condition { element, flow, feel } => {
                told.flow = Some(flow.to_string());
                told.condition.clone_from(feel);
                (CauseKind::Condition, Some(element))
            }
            Cause::Table {
                decision,
                rules,
                outputs,
            } => {
                told.decision = Some(decision.clone());
                told.rules = numbers(rules);
                told.outputs = Some(outputs.clone());
                (CauseKind::Table, None)
            }
        };
        told.kind = kind;
        told.element = element.map(ToString::to_string);
        told
    }
}

fn numbers(rules: &[u32]) -> Vec<i32> {
    rules.iter().map(|rule| small(i64::from(*rule))).collect()
}

/// What a step to come is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum ForeseenKind {
    /// 待办: somebody of these people is asked.
    Task,
    /// 会签, 依次审批: each of these people is asked.
    Vote,
    /// 无须审批
    Skipped,
    /// 外部作业
    Job,
    /// 停住: a token cannot go on.
    Stuck,
    /// 结束
    End,
}

/// A step that is to come (预测步骤).
#[derive(Debug, SimpleObject)]
pub(crate) struct ForeseenStep {
    /// The step, by its id in the model.
    element: String,
    /// 名称
    name: Option<String>,
    /// What it is.
    kind: ForeseenKind,
    /// Who is asked, as far as that can be told now; a draw can turn out otherwise.
    people: Vec<ProcessPerson>,
    /// By which rule they are found.
    by_rule: Option<String>,
    /// 说明
    message: String,
    /// The same in English.
    message_en: String,
    /// Why it comes to that, since the step before.
    because: Vec<ProcessCause>,
}

impl From<&Step> for ForeseenStep {
    fn from(step: &Step) -> Self {
        let (message, message_en) = casework::step_said(&step.what);
        let (kind, people, by_rule) = match &step.what {
            Foreseen::Asked { people, by_rule, all } => {
                let kind = if *all { ForeseenKind::Vote } else { ForeseenKind::Task };
                (kind, people.iter().map(Into::into).collect(), by_rule.clone())
            }
            Foreseen::Skipped { .. } => (ForeseenKind::Skipped, Vec::new(), None),
            Foreseen::Job { .. } => (ForeseenKind::Job, Vec::new(), None),
            Foreseen::Stuck { .. } => (ForeseenKind::Stuck, Vec::new(), None),
            Foreseen::Ended { .. } => (ForeseenKind::End, Vec::new(), None),
        };
        Self {
            element: step.element.to_string(),
            name: step.name.clone(),
            kind,
            people,
            by_rule,
            message,
            message_en,
            because: step.because.iter().map(Into::into).collect(),
        }
    }
}

/// What comes next in a process (流程预测).
#[derive(Debug, SimpleObject)]
pub(crate) struct ProcessForecast {
    /// The steps to come, in order; those that are open already are not among them.
    pub(super) steps: Vec<ForeseenStep>,
    /// Whether more would come than is foreseen.
    pub(super) truncated: bool,
    /// The revision of the case that this is after.
    pub(super) revision: i32,
}

/// Something that is being done or waits, and why (路径说明).
#[derive(Debug, SimpleObject)]
pub(crate) struct TokenReason {
    /// The element, by its id in the model.
    element: String,
    /// What runs there, by key.
    key: i32,
    /// What it stands in, by key; 0 is the process itself.
    scope: i32,
    /// Why.
    because: Vec<ProcessCause>,
}

impl From<&Here> for TokenReason {
    fn from(here: &Here) -> Self {
        Self {
            element: here.element.to_string(),
            key: key_number(here.key),
            scope: key_number(here.scope),
            because: here.because.iter().map(Into::into).collect(),
        }
    }
}

/// Why everything in a process was where it was (路径说明).
#[derive(Debug, SimpleObject)]
pub(crate) struct ProcessExplanation {
    /// Everything that was being done or waited.
    pub(super) here: Vec<TokenReason>,
    /// The revision of the case that this is after.
    pub(super) revision: i32,
}

/// An element that was entered.
#[derive(Debug, SimpleObject)]
pub(crate) struct PathElement {
    /// The element, by its id in the model.
    element: String,
    /// 名称
    name: Option<String>,
}

/// What a decision table answered.
#[derive(Debug, SimpleObject)]
pub(crate) struct DryRunDecision {
    /// Where it was asked.
    element: Option<String>,
    /// Which.
    decision: String,
    /// What it was asked with.
    inputs: Value,
    /// The rules that matched, from 1.
    rules: Vec<i32>,
    /// What it gave.
    outputs: Value,
}

/// What a trial waits for in the end.
#[derive(Debug, SimpleObject)]
pub(crate) struct DryRunWait {
    /// The event, by its id in the model.
    element: String,
    /// 说明
    message: String,
    /// The same in English.
    message_en: String,
    /// When, if it is a timer.
    due_at: Option<DateTime<Utc>>,
}

/// What a trial of a model came to (试运行结果).
#[derive(Debug, Default, SimpleObject)]
pub(crate) struct ProcessDryRun {
    /// Why it was not tried; empty, if it was.
    user_errors: Vec<UserError>,
    /// What is wrong with the file, if it is refused.
    findings: Vec<ModelFinding>,
    /// SHA-256 of the file.
    model: Option<String>,
    /// The process that was tried.
    process: Option<String>,
    /// What is asked of whom, in order.
    steps: Vec<ForeseenStep>,
    /// Every element that was entered, in order.
    path: Vec<PathElement>,
    /// What decision tables answered, in order.
    decisions: Vec<DryRunDecision>,
    /// What it waits for in the end.
    waits: Vec<DryRunWait>,
    /// Whether it came to an end.
    ended: bool,
    /// Its variables in the end.
    variables: Option<Value>,
}

impl ProcessDryRun {
    pub(super) fn refused(error: UserError) -> Self {
        Self {
            user_errors: vec![error],
            ..Self::default()
        }
    }

    pub(super) fn faulty(error: UserError, findings: &[process_engine::finding::Finding]) -> Self {
        Self {
            findings: findings.iter().map(Into::into).collect(),
            ..Self::refused(error)
        }
    }

    pub(super) fn of(tried: Tried) -> Self {
        let path = tried.path.into_iter().map(|(element, name)| PathElement {
            element: element.to_string(),
            name,
        });
        let decisions = tried.decisions.into_iter().map(|one| DryRunDecision {
            element: one.element.map(|element| element.to_string()),
            decision: one.decision,
            inputs: Value::Object(one.inputs.into_iter().collect()),
            rules: numbers(&one.rules),
            outputs: one.outputs,
        });
        Self {
            user_errors: Vec::new(),
            findings: Vec::new(),
            model: Some(tried.process.model.to_string()),
            process: Some(tried.process.process.to_string()),
            steps: tried.steps.iter().map(Into::into).collect(),
            path: path.collect(),
            decisions: decisions.collect(),
            waits: tried.waits.iter().map(wait_of).collect(),
            ended: tried.ended.is_some(),
            variables: Some(tried.variables),
        }
    }
}

fn wait_of(wait: &engine::Wait) -> DryRunWait {
    let (message, message_en) = casework::awaited(wait);
    DryRunWait {
        element: wait.element.to_string(),
        message,
        message_en,
        due_at: match &wait.what {
            Waiting::Timer { due_at, .. } => Some(*due_at),
            _ => None,
        },
    }
}
