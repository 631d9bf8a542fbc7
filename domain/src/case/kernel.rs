//! What can be told from a case's past: its clocks, what is due, what waits for somebody, how long it took.

use std::{borrow::Cow, sync::Arc};

use chrono::NaiveDate;

use super::{
    events::{LimitKind, PauseKind, WarningLevel},
    state::{Acceptance, Kernel, Stage},
    told::{Deadline, Task},
};
use crate::{
    calendar::{Alert, AlertRatios, Calendar, Due, LegalClock, Limit, LimitUnit},
    rules::{ItemDefinition, Rules},
};

/// The worst grade that still is a bad review (差评): 1 非常不满意, 2 不满意.
pub(super) const WORST_GRADES_THROUGH: u8 = 2;

/// The three limits of a case, each with its timer's name, its Chinese name, and the names of its two warnings.
const LIMITS: [(LimitKind, &str, &str, [(WarningLevel, &str, &str); 2]); 3] = [
    (
        LimitKind::Statutory,
        "statutory",
        "法定期限",
        [
            (WarningLevel::Yellow, "statutoryYellow", "法定期限黄灯"),
            (WarningLevel::Red, "statutoryRed", "法定期限红灯"),
        ],
    ),
    (
        LimitKind::Promised,
        "promised",
        "承诺期限",
        [
            (WarningLevel::Yellow, "promisedYellow", "承诺期限黄灯"),
            (WarningLevel::Red, "promisedRed", "承诺期限红灯"),
        ],
    ),
    (
        LimitKind::Internal,
        "internal",
        "内部预警期限",
        [
            (WarningLevel::Yellow, "internalYellow", "内部预警黄灯"),
            (WarningLevel::Red, "internalRed", "内部预警红灯"),
        ],
    ),
];

/// What a limit's timers mean: the limit is passed, or a share of it is used.
pub(super) fn meaning(timer: &str) -> Option<(LimitKind, Option<WarningLevel>)> {
    LIMITS.iter().find_map(|(kind, name, _, warnings)| {
        if *name == timer {
            return Some((*kind, None));
        }
        let warning = warnings.iter().find(|(_, name, _)| *name == timer)?;
        Some((*kind, Some(warning.0)))
    })
}

impl Kernel {
    /// The item's definition as the case has it pinned; for an imported case, which pins none, the newest one.
    pub fn item<'a>(&self, rules: &'a Rules) -> Option<&'a Arc<ItemDefinition>> {
        if self.imported.is_some() {
            return rules.items().find(|item| item.code == self.item_code);
        }
        rules.item(&self.item_code, self.item_version)
    }

    /// The calendar that the case is counted by.
    pub fn calendar<'a>(&self, rules: &'a Rules) -> &'a Calendar {
        rules.calendar(&self.calendar_edition)
    }

    /// The day on which the application, or what was missing of it, came in last: gaps are told within days of it.
    pub fn last_receipt_on(&self) -> Option<NaiveDate> {
        self.correction
            .as_ref()
            .and_then(|correction| correction.supplied_on)
            .or(self.received_on)
    }

    /// The legal clock against one of the case's three limits; none before the acceptance.
    pub fn clock(&self, kind: LimitKind, rules: &Rules) -> Option<LegalClock<PauseKind>> {
        let acceptance = self.acceptance.as_ref()?;
        let limit = match kind {
            LimitKind::Statutory => acceptance.statutory,
            LimitKind::Promised => acceptance.promised,
            LimitKind::Internal => self.item(rules)?.internal,
        };
        Some(self.clock_of(acceptance, limit))
    }

    fn clock_of(&self, acceptance: &Acceptance, limit: Limit) -> LegalClock<PauseKind> {
        let mut clock = self.paused_clock(acceptance, limit);
        if let Some(extension) = &self.extension {
            clock.extend(extension.on, extension.add_working_days);
        }
        if let Some(stopped_on) = self.stopped_on() {
            clock.stop(stopped_on);
        }
        clock
    }

    /// A clock that knows the pauses only.
    fn paused_clock(&self, acceptance: &Acceptance, limit: Limit) -> LegalClock<PauseKind> {
        let mut clock = LegalClock::start(acceptance.clock_start_on, limit);
        for pause in &self.pauses {
            clock.pause(crate::calendar::Pause {
                from: pause.from,
                to: pause.to,
                kind: pause.kind,
                counts_against_limit: pause.counts_against_limit,
            });
        }
        clock
    }

    /// The last day of a limit.
    pub fn due(&self, kind: LimitKind, rules: &Rules) -> Option<Due> {
        Some(self.clock(kind, rules)?.due(self.calendar(rules)))
    }

    /// How the case stands against a limit on a day.
    pub fn alert(&self, kind: LimitKind, today: NaiveDate, rules: &Rules) -> Option<Alert> {
        let item = self.item(rules)?;
        let ratios = AlertRatios {
            yellow_percent: item.yellow_percent,
            red_percent: item.red_percent,
        };
        Some(self.clock(kind, rules)?.alert(self.calendar(rules), today, &ratios))
    }

    /// The day of the decision, of the bureau's own or of the system that the case was imported from.
    pub fn decided_on(&self) -> Option<NaiveDate> {
        let imported = || self.imported.as_ref().and_then(|imported| imported.decided_on);
        self.decision.as_ref().map(|decision| decision.on).or_else(imported)
    }

    /// The day on which the bureau owed no decision any more.
    fn stopped_on(&self) -> Option<NaiveDate> {
        let withdrawn = || self.withdrawal.as_ref().and_then(|withdrawal| withdrawal.confirmed_on);
        self.decided_on().or_else(withdrawn)
    }

    /// Working days that the bureau used up to the decision, without uncounted pauses; for an imported case from filing to decision.
    pub fn handling_working_days(&self, rules: &Rules) -> Option<u32> {
        let decided_on = self.decided_on()?;
        let calendar = self.calendar(rules);
        match self.clock(LimitKind::Statutory, rules) {
            Some(clock) => Some(clock.with_limit(Limit::working_days(1)).used(calendar, decided_on)),
            None => Some(calendar.working_days_between(self.received_on?, decided_on)),
        }
    }

    /// Calendar days from the receipt to the decision: what the applicant waited.
    pub fn handling_calendar_days(&self) -> Option<i64> {
        Some((self.decided_on()? - self.received_on?).num_days())
    }

    /// Whether the decision came within a limit; none while undecided, or where there was no limit.
    pub fn on_time(&self, kind: LimitKind, rules: &Rules) -> Option<bool> {
        let decided_on = self.decided_on()?;
        Some(!self.clock(kind, rules)?.is_overdue(self.calendar(rules), decided_on))
    }

    /// Whether there is a licence whose own law applies: granted, and neither ended nor archived.
    pub fn stage_has_licence(&self) -> bool {
        matches!(self.stage, Stage::Granted | Stage::GrantedTolerance)
            || (self.stage == Stage::Delivered && self.licence_version > 0)
    }

    /// Whether a promised material is still outstanding.
    pub fn tolerance_outstanding(&self) -> bool {
        self.tolerance.iter().any(|tolerance| tolerance.supplied_on.is_none())
    }

    /// Whether the case holds this material.
    pub fn has_material(&self, code: &str) -> bool {
        self.materials.iter().any(|material| material.code == code)
    }

    /// A bad review that nobody has answered for yet.
    pub fn open_bad_review(&self) -> bool {
        self.rating
            .as_ref()
            .is_some_and(|rating| rating.grade <= WORST_GRADES_THROUGH && rating.handled_on.is_none())
    }

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
        let standing = self.stage == Stage::Suspended
            || self
                .pauses
                .iter()
                .any(|pause| pause.to.is_none() && !pause.counts_against_limit);
        for (kind, name, name_zh, warnings) in &LIMITS {
            let limit = match kind {
                LimitKind::Statutory => acceptance.statutory,
                LimitKind::Promised => acceptance.promised,
                LimitKind::Internal => item.internal,
            };
            let clock = self.clock_of(acceptance, limit);
            let due = clock.due(calendar);
            let passed = self.overdue.iter().any(|(overdue, _)| overdue == kind);
            let fires_on = if standing || passed { None } else { due.on.succ_opt() };
            out.push(Deadline {
                kind: Cow::Borrowed(name),
                name_zh,
                due_on: due.on,
                fires_on,
                provisional: due.provisional,
            });
            // The internal limit is itself a warning.
            if standing || passed || *kind == LimitKind::Internal {
                continue;
            }
            for (level, name, name_zh) in warnings {
                if self.warnings.iter().any(|(raised, of, _)| raised == level && of == kind) {
                    continue;
                }
                let percent = match level {
                    WarningLevel::Yellow => item.yellow_percent,
                    WarningLevel::Red => item.red_percent,
                };
                let Some(share) = share_of(
                    limit,
                    self.extension.as_ref().map_or(0, |extension| extension.add_working_days),
                    percent,
                ) else {
                    continue;
                };
                let due = self.paused_clock(acceptance, share).due(calendar);
                out.push(Deadline {
                    kind: Cow::Borrowed(name),
                    name_zh,
                    due_on: due.on,
                    fires_on: Some(due.on),
                    provisional: due.provisional,
                });
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
