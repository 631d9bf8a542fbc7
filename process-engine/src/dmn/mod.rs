//! Decision tables and decision requirements (DMN 1.2 to 1.5), fenced like expressions. The tables are dsntk's; which rules
//! matched is found here, so that it can stand in the history.

mod fencing;
mod matching;
pub mod tck;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use dsntk_feel::{Name, context::FeelContext};
use dsntk_model::{DmnElement as _, NamedElement as _};
use dsntk_model_evaluator::ModelEvaluator;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    expression::{Variables, bridge},
    finding::{Finding, Rejected},
};
use matching::Table;

/// The largest model that is read.
pub const MAX_MODEL_BYTES: usize = 1024 * 1024;

/// How decision models are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReadOptions {
    /// The model comes from somebody who is trusted with loops and functions, such as a test suite.
    pub trusted: bool,
}

/// A decision model that was read and checked.
#[derive(Clone)]
pub struct DecisionModel(Arc<Inner>);

struct Inner {
    hash: Arc<str>,
    namespace: String,
    name: String,
    decisions: Vec<Decision>,
    evaluator: Arc<ModelEvaluator>,
}

/// A decision of a model.
#[derive(Debug, Clone)]
pub struct Decision {
    /// Its id in the model.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it, and everything that it asks, may look at.
    inputs: Vec<String>,
    table: Option<Arc<Table>>,
}

/// What a decision gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// Its result.
    pub outputs: Value,
    /// The rules of its table that matched, from 1.
    pub rules: Vec<u32>,
    /// What it looked at.
    pub inputs: BTreeMap<String, Value>,
}

impl fmt::Debug for DecisionModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DecisionModel({} {})", self.0.name, self.0.hash)
    }
}

/// Reads a decision model.
pub fn read(bytes: &[u8], options: ReadOptions) -> Result<DecisionModel, Rejected> {
    let refused = |rule, message: String, message_zh: &str| Rejected {
        findings: vec![Finding::whole_file(rule, message, message_zh.to_owned())],
    };
    if bytes.len() > MAX_MODEL_BYTES {
        return Err(refused(
            "size",
            format!("the model is larger than {MAX_MODEL_BYTES} bytes"),
            "决策模型文件过大",
        ));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|cause| {
            refused(
                "encoding",
                format!("the model is not UTF-8: {cause}"),
                "决策模型不是 UTF-8 编码",
            )
        })?
        .trim_start_matches('\u{feff}');
    let document = roxmltree::Document::parse(text)
        .map_err(|cause| refused("xml", format!("the model is not XML: {cause}"), "决策模型不是合法的 XML"))?;
    let findings = fencing::check(&document, options);
    if !findings.is_empty() {
        return Err(Rejected { findings });
    }
    // The reader is not ours: whatever it stumbles over is a bad model, not the end of the program.
    let read = catch_unwind(AssertUnwindSafe(|| {
        let definitions = dsntk_model::parse(text).map_err(|cause| cause.to_string())?;
        let evaluator = ModelEvaluator::new(std::slice::from_ref(&definitions)).map_err(|cause| cause.to_string())?;
        Ok::<_, String>((definitions, evaluator))
    }));
    let (definitions, evaluator) = match read {
        Ok(Ok(read)) => read,
        Ok(Err(cause)) => {
            return Err(refused(
                "dmn",
                format!("the model cannot be read as DMN: {cause}"),
                "无法读取为 DMN 模型",
            ));
        }
        Err(_) => {
            return Err(refused(
                "dmn",
                "the model cannot be read as DMN".to_owned(),
                "无法读取为 DMN 模型",
            ));
        }
    };
    let decisions = matching::decisions(&document);
    if decisions.is_empty() && definitions.decision_services().is_empty() && definitions.business_knowledge_models().is_empty() {
        return Err(refused(
            "decision",
            "the model holds no decision".to_owned(),
            "模型中没有决策",
        ));
    }
    Ok(DecisionModel(Arc::new(Inner {
        hash: Sha256::digest(bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
            .into(),
        namespace: definitions.namespace().to_owned(),
        name: definitions.name().to_owned(),
        decisions,
        evaluator,
    })))
}

impl DecisionModel {
    /// SHA-256 of the bytes that were read, in hexadecimal.
    pub fn hash(&self) -> &Arc<str> {
        &self.0.hash
    }

    /// Its decisions.
    pub fn decisions(&self) -> &[Decision] {
        &self.0.decisions
    }

    /// The decision of this id or name.
    pub fn find(&self, decision: &str) -> Option<&Decision> {
        self.0.decisions.iter().find(|one| one.id == decision || one.name == decision)
    }

    /// Asks a decision, by its id or name, or anything else of the model that can be asked, by its name.
    pub fn evaluate(&self, decision: &str, variables: &dyn Variables) -> Result<Decided, String> {
        let known = self.find(decision);
        let empty = Vec::new();
        let mut inputs = BTreeMap::new();
        for name in known.map_or(&empty, |decision| &decision.inputs) {
            if let Some(value) = variables.get(name) {
                inputs.insert(name.clone(), value.into_owned());
            }
        }
        let outputs = self.ask(known.map_or(decision, |decision| &decision.name), &inputs)?;
        let rules = match known.and_then(|decision| decision.table.as_ref()) {
            Some(table) => table.matched(variables),
            None => Vec::new(),
        };
        Ok(Decided { outputs, rules, inputs })
    }

    /// Asks whatever has this name, with these inputs.
    pub(crate) fn ask(&self, name: &str, inputs: &BTreeMap<String, Value>) -> Result<Value, String> {
        let mut context = FeelContext::default();
        let mut size = bridge::Size::default();
        for (name, value) in inputs {
            context.set_entry(&Name::from(name.as_str()), bridge::to_feel(value, &mut size)?);
        }
        self.ask_feel(name, &context).and_then(bridge::to_json)
    }

    /// The same with FEEL's own values.
    pub(crate) fn ask_feel(&self, name: &str, context: &FeelContext) -> Result<dsntk_feel::values::Value, String> {
        let inner = &self.0;
        catch_unwind(AssertUnwindSafe(|| {
            inner
                .evaluator
                .evaluate_invocable(&inner.namespace, &inner.name, name, context)
        }))
        .map_err(|_| format!("{name} could not be evaluated"))
    }
}
