//! The models in force: those that the program carries, and those that were deployed since.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    sync::{Arc, LazyLock},
};

use chrono::NaiveDate;
use domain::{
    case::{EmbeddedModel, ModelKind, form::FormDefinition},
    case_types::embedded_models,
};
use process_engine::{
    dmn::DecisionModel,
    model::{Definitions, NodeKind, Process, ProcessRef, Work},
};
use uuid::Uuid;

use crate::{
    forms::CandidateRule,
    reading::{self, sentences},
};

/// All shares together.
const WHOLE: u32 = 100;

/// All models in force, and all that once were: an instance keeps the model that it began with. Cheap to clone.
#[derive(Clone, Default)]
pub struct Library(Arc<Shelves>);

/// A version of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edition {
    /// What it is called among all models.
    pub key: Arc<str>,
    /// What it is.
    pub kind: ModelKind,
    /// Its version; 1 is the first.
    pub version: u32,
    /// SHA-256 of its bytes, in hexadecimal.
    pub hash: Arc<str>,
    /// From which day new cases go by it.
    pub effective_from: NaiveDate,
    /// How many of a hundred new cases go by it; the others by the version before.
    pub percent: u32,
    /// Nothing new goes by it any more.
    pub retired: bool,
    /// The file.
    pub bytes: Arc<[u8]>,
}

/// Why a model cannot be put into the library.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} version {version}: {}", .findings.join("; "))]
pub struct LibraryError {
    /// The model.
    pub key: String,
    /// Its version.
    pub version: u32,
    /// What is wrong with it.
    pub findings: Vec<String>,
}

#[derive(Clone, Default)]
struct Shelves {
    /// By key, and then by version.
    editions: BTreeMap<Arc<str>, BTreeMap<u32, Edition>>,
    /// Processes by the hash of their model.
    models: HashMap<Arc<str>, Arc<Definitions>>,
    /// Decision tables by the hash of their model.
    decisions: HashMap<Arc<str>, DecisionModel>,
    /// Forms by the hash of their file.
    forms: HashMap<Arc<str>, Arc<FormDefinition>>,
    /// Rules for candidates by the hash of their file.
    rules: HashMap<Arc<str>, Arc<CandidateRule>>,
    /// For each process: the commands that its tasks mean.
    means: HashMap<ProcessRef, Arc<BTreeSet<String>>>,
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.editions.keys()).finish()
    }
}

static EMBEDDED: LazyLock<Library> = LazyLock::new(|| {
    embedded_models()
        .iter()
        .fold(Library::default(), |library, model| match library.with(edition_of(model)) {
            Ok(library) => library,
            // The files are compiled in, and a test reads them.
            Err(cause) => panic!("a model in the program cannot be read: {cause}"),
        })
});

impl Library {
    /// The models that the program carries.
    pub fn embedded() -> Self {
        EMBEDDED.clone()
    }

    /// These models and one more version of one; read and checked.
    pub fn with(&self, edition: Edition) -> Result<Self, LibraryError> {
        let error = |findings| LibraryError {
            key: edition.key.to_string(),
            version: edition.version,
            findings,
        };
        match edition.kind {
            ModelKind::Bpmn => {
                let read = reading::process(&edition.bytes).map_err(|rejected| error(sentences(&rejected.findings)))?;
                Ok(self.with_definitions(edition, read.definitions))
            }
            ModelKind::Dmn => {
                let model = reading::decisions(&edition.bytes).map_err(|rejected| error(sentences(&rejected.findings)))?;
                let mut library = self.put(edition);
                Arc::make_mut(&mut library.0).decisions.insert(model.hash().clone(), model);
                Ok(library)
            }
            ModelKind::Form => {
                let form = reading::form(&edition.bytes).map_err(|finding| error(sentences(&[finding])))?;
                let (mut library, hash) = (self.put(edition.clone()), edition.hash);
                Arc::make_mut(&mut library.0).forms.insert(hash, Arc::new(form));
                Ok(library)
            }
            ModelKind::CandidateRule => {
                let rule = reading::candidate_rule(&edition.bytes).map_err(|finding| error(sentences(&[finding])))?;
                let (mut library, hash) = (self.put(edition.clone()), edition.hash);
                Arc::make_mut(&mut library.0).rules.insert(hash, Arc::new(rule));
                Ok(library)
            }
        }
    }

    /// The same with a model that was read already.
    #[must_use]
    pub fn with_definitions(&self, edition: Edition, definitions: Definitions) -> Self {
        let mut library = self.put(edition);
        let shelves = Arc::make_mut(&mut library.0);
        for process in &definitions.processes {
            shelves
                .means
                .insert(process.reference.clone(), Arc::new(commands_meant(process)));
        }
        shelves.models.insert(definitions.hash.clone(), Arc::new(definitions));
        library
    }

    fn put(&self, edition: Edition) -> Self {
        let mut library = self.clone();
        let editions = &mut Arc::make_mut(&mut library.0).editions;
        editions
            .entry(edition.key.clone())
            .or_default()
            .insert(edition.version, edition);
        library
    }

    /// The way that a new case of a type goes: its process and the version of the model; none, if it has no process.
    /// While a new version is rolled out, a case goes by it or by the one before, and always by the same.
    pub fn way_of(&self, category: &str, on: NaiveDate, case_id: Uuid) -> Option<(ProcessRef, u32)> {
        let chosen = self.chosen(category, on, case_id)?;
        let definitions = self.0.models.get(&chosen.hash)?;
        let process = definitions
            .process(category)
            .or_else(|| definitions.processes.iter().find(|process| process.executable))?;
        Some((process.reference.clone(), chosen.version))
    }

    /// The process of a name (its id, or the key of its model) that is begun today.
    pub fn current(&self, name: &str, on: NaiveDate) -> Option<(ProcessRef, u32)> {
        let whole = |edition: &&Edition| edition.percent >= WHOLE;
        let of_key = self.in_force(name, on).into_iter().find(whole);
        if let Some(found) = of_key.and_then(|edition| self.find(edition, name)) {
            return Some(found);
        }
        self.0
            .editions
            .keys()
            .flat_map(|key| self.in_force(key, on).into_iter().filter(whole))
            .find_map(|edition| {
                let process = self.0.models.get(&edition.hash)?.process(name)?;
                Some((process.reference.clone(), edition.version))
            })
    }

    fn find(&self, edition: &Edition, name: &str) -> Option<(ProcessRef, u32)> {
        let definitions = self.0.models.get(&edition.hash)?;
        let process = definitions.process(name).or_else(|| definitions.processes.first())?;
        Some((process.reference.clone(), edition.version))
    }

    /// The versions of a key that new things go by on a day, the newest first.
    fn in_force(&self, key: &str, on: NaiveDate) -> Vec<&Edition> {
        let of_key = self.0.editions.get(key);
        let versions = of_key.into_iter().flat_map(|versions| versions.values().rev());
        versions
            .filter(|edition| edition.effective_from <= on && !edition.retired)
            .collect()
    }

    /// The process of one version of a model.
    pub fn process_of(&self, key: &str, version: u32) -> Option<ProcessRef> {
        let edition = self.0.editions.get(key)?.get(&version)?;
        self.find(edition, key).map(|(process, _)| process)
    }

    /// A process by its exact reference.
    pub fn process(&self, reference: &ProcessRef) -> Option<&Arc<Process>> {
        self.0.models.get(&reference.model)?.process(&reference.process)
    }

    /// The tables that answer for a decision, by its name or id, in a case that came in on a day. While a new version is
    /// rolled out, a case is decided by it or by the one before, and always by the same.
    pub fn decision(&self, decision: &str, on: NaiveDate, case_id: Uuid) -> Option<&DecisionModel> {
        let chosen = self.0.editions.keys().filter_map(|key| self.chosen(key, on, case_id));
        chosen
            .filter_map(|edition| self.0.decisions.get(&edition.hash))
            .find(|model| model.find(decision).is_some())
    }

    /// The form of a key that a case of a day is filled in with, and its hash. While a new version is rolled out, a case
    /// has it or the one before, and always the same.
    pub fn form_of(&self, key: &str, on: NaiveDate, case_id: Uuid) -> Option<(&Arc<str>, &Arc<FormDefinition>)> {
        let chosen = self.chosen(key, on, case_id)?;
        self.0.forms.get(&chosen.hash).map(|form| (&chosen.hash, form))
    }

    /// A form by the hash of its file.
    pub fn form(&self, hash: &str) -> Option<&Arc<FormDefinition>> {
        self.0.forms.get(hash)
    }

    /// The rule for candidates of a key, for a case of a day.
    pub(crate) fn candidate_rule(&self, key: &str, on: NaiveDate, case_id: Uuid) -> Option<&Arc<CandidateRule>> {
        self.0.rules.get(&self.chosen(key, on, case_id)?.hash)
    }

    /// The version of a key that a case of a day goes by.
    fn chosen(&self, key: &str, on: NaiveDate, case_id: Uuid) -> Option<&Edition> {
        let in_force = self.in_force(key, on);
        let last = in_force.last().copied();
        in_force
            .into_iter()
            .find(|edition| share_of(case_id, edition.version) < edition.percent)
            .or(last)
    }

    /// The commands of a case that the tasks of a process mean.
    pub fn means(&self, reference: &ProcessRef) -> Option<&Arc<BTreeSet<String>>> {
        self.0.means.get(reference)
    }

    /// Every version of every model.
    pub fn editions(&self) -> impl Iterator<Item = &Edition> {
        self.0.editions.values().flat_map(BTreeMap::values)
    }

    /// A version of a model by the hash of its file.
    pub fn edition(&self, hash: &str) -> Option<&Edition> {
        self.editions().find(|edition| &*edition.hash == hash)
    }

    /// The newest version of a key, in force or not; 0, if there is none.
    pub fn newest_version(&self, key: &str) -> u32 {
        let versions = self.0.editions.get(key).and_then(BTreeMap::last_key_value);
        versions.map_or(0, |(version, _)| *version)
    }
}

/// Which hundredth of all cases a case belongs to, for one version: drawn once, by its id alone.
fn share_of(case_id: Uuid, version: u32) -> u32 {
    let (high, low) = case_id.as_u64_pair();
    // The finalizer of splitmix64: every bit of the id counts, also those of ids that were made one after the other.
    let mut mixed = high ^ low.rotate_left(32) ^ (u64::from(version) << 17);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    u32::try_from((mixed ^ (mixed >> 31)) % u64::from(WHOLE)).unwrap_or_default()
}

fn commands_meant(process: &Process) -> BTreeSet<String> {
    process
        .nodes
        .iter()
        .filter_map(|node| match &node.kind {
            NodeKind::Task(task) => match &task.work {
                Work::User(user) => Some(user.means.iter().cloned()),
                _ => None,
            },
            _ => None,
        })
        .flatten()
        .collect()
}

fn edition_of(model: &EmbeddedModel) -> Edition {
    Edition {
        key: model.key.into(),
        kind: model.kind,
        version: model.version,
        hash: reading::hash(model.bytes),
        effective_from: NaiveDate::MIN,
        percent: WHOLE,
        retired: false,
        bytes: model.bytes.into(),
    }
}
