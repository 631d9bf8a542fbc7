//! What was found so far, and where a rule says what it found.

use super::{
    ReadOptions,
    source::{Source, Xml},
};
use crate::finding::{Finding, Severity};

/// More findings than these are not collected: whoever has so many reads the first.
const MAX_FINDINGS: usize = 1_000;

/// A message that is longer is cut off: nobody reads more of it.
const MAX_MESSAGE_CHARACTERS: usize = 2_000;

/// What was found so far.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    list: Vec<Finding>,
    has_errors: bool,
}

impl Findings {
    pub(crate) fn add(&mut self, mut finding: Finding) {
        let is_error = finding.severity == Severity::Error;
        // However many warnings there are, the first error is told: whoever is refused reads why.
        if self.list.len() >= MAX_FINDINGS && (!is_error || self.has_errors) {
            return;
        }
        self.has_errors |= is_error;
        shorten(&mut finding.message);
        shorten(&mut finding.message_zh);
        self.list.push(finding);
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.has_errors
    }

    /// All of them in the order of the file.
    pub(crate) fn sorted(mut self) -> Vec<Finding> {
        self.list.sort_by_key(|finding| (finding.place, finding.severity));
        self.list.dedup();
        self.list
    }
}

/// A message may repeat what is written in the file, which may be anything.
fn shorten(message: &mut String) {
    if let Some((at, _)) = message.char_indices().nth(MAX_MESSAGE_CHARACTERS) {
        message.truncate(at);
        message.push('…');
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
