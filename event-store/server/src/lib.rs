//! The gRPC face of the embedded store: it speaks the protocol of `KurrentDB`'s clients.
//!
//! Every request is judged by `access`, done by the store's wide door, and answered in the words of the protocol. The
//! clock is read here, at the edge; what is below takes the time as an argument.

pub mod access;
mod features;
mod filter;
mod gossip;
mod guard;
mod monitoring;
mod operations;
mod persistent;
mod protocol;
mod refusal;
mod scavenges;
mod serving;
mod streams;
#[cfg(test)]
mod testing;
mod tls;
mod users;
mod v2;

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use event_store_embedded::EmbeddedStore;
use tokio::sync::watch;

use crate::{
    access::{Access, AccessError},
    monitoring::Figures,
    operations::Office,
    persistent::Subscriptions,
    serving::Serving,
    streams::Live,
    tls::Tls,
};

pub use crate::tls::TlsError;

/// Says whether only Zhulu itself may write to the stream of this name.
pub type OwnStreams = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// How the server is to run.
#[derive(Clone)]
pub struct EsdbConfig {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Who is let in, and how.
    pub security: Security,
    /// The streams that only Zhulu may write, whoever asks. Always `false` lets others write everywhere.
    pub own_streams: OwnStreams,
    /// Where certificates and the administrator's first password are kept.
    pub directory: PathBuf,
    /// The `host:port` by which others reach this server, if it is not the address that it listens on.
    pub advertise: Option<String>,
    /// The program's own version, for people. What clients are told is the version of the protocol.
    pub version: &'static str,
}

/// Who is let in, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Security {
    /// Everybody may do everything, in plain text; on loopback only.
    Insecure,
    /// TLS and credentials.
    Secure {
        /// The certificate (with its chain) and its private key, both PEM; none for one that is made at the first start.
        certificate: Option<(PathBuf, PathBuf)>,
    },
}

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken, or not ours.
    #[error("the protocol server cannot listen on {address}: {reason}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        reason: std::io::Error,
    },
    /// Whoever can append can forge a case.
    #[error(
        "without TLS and credentials the protocol server listens on loopback only, and {0} is not: leave out the insecure mode"
    )]
    InsecureOffLoopback(SocketAddr),
    /// It could not be arranged who is let in.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// There is no certificate to serve with.
    #[error(transparent)]
    Certificate(#[from] TlsError),
}

/// What somebody needs to know who wants to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Introduction {
    /// The SHA-256 of the authority's certificate, or of the bureau's own one; none without TLS.
    pub fingerprint: Option<String>,
    /// The authority that clients have to trust (`tlsCaFile`); none with a certificate of the bureau's own.
    pub authority_file: Option<PathBuf>,
    /// Where the password of the user `admin` lies, if it was made here. Whoever changes the password leaves the file as it is.
    pub password_file: Option<PathBuf>,
}

/// What all services share.
pub(crate) struct Desk {
    pub(crate) store: EmbeddedStore,
    pub(crate) access: Access,
    /// None, if connections are in plain text.
    pub(crate) tls: Option<Tls>,
    pub(crate) figures: Figures,
    pub(crate) office: Office,
    /// Consumers that share the work of one group.
    pub(crate) persistent: Arc<Subscriptions>,
    /// Who hears of what is appended.
    pub(crate) live: Arc<Live>,
    pub(crate) config: EsdbConfig,
    /// A write that the disk has not taken after so long is answered with "timed out".
    pub(crate) write_timeout: Duration,
    /// The address that is listened on; its port is never 0.
    pub(crate) address: SocketAddr,
    /// Turns true when the server stops: whoever waits for something long, ends then.
    pub(crate) stopping: watch::Receiver<bool>,
}

impl Desk {
    /// The edge's clock.
    #[allow(clippy::unused_self, reason = "the clock belongs to the desk, wherever it comes from")]
    pub(crate) fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    /// Waits until the server stops.
    pub(crate) async fn stopped(&self) {
        let mut stopping = self.stopping.clone();
        // A sender that is gone means that nobody serves any more.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    }
}

/// A server that runs. Dropped, it stops at once.
pub struct EsdbServer {
    desk: Arc<Desk>,
    serving: Serving,
}

impl EsdbServer {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.desk.address
    }

    /// What somebody needs to know who wants to connect: for the person who started the server.
    pub fn introduction(&self) -> Introduction {
        let tls = self.desk.tls.as_ref();
        Introduction {
            fingerprint: tls.and_then(|tls| tls.fingerprint().ok()),
            authority_file: tls.and_then(Tls::authority_file).map(PathBuf::from),
            password_file: self.desk.access.password_file().map(PathBuf::from),
        }
    }

    /// Turns true when an operator asks for the end of the process. Nobody is told so while nobody waits for it.
    pub fn shutdown_asked(&self) -> watch::Receiver<bool> {
        self.desk.office.shutdown_asked()
    }

    /// Ends subscriptions, lets other calls end for so long, and lets go of the address.
    pub async fn stop(self, grace: Duration) {
        // Consumers are told, and their groups write down how far they are.
        self.desk.persistent.close().await;
        self.serving.stop(grace).await;
    }
}

/// Starts to serve the store.
pub async fn start(store: EmbeddedStore, config: EsdbConfig) -> Result<EsdbServer, StartError> {
    if config.security == Security::Insecure && !config.listen.ip().is_loopback() {
        return Err(StartError::InsecureOffLoopback(config.listen));
    }
    let listening = |reason| StartError::Listen {
        address: config.listen,
        reason,
    };
    let listener = tokio::net::TcpListener::bind(config.listen).await.map_err(listening)?;
    let address = listener.local_addr().map_err(listening)?;
    let (stop, stopping) = watch::channel(false);
    let now = Utc::now();
    let first_password = std::env::var(access::PASSWORD_VARIABLE).ok();
    let access = Access::open(store.clone(), &config.security, &config.directory, first_password, Utc::now).await?;
    let tls = match &config.security {
        Security::Insecure => None,
        Security::Secure { certificate } => {
            let names = tls::names_of(address, config.advertise.as_deref());
            Some(Tls::open(&config.directory, certificate.as_ref(), names, now)?)
        }
    };
    let persistent = Subscriptions::new(store.clone(), Utc::now);
    let desk = Arc::new(Desk {
        store,
        access,
        tls,
        figures: Figures::default(),
        office: Office::new(),
        persistent,
        live: Arc::default(),
        config,
        write_timeout: streams::WRITE_TIMEOUT,
        address,
        stopping,
    });
    tokio::spawn(desk.live.clone().run(desk.store.clone(), desk.stopping.clone(), Utc::now));
    let serving = Serving::start(listener, desk.clone(), stop);
    tokio::spawn(persistent::keep_open(desk.persistent.clone(), desk.stopping.clone()));
    Ok(EsdbServer { desk, serving })
}
