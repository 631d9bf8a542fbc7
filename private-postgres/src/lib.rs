//! Zhulu's own PostgreSQL: a whole cluster in Zhulu's data directory, which lives and dies with Zhulu.
//!
//! The views stand in PostgreSQL and nobody should have to set one up to see them. So Zhulu takes whatever server
//! binaries the machine has (14 to 18), makes a cluster of its own, and starts it on a free port of the loopback
//! interface and on a socket that only its own account can enter. Two Zhulus on one machine never meet.
//!
//! What lies where, below the directory that [`PrivatePostgres::start`] is given:
//!
//! | name | what it is |
//! |---|---|
//! | `lock` | held while a Zhulu uses the directory; the kernel lets go of it when that Zhulu dies, however it dies |
//! | `where` | only if the cluster had to go elsewhere: the path of the place that holds the names below |
//! | `data/` | the cluster, as `initdb` made it; settings of your own go to the end of its `postgresql.conf` |
//! | `password` | of the role `zhulu`; for its owner's eyes only |
//! | `postgres.log` | what the server has to say; one older file is kept |
//! | `socket/` | the socket, unless its path would be too long for one |
//!
//! PostgreSQL refuses to run as root. If Zhulu runs as root, the cluster belongs to the account `postgres`, or `nobody`
//! if there is none, or the one that `ZHULU_PG_USER` names, or whoever owns the cluster already. If that account cannot
//! enter the directory (below `/root`, say), the cluster goes to `/var/lib/zhulu-postgres/…`, or beside the other temporary
//! files if the directory is one, and `where` says so.

mod account;
mod binaries;
mod cluster;
mod error;
mod guardian;
mod leftovers;
mod lock;
mod place;

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

pub use binaries::SUPPORTED_MAJORS;
use cluster::Cluster;
pub use error::PostgresError;
use error::doing;
use guardian::Guardian;

/// The role that owns everything in the cluster. It is the superuser: nobody else lives there.
pub const ROLE: &str = "zhulu";
/// The database that `initdb` makes in every cluster; one is all we need.
pub const DATABASE: &str = "postgres";

/// How often another port is tried when somebody took the free one before PostgreSQL could.
const START_ATTEMPTS: u32 = 8;
/// How long a start may take. After a crash PostgreSQL reads its log again first, up to `max_wal_size` of it.
const START_LIMIT: Duration = Duration::from_secs(180);
/// How often we look whether PostgreSQL is ready; it says so in a file.
const READY_POLL: Duration = Duration::from_millis(5);
/// How long to wait before another attempt while the processes of a killed server still let go of its memory; twice as
/// long before the third, and so on.
const LINGERING_PAUSE: Duration = Duration::from_millis(200);

/// A running PostgreSQL that is ours alone. Stop it with [`PrivatePostgres::stop`]; dropping it stops it too, but blocks.
#[derive(Debug)]
pub struct PrivatePostgres {
    // Before the cluster, so that the server is gone before the locks are.
    guardian: Guardian,
    cluster: Cluster,
    url: String,
    tcp_url: String,
}

impl PrivatePostgres {
    /// Starts the cluster in this directory, makes it first if there is none, and comes back when it takes connections.
    ///
    /// The directory should hold nothing else: it may change hands to the account that PostgreSQL runs as.
    pub async fn start(directory: &Path) -> Result<Self, PostgresError> {
        let directory = directory.to_path_buf();
        let cluster = tokio::task::spawn_blocking(move || Cluster::open(&directory))
            .await
            .map_err(|join| PostgresError::Io {
                doing: "preparing PostgreSQL".to_owned(),
                source: std::io::Error::other(join),
            })??;
        for attempt in 1..=START_ATTEMPTS {
            let port = free_port()?;
            cluster.configure(port)?;
            let log_from = cluster.log_length();
            let mut guardian = Guardian::watch_over(cluster.launch())?;
            if wait_until_ready(&cluster, &mut guardian, port).await? {
                guardian.keep_alive();
                return Ok(Self {
                    url: cluster.socket_url(port),
                    tcp_url: cluster.tcp_url(port),
                    guardian,
                    cluster,
                });
            }
            let said = cluster.log_since(log_from);
            let worth_another_try = said.contains("could not bind") || said.contains("shared memory block");
            if !worth_another_try || attempt == START_ATTEMPTS {
                return Err(PostgresError::DidNotStart {
                    log: cluster.log_path(),
                    said,
                });
            }
            tracing::debug!(attempt, port, "PostgreSQL did not start, trying again");
            tokio::time::sleep(LINGERING_PAUSE * attempt).await;
        }
        unreachable!("the last attempt returns")
    }

    /// How to connect: through the socket, which is faster than the network. Understood by tokio-postgres and libpq.
    /// It holds the password; do not print it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How to connect through 127.0.0.1, for clients that know no sockets. It holds the password; do not print it.
    pub fn tcp_url(&self) -> &str {
        &self.tcp_url
    }

    /// The major version of the server, 14 to 18.
    pub fn major_version(&self) -> u32 {
        self.cluster.major_version()
    }

    /// The directory that holds the cluster; not always the one that was asked for.
    pub fn directory(&self) -> &Path {
        self.cluster.base()
    }

    /// The file that PostgreSQL writes its messages to.
    pub fn log_path(&self) -> PathBuf {
        self.cluster.log_path()
    }

    /// The process id of the server, or `None` while it is down.
    pub fn process_id(&self) -> Option<u32> {
        self.guardian.process_id()
    }

    /// Ends all sessions, writes everything down and stops.
    pub async fn stop(mut self) -> Result<(), PostgresError> {
        let stopped = self.guardian.stop().await;
        self.cluster.remove_distant_socket_directory();
        stopped
    }
}

/// True when PostgreSQL takes connections, false when it ended instead.
async fn wait_until_ready(cluster: &Cluster, guardian: &mut Guardian, port: u16) -> Result<bool, PostgresError> {
    let started = Instant::now();
    while started.elapsed() < START_LIMIT {
        if guardian.has_ended() {
            return Ok(false);
        }
        if guardian
            .process_id()
            .is_some_and(|process_id| leftovers::is_ready(cluster.data(), process_id))
        {
            tracing::debug!(port, took = ?started.elapsed(), "PostgreSQL is ready");
            return Ok(true);
        }
        tokio::time::sleep(READY_POLL).await;
    }
    guardian.stop().await?;
    Err(PostgresError::TooSlow {
        limit_seconds: START_LIMIT.as_secs(),
        log: cluster.log_path(),
    })
}

/// A port that nobody listens on now. Somebody may take it before PostgreSQL does; then another is tried.
fn free_port() -> Result<u16, PostgresError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(doing(|| "looking for a free port on 127.0.0.1".to_owned()))?;
    let address = listener
        .local_addr()
        .map_err(doing(|| "looking for a free port on 127.0.0.1".to_owned()))?;
    Ok(address.port())
}
