//! What the process says about itself, to stderr. `ZHULU_LOG` sets how much (`info`, `projections=debug`).

use tracing_subscriber::EnvFilter;

/// What is said if nobody asks for more.
const DEFAULT_FILTER: &str = "warn,server=info";

/// Begins to log. A filter that cannot be read is reported and the default used.
pub fn begin() {
    let asked = std::env::var("ZHULU_LOG").unwrap_or_default();
    let filter = if asked.is_empty() {
        Ok(EnvFilter::new(DEFAULT_FILTER))
    } else {
        EnvFilter::try_new(&asked)
    };
    let (filter, complaint) = match filter {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new(DEFAULT_FILTER), Some(error)),
    };
    // A second call (in a test) finds the first one's logger in place and leaves it.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(true)
        .try_init();
    if let Some(error) = complaint {
        tracing::warn!(%error, "ZHULU_LOG is not a filter; using {DEFAULT_FILTER}");
    }
}
