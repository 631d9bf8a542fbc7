//! Models that a case type brings along: how its work goes (BPMN), what its tables decide (DMN). Here they are bytes
//! only: whoever runs processes reads them.

use serde::{Deserialize, Serialize};

/// What a model is.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
)]
pub enum ModelKind {
    /// 流程: a process in BPMN 2.0.
    Bpmn,
    /// 决策表: decisions in DMN.
    Dmn,
    /// 表单
    Form,
    /// 候选人规则
    CandidateRule,
}

/// A model that the program carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmbeddedModel {
    /// What it is called among all models. The one whose key is the category of a case type is the way that its cases go.
    pub key: &'static str,
    /// What it is.
    pub kind: ModelKind,
    /// Grows by one with each change of the file.
    pub version: u32,
    /// The file.
    pub bytes: &'static [u8],
}
