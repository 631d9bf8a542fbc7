//! Ad-hoc sub-processes (BPMN 2.0, 13.3.5): their activities are begun by hand, in any order, as often as needed.

use std::sync::Arc;

use super::{Run, Stuck};
use crate::{
    instance::{
        command::Rejection,
        event::Event,
        words::{Key, Phase},
    },
    model::{AdHoc, NodeIx, NodeKind, Process, SubProcess},
};

impl Run<'_> {
    /// Whether a scope is an ad-hoc sub-process.
    pub(super) fn is_ad_hoc(&self, scope: Key) -> bool {
        scope != crate::instance::ROOT && self.node_of(scope).is_ok_and(|(process, at)| ad_hoc(&process, at).is_some())
    }

    /// Somebody begins an activity of an ad-hoc sub-process.
    pub(crate) fn begin_activity(&mut self, scope: Key, element: &str) -> Result<(), Rejection> {
        let (process, around) = self.open_ad_hoc(scope)?;
        let cannot = |reason: &str| Rejection::CannotBegin {
            element: element.to_owned(),
            reason: reason.to_owned(),
        };
        let at = process.find(element).ok_or_else(|| Rejection::NoSuchElement {
            element: element.to_owned(),
        })?;
        if process.node(at).parent != Some(around) {
            return Err(cannot("it does not stand in this sub-process"));
        }
        if !can_be_begun(&process, at) {
            return Err(cannot("only an activity to which no flow leads is begun by hand"));
        }
        let Some(open) = self.state.elements.get(&scope) else {
            return Err(Rejection::NothingThere { key: scope });
        };
        if open.closed {
            return Err(cannot("the sub-process is coming to its end"));
        }
        if ad_hoc(&process, around).is_some_and(|ad_hoc| ad_hoc.sequential)
            && (open.inside > 0 || self.state.tokens.any_in(scope))
        {
            return Err(cannot("one activity at a time is done here; finish the one that runs first"));
        }
        self.enter(&process, at, scope, Vec::new(), None)?;
        Ok(())
    }

    /// Somebody says that an ad-hoc sub-process is done.
    pub(crate) fn complete_ad_hoc(&mut self, scope: Key) -> Result<(), Rejection> {
        let (process, at) = self.open_ad_hoc(scope)?;
        self.close_ad_hoc(&process, at, scope);
        Ok(())
    }

    fn open_ad_hoc(&self, scope: Key) -> Result<(Arc<Process>, NodeIx), Rejection> {
        let (process, at) = self.node_of(scope)?;
        if ad_hoc(&process, at).is_none() || self.holds_rounds(scope) {
            return Err(Rejection::Invalid {
                reason: format!("what runs under the key {scope} is no ad-hoc sub-process"),
            });
        }
        Ok((process, at))
    }

    /// After an activity was done: whether that completes the ad-hoc sub-process around it.
    pub(super) fn after_inner(&mut self, process: &Arc<Process>, at: NodeIx, scope: Key) {
        let node = process.node(at);
        let around = node.parent.filter(|_| node.activity.is_some());
        if let Some(around) = around.filter(|around| ad_hoc(process, *around).is_some()) {
            self.ask_ad_hoc(process, around, scope);
        }
    }

    /// Asks the completion condition of an ad-hoc sub-process.
    pub(super) fn ask_ad_hoc(&mut self, process: &Arc<Process>, at: NodeIx, scope: Key) {
        let condition = ad_hoc(process, at).and_then(|ad_hoc| ad_hoc.completion.as_ref());
        let is_closed = self.state.elements.get(&scope).is_none_or(|element| element.closed);
        let Some(condition) = condition.filter(|_| !is_closed) else {
            return;
        };
        match self.holds(condition, scope) {
            Ok(true) => self.close_ad_hoc(process, at, scope),
            Ok(false) => {}
            Err(cause) => self.stuck(scope, Phase::Active, Stuck::from(cause)),
        }
    }

    /// Nothing more begins in it; what still runs is given up, if the model says so.
    fn close_ad_hoc(&mut self, process: &Process, at: NodeIx, scope: Key) {
        self.emit(Event::AdHocClosed { key: scope });
        if ad_hoc(process, at).is_some_and(|ad_hoc| ad_hoc.cancel_remaining) {
            self.cancel_inside(scope);
        }
        self.touched.insert(scope);
    }

    /// Ends an ad-hoc sub-process in which nothing runs, if it was closed or there is nothing that could be begun.
    pub(super) fn look_at_ad_hoc(&mut self, scope: Key) -> Result<(), Rejection> {
        let Some(element) = self.state.elements.get(&scope) else {
            return Ok(());
        };
        let is_closed = element.closed;
        if element.inside > 0 || self.state.tokens.any_in(scope) {
            return Ok(());
        }
        let (process, at) = self.node_of(scope)?;
        let children = &process.node(at).children;
        if is_closed || !children.iter().any(|child| can_be_begun(&process, *child)) {
            return self.leave(scope);
        }
        Ok(())
    }
}

fn ad_hoc(process: &Process, at: NodeIx) -> Option<&AdHoc> {
    match &process.node(at).kind {
        NodeKind::SubProcess(SubProcess::AdHoc(ad_hoc)) => Some(ad_hoc),
        _ => None,
    }
}

/// Whether an activity of an ad-hoc sub-process is begun by hand: those to which a flow leads begin by that.
pub(crate) fn can_be_begun(process: &Process, at: NodeIx) -> bool {
    let node = process.node(at);
    let is_work = matches!(node.kind, NodeKind::Task(_) | NodeKind::SubProcess(_) | NodeKind::Call(_));
    let is_event = matches!(node.kind, NodeKind::SubProcess(SubProcess::Event));
    let is_handler = node.activity.as_ref().is_some_and(|activity| activity.for_compensation);
    is_work && !is_event && !is_handler && node.incoming.is_empty()
}
