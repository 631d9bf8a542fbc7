//! Stands beside the server for as long as it lives: starts it, notices its end, starts it again.

use std::{
    io,
    process::Child,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::watch;

use crate::error::{PostgresError, doing};

/// How long sessions get to end and the server to write everything down.
const FAST_STOP: Duration = Duration::from_secs(30);
/// How long the server gets to drop everything; the next start reads its log again.
const IMMEDIATE_STOP: Duration = Duration::from_secs(10);
/// How long a server that is simply dropped gets before it must drop everything.
const DROP_STOP: Duration = Duration::from_secs(5);
/// How long we wait before we start a server again that died; twice as long after the second death, and so on.
const RESTART_PAUSE: Duration = Duration::from_millis(100);
/// How many deaths in a row we put up with: a server that cannot live needs a person.
const DEATHS_IN_A_ROW: u32 = 20;
/// A server that lived this long was well; its death begins a new count.
const WELL_AFTER: Duration = Duration::from_secs(60);

/// Starts the server once, in a thread that stays its parent.
pub(crate) type Launch = Box<dyn FnMut() -> io::Result<Child> + Send>;

/// How the server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    /// Not started yet, or started again in a moment.
    Down,
    /// A process, whether or not it takes connections yet.
    Up { process_id: u32 },
    /// Gone for good.
    Ended,
}

/// What we want of the server; the guardian's thread looks at it whenever the server ends.
#[derive(Debug, Default)]
struct Wishes {
    keep_alive: AtomicBool,
    stop: AtomicBool,
}

/// The one who knows the server's process.
#[derive(Debug)]
pub(crate) struct Guardian {
    condition: watch::Receiver<Condition>,
    wishes: Arc<Wishes>,
    thread: Option<JoinHandle<()>>,
}

impl Guardian {
    /// Starts the server, once.
    ///
    /// The thread is the guardian's own and lives as long as the server: the kernel tells the server to stop when the
    /// *thread* that started it ends, so no thread of a pool will do.
    pub(crate) fn watch_over(launch: Launch) -> Result<Self, PostgresError> {
        let (told, condition) = watch::channel(Condition::Down);
        let wishes = Arc::new(Wishes::default());
        let heard = Arc::clone(&wishes);
        let thread = thread::Builder::new()
            .name("postgres-guardian".to_owned())
            .spawn(move || {
                guard(launch, &heard, &told);
                told.send_replace(Condition::Ended);
            })
            .map_err(doing(|| "starting a thread for PostgreSQL".to_owned()))?;
        Ok(Self {
            condition,
            wishes,
            thread: Some(thread),
        })
    }

    /// From now on a server that dies is started again.
    pub(crate) fn keep_alive(&mut self) {
        self.wishes.keep_alive.store(true, Ordering::SeqCst);
    }

    /// The server's process, while there is one.
    pub(crate) fn process_id(&self) -> Option<u32> {
        match *self.condition.borrow() {
            Condition::Up { process_id } => Some(process_id),
            Condition::Down | Condition::Ended => None,
        }
    }

    /// True when there is no server and there will be none.
    pub(crate) fn has_ended(&self) -> bool {
        *self.condition.borrow() == Condition::Ended
    }

    /// Stops the server: fast, then immediately, then by force.
    pub(crate) async fn stop(&mut self) -> Result<(), PostgresError> {
        self.wishes.stop.store(true, Ordering::SeqCst);
        for (signal, patience) in [
            (Signal::INT, FAST_STOP),
            (Signal::QUIT, IMMEDIATE_STOP),
            (Signal::KILL, IMMEDIATE_STOP),
        ] {
            self.signal(signal);
            let ended = self.condition.wait_for(|condition| *condition == Condition::Ended);
            if tokio::time::timeout(patience, ended).await.is_ok() {
                return Ok(());
            }
        }
        Err(PostgresError::DoesNotStop {
            process_id: self.process_id().unwrap_or_default(),
        })
    }

    fn signal(&self, signal: Signal) {
        if let Some(process_id) = self.process_id() {
            send(process_id, signal);
        }
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.wishes.stop.store(true, Ordering::SeqCst);
        for (signal, patience) in [(Signal::INT, DROP_STOP), (Signal::QUIT, DROP_STOP), (Signal::KILL, DROP_STOP)] {
            let asked = Instant::now();
            while !thread.is_finished() && asked.elapsed() < patience {
                if let Some(process_id) = self.process_id().filter(|_| asked.elapsed() < RESTART_PAUSE) {
                    send(process_id, signal);
                }
                thread.thread().unpark();
                thread::sleep(Duration::from_millis(5));
            }
            if thread.is_finished() {
                return;
            }
        }
    }
}

/// Starts the server, waits for its end, and again if it is to be kept alive.
fn guard(mut launch: Launch, wishes: &Wishes, told: &watch::Sender<Condition>) {
    let mut deaths = 0;
    loop {
        let started = Instant::now();
        let end = launch().and_then(|mut server| {
            let process_id = server.id();
            told.send_replace(Condition::Up { process_id });
            // The wish may have come before there was a process to hear of it.
            if wishes.stop.load(Ordering::SeqCst) {
                send(process_id, Signal::INT);
            }
            server.wait()
        });
        let stopped = wishes.stop.load(Ordering::SeqCst) || !wishes.keep_alive.load(Ordering::SeqCst);
        if stopped {
            return;
        }
        told.send_replace(Condition::Down);
        deaths = if started.elapsed() > WELL_AFTER { 1 } else { deaths + 1 };
        if deaths > DEATHS_IN_A_ROW {
            tracing::error!(deaths, "PostgreSQL keeps dying and is not started again; see its log");
            return;
        }
        match end {
            Ok(status) => tracing::warn!(%status, deaths, "PostgreSQL died, starting it again"),
            Err(error) => tracing::warn!(%error, deaths, "PostgreSQL could not be started, trying again"),
        }
        thread::park_timeout(RESTART_PAUSE * deaths);
        if wishes.stop.load(Ordering::SeqCst) {
            return;
        }
    }
}

fn send(process_id: u32, signal: Signal) {
    if let Some(process) = i32::try_from(process_id).ok().and_then(Pid::from_raw) {
        // It may have ended just now, which is what we want.
        let _ = kill_process(process, signal);
    }
}
