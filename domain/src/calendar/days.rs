//! Which days are working days, and counting them without walking over them.
//!
//! A table holds, for every day, how many working days there have been since its first day, and the list of those
//! days. So counting is one subtraction and adding is one look-up, whatever the distance.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use chrono::{Datelike, Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};

use super::embedded::EMBEDDED;

/// The table's first year. Earlier days are plain Mondays to Fridays: no paper of the bureau is older.
const TABLE_FIRST_YEAR: i32 = 1970;
/// The table's last year. Later days are plain Mondays to Fridays: no limit of the law reaches so far (land use rights end within 70 years).
const TABLE_LAST_YEAR: i32 = 2100;

/// Which publication of the calendar is in force (`cn-2026`); pinned in every case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Edition(pub String);

impl fmt::Display for Edition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One year as the State Council publishes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarYear {
    /// Which year.
    pub year: i32,
    /// Days off, also those that fall on a weekend.
    pub holidays: BTreeSet<NaiveDate>,
    /// Saturdays and Sundays on which work is done (调休).
    pub workdays: BTreeSet<NaiveDate>,
    /// The notice it was published by, or the source that it was taken from.
    pub doc_no: String,
}

/// A day on which a limit ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Due {
    /// The last day on which the thing is still in time.
    pub on: NaiveDate,
    /// It may still move: it reaches a year that nobody has published, or the clock stands still now.
    pub provisional: bool,
}

/// A statutory day off with the same date in every year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FixedHoliday {
    month: u32,
    day: u32,
}

impl FixedHoliday {
    /// Reads `MM-DD`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (month, day) = text.split_once('-')?;
        Some(Self {
            month: month.parse().ok()?,
            day: day.parse().ok()?,
        })
    }
}

/// The working days, as far as they have been published. Cheap to clone.
#[derive(Clone)]
pub struct Calendar(Arc<Table>);

struct Table {
    edition: Edition,
    years: BTreeMap<i32, CalendarYear>,
    fixed: Vec<FixedHoliday>,
    names: BTreeMap<NaiveDate, String>,
    /// The first published year and the last up to which there is no gap.
    published: (i32, i32),
    /// The table's first day, in days of the common era, as all days here: day 1 was a Monday.
    first_day: i64,
    /// For each day of the table: how many working days up to and with it.
    worked_through: Vec<u32>,
    /// The working days of the table, in order.
    working: Vec<i64>,
}

impl Calendar {
    /// The calendar that the program carries: 2004–2026.
    pub fn embedded() -> Self {
        EMBEDDED.clone()
    }

    /// Which publication this is.
    pub fn edition(&self) -> &Edition {
        &self.0.edition
    }

    /// This calendar with one more year, or with a year that was published again, as a new edition.
    #[must_use]
    pub fn publish(&self, edition: Edition, year: CalendarYear) -> Self {
        let mut years = self.0.years.clone();
        years.insert(year.year, year);
        Self::new(edition, years, self.0.fixed.clone(), self.0.names.clone())
    }

    pub(super) fn new(
        edition: Edition,
        years: BTreeMap<i32, CalendarYear>,
        fixed: Vec<FixedHoliday>,
        names: BTreeMap<NaiveDate, String>,
    ) -> Self {
        let mut decreed = BTreeMap::new();
        for year in years.values() {
            decreed.extend(year.holidays.iter().map(|on| (*on, false)));
            decreed.extend(year.workdays.iter().map(|on| (*on, true)));
        }
        let works = |on: NaiveDate| {
            let weekday = on.weekday().num_days_from_monday() < 5;
            let holiday = || {
                !years.contains_key(&on.year())
                    && fixed.contains(&FixedHoliday {
                        month: on.month(),
                        day: on.day(),
                    })
            };
            decreed.get(&on).copied().unwrap_or_else(|| weekday && !holiday())
        };
        let first = NaiveDate::from_ymd_opt(TABLE_FIRST_YEAR, 1, 1).unwrap_or_default();
        let (mut worked_through, mut working) = (Vec::new(), Vec::new());
        for on in first.iter_days().take_while(|on| on.year() <= TABLE_LAST_YEAR) {
            if works(on) {
                working.push(day_number(on));
            }
            worked_through.push(u32::try_from(working.len()).unwrap_or(u32::MAX));
        }
        let published = published_span(&years);
        Self(Arc::new(Table {
            edition,
            years,
            fixed,
            names,
            published,
            first_day: day_number(first),
            worked_through,
            working,
        }))
    }

    /// Whether the bureau works on this day.
    pub fn is_working_day(&self, on: NaiveDate) -> bool {
        let day = day_number(on);
        self.worked_through(day) > self.worked_through(day - 1)
    }

    /// The name of a holiday, or of the holiday that a day is worked for (调休), where it was published with one.
    pub fn day_name(&self, on: NaiveDate) -> Option<&str> {
        self.0.names.get(&on).map(String::as_str)
    }

    /// The years as they were published.
    pub fn years(&self) -> impl Iterator<Item = &CalendarYear> {
        self.0.years.values()
    }

    /// The last year up to which every year has been published without a gap.
    pub fn published_through(&self) -> i32 {
        self.0.published.1
    }

    /// The day that is `n` working days after `start`; the start is not counted, the end is.
    pub fn add_working_days(&self, start: NaiveDate, n: u32) -> Due {
        if n == 0 {
            return self.due(start, start);
        }
        let day = self.nth_working_day(self.worked_through(day_number(start)) + i64::from(n));
        self.due(start, date(day))
    }

    /// How many working days there are after `after`, up to and with `through`.
    pub fn working_days_between(&self, after: NaiveDate, through: NaiveDate) -> u32 {
        let count = self.worked_through(day_number(through)) - self.worked_through(day_number(after));
        u32::try_from(count).unwrap_or(0)
    }

    /// The day that is `n` natural days after `start`, moved to the next working day if it is none (民法典 203).
    pub fn add_natural_days(&self, start: NaiveDate, n: u32) -> Due {
        self.roll(
            start,
            start.checked_add_days(Days::new(u64::from(n))).unwrap_or(NaiveDate::MAX),
        )
    }

    /// The corresponding day `n` months after `start`, else that month's end, moved to the next working day if it is none (民法典 202, 203).
    pub fn add_months(&self, start: NaiveDate, n: u32) -> Due {
        self.roll(start, start.checked_add_months(Months::new(n)).unwrap_or(NaiveDate::MAX))
    }

    /// The last day of a period that began after `start` and would end on `last`: that day or the next working day.
    pub(super) fn roll(&self, start: NaiveDate, last: NaiveDate) -> Due {
        if self.is_working_day(last) {
            return self.due(start, last);
        }
        let next = self.nth_working_day(self.worked_through(day_number(last)) + 1);
        self.due(start, date(next))
    }

    /// A due date counted from `start`, with the years between looked up.
    pub(super) fn due(&self, start: NaiveDate, on: NaiveDate) -> Due {
        let (first, last) = self.0.published;
        // The first counted day is the one after the start.
        let counted_from = start.succ_opt().unwrap_or(start).min(on);
        let published = first <= counted_from.year() && on.year() <= last;
        Due {
            on,
            provisional: !published,
        }
    }

    /// How many working days there have been since the table's first day, up to and with this one; negative before it.
    fn worked_through(&self, day: i64) -> i64 {
        let table = &*self.0;
        let Ok(place) = usize::try_from(day - table.first_day) else {
            return weekdays_through(day) - weekdays_through(table.first_day - 1);
        };
        table.worked_through.get(place).map_or_else(
            || self.table_count() + weekdays_through(day) - weekdays_through(self.table_end()),
            |count| i64::from(*count),
        )
    }

    /// The day on which [`Self::worked_through`] reaches `count`.
    fn nth_working_day(&self, count: i64) -> i64 {
        let table = &*self.0;
        let Ok(place) = usize::try_from(count - 1) else {
            return nth_weekday(count + weekdays_through(table.first_day - 1));
        };
        let beyond = || nth_weekday(count - self.table_count() + weekdays_through(self.table_end()));
        table.working.get(place).copied().unwrap_or_else(beyond)
    }

    fn table_count(&self) -> i64 {
        i64::try_from(self.0.working.len()).unwrap_or(i64::MAX)
    }

    fn table_end(&self) -> i64 {
        self.0.first_day + i64::try_from(self.0.worked_through.len()).unwrap_or(i64::MAX) - 1
    }
}

impl Default for Calendar {
    fn default() -> Self {
        Self::embedded()
    }
}

impl fmt::Debug for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Calendar({}, published through {})",
            self.edition(),
            self.published_through()
        )
    }
}

/// The first of these years and the last up to which there is no gap; of no years, a span that holds none.
fn published_span(years: &BTreeMap<i32, CalendarYear>) -> (i32, i32) {
    let Some(first) = years.keys().next().copied() else {
        return (i32::MAX, i32::MIN);
    };
    let unbroken = years
        .keys()
        .copied()
        .zip(first..)
        .take_while(|(year, expected)| year == expected);
    (first, unbroken.last().map_or(first, |(year, _)| year))
}

/// Days of the common era; day 1 was a Monday.
fn day_number(on: NaiveDate) -> i64 {
    i64::from(on.num_days_from_ce())
}

/// The date of a day of the common era; the last date there is for a day beyond it.
fn date(day: i64) -> NaiveDate {
    i32::try_from(day)
        .ok()
        .and_then(NaiveDate::from_num_days_from_ce_opt)
        .unwrap_or(NaiveDate::MAX)
}

/// How many Mondays to Fridays from day 1 up to and with this one.
fn weekdays_through(day: i64) -> i64 {
    day.div_euclid(7) * 5 + day.rem_euclid(7).min(5)
}

/// The day on which [`weekdays_through`] reaches `count`.
fn nth_weekday(count: i64) -> i64 {
    (count - 1).div_euclid(5) * 7 + (count - 1).rem_euclid(5) + 1
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn final_on(text: &str) -> Due {
        Due {
            on: day(text),
            provisional: false,
        }
    }

    #[test]
    fn every_row_of_the_working_day_vectors_holds() {
        let rows = include_str!("../../data/calendar/workday_vectors.csv").lines().skip(1);
        let mut seen = 0;
        for row in rows {
            let cells: Vec<&str> = row.split(',').collect();
            let due = Calendar::embedded().add_working_days(day(cells[0]), cells[1].parse().unwrap());
            assert_eq!(due, final_on(cells[2]), "{row}");
            seen += 1;
        }
        assert_eq!(seen, 9);
    }

    #[test]
    fn the_years_have_as_many_working_days_as_they_were_published_with() {
        let calendar = Calendar::embedded();
        let counts = (2018..=2026).map(|year| {
            let last = |year| NaiveDate::from_ymd_opt(year, 12, 31).unwrap();
            calendar.working_days_between(last(year - 1), last(year))
        });
        assert_eq!(counts.collect::<Vec<_>>(), [250, 250, 249, 250, 249, 249, 251, 248, 248]);
        assert_eq!(calendar.years().count(), 23);
        assert_eq!(calendar.published_through(), 2026);
        assert_eq!(calendar.edition().to_string(), "cn-2026");
    }

    #[test]
    fn holidays_and_adjusted_weekends_have_names() {
        let calendar = Calendar::embedded();
        assert_eq!(calendar.day_name(day("2026-10-01")), Some("国庆节"));
        assert!(
            calendar.is_working_day(day("2026-02-28")),
            "a Saturday, worked for the Spring Festival"
        );
        assert_eq!(calendar.day_name(day("2026-02-28")), Some("春节"));
        assert_eq!(calendar.day_name(day("2026-03-03")), None);
    }

    #[test]
    fn a_limit_into_an_unpublished_year_is_provisional_until_the_year_is_published() {
        let calendar = Calendar::embedded();
        // Only the fixed days are known: New Year's Day is off, the rest of the year is guessed.
        let guessed = calendar.add_working_days(day("2026-12-30"), 2);
        assert_eq!(
            guessed,
            Due {
                on: day("2027-01-04"),
                provisional: true
            }
        );
        let year = CalendarYear {
            year: 2027,
            holidays: ["2027-01-01", "2027-01-04"].map(day).into(),
            workdays: [day("2027-01-02")].into(),
            doc_no: "a notice".into(),
        };
        let published = calendar.publish(Edition("cn-2027".into()), year);
        assert_eq!(published.add_working_days(day("2026-12-30"), 2), final_on("2027-01-02"));
        assert_eq!(published.published_through(), 2027);
        assert_eq!(calendar.published_through(), 2026, "an edition never changes");
    }

    #[test]
    fn a_limit_that_begins_after_the_last_day_before_the_data_is_not_provisional() {
        assert!(!Calendar::embedded().add_working_days(day("2003-12-31"), 1).provisional);
        assert!(Calendar::embedded().add_working_days(day("2003-12-30"), 1).provisional);
        assert!(Calendar::embedded().add_working_days(day("1995-05-02"), 3).provisional);
    }

    #[test]
    fn months_end_at_the_month_s_end_and_roll_over_days_off() {
        let calendar = Calendar::embedded();
        assert_eq!(calendar.add_months(day("2024-11-29"), 3), final_on("2025-02-28"));
        assert_eq!(calendar.add_months(day("2026-07-03"), 3), final_on("2026-10-08"));
        assert_eq!(calendar.add_natural_days(day("2026-09-20"), 15), final_on("2026-10-08"));
    }

    #[test]
    fn days_far_outside_the_table_are_counted_too() {
        let calendar = Calendar::embedded();
        for start in ["1969-12-30", "1900-01-06", "2100-12-29", "2345-06-07"].map(day) {
            let due = calendar.add_working_days(start, 10);
            assert_eq!(calendar.working_days_between(start, due.on), 10);
            assert!(calendar.is_working_day(due.on));
        }
        assert_eq!(calendar.add_working_days(NaiveDate::MAX, u32::MAX).on, NaiveDate::MAX);
        assert_eq!(calendar.add_working_days(day("2026-01-01"), u32::MAX).on, NaiveDate::MAX);
        assert_eq!(calendar.add_natural_days(day("2026-01-01"), u32::MAX).on, NaiveDate::MAX);
        assert_eq!(calendar.add_months(day("2026-01-01"), u32::MAX).on, NaiveDate::MAX);
        assert_eq!(calendar.working_days_between(NaiveDate::MAX, NaiveDate::MIN), 0);
    }

    proptest! {
        #[test]
        fn counting_gives_what_was_added(start in -20_000..80_000i64, n in 1u32..5_000) {
            let calendar = Calendar::embedded();
            let start = date(day_number(day("1990-01-01")) + start);
            let due = calendar.add_working_days(start, n);
            prop_assert!(calendar.is_working_day(due.on));
            prop_assert_eq!(calendar.working_days_between(start, due.on), n);
            prop_assert_eq!(calendar.working_days_between(start, due.on.pred_opt().unwrap()), n - 1);
        }

        #[test]
        fn counting_agrees_with_walking_day_by_day(start in 0..12_000i64, length in 0..400i64) {
            let calendar = Calendar::embedded();
            let after = date(day_number(day("1999-01-01")) + start);
            let through = date(day_number(after) + length);
            let walked = after.iter_days().skip(1).take_while(|on| *on <= through).filter(|on| calendar.is_working_day(*on)).count();
            prop_assert_eq!(calendar.working_days_between(after, through) as usize, walked);
        }
    }
}
