//! 工作日历: counting working days, and publishing a year.

use async_graphql::{Context, Error, InputObject, Object, SimpleObject};
use chrono::{DateTime, NaiveDate, Utc};
use domain::{calendar::CalendarYear, metadata::bureau_date, registers::calendar_publication};
use uuid::Uuid;

use crate::{
    asked::{Travel, state},
    clock::days,
    errors::{Code, UserError, outcome},
    scalars::LogPosition,
};

/// The bureau's date now.
pub(crate) fn today(ctx: &Context<'_>) -> Result<NaiveDate, Error> {
    Ok(bureau_date(state(ctx)?.clock.now()))
}

/// How far a count of working days may reach.
const MAX_WORKING_DAYS: i32 = 10_000;

/// 到期日: a day on which a limit ends.
#[derive(SimpleObject)]
struct DueOn {
    /// The last day on which the thing is still in time.
    on: NaiveDate,
    /// It may still move: the calendar of its year is not published yet.
    provisional: bool,
}

/// 日历: which days are working days, as far as it was published.
#[derive(SimpleObject)]
struct WorkCalendar {
    /// Which publication is in force.
    edition: String,
    /// The last year up to which every year was published.
    published_through: i32,
    /// The years that were published.
    years: Vec<i32>,
}

/// A year as the State Council published it.
#[derive(Debug, InputObject)]
struct CalendarYearPublishInput {
    /// Made by the client, once for each intention.
    command_id: Uuid,
    /// The name of the publication, such as `cn-2027`.
    edition: String,
    /// Which year.
    year: i32,
    /// Days off, also those that fall on a weekend (放假).
    holidays: Vec<NaiveDate>,
    /// Saturdays and Sundays on which work is done (调休上班).
    workdays: Vec<NaiveDate>,
    /// 文号: the notice that it was published by.
    doc_no: String,
    /// When it was published, if it is entered later.
    occurred_at: Option<DateTime<Utc>>,
    /// 办理依据
    legal_basis: Option<String>,
}

/// What became of a publication.
#[derive(SimpleObject)]
struct CalendarPayload {
    /// The calendar in force now.
    calendar: WorkCalendar,
    /// Why it was not published; empty, if it was.
    user_errors: Vec<UserError>,
    /// The command.
    command_id: Uuid,
    /// Where the event stands in the log; none, if nothing was written.
    position: Option<LogPosition>,
}

fn in_force(ctx: &Context<'_>) -> Result<WorkCalendar, Error> {
    let rules = state(ctx)?.bureau.rules();
    let calendar = rules.current_calendar();
    Ok(WorkCalendar {
        edition: calendar.edition().to_string(),
        published_through: calendar.published_through(),
        years: calendar.years().map(|year| year.year).collect(),
    })
}

#[derive(Default)]
pub(crate) struct CalendarQueries;

#[Object]
impl CalendarQueries {
    /// 工作日历: the calendar in force.
    async fn calendar(&self, ctx: &Context<'_>) -> Result<WorkCalendar, Error> {
        in_force(ctx)
    }

    /// 今天, at the bureau.
    async fn today(&self, ctx: &Context<'_>) -> Result<NaiveDate, Error> {
        today(ctx)
    }

    /// 是否工作日
    async fn is_working_day(&self, ctx: &Context<'_>, on: NaiveDate) -> Result<bool, Error> {
        Ok(state(ctx)?.bureau.rules().current_calendar().is_working_day(on))
    }

    /// 工作日推算: the day that lies so many working days after this one; the day itself is not counted.
    async fn add_working_days(&self, ctx: &Context<'_>, start: NaiveDate, days: i32) -> Result<DueOn, Error> {
        let count = u32::try_from(days).ok().filter(|_| days <= MAX_WORKING_DAYS);
        let count = count.ok_or_else(|| Code::BadInput.error(format!("ask for 0 to {MAX_WORKING_DAYS} working days")))?;
        let due = state(ctx)?.bureau.rules().current_calendar().add_working_days(start, count);
        Ok(DueOn {
            on: due.on,
            provisional: due.provisional,
        })
    }

    /// 工作日计数: working days after one day, up to and with another.
    async fn working_days_between(&self, ctx: &Context<'_>, after: NaiveDate, through: NaiveDate) -> Result<i32, Error> {
        Ok(days(
            state(ctx)?
                .bureau
                .rules()
                .current_calendar()
                .working_days_between(after, through),
        ))
    }
}

#[derive(Default)]
pub(crate) struct CalendarMutations;

#[Object]
impl CalendarMutations {
    /// 发布年度日历. Cases that count with it provisionally go over to it by themselves.
    async fn calendar_year_publish(&self, ctx: &Context<'_>, input: CalendarYearPublishInput) -> Result<CalendarPayload, Error> {
        let command_id = input.command_id;
        let travel = Travel {
            command_id,
            occurred_at: input.occurred_at,
            legal_basis: input.legal_basis,
        };
        let year = CalendarYear {
            year: input.year,
            holidays: input.holidays.into_iter().collect(),
            workdays: input.workdays.into_iter().collect(),
            doc_no: input.doc_no,
        };
        let command = calendar_publication::Command::PublishYear {
            edition: input.edition,
            year,
        };
        let done = state(ctx)?.bureau.publish_calendar(command, &travel.envelope(ctx)?).await;
        let (position, user_errors) = match outcome(done)? {
            Ok(receipt) => (receipt.position.map(LogPosition), Vec::new()),
            Err(error) => (None, vec![error]),
        };
        Ok(CalendarPayload {
            calendar: in_force(ctx)?,
            user_errors,
            command_id,
            position,
        })
    }
}
