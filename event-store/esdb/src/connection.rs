//! The connection: one client that all share, and a new one when it is of no use any more.
//!
//! The client gives up for good after one failed connection, and never leaves a node that went away. So it is replaced:
//! by whoever finds it broken first, once for all who find it broken, and with growing pauses while nobody answers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use event_store_contract::StoreError;
use kurrentdb::{AppendToStreamOptions, BatchAppendOptions, Client, ReadAllOptions, ReadStreamOptions, SubscribeToAllOptions};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::{address::Address, lanes::Lanes, trouble::Trouble};

/// How long a call tries before it says that the store is not available: an election in a cluster takes two or three
/// seconds, a restart of a server about as long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// How long one attempt at an append may take: the server itself gives up after two seconds.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(4);
/// The first pause before another client is made; it doubles.
const PAUSE_MIN: Duration = Duration::from_millis(25);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_millis(800);
/// The pause before the server is asked again on the same connection.
const AGAIN: Duration = Duration::from_millis(10);

/// A client, and how many there were before it.
pub(crate) struct Link {
    pub(crate) client: Client,
    pub(crate) lanes: Lanes,
    generation: u64,
}

/// The way to the store.
pub(crate) struct Connection {
    address: Address,
    current: ArcSwap<Link>,
    /// Held by whoever replaces the client.
    replacing: tokio::sync::Mutex<()>,
    /// Clients in a row that were of no use.
    useless: AtomicU32,
}

/// Gives a call's options the credentials of the address. The client's options have no trait in common.
macro_rules! options {
    ($($name:ident: $options:ty),+ $(,)?) => {
        $(pub(crate) fn $name(&self) -> $options {
            let options = <$options>::default();
            match &self.address.credentials {
                Some(credentials) => options.authenticated(credentials.clone()),
                None => options,
            }
        })+
    };
}

impl Connection {
    pub(crate) fn open(address: Address) -> Result<Self, String> {
        let client = Client::new(address.settings.clone()).map_err(|error| error.to_string())?;
        Ok(Self {
            address,
            current: ArcSwap::from_pointee(Link {
                client,
                lanes: Lanes::default(),
                generation: 0,
            }),
            replacing: tokio::sync::Mutex::default(),
            useless: AtomicU32::new(0),
        })
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    pub(crate) fn current(&self) -> Arc<Link> {
        self.current.load_full()
    }

    options! {
        append_options: AppendToStreamOptions,
        batch_options: BatchAppendOptions,
        stream_options: ReadStreamOptions,
        log_options: ReadAllOptions,
        subscribe_options: SubscribeToAllOptions,
    }

    /// Replaces a link that was found broken, unless somebody has done so.
    pub(crate) async fn replace(&self, broken: &Link) {
        let _mine = self.replacing.lock().await;
        if self.current.load().generation != broken.generation {
            return;
        }
        let useless = self.useless.fetch_add(1, Ordering::Relaxed);
        if useless > 0 {
            sleep(PAUSE_MAX.min(PAUSE_MIN.saturating_mul(1 << useless.min(10)))).await;
        }
        // Making a client reads the machine's certificates from the disk.
        let (settings, runtime) = (self.address.settings.clone(), tokio::runtime::Handle::current());
        let made = tokio::task::spawn_blocking(move || Client::with_runtime_handle(runtime, settings)).await;
        match made {
            Ok(Ok(client)) => {
                let generation = broken.generation + 1;
                tracing::debug!(address = %self.address, generation, "a new connection to the event store");
                let lanes = Lanes::default();
                self.current.store(Arc::new(Link {
                    client,
                    lanes,
                    generation,
                }));
            }
            Ok(Err(error)) => tracing::warn!(address = %self.address, %error, "no new connection to the event store"),
            Err(error) => tracing::warn!(address = %self.address, %error, "no new connection to the event store"),
        }
    }

    /// The link has just been of use.
    pub(crate) fn works(&self) {
        self.useless.store(0, Ordering::Relaxed);
    }

    /// Attempts until it succeeds, until another attempt would end the same, or until patience ends.
    /// An attempt that takes longer than `limit` is let go, with its connection.
    pub(crate) async fn patiently<T, Attempt>(
        &self,
        limit: Option<Duration>,
        mut attempt: impl FnMut(Arc<Link>) -> Attempt,
    ) -> Result<T, StoreError>
    where
        Attempt: Future<Output = Result<T, Trouble>>,
    {
        let until = Instant::now() + PATIENCE;
        loop {
            let link = self.current();
            let attempted = match limit {
                Some(limit) => timeout(limit, attempt(link.clone()))
                    .await
                    .unwrap_or_else(|_| Err(Trouble::Lost(format!("no answer within {limit:?}")))),
                None => attempt(link.clone()).await,
            };
            let reason = match attempted {
                Ok(answer) => {
                    self.works();
                    return Ok(answer);
                }
                Err(Trouble::Final(error)) => return Err(error),
                Err(Trouble::Again(reason)) => {
                    sleep(AGAIN).await;
                    reason
                }
                Err(Trouble::Lost(reason)) => {
                    tracing::debug!(address = %self.address, reason, "the connection to the event store is lost");
                    // Too late is seen below.
                    let _ = timeout_at(until, self.replace(&link)).await;
                    reason
                }
            };
            if Instant::now() >= until {
                return Err(StoreError::Unavailable(reason));
            }
        }
    }
}
