//! What the process of a case is doing, now or at any moment of its past.

use async_graphql::{ComplexObject, Context, Error, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use process_engine::instance::{self as engine, Instance, Waiting};
use projections::processes as view;
use serde_json::Value;

use super::words::ProcessPerson;
use crate::{
    asked::{principal, state},
    auth::Principal,
    cases::may_see,
    errors::{Code, refused},
    history::MomentInput,
    ids::GlobalId,
};

/// Where a token stands.
#[derive(Debug, SimpleObject)]
pub(crate) struct Token {
    /// The element or flow, by its id in the model.
    element: String,
    /// What runs there, by key; none, if tokens wait on a flow.
    key: Option<i32>,
    /// What it stands in, by key; 0 is the process itself.
    scope: i32,
    /// How many tokens.
    count: i32,
}

/// A task of a process.
#[derive(Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct ProcessTask {
    #[graphql(skip)]
    pinned_form: Option<String>,
    /// Its key in its case.
    key: i32,
    /// The step, by its id in the model.
    element: String,
    /// 任务名称
    name: String,
    /// Who does it.
    assignee: Option<ProcessPerson>,
    /// Who may claim it.
    candidates: Vec<ProcessPerson>,
    /// Who gets it back, while it is delegated.
    delegated_by: Option<ProcessPerson>,
    /// The commands that finish it, if it is a step of the case itself.
    means: Vec<String>,
    /// Which form is shown.
    form_key: Option<String>,
    /// Since when it waits.
    opened_at: DateTime<Utc>,
    /// When it is due.
    due_at: Option<DateTime<Utc>>,
    /// How often it was urged.
    urged: i32,
}

/// The form of a task (任务表单): as it was deployed when the task was opened.
#[derive(Debug, SimpleObject)]
pub(crate) struct TaskForm {
    /// What it is called among all models.
    key: String,
    /// Its version.
    version: i32,
    /// SHA-256 of its file.
    hash: String,
    /// 表单名称
    title: String,
    /// The same in English.
    title_en: String,
    /// Its fields, in the order in which people fill them in: name, titles, kind, whether it is required, choices.
    fields: Value,
}

#[ComplexObject]
impl ProcessTask {
    /// The form that is filled in; none, if the key of the task means none that is deployed.
    async fn form(&self, ctx: &Context<'_>) -> Result<Option<TaskForm>, Error> {
        let library = state(ctx)?.bureau.library();
        let Some(hash) = &self.pinned_form else { return Ok(None) };
        let (Some(form), Some(edition)) = (library.form(hash), library.edition(hash)) else {
            return Ok(None);
        };
        Ok(Some(TaskForm {
            key: edition.key.to_string(),
            version: number(edition.version),
            hash: hash.clone(),
            title: form.title_zh.clone(),
            title_en: form.title_en.clone(),
            fields: serde_json::to_value(&form.fields).unwrap_or_default(),
        }))
    }
}

/// A vote that is going on (会签).
#[derive(Debug, SimpleObject)]
pub(crate) struct Vote {
    /// Its key in its case.
    key: i32,
    /// The step, by its id in the model.
    element: String,
    /// 同意
    approvals: i32,
    /// 不同意
    rejections: i32,
    /// 弃权
    abstentions: i32,
    /// All who are asked.
    total: i32,
    /// Whether it is over, and passed.
    passed: Option<bool>,
}

/// A timer that runs.
#[derive(Debug, SimpleObject)]
pub(crate) struct ProcessTimer {
    /// Its key in its case.
    key: i32,
    /// The event or task, by its id in the model.
    element: String,
    /// When it fires.
    due_at: DateTime<Utc>,
    /// Whether it stands still with the clock.
    pausable: bool,
}

/// A job that waits for somebody outside.
#[derive(Debug, SimpleObject)]
pub(crate) struct ProcessJob {
    /// Its key in its case.
    key: i32,
    /// Its kind.
    kind: String,
    /// Its settings.
    fields: Value,
    /// How often it may still be tried.
    tries_left: i32,
}

/// Something that must be repaired before a token can go on (异常).
#[derive(Debug, SimpleObject)]
pub(crate) struct ProcessIncident {
    /// Its key in its case.
    key: i32,
    /// The step, by its id in the model.
    element: String,
    /// What it is.
    obstacle: String,
    /// What is wrong.
    message: String,
    /// Since when.
    since: DateTime<Utc>,
}

/// What a process was doing at a moment (流程状态).
#[derive(Debug, SimpleObject)]
pub(crate) struct ProcessState {
    /// The model that it is pinned to: SHA-256 of its bytes.
    model: String,
    /// The process in that model.
    process: String,
    /// The version under which the model was deployed.
    version: i32,
    /// `RUNNING`, `SUSPENDED`, `INCIDENT`, `COMPLETED`, `FAILED`, `REJECTED`, `REVOKED`, `CANCELLED`.
    status: String,
    /// When it began.
    started_at: DateTime<Utc>,
    /// Whether the pausable timers stand still (计时暂停).
    clock_paused: bool,
    /// Where its tokens stand.
    tokens: Vec<Token>,
    /// Its open tasks.
    tasks: Vec<ProcessTask>,
    /// Its votes.
    votes: Vec<Vote>,
    /// Its timers.
    timers: Vec<ProcessTimer>,
    /// Its jobs.
    jobs: Vec<ProcessJob>,
    /// Its incidents.
    incidents: Vec<ProcessIncident>,
    /// Its variables.
    variables: Value,
    /// The revision of the case that this is after.
    revision: i32,
}

impl ProcessState {
    /// What an instance shows; none, if it never began.
    pub(crate) fn of(process: &Instance, revision: u64) -> Option<Self> {
        let started = process.started.as_ref()?;
        Some(Self {
            model: started.process.model.to_string(),
            process: started.process.process.to_string(),
            version: i32::try_from(started.version).unwrap_or(i32::MAX),
            status: view::status_of(process).to_owned(),
            started_at: started.at,
            clock_paused: process.paused_at.is_some(),
            tokens: tokens(process),
            tasks: process.tasks.iter().map(|(key, task)| task_of(*key, task)).collect(),
            votes: votes(process),
            timers: timers(process),
            jobs: jobs(process),
            incidents: incidents(process),
            variables: serde_json::to_value(process.variables.get(&engine::ROOT)).unwrap_or_default(),
            revision: i32::try_from(revision).unwrap_or(i32::MAX),
        })
    }
}

fn shown(key: engine::Key) -> i32 {
    i32::try_from(key).unwrap_or(i32::MAX)
}

pub(super) fn number(count: impl TryInto<i32>) -> i32 {
    count.try_into().unwrap_or(i32::MAX)
}

fn tokens(process: &Instance) -> Vec<Token> {
    let elements = process.elements.iter().filter(|(key, _)| **key != engine::ROOT);
    let running = elements.map(|(key, element)| Token {
        element: element.element.to_string(),
        key: Some(shown(*key)),
        scope: shown(element.scope),
        count: 1,
    });
    let waiting = process.tokens.iter().map(|(scope, flow, count)| Token {
        element: flow.to_string(),
        key: None,
        scope: shown(scope),
        count: number(count),
    });
    running.chain(waiting).collect()
}

fn task_of(key: engine::Key, task: &engine::Task) -> ProcessTask {
    ProcessTask {
        pinned_form: task.form.clone(),
        key: shown(key),
        element: task.element.to_string(),
        name: task.name.clone().unwrap_or_else(|| task.element.to_string()),
        assignee: task.assignee.as_ref().map(Into::into),
        candidates: task.candidates.iter().map(Into::into).collect(),
        delegated_by: task.delegated_by.as_ref().map(Into::into),
        means: task.means.clone(),
        form_key: task.form_key.clone(),
        opened_at: task.opened_at,
        due_at: task.due_at,
        urged: number(task.urged),
    }
}

fn votes(process: &Instance) -> Vec<Vote> {
    let with_people = process
        .elements
        .iter()
        .filter_map(|(key, element)| Some((*key, element, element.rounds.as_ref()?)))
        .filter(|(.., rounds)| !rounds.people.is_empty());
    with_people
        .map(|(key, element, rounds)| Vote {
            key: shown(key),
            element: element.element.to_string(),
            approvals: number(rounds.tally.approvals),
            rejections: number(rounds.tally.rejections),
            abstentions: number(rounds.tally.abstentions),
            total: number(rounds.tally.total),
            passed: rounds.passed,
        })
        .collect()
}

fn timers(process: &Instance) -> Vec<ProcessTimer> {
    let timer = |(key, wait): (&engine::Key, &engine::Wait)| match &wait.what {
        Waiting::Timer { due_at, pausable, .. } => Some(ProcessTimer {
            key: shown(*key),
            element: wait.element.to_string(),
            due_at: *due_at,
            pausable: *pausable,
        }),
        _ => None,
    };
    process.waits.iter().filter_map(timer).collect()
}

fn jobs(process: &Instance) -> Vec<ProcessJob> {
    let job = |(key, job): (&engine::Key, &engine::Job)| ProcessJob {
        key: shown(*key),
        kind: job.kind.clone(),
        fields: serde_json::to_value(&job.fields).unwrap_or_default(),
        tries_left: number(job.tries_left),
    };
    process.jobs.iter().map(job).collect()
}

fn incidents(process: &Instance) -> Vec<ProcessIncident> {
    let incident = |(key, incident): (&engine::Key, &engine::Incident)| ProcessIncident {
        key: shown(*key),
        element: incident.element.to_string(),
        obstacle: <&str>::from(incident.obstacle).to_owned(),
        message: incident.message.clone(),
        since: incident.at,
    };
    process.incidents.iter().map(incident).collect()
}

/// What the caller goes by in processes: their account, their role, their organisation.
pub(crate) fn names_of(principal: &Principal) -> Vec<String> {
    let actor = &principal.actor;
    vec![
        actor.id.clone(),
        format!("role:{}", actor.role),
        format!("org:{}", actor.organisation),
    ]
}

#[derive(Default)]
pub(crate) struct ProcessQueries;

#[Object]
impl ProcessQueries {
    /// 流程状态: what the process of a case is doing, now or at any moment of its past; none, if it has no process.
    async fn case_process(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The case")] id: ID,
        #[graphql(desc = "The moment; none: now")] at: Option<MomentInput>,
    ) -> Result<Option<ProcessState>, Error> {
        let (category, case_id) = GlobalId::decode_case(&id).map_err(|cause| Code::BadInput.error(cause))?;
        let moment = at.map_or(Ok(commands::Moment::Head), MomentInput::moment)?;
        let found = state(ctx)?.bureau.case_at(category, case_id, moment).await.map_err(refused)?;
        let Some(found) = found else { return Ok(None) };
        if !may_see(principal(ctx)?, &found.case) {
            return Ok(None);
        }
        Ok(ProcessState::of(&found.case.process, found.revision))
    }
}
