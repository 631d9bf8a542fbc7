//! The models in force: those that the program carries, and those that were deployed since.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    sync::Arc,
};

use chrono::NaiveDate;
use domain::{
    case::{EmbeddedModel, ModelKind},
    case_types::embedded_models,
};
use process_engine::{
    bpmn,
    dmn::{self, Decisions},
    model::{Definitions, NodeKind, Process, ProcessRef, Work},
};
use uuid::Uuid;

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
    decisions: HashMap<Arc<str>, Arc<Decisions>>,
    /// For each process: the commands that its tasks mean.
    means: HashMap<ProcessRef, Arc<BTreeSet<String>>>,
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.editions.keys()).finish()
    }
}
