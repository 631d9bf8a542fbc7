//! A page of a group's state, written in one commit.

use std::{pin::Pin, sync::Arc};

use event_store_contract::StoreError;
use event_store_embedded::{Draft, EmbeddedStore, Refusal, Write};

use super::{
    keeping,
    names::{GroupName, StateStreams},
};

/// What of a group's state is to be written: messages to put aside, by their keys; how far everything is done; how far
/// parked messages are done.
#[derive(Default)]
pub(super) struct Page {
    pub(super) parks: Vec<(u64, Draft)>,
    pub(super) checkpoint: Option<u64>,
    pub(super) truncate_before: Option<u64>,
    /// The same events with the same ids when it is tried again: what was written after all is not written twice.
    prepared: Option<Vec<Write>>,
}

/// A page on its way, and how it went.
pub(super) type Writing = Pin<Box<dyn Future<Output = (Page, Result<(), Refusal>)> + Send>>;

impl Page {
    pub(super) fn is_empty(&self) -> bool {
        self.parks.is_empty() && self.checkpoint.is_none() && self.truncate_before.is_none()
    }
}

/// Writes a page, all of it or nothing.
pub(super) async fn write(
    store: EmbeddedStore,
    streams: StateStreams,
    name: Arc<GroupName>,
    mut page: Page,
) -> (Page, Result<(), Refusal>) {
    let prepared = match page.prepared.take() {
        Some(prepared) => Ok(prepared),
        None => page.as_writes(&store, &streams, &name),
    };
    let writes = match prepared {
        Ok(writes) if writes.is_empty() => return (page, Ok(())),
        Ok(writes) => writes,
        Err(error) => return (page, Err(error.into())),
    };
    page.prepared = Some(writes.clone());
    let written = store.write(writes, Vec::new()).await;
    (page, written.map(|_| ()))
}

impl Page {
    fn as_writes(&self, store: &EmbeddedStore, streams: &StateStreams, name: &GroupName) -> Result<Vec<Write>, StoreError> {
        let mut writes = Vec::new();
        if !self.parks.is_empty() {
            let links = self.parks.iter().map(|(_, link)| link.clone()).collect();
            writes.push(keeping::write_parked(streams, links));
        }
        if let Some(place) = self.checkpoint {
            writes.extend(keeping::write_checkpoint(store, streams, name.source.kind(), place)?);
        }
        if let Some(before) = self.truncate_before {
            writes.extend(keeping::write_truncation(store, streams, before)?);
        }
        Ok(writes)
    }
}
