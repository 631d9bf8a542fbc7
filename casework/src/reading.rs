//! Models from their files.

use std::sync::Arc;

use domain::case::ModelKind;
use process_engine::{
    bpmn,
    dmn::{self, DecisionModel},
    finding::{Finding, Rejected},
};
use sha2::{Digest as _, Sha256};

/// Reads and checks a process. Behaviour that only some other host would do is refused.
pub(crate) fn process(bytes: &[u8]) -> Result<bpmn::Read, Rejected> {
    bpmn::read(bytes, &bpmn::ReadOptions::default())
}

/// Reads and checks decision tables.
pub(crate) fn decisions(bytes: &[u8]) -> Result<DecisionModel, Rejected> {
    dmn::read(bytes, dmn::ReadOptions::default())
}

/// All that is wrong with a model in JSON, such as a form.
pub(crate) fn json(bytes: &[u8]) -> Result<(), String> {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes)
        .map(|_| ())
        .map_err(|cause| cause.to_string())
}

/// All that is wrong with a model of any kind, as sentences with their places.
pub(crate) fn check(kind: ModelKind, bytes: &[u8]) -> Result<(), Vec<String>> {
    let named = |rejected: Rejected| sentences(&rejected.findings);
    match kind {
        ModelKind::Bpmn => {
            let read = process(bytes).map_err(named)?;
            let mut executable = read.definitions.processes.iter().filter(|process| process.executable);
            if let Some(several) = executable.clone().find(|process| process.plain_starts(None).nth(1).is_some()) {
                let name = &several.reference.process;
                return Err(vec![format!(
                    "{name} has several plain start events; a case begins by being filed, so leave one"
                )]);
            }
            if executable.next().is_some() {
                return Ok(());
            }
            Err(vec![
                "no process of the model is executable; set isExecutable=\"true\"".to_owned(),
            ])
        }
        ModelKind::Dmn => decisions(bytes).map(drop).map_err(named),
        ModelKind::Form | ModelKind::CandidateRule => json(bytes).map_err(|cause| vec![format!("the file is not JSON: {cause}")]),
    }
}

/// SHA-256 in hexadecimal: what a model is known by.
pub(crate) fn hash(bytes: &[u8]) -> Arc<str> {
    let digits = Sha256::digest(bytes);
    let hex = |byte: &u8| [byte >> 4, byte & 0xf].map(|half| char::from_digit(u32::from(half), 16).unwrap_or('0'));
    digits.iter().flat_map(hex).collect::<String>().into()
}

/// Findings as sentences.
pub(crate) fn sentences(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(ToString::to_string).collect()
}
