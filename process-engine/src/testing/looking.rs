//! An instance in words, for whoever looks for a mistake.

use std::fmt::Write;

use crate::instance::{Event, Instance, ROOT};

/// The most events that a description shows; the first ones are left out.
const MAX_EVENTS_SHOWN: usize = 1_000;

/// Where an instance is and how it came there.
pub fn describe(state: &Instance, events: &[Event]) -> String {
    let mut text = String::new();
    let from = events.len().saturating_sub(MAX_EVENTS_SHOWN);
    if from > 0 {
        let _ = writeln!(text, "… {from} events before");
    }
    for (at, event) in events.iter().enumerate().skip(from) {
        let _ = writeln!(text, "{at:>5}  {}", in_one_line(event));
    }
    let _ = writeln!(text, "ended: {:?}", state.ended);
    for (key, element) in state.elements.iter().filter(|(key, _)| **key != ROOT) {
        let _ = writeln!(
            text,
            "element {key}: {} in {} round {:?}",
            element.element, element.scope, element.round
        );
    }
    for (scope, flow, count) in state.tokens.iter() {
        let _ = writeln!(text, "tokens in {scope} on {flow}: {count}");
    }
    for (key, wait) in state.waits.iter() {
        let _ = writeln!(text, "wait {key} of {} at {}: {:?}", wait.owner, wait.element, wait.what);
    }
    for (key, task) in state.tasks.iter() {
        let assignee = task.assignee.as_ref().map(|person| &person.id);
        let _ = writeln!(text, "task {key} of {} at {}: {assignee:?}", task.owner, task.element);
    }
    for (key, job) in state.jobs.iter() {
        let _ = writeln!(text, "job {key}: {}", job.kind);
    }
    for (key, incident) in state.incidents.iter() {
        let _ = writeln!(text, "incident {key} at {}: {}", incident.element, incident.message);
    }
    text
}

/// An event as it is stored.
fn in_one_line(event: &Event) -> String {
    serde_json::to_string(event).unwrap_or_else(|cause| cause.to_string())
}

/// The lines in which two instances differ.
pub(super) fn difference(one: &Instance, other: &Instance) -> String {
    let (one, other) = (format!("{one:#?}"), format!("{other:#?}"));
    let mut text = String::new();
    for (one, other) in one.lines().zip(other.lines()).filter(|(one, other)| one != other).take(20) {
        let _ = writeln!(text, "  live {one}\n  read {other}");
    }
    text
}
