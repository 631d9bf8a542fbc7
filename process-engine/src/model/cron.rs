//! Times as cron writes them, in the dialect of Quartz that Flowable's cycles are in: `0 0 8 ? * MON-FRI`, seconds first.

use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::{DateTime, FixedOffset};
use croner::{
    Cron,
    parser::{CronParser, Seconds},
};

/// The longest pattern: seven fields, of which the longest lists all minutes.
const MAX_PATTERN_BYTES: usize = 512;

/// Reads a pattern of six fields, or seven with the year. The parser is not ours: whatever it stumbles over is no pattern.
pub(crate) fn read(text: &str) -> Option<Cron> {
    let fields = text.split_whitespace().count();
    if !(6..=7).contains(&fields) || text.len() > MAX_PATTERN_BYTES || text.contains('@') {
        return None;
    }
    // Quartz counts the days of the week from Sunday, which is 1, and writes 0/5 for every five from 0 on.
    let parser = CronParser::builder()
        .seconds(Seconds::Required)
        .alternative_weekdays(true)
        .sloppy_ranges(true)
        .build();
    catch_unwind(AssertUnwindSafe(|| parser.parse(text).ok())).ok().flatten()
}

/// The first moment after this one that a pattern means; none, if there is none.
pub(crate) fn next_after(cron: &Cron, from: DateTime<FixedOffset>) -> Option<DateTime<FixedOffset>> {
    catch_unwind(AssertUnwindSafe(|| cron.find_next_occurrence(&from, false).ok()))
        .ok()
        .flatten()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// The next two moments after Monday, 2 March 2026, 17:00 in Beijing.
    fn next(pattern: &str) -> Vec<String> {
        let mut from = DateTime::parse_from_rfc3339("2026-03-02T17:00:00+08:00").unwrap();
        let cron = read(pattern).unwrap_or_else(|| panic!("{pattern}"));
        let mut found = Vec::new();
        for _ in 0..2 {
            from = next_after(&cron, from).unwrap();
            found.push(from.format("%Y-%m-%d %H:%M:%S").to_string());
        }
        found
    }

    #[test]
    fn patterns_mean_what_quartz_means_by_them() {
        for (pattern, first, second) in [
            ("0 0 8 * * ?", "2026-03-03 08:00:00", "2026-03-04 08:00:00"),
            ("0 0/5 * * * ?", "2026-03-02 17:05:00", "2026-03-02 17:10:00"),
            ("0 0 9 ? * MON-FRI", "2026-03-03 09:00:00", "2026-03-04 09:00:00"),
            ("0 0 9 ? * 2", "2026-03-09 09:00:00", "2026-03-16 09:00:00"),
            ("0 30 23 L * ?", "2026-03-31 23:30:00", "2026-04-30 23:30:00"),
            ("0 0 0 1 1 ? 2030", "2030-01-01 00:00:00", ""),
        ] {
            if second.is_empty() {
                let from = DateTime::parse_from_rfc3339("2026-03-02T17:00:00+08:00").unwrap();
                let cron = read(pattern).unwrap();
                let only = next_after(&cron, from).unwrap();
                assert_eq!(only.format("%Y-%m-%d %H:%M:%S").to_string(), first, "{pattern}");
                assert_eq!(next_after(&cron, only), None, "{pattern}");
            } else {
                assert_eq!(next(pattern), [first, second], "{pattern}");
            }
        }
    }

    #[test]
    fn what_is_no_pattern_of_quartz_is_none() {
        for text in [
            "",
            "* * * * *",
            "@daily",
            "0 0 25 * * ?",
            "0 0 8 * * ? 2026 1",
            "a b c d e f",
            "R3/P1D",
            "0 0 8 32 * ?",
            "0 0 8 * 13 ?",
            "0 0 8 ? * 9",
            "0 0/99999999999 * * * ?",
        ] {
            assert!(read(text).is_none(), "{text}");
        }
        assert!(read(&format!("0 {} * * * ?", "1,".repeat(1_000))).is_none());
    }

    #[test]
    fn a_day_that_never_comes_is_not_searched_for_without_end() {
        let from = DateTime::parse_from_rfc3339("2026-03-02T17:00:00+08:00").unwrap();
        for pattern in ["0 0 0 30 2 ?", "0 0 0 31 2,4,6 ?"] {
            if let Some(cron) = read(pattern) {
                assert_eq!(next_after(&cron, from), None, "{pattern}");
            }
        }
    }
}
