//! Why there is no PostgreSQL, and what to do about it.

use std::path::PathBuf;

/// Why the private PostgreSQL did not start or stop. Each one says what to do.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// No server binaries were found.
    #[error(
        "no PostgreSQL server (14 to 18) is installed. Looked in {looked_in}. Install one (Debian, Ubuntu: apt-get install postgresql), \
         or set ZHULU_PG_BIN to the directory that holds initdb and postgres, or set DATABASE_URL to use a server that runs already"
    )]
    NotInstalled {
        /// The places that were searched.
        looked_in: String,
    },
    /// The cluster was made by a version that is not installed now.
    #[error(
        "the cluster in {} was made by PostgreSQL {major}, but only {found} is installed. Install that version (Debian, Ubuntu: \
         apt-get install postgresql-{major}), or move the directory away: the views are then rebuilt from the events",
        data.display()
    )]
    VersionMissing {
        /// The cluster's own major version, as its file `PG_VERSION` has it.
        major: String,
        /// The versions that were found.
        found: String,
        /// The cluster.
        data: PathBuf,
    },
    /// Another Zhulu uses the directory.
    #[error(
        "another Zhulu (process {process}) uses {}. Stop it first, or give this one a data directory of its own",
        directory.display()
    )]
    InUse {
        /// The directory that is in use.
        directory: PathBuf,
        /// The process id of the other one, as far as it is known.
        process: String,
    },
    /// We run as root and there is nobody to run PostgreSQL as.
    #[error(
        "PostgreSQL refuses to run as root, and there is no account {wanted} to run it as. Set ZHULU_PG_USER to one that exists"
    )]
    NoAccount {
        /// The accounts that were looked for.
        wanted: String,
    },
    /// The cluster belongs to somebody else and we are not root.
    #[error("the cluster in {} belongs to user id {owner}. Start Zhulu as that user or as root", data.display())]
    NotOurs {
        /// The cluster.
        data: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// The cluster is there but its password is not.
    #[error(
        "the password file {} is missing, so nobody can enter the cluster beside it. Bring the file back, or move the \
         directory away: the views are then rebuilt from the events",
        password.display()
    )]
    PasswordLost {
        /// Where the password should be.
        password: PathBuf,
    },
    /// No cluster could be made.
    #[error("initdb made no cluster in {}. It said:\n{said}", data.display())]
    NotMade {
        /// Where the cluster should have been made.
        data: PathBuf,
        /// What initdb said.
        said: String,
    },
    /// The server ended instead of taking connections.
    #[error("PostgreSQL did not start. The end of {}:\n{said}", log.display())]
    DidNotStart {
        /// The server's log.
        log: PathBuf,
        /// Its last lines.
        said: String,
    },
    /// The server neither ended nor took connections.
    #[error("PostgreSQL was not ready within {limit_seconds} s. See {}", log.display())]
    TooSlow {
        /// How long we waited.
        limit_seconds: u64,
        /// The server's log.
        log: PathBuf,
    },
    /// The server did not stop, whatever was tried.
    #[error("PostgreSQL (process {process_id}) does not stop. End that process before starting Zhulu again")]
    DoesNotStop {
        /// The server's process.
        process_id: u32,
    },
    /// The operating system said no.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// What the operating system said.
        source: std::io::Error,
    },
}

/// Says what was being done when the operating system said no.
pub(crate) fn doing(what: impl FnOnce() -> String) -> impl FnOnce(std::io::Error) -> PostgresError {
    move |source| PostgresError::Io { doing: what(), source }
}
