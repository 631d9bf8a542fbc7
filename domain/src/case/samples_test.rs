//! Every event that was ever stored can still be read: one sample file for each, `Name.json` or `Name.variation.json`.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeSet, fs, path::Path};

use decider::stored;
use serde_json::Value;
use strum::VariantNames;

use super::Event;
use crate::registers::{calendar_publication, number_sequence, permit, project};

/// Reads each sample, checks that it is written again as it was, and that every event has one.
pub(crate) fn each_sample(folder: &str, names: &[&str], read_and_write: impl Fn(&str, &[u8]) -> (String, Vec<u8>)) {
    let mut seen = BTreeSet::new();
    for entry in fs::read_dir(Path::new(folder)).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        let name = file.split('.').next().unwrap();
        let data = fs::read(&path).unwrap();
        let (written_name, written) = read_and_write(name, &data);
        assert_eq!(written_name, name, "{file}");
        let stored: Value = serde_json::from_slice(&data).unwrap();
        let written: Value = serde_json::from_slice(&written).unwrap();
        assert_eq!(added(&stored, &written), stored, "{file} is written again as it was");
        seen.insert(name.to_owned());
    }
    let missing: Vec<&&str> = names.iter().filter(|name| !seen.contains(**name)).collect();
    assert!(missing.is_empty(), "no sample in {folder} for {missing:?}");
    assert_eq!(seen.len(), names.len(), "a sample of an event that is no more");
}

/// What is written now, without fields that the stored form did not have yet: a new field may be added, none may change.
fn added(stored: &Value, written: &Value) -> Value {
    match (stored, written) {
        (Value::Object(stored), Value::Object(written)) => {
            let kept = written
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), added(stored.get(key)?, value))));
            Value::Object(kept.collect())
        }
        _ => written.clone(),
    }
}

fn again<E: serde::Serialize + serde::de::DeserializeOwned>(name: &str, data: &[u8]) -> (String, Vec<u8>) {
    stored::encode(&stored::decode::<E>(name, data).unwrap()).unwrap()
}

#[test]
fn every_kernel_event_has_a_sample_that_reads_back_says_itself_and_folds() {
    each_sample(
        concat!(env!("CARGO_MANIFEST_DIR"), "/src/case/samples"),
        Event::VARIANTS,
        |name, data| {
            let event: Event = stored::decode(name, data).unwrap();
            let (zh, en) = event.say();
            assert!(!zh.is_empty() && !en.is_empty(), "{name} says nothing");
            super::evolve::evolve(&mut super::Kernel::default(), &event);
            stored::encode(&event).unwrap()
        },
    );
}

#[test]
fn every_register_event_has_a_sample_that_reads_back() {
    let folder = |register: &str| format!("{}/src/registers/samples/{register}", env!("CARGO_MANIFEST_DIR"));
    each_sample(
        &folder("calendar"),
        calendar_publication::Event::VARIANTS,
        again::<calendar_publication::Event>,
    );
    each_sample(
        &folder("numberSequence"),
        number_sequence::Event::VARIANTS,
        again::<number_sequence::Event>,
    );
    each_sample(&folder("permit"), permit::Event::VARIANTS, again::<permit::Event>);
    each_sample(&folder("project"), project::Event::VARIANTS, again::<project::Event>);
}
