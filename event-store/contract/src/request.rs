//! What every store asks of an append before it writes: does it keep the limits, and does the writer's belief hold?

use crate::{Expected, MAX_APPEND_BYTES, MAX_EVENT_BYTES, MAX_EVENTS_PER_APPEND, NewEvent, StoreError};

/// What is to be done with an append, judged by what the writer believes and where the stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The belief holds: write after the last event.
    Write,
    /// The stream is further on: it is the same append again if these ids stand from this revision on; else a conflict.
    Compare {
        /// Where the first of the ids would stand.
        from: u64,
    },
    /// No revision was named: it is the same append again if the ids are remembered; else write.
    Recall,
    /// The belief cannot be true.
    Conflict,
}

/// Holds a belief against the revision of the stream's last event (none, if it has no event).
pub fn judge(expected: Expected, last: Option<u64>) -> Verdict {
    match (expected, last) {
        (Expected::NoStream, None) => Verdict::Write,
        (Expected::NoStream, Some(_)) => Verdict::Compare { from: 0 },
        (Expected::Revision(expected), Some(last)) if expected == last => Verdict::Write,
        (Expected::Revision(expected), Some(last)) if expected < last => Verdict::Compare { from: expected + 1 },
        (Expected::Any, _) | (Expected::StreamExists, Some(_)) => Verdict::Recall,
        (Expected::Revision(_), _) | (Expected::StreamExists, None) => Verdict::Conflict,
    }
}

/// Refuses an append that breaks a limit of the contract.
pub fn check_limits(events: &[NewEvent]) -> Result<(), StoreError> {
    if events.is_empty() {
        return Err(StoreError::TooLarge(
            "an append has at least one event; this one has none".into(),
        ));
    }
    if events.len() > MAX_EVENTS_PER_APPEND {
        return Err(StoreError::TooLarge(format!(
            "an append has at most {MAX_EVENTS_PER_APPEND} events; this one has {}: split it",
            events.len()
        )));
    }
    let mut total: usize = 0;
    for event in events {
        if event.name.is_empty() {
            return Err(StoreError::TooLarge(format!("an event has a name; {} has none", event.id)));
        }
        let bytes = event.name.len() * 2 + event.data.len() + event.metadata.len();
        if bytes > MAX_EVENT_BYTES {
            return Err(StoreError::TooLarge(format!(
                "an event has at most {MAX_EVENT_BYTES} bytes; {} {} has {bytes}",
                event.name, event.id
            )));
        }
        total += bytes;
    }
    if total > MAX_APPEND_BYTES {
        return Err(StoreError::TooLarge(format!(
            "an append has at most {MAX_APPEND_BYTES} bytes; this one has {total}: split it"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_belief_holds_or_asks_for_a_comparison_or_is_wrong() {
        for (expected, last, verdict) in [
            (Expected::NoStream, None, Verdict::Write),
            (Expected::NoStream, Some(0), Verdict::Compare { from: 0 }),
            (Expected::Revision(3), None, Verdict::Conflict),
            (Expected::Revision(3), Some(2), Verdict::Conflict),
            (Expected::Revision(3), Some(3), Verdict::Write),
            (Expected::Revision(3), Some(4), Verdict::Compare { from: 4 }),
            (Expected::Revision(u64::MAX), Some(4), Verdict::Conflict),
            (Expected::Any, None, Verdict::Recall),
            (Expected::Any, Some(0), Verdict::Recall),
            (Expected::StreamExists, None, Verdict::Conflict),
            (Expected::StreamExists, Some(0), Verdict::Recall),
        ] {
            assert_eq!(judge(expected, last), verdict, "{expected:?} of a stream at {last:?}");
        }
    }
}
