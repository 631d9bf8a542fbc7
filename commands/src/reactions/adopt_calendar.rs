//! A new calendar was published: cases that count with a provisional date go over to it.
//!
//! Those that are known when it is published are found through the view of deadlines. One that comes to such a date
//! only later is found when its own event passes.

use chrono::{DateTime, Utc};
use domain::{case::Command, rules::Rules};
use event_store_contract::Lane;
use uuid::Uuid;

use super::{CaseSeen, envelope, errand::Errand, platform};
use crate::{
    bureau::{Bureau, stream},
    envelope::{CommandError, Envelope, FailedCause},
    outside::ProvisionalCases,
};

/// The reaction's name.
pub(super) const NAME: &str = "adoptCalendar";

/// How many cases are looked up at once.
const CASES_PER_LOOK: usize = 500;

/// The errand to a case that has come to count provisionally although a newer calendar is there.
pub(super) fn react(seen: &CaseSeen<'_>, rules: &Rules, now: DateTime<Utc>) -> Option<Errand> {
    let edition = rules.current_calendar().edition().to_string();
    let kernel = seen.case.kernel();
    if kernel.calendar_edition.is_empty() || kernel.calendar_edition == edition {
        return None;
    }
    if !seen.case.deadlines(rules).iter().any(|deadline| deadline.provisional) {
        return None;
    }
    Some(Errand::ToCase {
        category: seen.case.category().to_owned(),
        case_id: seen.event.stream.id().parse().ok()?,
        command: Box::new(Command::AdoptCalendar { edition }),
        envelope: Envelope {
            occurred_at: None,
            ..envelope(seen.event, seen.metadata, NAME, now)
        },
        reaction: NAME,
    })
}

/// Takes every case of a lane over that the view of deadlines knows to count provisionally; says how many were asked.
pub(super) async fn sweep<P: ProvisionalCases + ?Sized>(
    bureau: &Bureau,
    provisional: &P,
    lane: Lane,
    now: DateTime<Utc>,
) -> Result<u64, CommandError> {
    let edition = bureau.rules().current_calendar().edition().to_string();
    let (mut after, mut asked) = (None, 0);
    loop {
        let cases = provisional
            .provisional(after, CASES_PER_LOOK)
            .await
            .map_err(|cause| FailedCause::Outside(cause.0))?;
        for (category, case_id) in &cases {
            if !lane.has(&stream(category, case_id)?) {
                continue;
            }
            let command_id = Uuid::new_v5(case_id, format!("{NAME}:{edition}").as_bytes());
            let envelope = Envelope::new(command_id, platform(), "000000", now);
            let adopt = Command::AdoptCalendar {
                edition: edition.clone(),
            };
            match bureau.to_any_case(category, *case_id, adopt, &envelope).await {
                // A case that may not go over is on record as a refusal and stays as it is.
                Ok(_) | Err(CommandError::Rejected(_) | CommandError::Forbidden { .. }) => asked += 1,
                Err(cause) => return Err(cause),
            }
        }
        match cases.last() {
            Some((_, last)) if cases.len() == CASES_PER_LOOK => after = Some(*last),
            _ => return Ok(asked),
        }
    }
}
