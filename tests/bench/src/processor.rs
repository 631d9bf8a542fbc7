//! How much of the processors this program and its PostgreSQL have used: under load a better measure than the clock.

use std::fs;

use private_postgres::PrivatePostgres;

/// How many ticks of processor time Linux counts in a second.
const TICKS_PER_SECOND: f64 = 100.0;
/// Where the ticks are in `/proc/*/stat`, counted after the program's name: parent, user, system, children's user and system.
const FIELDS: [usize; 5] = [1, 11, 12, 13, 14];

/// Processor seconds used so far.
#[derive(Debug, Clone, Copy)]
pub struct Used {
    ours: f64,
    postgres: f64,
}

impl Used {
    /// As of now.
    pub fn so_far(postgres: &PrivatePostgres) -> Self {
        let server = u64::from(postgres.process_id().unwrap_or(0));
        let us = u64::from(std::process::id());
        let (mut ours, mut theirs) = (0, 0);
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Ok(id) = entry.file_name().to_string_lossy().parse::<u64>() else {
                continue;
            };
            let Some([parent, user, system, children_user, children_system]) = ticks(id) else {
                continue;
            };
            if id == us {
                ours += user + system;
            } else if id == server {
                theirs += user + system + children_user + children_system;
            } else if parent == server {
                theirs += user + system;
            }
        }
        #[allow(clippy::cast_precision_loss, reason = "ticks are far below 2^52")]
        let seconds = |ticks: u64| ticks as f64 / TICKS_PER_SECOND;
        Self {
            ours: seconds(ours),
            postgres: seconds(theirs),
        }
    }

    /// What was used since, for each of so many events.
    pub fn since(self, before: Self, events: u64) -> String {
        #[allow(clippy::cast_precision_loss, reason = "counts of events are far below 2^52")]
        let each = |seconds: f64| seconds * 1e6 / events.max(1) as f64;
        format!(
            "processor µs per event: {:.2} here, {:.2} in PostgreSQL",
            each(self.ours - before.ours),
            each(self.postgres - before.postgres)
        )
    }
}

fn ticks(process: u64) -> Option<[u64; 5]> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The program's name may hold anything; what follows its last bracket is numbers and one letter.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let mut ticks = [0; 5];
    for (tick, field) in ticks.iter_mut().zip(FIELDS) {
        *tick = fields.get(field)?.parse().ok()?;
    }
    Some(ticks)
}
