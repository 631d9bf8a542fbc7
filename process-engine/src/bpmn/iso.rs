//! Times as ISO 8601 writes them, as far as timers need them.

use chrono::{DateTime, NaiveDate, NaiveDateTime};

/// A duration in its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Duration {
    /// Years and months, in months.
    months: u64,
    /// Weeks, days and times, in seconds.
    seconds: u64,
}

impl Duration {
    /// In seconds; a month counts 30 days. For pauses between tries, not for limits of the law.
    pub(crate) fn seconds(self) -> u64 {
        self.seconds.saturating_add(self.months.saturating_mul(30 * 86_400))
    }
}

/// Reads `P1Y2M3W4DT5H6M7.5S`: at least one part, each at most once, in this order.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let rest = text.strip_prefix('P')?;
    let (date, time) = match rest.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None => (rest, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let mut sum = Duration::default();
    parts(
        date,
        &[
            ('Y', 12, true),
            ('M', 1, true),
            ('W', 7 * 86_400, false),
            ('D', 86_400, false),
        ],
        &mut sum,
    )?;
    parts(time, &[('H', 3_600, false), ('M', 60, false), ('S', 1, false)], &mut sum)?;
    Some(sum)
}

fn parts(text: &str, units: &[(char, u64, bool)], sum: &mut Duration) -> Option<()> {
    let (mut rest, mut units) = (text, units);
    while !rest.is_empty() {
        let end = rest.find(|char: char| !char.is_ascii_digit() && char != '.')?;
        let (number, tail) = rest.split_at(end);
        let unit = tail.chars().next()?;
        let known = units.iter().position(|(name, ..)| *name == unit)?;
        let (_, size, in_months) = units[known];
        let whole = match number.split_once('.') {
            Some((whole, fraction)) if unit == 'S' && !fraction.is_empty() && !fraction.contains('.') => whole,
            Some(_) => return None,
            None => number,
        };
        let amount = whole.parse::<u64>().ok()?.checked_mul(size)?;
        let part = if in_months { &mut sum.months } else { &mut sum.seconds };
        *part = part.checked_add(amount)?;
        units = &units[known + 1..];
        rest = &tail[unit.len_utf8()..];
    }
    Some(())
}

/// Whether it is an instant, a local date and time, or a date.
pub(crate) fn is_date(text: &str) -> bool {
    let local = |format| NaiveDateTime::parse_from_str(text, format).is_ok();
    DateTime::parse_from_rfc3339(text).is_ok()
        || DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M%:z").is_ok()
        || DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z").is_ok()
        || local("%Y-%m-%dT%H:%M:%S%.f")
        || local("%Y-%m-%dT%H:%M")
        || NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

/// A repeating interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cycle<'t> {
    /// How often; none: without end.
    pub(crate) times: Option<u32>,
    /// The duration between two.
    pub(crate) interval: &'t str,
}

/// Reads `R5/PT10M`, `R/2026-01-01T00:00:00/P1D` and the like.
pub(crate) fn cycle(text: &str) -> Option<Cycle<'_>> {
    let rest = text.strip_prefix('R')?;
    let mut pieces = rest.split('/');
    let times = match pieces.next()? {
        "" | "-1" => None,
        times => Some(times.parse().ok()?),
    };
    let pieces: Vec<&str> = pieces.collect();
    let interval = match pieces.as_slice() {
        [interval] if duration(interval).is_some() => interval,
        [start, interval] if is_date(start) && duration(interval).is_some() => interval,
        [interval, end] if duration(interval).is_some() && is_date(end) => interval,
        _ => return None,
    };
    Some(Cycle { times, interval })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_in_the_order_of_their_parts_only() {
        assert_eq!(duration("P1DT2H").map(Duration::seconds), Some(86_400 + 7_200));
        assert_eq!(duration("P2M").map(Duration::seconds), Some(60 * 86_400));
        assert_eq!(duration("PT0.5S").map(Duration::seconds), Some(0));
        for wrong in [
            "",
            "P",
            "PT",
            "1D",
            "P1H",
            "PT1H2H",
            "P1D2Y",
            "P-1D",
            "PT1.5H",
            "INVALID",
            "P99999999999999999999D",
        ] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn dates_may_be_instants_local_times_or_days() {
        for right in [
            "2026-01-31",
            "2026-01-31T10:00",
            "2026-01-31T10:00:00",
            "2026-01-31T10:00:00Z",
            "2026-01-31T10:00:00+08:00",
        ] {
            assert!(is_date(right), "{right}");
        }
        for wrong in ["INVALID", "2026-02-30", "31.01.2026", ""] {
            assert!(!is_date(wrong), "{wrong}");
        }
    }

    #[test]
    fn cycles_say_how_often_and_in_what_interval() {
        assert_eq!(
            cycle("R4/PT5S").map(|cycle| (cycle.times, cycle.interval)),
            Some((Some(4), "PT5S"))
        );
        assert_eq!(cycle("R/P1D").map(|cycle| cycle.times), Some(None));
        assert!(cycle("R/2026-01-01/P1D").is_some());
        for wrong in ["INVALID", "R5", "PT5S", "Rx/PT5S", "0 0/5 * * * ?"] {
            assert_eq!(cycle(wrong), None, "{wrong}");
        }
    }
}
