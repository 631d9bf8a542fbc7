//! What changed in a case between two moments, and which event changed it.

use std::collections::BTreeMap;

use casework::AnyWork;
use chrono::{DateTime, Utc};
use event_store_contract::RecordedEvent;
use serde_json::Value;
use uuid::Uuid;

use super::{HistoryEvent, Moment, history_event, is_past, shown};
use crate::{bureau::unreadable, envelope::FailedCause};

/// The most changed paths that a comparison lists.
pub const MAX_CHANGED_PATHS: usize = 5_000;

/// What changed between two moments.
#[derive(Debug, Clone)]
pub struct CaseDiff {
    /// What is different, by path.
    pub changes: Vec<Changed>,
    /// The events that lie between, in the order of the stream.
    pub events: Vec<HistoryEvent>,
}

/// One thing that is different.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// Where, as a JSON pointer (`/kernel/stage`).
    pub path: String,
    /// What it was; null, if it was not there.
    pub before: Value,
    /// What it is; null, if it is no longer there.
    pub after: Value,
    /// The last event that changed it.
    pub event_id: Option<Uuid>,
    /// That event's name.
    pub event: Option<String>,
    /// Who did it.
    pub actor: Option<String>,
    /// When it happened.
    pub occurred_at: Option<DateTime<Utc>>,
}

/// Compares a case at two moments.
pub(super) fn between(empty: &AnyWork, events: &[RecordedEvent], from: Moment, to: Moment) -> Result<CaseDiff, FailedCause> {
    let (mut earlier, mut later) = (Vec::new(), Vec::new());
    for event in events {
        earlier.push(is_past(event, from)?);
        later.push(is_past(event, to)?);
    }
    // Backwards in time: the same comparison, read the other way round.
    let is_backwards = earlier.iter().filter(|past| **past).count() > later.iter().filter(|past| **past).count();
    if is_backwards {
        std::mem::swap(&mut earlier, &mut later);
    }
    let before = shown_after(
        empty,
        events.iter().zip(&earlier).filter(|(_, past)| **past).map(|(event, _)| event),
    )?;
    let mut between = Vec::new();
    let mut changed_by: BTreeMap<String, usize> = BTreeMap::new();
    let mut case = empty.clone();
    let mut last = show(&case, events.first())?;
    for (event, (was_past, is_past)) in events.iter().zip(earlier.iter().zip(&later)) {
        if !is_past {
            continue;
        }
        case.apply(&event.name, &event.data)
            .map_err(|cause| unreadable(event, &cause))?;
        let now = show(&case, Some(event))?;
        if !was_past {
            compare(&last, &now, &mut String::new(), &mut |path, _, _| {
                changed_by.insert(path.to_owned(), between.len());
            });
            between.push(history_event(empty, event)?);
        }
        last = now;
    }
    let mut changes = Vec::new();
    compare(&before, &last, &mut String::new(), &mut |path, before, after| {
        if changes.len() < MAX_CHANGED_PATHS {
            let by = last_change(path, &changed_by).and_then(|index| between.get(index));
            changes.push(changed(path, before, after, by, is_backwards));
        }
    });
    Ok(CaseDiff {
        changes,
        events: between,
    })
}

fn changed(path: &str, before: &Value, after: &Value, by: Option<&HistoryEvent>, is_backwards: bool) -> Changed {
    let (before, after) = if is_backwards { (after, before) } else { (before, after) };
    Changed {
        path: path.to_owned(),
        before: before.clone(),
        after: after.clone(),
        event_id: by.map(|event| event.id),
        event: by.map(|event| event.name.clone()),
        actor: by.map(|event| event.metadata.actor.name.clone()),
        occurred_at: by.map(|event| event.metadata.occurred_at),
    }
}

fn shown_after<'a>(empty: &AnyWork, events: impl Iterator<Item = &'a RecordedEvent>) -> Result<Value, FailedCause> {
    let mut case = empty.clone();
    let mut last = None;
    for event in events {
        case.apply(&event.name, &event.data)
            .map_err(|cause| unreadable(event, &cause))?;
        last = Some(event);
    }
    show(&case, last)
}

fn show(case: &AnyWork, after: Option<&RecordedEvent>) -> Result<Value, FailedCause> {
    shown(case).map_err(|cause| match after {
        Some(event) => unreadable(event, &format!("the case after it cannot be shown: {cause}")),
        None => FailedCause::Unknown(format!("the case cannot be shown: {cause}")),
    })
}

/// The last event that changed this place, or something in it, or the whole that it is part of.
fn last_change(path: &str, changed_by: &BTreeMap<String, usize>) -> Option<usize> {
    let touches = |one: &str, other: &str| {
        one.strip_prefix(other)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    changed_by
        .iter()
        .filter(|(changed, _)| touches(changed, path) || touches(path, changed))
        .map(|(_, index)| *index)
        .max()
}

/// Visits every place where two values differ, the leaves only.
fn compare<'a>(before: &'a Value, after: &'a Value, path: &mut String, differs: &mut impl FnMut(&str, &'a Value, &'a Value)) {
    const NOTHING: &Value = &Value::Null;
    match (before, after) {
        (Value::Object(one), Value::Object(other)) => {
            for (key, value) in one {
                at(path, &key.replace('~', "~0").replace('/', "~1"), |path| {
                    compare(value, other.get(key).unwrap_or(NOTHING), path, differs);
                });
            }
            for (key, value) in other.iter().filter(|(key, _)| !one.contains_key(*key)) {
                at(path, &key.replace('~', "~0").replace('/', "~1"), |path| {
                    compare(NOTHING, value, path, differs);
                });
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            for index in 0..one.len().max(other.len()) {
                let (before, after) = (one.get(index).unwrap_or(NOTHING), other.get(index).unwrap_or(NOTHING));
                at(path, &index.to_string(), |path| compare(before, after, path, differs));
            }
        }
        (before, after) if before != after => differs(path, before, after),
        _ => {}
    }
}

fn at(path: &mut String, step: &str, look: impl FnOnce(&mut String)) {
    let length = path.len();
    path.push('/');
    path.push_str(step);
    look(path);
    path.truncate(length);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(before: &Value, after: &Value) -> Vec<String> {
        let mut paths = Vec::new();
        compare(before, after, &mut String::new(), &mut |path, _, _| {
            paths.push(path.to_owned());
        });
        paths
    }

    #[test]
    fn only_the_leaves_that_differ_are_named() {
        let before = json!({"a": 1, "b": {"c": [1, 2]}, "d/e": null});
        let after = json!({"a": 1, "b": {"c": [1, 3, 4]}, "d/e": true, "f": 5});
        assert_eq!(paths(&before, &after), ["/b/c/1", "/b/c/2", "/d~1e", "/f"]);
        assert!(paths(&before, &before).is_empty());
    }

    #[test]
    fn a_change_is_laid_to_the_last_event_that_touched_the_place() {
        let by = BTreeMap::from([("/a".to_owned(), 1), ("/a/b".to_owned(), 2), ("/ab".to_owned(), 3)]);
        assert_eq!(last_change("/a/b", &by), Some(2));
        assert_eq!(last_change("/a", &by), Some(2));
        assert_eq!(last_change("/ab/c", &by), Some(3));
        assert_eq!(last_change("/z", &by), None);
    }
}
