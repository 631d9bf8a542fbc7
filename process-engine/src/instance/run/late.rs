//! 超时: a task is not done in time, and the model says what is done about it.

use chrono::{DateTime, Utc};

use super::{Run, Stuck, asking::user_task, moving::Moving};
use crate::{
    instance::{
        command::Rejection,
        event::Event,
        state::Waiting,
        words::{Key, MoveKind, Obstacle, Outcome, Phase, Resume, TimerPurpose},
    },
    model::{ElementId, OnTimeout, Spot, TimeoutAction},
};

/// What a reminder says that nobody wrote.
pub const REMINDER: &str = "待办已到提醒时间，请尽快办理";

/// Why a task was returned that nobody did in time.
pub const RETURNED_LATE: &str = "超时未办理，自动退回";

impl Run<'_> {
    /// A task must be done until then.
    pub(super) fn schedule_timeout(&mut self, task: Key, element: &ElementId, late: &OnTimeout, due_at: DateTime<Utc>) {
        let repeats = match late.action {
            TimeoutAction::Remind => late.maximum.saturating_sub(1),
            TimeoutAction::Approve | TimeoutAction::Reject | TimeoutAction::Return => 0,
        };
        self.emit(Event::TimerScheduled {
            key: self.next_key(),
            owner: task,
            element: element.clone(),
            trigger: 0,
            purpose: TimerPurpose::Timeout,
            due_at,
            repeats_left: Some(repeats),
            pausable: late.after.pausable,
        });
    }

    /// The time for a task is over.
    pub(crate) fn timed_out(&mut self, timer: Key) -> Result<(), Rejection> {
        let Some((task, repeats)) = self.state.waits.get(&timer).and_then(|wait| match wait.what {
            Waiting::Timer { repeats_left, .. } => Some((wait.owner, repeats_left.unwrap_or(0))),
            _ => None,
        }) else {
            return Err(Rejection::NothingThere { key: timer });
        };
        self.emit(Event::TimerFired {
            key: timer,
            at: self.context.now,
        });
        let (process, at) = self.node_of(task)?;
        let Some(late) = user_task(&process, at).and_then(|user| user.on_timeout.as_ref()) else {
            return Ok(());
        };
        match late.action {
            TimeoutAction::Remind => {
                self.emit(Event::TaskUrged {
                    key: task,
                    by: None,
                    message: REMINDER.to_owned(),
                    at: self.context.now,
                });
                if repeats > 0 {
                    self.remind_again(task, &process.node(at).id, late, repeats - 1);
                }
                Ok(())
            }
            TimeoutAction::Approve => self.decide_late(task, late.action, &Outcome::Approved),
            TimeoutAction::Reject => self.decide_late(task, late.action, &Outcome::Rejected),
            TimeoutAction::Return => self.return_late(task),
        }
    }

    fn remind_again(&mut self, task: Key, element: &ElementId, late: &OnTimeout, left: u32) {
        match self.moment(&late.after, task) {
            Ok(due_at) => self.emit(Event::TimerScheduled {
                key: self.next_key(),
                owner: task,
                element: element.clone(),
                trigger: 0,
                purpose: TimerPurpose::Timeout,
                due_at,
                repeats_left: Some(left),
                pausable: late.after.pausable,
            }),
            Err(stuck) => self.stuck(task, Phase::Active, stuck),
        }
    }

    fn decide_late(&mut self, task: Key, action: TimeoutAction, outcome: &Outcome) -> Result<(), Rejection> {
        self.emit(Event::TaskAutoDecided {
            key: task,
            action,
            outcome: outcome.clone(),
            at: self.context.now,
        });
        self.decided(task, task, None, outcome)
    }

    /// 自动退回 to the step before: the last one that somebody decided on the way here.
    fn return_late(&mut self, task: Key) -> Result<(), Rejection> {
        let source = self.activity_of(task);
        let Some(to) = self.step_before(source)? else {
            let message = "nobody did it in time, and there is no step before to which it could be returned";
            self.stuck(source, Phase::Active, Stuck::new(Obstacle::NoWayOn, message));
            return Ok(());
        };
        self.emit(Event::TaskAutoDecided {
            key: task,
            action: TimeoutAction::Return,
            outcome: Outcome::Rejected,
            at: self.context.now,
        });
        let moving = Moving {
            kind: MoveKind::Return,
            resume: Resume::Again,
            reason: RETURNED_LATE,
        };
        self.return_to(source, &to, moving)
    }

    /// The step on the way to an activity that was decided last.
    fn step_before(&self, source: Key) -> Result<Option<ElementId>, Rejection> {
        let here = self.state.elements.get(&source).map(|element| element.element.clone());
        for decision in self.state.decisions.iter().rev().filter(|decision| !decision.undone) {
            if Some(&decision.element) == here.as_ref() {
                continue;
            }
            if self.can_return(source, &decision.element)? {
                return Ok(Some(decision.element.clone()));
            }
        }
        Ok(None)
    }

    /// Whether an activity could be returned from to an element.
    pub(crate) fn can_return(&self, source: Key, to: &ElementId) -> Result<bool, Rejection> {
        // What cannot be begun from here is nothing to return to.
        let Ok(Some((scope, process, path))) = self.common_scope(&[source], to, true) else {
            return Ok(false);
        };
        let level = self.level(&process, scope, &path[..1])?;
        let Some(here) = self.child_that_holds(scope, source) else {
            return Ok(false);
        };
        let (_, at) = self.node_of(here)?;
        Ok(at == path[0] || !level.beside.stands_when_begins(&process, Spot::Node(at), path[0]))
    }
}
