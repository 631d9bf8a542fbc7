//! Forms of tasks and rules for candidates as they are deployed beside the models (表单, 候选人规则).

use std::collections::BTreeSet;

use domain::case::{
    Explain,
    form::{Defect, Field, FieldKind, FormDefinition, defects},
};
use process_engine::{
    instance::{Bindings, Key, Outcome},
    model::Strategy,
};
use serde::Deserialize;
use serde_json::Value;

/// The most fields of one form, and the most entries of one rule.
const MAX_ENTRIES: usize = 500;

/// What is wrong: in Chinese and in English.
type Wrong = (String, String);

/// A rule for candidates: everybody whom any of its entries finds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CandidateRule {
    /// 名称
    #[serde(default, rename = "title_zh")]
    _title_zh: Option<String>,
    /// The same in English.
    #[serde(default, rename = "title_en")]
    _title_en: Option<String>,
    /// Its entries.
    candidates: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    strategy: Strategy,
    #[serde(default)]
    parameter: Option<String>,
}

impl CandidateRule {
    /// The strategies and their parameters.
    pub(crate) fn people(&self) -> impl Iterator<Item = (Strategy, Option<String>)> {
        self.candidates.iter().map(|entry| (entry.strategy, entry.parameter.clone()))
    }

    /// What cannot be so.
    pub(crate) fn contradiction(&self) -> Option<Wrong> {
        if self.candidates.is_empty() || self.candidates.len() > MAX_ENTRIES {
            return Some((
                format!("candidates 应有 1 至 {MAX_ENTRIES} 条"),
                format!("candidates must have 1 to {MAX_ENTRIES} entries"),
            ));
        }
        // An expression belongs to the model that its variables are of.
        let computed = self.candidates.iter().any(|entry| entry.strategy == Strategy::Expression);
        computed.then(|| {
            (
                "候选人规则不能用 Expression，请在流程图中写表达式".to_owned(),
                "a rule cannot use Expression; write the expression in the model".to_owned(),
            )
        })
    }
}

/// What cannot be so in the fields of a form.
pub(crate) fn contradiction(fields: &[Field]) -> Option<Wrong> {
    if fields.is_empty() || fields.len() > MAX_ENTRIES {
        return Some((
            format!("字段应有 1 至 {MAX_ENTRIES} 个"),
            format!("there must be 1 to {MAX_ENTRIES} fields"),
        ));
    }
    let mut names = BTreeSet::new();
    for field in fields {
        let name = &field.name;
        if name.trim().is_empty() || !names.insert(name) {
            return Some((
                format!("字段名“{name}”为空或重复"),
                format!("the field name “{name}” is empty or stands twice"),
            ));
        }
        if field.kind == FieldKind::Choice && field.choices.is_empty() {
            return Some((
                format!("字段“{name}”没有可选的值"),
                format!("the field “{name}” has no choices"),
            ));
        }
        if field.kind == FieldKind::Rows {
            let wrong = contradiction(&field.fields);
            if wrong.is_some() {
                return wrong;
            }
        }
    }
    None
}

/// The form of a task is not filled in as it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the form of task {task} is not filled in as it should be: {}", said(.defects, |defect| &defect.en))]
pub struct FormFaulty {
    /// The task.
    pub task: Key,
    /// What is wrong, in the order of the form.
    pub defects: Vec<Defect>,
}

impl Explain for FormFaulty {
    fn code(&self) -> String {
        "FORM_FAULTY".to_owned()
    }

    fn zh(&self) -> String {
        format!("任务表单填写有误：{}", said(&self.defects, |defect| &defect.zh))
    }

    fn field(&self) -> Option<String> {
        self.defects.first().map(|defect| format!("input.form.{}", defect.field))
    }
}

fn said(defects: &[Defect], word: impl Fn(&Defect) -> &str) -> String {
    let words: Vec<&str> = defects.iter().map(word).collect();
    words.join("; ")
}

/// Checks the answers of a task against its form. Whoever does not agree need not fill it in; what they write must be right.
pub(crate) fn check(task: Key, form: &FormDefinition, answers: &Bindings, outcome: &Outcome) -> Result<(), FormFaulty> {
    let written = Value::Object(answers.clone().into_iter().collect());
    let mut found = match outcome {
        Outcome::Rejected | Outcome::Abstained => defects(&written, &nothing_required(form)),
        Outcome::Approved | Outcome::Other(_) => defects(&written, form),
    };
    // Answers become variables of the process: a form gives no way to others than its own.
    let unknown = answers
        .keys()
        .filter(|name| !form.fields.iter().any(|field| field.name == **name));
    found.extend(unknown.map(|name| Defect {
        field: name.clone(),
        zh: format!("表单没有字段“{name}”"),
        en: format!("the form has no field “{name}”"),
    }));
    if found.is_empty() {
        return Ok(());
    }
    Err(FormFaulty { task, defects: found })
}

fn nothing_required(form: &FormDefinition) -> FormDefinition {
    let mut form = form.clone();
    form.fields.iter_mut().for_each(|field| field.required = false);
    form
}
