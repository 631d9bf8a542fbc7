//! How far each view is shown: from what this process wrote itself, from what others told, and from the checkpoints.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use event_store_contract::Position;

use crate::{catalog::ViewRecord, handle::Positions, status::ViewState, view::View};

/// What is known of the views, lane by lane. Positions only grow, unless the database lost what was written last.
pub(crate) struct Shown(Mutex<State>);

#[derive(Default)]
struct State {
    lanes: u32,
    views: BTreeMap<&'static str, Known>,
}

/// What is known of one view.
#[derive(Default)]
struct Known {
    generation: u32,
    /// It is of this program's version and has not stopped at an event.
    runs: bool,
    at: BTreeMap<u32, Position>,
}

impl Shown {
    /// Nothing is known yet.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State {
            lanes: 1,
            ..State::default()
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the table of views says; whether somebody swapped, stopped or divided something since it was last read.
    pub(crate) fn take_records(&self, views: &[Box<dyn View>], records: &BTreeMap<String, ViewRecord>) -> bool {
        let mut state = self.state();
        let mut is_news = false;
        for view in views {
            let Some(record) = records.get(view.name()) else { continue };
            let runs = record.version == view.version() && record.state == ViewState::Running;
            let lanes = u32::try_from(record.lanes.len()).unwrap_or(u32::MAX).max(1);
            if state.lanes != lanes {
                state.lanes = lanes;
                is_news = true;
            }
            let known = state.views.entry(view.name()).or_default();
            is_news |= known.generation != record.generation || known.runs != runs;
            known.generation = record.generation;
            known.runs = runs;
            known.at.retain(|lane, _| *lane < lanes);
            for (lane, position) in (0..).zip(&record.lanes) {
                let at = known.at.entry(lane).or_default();
                *at = (*at).max(*position);
            }
        }
        is_news
    }

    /// What the checkpoints say of a lane counts, also if more was known: a database that was killed forgets its last moments,
    /// and whoever follows writes them again.
    pub(crate) fn take_lane(&self, lane: u32, records: &BTreeMap<String, ViewRecord>) {
        let mut state = self.state();
        for (view, known) in &mut state.views {
            let position = records.get(*view).and_then(|record| record.lanes.get(lane as usize));
            if let Some(position) = position {
                known.at.insert(lane, *position);
            }
        }
    }

    /// Forgets how far the views are: the connection by which it was learned is lost.
    pub(crate) fn forget(&self) {
        for known in self.state().views.values_mut() {
            known.at.clear();
        }
    }

    /// A view shows everything of a lane up to here.
    pub(crate) fn advance<'a>(&self, lane: u32, come_to: impl Iterator<Item = (&'a str, Position)>) {
        let mut state = self.state();
        for (view, position) in come_to {
            if let Some(known) = state.views.get_mut(view) {
                let at = known.at.entry(lane).or_default();
                *at = (*at).max(position);
            }
        }
    }

    /// A view stopped at an event.
    pub(crate) fn stop(&self, view: &str) {
        if let Some(known) = self.state().views.get_mut(view) {
            known.runs = false;
        }
    }

    /// Up to where each running view shows everything.
    pub(crate) fn positions(&self) -> Positions {
        let state = self.state();
        let least = |known: &Known| {
            let lanes = (0..state.lanes).map(|lane| known.at.get(&lane).copied());
            lanes.min().flatten()
        };
        state
            .views
            .iter()
            .filter(|(_, known)| known.runs)
            .filter_map(|(view, known)| Some((*view, least(known)?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::views;

    fn record(name: &str, version: u32, lanes: &[u64]) -> (String, ViewRecord) {
        let lanes: Vec<Position> = lanes.iter().copied().map(Position).collect();
        let record = ViewRecord {
            name: name.to_owned(),
            version,
            generation: 1,
            position: lanes.iter().min().copied().unwrap(),
            lanes,
            state: ViewState::Running,
        };
        (name.to_owned(), record)
    }

    #[test]
    fn a_view_shows_what_its_slowest_lane_shows() {
        let (views, shown) = (views::all(), Shown::new());
        let records = BTreeMap::from([record("worklist", views[3].version(), &[7, 5])]);
        assert!(shown.take_records(&views, &records));
        assert!(!shown.take_records(&views, &records));
        assert_eq!(shown.positions(), BTreeMap::from([("worklist", Position(5))]));
        shown.advance(1, std::iter::once(("worklist", Position(9))));
        assert_eq!(shown.positions(), BTreeMap::from([("worklist", Position(7))]));
        // A checkpoint that was written earlier takes nothing back, unless the lane begins anew from it.
        shown.take_records(&views, &records);
        assert_eq!(shown.positions(), BTreeMap::from([("worklist", Position(7))]));
        shown.take_lane(1, &records);
        assert_eq!(shown.positions(), BTreeMap::from([("worklist", Position(5))]));
    }

    #[test]
    fn a_view_of_another_version_is_not_shown() {
        let (views, shown) = (views::all(), Shown::new());
        shown.take_records(&views, &BTreeMap::from([record("worklist", views[3].version() + 1, &[7])]));
        assert!(shown.positions().is_empty());
    }
}
