//! Reading BPMN 2.0 models.

pub use crate::{
    finding::{Finding, Rejected, Severity},
    thin::{MAX_MODEL_BYTES, Read, ReadOptions, read},
};
