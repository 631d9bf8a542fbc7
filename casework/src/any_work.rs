//! A case of any type at work, folded from its stream.

use decider::{
    Decider as _,
    stored::{self, StoredError},
};
use domain::{
    case::{NumberWanted, Stage, Told},
    case_types::{AnyCase, is_kernel_event},
    registers::Entry,
};
use process_engine::instance::{Event, Instance, ProcessInstance};

use crate::{say::say, words::is_process_event};

/// A case of any type and its process.
#[derive(Debug, Clone)]
pub struct AnyWork {
    /// The case.
    pub case: AnyCase,
    /// Its process; not started, if it has none.
    pub process: Instance,
}

impl AnyWork {
    /// A case of this category before anything happened; none, if the category is no case type.
    pub fn of(category: &str) -> Option<Self> {
        Some(Self {
            case: AnyCase::of(category)?,
            process: Instance::default(),
        })
    }

    /// Where the case stands.
    pub fn stage(&self) -> Stage {
        self.case.stage()
    }

    /// Reads a stored event and folds it in.
    pub fn apply(&mut self, name: &str, data: &[u8]) -> Result<(), StoredError> {
        match of_process(name, data)? {
            Some(event) => ProcessInstance::evolve(&mut self.process, &event),
            None => self.case.apply(name, data)?,
        }
        Ok(())
    }

    /// Reads a stored event once, folds it in, and tells about it in one line in Chinese and one in English.
    pub fn apply_and_say(&mut self, name: &str, data: &[u8]) -> Result<(String, String), StoredError> {
        match of_process(name, data)? {
            Some(event) => {
                // What is given up is known by its name only before it is gone.
                let said = say(&event, &self.process);
                ProcessInstance::evolve(&mut self.process, &event);
                Ok(said)
            }
            None => self.case.apply_and_say(name, data),
        }
    }

    /// One line in Chinese and one in English about a stored event of this case.
    pub fn say(&self, name: &str, data: &[u8]) -> Result<(String, String), StoredError> {
        match of_process(name, data)? {
            Some(event) => Ok(say(&event, &self.process)),
            None => self.case.say(name, data),
        }
    }

    /// The numbers that a stored event of this case wants. The case has the event in it.
    pub fn numbers_wanted(&self, name: &str, data: &[u8]) -> Result<Vec<NumberWanted>, StoredError> {
        if is_of_process(name) {
            return Ok(Vec::new());
        }
        self.case.numbers_wanted(name, data)
    }

    /// What a stored event of this case writes into registers. The case has the event in it.
    pub fn entries(&self, case_id: &str, name: &str, data: &[u8]) -> Result<Vec<Entry>, StoredError> {
        if is_of_process(name) {
            return Ok(Vec::new());
        }
        self.case.entries(case_id, name, data)
    }
}

impl std::ops::Deref for AnyWork {
    type Target = dyn Told;

    fn deref(&self) -> &Self::Target {
        &*self.case
    }
}

fn is_of_process(name: &str) -> bool {
    !is_kernel_event(name) && is_process_event(name)
}

/// A stored event of the process of a case; none, if it is one of the case itself.
pub fn of_process(name: &str, data: &[u8]) -> Result<Option<Event>, StoredError> {
    if is_of_process(name) {
        return stored::decode(name, data).map(Some);
    }
    Ok(None)
}
