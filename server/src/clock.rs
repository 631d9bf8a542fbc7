//! The clocks that the process reads at its edge. Nobody else reads one: time is an argument everywhere.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl commands::outside::Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// A clock that stands in a file as an RFC 3339 instant, so that a rehearsal can let weeks pass. Demo mode only.
#[derive(Debug, Clone)]
pub struct FileClock {
    file: PathBuf,
}

impl FileClock {
    /// Reads the instant from this file each time it is asked; the machine's clock, while the file holds none.
    pub fn new(file: PathBuf) -> Self {
        Self { file }
    }
}

impl commands::outside::Clock for FileClock {
    fn now(&self) -> DateTime<Utc> {
        std::fs::read_to_string(&self.file)
            .ok()
            .and_then(|text| DateTime::parse_from_rfc3339(text.trim()).ok())
            .map_or_else(Utc::now, |at| at.with_timezone(&Utc))
    }
}
