//! 统计: how long cases take, how many are resolved, whether they are on time; by any recorded attribute.

use async_graphql::{Context, Error, Object, SimpleObject};
use projections::report;

use crate::{
    asked::{caught_up, principal, state, unanswered},
    cases::AttributeInput,
    errors::Code,
    scalars::{LogPosition, small},
};

/// 办理时长: calendar days from filing to issue, of the cases of a group.
#[derive(SimpleObject)]
pub(crate) struct HandlingTime {
    /// The values of the attributes, in the order asked for.
    groups: Vec<String>,
    /// How many cases.
    n: i32,
    /// 25 of 100 took at most so many days.
    p25: i32,
    /// 中位数
    median: i32,
    /// 75 of 100 took at most so many days.
    p75: i32,
    /// 90 of 100 took at most so many days.
    p90: i32,
    /// Percent within 30 days.
    within_30: i32,
    /// Percent within 60 days.
    within_60: i32,
    /// Percent within 90 days.
    within_90: i32,
    /// Percent within 180 days.
    within_180: i32,
    /// Percent within 365 days.
    within_365: i32,
}

/// 办结率: how many cases of a group were filed, and how many of them issued.
#[derive(SimpleObject)]
pub(crate) struct Cohort {
    /// The values of the attributes, in the order asked for.
    groups: Vec<String>,
    /// 申请数
    submitted: i32,
    /// 发证数
    issued: i32,
    /// Issued of submitted, with three decimals at most.
    resolved: String,
}

/// 工作日办理时长与按时办结率: of the decided cases of a group.
#[derive(SimpleObject)]
pub(crate) struct WorkingTime {
    /// The values of the attributes, in the order asked for.
    groups: Vec<String>,
    /// How many cases.
    n: i32,
    /// 平均工作日, with two decimals.
    average: String,
    /// 中位数
    median: i32,
    /// 90 of 100 took at most so many working days.
    p90: i32,
    /// How many had a statutory limit (法定).
    statutory_measured: i32,
    /// How many of them kept it.
    statutory_on_time: i32,
    /// How many had a promised limit (承诺).
    promised_measured: i32,
    /// How many of them kept it.
    promised_on_time: i32,
    /// How many correction notices were sent (补正).
    corrections: i32,
    /// By how many days they were overdue, together (超期).
    overdue_days: i32,
}

#[derive(Default)]
pub(crate) struct StatisticsQueries;

#[Object]
impl StatisticsQueries {
    /// 办理时长: percentiles (`sorted[floor(q·n)]`) and shares (rounded half up) of the issued cases, by attributes such as
    /// `city`, `review_track`, or by `item`, `region`, `submitted_month`.
    async fn handling_time(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Attributes to group by, up to 4")] by: Vec<String>,
        #[graphql(name = "where", desc = "Only cases with these attributes")] conditions: Option<Vec<AttributeInput>>,
        #[graphql(desc = "Only cases whose cohort is mature", default = false)] cohort_mature: bool,
        #[graphql(desc = "Wait until the views show this position")] min_position: Option<LogPosition>,
    ) -> Result<Vec<HandlingTime>, Error> {
        let database = reader(ctx, min_position).await?;
        let rows = report::handling_time(database, &by, &pairs(conditions), cohort_mature)
            .await
            .map_err(unanswered)?;
        let shown = rows.into_iter().map(|row| HandlingTime {
            groups: row.groups,
            n: small(row.n),
            p25: small(row.p25),
            median: small(row.median),
            p75: small(row.p75),
            p90: small(row.p90),
            within_30: small(row.within_30),
            within_60: small(row.within_60),
            within_90: small(row.within_90),
            within_180: small(row.within_180),
            within_365: small(row.within_365),
        });
        Ok(shown.collect())
    }

    /// 办结率: submitted, issued, resolved, by attributes.
    async fn cohorts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Attributes to group by, up to 4")] by: Vec<String>,
        #[graphql(name = "where", desc = "Only cases with these attributes")] conditions: Option<Vec<AttributeInput>>,
        #[graphql(desc = "Wait until the views show this position")] min_position: Option<LogPosition>,
    ) -> Result<Vec<Cohort>, Error> {
        let database = reader(ctx, min_position).await?;
        let rows = report::cohorts(database, &by, &pairs(conditions)).await.map_err(unanswered)?;
        let shown = rows.into_iter().map(|row| Cohort {
            resolved: row.resolved(),
            groups: row.groups,
            submitted: small(row.submitted),
            issued: small(row.issued),
        });
        Ok(shown.collect())
    }

    /// 工作日统计: working days and on-time rates of decided cases, by attributes.
    async fn working_time(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Attributes to group by, up to 4")] by: Vec<String>,
        #[graphql(name = "where", desc = "Only cases with these attributes")] conditions: Option<Vec<AttributeInput>>,
        #[graphql(desc = "Wait until the views show this position")] min_position: Option<LogPosition>,
    ) -> Result<Vec<WorkingTime>, Error> {
        let database = reader(ctx, min_position).await?;
        let rows = report::working_time(database, &by, &pairs(conditions))
            .await
            .map_err(unanswered)?;
        let shown = rows.into_iter().map(|row| WorkingTime {
            groups: row.groups,
            n: small(row.n),
            average: format!("{}.{:02}", row.average_hundredths / 100, row.average_hundredths % 100),
            median: small(row.median),
            p90: small(row.p90),
            statutory_measured: small(row.statutory_measured),
            statutory_on_time: small(row.statutory_on_time),
            promised_measured: small(row.promised_measured),
            promised_on_time: small(row.promised_on_time),
            corrections: small(row.corrections),
            overdue_days: small(row.overdue_days),
        });
        Ok(shown.collect())
    }
}

/// The door to the views, for those who may see statistics.
async fn reader<'a>(ctx: &Context<'a>, min_position: Option<LogPosition>) -> Result<&'a projections::Database, Error> {
    if principal(ctx)?.is_applicant() {
        return Err(Code::Forbidden.error("统计仅供本机关人员查阅 / statistics are for the bureau's own staff"));
    }
    let state = state(ctx)?;
    caught_up(state, "statistics", min_position).await?;
    Ok(state.projections.database())
}

fn pairs(conditions: Option<Vec<AttributeInput>>) -> Vec<(String, String)> {
    conditions
        .unwrap_or_default()
        .into_iter()
        .map(|one| (one.name, one.value))
        .collect()
}
