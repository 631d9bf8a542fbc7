//! 待办: what waits for somebody.

use async_graphql::{ComplexObject, Context, Error, ID, Object, SimpleObject};
use chrono::NaiveDate;
use domain::case;
use projections::worklist::query::{self as view, Mine, TaskFilter, TaskRow};
use uuid::Uuid;

use crate::{
    asked::{caught_up, principal, state, unanswered},
    auth::Principal,
    cases::{self, Case, narrower},
    connection::{PageInfo, Piece},
    errors::Code,
    ids::{CursorError, GlobalId, decode_cursor, encode_cursor},
    processes::names_of,
    scalars::{LogPosition, small},
};

/// Something that waits for somebody in one case.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct Task {
    /// What is to be done, such as `accept`; unique in the case.
    key: String,
    /// 任务名称
    name: String,
    /// The role that can do it.
    role: String,
    /// The person, once it was given to one.
    assignee: Option<String>,
    /// Since when it waits.
    since: NaiveDate,
}

impl From<case::Task> for Task {
    fn from(task: case::Task) -> Self {
        Self {
            key: task.key.into(),
            name: task.name_zh.into(),
            role: task.role.into(),
            assignee: task.assignee,
            since: task.since,
        }
    }
}

/// A task of a worklist, with what one must know of its case.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(complex)]
pub(crate) struct WorklistTask {
    #[graphql(skip)]
    case_key: Uuid,
    /// What is to be done, such as `accept`; unique in the case.
    key: String,
    /// 任务名称
    name: String,
    /// The role that can do it; empty, if people or sections are asked by their names.
    role: String,
    /// The person, once it was given to one.
    assignee: Option<String>,
    /// Since when it waits.
    since: NaiveDate,
    /// The key of the task in the case's process, if the case itself keeps none: it is done by `taskComplete`.
    process_task: Option<i32>,
    /// The nearest date of its case.
    due_on: Option<NaiveDate>,
    /// The date may still move.
    due_provisional: bool,
    /// The administrative division.
    region: String,
    /// 案件类型
    category: String,
    /// 事项编码
    item_code: String,
    /// 办件编号
    case_no: Option<String>,
    /// 申请人
    applicant_name: Option<String>,
    /// 项目名称
    project_name: Option<String>,
}

#[ComplexObject]
impl WorklistTask {
    /// The case's global id.
    async fn case_id(&self) -> ID {
        match crate::ids::known_category(&self.category) {
            Some(category) => GlobalId::Case {
                category,
                case_id: self.case_key,
            }
            .encode()
            .into(),
            None => ID::default(),
        }
    }

    /// The case.
    async fn case(&self, ctx: &Context<'_>) -> Result<Option<Case>, Error> {
        cases::find(ctx, &self.category, self.case_key).await
    }
}

impl From<TaskRow> for WorklistTask {
    fn from(row: TaskRow) -> Self {
        Self {
            case_key: row.case_id,
            key: row.task_key,
            name: row.name_zh,
            role: row.role,
            assignee: row.assignee,
            since: row.since,
            process_task: row.process_task.map(small),
            due_on: row.due_on,
            due_provisional: row.due_provisional,
            region: row.region,
            category: row.category,
            item_code: row.item_code,
            case_no: row.case_no,
            applicant_name: row.applicant_name,
            project_name: row.project_name,
        }
    }
}

/// A task with its place in the worklist.
#[derive(SimpleObject)]
pub(crate) struct TaskEdge {
    /// The place of this task in the list.
    cursor: String,
    /// The task.
    node: WorklistTask,
}

/// A page of a worklist, the most urgent first.
#[derive(SimpleObject)]
pub(crate) struct WorklistConnection {
    /// The tasks with their places.
    edges: Vec<TaskEdge>,
    /// The tasks.
    nodes: Vec<WorklistTask>,
    /// Where the page stands in the list.
    page_info: PageInfo,
}

/// How many tasks wait for a role.
#[derive(SimpleObject)]
pub(crate) struct TaskCount {
    /// The role.
    role: String,
    /// All of its tasks.
    tasks: i32,
    /// Those given to nobody yet.
    unassigned: i32,
    /// Those past their date.
    overdue: i32,
}

/// The name of the one order of worklists, as cursors carry it.
const ORDER: &str = "task";

/// What the caller may see of a worklist; none, if nothing could be both.
pub(crate) fn narrowed(
    principal: &Principal,
    mine: bool,
    role: Option<String>,
    assignee: Option<String>,
    region: Option<&str>,
    category: Option<String>,
    due_by: Option<NaiveDate>,
) -> Option<TaskFilter> {
    if principal.is_applicant() {
        return None;
    }
    let prefix = narrower(principal.region_prefix(), region)?;
    Some(TaskFilter {
        roles: role.into_iter().collect(),
        mine: mine.then(|| Mine {
            person: principal.actor.id.clone(),
            role: principal.actor.role.clone(),
            asked: names_of(principal),
        }),
        assignee,
        region_prefix: Some(prefix).filter(|prefix| !prefix.is_empty()),
        category,
        due_by,
        ..TaskFilter::default()
    })
}

#[derive(Default)]
pub(crate) struct WorklistQueries;

#[Object]
impl WorklistQueries {
    /// 待办列表: what waits for a role or a person, the most urgent first: the tasks that the case keeps, and those that only
    /// its process knows. Applicants have none.
    #[graphql(complexity = "first.unwrap_or(20).clamp(1, 100) as usize * child_complexity")]
    #[allow(clippy::too_many_arguments, reason = "they are the arguments of the field")]
    async fn worklist(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the caller could work on: given to them, or to nobody yet and for their role or section")]
        mine: Option<bool>,
        #[graphql(desc = "For this role, or for this section (`org:…`)")] role: Option<String>,
        #[graphql(desc = "Given to this account")] assignee: Option<String>,
        #[graphql(desc = "In this administrative division, with its subdivisions")] region: Option<String>,
        #[graphql(desc = "Of this case type")] category: Option<String>,
        #[graphql(desc = "Due on that day or before")] due_by: Option<NaiveDate>,
        #[graphql(desc = "1 to 100")] first: Option<i32>,
        #[graphql(desc = "After this cursor")] after: Option<String>,
        #[graphql(desc = "Wait until the views show this position")] min_position: Option<LogPosition>,
    ) -> Result<WorklistConnection, Error> {
        let state = state(ctx)?;
        caught_up(state, "worklist", min_position).await?;
        let limit = Piece::asked(first, None)?.limit;
        let bad = |_| Code::BadInput.error(CursorError);
        let after = match after {
            Some(cursor) => Some(
                decode_cursor(&cursor, ORDER, 1).map_err(bad)?[0]
                    .parse()
                    .map_err(|_| bad(CursorError))?,
            ),
            None => None,
        };
        let mine = mine.unwrap_or(false);
        let page = match narrowed(principal(ctx)?, mine, role, assignee, region.as_deref(), category, due_by) {
            Some(filter) => view::page(state.projections.database(), &filter, limit, after.as_ref())
                .await
                .map_err(unanswered)?,
            None => view::TaskPage::default(),
        };
        let edges: Vec<TaskEdge> = page
            .tasks
            .into_iter()
            .map(|row| TaskEdge {
                cursor: encode_cursor(ORDER, &[&row.cursor().to_string()]),
                node: row.into(),
            })
            .collect();
        let page_info = PageInfo {
            has_previous_page: after.is_some(),
            has_next_page: page.has_next,
            start_cursor: edges.first().map(|edge| edge.cursor.clone()),
            end_cursor: edges.last().map(|edge| edge.cursor.clone()),
        };
        Ok(WorklistConnection {
            nodes: edges.iter().map(|edge| edge.node.clone()).collect(),
            edges,
            page_info,
        })
    }

    /// 待办统计: how many tasks wait, by role, as of today.
    async fn worklist_counts(&self, ctx: &Context<'_>, region: Option<String>) -> Result<Vec<TaskCount>, Error> {
        let Some(filter) = narrowed(principal(ctx)?, false, None, None, region.as_deref(), None, None) else {
            return Ok(Vec::new());
        };
        let today = crate::calendar::today(ctx)?;
        let counts = view::counts(state(ctx)?.projections.database(), &filter, today)
            .await
            .map_err(unanswered)?;
        let shown = counts.into_iter().map(|count| TaskCount {
            role: count.role,
            tasks: small(count.tasks),
            unassigned: small(count.unassigned),
            overdue: small(count.overdue),
        });
        Ok(shown.collect())
    }
}
