//! Asking what waits for somebody.

use chrono::NaiveDate;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::database::{Condition, Database, QueryError, starts_with_pattern};

/// The most tasks on one page.
pub const MAX_PAGE_TASKS: usize = 100;

/// Which tasks. Whatever is set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskFilter {
    /// For any of these roles; for whomever, if there are none. What only the process knows may be asked of groups as well
    /// (`org:…`).
    pub roles: Vec<String>,
    /// What this person could work on.
    pub mine: Option<Mine>,
    /// Given to this person.
    pub assignee: Option<String>,
    /// In regions whose codes begin so.
    pub region_prefix: Option<String>,
    /// Of this case.
    pub case_id: Option<Uuid>,
    /// Of this case type.
    pub category: Option<String>,
    /// Due on that day or before.
    pub due_by: Option<NaiveDate>,
}

/// Somebody and what they go by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mine {
    /// The account.
    pub person: String,
    /// The role.
    pub role: String,
    /// The account and the groups, as processes name them (`role:handler`, `org:fire-design`).
    pub asked: Vec<String>,
}

/// A task with what one must know of its case.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the columns of the table")]
pub struct TaskRow {
    pub case_id: Uuid,
    /// What is to be done (`accept`, `review`); unique in the case.
    pub task_key: String,
    pub name_zh: String,
    pub role: String,
    pub assignee: Option<String>,
    pub since: NaiveDate,
    pub due_on: Option<NaiveDate>,
    pub due_provisional: bool,
    pub region: String,
    pub category: String,
    pub item_code: String,
    pub stage: String,
    pub case_no: Option<String>,
    pub applicant_name: Option<String>,
    pub project_name: Option<String>,
    /// The key of the process's task, where the case itself keeps none.
    pub process_task: Option<i64>,
}

const COLUMNS: &str = "case_id, task_key, name_zh, role, assignee, since, due_on, due_provisional, region, category, item_code, \
    stage, case_no, applicant_name, project_name, process_task, due_sort";

/// The place of a task in the list: by due date, then case, then key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of the task")]
pub struct TaskCursor {
    pub due_on: Option<NaiveDate>,
    pub case_id: Uuid,
    pub task_key: String,
}

impl std::fmt::Display for TaskCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}~{}~{}",
            self.case_id,
            self.due_on.unwrap_or(crate::case_list::NOT_DUE),
            self.task_key
        )
    }
}

impl std::str::FromStr for TaskCursor {
    type Err = QueryError;

    fn from_str(text: &str) -> Result<Self, QueryError> {
        let bad = || QueryError::BadCursor(text.to_owned());
        let mut parts = text.splitn(3, '~');
        let (Some(case_id), Some(due_on), Some(task_key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(bad());
        };
        let due_on: NaiveDate = due_on.parse().map_err(|_| bad())?;
        Ok(Self {
            due_on: (due_on != crate::case_list::NOT_DUE).then_some(due_on),
            case_id: case_id.parse().map_err(|_| bad())?,
            task_key: task_key.to_owned(),
        })
    }
}

impl TaskRow {
    fn read(row: &Row) -> Self {
        Self {
            case_id: row.get(0),
            task_key: row.get(1),
            name_zh: row.get(2),
            role: row.get(3),
            assignee: row.get(4),
            since: row.get(5),
            due_on: row.get(6),
            due_provisional: row.get(7),
            region: row.get(8),
            category: row.get(9),
            item_code: row.get(10),
            stage: row.get(11),
            case_no: row.get(12),
            applicant_name: row.get(13),
            project_name: row.get(14),
            process_task: row.get(15),
        }
    }

    /// The place of this task in the list.
    pub fn cursor(&self) -> TaskCursor {
        TaskCursor {
            due_on: self.due_on,
            case_id: self.case_id,
            task_key: self.task_key.clone(),
        }
    }
}

/// A piece of a worklist.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TaskPage {
    /// The tasks, the most urgent first.
    pub tasks: Vec<TaskRow>,
    /// There are more after the last.
    pub has_next: bool,
}

/// Tasks by due date, the most urgent first, after a place in the list.
pub async fn page(
    database: &Database,
    filter: &TaskFilter,
    limit: usize,
    after: Option<&TaskCursor>,
) -> Result<TaskPage, QueryError> {
    let limit = limit.min(MAX_PAGE_TASKS);
    let mut condition = condition(filter);
    if let Some(after) = after {
        let due = condition.param(after.due_on.unwrap_or(crate::case_list::NOT_DUE));
        let case_id = condition.param(after.case_id);
        let key = condition.param(after.task_key.replace('\0', ""));
        condition.and_plain(format!("(due_sort, case_id, task_key) > ({due}, {case_id}, {key})"));
    }
    let branches = branches(filter, &mut condition);
    let sql = sql_of(&condition.sql(), &branches, limit + 1);
    let rows = database.query_owned(&sql, &condition.params).await?;
    Ok(TaskPage {
        has_next: rows.len() > limit,
        tasks: rows.iter().take(limit).map(TaskRow::read).collect(),
    })
}

/// The most urgent of the tasks that fit one of the branches; each branch is asked by an index of its own.
fn sql_of(common: &str, branches: &[String], limit: usize) -> String {
    let order = format!("order by due_sort, case_id, task_key limit {limit}");
    if branches.is_empty() {
        return format!("select {COLUMNS} from worklist_tasks{common} {order}");
    }
    let one = |branch: &String| {
        let joint = if common.is_empty() { " where" } else { " and" };
        format!("(select {COLUMNS} from worklist_tasks{common}{joint} {branch} {order})")
    };
    let all: Vec<String> = branches.iter().map(one).collect();
    format!("select {COLUMNS} from ({}) found {order}", all.join(" union "))
}

/// Whom the tasks are for, as alternatives; none: for whomever.
fn branches(filter: &TaskFilter, condition: &mut Condition) -> Vec<String> {
    const OF_PROCESS: &str = "(case_id, task_key) in (select case_id, task_key from worklist_asked where person = any";
    let mut branches = Vec::new();
    if let Some(mine) = &filter.mine {
        let person = condition.param(mine.person.clone());
        let role = condition.param(mine.role.clone());
        let asked = condition.param(mine.asked.clone());
        branches.push(format!(
            "role = {role} and process_task is null and (assignee is null or assignee = {person})"
        ));
        branches.push(format!("assignee = {person}"));
        branches.push(format!("{OF_PROCESS}({asked}))"));
    }
    if !filter.roles.is_empty() {
        let roles = condition.param(filter.roles.clone());
        let groups = filter.roles.iter().map(|role| {
            if role.contains(':') {
                role.clone()
            } else {
                format!("role:{role}")
            }
        });
        let groups: Vec<String> = groups.collect();
        let groups = condition.param(groups);
        let of_role = [format!("role = any({roles})"), format!("{OF_PROCESS}({groups}))")];
        branches = if branches.is_empty() {
            of_role.to_vec()
        } else {
            let either = format!("({})", of_role.join(" or "));
            branches.into_iter().map(|branch| format!("{branch} and {either}")).collect()
        };
    }
    branches
}

/// How many tasks wait for a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskCount {
    /// The role.
    pub role: String,
    /// All of its tasks.
    pub tasks: i64,
    /// Those given to nobody yet.
    pub unassigned: i64,
    /// Those past their date on the day that was asked for.
    pub overdue: i64,
}

/// How many tasks wait, by role, as of a day. What is asked of people or sections by their names waits for no role.
pub async fn counts(database: &Database, filter: &TaskFilter, on: NaiveDate) -> Result<Vec<TaskCount>, QueryError> {
    let mut condition = condition(filter);
    if !filter.roles.is_empty() {
        condition.and("role = any(?)", filter.roles.clone());
    }
    condition.and_plain("role <> ''");
    let on = condition.param(on);
    let sql = format!(
        "select role, count(*), count(*) filter (where assignee is null), count(*) filter (where due_on < {on}) \
         from worklist_tasks{} group by role order by role",
        condition.sql()
    );
    let rows = database.query_owned(&sql, &condition.params).await?;
    Ok(rows
        .iter()
        .map(|row| TaskCount {
            role: row.get(0),
            tasks: row.get(1),
            unassigned: row.get(2),
            overdue: row.get(3),
        })
        .collect())
}

fn condition(filter: &TaskFilter) -> Condition {
    let mut all = Condition::default();
    if let Some(assignee) = &filter.assignee {
        all.and("assignee = ?", assignee.clone());
    }
    if let Some(prefix) = &filter.region_prefix {
        all.and("region like ?", starts_with_pattern(prefix));
    }
    if let Some(case_id) = filter.case_id {
        all.and("case_id = ?", case_id);
    }
    if let Some(category) = &filter.category {
        all.and("category = ?", category.clone());
    }
    if let Some(by) = filter.due_by {
        all.and("due_sort <= ?", by);
    }
    all
}
