//! Leases: which process does the work of which lane.
//!
//! A lease is a row in PostgreSQL with a holder and an epoch that grows whenever the holder changes. It is renewed every
//! few seconds and judged by the database's clock alone. Nobody has to believe that they still hold one: what a holder
//! writes proves its epoch in the same transaction, so whoever slept through a lease writes nothing any more.
//!
//! Work is divided fairly: a process holds at most its share of the lanes and lets go of what is too much. A process
//! whose connection is gone is dead at once; one that only went silent is dead when its leases have run out.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use event_store_contract::Lane;
use tokio::{
    sync::{Mutex, mpsc, watch},
    task::JoinHandle,
    time::Instant,
};
use tokio_postgres::{Error, Row};
use uuid::Uuid;

use crate::{database::Database, live::told_to_stop, session::Session};

/// How often a process says that it is alive, renews its leases, and looks for lanes that nobody works on.
#[cfg(not(test))]
const BEAT: Duration = Duration::from_secs(2);
/// Faster in tests, which wait for it.
#[cfg(test)]
const BEAT: Duration = Duration::from_millis(100);
/// For how long a lease is good: some missed beats.
#[cfg(not(test))]
const LEASE_SECONDS: f64 = 10.0;
/// Shorter in tests, which wait for it.
#[cfg(test)]
const LEASE_SECONDS: f64 = 1.0;
/// The longest that PostgreSQL may take to answer a beat.
const MAX_ANSWER: Duration = Duration::from_secs(5);

/// Whether the process behind a row `member` is alive: it beat in time, and the connection that it beat on is there.
const IS_ALIVE: &str = "member.until > clock_timestamp() and exists (select from pg_stat_activity as activity \
     where activity.pid = member.pid and (activity.backend_start = member.backend_start or activity.backend_start is null))";

/// What processes share among themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// Keeping the views.
    Views,
    /// Reactions and timers.
    Reactions,
    /// Answering questions: not divided, but others tell those who do it what changed.
    Answering,
}

impl Duty {
    fn name(self) -> &'static str {
        match self {
            Self::Views => "views",
            Self::Reactions => "reactions",
            Self::Answering => "answering",
        }
    }
}

/// A lane that this process holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Which.
    pub lane: Lane,
    /// By which lease: grows whenever the holder changes.
    pub epoch: i64,
}

impl Held {
    /// No lease at all: nothing can be written by it.
    pub(crate) const NOBODY: Self = Self {
        lane: Lane::WHOLE,
        epoch: -1,
    };
}

/// The desk where leases are taken. Cheap to clone; all clones are the same member.
#[derive(Clone)]
pub struct Leases(Arc<Desk>);

struct Desk {
    database: Database,
    member: Uuid,
    heard: mpsc::Sender<String>,
    /// The connection whose being there says that this process is.
    session: Mutex<Option<Arc<Session>>>,
    /// It was lost and made again since somebody asked.
    was_lost: AtomicBool,
}

/// What a beat found.
pub(crate) struct Beat {
    /// Into how many lanes the streams are divided.
    pub(crate) lanes: u32,
    /// How many other living processes have the same duty.
    others_on_duty: u32,
    /// Whether there is any other process that may want to be told something: also one whose connection was lost a moment
    /// ago. After a restart of the database that is everybody.
    pub(crate) others: bool,
    /// The leases that are ours still: lane and epoch.
    renewed: BTreeMap<u32, i64>,
}

impl Leases {
    /// A new member of the house whose tables these are. What others notify goes to `heard`.
    pub(crate) fn new(database: Database, heard: mpsc::Sender<String>) -> Self {
        Self(Arc::new(Desk {
            database,
            member: Uuid::new_v4(),
            heard,
            session: Mutex::new(None),
            was_lost: AtomicBool::new(false),
        }))
    }

    /// Who this process is among the others.
    pub(crate) fn member(&self) -> Uuid {
        self.0.member
    }

    /// The channel on which processes tell each other what changed.
    pub(crate) fn channel(&self) -> String {
        format!("{}_views", self.0.database.base())
    }

    /// The member's own connection; a new one if it was lost.
    pub(crate) async fn session(&self) -> Result<Arc<Session>, Error> {
        let mut held = self.0.session.lock().await;
        if let Some(session) = held.as_ref().filter(|session| !session.client.is_closed()) {
            return Ok(session.clone());
        }
        let session = self.0.database.hearing(self.0.heard.clone()).await?;
        session.client.batch_execute(&format!("listen {}", self.channel())).await?;
        if held.replace(session.clone()).is_some() {
            self.0.was_lost.store(true, Ordering::Relaxed);
        }
        Ok(session)
    }

    /// Whether the connection was lost since this was last asked.
    pub(crate) fn was_lost(&self) -> bool {
        self.0.was_lost.swap(false, Ordering::Relaxed)
    }

    /// Does a duty in every lane that this process gets hold of, until told to stop. The work of a lane is told to stop
    /// when the lane is to be let go; it should then end within moments.
    pub async fn keep<W, F>(&self, duty: Duty, mut stop: watch::Receiver<bool>, work: W)
    where
        W: Fn(Held, watch::Receiver<bool>) -> F + Send,
        F: Future<Output = ()> + Send + 'static,
    {
        let mut hands = Hands::default();
        let mut heard_last = Instant::now();
        loop {
            match answer_in_time(self.look_after(duty, &mut hands, &work)).await {
                Ok(()) => heard_last = Instant::now(),
                Err(cause) => {
                    tracing::warn!(duty = duty.name(), %cause, "leases cannot be renewed");
                    if heard_last.elapsed().as_secs_f64() > LEASE_SECONDS {
                        hands.stop_all();
                    }
                }
            }
            tokio::select! {
                () = told_to_stop(&mut stop) => break,
                () = tokio::time::sleep(BEAT) => {}
            }
        }
        hands.stop_all();
        hands.ended().await;
        if let Err(cause) = answer_in_time(self.leave(duty)).await {
            tracing::warn!(duty = duty.name(), %cause, "leases cannot be given back; they run out by themselves");
        }
    }

    /// One beat: renews, lets go of what is lost or too much, takes what is free.
    async fn look_after<W, F>(&self, duty: Duty, hands: &mut Hands, work: &W) -> Result<(), Error>
    where
        W: Fn(Held, watch::Receiver<bool>) -> F + Send,
        F: Future<Output = ()> + Send + 'static,
    {
        let beat = self.beat(duty).await?;
        hands.keep_only(&beat);
        let share = beat.lanes.div_ceil(beat.others_on_duty + 1) as usize;
        for held in hands.take_back(share) {
            self.release(duty, held).await?;
        }
        let busy = hands.busy();
        for (lane, epoch) in beat.renewed.iter().filter(|(lane, _)| !busy.contains(&lane.cast_signed())) {
            // Nobody works in it: an earlier round took it and came to nothing.
            let lane = Lane {
                index: *lane,
                of: beat.lanes,
            };
            self.release(duty, Held { lane, epoch: *epoch }).await?;
        }
        let wanted = share.saturating_sub(busy.len());
        if wanted == 0 {
            return Ok(());
        }
        for held in self.take(duty, &busy, wanted).await? {
            tracing::debug!(duty = duty.name(), lane = %held.lane, epoch = held.epoch, "a lane was taken");
            let (stop, told) = watch::channel(false);
            let task = tokio::spawn(work(held, told));
            hands.working.insert(held.lane.index, Worker { held, stop, task });
        }
        Ok(())
    }

    /// Says that this process is alive and renews its leases of a duty.
    pub(crate) async fn beat(&self, duty: Duty) -> Result<Beat, Error> {
        let session = self.session().await?;
        let base = self.0.database.base();
        let renew = session
            .statement(&format!(
                "with beat as (
                     insert into {base}.members (id, duty, pid, backend_start, until)
                     select $1, $2, pid, backend_start, clock_timestamp() + make_interval(secs => $3)
                     from pg_stat_activity where pid = pg_backend_pid()
                     on conflict (id, duty) do update
                     set pid = excluded.pid, backend_start = excluded.backend_start, until = excluded.until)
                 update {base}.leases set until = clock_timestamp() + make_interval(secs => $3)
                 where what = $2 and holder = $1 returning lane, epoch"
            ))
            .await?;
        let count = session
            .statement(&format!(
                "select (select lanes from {base}.house), count(distinct id) filter (where duty = $2 and {IS_ALIVE}),
                     count(*) filter (where member.until > clock_timestamp())
                 from {base}.members as member where id <> $1"
            ))
            .await?;
        let (member, what) = (self.0.member, duty.name());
        let renewed = session.client.query(&renew, &[&member, &what, &LEASE_SECONDS]).await?;
        let counted = session.client.query_one(&count, &[&member, &what]).await?;
        Ok(Beat {
            lanes: counted.get::<_, Option<i32>>(0).unwrap_or(1).cast_unsigned().max(1),
            others_on_duty: u32::try_from(counted.get::<_, i64>(1)).unwrap_or(u32::MAX - 1),
            others: counted.get::<_, i64>(2) > 0,
            renewed: renewed
                .iter()
                .map(|row| (row.get::<_, i32>(0).cast_unsigned(), row.get(1)))
                .collect(),
        })
    }

    /// Takes up to so many lanes that nobody works on; lanes that are still being worked on here are not asked for.
    async fn take(&self, duty: Duty, busy: &[i32], wanted: usize) -> Result<Vec<Held>, Error> {
        let session = self.session().await?;
        let base = self.0.database.base();
        let statement = session
            .statement(&format!(
                "with free as (
                     select lane from {base}.leases as lease
                     where what = $2 and lane <> all($4)
                         and (holder is null or holder = $1 or until <= clock_timestamp() or not exists (
                             select from {base}.members as member
                             where member.id = lease.holder and member.duty = lease.what and {IS_ALIVE}))
                     order by lane limit $5 for update skip locked)
                 update {base}.leases as lease
                 set holder = $1, epoch = lease.epoch + 1, until = clock_timestamp() + make_interval(secs => $3)
                 from free where lease.what = $2 and lease.lane = free.lane
                 returning lease.lane, lease.lanes, lease.epoch"
            ))
            .await?;
        let (member, what) = (self.0.member, duty.name());
        let wanted = i64::try_from(wanted).unwrap_or(i64::MAX);
        let rows = session
            .client
            .query(&statement, &[&member, &what, &LEASE_SECONDS, &busy, &wanted])
            .await?;
        // How many lanes there are stands in the lease: between two questions the streams may have been divided anew.
        let held = |row: &Row| Held {
            lane: Lane {
                index: row.get::<_, i32>(0).cast_unsigned(),
                of: row.get::<_, i32>(1).cast_unsigned(),
            },
            epoch: row.get(2),
        };
        Ok(rows.iter().map(held).collect())
    }

    async fn release(&self, duty: Duty, held: Held) -> Result<(), Error> {
        let session = self.session().await?;
        let sql = format!(
            "update {}.leases set holder = null where what = $1 and lane = $2 and holder = $3 and epoch = $4",
            self.0.database.base()
        );
        let statement = session.statement(&sql).await?;
        let (what, lane) = (duty.name(), held.lane.index.cast_signed());
        session
            .client
            .execute(&statement, &[&what, &lane, &self.0.member, &held.epoch])
            .await?;
        Ok(())
    }

    /// Gives everything back, so that others need not wait, and forgets members that are long gone.
    pub(crate) async fn leave(&self, duty: Duty) -> Result<(), Error> {
        let session = self.session().await?;
        let base = self.0.database.base();
        let (member, what) = (self.0.member, duty.name());
        session
            .client
            .execute(
                &format!("update {base}.leases set holder = null where what = $1 and holder = $2"),
                &[&what, &member],
            )
            .await?;
        session
            .client
            .execute(
                &format!(
                    "delete from {base}.members where (id = $1 and duty = $2) or until < clock_timestamp() - interval '1 hour'"
                ),
                &[&member, &what],
            )
            .await?;
        Ok(())
    }
}

/// Why a beat had no answer.
#[derive(Debug, thiserror::Error)]
enum NoAnswer {
    #[error("PostgreSQL: {0}")]
    Refused(#[from] Error),
    #[error("PostgreSQL does not answer")]
    TooLate,
}

async fn answer_in_time(ask: impl Future<Output = Result<(), Error>>) -> Result<(), NoAnswer> {
    match tokio::time::timeout(MAX_ANSWER, ask).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(NoAnswer::TooLate),
    }
}

/// The work of one lane.
struct Worker {
    held: Held,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Work does not go on without those who renew its lease.
        self.task.abort();
    }
}

/// What this process works on, by lane.
#[derive(Default)]
struct Hands {
    working: BTreeMap<u32, Worker>,
    /// Told to stop, and not done with it yet. No second worker begins in such a lane.
    ending: Vec<Worker>,
}

impl Hands {
    /// Tells those to stop whose lease is lost or whose division is out of date; forgets those that ended by themselves.
    fn keep_only(&mut self, beat: &Beat) {
        self.working.retain(|_, worker| !worker.task.is_finished());
        let outdated: Vec<u32> = self
            .working
            .iter()
            .filter(|(lane, worker)| worker.held.lane.of != beat.lanes || beat.renewed.get(lane) != Some(&worker.held.epoch))
            .map(|(lane, _)| *lane)
            .collect();
        for lane in outdated {
            self.end(lane);
        }
    }

    /// Tells those to stop that are more than our share, the highest lanes first; returns the leases to give back.
    fn take_back(&mut self, share: usize) -> Vec<Held> {
        while self.working.len() > share {
            let Some(lane) = self.working.keys().next_back().copied() else {
                break;
            };
            self.end(lane);
        }
        let (ended, ending) = std::mem::take(&mut self.ending)
            .into_iter()
            .partition(|worker| worker.task.is_finished());
        self.ending = ending;
        let ended: Vec<Worker> = ended;
        ended.iter().map(|worker| worker.held).collect()
    }

    fn end(&mut self, lane: u32) {
        if let Some(worker) = self.working.remove(&lane) {
            tracing::debug!(lane = %worker.held.lane, epoch = worker.held.epoch, "a lane is let go");
            let _ = worker.stop.send(true);
            self.ending.push(worker);
        }
    }

    /// The lanes in which somebody still works here.
    fn busy(&self) -> Vec<i32> {
        let ending = self.ending.iter().map(|worker| worker.held.lane.index);
        self.working.keys().copied().chain(ending).map(u32::cast_signed).collect()
    }

    fn stop_all(&mut self) {
        while let Some(lane) = self.working.keys().next().copied() {
            self.end(lane);
        }
    }

    /// Waits until all have ended.
    async fn ended(&mut self) {
        for worker in &mut self.ending {
            let _ = (&mut worker.task).await;
        }
        self.ending.clear();
    }
}
