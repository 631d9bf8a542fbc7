//! Every event that was ever stored can still be read: one sample for each, `Name.json` or `Name.variation.json`. A sample
//! never changes; a field that is added has a default.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeSet, fs, path::Path};

use decider::stored;
use serde_json::Value;
use strum::VariantNames as _;

use super::{Event, Instance, evolve};

#[test]
fn every_event_of_a_process_has_a_sample_that_reads_back_and_folds() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/instance/samples"));
    let mut seen = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        let name = file.split('.').next().unwrap().to_owned();
        let data = fs::read(&path).unwrap();
        let event: Event = stored::decode(&name, &data).unwrap_or_else(|cause| panic!("{file}: {cause}"));
        let (written_name, written) = stored::encode(&event).unwrap();
        assert_eq!(written_name, name, "{file}");
        let written: Value = serde_json::from_slice(&written).unwrap();
        let sample: Value = serde_json::from_slice(&data).unwrap();
        assert_eq!(kept(&sample, &written), sample, "{file} is written again as it was");
        // Nothing that was stored can be refused, whatever it meets.
        evolve::evolve(&mut Instance::default(), &event);
        seen.insert(name);
    }
    let known: BTreeSet<String> = Event::VARIANTS.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(seen, known, "a sample for each event, and no others");
}

/// What is written now, without fields that were added since.
fn kept(sample: &Value, written: &Value) -> Value {
    match (sample, written) {
        (Value::Object(sample), Value::Object(written)) => {
            let kept = written
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), kept(sample.get(key)?, value))));
            Value::Object(kept.collect())
        }
        _ => written.clone(),
    }
}
