//! Failed logins are counted, so that nobody can try passwords as fast as the line allows.

use std::{net::IpAddr, num::NonZeroUsize, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use lru::LruCache;

/// So many failed logins of one login from one address are answered in one [`WINDOW`]; then no more are tried.
const MAX_FAILURES: u32 = 10;
/// How long a series of failed logins is remembered, counted from its first.
const WINDOW: TimeDelta = TimeDelta::seconds(60);
/// The most series that are remembered; the oldest is forgotten first.
const MAX_SERIES: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// Who tries: a login from an address.
pub(crate) type Source = (Option<IpAddr>, Arc<str>);

struct Series {
    since: DateTime<Utc>,
    failures: u32,
}

/// The failed logins of late.
pub(crate) struct Throttle(LruCache<Source, Series>);

impl Throttle {
    pub(crate) fn new() -> Self {
        Self(LruCache::new(MAX_SERIES))
    }

    /// How long this source has to wait before it may try a password; nothing, if it need not.
    pub(crate) fn wait(&mut self, source: &Source, now: DateTime<Utc>) -> Option<TimeDelta> {
        let series = self.0.get(source)?;
        let rest = series.since + WINDOW - now;
        (series.failures >= MAX_FAILURES && rest > TimeDelta::zero()).then_some(rest)
    }

    /// A password was wrong.
    pub(crate) fn failed(&mut self, source: Source, now: DateTime<Utc>) {
        let series = self.0.get_or_insert_mut(source, || Series { since: now, failures: 0 });
        if now - series.since >= WINDOW {
            *series = Series { since: now, failures: 0 };
        }
        series.failures = series.failures.saturating_add(1);
    }

    /// A password was right: what went before does not count.
    pub(crate) fn succeeded(&mut self, source: &Source) {
        self.0.pop(source);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(address: u8) -> Source {
        (Some(IpAddr::from([10, 0, 0, address])), "ouro".into())
    }

    #[test]
    fn after_too_many_failures_a_source_has_to_wait_until_its_window_is_over() {
        let (mut throttle, start) = (Throttle::new(), DateTime::UNIX_EPOCH);
        for _ in 0..MAX_FAILURES {
            assert_eq!(throttle.wait(&source(1), start), None);
            throttle.failed(source(1), start);
        }
        let later = start + TimeDelta::seconds(1);
        assert_eq!(throttle.wait(&source(1), later), Some(WINDOW - TimeDelta::seconds(1)));
        assert_eq!(throttle.wait(&source(2), later), None, "another address is not held up");
        assert_eq!(throttle.wait(&source(1), start + WINDOW), None);
        throttle.failed(source(1), start + WINDOW);
        assert_eq!(
            throttle.wait(&source(1), start + WINDOW),
            None,
            "a new window begins with one failure"
        );
    }

    #[test]
    fn a_right_password_ends_the_series() {
        let (mut throttle, start) = (Throttle::new(), DateTime::UNIX_EPOCH);
        for _ in 1..MAX_FAILURES {
            throttle.failed(source(1), start);
        }
        throttle.succeeded(&source(1));
        throttle.failed(source(1), start);
        assert_eq!(throttle.wait(&source(1), start), None);
    }
}
