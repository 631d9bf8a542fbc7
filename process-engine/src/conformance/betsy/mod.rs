//! Betsy, the conformance suite of the University of Bamberg: features of BPMN, each with a model and the marks that it
//! must leave; and models that break one constraint of the standard each and must be refused.

mod case;
mod words;

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;

use crate::bpmn;

pub use case::Got;

/// A feature of the standard, and how it is tried.
#[derive(Debug, Clone, Deserialize)]
pub struct Feature {
    /// Its name.
    #[serde(rename = "feature")]
    pub name: String,
    /// The file of its model, as the suite names it.
    pub model: String,
    /// How it is tried.
    pub cases: Vec<Case>,
}

/// One try.
#[derive(Debug, Clone, Deserialize)]
pub struct Case {
    /// The text that the process begins with.
    #[serde(default)]
    pub input: Option<String>,
    /// The number that the process begins with.
    #[serde(default)]
    pub int: i64,
    /// How long it is waited before the marks are compared.
    #[serde(default)]
    pub delay_ms: u32,
    /// The marks that it must leave, in any order.
    pub trace: Vec<String>,
    /// Whether the other process of the file is started beside it.
    #[serde(default)]
    pub parallel_process: bool,
}

/// A case and what came of it.
#[derive(Debug, Clone)]
pub struct CaseResult {
    /// What was tried.
    pub case: Case,
    /// What came of it.
    pub got: Got,
    /// Whether it is what the suite expects.
    pub passes: bool,
}

/// A feature and what came of its cases.
#[derive(Debug, Clone)]
pub struct FeatureResult {
    /// The feature.
    pub name: String,
    /// Its cases.
    pub cases: Vec<CaseResult>,
}

impl FeatureResult {
    /// Whether every case passes.
    pub fn passes(&self) -> bool {
        self.cases.iter().all(|case| case.passes)
    }
}

/// A model that must be refused, and whether it was.
#[derive(Debug, Clone)]
pub struct Reject {
    /// The file, as the caller names it.
    pub file: String,
    /// The first error that was found; none: the model was accepted.
    pub finding: Option<String>,
}

/// What came of the suite.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The features.
    pub features: Vec<FeatureResult>,
    /// The models that must be refused.
    pub rejects: Vec<Reject>,
}

/// Runs the features of a `cases.json`. `load` gives the bytes of a model by the name that the suite gives it.
///
/// # Errors
/// If the list of cases cannot be read, or a model is not there.
pub fn run(cases: &str, load: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>) -> Result<Outcome, String> {
    let features: Vec<Feature> = serde_json::from_str(cases).map_err(|cause| format!("the list of cases: {cause}"))?;
    let mut outcome = Outcome::default();
    for feature in features {
        let bytes = load(&feature.model)?;
        outcome.features.push(try_feature(&feature, &bytes));
    }
    Ok(outcome)
}

/// Tries one feature with the bytes of its model.
pub fn try_feature(feature: &Feature, bytes: &[u8]) -> FeatureResult {
    // What the features try is the standard, not what an office is warned of.
    let options = bpmn::ReadOptions {
        by_the_letter: true,
        ..reading()
    };
    let model = bpmn::read(bytes, &options);
    let tried = feature.cases.iter().map(|case| {
        let got = match &model {
            Ok(read) => case::play(feature, &read.definitions, case),
            Err(refused) => Got::refused(first_error(refused)),
        };
        CaseResult {
            case: case.clone(),
            passes: got.is_as_expected(&case.trace),
            got,
        }
    });
    FeatureResult {
        name: feature.name.clone(),
        cases: tried.collect(),
    }
}

/// Reads a model that must be refused.
pub fn try_reject(file: &str, bytes: &[u8]) -> Reject {
    let read = bpmn::read(bytes, &reading());
    Reject {
        file: file.to_owned(),
        finding: read.err().as_ref().map(first_error),
    }
}

impl Outcome {
    /// How many features pass.
    pub fn features_passed(&self) -> usize {
        self.features.iter().filter(|feature| feature.passes()).count()
    }

    /// How many cases there are, and how many pass.
    pub fn cases(&self) -> (usize, usize) {
        let all = || self.features.iter().flat_map(|feature| &feature.cases);
        (all().filter(|case| case.passes).count(), all().count())
    }

    /// How many models were refused.
    pub fn rejected(&self) -> usize {
        self.rejects.iter().filter(|reject| reject.finding.is_some()).count()
    }

    /// Whether nothing is missed.
    pub fn is_complete(&self) -> bool {
        self.features_passed() == self.features.len() && self.rejected() == self.rejects.len()
    }
}

/// Every miss with what was expected and what came, then the summary.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for feature in &self.features {
            for case in feature.cases.iter().filter(|case| !case.passes) {
                let (input, int) = (case.case.input.as_deref().unwrap_or("-"), case.case.int);
                writeln!(f, "miss {} input {input} int {int}", feature.name)?;
                writeln!(f, "  expected {}", counted(&case.case.trace))?;
                writeln!(f, "  got      {}", case.got)?;
            }
        }
        for reject in self.rejects.iter().filter(|reject| reject.finding.is_none()) {
            writeln!(f, "miss {}: accepted, must be refused", reject.file)?;
        }
        let (passed, cases) = self.cases();
        write!(
            f,
            "tests {}/{} cases {passed}/{cases} rejects {}/{}",
            self.features_passed(),
            self.features.len(),
            self.rejected(),
            self.rejects.len()
        )
    }
}

/// Marks with their number, in order.
fn counted(marks: &[String]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for mark in marks {
        *counts.entry(mark).or_default() += 1;
    }
    let words = counts.iter().map(|(mark, count)| match count {
        1 => (*mark).to_owned(),
        count => format!("{mark}×{count}"),
    });
    format!("[{}]", words.collect::<Vec<_>>().join(" "))
}

/// The suite's scripts are words that only the host knows.
fn reading() -> bpmn::ReadOptions {
    bpmn::ReadOptions {
        foreign_scripts: true,
        ..bpmn::ReadOptions::default()
    }
}

fn first_error(refused: &bpmn::Rejected) -> String {
    let errors = refused
        .findings
        .iter()
        .filter(|finding| finding.severity == bpmn::Severity::Error);
    errors.map(ToString::to_string).next().unwrap_or_default()
}
