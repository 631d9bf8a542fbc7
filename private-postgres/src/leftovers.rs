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
/// How long the children of a killed server get to be gone after they were killed too.
const ORPHANS_PATIENCE: Duration = Duration::from_secs(5);
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
    if let Some(server) = server_of(data) {
        stop(server, data)?;
    }
    kill_orphans(data);
    // The number in it may be some other process's by now, which PostgreSQL would take for a server.
    let _ = fs::remove_file(data.join("postmaster.pid"));
    Ok(())
}

/// Asks until the process is gone; its word goes a little earlier.
fn stop(server: Pid, data: &Path) -> Result<(), PostgresError> {
    for (signal, patience) in WAYS_TO_STOP {
        tracing::info!(
            process = server.as_raw_nonzero().get(),
            ?signal,
            "stopping a PostgreSQL that outlived its Zhulu"
        );
        let _ = kill_process(server, signal);
        let asked = Instant::now();
        while asked.elapsed() < patience {
            if !serves(server, data) {
                return Ok(());
            }
            thread::sleep(GONE_POLL);
        }
    }
    Err(PostgresError::DoesNotStop {
        process_id: server.as_raw_nonzero().get().unsigned_abs(),
    })
}

/// Ends the children of a server that was killed. They end by themselves, but some take many seconds to notice, and as
/// long as one has the server's memory nobody can start. Their work is lost already: what counts is in the log.
/// Where the system does not let us see whose they are, they are given time instead.
fn kill_orphans(data: &Path) {
    let asked = Instant::now();
    while asked.elapsed() < ORPHANS_PATIENCE {
        let orphans = processes_in(data);
        if orphans.is_empty() {
            return;
        }
        for orphan in orphans {
            let _ = kill_process(orphan, Signal::KILL);
        }
        thread::sleep(GONE_POLL);
    }
}

/// Every process of PostgreSQL that works in the directory of this cluster.
fn processes_in(data: &Path) -> Vec<Pid> {
    let (Ok(data), Ok(processes)) = (data.canonicalize(), fs::read_dir("/proc")) else {
        return Vec::new();
    };
    let is_of_data = |process: &Path| {
        fs::read_link(process.join("cwd")).is_ok_and(|directory| directory == data)
            && fs::read_to_string(process.join("comm")).is_ok_and(|name| name.trim() == "postgres")
    };
    processes
        .flatten()
        .filter_map(|process| {
            Some((
                process.file_name().to_str()?.parse().ok().and_then(Pid::from_raw)?,
                process.path(),
            ))
        })
        .filter_map(|(process_id, path)| is_of_data(&path).then_some(process_id))
        .collect()
}

/// The running server of this cluster, if there is one. A process with that number that is none does not count.
fn server_of(data: &Path) -> Option<Pid> {
    let word = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    // A standalone backend notes itself with a minus.
    let number: i32 = word.lines().next()?.trim().trim_start_matches('-').parse().ok()?;
    Pid::from_raw(number).filter(|process| serves(*process, data))
}

/// True while the process is a server of this cluster: it was started with the cluster's path.
fn serves(process: Pid, data: &Path) -> bool {
    let command_line = fs::read(format!("/proc/{}/cmdline", process.as_raw_nonzero()));
    command_line.is_ok_and(|line| {
        line.split(|byte| *byte == 0)
            .any(|argument| argument == data.as_os_str().as_bytes())
    })
}
