//! The contract over the official client of KurrentDB, for any `esdb://` or `kurrentdb://` address.
//!
//! The client is taken as the registry has it, and what it does not survive is survived here: a lost connection, another
//! leader, an answer that never came, a subscription that ends.

mod address;
mod appending;
mod chain;
mod connection;
mod convert;
mod ending;
mod follow;
mod lanes;
mod reading;
mod trouble;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use event_store_contract::{
    Appended, Direction, EventStore, Expected, Filter, Follow, MAX_EVENTS_PER_READ, NewEvent, Page, Position, RecordedEvent,
    StoreError, StreamName, check_limits,
};

pub use address::AddressError;

use crate::{address::Address, chain::Chain, connection::Connection};

/// Why there is no connection.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum ConnectError {
    /// The address does not say where to go.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Nobody answered, or not as an event store does.
    #[error("no event store answers at {address}: {reason}")]
    Unreachable {
        /// The address, without its password.
        address: String,
        /// What happened.
        reason: String,
    },
}

/// An event store behind an address. Cheap to clone; all clones share one connection.
#[derive(Clone)]
pub struct EsdbStore(Arc<Inner>);

struct Inner {
    connection: Connection,
    chain: Chain,
}

impl fmt::Debug for EsdbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EsdbStore").field(&self.address()).finish()
    }
}

impl EsdbStore {
    /// Connects to an address (`esdb://user:password@host:2113?tlsCaFile=…`) and asks for the log's head, so that a wrong
    /// address or password is known now and not at the first command.
    pub async fn connect(address: &str) -> Result<Self, ConnectError> {
        let address: Address = address.parse()?;
        let shown = address.to_string();
        let unreachable = |reason| ConnectError::Unreachable { address: shown, reason };
        let connection = match Connection::open(address) {
            Ok(connection) => connection,
            Err(reason) => return Err(unreachable(reason)),
        };
        let store = Self(Arc::new(Inner {
            connection,
            chain: Chain::default(),
        }));
        match store.head().await {
            Ok(_) => Ok(store),
            Err(StoreError::Unavailable(reason)) => Err(unreachable(reason)),
            Err(other) => Err(unreachable(other.to_string())),
        }
    }

    /// The address, without its password.
    pub fn address(&self) -> String {
        self.0.connection.address().to_string()
    }
}

#[async_trait]
impl EventStore for EsdbStore {
    async fn append(&self, stream: &StreamName, expected: Expected, events: Vec<NewEvent>) -> Result<Appended, StoreError> {
        check_limits(&events)?;
        appending::append(&self.0.connection, stream, expected, events).await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: u64,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let limit = limit.min(MAX_EVENTS_PER_READ);
        match direction {
            Direction::Forwards => chain::forwards(&self.0.connection, &self.0.chain, stream, from, limit).await,
            Direction::Backwards => chain::backwards(&self.0.connection, &self.0.chain, stream, from, limit).await,
        }
    }

    async fn read_all(&self, after: Option<Position>, limit: usize, filter: &Filter) -> Result<Page, StoreError> {
        reading::log(&self.0.connection, after, limit.min(MAX_EVENTS_PER_READ), filter).await
    }

    async fn head(&self) -> Result<Option<Position>, StoreError> {
        reading::head(&self.0.connection).await
    }

    async fn follow(&self, after: Option<Position>, filter: Filter) -> Result<Box<dyn Follow>, StoreError> {
        Ok(Box::new(follow::EsdbFollow::start(self.0.clone(), after, filter)))
    }
}
