//! Lists over all processes: what waits for whom, what must be repaired, what workers outside may fetch.

use async_graphql::{Context, Error, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use projections::processes as view;
use serde_json::Value;

use super::instances::{names_of, number};
use crate::{
    asked::{caught_up, principal, state, unanswered},
    auth::Principal,
    cases::narrower,
    errors::Code,
    ids::{GlobalId, known_category},
    scalars::LogPosition,
};

/// The most rows in one answer.
const MAX_ROWS: i32 = 200;

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

/// Only those who work at the bureau see lists of its work.
fn of_the_bureau(principal: &Principal) -> Result<(), Error> {
    if principal.is_applicant() {
        return Err(Code::Forbidden.error("仅工作人员可查看 / only for those who work at the bureau"));
    }
    Ok(())
}

#[derive(Default)]
pub(crate) struct ListQueries;

#[Object]
impl ListQueries {
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
