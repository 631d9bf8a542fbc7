//! From XML to the executable graph. What cannot be expressed there is a finding, never left out silently.
//!
//! It also runs over models that other rules reject, so that all findings come at once; then what it makes is thrown away.

mod approvals;
mod data;
mod events;
mod expressions;
mod graph;
mod handling;
mod jobs;
mod loops;
mod messages;
mod tasks;

use std::{collections::HashMap, sync::Arc};

use super::{
    ReadOptions,
    report::Findings,
    source::{Source, Xml, attr, kids_of},
};
use crate::{
    finding::Severity,
    model::{Definitions, Process, ProcessRef, Translation},
};

pub(super) use approvals::timeout_of;

/// What the compilation of a file has at hand.
pub(super) struct Compiler<'r, 'a> {
    source: &'r Source<'a>,
    options: ReadOptions,
    findings: &'r mut Findings,
    translations: Vec<Translation>,
    /// The names of messages that a message flow gives to both of its ends, by the id of the end.
    shared_messages: HashMap<&'a str, String>,
}

/// Makes the executable graphs of all processes of a file.
pub(super) fn definitions(source: &Source<'_>, options: ReadOptions, hash: &Arc<str>, findings: &mut Findings) -> Definitions {
    let mut compiler = Compiler {
        source,
        options,
        findings,
        translations: Vec::new(),
        shared_messages: messages::shared(source),
    };
    let root = source.root();
    let processes: Vec<Arc<Process>> = kids_of(root, "process")
        .filter_map(|process| {
            let id = super::source::id(process)?;
            let reference = ProcessRef {
                model: hash.clone(),
                process: id.into(),
            };
            Some(Arc::new(compiler.process(process, reference)))
        })
        .collect();
    Definitions {
        hash: hash.clone(),
        name: attr(root, "name").map(str::to_owned),
        target_namespace: attr(root, "targetNamespace").unwrap_or_default().to_owned(),
        processes,
        translations: compiler.translations,
    }
}

impl<'a> Compiler<'_, 'a> {
    fn error(&mut self, rule: &'static str, at: Xml<'a>, message: impl Into<String>, message_zh: impl Into<String>) {
        let finding = self
            .source
            .finding(rule, Severity::Error, at, message.into(), message_zh.into());
        self.findings.add(finding);
    }

    fn warning(&mut self, rule: &'static str, at: Xml<'a>, message: impl Into<String>, message_zh: impl Into<String>) {
        let finding = self
            .source
            .finding(rule, Severity::Warning, at, message.into(), message_zh.into());
        self.findings.add(finding);
    }
}
