//! Why the due date is what it is, line by line: for the applicant, the reviewer and the supervisor.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    clock::{LegalClock, Pause, days_between},
    days::Calendar,
    limit::LimitUnit,
};

/// Why a span counts or does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LedgerReason<Kind> {
    /// The clock ran.
    Running,
    /// The case waited, and the clock stood still.
    Paused(Vec<Kind>),
    /// The case waited, but the clock ran on: this pause counts against the limit.
    RunningWhilePaused(Vec<Kind>),
    /// The limit was extended on this day; the line's days are the extension's.
    Extended,
    /// The clock ran past the due date.
    Overdue,
    /// What is left, if nothing else happens.
    Remaining,
}

impl<Kind> LedgerReason<Kind> {
    /// What the reader is told.
    pub fn zh(&self) -> &'static str {
        match self {
            Self::Running => "计时",
            Self::Paused(_) => "暂停，不计入时限",
            Self::RunningWhilePaused(_) => "暂停，计入时限",
            Self::Extended => "延长时限",
            Self::Overdue => "超期",
            Self::Remaining => "剩余",
        }
    }

    /// The same in English.
    pub fn en(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused(_) => "paused, not counted",
            Self::RunningWhilePaused(_) => "paused, counted all the same",
            Self::Extended => "limit extended",
            Self::Overdue => "overdue",
            Self::Remaining => "remaining",
        }
    }
}

/// One span of the clock: the days after `after`, up to and with `through`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerLine<Kind> {
    /// The day before the span's first.
    pub after: NaiveDate,
    /// The span's last day.
    pub through: NaiveDate,
    /// Its days in the limit's unit: working days, or natural days for limits in days and months.
    pub days: u32,
    /// Its days that are no working days: weekends and holidays.
    pub days_off: u32,
    /// Whether its days are taken from the limit.
    pub counts: bool,
    /// Why.
    pub reason: LedgerReason<Kind>,
}

impl<Kind: Copy + Ord> LegalClock<Kind> {
    /// The account of the clock by the end of this day, in order of time. The days that count, up to the due date, are the limit.
    pub fn ledger(&self, calendar: &Calendar, today: NaiveDate) -> Vec<LedgerLine<Kind>> {
        let standing = self.standing();
        let due = self.due_of(calendar, &standing).on;
        let pauses = self.pauses();
        let end = self
            .stopped_on()
            .map_or(today, |stopped| stopped.min(today))
            .max(self.started_on());
        let mut lines: Vec<LedgerLine<Kind>> = Vec::new();
        for (after, through) in self.spans(&pauses, due, end) {
            let reason = reason(&pauses, after, due);
            match lines.last_mut() {
                Some(line) if line.reason == reason => line.through = through,
                _ => lines.push(LedgerLine {
                    after,
                    through,
                    days: 0,
                    days_off: 0,
                    counts: !matches!(reason, LedgerReason::Paused(_)),
                    reason,
                }),
            }
        }
        let left = self.remaining(calendar, today);
        if let Ok(left @ 1..) = u32::try_from(left)
            && self.stopped_on().is_none()
        {
            // While the clock stands still this is what would be left if it went on today.
            let through = if standing.open_from.is_some_and(|from| from < today) {
                match self.limit().unit {
                    LimitUnit::WorkingDay => calendar.add_working_days(end, left).on,
                    LimitUnit::NaturalDay | LimitUnit::Month => calendar.add_natural_days(end, left).on,
                }
            } else {
                due
            };
            lines.push(LedgerLine {
                after: end,
                through,
                days: left,
                days_off: 0,
                counts: true,
                reason: LedgerReason::Remaining,
            });
        }
        for line in &mut lines {
            let working_days = calendar.working_days_between(line.after, line.through);
            line.days_off = days_between(line.after, line.through).saturating_sub(working_days);
            if line.reason != LedgerReason::Remaining {
                line.days = match self.limit().unit {
                    LimitUnit::WorkingDay => working_days,
                    LimitUnit::NaturalDay | LimitUnit::Month => days_between(line.after, line.through),
                };
            }
        }
        lines.extend(self.extensions().iter().map(|extension| LedgerLine {
            after: extension.on,
            through: extension.on,
            days: extension.working_days,
            days_off: 0,
            counts: false,
            reason: LedgerReason::Extended,
        }));
        lines.sort_by_key(|line| line.after);
        lines
    }

    /// The spans from the start to the end, cut wherever something changes.
    fn spans(&self, pauses: &[Pause<Kind>], due: NaiveDate, end: NaiveDate) -> Vec<(NaiveDate, NaiveDate)> {
        let mut cuts: Vec<NaiveDate> = pauses
            .iter()
            .flat_map(|pause| [Some(pause.from), pause.to])
            .flatten()
            .collect();
        cuts.extend([self.started_on(), due, end]);
        cuts.retain(|cut| (self.started_on()..=end).contains(cut));
        cuts.sort_unstable();
        cuts.dedup();
        cuts.windows(2).map(|pair| (pair[0], pair[1])).collect()
    }
}

/// Why the days after this one, up to the next cut, count or do not.
fn reason<Kind: Copy + Ord>(pauses: &[Pause<Kind>], after: NaiveDate, due: NaiveDate) -> LedgerReason<Kind> {
    let running = |pause: &&Pause<Kind>| pause.from <= after && pause.to.is_none_or(|to| to > after);
    let kinds = |counts: bool| -> Vec<Kind> {
        pauses
            .iter()
            .filter(running)
            .filter(|pause| pause.counts_against_limit == counts)
            .map(|pause| pause.kind)
            .collect()
    };
    let (standing, counting) = (kinds(false), kinds(true));
    match () {
        () if !standing.is_empty() => LedgerReason::Paused(standing),
        () if after >= due => LedgerReason::Overdue,
        () if !counting.is_empty() => LedgerReason::RunningWhilePaused(counting),
        () => LedgerReason::Running,
    }
}
