//! How we measure: interleaved rounds, medians, ratios taken in one run. Machines are noisy; ratios are what counts.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

/// The median of some figures; 0 if there are none.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(0.0)
}

/// The value below which this share of the figures lies.
pub fn percentile(figures: &mut [f64], share: f64) -> f64 {
    figures.sort_by(f64::total_cmp);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index into a slice"
    )]
    let at = (share * figures.len() as f64) as usize;
    figures.get(at.min(figures.len().saturating_sub(1))).copied().unwrap_or(0.0)
}

/// What a closed loop of callers did.
#[derive(Debug, Clone, Default)]
pub struct Rate {
    /// Finished calls in a second.
    pub per_second: f64,
    /// Median latency, in milliseconds.
    pub p50_ms: f64,
    /// Latency that 1 % exceed, in milliseconds.
    pub p99_ms: f64,
}

/// Keeps `callers` calls under way for a while, each caller with its own number, and counts those that finish.
pub async fn closed_loop<F, Fut>(callers: usize, time: Duration, call: F) -> Rate
where
    F: Fn(usize, u64) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send,
{
    let call = Arc::new(call);
    let begin = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let call = Arc::clone(&call);
            tokio::spawn(async move {
                let mut latencies = Vec::new();
                let mut turn = 0;
                while begin.elapsed() < time {
                    let start = Instant::now();
                    call(caller, turn).await;
                    latencies.push(start.elapsed().as_secs_f64() * 1_000.0);
                    turn += 1;
                }
                latencies
            })
        })
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.unwrap_or_default());
    }
    #[allow(clippy::cast_precision_loss, reason = "counts of calls are far below 2^52")]
    let per_second = latencies.len() as f64 / begin.elapsed().as_secs_f64();
    Rate {
        per_second,
        p50_ms: percentile(&mut latencies, 0.5),
        p99_ms: percentile(&mut latencies, 0.99),
    }
}

/// One line of a report: what was measured, and how it stands beside the goal.
pub fn line(what: &str, figure: &str, beside: &str) {
    println!("{what:<58} {figure:>24}   {beside}");
}

/// A heading of a report.
pub fn heading(what: &str) {
    println!("\n## {what}\n");
}

/// A whole number with separators, as people read it.
pub fn number(figure: f64) -> String {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rates are positive and small"
    )]
    let digits = (figure.round() as u64).to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
