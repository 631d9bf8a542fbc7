//! 期限: dates by which something must have happened.

use async_graphql::{ComplexObject, Context, Error, ID, Object, SimpleObject};
use chrono::NaiveDate;
use domain::case;
use projections::deadlines::query::{self as view, DeadlineFilter, DeadlineRow};
use uuid::Uuid;

use crate::{
    asked::{caught_up, principal, state, unanswered},
    cases::{self, Case, narrower},
    connection::Piece,
    ids::{GlobalId, known_category},
    scalars::LogPosition,
};

/// A date by which something must have happened in one case.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct Deadline {
    /// What is due, such as `statutory`; also the timer's name.
    kind: String,
    /// 期限名称
    name: String,
    /// The last day.
    due_on: NaiveDate,
    /// The day on which something happens by itself; none, if nothing does.
    fires_on: Option<NaiveDate>,
    /// The date may still move.
    provisional: bool,
}

impl From<case::Deadline> for Deadline {
    fn from(deadline: case::Deadline) -> Self {
        Self {
            kind: deadline.kind.into_owned(),
            name: deadline.name_zh.into(),
            due_on: deadline.due_on,
            fires_on: deadline.fires_on,
            provisional: deadline.provisional,
        }
    }
}

/// A date of some case.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(complex)]
pub(crate) struct DueDate {
    #[graphql(skip)]
    case_key: Uuid,
    #[graphql(flatten)]
    deadline: Deadline,
    /// 案件类型
    category: String,
    /// The administrative division.
    region: String,
    /// 办件编号
    case_no: Option<String>,
}

#[ComplexObject]
impl DueDate {
    /// The case's global id.
    async fn case_id(&self) -> ID {
        match known_category(&self.category) {
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

impl From<DeadlineRow> for DueDate {
    fn from(row: DeadlineRow) -> Self {
        Self {
            case_key: row.case_id,
            deadline: Deadline {
                kind: row.kind,
                name: row.name_zh,
                due_on: row.due_on,
                fires_on: row.fires_on,
                provisional: row.provisional,
            },
            category: row.category,
            region: row.region,
            case_no: row.case_no,
        }
    }
}

#[derive(Default)]
pub(crate) struct DeadlineQueries;

#[Object]
impl DeadlineQueries {
    /// 到期列表: what is due, the nearest first. Applicants have none here; each case shows its own.
    #[graphql(complexity = "first.unwrap_or(20).clamp(1, 100) as usize * child_complexity")]
    #[allow(clippy::too_many_arguments, reason = "they are the arguments of the field")]
    async fn deadlines(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Due on that day or before")] due_by: Option<NaiveDate>,
        #[graphql(desc = "Due on that day or later")] due_from: Option<NaiveDate>,
        #[graphql(desc = "Of any of these kinds")] kinds: Option<Vec<String>>,
        #[graphql(desc = "In this administrative division, with its subdivisions")] region: Option<String>,
        #[graphql(desc = "1 to 100")] first: Option<i32>,
        #[graphql(desc = "Wait until the views show this position")] min_position: Option<LogPosition>,
    ) -> Result<Vec<DueDate>, Error> {
        let (state, principal) = (state(ctx)?, principal(ctx)?);
        caught_up(state, "deadlines", min_position).await?;
        let limit = i64::try_from(Piece::asked(first, None)?.limit).unwrap_or(i64::MAX);
        let prefix = narrower(principal.region_prefix(), region.as_deref());
        let Some(prefix) = prefix.filter(|_| !principal.is_applicant()) else {
            return Ok(Vec::new());
        };
        let filter = DeadlineFilter {
            due_by,
            due_from,
            kinds: kinds.unwrap_or_default(),
            region_prefix: Some(prefix).filter(|prefix| !prefix.is_empty()),
            case_id: None,
        };
        let rows = view::list(state.projections.database(), &filter, limit)
            .await
            .map_err(unanswered)?;
        Ok(rows.into_iter().map(DueDate::from).collect())
    }
}
