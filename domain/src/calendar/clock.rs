//! The legal clock of a case: from what is on record to how much of the limit is used.
//!
//! The clock keeps facts, never counts. Facts may be entered in any order (paper is entered later), every figure is
//! derived from them and from a calendar. The rules: the day of the start is not counted, the day of the end is; the
//! day of a suspension is used up; counting goes on with the first working day after the day of the resumption.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};

use super::{
    days::{Calendar, Due},
    limit::{Limit, LimitUnit},
};

/// The clock of one limit. `Kind` is what the case type's pauses are called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegalClock<Kind> {
    started_on: NaiveDate,
    limit: Limit,
    extensions: Vec<Extension>,
    suspensions: Vec<Suspension<Kind>>,
    resumptions: Vec<Resumption<Kind>>,
    stopped_on: Option<NaiveDate>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Extension {
    pub(super) on: NaiveDate,
    pub(super) working_days: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Suspension<Kind> {
    on: NaiveDate,
    kind: Kind,
    counts_against_limit: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Resumption<Kind> {
    on: NaiveDate,
    kind: Kind,
}

/// A span in which the case waits for something: after `from`, up to and with `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Pause<Kind> {
    /// The day of the suspension; it is still used up.
    pub from: NaiveDate,
    /// The day of the resumption; nothing while the pause lasts.
    pub to: Option<NaiveDate>,
    /// For what it waits.
    pub kind: Kind,
    /// Whether the limit runs on all the same.
    pub counts_against_limit: bool,
}

/// From which share of a limit a case is shown yellow or red; versioned with the item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertRatios {
    /// Yellow from this share of the limit on, in percent.
    pub yellow_percent: u32,
    /// Red from this share of the limit on, in percent.
    pub red_percent: u32,
}

/// How a case stands against a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::Display, strum::EnumString)]
pub enum Alert {
    /// 无: the clock has stopped, in time.
    None,
    /// 正常
    Normal,
    /// 黄
    Yellow,
    /// 红
    Red,
    /// 超期
    Overdue,
}

/// The spans that do not count, joined: the closed ones in order, and since when the clock stands still.
pub(super) struct Standing {
    pub(super) closed: Vec<(NaiveDate, NaiveDate)>,
    pub(super) open_from: Option<NaiveDate>,
}

impl<Kind: Copy + Ord> LegalClock<Kind> {
    /// A clock that runs from the day after this one.
    pub fn start(on: NaiveDate, limit: Limit) -> Self {
        Self {
            started_on: on,
            limit,
            extensions: vec![],
            suspensions: vec![],
            resumptions: vec![],
            stopped_on: None,
        }
    }

    /// The same facts against another limit (法定, 承诺, 内部预警).
    #[must_use]
    pub fn with_limit(&self, limit: Limit) -> Self {
        Self { limit, ..self.clone() }
    }

    /// The limit was extended by so many working days.
    pub fn extend(&mut self, on: NaiveDate, working_days: u32) {
        insert(&mut self.extensions, Extension { on, working_days });
    }

    /// The case waits for something from this day on.
    pub fn suspend(&mut self, kind: Kind, on: NaiveDate, counts_against_limit: bool) {
        insert(
            &mut self.suspensions,
            Suspension {
                on,
                kind,
                counts_against_limit,
            },
        );
    }

    /// What the case waited for has come on this day.
    pub fn resume(&mut self, kind: Kind, on: NaiveDate) {
        insert(&mut self.resumptions, Resumption { on, kind });
    }

    /// A whole pause at once.
    pub fn pause(&mut self, pause: Pause<Kind>) {
        self.suspend(pause.kind, pause.from, pause.counts_against_limit);
        if let Some(to) = pause.to {
            self.resume(pause.kind, to);
        }
    }

    /// The case was decided or ended; of several days the first counts.
    pub fn stop(&mut self, on: NaiveDate) {
        self.stopped_on = Some(self.stopped_on.map_or(on, |before| before.min(on)));
    }

    /// The day on which the clock started.
    pub fn started_on(&self) -> NaiveDate {
        self.started_on
    }

    /// The day on which the clock stopped, if it has.
    pub fn stopped_on(&self) -> Option<NaiveDate> {
        self.stopped_on
    }

    /// The limit without its extensions.
    pub fn limit(&self) -> Limit {
        self.limit
    }

    /// By how many working days the limit was extended in all.
    pub fn extended_working_days(&self) -> u32 {
        self.extensions
            .iter()
            .fold(0, |sum, extension| sum.saturating_add(extension.working_days))
    }

    /// The pauses, told from the suspensions and resumptions, whatever the order in which they were entered.
    pub fn pauses(&self) -> Vec<Pause<Kind>> {
        let kinds: BTreeSet<Kind> = self.suspensions.iter().map(|suspension| suspension.kind).collect();
        let mut pauses: Vec<_> = kinds.into_iter().flat_map(|kind| self.pauses_of(kind)).collect();
        pauses.sort_unstable();
        pauses
    }

    /// The pause that the case is in at the end of this day, if it is in one.
    pub fn pause_on(&self, today: NaiveDate) -> Option<Pause<Kind>> {
        let within = |pause: &Pause<Kind>| pause.from <= today && pause.to.is_none_or(|to| to > today);
        self.pauses().into_iter().find(within)
    }

    /// The last day that is in time. While the clock stands still it is what it would be if it went on at once, and provisional.
    pub fn due(&self, calendar: &Calendar) -> Due {
        self.due_of(calendar, &self.standing())
    }

    /// How much of the limit is used by the end of this day: working days, or natural days for limits in days and months.
    pub fn used(&self, calendar: &Calendar, today: NaiveDate) -> u32 {
        let standing = self.standing();
        self.counted(calendar, &standing, self.started_on, self.frozen(&standing, today))
    }

    /// How much of the limit is left at the end of this day; negative when it is overdrawn.
    pub fn remaining(&self, calendar: &Calendar, today: NaiveDate) -> i64 {
        let standing = self.standing();
        let (due, today) = (self.due_of(calendar, &standing).on, self.frozen(&standing, today));
        i64::from(self.counted(calendar, &standing, today, due)) - i64::from(self.counted(calendar, &standing, due, today))
    }

    /// By how much the limit is overdrawn; it stands still in a pause and is final when the clock has stopped.
    pub fn overdue_days(&self, calendar: &Calendar, today: NaiveDate) -> u32 {
        let standing = self.standing();
        let due = self.due_of(calendar, &standing).on;
        self.counted(calendar, &standing, due, self.frozen(&standing, today))
    }

    /// Whether the due date has passed with the clock running. On a weekend after it: true, with no working day overdue yet.
    pub fn is_overdue(&self, calendar: &Calendar, today: NaiveDate) -> bool {
        let standing = self.standing();
        let due = self.due_of(calendar, &standing).on;
        standing.natural_days(due, self.frozen(&standing, today)) > 0
    }

    /// How the case stands on this day.
    pub fn alert(&self, calendar: &Calendar, today: NaiveDate, ratios: &AlertRatios) -> Alert {
        if self.is_overdue(calendar, today) {
            return Alert::Overdue;
        }
        if self.stopped_on.is_some_and(|stopped| stopped <= today) {
            return Alert::None;
        }
        let standing = self.standing();
        let due = self.due_of(calendar, &standing).on;
        let whole = u64::from(self.counted(calendar, &standing, self.started_on, due));
        let used = u64::from(self.counted(calendar, &standing, self.started_on, self.frozen(&standing, today)));
        let reaches = |percent: u32| used * 100 >= whole * u64::from(percent);
        match () {
            () if reaches(ratios.red_percent) => Alert::Red,
            () if reaches(ratios.yellow_percent) => Alert::Yellow,
            () => Alert::Normal,
        }
    }

    /// The spans that do not count against the limit.
    pub(super) fn standing(&self) -> Standing {
        let mut standing = Standing {
            closed: Vec::new(),
            open_from: None,
        };
        let stopped = self.stopped_on.unwrap_or(NaiveDate::MAX);
        let mut pauses = self.pauses();
        pauses.retain(|pause| !pause.counts_against_limit && pause.from < stopped);
        for pause in pauses {
            let from = pause.from.max(self.started_on);
            let Some(to) = pause.to else {
                // What stood still before it stays so: an open pause never takes back what a closed one gave.
                let until = standing.closed.last().map_or(from, |last| last.1);
                standing.open_from = Some(from.max(until));
                break;
            };
            let joined = standing.closed.pop_if(|last| from <= last.1);
            let (from, to) = joined.map_or((from, to), |last| (last.0, to.max(last.1)));
            if to > from {
                standing.closed.push((from, to));
            }
        }
        standing
    }

    /// The last day whose time can count: today, unless the clock stopped or stood still before.
    pub(super) fn frozen(&self, standing: &Standing, today: NaiveDate) -> NaiveDate {
        let bounds = [self.stopped_on, standing.open_from];
        bounds.into_iter().flatten().fold(today, NaiveDate::min)
    }

    /// What counts after one day and through another, in the limit's own unit.
    pub(super) fn counted(&self, calendar: &Calendar, standing: &Standing, after: NaiveDate, through: NaiveDate) -> u32 {
        match self.limit.unit {
            LimitUnit::WorkingDay => standing.working_days(calendar, after, through),
            LimitUnit::NaturalDay | LimitUnit::Month => standing.natural_days(after, through),
        }
    }

    pub(super) fn due_of(&self, calendar: &Calendar, standing: &Standing) -> Due {
        let extended = self.extended_working_days();
        let on = match self.limit.unit {
            LimitUnit::WorkingDay => standing.add_working_days(calendar, self.started_on, self.limit.n.saturating_add(extended)),
            LimitUnit::NaturalDay => {
                let last = self.started_on.checked_add_days(Days::new(u64::from(self.limit.n)));
                standing.add_working_days(calendar, self.roll(calendar, standing, last), extended)
            }
            LimitUnit::Month => {
                let last = self.started_on.checked_add_months(chrono::Months::new(self.limit.n));
                standing.add_working_days(calendar, self.roll(calendar, standing, last), extended)
            }
        };
        let mut due = calendar.due(self.started_on, on);
        due.provisional |= standing.open_from.is_some_and(|from| from < on);
        due
    }

    pub(super) fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// The end of a period in natural days or months: moved by the pauses within it, then to a working day.
    fn roll(&self, calendar: &Calendar, standing: &Standing, last: Option<NaiveDate>) -> NaiveDate {
        let last = standing.add_pauses(last.unwrap_or(NaiveDate::MAX));
        calendar.roll(self.started_on, last).on
    }

    fn pauses_of(&self, kind: Kind) -> Vec<Pause<Kind>> {
        let suspensions: Vec<_> = self.suspensions.iter().filter(|suspension| suspension.kind == kind).collect();
        let resumptions: Vec<_> = self.resumptions.iter().filter(|resumption| resumption.kind == kind).collect();
        let days: BTreeSet<NaiveDate> = suspensions
            .iter()
            .map(|s| s.on)
            .chain(resumptions.iter().map(|r| r.on))
            .collect();
        let mut pauses = Vec::new();
        let mut open: Option<Pause<Kind>> = None;
        for day in days {
            let suspended = suspensions.iter().filter(|suspension| suspension.on == day).count();
            let resumed = resumptions.iter().filter(|resumption| resumption.on == day).count();
            let counts = suspensions
                .iter()
                .filter(|suspension| suspension.on == day)
                .all(|s| s.counts_against_limit);
            let begun = Pause {
                from: day,
                to: None,
                kind,
                counts_against_limit: counts,
            };
            // Facts of one day have no order among themselves: what counts is how the day ends.
            open = match open {
                None => (suspended > resumed).then_some(begun),
                Some(pause) if resumed >= suspended => {
                    pauses.push(Pause { to: Some(day), ..pause });
                    (resumed == suspended).then_some(begun)
                }
                Some(pause) => Some(Pause {
                    counts_against_limit: pause.counts_against_limit && counts,
                    ..pause
                }),
            };
        }
        pauses.extend(open);
        pauses
    }
}

impl Standing {
    /// Working days after one day and through another, without the pauses.
    pub(super) fn working_days(&self, calendar: &Calendar, after: NaiveDate, through: NaiveDate) -> u32 {
        let paused: u32 = self
            .within(after, through)
            .map(|(from, to)| calendar.working_days_between(from, to))
            .sum();
        calendar.working_days_between(after, through).saturating_sub(paused)
    }

    /// Natural days after one day and through another, without the pauses.
    pub(super) fn natural_days(&self, after: NaiveDate, through: NaiveDate) -> u32 {
        let paused: u32 = self.within(after, through).map(|(from, to)| days_between(from, to)).sum();
        days_between(after, through).saturating_sub(paused)
    }

    /// The day that is `n` counted working days after `start`.
    fn add_working_days(&self, calendar: &Calendar, start: NaiveDate, mut n: u32) -> NaiveDate {
        let mut place = start;
        for (from, to) in self.closed.iter().copied().filter(|(_, to)| *to > start) {
            let before = calendar.working_days_between(place, from);
            if n <= before {
                break;
            }
            n -= before;
            place = to;
        }
        calendar.add_working_days(place, n).on
    }

    /// The last day of a period in natural days, moved by the pauses that begin before it.
    fn add_pauses(&self, last: NaiveDate) -> NaiveDate {
        let step = |last: NaiveDate, (from, to): &(NaiveDate, NaiveDate)| {
            if *from >= last {
                return last;
            }
            last.checked_add_days(Days::new(u64::from(days_between(*from, *to))))
                .unwrap_or(NaiveDate::MAX)
        };
        self.closed.iter().fold(last, step)
    }

    fn within(&self, after: NaiveDate, through: NaiveDate) -> impl Iterator<Item = (NaiveDate, NaiveDate)> {
        let clip = move |(from, to): &(NaiveDate, NaiveDate)| ((*from).max(after), (*to).min(through));
        self.closed.iter().map(clip).filter(|(from, to)| from < to)
    }
}

/// Natural days after one day and through another; none if that is not later.
pub(super) fn days_between(after: NaiveDate, through: NaiveDate) -> u32 {
    u32::try_from((through - after).num_days()).unwrap_or(0)
}

/// Puts a fact into its place, so that the same facts make the same clock.
fn insert<Fact: Ord>(facts: &mut Vec<Fact>, fact: Fact) {
    let place = facts.partition_point(|before| *before <= fact);
    facts.insert(place, fact);
}
