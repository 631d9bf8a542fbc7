//! What was found so far, and where a rule says what it found.

use super::{
    ReadOptions,
    source::{Source, Xml},
};
use crate::finding::{Finding, Severity};

/// More findings than these are not collected: whoever has so many reads the first.
const MAX_FINDINGS: usize = 1_000;

/// What was found so far.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    list: Vec<Finding>,
}

impl Findings {
    pub(crate) fn add(&mut self, finding: Finding) {
        if self.list.len() < MAX_FINDINGS {
            self.list.push(finding);
        }
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.list.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// All of them in the order of the file.
    pub(crate) fn sorted(mut self) -> Vec<Finding> {
        self.list.sort_by_key(|finding| (finding.place, finding.severity));
        self.list.dedup();
        self.list
    }
}

/// Where a rule says what it found.
pub(crate) struct Report<'r, 'a> {
    pub(crate) source: &'r Source<'a>,
    pub(crate) options: ReadOptions,
    pub(crate) rule: &'static str,
    pub(crate) findings: &'r mut Findings,
}

impl<'a> Report<'_, 'a> {
    pub(crate) fn error(&mut self, at: Xml<'a>, message: impl Into<String>, message_zh: impl Into<String>) {
        self.say(Severity::Error, at, message.into(), message_zh.into());
    }

    pub(crate) fn warning(&mut self, at: Xml<'a>, message: impl Into<String>, message_zh: impl Into<String>) {
        self.say(Severity::Warning, at, message.into(), message_zh.into());
    }

    /// An error by the letter of the standard; a warning in the dialects, whose tools have always left this out.
    pub(crate) fn strict(&mut self, at: Xml<'a>, message: impl Into<String>, message_zh: impl Into<String>) {
        let severity = if self.source.is_dialect() {
            Severity::Warning
        } else {
            Severity::Error
        };
        self.say(severity, at, message.into(), message_zh.into());
    }

    fn say(&mut self, severity: Severity, at: Xml<'a>, message: String, message_zh: String) {
        self.findings
            .add(self.source.finding(self.rule, severity, at, message, message_zh));
    }
}
