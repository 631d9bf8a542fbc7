//! Why a command of the command line did not do what was asked, and what to do: a line in Chinese, a line in English.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A sentence for each reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    zh: String,
    en: String,
}

impl Failure {
    /// What went wrong and what to do, in both languages.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            zh: zh.into(),
            en: en.into(),
        }
    }

    /// What was being done when something below said no; its own words follow in both lines.
    pub fn doing(zh: &str, en: &str, cause: impl fmt::Display) -> Self {
        Self::new(format!("{zh}：{cause}"), format!("{en}: {cause}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "错误：{}\nerror: {}", self.zh, self.en)
    }
}

impl std::error::Error for Failure {}

impl From<crate::place::PlaceError> for Failure {
    fn from(error: crate::place::PlaceError) -> Self {
        let zh = error.zh();
        Self::new(zh, error.to_string())
    }
}
