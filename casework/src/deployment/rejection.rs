//! Why a model is not deployed.

use chrono::NaiveDate;
use domain::case::{Explain, code_of};

use super::{MAX_MODEL_BYTES, MAX_WORD_BYTES};

/// Why not. A sentence that the asker can act on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::AsRefStr)]
#[allow(missing_docs, reason = "the sentences explain themselves")]
pub enum Rejection {
    #[error("{key:?} is no key; use letters, digits, `_`, `-` and `.`")]
    BadKey { key: String },
    #[error("{field} must be written, in at most {MAX_WORD_BYTES} bytes")]
    WordMissing { field: String },
    #[error("{percent} is no share of a hundred")]
    NoShare { percent: u32 },
    #[error("the model is larger than {MAX_MODEL_BYTES} bytes")]
    TooLarge,
    #[error("it would take effect on {effective_from}, before {on}; what runs already is never changed")]
    InThePast { effective_from: NaiveDate, on: NaiveDate },
    #[error("the model cannot be deployed: {}", .findings.join("; "))]
    ModelFaulty { findings: Vec<String> },
    #[error("version {version} is the same file")]
    SameAsBefore { version: u32 },
    #[error("there is no version {version} of {key}")]
    NoSuchVersion { key: String, version: u32 },
    #[error("version {version} of {key} does not wait for approval")]
    NotWaiting { key: String, version: u32 },
    #[error("version {version} of {key} is not in force")]
    NotInForce { key: String, version: u32 },
    #[error("whoever proposed a model cannot approve it; ask somebody else")]
    OwnProposal,
}

impl Explain for Rejection {
    fn code(&self) -> String {
        code_of(self.as_ref())
    }

    fn zh(&self) -> String {
        match self {
            Self::BadKey { key } => format!("模型键 {key} 有误，只能用字母、数字、_、- 和 ."),
            Self::WordMissing { field } => format!("请填写 {field}，不超过 {MAX_WORD_BYTES} 字节"),
            Self::NoShare { percent } => format!("比例 {percent} 有误，应为 0 到 100"),
            Self::TooLarge => format!("模型不能超过 {MAX_MODEL_BYTES} 字节"),
            Self::InThePast { effective_from, on } => format!("生效日期 {effective_from} 不能早于今天 {on}"),
            Self::ModelFaulty { findings } => format!("模型有误：{}", findings.join("；")),
            Self::SameAsBefore { version } => format!("与第 {version} 版文件相同"),
            Self::NoSuchVersion { key, version } => format!("{key} 没有第 {version} 版"),
            Self::NotWaiting { key, version } => format!("{key} 第 {version} 版不在待批准状态"),
            Self::NotInForce { key, version } => format!("{key} 第 {version} 版未生效"),
            Self::OwnProposal => "提出人不能批准自己提出的模型，请由他人批准".to_owned(),
        }
    }

    fn field(&self) -> Option<String> {
        Some(
            match self {
                Self::BadKey { .. } => "key",
                Self::WordMissing { field } => field,
                Self::NoShare { .. } => "percent",
                Self::TooLarge | Self::ModelFaulty { .. } | Self::SameAsBefore { .. } => "source",
                Self::InThePast { .. } => "effectiveFrom",
                Self::NoSuchVersion { .. } | Self::NotWaiting { .. } | Self::NotInForce { .. } => "version",
                Self::OwnProposal => return None,
            }
            .to_owned(),
        )
    }
}
