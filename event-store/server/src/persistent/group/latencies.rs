//! How long messages took a consumer, for groups that want to know.

use std::{collections::VecDeque, time::Duration};

/// So many of the newest are kept.
const MOST_KEPT: usize = 1_000;

/// The times of the newest messages.
#[derive(Debug, Default)]
pub(super) struct Latencies(VecDeque<Duration>);

impl Latencies {
    pub(super) fn add(&mut self, took: Duration) {
        if self.0.len() == MOST_KEPT {
            self.0.pop_front();
        }
        self.0.push_back(took);
    }

    /// In milliseconds, under the names that the protocol's clients look for. None, if nothing was measured.
    pub(super) fn figures(&self) -> Vec<(&'static str, i64)> {
        let mut sorted: Vec<i64> = self
            .0
            .iter()
            .map(|took| i64::try_from(took.as_millis()).unwrap_or(i64::MAX))
            .collect();
        sorted.sort_unstable();
        let (Some(fastest), Some(highest)) = (sorted.first(), sorted.last()) else {
            return Vec::new();
        };
        let mean = sorted.iter().sum::<i64>() / i64::try_from(sorted.len()).unwrap_or(1);
        let per_mille = |share: usize| sorted[(sorted.len() * share).div_ceil(1_000).clamp(1, sorted.len()) - 1];
        vec![
            ("Mean", mean),
            ("Median", per_mille(500)),
            ("Fastest", *fastest),
            ("Quintile 1", per_mille(200)),
            ("Quintile 2", per_mille(400)),
            ("Quintile 3", per_mille(600)),
            ("Quintile 4", per_mille(800)),
            ("Quintile 5", per_mille(1_000)),
            ("90%", per_mille(900)),
            ("95%", per_mille(950)),
            ("99%", per_mille(990)),
            ("99.5%", per_mille(995)),
            ("99.9%", per_mille(999)),
            ("Highest", *highest),
        ]
    }
}
