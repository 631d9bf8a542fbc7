//! Models from their files.

use std::sync::Arc;

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

/// SHA-256 in hexadecimal: what a model is known by.
pub(crate) fn hash(bytes: &[u8]) -> Arc<str> {
    let digits = Sha256::digest(bytes);
    digits.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

/// Findings as sentences.
pub(crate) fn sentences(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(ToString::to_string).collect()
}
