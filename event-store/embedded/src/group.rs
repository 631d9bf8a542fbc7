//! The group commit: everybody who waits while one commit is on the disk goes into the next one.
//!
//! Whoever appends alone commits in its own thread: a hop to another thread and back would cost more than the disk.
//! As soon as others wait, the writer's thread takes over and stays awake as long as they keep coming.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Condvar, Mutex, PoisonError, TryLockError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc,
    },
    time::{Duration, Instant, SystemTime},
};

use event_store_contract::StoreError;
use tokio::sync::watch;

use crate::{
    checkpoint::{self, Errand, WalGrowth},
    reader::lock,
    request::{Answer, Asked, Request},
    wide::Committed,
    writer::Writer,
};

/// The most events in one commit, unless one append alone has more.
const MAX_BATCH_EVENTS: usize = 4_096;
/// The most bytes in one commit, unless one append alone has more.
const MAX_BATCH_BYTES: usize = 8 * 1024 * 1024;
/// How long the writer's thread stays awake for the next append after a commit that several waited for. Being woken up
/// costs some 90 µs.
const AWAKE: Duration = Duration::from_micros(200);
/// How long it waits for the rest of those who were in the last commit, so that they share the next one.
const GATHERING: Duration = Duration::from_micros(60);
/// Commits slower than this are left to the writer's thread, so that they do not hold up a thread that serves others.
const QUICK_COMMIT_US: u64 = 1_000;
/// The most bytes of an append that is committed in the appender's own thread.
const MAX_OWN_THREAD_BYTES: usize = 64 * 1024;

/// Those who wait, and the one who writes.
pub(crate) struct Group {
    queue: Mutex<Queue>,
    /// As long as the queue, to be looked at without its lock.
    waiting: AtomicUsize,
    bell: Condvar,
    writer: Mutex<Option<Writer>>,
    news: watch::Sender<Committed>,
    /// How many wanted to be in the last commit, with those who came while it was on its way.
    crowd: AtomicUsize,
    /// How long a commit takes of late.
    commit_us: AtomicU64,
    growth: WalGrowth,
}

#[derive(Default)]
struct Queue {
    requests: VecDeque<Request>,
    /// Whether the writer's thread waits for the bell.
    asleep: bool,
    closed: bool,
}

impl Group {
    pub(crate) fn new(writer: Writer, errands: mpsc::SyncSender<Errand>) -> Self {
        let news = watch::Sender::new(Committed {
            head: writer.last_position(),
            closed: false,
        });
        Self {
            queue: Mutex::default(),
            waiting: AtomicUsize::new(0),
            bell: Condvar::new(),
            writer: Mutex::new(Some(writer)),
            news,
            crowd: AtomicUsize::new(0),
            commit_us: AtomicU64::new(0),
            growth: WalGrowth::new(errands),
        }
    }

    pub(crate) fn news(&self) -> watch::Receiver<Committed> {
        self.news.subscribe()
    }

    pub(crate) fn head(&self) -> u64 {
        self.news.borrow().head
    }

    /// Writes what is asked, and returns when it is durable.
    pub(crate) async fn ask(&self, asked: Asked) -> Answer {
        let (request, answer) = Request::new(asked);
        let own_thread = request.bytes() <= MAX_OWN_THREAD_BYTES && self.quiet();
        self.enqueue(request, !own_thread)?;
        if own_thread {
            // If this is dropped while it waits, the thread has to come for the request.
            let guard = RingOnDrop(self);
            // Others on this thread may be about to append as well: let them, and share the commit.
            tokio::task::yield_now().await;
            self.lead();
            drop(guard);
        }
        answer.await.unwrap_or_else(|_| Err(closed().into()))
    }

    /// Whether appends come one at a time and the disk is quick.
    fn quiet(&self) -> bool {
        self.crowd.load(Ordering::Relaxed) <= 1 && self.commit_us.load(Ordering::Relaxed) < QUICK_COMMIT_US
    }

    fn enqueue(&self, request: Request, ring: bool) -> Result<(), StoreError> {
        let mut queue = lock(&self.queue);
        if queue.closed {
            return Err(closed());
        }
        queue.requests.push_back(request);
        self.waiting.store(queue.requests.len(), Ordering::Release);
        if ring && queue.asleep {
            queue.asleep = false;
            self.bell.notify_one();
        }
        Ok(())
    }

    /// Commits what waits, in this thread, unless somebody else is committing: then they will see to it.
    fn lead(&self) {
        let mut writer = match self.writer.try_lock() {
            Ok(writer) => writer,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        self.commit_once(&mut writer);
        drop(writer);
        // Whoever found the writer busy meanwhile relies on this look at the queue after it was let go.
        self.ring();
    }

    /// Wakes the writer's thread if somebody waits.
    fn ring(&self) {
        let mut queue = lock(&self.queue);
        if queue.asleep && !queue.requests.is_empty() {
            queue.asleep = false;
            self.bell.notify_one();
        }
    }

    fn commit_once(&self, writer: &mut Option<Writer>) {
        let batch = self.take_batch();
        if batch.is_empty() {
            return;
        }
        let Some(writer) = writer else {
            for request in batch {
                request.refuse(closed());
            }
            return;
        };
        let (appends, events, bytes) = batch.iter().fold((0, 0, 0), |(appends, events, bytes), request| {
            (appends + 1, events + request.len(), bytes + request.bytes())
        });
        let begun = Instant::now();
        let publish = |head| {
            self.news.send_replace(Committed { head, closed: false });
        };
        // The store's own clock: when an event was recorded is the store's to say, and nothing is decided by it.
        writer.commit(batch, SystemTime::now().into(), publish);
        let took_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        let of_late_us = self.commit_us.load(Ordering::Relaxed);
        self.commit_us.store(
            if of_late_us == 0 {
                took_us
            } else {
                (of_late_us * 7 + took_us) / 8
            },
            Ordering::Relaxed,
        );
        self.crowd
            .store(appends + self.waiting.load(Ordering::Acquire), Ordering::Relaxed);
        self.growth.add(events, bytes);
    }

    fn take_batch(&self) -> Vec<Request> {
        let mut queue = lock(&self.queue);
        let (mut count, mut events, mut bytes) = (0, 0, 0);
        for request in &queue.requests {
            events += request.len();
            bytes += request.bytes();
            if count > 0 && (events > MAX_BATCH_EVENTS || bytes > MAX_BATCH_BYTES) {
                break;
            }
            count += 1;
        }
        let batch = queue.requests.drain(..count).collect();
        self.waiting.store(queue.requests.len(), Ordering::Release);
        batch
    }

    /// The writer's thread. Ends when the store is closed and nobody waits.
    pub(crate) fn run(&self) {
        while self.wait() {
            self.gather();
            let commit = || self.commit_once(&mut lock(&self.writer));
            // Whoever waited for it hears that it failed; the next commit finds the transaction open, and starts anew
            // from what is on the disk.
            if catch_unwind(AssertUnwindSafe(commit)).is_err() {
                tracing::error!("a commit panicked; the writer goes on");
            }
        }
    }

    /// Waits for an append: awake for a while if there was a crowd, then asleep. False when the store was closed.
    fn wait(&self) -> bool {
        if self.crowd.load(Ordering::Relaxed) > 1 {
            let awake_until = Instant::now() + AWAKE;
            while self.waiting.load(Ordering::Acquire) == 0 && Instant::now() < awake_until {
                std::thread::yield_now();
            }
        }
        let mut queue = lock(&self.queue);
        loop {
            if !queue.requests.is_empty() {
                return true;
            }
            if queue.closed {
                return false;
            }
            queue.asleep = true;
            queue = self.bell.wait(queue).unwrap_or_else(PoisonError::into_inner);
            queue.asleep = false;
        }
    }

    /// Those who were answered a moment ago are about to come again.
    fn gather(&self) {
        let crowd = self.crowd.load(Ordering::Relaxed);
        if crowd <= 1 {
            return;
        }
        let until = Instant::now() + GATHERING;
        while self.waiting.load(Ordering::Acquire) < crowd && Instant::now() < until {
            std::thread::yield_now();
        }
    }

    /// Takes no more appends; those that wait are still written.
    pub(crate) fn stop_taking(&self) {
        let mut queue = lock(&self.queue);
        queue.closed = true;
        self.bell.notify_all();
    }

    /// Lets the checkpointer's thread end.
    pub(crate) fn stop_checkpoints(&self) {
        self.growth.stop();
    }

    /// After the writer's thread has ended: lets the file go and tells the followers.
    pub(crate) fn close(&self) -> Result<(), StoreError> {
        let writer = lock(&self.writer).take();
        self.news.send_modify(|news| news.closed = true);
        match writer {
            Some(writer) => writer.close().map_err(|error| StoreError::Unavailable(error.to_string())),
            None => Ok(()),
        }
    }

    /// Brings the end of the write-ahead log into the file while nobody writes.
    pub(crate) fn finish_checkpoint(&self, connection: &rusqlite::Connection) -> rusqlite::Result<()> {
        let _nobody_writes = lock(&self.writer);
        checkpoint::passive(connection).map(drop)
    }

    /// Lets somebody else of this house write between two commits, who changes the last event of no stream.
    pub(crate) fn between_commits<T>(&self, work: impl FnOnce(&mut rusqlite::Connection) -> T) -> Result<T, StoreError> {
        let done = lock(&self.writer).as_mut().map(|writer| work(writer.connection()));
        // Whoever found the writer busy meanwhile waits for somebody to come.
        self.ring();
        done.ok_or_else(closed)
    }

    /// Counts what was written that way.
    pub(crate) fn wrote(&self, events: usize, bytes: usize) {
        self.growth.add(events, bytes);
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("it was closed".into())
}

/// Sends the writer's thread for whatever waits.
struct RingOnDrop<'a>(&'a Group);

impl Drop for RingOnDrop<'_> {
    fn drop(&mut self) {
        if self.0.waiting.load(Ordering::Acquire) > 0 {
            self.0.ring();
        }
    }
}
