//! All groups of this server: made, changed, ended, found; opened at the start and closed at the end.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use event_store_contract::{Expected, StoreError};
use event_store_embedded::{EmbeddedStore, Life, Refusal};
use tokio::{
    sync::{RwLock, RwLockReadGuard},
    task::JoinHandle,
};
use tonic::Status;

use super::{
    configuration::{self, GroupConfig, StoredFilter},
    door::{Closing, Door},
    keeping,
    names::{GroupName, Source, StateStreams},
    pulse::Pulse,
    refusals, room,
    settings::{Settings, StartFrom},
};
use crate::refusal;

/// The most groups that one server keeps: all of them stand in one event.
pub(crate) const MAX_GROUPS: usize = 10_000;
/// The longest name of a group, in bytes. With that of the stream it is part of the names of other streams, which have
/// their own limit.
pub(crate) const MAX_GROUP_NAME_BYTES: usize = 200;

/// All groups of this server.
pub(crate) struct Subscriptions {
    store: EmbeddedStore,
    clock: fn() -> DateTime<Utc>,
    pulse: Arc<Pulse>,
    groups: RwLock<State>,
}

enum State {
    /// Nobody has asked yet.
    Closed,
    Open(BTreeMap<GroupName, OpenGroup>),
    /// The server stops.
    Ended,
}

struct OpenGroup {
    config: GroupConfig,
    door: Door,
    task: JoinHandle<()>,
}

/// A group that was found.
pub(super) struct FoundGroup {
    pub(super) config: GroupConfig,
    pub(super) door: Door,
}

/// A group as it is wanted.
pub(super) struct Wanted {
    pub(super) name: GroupName,
    pub(super) settings: Settings,
    /// Only when it is made; it cannot be changed.
    pub(super) filter: Option<StoredFilter>,
    pub(super) by: String,
}

impl Subscriptions {
    /// Nothing is read before [`open`](Self::open), or before somebody asks.
    pub(crate) fn new(store: EmbeddedStore, clock: fn() -> DateTime<Utc>) -> Arc<Self> {
        Arc::new(Self {
            pulse: Arc::new(Pulse::new(store.clone())),
            store,
            clock,
            groups: RwLock::new(State::Closed),
        })
    }

    /// Opens all groups that are written down, if that has not been done.
    pub(crate) async fn open(&self) -> Result<(), Status> {
        let mut state = self.groups.write().await;
        match *state {
            State::Open(_) => Ok(()),
            State::Ended => Err(refusal::stopping()),
            State::Closed => {
                *state = State::Open(self.open_all().map_err(|error| refusal::of_store(&error))?);
                self.pulse.begin(self.clock);
                Ok(())
            }
        }
    }

    /// Drops all consumers and begins again from what is stored.
    pub(crate) async fn restart(&self) -> Result<(), Status> {
        self.open().await?;
        let mut state = self.groups.write().await;
        let State::Open(groups) = &mut *state else {
            return Err(refusal::stopping());
        };
        close_all(std::mem::take(groups), Closing::Reopening).await;
        *state = State::Closed;
        *state = State::Open(self.open_all().map_err(|error| refusal::of_store(&error))?);
        Ok(())
    }

    /// Ends all groups, after they have written down how far they are.
    pub(crate) async fn close(&self) {
        let mut state = self.groups.write().await;
        if let State::Open(groups) = std::mem::replace(&mut *state, State::Ended) {
            close_all(groups, Closing::Stopping).await;
        }
        self.pulse.end();
    }

    pub(super) async fn create(&self, wanted: Wanted) -> Result<(), Status> {
        self.open().await?;
        let mut state = self.groups.write().await;
        let groups = state.groups()?;
        let Wanted {
            name,
            settings,
            filter,
            by,
        } = wanted;
        if groups.contains_key(&name) {
            return Err(refusals::exists(&name));
        }
        if groups.len() >= MAX_GROUPS {
            return Err(refusals::failed(&name, &format!("there are {MAX_GROUPS} groups already")));
        }
        check_name(&name)?;
        let config = self.configured(name, settings, filter)?;
        self.save(groups, Some(&config), None, &by).await?;
        self.open_into(groups, config)
    }

    pub(super) async fn update(&self, wanted: Wanted) -> Result<(), Status> {
        self.open().await?;
        let mut state = self.groups.write().await;
        let groups = state.groups()?;
        let Wanted { name, settings, by, .. } = wanted;
        let Some(open) = groups.get(&name) else {
            return Err(refusals::does_not_exist(&name));
        };
        let config = self.configured(name, settings, open.config.filter.clone())?;
        self.save(groups, Some(&config), None, &by).await?;
        if let Some(open) = groups.remove(&config.name) {
            open.close(Closing::Reopening).await;
        }
        self.open_into(groups, config)
    }

    pub(super) async fn delete(&self, name: &GroupName, by: &str) -> Result<(), Status> {
        self.open().await?;
        let mut state = self.groups.write().await;
        let groups = state.groups()?;
        if !groups.contains_key(name) {
            return Err(refusals::does_not_exist(name));
        }
        self.save(groups, None, Some(name), by).await?;
        if let Some(open) = groups.remove(name) {
            open.close(Closing::Deleted).await;
        }
        if let Ok(streams) = StateStreams::of(name) {
            for stream in [streams.checkpoint, streams.parked] {
                let head = self.store.stream_head(&stream).map_err(|error| refusal::of_store(&error))?;
                if head.life == Life::Live {
                    let deleted = self.store.delete(&stream, Expected::Any).await;
                    deleted.map_err(|refused| refusal::status(refused, "Delete"))?;
                }
            }
        }
        Ok(())
    }

    pub(super) async fn find(&self, name: &GroupName) -> Result<FoundGroup, Status> {
        let state = self.opened().await?;
        let groups = state.look()?;
        groups
            .get(name)
            .map(OpenGroup::found)
            .ok_or_else(|| refusals::does_not_exist(name))
    }

    /// All groups, or those on one source.
    pub(super) async fn list(&self, source: Option<&Source>) -> Result<Vec<FoundGroup>, Status> {
        let state = self.opened().await?;
        let wanted = |name: &GroupName| source.is_none_or(|source| name.source == *source);
        let found = state.look()?.iter().filter(|(name, _)| wanted(name));
        Ok(found.map(|(_, open)| open.found()).collect())
    }

    async fn opened(&self) -> Result<RwLockReadGuard<'_, State>, Status> {
        let state = self.groups.read().await;
        if !matches!(*state, State::Closed) {
            return Ok(state);
        }
        drop(state);
        self.open().await?;
        Ok(self.groups.read().await)
    }

    fn open_all(&self) -> Result<BTreeMap<GroupName, OpenGroup>, StoreError> {
        let now = (self.clock)();
        let configs = configuration::load(&self.store, now, |source, from| self.begins_with(source, from))?;
        let mut groups = BTreeMap::new();
        for config in configs {
            groups.insert(config.name.clone(), self.open_one(config)?);
        }
        Ok(groups)
    }

    /// Opens a group that has been written down. If it begins at the end, it begins after that.
    fn open_into(&self, groups: &mut BTreeMap<GroupName, OpenGroup>, mut config: GroupConfig) -> Result<(), Status> {
        if let (Source::All, StartFrom::End) = (&config.name.source, config.settings.start_from) {
            config.begins_with = self.store.committed().borrow().head + 1;
        }
        let name = config.name.clone();
        let open = self.open_one(config).map_err(|error| refusal::of_store(&error))?;
        groups.insert(name, open);
        Ok(())
    }

    fn open_one(&self, config: GroupConfig) -> Result<OpenGroup, StoreError> {
        let news = self.pulse.news_of(&config.name.source);
        let (door, task) = room::open(self.store.clone(), self.clock, &config, news)?;
        Ok(OpenGroup { config, door, task })
    }

    fn configured(&self, name: GroupName, settings: Settings, filter: Option<StoredFilter>) -> Result<GroupConfig, Status> {
        if let (Source::All, StartFrom::At(place)) = (&name.source, settings.start_from)
            && place > self.store.committed().borrow().head
        {
            let reason = "Invalid Start From position: commit position must be less than or equal to the last commit position \
                          in the transaction file.";
            return Err(refusals::failed(&name, reason));
        }
        let begins_with = self.begins_with(&name.source, settings.start_from);
        Ok(GroupConfig {
            begins_with: begins_with.map_err(|error| refusal::of_store(&error))?,
            name,
            filter,
            settings,
        })
    }

    /// The first place that a group wants which begins there now.
    fn begins_with(&self, source: &Source, from: StartFrom) -> Result<u64, StoreError> {
        Ok(match (from, source) {
            (StartFrom::Start, _) => 0,
            (StartFrom::At(place), _) => place,
            (StartFrom::End, Source::All) => self.store.committed().borrow().head + 1,
            (StartFrom::End, Source::Stream(stream)) => match self.store.stream_head(stream)? {
                head if head.life == Life::Tombstoned => 0,
                head => head.last.map_or(0, |last| last + 1),
            },
        })
    }

    /// Writes down all groups: with this one as it is wanted, without that one.
    async fn save(
        &self,
        groups: &BTreeMap<GroupName, OpenGroup>,
        with: Option<&GroupConfig>,
        without: Option<&GroupName>,
        by: &str,
    ) -> Result<(), Status> {
        let left_out = |name: &GroupName| Some(name) == without || with.is_some_and(|config| config.name == *name);
        let others = groups
            .values()
            .map(|open| &open.config)
            .filter(|config| !left_out(&config.name));
        let saved = configuration::save(&self.store, others.chain(with), by, (self.clock)()).await;
        saved.map_err(|refused| match refused {
            Refusal::Store(error) => refusal::of_store(&error),
            refused => refusal::status(refused, "Append"),
        })
    }

    /// The revisions of the first and last parked message of a group.
    pub(super) fn parked_range(&self, name: &GroupName) -> Result<Option<(u64, u64)>, Status> {
        let Ok(streams) = StateStreams::of(name) else {
            return Ok(None);
        };
        keeping::parked_range(&self.store, &streams, (self.clock)()).map_err(|error| refusal::of_store(&error))
    }

    /// The place of the last event of a source.
    pub(super) fn last_known(&self, source: &Source) -> Result<Option<u64>, Status> {
        Ok(match source {
            Source::All => Some(self.store.committed().borrow().head).filter(|head| *head > 0),
            Source::Stream(stream) => {
                let head = self.store.stream_head(stream).map_err(|error| refusal::of_store(&error))?;
                head.last.filter(|_| head.life == Life::Live)
            }
        })
    }
}

impl State {
    fn groups(&mut self) -> Result<&mut BTreeMap<GroupName, OpenGroup>, Status> {
        match self {
            Self::Open(groups) => Ok(groups),
            Self::Closed | Self::Ended => Err(refusal::stopping()),
        }
    }

    fn look(&self) -> Result<&BTreeMap<GroupName, OpenGroup>, Status> {
        match self {
            Self::Open(groups) => Ok(groups),
            Self::Closed | Self::Ended => Err(refusal::stopping()),
        }
    }
}

impl OpenGroup {
    fn found(&self) -> FoundGroup {
        FoundGroup {
            config: self.config.clone(),
            door: self.door.clone(),
        }
    }

    async fn close(self, closing: Closing) {
        self.door.close(closing).await;
        self.task.await.ok();
    }
}

/// All are told first, then all are waited for.
async fn close_all(groups: BTreeMap<GroupName, OpenGroup>, closing: Closing) {
    for open in groups.values() {
        open.door.close(closing).await;
    }
    for open in groups.into_values() {
        open.task.await.ok();
    }
}

fn check_name(name: &GroupName) -> Result<(), Status> {
    if name.group.is_empty() || name.group.len() > MAX_GROUP_NAME_BYTES {
        let reason = format!(
            "a group's name has 1 to {MAX_GROUP_NAME_BYTES} bytes; this one has {}",
            name.group.len()
        );
        return Err(refusals::failed(name, &reason));
    }
    let streams = StateStreams::of(name);
    streams
        .map(|_| ())
        .map_err(|error| refusals::failed(name, &format!("the names of stream and group are too long together: {error}")))
}
