//! Models from their files.

use std::sync::Arc;

use domain::case::{ModelKind, form::FormDefinition};
use process_engine::{
    bpmn,
    dmn::{self, DecisionModel},
    finding::{Finding, Rejected, Severity},
    model::Place,
};
use sha2::{Digest as _, Sha256};

use crate::forms::{self, CandidateRule};

/// Reads and checks a process. Behaviour that only some other host would do is refused.
pub(crate) fn process(bytes: &[u8]) -> Result<bpmn::Read, Rejected> {
    bpmn::read(bytes, &bpmn::ReadOptions::default())
}

/// Reads and checks decision tables.
pub(crate) fn decisions(bytes: &[u8]) -> Result<DecisionModel, Rejected> {
    dmn::read(bytes, dmn::ReadOptions::default())
}

/// Reads and checks a form.
pub(crate) fn form(bytes: &[u8]) -> Result<FormDefinition, Finding> {
    let form: FormDefinition = from_json("form", bytes)?;
    match forms::contradiction(&form.fields) {
        None => Ok(form),
        Some((zh, en)) => Err(finding("form", Place { line: 1, column: 1 }, zh, en)),
    }
}

/// Reads and checks a rule for candidates.
pub(crate) fn candidate_rule(bytes: &[u8]) -> Result<CandidateRule, Finding> {
    let rule: CandidateRule = from_json("candidateRule", bytes)?;
    match rule.contradiction() {
        None => Ok(rule),
        Some((zh, en)) => Err(finding("candidateRule", Place { line: 1, column: 1 }, zh, en)),
    }
}

/// Checks a model that is no drawing: a form or a rule for candidates. What is wrong, with its place.
pub fn check_document(kind: ModelKind, bytes: &[u8]) -> Result<(), Finding> {
    match kind {
        ModelKind::CandidateRule => candidate_rule(bytes).map(drop),
        _ => form(bytes).map(drop),
    }
}

fn from_json<T: serde::de::DeserializeOwned>(rule: &'static str, bytes: &[u8]) -> Result<T, Finding> {
    serde_json::from_slice(bytes).map_err(|cause| {
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let place = Place {
            line: number(cause.line()),
            column: number(cause.column()),
        };
        let zh = format!("文件不符合规定的 JSON 格式：{cause}");
        finding(rule, place, zh, format!("the file is not what it should be: {cause}"))
    })
}

fn finding(rule: &'static str, place: Place, message_zh: String, message: String) -> Finding {
    Finding {
        rule,
        severity: Severity::Error,
        place,
        element: None,
        message,
        message_zh,
    }
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
        ModelKind::Form | ModelKind::CandidateRule => check_document(kind, bytes).map_err(|finding| sentences(&[finding])),
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
