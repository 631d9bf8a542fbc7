//! A first reader of BPMN 2.0 models, until the whole one is there.

mod activities;
mod events;

mod nodes;
mod roots;
mod users;
mod xml;

use std::sync::Arc;

use sha2::{Digest, Sha256};

pub use crate::finding::{Finding, Rejected, Severity};

use crate::model::Definitions;

/// The largest model that is read.
pub const MAX_MODEL_BYTES: usize = 4 * 1024 * 1024;

/// How models are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReadOptions {
    /// Scripts in other words than FEEL are left to the host as jobs; otherwise they are refused.
    pub foreign_scripts: bool,
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
    let refused = |message: String, message_zh: &str| Rejected {
        findings: vec![Finding::whole_file("xml", message, message_zh.to_owned())],
    };
    if bytes.len() > MAX_MODEL_BYTES {
        return Err(refused(
            format!("the model is larger than {MAX_MODEL_BYTES} bytes"),
            "模型文件过大",
        ));
    }
    let text =
        std::str::from_utf8(bytes).map_err(|cause| refused(format!("the model is not UTF-8: {cause}"), "模型不是 UTF-8 编码"))?;
    let document = roxmltree::Document::parse(text.trim_start_matches('\u{feff}'))
        .map_err(|cause| refused(format!("the model is not XML: {cause}"), "模型不是合法的 XML"))?;
    let hash: Arc<str> = Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>()
        .into();
    let mut reader = roots::Reader::new(&document, *options, hash);
    let definitions = reader.definitions();
    let findings = reader.findings;
    match definitions {
        Some(definitions) if findings.iter().all(|finding| finding.severity != Severity::Error) => {
            Ok(Read { definitions, findings })
        }
        _ => Err(Rejected { findings }),
    }
}
