//! Whether a process can run to its end: nothing is out of reach, nothing runs in circles, nothing waits for ever.

mod circles;
mod net;
mod reach;
mod search;

use super::{
    ReadOptions,
    report::Findings,
    source::{Source, Xml},
};
use crate::{
    finding::Severity,
    model::{Definitions, NodeIx, NodeKind, Process, SubProcess},
};

/// Looks at each level of each process.
pub(super) fn look(source: &Source<'_>, definitions: &Definitions, options: ReadOptions, findings: &mut Findings) {
    for process in &definitions.processes {
        let mut said = Said {
            source,
            process,
            findings,
        };
        reach::look(&mut said);
        circles::look(&mut said);
        for level in levels(process)
            .into_iter()
            .filter(|_| !options.ends_by_construction && !options.by_the_letter)
        {
            search::look(&mut said, level);
        }
    }
}

/// The process's own level and those of its sub-processes, except where activities are begun by hand.
fn levels(process: &Process) -> Vec<Option<NodeIx>> {
    let mut levels = vec![None];
    for (node, at) in process.nodes.iter().zip(0..) {
        let by_hand = matches!(node.kind, NodeKind::SubProcess(SubProcess::AdHoc(_)));
        if matches!(node.kind, NodeKind::SubProcess(_)) && !by_hand {
            levels.push(Some(NodeIx(at)));
        }
    }
    levels
}

/// Where it is said what was found in a process.
struct Said<'r, 'a> {
    source: &'r Source<'a>,
    process: &'r Process,
    findings: &'r mut Findings,
}

impl<'a> Said<'_, 'a> {
    fn xml(&self, at: NodeIx) -> Xml<'a> {
        self.source
            .by_id(&self.process.node(at).id)
            .unwrap_or_else(|| self.source.root())
    }

    fn say(&mut self, rule: &'static str, severity: Severity, at: NodeIx, message: String, message_zh: String) {
        let finding = self.source.finding(rule, severity, self.xml(at), message, message_zh);
        self.findings.add(finding);
    }

    fn label(&self, at: NodeIx) -> String {
        super::source::label(self.xml(at))
    }
}
