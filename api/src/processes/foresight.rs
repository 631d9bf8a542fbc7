//! 流程预测, 路径说明 and 试运行: what comes next, why tokens are where they are, and models that are tried before they are
//! deployed. Nothing is written.

use async_graphql::{Context, Enum, Error, ID, InputObject, Object, SimpleObject};
use casework::{MAX_CHOICES, MAX_TABLES_PER_TRIAL, Trial, TrialError, Tried};
use chrono::{DateTime, Utc};
use domain::case::Explain as _;
use process_engine::instance::{self as engine, Cause, Choice, Foreseen, Here, MAX_FORESEEN_STEPS, Step, Waiting};
use serde_json::Value;
use uuid::Uuid;

use super::{
    definitions::{ModelFinding, of_the_bureau},
    words::{PersonInput, ProcessPerson, bindings, key_number, outcome},
};
use crate::{
    asked::{Travel, principal, state},
    cases::may_see,
    errors::{Code, UserError, refused},
    history::MomentInput,
    ids::GlobalId,
    scalars::small,
};

/// How somebody is taken to decide a step.
#[derive(Debug, InputObject)]
pub(crate) struct StepChoiceInput {
    /// The step, by its id in the model.
    element: String,
    /// `approved` (which is what is taken, if nothing is said), `rejected`, `abstained`, what the model offers, or a command
    /// that the step means.
    outcome: Option<String>,
    /// What is filled in, by field; the result, if it is a job.
    form: Option<Value>,
    /// Variables of the process that change before the step is decided.
    variables: Option<Value>,
}

impl StepChoiceInput {
    fn read(self, field: &str) -> Result<Choice, UserError> {
        Ok(Choice {
            element: self.element.as_str().into(),
            outcome: outcome(self.outcome.as_deref().unwrap_or("approved")),
            form: bindings(self.form, &format!("{field}.form"))?,
            told: bindings(self.variables, &format!("{field}.variables"))?,
        })
    }

    fn read_all(choices: Option<Vec<Self>>) -> Result<Vec<Choice>, UserError> {
        let choices = choices.unwrap_or_default();
        if choices.len() > MAX_CHOICES {
            let zh = format!("最多 {MAX_CHOICES} 项");
            return Err(UserError::invalid("choices", zh, format!("at most {MAX_CHOICES} choices")));
        }
        let numbered = choices.into_iter().enumerate();
        numbered
            .map(|(number, choice)| choice.read(&format!("choices.{number}")))
            .collect()
    }
}

/// 试运行
#[derive(Debug, InputObject)]
pub(crate) struct ProcessDryRunInput {
    /// The file of a model that is not deployed; otherwise `key` and `version` name one that was proposed.
    source: Option<String>,
    /// What the model is called among all models.
    key: Option<String>,
    /// Its version, whether it was approved or not.
    version: Option<i32>,
    /// Which process of the file; none: the first that may be started.
    process: Option<String>,
    /// Decision tables (DMN) that are tried with it; before those that are in force.
    tables: Option<Vec<String>>,
    /// Who starts it; none: the caller.
    starter: Option<PersonInput>,
    /// The variables that it starts with, such as `form`; what a new case would have besides is filled in.
    data: Option<Value>,
    /// How steps are decided; whoever is not named agrees.
    choices: Option<Vec<StepChoiceInput>>,
}

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
    steps: Vec<ForeseenStep>,
    /// Whether more would come than is foreseen.
    truncated: bool,
    /// The revision of the case that this is after.
    revision: i32,
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
    here: Vec<TokenReason>,
    /// The revision of the case that this is after.
    revision: i32,
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
    fn refused(error: UserError) -> Self {
        Self {
            user_errors: vec![error],
            ..Self::default()
        }
    }

    fn faulty(error: UserError, findings: &[process_engine::finding::Finding]) -> Self {
        Self {
            findings: findings.iter().map(Into::into).collect(),
            ..Self::refused(error)
        }
    }

    fn of(tried: Tried) -> Self {
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

/// Whoever asks, now. A question needs no command id; what would be drawn is drawn from this one.
fn asking(ctx: &Context<'_>) -> Result<commands::Envelope, Error> {
    let travel = Travel {
        command_id: Uuid::nil(),
        occurred_at: None,
        legal_basis: None,
    };
    travel.envelope(ctx)
}

fn bad_input(error: UserError) -> Error {
    let field = error.field.unwrap_or_default();
    Code::BadInput.error(format!("{field}: {} / {}", error.message, error.message_en))
}

fn error(code: &str, field: &str, zh: impl Into<String>, en: impl ToString) -> UserError {
    UserError {
        code: code.to_owned(),
        ..UserError::invalid(field, zh, en.to_string())
    }
}

/// The trial that is asked for; what is wrong with the input, if it cannot be read.
async fn trial(ctx: &Context<'_>, input: ProcessDryRunInput) -> Result<Result<Trial, UserError>, Error> {
    let source = match (input.source, input.key, input.version) {
        (Some(source), None, None) => source,
        (None, Some(key), Some(version)) => {
            let number = u32::try_from(version).map_err(|_| Code::BadInput.error("versions count from 1"))?;
            let source = state(ctx)?.bureau.model_source(&key, number).await.map_err(refused)?;
            let Some(source) = source else {
                let zh = format!("“{key}”没有第 {version} 版");
                let en = format!("there is no version {version} of {key}");
                return Ok(Err(error("NO_SUCH_VERSION", "input.version", zh, en)));
            };
            source
        }
        _ => {
            let zh = "请给出流程文件，或指明模型的键与版本，二者取一";
            return Ok(Err(UserError::invalid("input.source", zh, "give a file, or the key and version of a model")));
        }
    };
    let tables = input.tables.unwrap_or_default();
    if tables.len() > MAX_TABLES_PER_TRIAL {
        let zh = format!("最多 {MAX_TABLES_PER_TRIAL} 个决策表文件");
        let en = format!("at most {MAX_TABLES_PER_TRIAL} files of decision tables");
        return Ok(Err(UserError::invalid("input.tables", zh, en)));
    }
    let (data, choices) = match (bindings(input.data, "input.data"), StepChoiceInput::read_all(input.choices)) {
        (Ok(data), Ok(choices)) => (data, choices),
        (Err(error), _) | (_, Err(error)) => return Ok(Err(error)),
    };
    Ok(Ok(Trial {
        source: source.into_bytes(),
        tables: tables.into_iter().map(String::into_bytes).collect(),
        process: input.process,
        starter: input.starter.map(PersonInput::read),
        data,
        choices,
    }))
}

#[derive(Default)]
pub(crate) struct ForesightQueries;

#[Object]
impl ForesightQueries {
    /// 流程预测: what comes next in the process of a case, if everybody agrees or decides as said; who will be asked, and why
    /// it comes to that. None, if the case has no process.
    async fn process_forecast(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The case")] case_id: ID,
        #[graphql(desc = "How steps are decided; whoever is not named agrees")] choices: Option<Vec<StepChoiceInput>>,
    ) -> Result<Option<ProcessForecast>, Error> {
        let (category, case_id) = GlobalId::decode_case(&case_id).map_err(|cause| Code::BadInput.error(cause))?;
        let choices = StepChoiceInput::read_all(choices).map_err(bad_input)?;
        let bureau = &state(ctx)?.bureau;
        let found = bureau.foresee(category, case_id, &choices, &asking(ctx)?).await.map_err(refused)?;
        let Some((found, steps)) = found.filter(|(found, _)| found.case.process.started.is_some()) else {
            return Ok(None);
        };
        if !may_see(principal(ctx)?, &found.case) {
            return Ok(None);
        }
        Ok(Some(ProcessForecast {
            truncated: steps.len() >= MAX_FORESEEN_STEPS,
            steps: steps.iter().map(Into::into).collect(),
            revision: key_number(found.revision),
        }))
    }

    /// 路径说明: why everything in the process of a case is where it is, now or at any moment of its past; none, if it had
    /// no process.
    async fn process_explain(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The case")] case_id: ID,
        #[graphql(desc = "The moment; none: now")] at: Option<MomentInput>,
    ) -> Result<Option<ProcessExplanation>, Error> {
        let (category, case_id) = GlobalId::decode_case(&case_id).map_err(|cause| Code::BadInput.error(cause))?;
        let moment = at.map_or(Ok(commands::Moment::Head), MomentInput::moment)?;
        let bureau = &state(ctx)?.bureau;
        let found = bureau.why(category, case_id, moment, &asking(ctx)?).await.map_err(refused)?;
        let Some((found, here)) = found.filter(|(found, _)| found.case.process.started.is_some()) else {
            return Ok(None);
        };
        if !may_see(principal(ctx)?, &found.case) {
            return Ok(None);
        }
        Ok(Some(ProcessExplanation {
            here: here.iter().map(Into::into).collect(),
            revision: key_number(found.revision),
        }))
    }

    /// 试运行: a model is tried that is not deployed, or a version that was only proposed: the path, who would get which
    /// task, what the decision tables would answer. Nothing is written.
    async fn process_dry_run(&self, ctx: &Context<'_>, input: ProcessDryRunInput) -> Result<ProcessDryRun, Error> {
        of_the_bureau(ctx)?;
        let trial = match trial(ctx, input).await? {
            Ok(trial) => trial,
            Err(error) => return Ok(ProcessDryRun::refused(error)),
        };
        let (bureau, envelope) = (state(ctx)?.bureau.clone(), asking(ctx)?);
        // A large model takes a while; other requests go on meanwhile.
        let tried = tokio::task::spawn_blocking(move || bureau.try_out(&trial, &envelope)).await;
        Ok(match tried.map_err(crate::errors::failed)? {
            Ok(tried) => ProcessDryRun::of(tried),
            Err(refused) => {
                let error = UserError {
                    code: refused.code(),
                    message: refused.zh(),
                    message_en: refused.to_string(),
                    field: refused.field(),
                };
                match refused {
                    TrialError::Faulty { findings, .. } => ProcessDryRun::faulty(error, &findings),
                    _ => ProcessDryRun::refused(error),
                }
            }
        })
    }
}
