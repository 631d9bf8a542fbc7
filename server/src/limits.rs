//! The limits of the process as a whole. Those of a room stand in that room.

use std::time::Duration;

/// What the process allows itself.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long requests that are under way may take when the process is asked to stop.
    pub shutdown_grace: Duration,
    /// How long a command of the command line waits for the views to show what it did.
    pub views_wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A service manager kills after 90 s; two thirds of that are enough for any request.
            shutdown_grace: Duration::from_secs(10),
            views_wait: Duration::from_secs(600),
        }
    }
}
