//! What happens when a deadline passes. Each timer is held against the case as it is now: one that no longer applies does nothing.

use super::{
    super::{Event, Kernel, due},
    intake,
};
use crate::rules::Desk;

pub(super) fn fire(case: &Kernel, timer: &str, desk: &Desk) -> Vec<Event> {
    let on = desk.today();
    let deadlines = case.deadlines(&desk.rules);
    let passed = |fires_on: Option<chrono::NaiveDate>| fires_on.is_some_and(|fires_on| fires_on <= on);
    let Some(deadline) = deadlines
        .into_iter()
        .find(|deadline| deadline.kind == timer && passed(deadline.fires_on))
    else {
        return Vec::new();
    };
    let due_on = deadline.due_on;
    match (timer, due::meaning(timer)) {
        ("correctionNotice", _) => match (case.item(&desk.rules), case.last_receipt_on()) {
            (Some(item), Some(receipt_on)) => vec![intake::deemed_accepted(item, receipt_on)],
            _ => Vec::new(),
        },
        ("correctionReply", _) => vec![Event::CorrectionLapsed { due_on }],
        (_, Some((limit, None))) => vec![Event::OverdueRaised { limit, due_on, on }],
        (_, Some((limit, Some(level)))) => vec![Event::WarningRaised { level, limit, on }],
        (tolerance, None) => match tolerance.strip_prefix("tolerance:") {
            Some(code) => vec![Event::ToleranceDefaulted {
                code: code.to_owned(),
                due_on,
            }],
            None => Vec::new(),
        },
    }
}
