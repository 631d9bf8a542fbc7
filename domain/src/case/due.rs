//! What is due and what waits for somebody, by the law of every case.

use std::borrow::Cow;

use chrono::NaiveDate;

use super::{
    events::{LimitKind, WarningLevel},
    state::{Kernel, Stage},
    told::{Deadline, Task},
};
use crate::{
    calendar::{Calendar, Due, Limit, LimitUnit},
    rules::{ItemDefinition, Rules},
};

/// The timers of one limit: its end, and the warnings before it.
struct LimitTimers {
    limit: LimitKind,
    end: (&'static str, &'static str),
    warnings: &'static [(WarningLevel, &'static str, &'static str)],
}

/// The three limits of a case. The internal one is itself a warning and has none.
const LIMITS: [LimitTimers; 3] = [
    LimitTimers {
        limit: LimitKind::Statutory,
        end: ("statutory", "法定期限"),
        warnings: &[
            (WarningLevel::Yellow, "statutoryYellow", "法定期限黄灯"),
            (WarningLevel::Red, "statutoryRed", "法定期限红灯"),
        ],
    },
    LimitTimers {
        limit: LimitKind::Promised,
        end: ("promised", "承诺期限"),
        warnings: &[
            (WarningLevel::Yellow, "promisedYellow", "承诺期限黄灯"),
            (WarningLevel::Red, "promisedRed", "承诺期限红灯"),
        ],
    },
    LimitTimers {
        limit: LimitKind::Internal,
        end: ("internal", "内部预警期限"),
        warnings: &[],
    },
];

/// What a limit's timers mean: the limit is passed, or a share of it is used.
pub(super) fn meaning(timer: &str) -> Option<(LimitKind, Option<WarningLevel>)> {
    LIMITS.iter().find_map(|timers| {
        if timers.end.0 == timer {
            return Some((timers.limit, None));
        }
        let warning = timers.warnings.iter().find(|(_, name, _)| *name == timer)?;
        Some((timers.limit, Some(warning.0)))
    })
}

impl Kernel {
    /// Everything that is due by the law of every case, by the case's own pinned calendar.
    pub fn deadlines(&self, rules: &Rules) -> Vec<Deadline> {
        if self.imported.is_some() || matches!(self.stage, Stage::Draft | Stage::Archived | Stage::RolledBack) {
            return Vec::new();
        }
        let Some(item) = self.item(rules) else { return Vec::new() };
        let calendar = self.calendar(rules);
        let mut deadlines = Vec::new();
        self.intake_deadlines(item, calendar, &mut deadlines);
        self.limit_deadlines(item, calendar, &mut deadlines);
        self.later_deadlines(item, calendar, &mut deadlines);
        deadlines
    }

    fn intake_deadlines(&self, item: &ItemDefinition, calendar: &Calendar, out: &mut Vec<Deadline>) {
        match (self.stage, self.last_receipt_on(), &self.correction) {
            (Stage::Received, Some(receipt_on), _) => {
                let due = calendar.add_working_days(receipt_on, item.correction_notice_working_days);
                out.push(fires_after("correctionNotice", "一次告知期限", due));
            }
            (Stage::AwaitingCorrection, _, Some(correction)) => {
                out.push(fires_after("correctionReply", "补正期限", certain(correction.reply_due_on)));
            }
            _ => {}
        }
    }

    fn limit_deadlines(&self, item: &ItemDefinition, calendar: &Calendar, out: &mut Vec<Deadline>) {
        let Some(acceptance) = self.acceptance.as_ref().filter(|_| self.stage.is_open()) else {
            return;
        };
        let standing = self
            .pauses
            .iter()
            .any(|pause| pause.to.is_none() && !pause.counts_against_limit);
        for timers in &LIMITS {
            let limit = match timers.limit {
                LimitKind::Statutory => acceptance.statutory,
                LimitKind::Promised => acceptance.promised,
                LimitKind::Internal => item.internal,
            };
            let passed = self.overdue.iter().any(|(overdue, _)| *overdue == timers.limit);
            let (name, name_zh) = timers.end;
            let due = self.clock_of(acceptance, limit).due(calendar);
            if standing || passed {
                out.push(waits(name, name_zh, due));
                continue;
            }
            out.push(fires_after(name, name_zh, due));
            for (level, name, name_zh) in timers.warnings {
                let raised = self
                    .warnings
                    .iter()
                    .any(|(raised, of, _)| raised == level && *of == timers.limit);
                let percent = match level {
                    WarningLevel::Yellow => item.yellow_percent,
                    WarningLevel::Red => item.red_percent,
                };
                let extended = self.extension.as_ref().map_or(0, |extension| extension.add_working_days);
                if let Some(share) = share_of(limit, extended, percent).filter(|_| !raised) {
                    let due = self.paused_clock(acceptance, share).due(calendar);
                    let fires_on = Some(due.on);
                    out.push(Deadline {
                        fires_on,
                        ..waits(name, name_zh, due)
                    });
                }
            }
        }
    }

    fn later_deadlines(&self, item: &ItemDefinition, calendar: &Calendar, out: &mut Vec<Deadline>) {
        let undelivered = matches!(self.stage, Stage::Granted | Stage::GrantedTolerance | Stage::Refused);
        if let Some(decision) = self.decision.as_ref().filter(|_| undelivered) {
            out.push(waits(
                "delivery",
                "送达期限",
                calendar.add_working_days(decision.on, item.delivery_working_days),
            ));
        }
        if matches!(
            self.stage,
            Stage::Withdrawn | Stage::Revoked | Stage::Cancelled | Stage::NotRequired | Stage::OutOfScope | Stage::Refused
        ) {
            return;
        }
        for tolerance in self
            .tolerance
            .iter()
            .filter(|tolerance| tolerance.supplied_on.is_none() && !tolerance.defaulted)
        {
            let mut deadline = fires_after("tolerance", "容缺补齐期限", certain(tolerance.promised.due_on));
            deadline.kind = Cow::Owned(format!("tolerance:{}", tolerance.promised.code));
            out.push(deadline);
        }
        if let Some(due_on) = self
            .commitment
            .as_ref()
            .filter(|commitment| commitment.rectified_on.is_none())
            .and_then(|c| c.rectify_due_on)
        {
            out.push(waits("commitmentRectification", "承诺整改期限", certain(due_on)));
        }
        for (number, supervision) in self
            .supervisions
            .iter()
            .enumerate()
            .filter(|(_, supervision)| supervision.reply.is_none())
        {
            let mut deadline = waits("supervisionReply", "督办答复期限", certain(supervision.reply_due_on));
            deadline.kind = Cow::Owned(format!("supervisionReply:{}", number + 1));
            out.push(deadline);
        }
        let limit = item
            .parameters
            .get("bad_review_working_days")
            .and_then(|days| u32::try_from(*days).ok());
        if let (true, Some(rating), Some(days)) = (self.open_bad_review(), &self.rating, limit) {
            out.push(waits("badReview", "差评整改期限", calendar.add_working_days(rating.on, days)));
        }
    }

    /// Everything that waits for somebody by the law of every case. What was imported waits for nobody until it is worked on.
    pub fn tasks(&self) -> Vec<Task> {
        let asleep = self.imported.as_ref().is_some_and(|imported| !imported.worked_on);
        let Some(since) = self.stage_since.filter(|_| !asleep) else {
            return Vec::new();
        };
        let handler = || self.handler.as_ref().map(|handler| handler.id.clone());
        let task = |key, name_zh, role, assignee| Task {
            key,
            name_zh,
            role,
            assignee,
            since,
        };
        let mut tasks: Vec<Task> = match self.stage {
            Stage::Received => vec![task("accept", "受理审查", "windowClerk", None)],
            Stage::AwaitingCorrection => vec![task("supplyCorrection", "补正材料", "applicant", None)],
            Stage::Accepted => vec![task("assign", "分派承办人", "sectionChief", None)],
            Stage::UnderReview => vec![task("review", "承办审查", "handler", handler())],
            Stage::Suspended => vec![task("resume", "恢复计时", "handler", handler())],
            Stage::PendingApproval => vec![task("approve", "审核", "sectionChief", None)],
            Stage::PendingDecision => vec![task("decide", "批准", "director", None)],
            Stage::WithdrawPending => vec![task("confirmWithdrawal", "确认撤件", "windowClerk", None)],
            Stage::Granted | Stage::GrantedTolerance | Stage::Refused => vec![task("deliver", "送达", "windowClerk", None)],
            Stage::Delivered | Stage::NotRequired | Stage::OutOfScope | Stage::Withdrawn | Stage::Revoked | Stage::Cancelled => {
                vec![task("archive", "归档", "archivist", None)]
            }
            Stage::Draft | Stage::Archived | Stage::RolledBack => return Vec::new(),
        };
        if let Some(open) = self.supervisions.iter().find(|supervision| supervision.reply.is_none()) {
            tasks.push(Task {
                since: open.on,
                ..task("answerSupervision", "答复督办", "handler", handler())
            });
        }
        if let (true, Some(rating)) = (self.open_bad_review(), &self.rating) {
            tasks.push(Task {
                since: rating.on,
                ..task("handleBadReview", "处理差评", "supervisor", None)
            });
        }
        let granted = matches!(self.stage, Stage::Granted | Stage::GrantedTolerance | Stage::Delivered);
        match &self.commitment {
            Some(commitment) if granted && commitment.breached && commitment.rectified_on.is_none() => {
                tasks.push(task("checkRectification", "复核承诺整改", "handler", handler()));
            }
            Some(commitment) if granted && commitment.verified_kept.is_none() => {
                tasks.push(task("verifyCommitment", "核查承诺", "handler", handler()));
            }
            _ => {}
        }
        tasks
    }
}

fn certain(on: NaiveDate) -> Due {
    Due { on, provisional: false }
}

/// A deadline after which something happens by itself.
fn fires_after(kind: &'static str, name_zh: &'static str, due: Due) -> Deadline {
    Deadline {
        kind: Cow::Borrowed(kind),
        name_zh,
        due_on: due.on,
        fires_on: due.on.succ_opt(),
        provisional: due.provisional,
    }
}

/// A deadline after which somebody has to answer for it.
fn waits(kind: &'static str, name_zh: &'static str, due: Due) -> Deadline {
    Deadline {
        fires_on: None,
        ..fires_after(kind, name_zh, due)
    }
}

/// The part of a limit after which a warning is due; none where a limit in months has no such part.
fn share_of(limit: Limit, extended: u32, percent: u32) -> Option<Limit> {
    let whole = match limit.unit {
        LimitUnit::WorkingDay => limit.n.saturating_add(extended),
        LimitUnit::NaturalDay => limit.n,
        LimitUnit::Month => return None,
    };
    Some(Limit {
        n: whole.saturating_mul(percent).div_ceil(100),
        unit: limit.unit,
    })
}
