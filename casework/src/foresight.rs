//! What comes next, and why things are where they are: a running process foreseen, its past explained, and a model tried
//! that nobody has deployed. Nothing is written.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use domain::case::{Explain, Kernel, Stage, code_of};
use process_engine::{
    dmn::DecisionModel,
    expression::Variables,
    finding::Finding,
    instance::{
        self, Answer, Ask, Bindings, Choice, Command, Ending, Event, Foresight, Here, Instance, Outcome, Outside, Person, ROOT,
        StartedBy, Step, Wait, Waiting,
    },
    model::{Definitions, ElementId, NodeKind, Process, ProcessRef, Strategy, Work},
};
use serde_json::{Value, json};

use crate::{AnyWork, desk::WorkDesk, outside::Around, reading, rejection::process_zh, step::comes_to};

/// The most steps for which somebody may say how they are decided.
pub const MAX_CHOICES: usize = 200;

/// The most files of decision tables that one trial brings along.
pub const MAX_TABLES_PER_TRIAL: usize = 20;

/// The most elements of a path that are shown: more is a page that nobody reads.
pub const MAX_PATH: usize = 2_000;

/// The outcomes of the law that a refusal comes to, where nobody says which.
const REFUSALS: [&str; 3] = ["NotAccept", "Refuse", "Return"];

/// The one who handles the case, before somebody was named.
const FUTURE_HANDLER: (&str, &str) = ("role:handler", "承办人（待分派）");

/// What comes next in the process of a case, if everybody agrees or decides as said. Where a step means a command of the
/// case, the law is taken to allow it, and the stage of the case moves with it.
pub fn foresee(work: &AnyWork, choices: &[Choice], desk: &WorkDesk) -> Vec<Step> {
    let context = desk.of_platform(work.kernel());
    let references = work.process.elements.values().filter_map(|element| element.process.as_ref());
    let processes: Vec<&Arc<Process>> = references.filter_map(|of| desk.library.process(of)).collect();
    let has_handler = work.kernel().handler.is_some();
    let choices = with_the_law(&processes, choices, has_handler);
    instance::predict(&work.process, &context, &choices)
}

/// Why everything in a process is where it is, from all that happened to it.
pub fn why(events: &[Event], kernel: &Kernel, desk: &WorkDesk) -> Vec<Here> {
    instance::explain(events, &Around::of(desk, kernel))
}

/// A model that is tried.
#[derive(Debug, Clone, Default)]
pub struct Trial {
    /// The file.
    pub source: Vec<u8>,
    /// Decision tables that are tried with it; before those that are in force.
    pub tables: Vec<Vec<u8>>,
    /// Which of its processes; none: the first that may be started.
    pub process: Option<String>,
    /// Who starts it; none: whoever tries it.
    pub starter: Option<Person>,
    /// The variables that it starts with; what a new case would have besides is filled in.
    pub data: Bindings,
    /// How steps are decided.
    pub choices: Vec<Choice>,
}

/// What a trial came to.
#[derive(Debug, Clone)]
pub struct Tried {
    /// The process.
    pub process: ProcessRef,
    /// What is asked of people and machines, in order.
    pub steps: Vec<Step>,
    /// Every element that was entered, in order, with its name.
    pub path: Vec<(ElementId, Option<String>)>,
    /// What decision tables answered, in order.
    pub decisions: Vec<TriedDecision>,
    /// What it waits for in the end.
    pub waits: Vec<Wait>,
    /// How it ended, if it did.
    pub ended: Option<Ending>,
    /// Its variables in the end.
    pub variables: Value,
}

/// What a decision table answered.
#[derive(Debug, Clone, PartialEq)]
pub struct TriedDecision {
    /// Where it was asked.
    pub element: Option<ElementId>,
    /// Which.
    pub decision: String,
    /// What it was asked with.
    pub inputs: Bindings,
    /// The rules that matched, from 1.
    pub rules: Vec<u32>,
    /// What it gave.
    pub outputs: Value,
}

/// Why a model cannot be tried.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TrialError {
    /// One of the files cannot be read, or says what cannot be done.
    #[error("{} is faulty", .file.map_or("the model".to_owned(), |number| format!("decision table {}", number + 1)))]
    Faulty {
        /// The place among the tables; none: the model itself.
        file: Option<usize>,
        /// What is wrong.
        findings: Vec<Finding>,
    },
    /// The file holds no such process, or none that may be started.
    #[error("the model has no process {0} that may be started")]
    NoProcess(String),
    /// It cannot be started so.
    #[error(transparent)]
    Refused(#[from] instance::Rejection),
}

impl Explain for TrialError {
    fn code(&self) -> String {
        match self {
            Self::Faulty { .. } => "MODEL_FAULTY".to_owned(),
            Self::NoProcess(_) => "NO_PROCESS".to_owned(),
            Self::Refused(rejection) => code_of(rejection.as_ref()),
        }
    }

    fn zh(&self) -> String {
        match self {
            Self::Faulty { file: None, .. } => "流程模型有错误，见检查结果".to_owned(),
            Self::Faulty { file: Some(number), .. } => format!("第 {} 个决策表有错误，见检查结果", number + 1),
            Self::NoProcess(name) if name.is_empty() => "模型中没有可启动的流程".to_owned(),
            Self::NoProcess(name) => format!("模型中没有可启动的流程 {name}"),
            Self::Refused(rejection) => process_zh::zh(rejection),
        }
    }

    fn field(&self) -> Option<String> {
        Some(match self {
            Self::Faulty { file: None, .. } => "input.source".to_owned(),
            Self::Faulty { file: Some(number), .. } => format!("input.tables.{number}"),
            Self::NoProcess(_) => "input.process".to_owned(),
            Self::Refused(_) => "input.data".to_owned(),
        })
    }
}

/// Tries a model from its beginning to wherever it comes.
pub fn try_out(trial: &Trial, desk: &WorkDesk) -> Result<Tried, TrialError> {
    let faulty = |file: Option<usize>| {
        move |rejected: process_engine::finding::Rejected| TrialError::Faulty {
            file,
            findings: rejected.findings,
        }
    };
    let definitions = reading::process(&trial.source).map_err(faulty(None))?.definitions;
    let mut tables = Vec::with_capacity(trial.tables.len());
    for (number, bytes) in trial.tables.iter().enumerate() {
        tables.push(reading::decisions(bytes).map_err(faulty(Some(number)))?);
    }
    let process = match &trial.process {
        Some(name) => definitions.process(name).filter(|process| process.executable),
        None => definitions.processes.iter().find(|process| process.executable),
    };
    let Some(process) = process.cloned() else {
        return Err(TrialError::NoProcess(trial.process.clone().unwrap_or_default()));
    };
    let kernel = Kernel::default();
    let all: Vec<&Arc<Process>> = definitions.processes.iter().collect();
    let choices = with_the_law(
        &all,
        &trial.choices,
        trial.data.get("handler").is_some_and(|handler| !handler.is_null()),
    );
    let mut context = desk.of_platform(&kernel);
    context.outside = Arc::new(Tries {
        around: Around::of(desk, &kernel),
        definitions,
        tables,
    });
    let actor = &desk.desk.actor;
    let start = Command::Start {
        process: process.reference.clone(),
        version: 0,
        starter: trial
            .starter
            .clone()
            .or_else(|| Some(crate::desk::person(&actor.id, &actor.name))),
        business_key: None,
        variables: as_a_new_case(&trial.data),
        by: StartedBy::Somebody,
    };
    let foresight = instance::try_out(&start, &context, &choices)?;
    Ok(tried(&process, foresight))
}

fn tried(process: &Process, foresight: Foresight) -> Tried {
    let Foresight { steps, events, state } = foresight;
    let mut path = Vec::new();
    let mut decisions = Vec::new();
    let mut so_far = Instance::default();
    for event in &events {
        match event {
            Event::ElementEntered { element, .. } if path.len() < MAX_PATH => {
                let name = process.find(element).and_then(|at| process.node(at).name.clone());
                path.push((element.clone(), name));
            }
            Event::DecisionEvaluated {
                key,
                decision,
                inputs,
                rules,
                outputs,
                ..
            } if decisions.len() < MAX_PATH => decisions.push(TriedDecision {
                element: so_far.elements.get(key).map(|element| element.element.clone()),
                decision: decision.clone(),
                inputs: inputs.clone(),
                rules: rules.clone(),
                outputs: outputs.clone(),
            }),
            _ => {}
        }
        <instance::ProcessInstance as decider::Decider>::evolve(&mut so_far, event);
    }
    Tried {
        process: process.reference.clone(),
        steps,
        path,
        decisions,
        waits: state.waits.values().cloned().collect(),
        variables: serde_json::to_value(state.variables.get(&ROOT)).unwrap_or_default(),
        ended: state.ended,
    }
}

/// What a new case tells its process, where the trial does not say it.
fn as_a_new_case(data: &Bindings) -> Bindings {
    let mut variables = Bindings::from([
        ("form".to_owned(), json!({})),
        ("facts".to_owned(), json!({})),
        ("stage".to_owned(), Value::String(Stage::Received.to_string())),
        ("handler".to_owned(), Value::Null),
    ]);
    variables.extend(data.clone());
    variables
}

/// The choices that were made, and for every step that means a command of the case what the law makes of it: the first
/// of its commands, or the one that was chosen by its name.
fn with_the_law(processes: &[&Arc<Process>], chosen: &[Choice], has_handler: bool) -> Vec<Choice> {
    let mut choices: Vec<Choice> = Vec::new();
    for process in processes {
        for node in &process.nodes {
            let NodeKind::Task(task) = &node.kind else { continue };
            let Work::User(user) = &task.work else { continue };
            if user.means.is_empty() || choices.iter().any(|choice| choice.element == node.id) {
                continue;
            }
            let asked = chosen.iter().find(|choice| choice.element == node.id);
            choices.extend(by_law(&node.id, &user.means, asked, has_handler));
        }
    }
    let others = chosen
        .iter()
        .filter(|choice| !choices.iter().any(|known| known.element == choice.element));
    let others: Vec<Choice> = others.cloned().collect();
    choices.extend(others);
    choices
}

/// What the law makes of a step that means these commands; none, if that cannot be told.
fn by_law(element: &ElementId, means: &[String], asked: Option<&Choice>, has_handler: bool) -> Option<Choice> {
    let named = |word: &str| {
        means
            .iter()
            .find(|command| *command == word || comes_to(command).is_some_and(|(event, _)| event == word))
    };
    let command = match asked.map(|asked| &asked.outcome) {
        None | Some(Outcome::Approved) => means.first(),
        Some(Outcome::Rejected) => means.iter().find(|command| REFUSALS.contains(&command.as_str())),
        Some(Outcome::Abstained) => None,
        Some(Outcome::Other(word)) => named(word),
    }?;
    let (event, stage) = comes_to(command)?;
    let mut told = asked.map(|asked| asked.told.clone()).unwrap_or_default();
    told.entry("stage".to_owned())
        .or_insert_with(|| Value::String(stage.to_string()));
    if command == "Assign" && !has_handler {
        let (id, name) = FUTURE_HANDLER;
        told.entry("handler".to_owned())
            .or_insert_with(|| json!({ "id": id, "name": name }));
    }
    Some(Choice {
        element: element.clone(),
        outcome: Outcome::Other(event.to_owned()),
        form: asked.map(|asked| asked.form.clone()).unwrap_or_default(),
        told,
    })
}

/// The world around a trial: its own files come before those in force.
struct Tries {
    around: Around,
    definitions: Definitions,
    tables: Vec<DecisionModel>,
}

impl Outside for Tries {
    fn process(&self, reference: &ProcessRef) -> Option<Arc<Process>> {
        if reference.model == self.definitions.hash {
            return self.definitions.process(&reference.process).cloned();
        }
        self.around.process(reference)
    }

    fn called(&self, name: &str, caller: &ProcessRef) -> Option<(ProcessRef, u32)> {
        let own = self.definitions.process(name).map(|process| (process.reference.clone(), 0));
        own.or_else(|| self.around.called(name, caller))
    }

    fn people(&self, ask: &Ask<'_>) -> Result<Vec<Person>, String> {
        self.around.people(ask)
    }

    fn rule(&self, name: &str) -> Result<Vec<(Strategy, Option<String>)>, String> {
        self.around.rule(name)
    }

    fn form(&self, key: &str) -> Option<String> {
        self.around.form(key)
    }

    fn substitute(&self, person: &Person, now: DateTime<Utc>) -> Option<Person> {
        self.around.substitute(person, now)
    }

    fn decide(&self, decision: &str, variables: &dyn Variables) -> Result<Answer, String> {
        match self.tables.iter().find(|model| model.find(decision).is_some()) {
            Some(model) => crate::outside::answer(model, decision, variables),
            None => self.around.decide(decision, variables),
        }
    }

    fn add_working_days(&self, from: NaiveDate, days: u32) -> NaiveDate {
        self.around.add_working_days(from, days)
    }

    fn utc_offset_seconds(&self) -> i32 {
        self.around.utc_offset_seconds()
    }
}

/// What an instance waits for, in words: Chinese and English.
pub fn awaited(wait: &Wait) -> (String, String) {
    match &wait.what {
        Waiting::Timer { due_at, .. } => (format!("等到 {due_at}"), format!("until {due_at}")),
        Waiting::Message { name, correlation: None } => (format!("等待消息 {name}"), format!("for the message {name}")),
        Waiting::Message {
            name,
            correlation: Some(key),
        } => (
            format!("等待消息 {name}（{key}）"),
            format!("for the message {name} with the key {key}"),
        ),
        Waiting::Signal { name } => (format!("等待信号 {name}"), format!("for the signal {name}")),
        Waiting::Condition { .. } => ("等待条件成立".to_owned(), "for a condition to hold".to_owned()),
    }
}
