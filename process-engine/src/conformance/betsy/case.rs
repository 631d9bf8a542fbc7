//! One case: the process is played, its scripts are done, its marks are collected.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{Case, Feature, words::Word};
use crate::{
    instance::{Bindings, Command, Ending, Event, Key, StartedBy, can_be_begun},
    model::{Definitions, ElementId, NodeKind, Process, SubProcess, Trigger},
    testing::{NotPlayed, Simulation, World},
};

/// The most scripts that one case does: a process that goes round for ever stops here.
const MAX_SCRIPTS: u32 = 5_000;

/// The mark that says that a file was made.
const MARKER: &str = "MarkerExists";

/// The text that `SET_STRING_DATA` writes.
const DATA: &str = "String";

/// The code of the error that `THROW_ERROR` throws, unless the model awaits one error only.
const ERROR_CODE: &str = "ERR_CODE";

/// What came of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Got {
    /// The marks that were left.
    pub marks: Vec<String>,
    /// Why the model was not accepted.
    pub refused: Option<String>,
    /// What stopped it.
    pub incidents: Vec<String>,
    /// The errors that nobody caught.
    pub errors: Vec<String>,
    /// The escalations that nobody caught.
    pub escalations: Vec<String>,
}

impl Got {
    pub(super) fn refused(why: String) -> Self {
        Self {
            refused: Some(why),
            ..Self::default()
        }
    }

    /// Whether this is what the suite expects: the same marks, and an error of each kind that it names. An obstacle that it
    /// does not name is a miss.
    pub fn is_as_expected(&self, trace: &[String]) -> bool {
        let (errors, mut expected): (Vec<&String>, Vec<&String>) = trace.iter().partition(|mark| is_error(mark));
        // The suite looks for the marker only where it expects it.
        let is_looked_for = |mark: &&String| *mark != MARKER || expected.iter().any(|expected| *expected == MARKER);
        let mut marks: Vec<&String> = self.marks.iter().filter(is_looked_for).collect();
        expected.sort();
        marks.sort();
        let has_stopped = self.refused.is_some() || !self.incidents.is_empty();
        let is_foreseen = !has_stopped || !errors.is_empty();
        expected == marks && is_foreseen && errors.iter().all(|error| self.has_error(error))
    }

    fn has_error(&self, mark: &str) -> bool {
        let has_stopped = self.refused.is_some() || !self.incidents.is_empty();
        match normal(mark).trim_start_matches("error") {
            "deployment" | "deploymenterror" => self.refused.is_some(),
            "runtimeexception" | "runtime" => !self.incidents.is_empty() || !self.errors.is_empty(),
            "thrownerrorevent" => !self.errors.is_empty(),
            "thrownescalationevent" => !self.escalations.is_empty(),
            _ => has_stopped || !self.errors.is_empty(),
        }
    }
}

fn normal(mark: &str) -> String {
    mark.chars()
        .filter(|letter| letter.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Whether a mark is not left by the process but says how it failed.
fn is_error(mark: &str) -> bool {
    let normal = normal(mark);
    ["error", "exception", "thrown", "aborted", "deployment"]
        .iter()
        .any(|word| normal.contains(word))
}

impl fmt::Display for Got {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", super::counted(&self.marks))?;
        if let Some(why) = &self.refused {
            write!(f, " refused: {why}")?;
        }
        for incident in &self.incidents {
            write!(f, " incident: {incident}")?;
        }
        for error in &self.errors {
            write!(f, " error: {error}")?;
        }
        for escalation in &self.escalations {
            write!(f, " escalation: {escalation}")?;
        }
        Ok(())
    }
}

/// Plays a case.
pub(super) fn play(feature: &Feature, model: &Definitions, case: &Case) -> Got {
    let world = Arc::new(World::new().with(model));
    let mut stage = Stage {
        simulation: Simulation::new(&world),
        model,
        running: BTreeMap::new(),
        stamps: BTreeMap::new(),
        got: Got::default(),
        scripts: 0,
        begun: BTreeSet::new(),
    };
    let Some((main, beside)) = cast(feature, model) else {
        return Got::refused("no process of the model can be started".to_owned());
    };
    let variables = Bindings::from([
        ("test".to_owned(), json!(case.input.as_deref().unwrap_or_default())),
        ("integerVariable".to_owned(), json!(case.int)),
    ]);
    let starts = beside.iter().filter(|_| case.parallel_process).chain([&main]);
    for process in starts {
        if let Err(why) = stage.start(process, variables.clone()) {
            stage.got.incidents.push(why.to_string());
            break;
        }
    }
    let delay = TimeDelta::milliseconds(case.delay_ms.into());
    if let Err(why) = stage.let_time_pass(delay) {
        stage.got.incidents.push(why.to_string());
    }
    stage.collect()
}

/// The process that the case is about, and the others that somebody could start.
fn cast(feature: &Feature, model: &Definitions) -> Option<(String, Vec<String>)> {
    let stem = feature.model.rsplit('/').next().unwrap_or_default();
    let stem = stem.strip_suffix(".bpmn").unwrap_or(stem);
    let can_start = |process: &&Arc<Process>| process.executable;
    let ids: Vec<&str> = model
        .processes
        .iter()
        .filter(can_start)
        .map(|process| &*process.reference.process)
        .collect();
    let main = [stem, &feature.name]
        .into_iter()
        .find(|name| ids.contains(name))
        .or_else(|| ids.first().copied())?;
    let beside = ids.iter().filter(|id| **id != main).map(|id| (*id).to_owned()).collect();
    Some((main.to_owned(), beside))
}

/// Scripts by when they are done, the instance and the job.
type Running = BTreeMap<(DateTime<Utc>, usize, Key), Word>;
/// From when to when, by what it was called.
type Stamps = BTreeMap<String, Vec<(DateTime<Utc>, DateTime<Utc>)>>;

struct Stage<'m> {
    simulation: Simulation,
    model: &'m Definitions,
    /// Scripts that take their time, by the moment at which they are done: in the order in which they began.
    running: Running,
    /// When something began and was done.
    stamps: Stamps,
    got: Got,
    scripts: u32,
    /// What was begun by hand.
    begun: BTreeSet<(usize, Key, ElementId)>,
}

impl Stage<'_> {
    fn start(&mut self, process: &str, variables: Bindings) -> Result<(), NotPlayed> {
        self.simulation.start(process, variables, StartedBy::Somebody)?;
        self.do_scripts()?;
        self.begin_by_hand()
    }

    /// Nobody sits before an ad-hoc sub-process here: each of its activities is begun once, as soon as it can be, and then
    /// it is said to be done.
    fn begin_by_hand(&mut self) -> Result<(), NotPlayed> {
        while let Some((at, command)) = self.next_by_hand() {
            if let Command::BeginActivity { scope, element } = &command {
                self.begun.insert((at, *scope, element.clone()));
            }
            self.simulation.ask(at, &command)?;
            self.do_scripts()?;
        }
        Ok(())
    }

    fn next_by_hand(&self) -> Option<(usize, Command)> {
        let players = self.simulation.players().iter().enumerate();
        let mut open = players.flat_map(|(at, player)| player.state().elements.iter().map(move |entry| (at, entry)));
        open.find_map(|(at, (scope, element))| {
            let process = self
                .model
                .processes
                .iter()
                .find(|process| process.find(&element.element).is_some())?;
            let around = process.node(process.find(&element.element)?);
            let NodeKind::SubProcess(SubProcess::AdHoc(ad_hoc)) = &around.kind else {
                return None;
            };
            if element.closed || element.rounds.is_some() || (ad_hoc.sequential && element.inside > 0) {
                return None;
            }
            let inner = around.children.iter().filter(|inner| can_be_begun(process, **inner));
            let mut inner = inner.map(|inner| process.node(*inner));
            let next = inner.find(|inner| !self.begun.contains(&(at, *scope, inner.id.clone())));
            match next {
                Some(next) => Some((
                    at,
                    Command::BeginActivity {
                        scope: *scope,
                        element: next.id.clone(),
                    },
                )),
                None => (element.inside == 0).then_some((at, Command::CompleteAdHoc { scope: *scope })),
            }
        })
    }

    /// Does every script that is asked for; those that take their time are done later.
    fn do_scripts(&mut self) -> Result<(), NotPlayed> {
        while let Some((at, key, word)) = self.next_script() {
            self.scripts += 1;
            if self.scripts > MAX_SCRIPTS {
                self.got.incidents.push("goes round for ever".to_owned());
                return Ok(());
            }
            let takes = word.takes();
            if takes > TimeDelta::zero() {
                self.running.insert((self.simulation.now() + takes, at, key), word);
            } else {
                self.finish(at, key, &word)?;
            }
        }
        Ok(())
    }

    /// The oldest script that nobody has begun.
    fn next_script(&self) -> Option<(usize, Key, Word)> {
        let begun: BTreeSet<(usize, Key)> = self.running.keys().map(|(_, at, key)| (*at, *key)).collect();
        for (at, player) in self.simulation.players().iter().enumerate() {
            let mut jobs = player.state().jobs.iter();
            let is_next = |(key, job): &(&Key, &crate::instance::Job)| {
                !begun.contains(&(at, **key)) && job.retry_at.is_none() && job.tries_left > 0
            };
            if let Some((key, job)) = jobs.find(is_next) {
                let script = job.fields.get("script").and_then(Value::as_str).unwrap_or_default();
                return Some((at, *key, Word::read(script)));
            }
        }
        None
    }

    /// A script is done.
    fn finish(&mut self, at: usize, key: Key, word: &Word) -> Result<(), NotPlayed> {
        let mut result = Value::Null;
        match word {
            Word::CreateLog | Word::Wait | Word::Unknown => {}
            Word::Mark(mark) => self.got.marks.push(mark.clone()),
            Word::Increment { and_log } => {
                let number = self
                    .variable(at, key, "integerVariable")
                    .and_then(Value::as_i64)
                    .unwrap_or_default();
                result = json!({ "integerVariable": number + 1 });
                if *and_log {
                    self.got.marks.push("Increment".to_owned());
                }
            }
            Word::SetData => {
                let written: Bindings = self.data_names(at, key).into_iter().map(|name| (name, json!(DATA))).collect();
                result = json!(written);
            }
            Word::LogData => {
                let is_there = self
                    .data_names(at, key)
                    .iter()
                    .any(|name| self.variable(at, key, name) == Some(&json!(DATA)));
                if is_there {
                    self.got.marks.push("DataCorrect".to_owned());
                }
            }
            Word::Timestamp(which) => {
                let now = self.simulation.now();
                self.stamps.entry(which.clone()).or_default().push((now - word.takes(), now));
            }
            Word::ThrowError => {
                let code = self.error_code();
                let message = None;
                return self.simulation.ask(at, &Command::ThrowJobError { job: key, code, message });
            }
        }
        self.simulation.ask(at, &Command::CompleteJob { job: key, result })
    }

    fn variable(&self, at: usize, key: Key, name: &str) -> Option<&Value> {
        self.simulation.players()[at].state().variable(key, name)
    }

    /// The variables that a script's data objects are: its own inputs and outputs, else those of the levels around it.
    fn data_names(&self, at: usize, key: Key) -> Vec<String> {
        let state = self.simulation.players()[at].state();
        let element: Option<&ElementId> = state.elements.get(&key).map(|element| &element.element);
        let process = element.and_then(|element| self.model.processes.iter().find(|process| process.find(element).is_some()));
        let (Some(process), Some(element)) = (process, element) else {
            return Vec::new();
        };
        let Some(node) = process.find(element) else {
            return Vec::new();
        };
        let own = process.node(node).activity.iter().flat_map(|activity| {
            let inputs = activity.inputs.iter().map(|input| input.target.clone());
            let outputs = activity.outputs.iter().map(|output| output.value.feel().to_owned());
            inputs
                .chain(outputs)
                .chain(activity.data.iter().map(|data| data.name.clone()))
        });
        let mut names: Vec<String> = own.collect();
        let mut parent = process.node(node).parent;
        while let Some(around) = parent {
            let around = process.node(around);
            let data = around.activity.iter().flat_map(|activity| &activity.data);
            names.extend(data.map(|object| object.name.clone()));
            parent = around.parent;
        }
        names.extend(process.data.iter().map(|object| object.name.clone()));
        names
    }

    /// The one error that the model awaits, or the suite's own.
    fn error_code(&self) -> String {
        let nodes = self.model.processes.iter().flat_map(|process| &process.nodes);
        let awaited: BTreeSet<String> = nodes
            .flat_map(|node| match &node.kind {
                NodeKind::Boundary { catch, .. } | NodeKind::Start { catch, .. } => catch.triggers.as_slice(),
                _ => &[],
            })
            .filter_map(|trigger| match trigger {
                Trigger::Error(code) => code.clone(),
                _ => None,
            })
            .collect();
        match awaited.len() {
            1 => awaited.into_iter().next().unwrap_or_default(),
            _ => ERROR_CODE.to_owned(),
        }
    }

    /// Time goes by: scripts and timers are due, whichever is first. Scripts that run are waited for.
    fn let_time_pass(&mut self, delay: TimeDelta) -> Result<(), NotPlayed> {
        let until = self.simulation.now() + delay;
        loop {
            let script = self.running.first_key_value().map(|((done_at, ..), _)| *done_at);
            let timer = self.simulation.next_timer().map(|(due_at, _)| due_at);
            let horizon = script.unwrap_or(until).max(until);
            let next = script.into_iter().chain(timer).min().filter(|next| *next <= horizon);
            let Some(next) = next else { break };
            let now = self.simulation.now();
            if timer.is_some_and(|due_at| due_at <= next) {
                self.simulation.advance((next - now).max(TimeDelta::zero()))?;
            } else if let Some(((done_at, at, key), word)) = self.running.pop_first() {
                self.simulation.advance((done_at - now).max(TimeDelta::zero()))?;
                let is_open = self.simulation.players()[at].state().jobs.contains_key(&key);
                if is_open {
                    self.finish(at, key, &word)?;
                }
            }
            self.do_scripts()?;
            self.begin_by_hand()?;
            self.scripts += 1;
            if self.scripts > MAX_SCRIPTS {
                break;
            }
        }
        Ok(())
    }

    /// What came of it.
    fn collect(mut self) -> Got {
        for player in self.simulation.players() {
            let incidents = player.incidents().into_iter();
            self.got
                .incidents
                .extend(incidents.map(|incident| format!("{}: {}", incident.element, incident.message)));
            if let Some(Ending::Failed { code }) = &player.state().ended {
                self.got.errors.push(code.clone());
            }
            self.got
                .escalations
                .extend(player.events().iter().filter_map(|event| match event {
                    Event::EscalationThrown {
                        code, caught_by: None, ..
                    } => Some(code.clone()),
                    _ => None,
                }));
        }
        if self.are_parallel() {
            self.got.marks.push("ExecutionParallel".to_owned());
        }
        self.got
    }

    /// Whether two different scripts that say when they run did so at the same time.
    fn are_parallel(&self) -> bool {
        let all: Vec<_> = self.stamps.values().flatten().collect();
        let overlap = |(at, (begun, done)): (usize, &&(DateTime<Utc>, DateTime<Utc>))| {
            all.iter().skip(at + 1).any(|(other, end)| other < done && begun < end)
        };
        all.iter().enumerate().any(overlap)
    }
}
