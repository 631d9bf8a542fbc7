//! What is wrong with a model, and where.

use serde::Serialize;

use crate::model::Place;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The model is not accepted.
    Error,
    /// The model is accepted; whoever drew it should look again.
    Warning,
}

/// One thing that is wrong with a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule that it offends: a stable name for tools and tests.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Where it stands in the file.
    pub place: Place,
    /// The id of the element, if it has one.
    pub element: Option<String>,
    /// What is wrong and what to do, in English.
    pub message: String,
    /// The same in Chinese.
    pub message_zh: String,
}

impl Finding {
    /// An error of the whole file.
    pub(crate) fn whole_file(rule: &'static str, message: String, message_zh: String) -> Self {
        Self {
            rule,
            severity: Severity::Error,
            place: Place { line: 1, column: 1 },
            element: None,
            message,
            message_zh,
        }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Place { line, column } = self.place;
        write!(f, "{line}:{column}: {} [{}]", self.message, self.rule)
    }
}

/// A model that is refused, with all that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the model is refused: {}", .findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct Rejected {
    /// What is wrong.
    pub findings: Vec<Finding>,
}
