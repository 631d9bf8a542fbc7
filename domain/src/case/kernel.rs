//! What can be told from a case's past: its clocks, how it stands against its limits, how long it took.

use std::sync::Arc;

use chrono::NaiveDate;

use super::{
    events::{LimitKind, PauseKind},
    state::{Acceptance, Kernel, Stage},
};
use crate::{
    calendar::{Alert, AlertRatios, Calendar, Due, LegalClock, Limit},
    rules::{ItemDefinition, Rules},
};

/// The worst grade that still is a bad review (差评): 1 非常不满意, 2 不满意.
pub(super) const WORST_GRADES_THROUGH: u8 = 2;

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

    pub(super) fn clock_of(&self, acceptance: &Acceptance, limit: Limit) -> LegalClock<PauseKind> {
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
    pub(super) fn paused_clock(&self, acceptance: &Acceptance, limit: Limit) -> LegalClock<PauseKind> {
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
}
