//! Timers fire; the clock of the instance is paused and resumed.

use chrono::{DateTime, NaiveDate, Utc};

use super::{Run, moment::MAX_WORKING_DAYS, waiting::catch_of};
use crate::{
    instance::{
        command::Rejection,
        event::Event,
        state::{Wait, Waiting},
        words::{Bindings, Key, TimerPurpose},
    },
    model::{NodeKind, TimerCalendar, Trigger, Work},
};

impl Run<'_> {
    /// A timer is due. One that is not there any more was overtaken by something else.
    pub(crate) fn fire_timer(&mut self, timer: Key) -> Result<(), Rejection> {
        let Some(wait) = self.state.waits.get(&timer).cloned() else {
            return Ok(());
        };
        let Waiting::Timer {
            purpose,
            due_at,
            pausable,
            ..
        } = wait.what
        else {
            return Err(Rejection::NothingThere { key: timer });
        };
        if pausable && self.state.paused_at.is_some_and(|paused_at| due_at > paused_at) {
            return Err(Rejection::TimerStandsStill { timer });
        }
        if due_at > self.context.now {
            return Err(Rejection::NotDue { timer, due_at });
        }
        if purpose == TimerPurpose::Timeout {
            return self.timed_out(timer);
        }
        self.emit(Event::TimerFired {
            key: timer,
            at: self.context.now,
        });
        match purpose {
            TimerPurpose::Retry => {
                self.retry_job(wait.owner);
                Ok(())
            }
            TimerPurpose::Event | TimerPurpose::Timeout => self.caught(&wait, &Bindings::new()),
        }
    }

    /// 计时暂停
    pub(crate) fn pause_clock(&mut self, reason: &str) -> Result<(), Rejection> {
        if self.state.paused_at.is_some() {
            return Err(Rejection::ClockPaused);
        }
        self.emit(Event::ProcessClockPaused {
            reason: reason.to_owned(),
            at: self.context.now,
        });
        Ok(())
    }

    /// 计时恢复: every timer that stood still is due later by as much as it stood still.
    pub(crate) fn resume_clock(&mut self) -> Result<(), Rejection> {
        let paused_at = self.state.paused_at.ok_or(Rejection::ClockRuns)?;
        let stood_still: Vec<(Key, DateTime<Utc>, TimerCalendar)> = self
            .state
            .waits
            .iter()
            .filter_map(|(key, wait)| match wait.what {
                // What was due before the pause is only late.
                Waiting::Timer {
                    due_at, pausable: true, ..
                } if due_at > paused_at => Some((*key, due_at, self.calendar_of(wait))),
                _ => None,
            })
            .collect();
        self.emit(Event::ProcessClockResumed { at: self.context.now });
        for (key, due_at, calendar) in stood_still {
            let moved = self.after_pause(due_at, paused_at, calendar);
            if moved != due_at {
                self.emit(Event::TimerMoved { key, due_at: moved });
            }
        }
        Ok(())
    }

    /// When a timer is due that stood still until now. Of working days as many are left as were when it was paused, at the
    /// same time of day.
    fn after_pause(&self, due_at: DateTime<Utc>, paused_at: DateTime<Utc>, calendar: TimerCalendar) -> DateTime<Utc> {
        let now = self.context.now;
        let later = due_at.checked_add_signed(now - paused_at).unwrap_or(due_at);
        if calendar == TimerCalendar::Natural || (due_at - paused_at).num_days() > MAX_WORKING_DAYS.into() {
            return later;
        }
        let local = |moment: DateTime<Utc>| moment.with_timezone(&self.offset());
        let left = self.working_days_until(local(paused_at).date_naive(), local(due_at).date_naive());
        if left == 0 {
            return later;
        }
        let day = self.context.outside.add_working_days(local(now).date_naive(), left);
        self.local(day.and_time(local(due_at).time())).unwrap_or(later)
    }

    /// How many working days it is from a day to another one: the fewest that reach it.
    fn working_days_until(&self, from: NaiveDate, to: NaiveDate) -> u32 {
        let days = u32::try_from((to - from).num_days()).unwrap_or(0);
        let (mut low, mut high) = (0, days);
        while low < high {
            let middle = low + (high - low) / 2;
            if middle > 0 && self.context.outside.add_working_days(from, middle) >= to {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// What a timer counts in, as the model says; of one that the model no longer knows, every day.
    fn calendar_of(&self, wait: &Wait) -> TimerCalendar {
        let found = self.event_of(wait.owner, &wait.element);
        let Ok(Some((process, at, _))) = found else {
            return TimerCalendar::Natural;
        };
        if let NodeKind::Task(task) = &process.node(at).kind {
            return match &task.work {
                Work::User(user) => user
                    .on_timeout
                    .as_ref()
                    .map_or(TimerCalendar::Natural, |late| late.after.calendar),
                _ => TimerCalendar::Natural,
            };
        }
        match catch_of(&process, at).and_then(|catch| catch.triggers.get(wait.trigger as usize)) {
            Some(Trigger::Timer(timer)) => timer.calendar,
            _ => TimerCalendar::Natural,
        }
    }
}
