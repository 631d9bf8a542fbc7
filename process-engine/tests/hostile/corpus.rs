//! The files in `corpus/`: each was made to break something, and breaks nothing. They are the seeds of the fuzzers as well.

use std::{fs, path::Path};

use process_engine::{
    bpmn::{self, ReadOptions},
    dmn,
    expression::translate,
    instance::{Bindings, Event, ProcessInstance},
};

use crate::on_a_small_stack;

/// Each file of a folder of the corpus, with its name.
fn each(folder: &str, look: impl Fn(&str, &[u8]) + Sync) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/hostile/corpus")
        .join(folder);
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        on_a_small_stack(|| look(&path.display().to_string(), &bytes));
        count += 1;
    }
    assert!(count > 0);
}

#[test]
fn hostile_process_models_are_refused_with_a_finding_that_has_a_place() {
    each("bpmn", |name, bytes| {
        let refused = bpmn::read(bytes, &ReadOptions::default());
        let is_sound = name.contains("sound-");
        assert_eq!(
            refused.is_ok(),
            is_sound,
            "{name}: {:?}",
            refused.err().map(|why| why.to_string())
        );
        for finding in bpmn::check(bytes, &ReadOptions::default()) {
            assert!(finding.place.line >= 1 && !finding.message.is_empty(), "{name}");
        }
    });
}

#[test]
fn hostile_decision_models_are_refused_or_give_something() {
    each("dmn", |name, bytes| {
        let read = dmn::read(bytes, dmn::ReadOptions::default());
        assert_eq!(
            read.is_ok(),
            name.contains("sound-"),
            "{name}: {:?}",
            read.as_ref().err().map(ToString::to_string)
        );
        for decision in read.iter().flat_map(dmn::DecisionModel::decisions) {
            let _ = read.as_ref().map(|model| model.evaluate(&decision.name, &Bindings::new()));
        }
    });
}

#[test]
fn hostile_expressions_are_refused_or_give_something() {
    each("feel", |_, bytes| {
        let text = String::from_utf8_lossy(bytes);
        let _ = translate::feel_of(&text);
        crate::said_of(&text, &Bindings::new());
    });
}

#[test]
fn hostile_streams_fold_to_some_state() {
    each("stream", |_, bytes| {
        let lines = bytes.split(|byte| *byte == b'\n');
        let events: Vec<Event> = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
        decider::replay::<ProcessInstance>(&events);
    });
}
