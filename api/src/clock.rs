//! 法定时限: how much of each limit is used, and why the due date is what it is.

use async_graphql::{Enum, SimpleObject};
use casework::AnyWork;
use chrono::NaiveDate;
use domain::{
    calendar::{LedgerLine, LedgerReason},
    case::{self, Kernel},
    rules::Rules,
};

use crate::{
    scalars::small,
    words::{LimitKind, PauseKind},
};

/// How a case stands against a limit (预警).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::calendar::Alert")]
pub(crate) enum Alert {
    /// 无: the clock has stopped, in time.
    None,
    /// 正常
    Normal,
    /// 黄
    Yellow,
    /// 红
    Red,
    /// 超期
    Overdue,
}

/// 时限台账: the legal clock of a case as of a day, against each of its limits.
#[derive(SimpleObject)]
pub(crate) struct LegalClock {
    /// The day that it is told for.
    on: NaiveDate,
    /// 起算日: the clock runs from the day after it.
    started_on: NaiveDate,
    /// The day on which the bureau owed no decision any more.
    stopped_on: Option<NaiveDate>,
    /// Why the clock stands still on that day; none, if it runs.
    paused_for: Option<PauseKind>,
    /// Working days that an extension added (延长).
    extended_working_days: i32,
    /// 法定, 承诺, 内部预警
    limits: Vec<LimitClock>,
}

/// The clock against one limit.
#[derive(SimpleObject)]
pub(crate) struct LimitClock {
    /// Which limit.
    kind: LimitKind,
    /// 时限种类名称
    name: &'static str,
    /// 时限, such as 15 工作日.
    limit: String,
    /// The same in English.
    limit_en: String,
    /// 到期日: the last day on which a decision is in time.
    due_on: NaiveDate,
    /// The due date may still move.
    provisional: bool,
    /// Days used by the end of the day, in the limit's unit.
    used_days: i32,
    /// Days left; negative, when it is overdue.
    remaining_days: i32,
    /// Days by which it is overdue.
    overdue_days: i32,
    /// 预警
    alert: Alert,
    /// Why the due date is what it is, line by line.
    ledger: Vec<ClockLine>,
}

/// One span of the clock.
#[derive(SimpleObject)]
pub(crate) struct ClockLine {
    /// The day before the span's first.
    after: NaiveDate,
    /// The span's last day.
    through: NaiveDate,
    /// Its days, in the limit's unit.
    days: i32,
    /// Its weekends and holidays.
    days_off: i32,
    /// Whether its days are taken from the limit.
    counts: bool,
    /// 说明
    reason: &'static str,
    /// The same in English.
    reason_en: &'static str,
    /// What the case waited for, if it did.
    paused_for: Vec<PauseKind>,
}

const LIMITS: [case::LimitKind; 3] = [
    case::LimitKind::Statutory,
    case::LimitKind::Promised,
    case::LimitKind::Internal,
];

impl LegalClock {
    /// The clock of a case; none before it was accepted.
    pub(crate) fn of(case: &AnyWork, rules: &Rules, on: NaiveDate) -> Option<Self> {
        let kernel = case.kernel();
        let clock = kernel.clock(case::LimitKind::Statutory, rules)?;
        Some(Self {
            on,
            started_on: clock.started_on(),
            stopped_on: clock.stopped_on(),
            paused_for: clock.pause_on(on).map(|pause| pause.kind.into()),
            extended_working_days: days(clock.extended_working_days()),
            limits: LIMITS
                .iter()
                .filter_map(|kind| LimitClock::of(kernel, *kind, rules, on))
                .collect(),
        })
    }
}

impl LimitClock {
    fn of(kernel: &Kernel, kind: case::LimitKind, rules: &Rules, on: NaiveDate) -> Option<Self> {
        let clock = kernel.clock(kind, rules)?;
        let calendar = kernel.calendar(rules);
        let due = clock.due(calendar);
        Some(Self {
            kind: kind.into(),
            name: kind.name_zh(),
            limit: clock.limit().to_string(),
            limit_en: clock.limit().en(),
            due_on: due.on,
            provisional: due.provisional,
            used_days: days(clock.used(calendar, on)),
            remaining_days: small(clock.remaining(calendar, on)),
            overdue_days: days(clock.overdue_days(calendar, on)),
            alert: kernel.alert(kind, on, rules)?.into(),
            ledger: clock.ledger(calendar, on).into_iter().map(ClockLine::from).collect(),
        })
    }
}

impl From<LedgerLine<case::PauseKind>> for ClockLine {
    fn from(line: LedgerLine<case::PauseKind>) -> Self {
        let paused_for = match &line.reason {
            LedgerReason::Paused(kinds) | LedgerReason::RunningWhilePaused(kinds) => {
                kinds.iter().map(|kind| (*kind).into()).collect()
            }
            _ => Vec::new(),
        };
        Self {
            after: line.after,
            through: line.through,
            days: days(line.days),
            days_off: days(line.days_off),
            counts: line.counts,
            reason: line.reason.zh(),
            reason_en: line.reason.en(),
            paused_for,
        }
    }
}

/// A count of days as GraphQL's integer.
pub(crate) fn days(days: u32) -> i32 {
    small(i64::from(days))
}
