//! What a server leaves in its cluster: word that it is ready, and, if it was killed or its Zhulu was, itself.

use std::{
    fs,
    os::unix::ffi::OsStrExt as _,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::PostgresError;

/// Which line of `postmaster.pid` tells how the server is; PostgreSQL has kept that since version 10.
const STATUS_LINE: usize = 7;
/// How a leftover server is asked to stop, ever less politely, and how long each time: fast, immediate, by force.
const WAYS_TO_STOP: [(Signal, Duration); 3] = [
    (Signal::INT, Duration::from_secs(30)),
    (Signal::QUIT, Duration::from_secs(10)),
    (Signal::KILL, Duration::from_secs(5)),
];
/// How often we look whether it is gone.
const GONE_POLL: Duration = Duration::from_millis(10);

/// True when this very process takes connections on the cluster.
pub(crate) fn is_ready(data: &Path, process_id: u32) -> bool {
    let Ok(word) = fs::read_to_string(data.join("postmaster.pid")) else {
        return false;
    };
    let mut lines = word.lines();
    let is_this_one = lines.next().is_some_and(|line| line.trim() == process_id.to_string());
    is_this_one && lines.nth(STATUS_LINE - 1).is_some_and(|status| status.trim() == "ready")
}

/// Stops a server that outlived its Zhulu, and clears away the word of one that is dead.
pub(crate) fn clear(data: &Path) -> Result<(), PostgresError> {
    let word = data.join("postmaster.pid");
    for (signal, patience) in WAYS_TO_STOP {
        let Some(server) = server_of(data) else {
            // The number may be some other process's by now, which PostgreSQL would take for a server. Should any
            // of the dead server's children live on, PostgreSQL still sees them by their shared memory, and waits.
            let _ = fs::remove_file(word);
            return Ok(());
        };
        tracing::info!(
            process = server.as_raw_nonzero().get(),
            ?signal,
            "stopping a PostgreSQL that outlived its Zhulu"
        );
        let _ = kill_process(server, signal);
        let asked = Instant::now();
        while asked.elapsed() < patience && server_of(data).is_some() {
            thread::sleep(GONE_POLL);
        }
    }
    match server_of(data) {
        None => Ok(()),
        Some(server) => Err(PostgresError::DoesNotStop {
            process_id: server.as_raw_nonzero().get().unsigned_abs(),
        }),
    }
}

/// The running server of this cluster, if there is one. A process with that number that is none does not count.
fn server_of(data: &Path) -> Option<Pid> {
    let word = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    // A standalone backend notes itself with a minus.
    let number: i32 = word.lines().next()?.trim().trim_start_matches('-').parse().ok()?;
    let command_line = fs::read(format!("/proc/{number}/cmdline")).ok()?;
    let is_ours = command_line
        .split(|byte| *byte == 0)
        .any(|argument| argument == data.as_os_str().as_bytes());
    if is_ours { Pid::from_raw(number) } else { None }
}
