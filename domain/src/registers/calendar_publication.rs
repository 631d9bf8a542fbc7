//! Publications of the calendar (放假通知): one event for each year that the State Council publishes. One stream for the whole bureau.

use std::collections::BTreeSet;

use chrono::Datelike;
use decider::Decider;
use serde::{Deserialize, Serialize};

use crate::{
    calendar::{CalendarYear, Edition},
    case::{Explain, code_of},
    rules::{Desk, Rules},
};

/// The stream category.
pub const CATEGORY: &str = "calendar";

/// The id of the one stream: the country whose calendar it is.
pub const STREAM_ID: &str = "cn";

/// The fewest working days that a year can have; fewer are a mistake in the table (248 in 2025).
const FEWEST_WORKING_DAYS: u32 = 230;

/// What can happen to the calendar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, strum::VariantNames, strum::IntoStaticStr)]
#[allow(missing_docs, reason = "the fields explain themselves")]
pub enum Event {
    CalendarYearPublished { edition: String, year: CalendarYear },
}

/// What may be asked of it.
#[derive(Debug, Clone, PartialEq, strum::VariantNames, strum::IntoStaticStr)]
#[allow(missing_docs, reason = "the fields explain themselves")]
pub enum Command {
    /// A year was published, or a published year was changed by a later notice.
    PublishYear { edition: String, year: CalendarYear },
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::AsRefStr)]
#[allow(missing_docs, reason = "the sentences explain themselves")]
pub enum Rejection {
    #[error("edition {edition} is published already; name this one differently")]
    EditionTaken { edition: String },
    #[error("{on} does not lie in {year}; correct the table")]
    DayOutsideYear { on: chrono::NaiveDate, year: i32 },
    #[error("the edition and the number of the notice (文号) must be written")]
    NotNamed,
    #[error("a day is both a holiday and a working day: {on}")]
    Contradiction { on: chrono::NaiveDate },
    #[error("{year} would have only {working_days} working days; check the table")]
    TooFewWorkingDays { year: i32, working_days: u32 },
}

impl Explain for Rejection {
    fn code(&self) -> String {
        code_of(self.as_ref())
    }

    fn zh(&self) -> String {
        match self {
            Self::EditionTaken { edition } => format!("日历版本 {edition} 已发布，请换一个名称"),
            Self::DayOutsideYear { on, year } => format!("{on} 不在 {year} 年内，请更正"),
            Self::NotNamed => "请填写版本名称与通知文号".to_owned(),
            Self::Contradiction { on } => format!("{on} 既是假日又是工作日，请更正"),
            Self::TooFewWorkingDays { year, working_days } => format!("{year} 年仅有 {working_days} 个工作日，请核对"),
        }
    }
}

/// What was published.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Publications {
    /// The editions, oldest first, with the year of each.
    pub editions: Vec<(String, CalendarYear)>,
}

/// The decider of the calendar's publications.
pub struct CalendarPublication;

impl Decider for CalendarPublication {
    type State = Publications;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;
    type Context = Desk;

    fn decide(state: &Publications, command: &Command, desk: &Desk) -> Result<Vec<Event>, Rejection> {
        let Command::PublishYear { edition, year } = command;
        if let Some((_, published)) = state.editions.iter().find(|(taken, _)| taken == edition) {
            return if published == year {
                Ok(Vec::new())
            } else {
                Err(Rejection::EditionTaken {
                    edition: edition.clone(),
                })
            };
        }
        if edition.trim().is_empty() || year.doc_no.trim().is_empty() {
            return Err(Rejection::NotNamed);
        }
        if desk.rules.calendar(edition).edition().to_string() == *edition && state.editions.is_empty() {
            return Err(Rejection::EditionTaken {
                edition: edition.clone(),
            });
        }
        check(year)?;
        let first = chrono::NaiveDate::from_ymd_opt(year.year - 1, 12, 31);
        let last = chrono::NaiveDate::from_ymd_opt(year.year, 12, 31);
        if let (Some(after), Some(through)) = (first, last) {
            let calendar = desk.rules.current_calendar().publish(Edition(edition.clone()), year.clone());
            let working_days = calendar.working_days_between(after, through);
            if working_days < FEWEST_WORKING_DAYS {
                return Err(Rejection::TooFewWorkingDays {
                    year: year.year,
                    working_days,
                });
            }
        }
        Ok(vec![Event::CalendarYearPublished {
            edition: edition.clone(),
            year: year.clone(),
        }])
    }

    fn evolve(state: &mut Publications, event: &Event) {
        let Event::CalendarYearPublished { edition, year } = event;
        state.editions.push((edition.clone(), year.clone()));
    }
}

fn check(year: &CalendarYear) -> Result<(), Rejection> {
    let days: BTreeSet<_> = year.holidays.union(&year.workdays).copied().collect();
    if let Some(on) = days.into_iter().find(|on| on.year() != year.year) {
        return Err(Rejection::DayOutsideYear { on, year: year.year });
    }
    if let Some(on) = year.holidays.intersection(&year.workdays).next() {
        return Err(Rejection::Contradiction { on: *on });
    }
    Ok(())
}

/// The rules with this publication in force: the newest edition is what new cases are pinned to.
#[must_use]
pub fn publish_into(rules: &Rules, event: &Event) -> Rules {
    let Event::CalendarYearPublished { edition, year } = event;
    rules.with_calendar(rules.current_calendar().publish(Edition(edition.clone()), year.clone()))
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use decider::testing::given;

    use super::*;
    use crate::case_types::construction_permit::testing::{day, desk};

    fn publish(holidays: &[&str], workdays: &[&str]) -> Command {
        let days = |days: &[&str]| -> BTreeSet<NaiveDate> { days.iter().map(|on| day(on)).collect() };
        let (holidays, workdays) = (days(holidays), days(workdays));
        let year = CalendarYear {
            year: 2027,
            holidays,
            workdays,
            doc_no: "国办发明电〔2026〕7号".into(),
        };
        Command::PublishYear {
            edition: "cn-2027".into(),
            year,
        }
    }

    #[test]
    fn a_year_is_published_once_and_becomes_what_new_cases_are_pinned_to() {
        let desk = desk("2026-11-20");
        let plain = || publish(&["2027-01-01"], &["2027-02-07"]);
        let published = given::<CalendarPublication>([]).at(&desk).when(&plain()).then_accepted();
        given::<CalendarPublication>(published.clone())
            .at(&desk)
            .when(&plain())
            .then([]);
        let taken = Rejection::EditionTaken {
            edition: "cn-2027".into(),
        };
        given::<CalendarPublication>(published.clone())
            .at(&desk)
            .when(&publish(&["2027-01-02"], &[]))
            .then_rejected(&taken);
        let rules = published
            .iter()
            .fold(Rules::embedded(), |rules, event| publish_into(&rules, event));
        assert_eq!(rules.current_calendar().edition().to_string(), "cn-2027");
        assert_eq!(rules.current_calendar().published_through(), 2027);
        assert!(rules.current_calendar().is_working_day(day("2027-02-07")));
    }

    #[test]
    fn a_table_with_mistakes_is_refused() {
        let desk = desk("2026-11-20");
        let refused = |command: &Command, rejection: &Rejection| {
            given::<CalendarPublication>([])
                .at(&desk)
                .when(command)
                .then_rejected(rejection);
        };
        refused(
            &publish(&["2026-12-31"], &[]),
            &Rejection::DayOutsideYear {
                on: day("2026-12-31"),
                year: 2027,
            },
        );
        refused(
            &publish(&["2027-01-01"], &["2027-01-01"]),
            &Rejection::Contradiction { on: day("2027-01-01") },
        );
        let all: Vec<String> = (1..=28)
            .flat_map(|on| (1..=12).map(move |month| format!("2027-{month:02}-{on:02}")))
            .collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let answer = CalendarPublication::decide(&Publications::default(), &publish(&all, &[]), &desk);
        assert!(matches!(answer, Err(Rejection::TooFewWorkingDays { .. })));
    }
}
