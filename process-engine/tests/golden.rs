//! Streams of every kind of event, as they were stored, and what each folds to: `NAME.jsonl` with one event a line and
//! `NAME.state` with the state, for each stream.
//!
//! A stored stream never changes; what it folds to changes only when the state gets another shape, and then the difference
//! is there to be looked at. `ZHULU_WRITE_GOLDEN=1 cargo test -p process-engine --test golden` writes the states anew, and
//! adds streams for the kinds of events that are in none yet.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use process_engine::{
    instance::{Event, Instance, ProcessInstance},
    testing::random,
};
use serde_json::Value;
use strum::VariantNames;

/// How many random paths are looked through for a kind of event that is in no stream yet.
const SEEDS_LOOKED_AT: u64 = 1_000;

/// The longest random path that becomes a stored stream: the differences of its state are to be read by people.
const MAX_STORED_EVENTS: usize = 160;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn is_writing() -> bool {
    std::env::var("ZHULU_WRITE_GOLDEN").is_ok_and(|value| value == "1")
}

fn streams() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).unwrap();
    let mut streams: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"))
        .collect();
    streams.sort();
    streams
}

fn events(stream: &Path) -> Vec<Event> {
    let text = fs::read_to_string(stream).unwrap();
    let read = |(at, line): (usize, &str)| {
        serde_json::from_str(line).unwrap_or_else(|cause| panic!("{}:{}: {cause}", stream.display(), at + 1))
    };
    text.lines().enumerate().map(read).collect()
}

fn kinds(events: &[Event]) -> BTreeSet<&'static str> {
    events.iter().map(Into::into).collect()
}

/// The state after every tenth of the stream and at its end: whatever stands for a while only is seen as well.
fn folded(events: &[Event]) -> String {
    let mut state = Instance::default();
    let mut told = Vec::new();
    let every = events.len().div_ceil(10).max(1);
    for (at, event) in events.iter().enumerate() {
        <ProcessInstance as decider::Decider>::evolve(&mut state, event);
        if (at + 1) % every == 0 || at + 1 == events.len() {
            told.push(serde_json::json!({ "after": at + 1, "state": bare(serde_json::to_value(&state).unwrap()) }));
        }
    }
    let lines: Vec<String> = told.iter().map(|one| format!("{one:#}\n")).collect();
    lines.concat()
}

/// A value without what is nothing: a field that was added to the state since, and that no stored event sets, changes nothing.
fn bare(value: Value) -> Value {
    let is_something = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(all) => !all.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
        _ => true,
    };
    match value {
        Value::Object(entries) => {
            let entries = entries.into_iter().map(|(name, inner)| (name, bare(inner)));
            Value::Object(entries.filter(|(_, inner)| is_something(inner)).collect())
        }
        Value::Array(all) => Value::Array(all.into_iter().map(bare).collect()),
        other => other,
    }
}

fn every_kind() -> BTreeSet<&'static str> {
    Event::VARIANTS.iter().copied().collect()
}

/// Adds streams of random paths, as few as are needed, for what is in none yet.
fn add_what_is_missing() {
    let stored: BTreeSet<&'static str> = streams().iter().flat_map(|stream| kinds(&events(stream))).collect();
    let mut missing: BTreeSet<_> = every_kind().difference(&stored).copied().collect();
    let mut paths: Vec<Vec<Event>> = (0..SEEDS_LOOKED_AT)
        .filter_map(|seed| Some(random::played(seed).ok()?.1.events().to_vec()))
        .filter(|events| events.len() <= MAX_STORED_EVENTS)
        .collect();
    for number in streams().len().. {
        let gives = |path: &Vec<Event>| (kinds(path).intersection(&missing).count(), std::cmp::Reverse(path.len()));
        let Some(best) = paths
            .iter()
            .max_by_key(|path| gives(path))
            .filter(|path| gives(path).0 > 0)
            .cloned()
        else {
            return;
        };
        missing = missing.difference(&kinds(&best)).copied().collect();
        paths.retain(|path| *path != best);
        let lines: String = best
            .iter()
            .map(|event| serde_json::to_string(event).unwrap() + "\n")
            .collect();
        fs::write(folder().join(format!("random-{number:02}.jsonl")), lines).unwrap();
    }
}

#[test]
fn every_stored_stream_folds_to_what_it_folded_to_and_every_kind_of_event_is_in_one() {
    if is_writing() {
        add_what_is_missing();
    }
    let mut seen = BTreeSet::new();
    for stream in streams() {
        let events = events(&stream);
        seen.extend(kinds(&events));
        let stored = stream.with_extension("state");
        let folded = folded(&events);
        if is_writing() {
            fs::write(&stored, &folded).unwrap();
        }
        let stored = fs::read_to_string(&stored).unwrap_or_default();
        let differs = folded.lines().zip(stored.lines()).position(|(now, then)| now != then);
        assert!(
            folded == stored,
            "{} folds to something else from line {differs:?} on",
            stream.display()
        );
    }
    let missing: Vec<_> = every_kind().difference(&seen).copied().collect();
    assert!(missing.is_empty(), "add a stream with {missing:?}");
}

#[test]
fn every_event_of_a_stored_stream_is_written_as_it_was_read() {
    for stream in streams() {
        let text = fs::read_to_string(&stream).unwrap();
        for (event, line) in events(&stream).iter().zip(text.lines()) {
            let written: Value = serde_json::to_value(event).unwrap();
            let stored: Value = serde_json::from_str(line).unwrap();
            // A field that was added since may be written with its default; what was there stays.
            assert!(leaves(&stored).is_subset(&leaves(&written)), "{}\n{line}", stream.display());
        }
    }
}

/// The leaves of a value, each with the path to it.
fn leaves(value: &Value) -> BTreeSet<String> {
    fn walk(path: &str, value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(entries) => entries
                .iter()
                .for_each(|(name, inner)| walk(&format!("{path}.{name}"), inner, found)),
            Value::Array(all) => all
                .iter()
                .enumerate()
                .for_each(|(at, inner)| walk(&format!("{path}[{at}]"), inner, found)),
            leaf => _ = found.insert(format!("{path}={leaf}")),
        }
    }
    let mut found = BTreeSet::new();
    walk("", value, &mut found);
    found
}
