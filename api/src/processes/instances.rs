//! What a process is doing: by its case now or at any moment of its past, and what waits for whom.

use async_graphql::{ComplexObject, Context, Error, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use process_engine::instance::{self as engine, Instance, Waiting};
use projections::processes as view;
use serde_json::Value;

use super::words::ProcessPerson;
use crate::{
    asked::{caught_up, principal, state, unanswered},
    auth::Principal,
    cases::{may_see, narrower},
    errors::{Code, refused},
    history::MomentInput,
    ids::{GlobalId, known_category},
    scalars::LogPosition,
};

/// The most rows in one answer.
const MAX_ROWS: i32 = 200;

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

fn number(count: impl TryInto<i32>) -> i32 {
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

/// A task in the list of all, with its case.
#[derive(Debug, SimpleObject)]
pub(crate) struct ListedTask {
    /// The case.
    case_id: ID,
    /// 办件编号
    case_no: Option<String>,
    /// 项目名称
    project_name: Option<String>,
    /// Its key in its case.
    key: i32,
    /// The step, by its id in the model.
    element: String,
    /// 任务名称
    name: String,
    /// Who does it.
    assignee: Option<String>,
    /// 姓名
    assignee_name: Option<String>,
    /// The commands that finish it, if it is a step of the case itself.
    means: Vec<String>,
    /// Since when it waits.
    opened_at: DateTime<Utc>,
    /// When it is due.
    due_at: Option<DateTime<Utc>>,
}

/// An incident in the list of all, with its case.
#[derive(Debug, SimpleObject)]
pub(crate) struct ListedIncident {
    /// The case.
    case_id: ID,
    /// 办件编号
    case_no: Option<String>,
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

/// A job in the list of all, with its case.
#[derive(Debug, SimpleObject)]
pub(crate) struct ListedJob {
    /// The case.
    case_id: ID,
    /// Its key in its case.
    key: i32,
    /// The step, by its id in the model.
    element: String,
    /// Its kind.
    kind: String,
    /// Its settings.
    fields: Value,
    /// How often it may still be tried.
    tries_left: i32,
}

pub(super) fn case_id(category: &str, case_id: uuid::Uuid) -> ID {
    known_category(category)
        .map(|category| GlobalId::Case { category, case_id }.encode().into())
        .unwrap_or_default()
}

pub(super) fn limit(first: Option<i32>) -> Result<i64, Error> {
    match first.unwrap_or(50) {
        first @ 1..=MAX_ROWS => Ok(first.into()),
        _ => Err(Code::BadInput.error(format!("first must be between 1 and {MAX_ROWS}"))),
    }
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

/// Only those who work at the bureau see lists of its work.
fn of_the_bureau(principal: &Principal) -> Result<(), Error> {
    if principal.is_applicant() {
        return Err(Code::Forbidden.error("仅工作人员可查看 / only for those who work at the bureau"));
    }
    Ok(())
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

    /// 流程待办: what the caller may do in processes, those that wait longest first; or all of it.
    #[allow(clippy::too_many_arguments, reason = "they are the arguments of the field")]
    async fn process_tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only what the caller may do")] mine: Option<bool>,
        #[graphql(desc = "Of this case")] case_id: Option<ID>,
        #[graphql(desc = "In this administrative division, with its subdivisions")] region: Option<String>,
        #[graphql(desc = "At this step, by its id in the model")] element: Option<String>,
        #[graphql(desc = "1 to 200")] first: Option<i32>,
        #[graphql(desc = "Wait until the views show this position")] min_position: Option<LogPosition>,
    ) -> Result<Vec<ListedTask>, Error> {
        let (state, principal) = (state(ctx)?, principal(ctx)?);
        of_the_bureau(principal)?;
        caught_up(state, "processes", min_position).await?;
        let Some(prefix) = narrower(principal.region_prefix(), region.as_deref()) else {
            return Ok(Vec::new());
        };
        let filter = view::ProcessTaskFilter {
            asked: if mine.unwrap_or(true) {
                names_of(principal)
            } else {
                Vec::new()
            },
            case_id: case_of(case_id)?,
            region_prefix: Some(prefix).filter(|prefix| !prefix.is_empty()),
            element,
        };
        let rows = view::tasks(state.projections.database(), &filter, None, limit(first)?)
            .await
            .map_err(unanswered)?;
        let listed = rows.into_iter().map(|row| ListedTask {
            case_id: self::case_id(&row.category, row.case_id),
            case_no: row.case_no,
            project_name: row.project_name,
            key: number(row.task_key),
            element: row.element,
            name: row.name,
            assignee: row.assignee,
            assignee_name: row.assignee_name,
            means: row.means,
            opened_at: row.opened_at,
            due_at: row.due_at,
        });
        Ok(listed.collect())
    }

    /// 流程异常: what must be repaired, the oldest first.
    async fn process_incidents(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of this case")] case_id: Option<ID>,
        #[graphql(desc = "In this administrative division, with its subdivisions")] region: Option<String>,
        #[graphql(desc = "1 to 200")] first: Option<i32>,
        #[graphql(desc = "Wait until the views show this position")] min_position: Option<LogPosition>,
    ) -> Result<Vec<ListedIncident>, Error> {
        let (state, principal) = (state(ctx)?, principal(ctx)?);
        of_the_bureau(principal)?;
        caught_up(state, "processes", min_position).await?;
        let Some(prefix) = narrower(principal.region_prefix(), region.as_deref()) else {
            return Ok(Vec::new());
        };
        let prefix = Some(prefix.as_str()).filter(|prefix| !prefix.is_empty());
        let rows = view::incidents(state.projections.database(), prefix, case_of(case_id)?, limit(first)?)
            .await
            .map_err(unanswered)?;
        let listed = rows.into_iter().map(|row| ListedIncident {
            case_id: self::case_id(&row.category, row.case_id),
            case_no: row.case_no,
            key: number(row.incident_key),
            element: row.element,
            obstacle: row.obstacle,
            message: row.message,
            since: row.since,
        });
        Ok(listed.collect())
    }

    /// Jobs that wait for workers outside, by kind.
    async fn process_jobs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of these kinds; all, if none is named")] kinds: Option<Vec<String>>,
        #[graphql(desc = "Of this case")] case_id: Option<ID>,
        #[graphql(desc = "1 to 200")] first: Option<i32>,
        #[graphql(desc = "Wait until the views show this position")] min_position: Option<LogPosition>,
    ) -> Result<Vec<ListedJob>, Error> {
        let (state, principal) = (state(ctx)?, principal(ctx)?);
        of_the_bureau(principal)?;
        caught_up(state, "processes", min_position).await?;
        let kinds = kinds.unwrap_or_default();
        let rows = view::jobs(state.projections.database(), &kinds, case_of(case_id)?, limit(first)?)
            .await
            .map_err(unanswered)?;
        let listed = rows.into_iter().map(|row| ListedJob {
            case_id: self::case_id(&row.category, row.case_id),
            key: number(row.job_key),
            element: row.element,
            kind: row.kind,
            fields: row.fields,
            tries_left: number(row.tries_left),
        });
        Ok(listed.collect())
    }
}

pub(super) fn case_of(id: Option<ID>) -> Result<Option<uuid::Uuid>, Error> {
    let Some(id) = id else { return Ok(None) };
    let (_, case_id) = GlobalId::decode_case(&id).map_err(|cause| Code::BadInput.error(cause))?;
    Ok(Some(case_id))
}
