//! A map by key that costs next to nothing to copy: a decision works on a copy of the state, and most of it stays as it is.
//!
//! Entries stand in the order of their keys in short runs that are shared between copies until one of them is written to.
//! Keys are given out in ascending order, so that nearly every insertion appends.

use std::{fmt, sync::Arc};

use serde::Serialize;

use super::words::Key;

/// The most entries of one run: writing to a shared run copies as many pointers.
const RUN_LENGTH: usize = 32;

type Entries<V> = Vec<(Key, Arc<V>)>;

/// A map by key that is cheap to copy.
pub struct Keyed<V> {
    runs: Vec<Arc<Entries<V>>>,
    len: usize,
}

impl<V> Keyed<V> {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Where an entry is, or would be: which run, and where in it.
    fn place(&self, key: Key) -> (usize, Result<usize, usize>) {
        let run = match self.runs.len() {
            0 | 1 => 0,
            _ => self
                .runs
                .partition_point(|run| run.last().is_some_and(|(last, _)| *last < key)),
        };
        let at = self
            .runs
            .get(run)
            .map_or(Err(0), |run| run.binary_search_by_key(&key, |(key, _)| *key));
        (run, at)
    }

    /// The entry of this key.
    pub fn get(&self, key: &Key) -> Option<&V> {
        let (run, Ok(at)) = self.place(*key) else { return None };
        Some(&self.runs[run][at].1)
    }

    /// Whether there is an entry of this key.
    pub fn contains_key(&self, key: &Key) -> bool {
        self.place(*key).1.is_ok()
    }

    /// All entries in the order of their keys.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Key, &V)> {
        self.runs
            .iter()
            .flat_map(|run| run.iter())
            .map(|(key, value)| (key, &**value))
    }

    /// All keys in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &Key> {
        self.iter().map(|(key, _)| key)
    }

    /// All values in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// Sets an entry.
    pub fn insert(&mut self, key: Key, value: V) {
        let value = Arc::new(value);
        let (mut run, at) = self.place(key);
        let at = match at {
            Ok(at) => {
                Arc::make_mut(&mut self.runs[run])[at].1 = value;
                return;
            }
            Err(at) => at,
        };
        self.len += 1;
        if run == self.runs.len() {
            // Greater than every key so far: at the end of the last run, if there is room.
            match self.runs.last_mut().filter(|last| last.len() < RUN_LENGTH) {
                Some(last) => Arc::make_mut(last).push((key, value)),
                None => self.runs.push(Arc::new(vec![(key, value)])),
            }
            return;
        }
        let mut at = at;
        if self.runs[run].len() >= RUN_LENGTH {
            if at == RUN_LENGTH {
                self.runs.insert(run + 1, Arc::new(vec![(key, value)]));
                return;
            }
            let second = Arc::make_mut(&mut self.runs[run]).split_off(RUN_LENGTH / 2);
            self.runs.insert(run + 1, Arc::new(second));
            if at > RUN_LENGTH / 2 {
                run += 1;
                at -= RUN_LENGTH / 2;
            }
        }
        Arc::make_mut(&mut self.runs[run]).insert(at, (key, value));
    }

    /// Takes an entry out.
    pub fn remove(&mut self, key: &Key) -> Option<Arc<V>> {
        let (run, Ok(at)) = self.place(*key) else { return None };
        self.len -= 1;
        if self.runs[run].len() == 1 {
            let run = self.runs.remove(run);
            return run.first().map(|(_, value)| Arc::clone(value));
        }
        Some(Arc::make_mut(&mut self.runs[run]).remove(at).1)
    }

    /// Keeps the entries that are wanted. Runs of which all are wanted stay shared.
    pub fn retain(&mut self, mut wanted: impl FnMut(&Key, &V) -> bool) {
        let mut gone = 0;
        for run in &mut self.runs {
            let mut at = 0;
            if let Some(first) = run.iter().position(|(key, value)| !wanted(key, value)) {
                let before = run.len();
                Arc::make_mut(run).retain(|(key, value)| {
                    at += 1;
                    at - 1 < first || (at - 1 > first && wanted(key, value))
                });
                gone += before - run.len();
            }
        }
        if gone > 0 {
            self.len -= gone;
            self.runs.retain(|run| !run.is_empty());
        }
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

impl<V: Clone> Keyed<V> {
    /// The entry of this key, to be changed.
    pub fn get_mut(&mut self, key: &Key) -> Option<&mut V> {
        let (run, Ok(at)) = self.place(*key) else { return None };
        Some(Arc::make_mut(&mut Arc::make_mut(&mut self.runs[run])[at].1))
    }

    /// All values, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.iter_mut().map(|(_, value)| value)
    }

    /// All entries, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Key, &mut V)> {
        self.runs
            .iter_mut()
            .flat_map(|run| Arc::make_mut(run).iter_mut())
            .map(|(key, value)| (&*key, Arc::make_mut(value)))
    }

    /// Changes the entry of this key; an empty one, if there is none.
    pub fn change(&mut self, key: Key, change: impl FnOnce(&mut V))
    where
        V: Default,
    {
        if let Some(value) = self.get_mut(&key) {
            return change(value);
        }
        let mut value = V::default();
        change(&mut value);
        self.insert(key, value);
    }
}

impl<V> Clone for Keyed<V> {
    fn clone(&self) -> Self {
        Self {
            runs: self.runs.clone(),
            len: self.len,
        }
    }
}

impl<V> Default for Keyed<V> {
    fn default() -> Self {
        Self {
            runs: Vec::new(),
            len: 0,
        }
    }
}

impl<V: PartialEq> PartialEq for Keyed<V> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<V: fmt::Debug> fmt::Debug for Keyed<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<V: Serialize> Serialize for Keyed<V> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_copy_does_not_see_what_is_written_to_the_first() {
        let mut first = Keyed::default();
        (0..100).for_each(|key| first.insert(key, key * 2));
        let copy = first.clone();
        first.remove(&7);
        if let Some(value) = first.get_mut(&8) {
            *value = 0;
        }
        assert_eq!((first.get(&7), first.get(&8)), (None, Some(&0)));
        assert_eq!((copy.get(&7), copy.get(&8), copy.len()), (Some(&14), Some(&16), 100));
    }

    proptest! {
        #[test]
        fn it_does_what_an_ordinary_map_does(steps in proptest::collection::vec((0_u8..5, 0_u64..200), 0..400)) {
            let (mut ours, mut theirs) = (Keyed::default(), BTreeMap::new());
            for (step, key) in steps {
                match step {
                    0..=2 => {
                        ours.insert(key, key + 1);
                        theirs.insert(key, key + 1);
                    }
                    3 => prop_assert_eq!(ours.remove(&key).map(|value| *value), theirs.remove(&key)),
                    _ => {
                        ours.retain(|at, _| at % 7 != key % 7);
                        theirs.retain(|at, _| at % 7 != key % 7);
                    }
                }
                prop_assert_eq!(ours.get(&key), theirs.get(&key));
                prop_assert_eq!(ours.len(), theirs.len());
            }
            prop_assert!(ours.iter().eq(theirs.iter()));
        }
    }
}
