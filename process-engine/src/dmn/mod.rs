//! Decision tables and decision requirements (DMN 1.2 to 1.5), fenced like expressions. The evaluation is dsntk's; which
//! rules matched is asked of it as well, so that it can stand in the history.

mod budget;
mod fencing;
mod logic;
mod look_ups;
pub mod tck;
#[cfg(test)]
mod tests;
mod twins;
mod types;

use std::{
    collections::{BTreeMap, HashSet},
    fmt::{self, Write as _},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use dsntk_feel::{Name, context::FeelContext, values::Value as FeelValue};
use dsntk_model::{DmnElement as _, NamedElement as _};
use dsntk_model_evaluator::ModelEvaluator;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    expression::{
        Variables,
        bridge::{self, Size},
    },
    finding::{Finding, Rejected},
};
use budget::Budget;
use fencing::Notes;
use logic::{Hits, Kind, Logic};
use look_ups::LookedAt;
use types::{Type, Types};

/// The largest model that is read.
pub const MAX_MODEL_BYTES: usize = 1024 * 1024;

/// How decision models are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReadOptions {
    /// The model comes from somebody who means no harm, such as a test suite: it may read the clock, call services and loop
    /// without a budget. Only what would end the program is refused.
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
    /// What the model says, for reckoning what it costs; none, if it is trusted.
    logic: Option<Logic>,
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
    inputs: Vec<Input>,
    /// Its place among the elements of the model.
    place: usize,
    /// How the rules of its table hit, if its logic is one.
    hits: Option<Hits>,
}

/// Something that a decision looks at.
#[derive(Debug, Clone)]
struct Input {
    name: String,
    /// What it is said to be.
    expected: Type,
    /// How much of it is looked at.
    looked_at: LookedAt,
}

impl Decision {
    /// The names of what it, and everything that it asks, looks at.
    pub fn inputs(&self) -> impl Iterator<Item = &str> {
        self.inputs.iter().map(|input| input.name.as_str())
    }
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
    crate::bpmn::may_be_parsed(text).map_err(|refusal| Rejected {
        findings: vec![refusal.found_in(text)],
    })?;
    let document = roxmltree::Document::parse(text)
        .map_err(|cause| refused("xml", format!("the model is not XML: {cause}"), "决策模型不是合法的 XML"))?;
    let root = document.root_element();
    let mut notes = Notes::new(&document);
    let mut logic = Logic::default();
    if fencing::shape(root, &mut notes) {
        logic = logic::read(root, &mut notes);
        fencing::requirements(root, &logic, &mut notes);
        if options.trusted {
            notes.findings.retain(|finding| FATAL.contains(&finding.rule));
        } else {
            fencing::elements(root, &mut notes);
        }
    }
    if !notes.findings.is_empty() {
        return Err(Rejected {
            findings: notes.findings,
        });
    }
    let decisions = decisions(&logic, &Types::of(root));
    if decisions.is_empty() && logic.elements.iter().all(|element| element.kind == Kind::Input) {
        return Err(refused(
            "decision",
            "the model holds no decision".to_owned(),
            "模型中没有决策",
        ));
    }
    let (namespace, name, evaluator) = built(&twins::with_twins(text, root, &logic)).map_err(|cause| {
        refused(
            "dmn",
            format!("the model cannot be read as DMN{cause}"),
            "无法读取为 DMN 模型",
        )
    })?;
    Ok(DecisionModel(Arc::new(Inner {
        hash: hash_of(bytes).into(),
        namespace,
        name,
        decisions,
        logic: (!options.trusted).then_some(logic),
        evaluator,
    })))
}

/// SHA-256 in hexadecimal.
fn hash_of(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What would end the program, whoever wrote it.
const FATAL: [&str; 5] = ["bounds", "circle", "dmn", "external", "size"];

/// The evaluator of a model. The reader is not ours: whatever it stumbles over is a bad model, not the end of the program.
fn built(text: &str) -> Result<(String, String, Arc<ModelEvaluator>), String> {
    let read = catch_unwind(AssertUnwindSafe(|| {
        let definitions = dsntk_model::parse(text).map_err(|cause| cause.to_string())?;
        let evaluator = ModelEvaluator::new(std::slice::from_ref(&definitions)).map_err(|cause| cause.to_string())?;
        Ok::<_, String>((definitions.namespace().to_owned(), definitions.name().to_owned(), evaluator))
    }));
    match read {
        Ok(read) => read.map_err(|cause| format!(": {cause}")),
        Err(_) => Err(String::new()),
    }
}

fn decisions(logic: &Logic, types: &Types<'_>) -> Vec<Decision> {
    let all = logic.elements.iter().enumerate();
    all.filter(|(_, element)| element.kind == Kind::Decision)
        .map(|(place, element)| {
            let mut inputs = Vec::new();
            let mut seen = HashSet::from([place]);
            let mut open = vec![place];
            while let Some(at) = open.pop() {
                let needed = &logic.elements[at];
                if matches!(needed.kind, Kind::Input | Kind::Implicit) {
                    let expected = types.named(needed.type_ref.as_deref());
                    inputs.push(Input {
                        name: needed.variable.to_string(),
                        looked_at: match expected {
                            Type::Any => logic.look_ups.of(&needed.variable),
                            // What has a type is that as a whole.
                            _ => LookedAt::Whole,
                        },
                        expected,
                    });
                }
                open.extend(needed.requires.iter().filter(|next| seen.insert(**next)));
            }
            inputs.sort_by(|a, b| a.name.cmp(&b.name));
            Decision {
                id: element.id.clone(),
                name: element.name.clone(),
                inputs,
                place,
                hits: element.hits,
            }
        })
        .collect()
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

    /// Asks a decision, by its id or name. No rule that matches gives null, unless the table says what else: the caller
    /// makes an incident of it. An input that is not what the model says it is is an error.
    pub fn evaluate(&self, decision: &str, variables: &dyn Variables) -> Result<Decided, String> {
        let known = self
            .find(decision)
            .ok_or_else(|| format!("there is no decision {decision:?} in the model {}", self.0.name))?;
        let mut context = FeelContext::default();
        let mut size = Size::default();
        let mut inputs = BTreeMap::new();
        for Input {
            name,
            expected,
            looked_at,
        } in &known.inputs
        {
            let Some(value) = variables.get(name) else { continue };
            let value = looked_at.of(value);
            let read = expected
                .read(&value, &mut size)
                .map_err(|reason| format!("{name}: {reason}"))?;
            context.set_entry(&Name::from(name.as_str()), read);
            inputs.insert(name.clone(), value.into_owned());
        }
        if let Some(logic) = &self.0.logic {
            Budget::new(logic, &inputs).afford(known.place)?;
        }
        let outputs = bridge::to_json(self.ask_feel(&known.name, &context)?)?;
        let mut rules = match known.hits {
            Some(_) => rule_numbers(&self.ask_feel(&twins::twin_of(known.place), &context)?),
            None => Vec::new(),
        };
        if known.hits == Some(Hits::First) {
            rules.truncate(1);
        }
        Ok(Decided { outputs, rules, inputs })
    }

    /// The same with FEEL's own values.
    pub(crate) fn ask_feel(&self, name: &str, context: &FeelContext) -> Result<FeelValue, String> {
        let inner = &self.0;
        catch_unwind(AssertUnwindSafe(|| {
            inner
                .evaluator
                .evaluate_invocable(&inner.namespace, &inner.name, name, context)
        }))
        .map_err(|_| format!("{name} could not be evaluated"))
    }
}

/// The rules that a twin found.
fn rule_numbers(value: &FeelValue) -> Vec<u32> {
    let number = |value: &FeelValue| value.to_string().parse::<u32>().ok();
    match value {
        FeelValue::List(numbers) => numbers.iter().filter_map(number).collect(),
        one => number(one).into_iter().collect(),
    }
}
