//! Who asks, and what they may do.
//!
//! Callers come with a login and a password in each request; both are held against the users that the store remembers.
//! What a caller may do with a stream is said by access control lists, in the words of the protocol: a login or a group
//! in a list opens the stream to it. Administrators may do everything; who did not log in may do nothing.

mod acl;
mod first_start;
mod password;
mod sight;
#[cfg(test)]
mod tests;
mod throttle;
mod verified;

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use event_store_contract::{Direction, StoreError, StreamName};
use event_store_embedded::EmbeddedStore;
use http::{HeaderName, header::AUTHORIZATION};
use tonic::{Code, Status, metadata::MetadataMap};

pub use self::first_start::PASSWORD_VARIABLE;
pub(crate) use self::{
    acl::{ADMINS, OPS},
    first_start::write_closed,
    password::MAX_PASSWORD_BYTES,
    sight::Sight,
};
use self::{
    acl::{Deed, Defaults},
    verified::{Guard, Login},
};
use crate::{
    Security,
    refusal::{self, with_trailers},
    users::book::UserBook,
};

/// The administrator that every server begins with.
const ADMIN: &str = "admin";
/// The keeper that every server begins with.
const OPERATOR: &str = "ops";
/// The stream whose newest event holds the default lists.
const SETTINGS_STREAM: &str = "$settings";
/// The name by which the log of all streams is asked for.
const ALL_STREAM: &str = "$all";

/// Why it could not be arranged who is let in.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The directory of passwords cannot be used.
    #[error("{} cannot be used for the protocol server's passwords: {reason}", path.display())]
    Directory {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        reason: std::io::Error,
    },
    /// The password that was given cannot be taken.
    #[error("the password in {PASSWORD_VARIABLE} has {found} characters; the administrator's first password has {min} or more")]
    ShortPassword {
        /// How many characters it has.
        found: usize,
        /// How many it needs.
        min: usize,
    },
    /// The users cannot be read or written.
    #[error("the users of the protocol server cannot be read or written: {0}")]
    Users(String),
    /// The operating system gave no randomness.
    #[error("no password can be made: the operating system gives no random bytes")]
    Randomness,
}

/// Who may do what at this server.
#[derive(Clone)]
pub struct Access {
    gate: Gate,
    book: UserBook,
    store: EmbeddedStore,
    password_file: Option<PathBuf>,
}

#[derive(Clone)]
enum Gate {
    /// Everybody may do everything.
    Open,
    /// Logins and lists.
    Guarded(Arc<Guard>),
}

/// Who asks.
#[derive(Debug, Clone)]
pub struct Caller(Who);

#[derive(Debug, Clone)]
enum Who {
    /// Whoever comes while the gate is open.
    Anybody,
    /// Somebody without a login.
    Nobody,
    /// A user with the right password.
    User(Arc<Login>),
}

impl Caller {
    /// The login that the caller came with.
    pub fn login(&self) -> Option<&str> {
        match &self.0 {
            Who::User(user) => Some(&user.name),
            Who::Anybody | Who::Nobody => None,
        }
    }
}

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Read or follow a stream (or `$all`).
    Read,
    /// Append to a stream.
    Write,
    /// Delete a stream, softly or for good.
    Delete,
    /// Read the metadata of a stream; the stream is named without its `$$`.
    ReadMetadata,
    /// Write the metadata of a stream; the stream is named without its `$$`.
    WriteMetadata,
    /// Create, change, delete or restart persistent subscriptions, or replay their parked messages.
    ManageSubscription,
    /// Look at the state of persistent subscriptions.
    SeeSubscription,
    /// Receive messages of a persistent subscription to the stream.
    ReceiveMessages,
    /// Scavenge, shut down, restart a subsystem. No stream is meant.
    Operate,
    /// Look at statistics. No stream is meant.
    SeeStatistics,
    /// Create, change or look at users. No stream is meant.
    ManageUsers,
}

impl Access {
    /// Lets in whom the security says. At a first start the users `admin` and `ops` are made: the administrator's
    /// password is `first_password`, or a new one in a file of the directory that only its owner can read; the
    /// operator is disabled until an administrator gives it a password.
    pub async fn open(
        store: EmbeddedStore,
        security: &Security,
        directory: &Path,
        first_password: Option<String>,
        clock: fn() -> DateTime<Utc>,
    ) -> Result<Self, AccessError> {
        let book = UserBook::of(store.clone());
        let (gate, password_file) = match security {
            Security::Insecure => (Gate::Open, None),
            Security::Secure { .. } => {
                let guard = Guard::new(book.clone(), clock)?;
                let file = first_start::make_users(&book, directory, first_password, clock()).await?;
                (Gate::Guarded(Arc::new(guard)), file)
            }
        };
        Ok(Self {
            gate,
            book,
            store,
            password_file,
        })
    }

    /// Where the administrator's first password lies, if it was made here.
    pub fn password_file(&self) -> Option<&Path> {
        self.password_file.as_deref()
    }

    /// Who asks, by the `authorization` of the request.
    pub async fn caller(&self, metadata: &MetadataMap) -> Result<Caller, Status> {
        let Gate::Guarded(guard) = &self.gate else {
            return Ok(Caller(Who::Anybody));
        };
        match metadata.get(AUTHORIZATION.as_str()) {
            None => Ok(Caller(Who::Nobody)),
            Some(credentials) => {
                let login = guard.login(credentials.as_encoded_bytes(), address(metadata)).await?;
                Ok(Caller(Who::User(login)))
            }
        }
    }

    /// Refuses what this caller may not do. Reading and writing `$$stream` is looked at as the stream's metadata.
    pub fn allow(&self, caller: &Caller, action: Action, stream: &str) -> Result<(), Status> {
        let user = match &caller.0 {
            Who::Anybody => return Ok(()),
            Who::Nobody => return Err(denied()),
            Who::User(user) => user,
        };
        let may = match action {
            Action::Read | Action::ReceiveMessages => self.may(user, Deed::Read, stream)?,
            Action::Write => self.may(user, Deed::Write, stream)?,
            Action::Delete => self.may(user, Deed::Delete, stream)?,
            Action::ReadMetadata => self.may(user, Deed::ReadMetadata, stream)?,
            Action::WriteMetadata => self.may(user, Deed::WriteMetadata, stream)?,
            Action::SeeSubscription | Action::SeeStatistics => true,
            Action::ManageSubscription | Action::Operate => is_keeper(user),
            Action::ManageUsers => is_admin(user),
        };
        if may { Ok(()) } else { Err(denied()) }
    }

    /// What this caller may see behind links.
    pub(crate) fn sight(&self, caller: &Caller) -> Sight {
        match &caller.0 {
            Who::Anybody => Sight::Whole,
            Who::User(user) if is_admin(user) => Sight::Whole,
            Who::User(user) => Sight::Of(self.clone(), user.clone()),
            Who::Nobody => Sight::None,
        }
    }

    /// The users.
    pub(crate) fn book(&self) -> &UserBook {
        &self.book
    }

    /// Forgets that a password of this login was right: it has to be shown again.
    pub(crate) fn forget(&self, login: &str) {
        if let Gate::Guarded(guard) = &self.gate {
            guard.forget(login);
        }
    }

    /// The hash of a new password.
    #[allow(clippy::unused_self, reason = "how passwords are hashed is this room's business")]
    pub(crate) async fn hashed(&self, password: String) -> Result<String, Status> {
        verified::elsewhere(move || password::hashed(&password))
            .await?
            .map_err(|error| Status::internal(format!("the password could not be hashed: {error}")))
    }

    /// Whether this is the password of that hash.
    #[allow(clippy::unused_self, reason = "how passwords are hashed is this room's business")]
    pub(crate) async fn fits(&self, password: String, hash: String) -> Result<bool, Status> {
        verified::elsewhere(move || password::fits(&password, &hash)).await
    }

    /// Whether a list opens the stream to this user.
    fn may(&self, user: &Login, deed: Deed, stream: &str) -> Result<bool, Status> {
        let Some((deed, stream)) = meant(deed, stream) else {
            return Ok(false);
        };
        if is_admin(user) {
            return Ok(true);
        }
        let own = match StreamName::new(stream) {
            Ok(name) => self.store.metadata(&name).map_err(|error| refusal::of_store(&error))?,
            Err(_) => None,
        };
        let own = own.and_then(|metadata| metadata.acl);
        let defaults = self.defaults().map_err(|error| refusal::of_store(&error))?;
        Ok(acl::permits(deed, stream, own.as_ref(), &defaults, |role| is_one(user, role)))
    }

    /// The default lists as they are now.
    fn defaults(&self) -> Result<Defaults, StoreError> {
        let Ok(stream) = StreamName::new(SETTINGS_STREAM) else {
            return Ok(Defaults::default());
        };
        let newest = self.store.read_stream_blocking(&stream, u64::MAX, Direction::Backwards, 1)?;
        Ok(newest.first().map(|newest| Defaults::read(&newest.data)).unwrap_or_default())
    }
}

/// What a deed with a stream comes to: dealing with `$$stream` is dealing with the stream's metadata. Nothing, if nobody
/// may do it: the log of all streams cannot be written, and metadata is not deleted apart from its stream.
fn meant(deed: Deed, stream: &str) -> Option<(Deed, &str)> {
    let stream = if stream.is_empty() { ALL_STREAM } else { stream };
    match (stream.strip_prefix("$$"), deed) {
        (None, Deed::Write | Deed::Delete) if stream == ALL_STREAM => None,
        (None, deed) => Some((deed, stream)),
        (Some(original), Deed::Read | Deed::ReadMetadata) => Some((Deed::ReadMetadata, original)),
        (Some(original), Deed::Write | Deed::WriteMetadata) => Some((Deed::WriteMetadata, original)),
        (Some(_), Deed::Delete) => None,
    }
}

/// Whether a list that names this role means this user.
fn is_one(user: &Login, role: &str) -> bool {
    &*user.name == role || user.groups.iter().any(|group| group == role)
}

fn is_admin(user: &Login) -> bool {
    is_one(user, ADMINS) || &*user.name == ADMIN
}

fn is_keeper(user: &Login) -> bool {
    is_admin(user) || is_one(user, OPS) || &*user.name == OPERATOR
}

/// The header by which the server tells itself the address that a request came from. Whatever a client writes there is
/// replaced before anybody looks at it.
pub(crate) const CAME_FROM: HeaderName = HeaderName::from_static("zhulu-came-from");

fn address(metadata: &MetadataMap) -> Option<IpAddr> {
    metadata.get(CAME_FROM.as_str())?.to_str().ok()?.parse().ok()
}

/// Somebody has no right to something.
pub(crate) fn denied() -> Status {
    with_trailers(Code::PermissionDenied, "Access Denied".into(), "access-denied", &[])
}

/// Somebody is not who they say.
fn unauthenticated(reason: impl Into<String>) -> Status {
    with_trailers(Code::Unauthenticated, reason.into(), "access-denied", &[])
}
