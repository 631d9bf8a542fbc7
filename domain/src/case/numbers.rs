//! Which numbers the kernel wants, and how they are written.

use chrono::{Datelike, NaiveDate};

use super::{
    NumberWanted,
    events::{Event, NumberKind},
    state::Kernel,
};

/// The number that a kernel event wants, if it wants one. `case` has the event in it.
pub fn numbers_wanted(case: &Kernel, event: &Event) -> Option<NumberWanted> {
    let (kind, code, on) = match event {
        Event::ApplicationSubmitted { received_on, .. } => (NumberKind::Case, "", *received_on),
        Event::ApplicationAccepted { accepted_on, .. } => (NumberKind::Acceptance, "ACP", *accepted_on),
        Event::DeemedAccepted { receipt_on, .. } => (NumberKind::Acceptance, "ACP", *receipt_on),
        Event::CorrectionNotified { notified_on, .. } => (NumberKind::CorrectionNotice, "SGZ", *notified_on),
        Event::ClockSuspended { on, .. } => (NumberKind::SuspensionNotice, "SPE", *on),
        Event::DecisionGranted { on, .. } => (NumberKind::Decision, "SAL", *on),
        Event::DecisionRefused { on, .. } => (NumberKind::Decision, "NSA", *on),
        Event::CaseArchived { on, .. } => (NumberKind::Archive, "DA", *on),
        _ => return None,
    };
    Some(yearly(case, kind, code, on))
}

/// A series for each document, region and year; the document's code is that of the notice templates (ACP 受理单, SGZ 补正通知书 …).
fn yearly(case: &Kernel, kind: NumberKind, code: &str, on: NaiveDate) -> NumberWanted {
    let head = format!("{}{code}{}{}", case.number_prefix, case.region, on.year());
    NumberWanted {
        kind,
        template: format!("{head}{{seq:05}}"),
        series: head,
    }
}

/// Whether the case has come to where this kind of number is given.
pub(super) fn is_wanted(case: &Kernel, kind: NumberKind) -> bool {
    if case.imported.is_some() {
        return false;
    }
    match kind {
        NumberKind::Case => case.received_on.is_some(),
        NumberKind::Acceptance => case.acceptance.is_some(),
        NumberKind::CorrectionNotice => case.correction.is_some(),
        NumberKind::SuspensionNotice => !case.pauses.is_empty(),
        NumberKind::Decision => case.decision.is_some(),
        NumberKind::Licence => {
            case.decision.as_ref().is_some_and(|decision| decision.granted) && !case.numbers.contains_key(&kind)
        }
        NumberKind::Archive => case.archived_on.is_some(),
    }
}
