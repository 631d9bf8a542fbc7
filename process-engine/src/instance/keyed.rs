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
    /// The first run; most maps have no other, and are copied and read without a list of runs.
    first: Option<Arc<Entries<V>>>,
    /// The runs after it. None of all runs is empty.
    more: Vec<Arc<Entries<V>>>,
}

impl<V> Keyed<V> {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.runs().map(|run| run.len()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    fn runs(&self) -> impl DoubleEndedIterator<Item = &Arc<Entries<V>>> {
        self.first.iter().chain(&self.more)
    }

    fn run(&self, run: usize) -> Option<&Arc<Entries<V>>> {
        match run {
            0 => self.first.as_ref(),
            _ => self.more.get(run - 1),
        }
    }

    /// A run to be written to: its own, if it was shared.
    fn run_mut(&mut self, run: usize) -> Option<&mut Entries<V>> {
        let run = match run {
            0 => self.first.as_mut(),
            _ => self.more.get_mut(run - 1),
        };
        run.map(Arc::make_mut)
    }

    /// Puts a run in after this many others.
    fn put_run(&mut self, at: usize, entries: Entries<V>) {
        match at {
            0 => self.first = Some(Arc::new(entries)),
            _ => self.more.insert(at - 1, Arc::new(entries)),
        }
    }

    /// Takes out a run.
    fn take_run(&mut self, at: usize) -> Option<Arc<Entries<V>>> {
        match at {
            0 => {
                let next = (!self.more.is_empty()).then(|| self.more.remove(0));
                std::mem::replace(&mut self.first, next)
            }
            _ => Some(self.more.remove(at - 1)),
        }
    }

    /// Where an entry is, or would be: which run, and where in it.
    fn place(&self, key: Key) -> (usize, Result<usize, usize>) {
        let ends_before = |run: &Arc<Entries<V>>| run.last().is_some_and(|(last, _)| *last < key);
        // What lies behind the last run belongs at its end.
        let run = match &self.first {
            Some(first) if !self.more.is_empty() && ends_before(first) => {
                (1 + self.more.partition_point(ends_before)).min(self.more.len())
            }
            _ => 0,
        };
        let at = self
            .run(run)
            .map_or(Err(0), |run| run.binary_search_by_key(&key, |(key, _)| *key));
        (run, at)
    }

    /// The entry of this key.
    pub fn get(&self, key: &Key) -> Option<&V> {
        let (run, Ok(at)) = self.place(*key) else { return None };
        Some(&self.run(run)?[at].1)
    }

    /// Whether there is an entry of this key.
    pub fn contains_key(&self, key: &Key) -> bool {
        self.place(*key).1.is_ok()
    }

    /// All entries in the order of their keys.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Key, &V)> {
        self.runs().flat_map(|run| run.iter()).map(|(key, value)| (key, &**value))
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
        let (run, at) = self.place(key);
        let Some(entries) = self.run_mut(run) else {
            return self.put_run(0, vec![(key, value)]);
        };
        let at = match at {
            Ok(at) => {
                entries[at].1 = value;
                return;
            }
            Err(at) => at,
        };
        if entries.len() < RUN_LENGTH {
            entries.insert(at, (key, value));
        } else if at == RUN_LENGTH {
            self.put_run(run + 1, vec![(key, value)]);
        } else {
            let mut second = entries.split_off(RUN_LENGTH / 2);
            match at.checked_sub(RUN_LENGTH / 2).filter(|at| *at > 0) {
                Some(at) => second.insert(at, (key, value)),
                None => entries.insert(at, (key, value)),
            }
            self.put_run(run + 1, second);
        }
    }

    /// Takes an entry out.
    pub fn remove(&mut self, key: &Key) -> Option<Arc<V>> {
        let (run, Ok(at)) = self.place(*key) else { return None };
        if self.run(run)?.len() == 1 {
            let run = self.take_run(run)?;
            return run.first().map(|(_, value)| Arc::clone(value));
        }
        Some(self.run_mut(run)?.remove(at).1)
    }

    /// Keeps the entries that are wanted. Runs of which all are wanted stay shared.
    pub fn retain(&mut self, mut wanted: impl FnMut(&Key, &V) -> bool) {
        let mut is_one_empty = false;
        for run in self.first.iter_mut().chain(&mut self.more) {
            let mut at = 0;
            if let Some(first) = run.iter().position(|(key, value)| !wanted(key, value)) {
                Arc::make_mut(run).retain(|(key, value)| {
                    at += 1;
                    at - 1 < first || (at - 1 > first && wanted(key, value))
                });
                is_one_empty |= run.is_empty();
            }
        }
        if is_one_empty {
            self.more.retain(|run| !run.is_empty());
            if self.first.as_ref().is_some_and(|first| first.is_empty()) {
                self.take_run(0);
            }
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
        Some(Arc::make_mut(&mut self.run_mut(run)?[at].1))
    }

    /// All values, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.iter_mut().map(|(_, value)| value)
    }

    /// All entries, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Key, &mut V)> {
        self.first
            .iter_mut()
            .chain(&mut self.more)
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
            first: self.first.clone(),
            more: self.more.clone(),
        }
    }
}

impl<V> Default for Keyed<V> {
    fn default() -> Self {
        Self {
            first: None,
            more: Vec::new(),
        }
    }
}

impl<V: PartialEq> PartialEq for Keyed<V> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
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
