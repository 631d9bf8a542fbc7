//! Reading BPMN 2.0 models: from bytes to the executable graph, or to all that is wrong with them.
//!
//! Unknown behaviour is refused, never ignored: what the engine would not do the way the model says is an error with its
//! line and column. The way of a file: [`guard`] (may it be parsed?), XML, [`rules`] (is it BPMN 2.0 by the letter, and does it
//! mean something?), [`compile`] (the graph), [`soundness`] (can it run to its end?).

mod compile;
mod dialect;
mod guard;
mod iso;
mod references;
mod report;
mod rules;
mod schema;
mod soundness;
mod source;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
pub mod zhulu;

use std::{fmt::Write, sync::Arc};

use sha2::{Digest, Sha256};

pub(crate) use self::guard::look as may_be_parsed;
pub use self::guard::{
    MAX_ATTRIBUTES, MAX_ELEMENTS, MAX_FLOWS, MAX_ID_CHARACTERS, MAX_MODEL_BYTES, MAX_NAMESPACE_DECLARATIONS, MAX_NESTING,
    MAX_NODES,
};
use self::{report::Findings, source::Source};
pub use crate::finding::{Finding, Rejected, Severity};
use crate::model::Definitions;

/// How models are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a question of its own, and most are asked by suites only"
)]
pub struct ReadOptions {
    /// Scripts in other words than FEEL are left to the host as jobs, and bare conditions are read as `${…}` is; otherwise
    /// such scripts are refused.
    pub foreign_scripts: bool,
    /// Execution and task listeners are left out with a warning, because the host does what they did; otherwise they are
    /// refused.
    pub listeners_done_by_host: bool,
    /// The search whether every level can run to its end is left out, because the model was drawn by a machine that makes no
    /// others; it is what takes time.
    pub ends_by_construction: bool,
    /// Only what the standard itself refuses is refused: a join that waits for ever, or a condition that a parallel gateway
    /// does not look at (10.6.4), is allowed by its letter, and no office wants it.
    pub by_the_letter: bool,
}

/// A model that was read, and what may be wrong with it all the same.
#[derive(Debug)]
pub struct Read {
    /// The model.
    pub definitions: Definitions,
    /// Warnings.
    pub findings: Vec<Finding>,
}

/// Reads a model.
pub fn read(bytes: &[u8], options: &ReadOptions) -> Result<Read, Rejected> {
    let (definitions, findings) = look(bytes, *options);
    match definitions {
        Some(definitions) if !findings.has_errors() => Ok(Read {
            definitions,
            findings: findings.sorted(),
        }),
        _ => Err(Rejected {
            findings: findings.sorted(),
        }),
    }
}

/// All that is wrong with a model, errors and warnings, in the order of the file.
pub fn check(bytes: &[u8], options: &ReadOptions) -> Vec<Finding> {
    look(bytes, *options).1.sorted()
}

fn look(bytes: &[u8], options: ReadOptions) -> (Option<Definitions>, Findings) {
    let mut findings = Findings::default();
    if bytes.len() > MAX_MODEL_BYTES {
        let message = format!("The model is larger than {MAX_MODEL_BYTES} bytes; split it.");
        findings.add(Finding::whole_file(
            "too-large",
            message,
            format!("模型超过 {MAX_MODEL_BYTES} 字节,请拆分。"),
        ));
        return (None, findings);
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(why) => {
            let message = format!("The model is not UTF-8: {why}.");
            findings.add(Finding::whole_file(
                "not-utf8",
                message,
                "模型文件不是 UTF-8 编码。".to_owned(),
            ));
            return (None, findings);
        }
    };
    if let Err(refusal) = guard::look(text) {
        findings.add(refusal.found_in(text));
        return (None, findings);
    }
    let document = match roxmltree::Document::parse(text) {
        Ok(document) => document,
        Err(why) => {
            let at = why.pos();
            findings.add(Finding {
                place: crate::model::Place {
                    line: at.row,
                    column: at.col,
                },
                ..Finding::whole_file(
                    "not-xml",
                    format!("The model is not well-formed XML: {why}."),
                    format!("模型不是合法的 XML:{why}。"),
                )
            });
            return (None, findings);
        }
    };
    if let Err(refusal) = guard::measure(&document) {
        findings.add(refusal.found_in(text));
        return (None, findings);
    }
    let source = Source::new(&document);
    rules::look(&source, options, &mut findings);
    let definitions = compile::definitions(&source, options, &hash_of(bytes), &mut findings);
    if !findings.has_errors() {
        // Whether it can run to its end is a question to a model that means something.
        soundness::look(&source, &definitions, options, &mut findings);
    }
    (Some(definitions), findings)
}

/// SHA-256 of the bytes, in hexadecimal: what a model is known by.
fn hash_of(bytes: &[u8]) -> Arc<str> {
    let mut digits = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing to a text cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits.into()
}
