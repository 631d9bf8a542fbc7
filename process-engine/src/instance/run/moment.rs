//! When a timer is due: dates, durations and cycles of ISO 8601, on every day or on working days; and patterns of cron.

use chrono::{DateTime, Datelike, Days, FixedOffset, Months, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, Utc};

use croner::Cron;

use super::{Run, Stuck};
use crate::{
    instance::words::{Key, Obstacle},
    model::{Timer, TimerCalendar, TimerKind, cron},
};

/// A duration, as it is written: the parts are kept apart, because months and working days have no fixed length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub(crate) months: u32,
    pub(crate) weeks: u32,
    pub(crate) days: u32,
    pub(crate) seconds: u32,
}

/// How a cycle goes on: after a duration, or at the next moment that a pattern of cron means.
#[derive(Debug, Clone)]
pub(crate) enum Every {
    Span(Span),
    Cron(Box<Cron>),
}

/// When a timer is due first, how often after that (none: for ever), and after what time each.
#[derive(Debug, Clone)]
pub(crate) struct When {
    pub(crate) due_at: DateTime<Utc>,
    pub(crate) repeats_left: Option<u32>,
    pub(crate) every: Option<Every>,
    /// After when it does not fire any more.
    pub(crate) until: Option<DateTime<Utc>>,
}

/// How often a cycle that began long ago is counted on to its next moment; one that began earlier is no sound cycle.
const MAX_PERIODS_BEFORE: u32 = 100_000;

/// The last year in which a timer may be due: the last one that ISO 8601 writes with four digits.
const LAST_YEAR: i32 = 9_999;

/// The most working days of one duration; they are counted one by one. It is more than a hundred years.
pub(super) const MAX_WORKING_DAYS: u32 = 36_525;

impl Run<'_> {
    /// The moment at which a timer that starts now is due first.
    pub(crate) fn moment(&self, timer: &Timer, key: Key) -> Result<DateTime<Utc>, Stuck> {
        self.when(timer, key).map(|when| when.due_at)
    }

    /// When a timer that starts now is due.
    pub(crate) fn when(&self, timer: &Timer, key: Key) -> Result<When, Stuck> {
        let (TimerKind::Date(text) | TimerKind::Duration(text) | TimerKind::Cycle(text)) = &timer.kind;
        let written = self.text(text, key)?;
        let wanted = match (&timer.kind, timer.calendar) {
            (TimerKind::Date(_), _) => "a date and time as 2026-03-02T09:00:00",
            (TimerKind::Duration(_), TimerCalendar::Natural) => "a duration as P3D or PT10H",
            (TimerKind::Duration(_), TimerCalendar::WorkingDays) => "a number of working days as P5D",
            (TimerKind::Cycle(_), TimerCalendar::Natural) => "a cycle as R3/P1D or 0 0 8 * * ?",
            (TimerKind::Cycle(_), TimerCalendar::WorkingDays) => "a cycle of working days as R3/P5D",
        };
        let cannot = || {
            Stuck::new(
                Obstacle::Timer,
                format!("{written} is no time that can be told: {wanted} is needed"),
            )
        };
        let once = |due_at| When {
            due_at,
            repeats_left: Some(0),
            every: None,
            until: None,
        };
        let from = self.clock(timer.pausable);
        let found = match &timer.kind {
            TimerKind::Date(_) => self.date(&written).map(once),
            TimerKind::Duration(_) => duration(&written)
                .and_then(|span| self.after(from, span, timer.calendar))
                .map(once),
            TimerKind::Cycle(_) => self.cycle(&written, from, timer.calendar),
        };
        found.ok_or_else(cannot)
    }

    /// The moment that a timer starts from. For one that stands still with the clock it is when the clock was paused: all
    /// such timers are moved by as much when it is resumed.
    fn clock(&self, pausable: bool) -> DateTime<Utc> {
        self.state.paused_at.filter(|_| pausable).unwrap_or(self.context.now)
    }

    /// `R3/PT10H`, `R/P1D`, `R2/2026-01-05T09:00:00Z/P1D`, `R/P1D/2026-01-05T09:00:00Z`.
    fn cycle(&self, written: &str, from: DateTime<Utc>, calendar: TimerCalendar) -> Option<When> {
        if let Some(cron) = cron::read(written) {
            // A pattern names days of the week and the month by itself; working days are none of these.
            let every = (calendar == TimerCalendar::Natural).then(|| Every::Cron(Box::new(cron)))?;
            return Some(When {
                due_at: self.next(from, &every, calendar)?,
                repeats_left: None,
                every: Some(every),
                until: None,
            });
        }
        let mut parts = written.trim().split('/');
        let count = parts.next()?.strip_prefix('R')?;
        // So many times in all; none or a negative number: for ever.
        let repeats_left = match count {
            "" => None,
            count => count
                .parse::<i64>()
                .ok()
                .map(|count| u32::try_from(count.saturating_sub(1)).ok())?,
        };
        if count == "0" {
            return None;
        }
        let (start, every, until) = match (parts.next()?, parts.next()) {
            (every, None) => (None, duration(every)?, None),
            (every, Some(end)) if every.starts_with('P') => (None, duration(every)?, Some(self.date(end)?)),
            (start, Some(every)) => (Some(self.date(start)?), duration(every)?, None),
        };
        if every == Span::default() || parts.next().is_some() {
            return None;
        }
        let mut when = When {
            due_at: start.unwrap_or(from),
            repeats_left,
            every: Some(Every::Span(every)),
            until,
        };
        if start.is_none() {
            when.due_at = self.after(from, every, calendar)?;
        }
        // What is past already is not made up for.
        if (every.months, every.weeks, every.days) == (0, 0, 0) && when.due_at < from {
            let seconds = i64::from(every.seconds);
            let missed = ((from - when.due_at).num_seconds() / seconds).min(when.repeats_left.map_or(i64::MAX, i64::from));
            when.due_at = when
                .due_at
                .checked_add_signed(TimeDelta::try_seconds(missed.checked_mul(seconds)?)?)?;
            when.repeats_left = when
                .repeats_left
                .map(|left| left.saturating_sub(u32::try_from(missed).unwrap_or(u32::MAX)));
        }
        for _ in 0..MAX_PERIODS_BEFORE {
            if when.due_at >= from || when.repeats_left == Some(0) {
                return Some(when);
            }
            when.due_at = self.after(when.due_at, every, calendar)?;
            when.repeats_left = when.repeats_left.map(|left| left - 1);
        }
        None
    }

    /// The moment at which a cycle fires after this one.
    pub(crate) fn next(&self, from: DateTime<Utc>, every: &Every, calendar: TimerCalendar) -> Option<DateTime<Utc>> {
        match every {
            Every::Span(span) => self.after(from, *span, calendar),
            Every::Cron(pattern) => {
                let next = cron::next_after(pattern, from.with_timezone(&self.offset()))?;
                Some(next.with_timezone(&Utc)).filter(|next| is_in_our_time(*next))
            }
        }
    }

    /// The moment after a duration. Days of a working calendar are counted on it; the time of day stays.
    pub(crate) fn after(&self, from: DateTime<Utc>, span: Span, calendar: TimerCalendar) -> Option<DateTime<Utc>> {
        if calendar == TimerCalendar::WorkingDays && (span.months > 0 || span.weeks > 0) {
            // Nobody knows how many working days these are.
            return None;
        }
        let days = span.weeks.checked_mul(7)?.checked_add(span.days)?;
        let local = from.with_timezone(&self.offset());
        let (date, time) = (local.date_naive(), local.time());
        let date = date.checked_add_months(Months::new(span.months))?;
        let date = match calendar {
            TimerCalendar::Natural => date.checked_add_days(Days::new(days.into()))?,
            TimerCalendar::WorkingDays if span.days == 0 => date,
            TimerCalendar::WorkingDays if span.days > MAX_WORKING_DAYS => return None,
            TimerCalendar::WorkingDays => self.context.outside.add_working_days(date, span.days),
        };
        let there = self.local(date.and_time(time))?;
        let there = there.checked_add_signed(TimeDelta::seconds(span.seconds.into()))?;
        is_in_our_time(there).then_some(there)
    }

    /// An instant, or a local date and time; a date alone is its beginning.
    pub(crate) fn date(&self, written: &str) -> Option<DateTime<Utc>> {
        let written = written.trim();
        if let Ok(instant) = DateTime::parse_from_rfc3339(written) {
            return Some(instant.with_timezone(&Utc));
        }
        let local = written.parse::<NaiveDateTime>();
        if let Ok(local) = local.or_else(|_| NaiveDateTime::parse_from_str(written, "%Y-%m-%dT%H:%M")) {
            return self.local(local);
        }
        let date = written.parse::<NaiveDate>().ok()?;
        self.local(date.and_time(NaiveTime::MIN))
    }

    pub(super) fn local(&self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        let there = local.and_local_timezone(self.offset()).single()?.with_timezone(&Utc);
        is_in_our_time(there).then_some(there)
    }

    pub(super) fn offset(&self) -> FixedOffset {
        FixedOffset::east_opt(self.context.outside.utc_offset_seconds()).unwrap_or(Utc.fix())
    }
}

/// Whether a moment can be written with four digits of the year, and counted on from without coming to the end of time.
fn is_in_our_time(moment: DateTime<Utc>) -> bool {
    (0..=LAST_YEAR).contains(&moment.year())
}

/// `P1Y2M3W4DT5H6M7S`
pub(crate) fn duration(written: &str) -> Option<Span> {
    let written = written.trim().strip_prefix('P')?;
    let (date, time) = match written.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None => (written, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let mut span = Span::default();
    for (count, unit) in parts(date)? {
        match unit {
            'Y' => span.months = span.months.checked_add(count.checked_mul(12)?)?,
            'M' => span.months = span.months.checked_add(count)?,
            'W' => span.weeks = span.weeks.checked_add(count)?,
            'D' => span.days = span.days.checked_add(count)?,
            _ => return None,
        }
    }
    for (count, unit) in parts(time)? {
        let seconds = match unit {
            'H' => count.checked_mul(3_600)?,
            'M' => count.checked_mul(60)?,
            'S' => count,
            _ => return None,
        };
        span.seconds = span.seconds.checked_add(seconds)?;
    }
    Some(span)
}

/// Numbers with their units; a fraction of a second is dropped.
fn parts(mut written: &str) -> Option<Vec<(u32, char)>> {
    let mut found = Vec::new();
    while !written.is_empty() {
        let end = written.find(|letter: char| letter.is_ascii_alphabetic())?;
        let unit = written[end..].chars().next()?;
        let number = match written[..end].split_once(['.', ',']) {
            Some((whole, _)) if unit == 'S' => whole,
            Some(_) => return None,
            None => &written[..end],
        };
        found.push((number.parse().ok()?, unit));
        written = &written[end + unit.len_utf8()..];
    }
    Some(found)
}
