//! The variables of one scope.

use std::{fmt, sync::Arc};

use serde::Serialize;
use serde_json::Value;

use super::words::Bindings;

/// The variables of one scope by name: copying them copies pointers, however much a form holds.
#[derive(Clone, Default, PartialEq)]
pub struct Values {
    /// In the order of the names.
    entries: Vec<(Arc<str>, Arc<Value>)>,
}

impl Values {
    /// The value of this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.place(name).ok().map(|at| &*self.entries[at].1)
    }

    /// Whether there is a variable of this name.
    pub fn contains_key(&self, name: &str) -> bool {
        self.place(name).is_ok()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All of them in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Sets variables.
    pub fn extend(&mut self, more: &Bindings) {
        for (name, value) in more {
            let value = Arc::new(value.clone());
            match self.place(name) {
                Ok(at) => self.entries[at].1 = value,
                Err(at) => self.entries.insert(at, (name.as_str().into(), value)),
            }
        }
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|(at, _)| (**at).cmp(name))
    }
}

impl From<&Bindings> for Values {
    fn from(bindings: &Bindings) -> Self {
        let entries = bindings
            .iter()
            .map(|(name, value)| (name.as_str().into(), Arc::new(value.clone())))
            .collect();
        Self { entries }
    }
}

impl From<&Values> for Bindings {
    fn from(values: &Values) -> Self {
        values.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect()
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for Values {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.iter())
    }
}
