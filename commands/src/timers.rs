//! Timers: whatever is due, by the views of deadlines and of processes, is asked of its case. What a due timer means is
//! decided against the case and its process as they are; one that no longer applies does nothing.

use std::{collections::HashSet, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use domain::{case, metadata::bureau_date};
use event_store_contract::Lane;
use process_engine::instance;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::{
    bureau::Bureau,
    envelope::{CommandError, Envelope, FailedCause},
    outside::{Clock, DueProcessTimer, DueProcessTimers, DueTimer, DueTimers, Shutdown, shut_down},
    reactions::platform,
};

/// How many due timers are asked for in one batch.
pub const TIMERS_PER_BATCH: usize = 500;
/// How many timers are under way at once.
const MAX_TIMERS_AT_ONCE: usize = 32;
/// The most timers remembered as having nothing to do, so that they do not stand in the way of those that have.
const MAX_IDLE_TIMERS: usize = 20_000;
/// How long the loop rests when nothing is due.
const REST: Duration = Duration::from_secs(10);

/// What came of one look at what is due.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimersFired {
    /// Timers that made something happen.
    pub fired: u64,
    /// Timers that no longer applied, or had fired before and wait for the view to notice.
    pub idle: u64,
}

/// Fires what is due in a lane, again and again, until the program shuts down.
pub async fn run<T>(bureau: Bureau, due: Arc<T>, lane: Lane, clock: Arc<dyn Clock>, mut shutdown: Shutdown)
where
    T: DueTimers + DueProcessTimers + ?Sized,
{
    let mut timers = Timers::default();
    while !*shutdown.borrow() {
        let fired = timers.fire_due_once(&bureau, &*due, lane, &*clock).await;
        match fired {
            Ok(TimersFired { fired: 1.., .. }) => continue,
            Ok(_) => {}
            Err(cause) => tracing::warn!(%cause, "due timers wait"),
        }
        tokio::select! {
            () = shut_down(&mut shutdown) => {}
            () = tokio::time::sleep(REST) => {}
        }
    }
}

/// Fires a batch of what is due now.
pub async fn fire_due_once<T>(bureau: &Bureau, due: &T, clock: &dyn Clock) -> Result<TimersFired, CommandError>
where
    T: DueTimers + DueProcessTimers + ?Sized,
{
    Timers::default().fire_due_once(bureau, due, Lane::WHOLE, clock).await
}

/// A timer of the law, or of a process.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Due {
    Case(DueTimer),
    Process(DueProcessTimer),
}

/// A timer, and whether something happened.
type Answered = (Result<bool, CommandError>, Due);

/// Which timers are known to have nothing to do any more.
#[derive(Debug, Default)]
struct Timers {
    idle: HashSet<Due>,
}

impl Timers {
    async fn fire_due_once<T>(
        &mut self,
        bureau: &Bureau,
        due: &T,
        lane: Lane,
        clock: &dyn Clock,
    ) -> Result<TimersFired, CommandError>
    where
        T: DueTimers + DueProcessTimers + ?Sized,
    {
        let now = clock.now();
        let limit = TIMERS_PER_BATCH + self.idle.len();
        let outside = |cause: crate::outside::OutsideError| FailedCause::Outside(cause.0);
        let of_cases = DueTimers::due(due, bureau_date(now), lane, limit).await.map_err(outside)?;
        let of_processes = DueProcessTimers::due(due, now, lane, limit).await.map_err(outside)?;
        let of_cases = of_cases.into_iter().map(Due::Case);
        let listed: Vec<Due> = of_cases.chain(of_processes.into_iter().map(Due::Process)).collect();
        // Whoever is not listed any more was noticed by the view, and may come back with a new meaning.
        let still_listed: HashSet<&Due> = listed.iter().collect();
        self.idle.retain(|timer| still_listed.contains(timer));
        let mut outcome = TimersFired::default();
        let mut under_way = JoinSet::new();
        for timer in listed
            .iter()
            .filter(|timer| !self.idle.contains(*timer))
            .take(TIMERS_PER_BATCH)
            .cloned()
            .collect::<Vec<_>>()
        {
            if under_way.len() >= MAX_TIMERS_AT_ONCE {
                self.take(under_way.join_next().await, &mut outcome)?;
            }
            let bureau = bureau.clone();
            under_way.spawn(async move { (fire(&bureau, &timer, now).await, timer) });
        }
        while !under_way.is_empty() {
            self.take(under_way.join_next().await, &mut outcome)?;
        }
        Ok(outcome)
    }

    fn take(
        &mut self,
        done: Option<Result<Answered, tokio::task::JoinError>>,
        outcome: &mut TimersFired,
    ) -> Result<(), CommandError> {
        let Some(done) = done else { return Ok(()) };
        let (fired, timer) = done.map_err(|cause| FailedCause::Outside(format!("a timer's task was stopped: {cause}")))?;
        match fired {
            Ok(true) => outcome.fired += 1,
            Ok(false) | Err(CommandError::Rejected(_) | CommandError::Forbidden { .. }) => outcome.idle += 1,
            Err(cause) => {
                // One that cannot be fired now is asked again, and holds up no other.
                tracing::warn!(%cause, ?timer, "a due timer waits");
                return Ok(());
            }
        }
        // Fired or not: until the view notices, it would only be asked again.
        if self.idle.len() < MAX_IDLE_TIMERS {
            self.idle.insert(timer);
        }
        Ok(())
    }
}

/// Asks the case; says whether something happened.
async fn fire(bureau: &Bureau, timer: &Due, now: DateTime<Utc>) -> Result<bool, CommandError> {
    let envelope =
        |case_id: &Uuid, name: String| Envelope::new(Uuid::new_v5(case_id, name.as_bytes()), platform(), "000000", now);
    let receipt = match timer {
        Due::Case(timer) => {
            let envelope = envelope(&timer.case_id, format!("timer:{}:{}", timer.timer, timer.due_on));
            let command = case::Command::FireTimer {
                timer: timer.timer.clone(),
                due_on: timer.due_on,
            };
            bureau.to_any_case(&timer.category, timer.case_id, command, &envelope).await?
        }
        Due::Process(timer) => {
            let due_at = timer.due_at.timestamp_millis();
            let envelope = envelope(&timer.case_id, format!("processTimer:{}:{due_at}", timer.timer));
            let command = instance::Command::FireTimer { timer: timer.timer };
            bureau.to_process(&timer.category, timer.case_id, command, &envelope).await?
        }
    };
    Ok(receipt.position.is_some() && !receipt.repeated)
}
