//! The users of the protocol server, remembered as events of the store itself.
//!
//! Each user is a stream `$user-<login>` whose newest event is what holds; `$users` lists every login that was ever
//! made. Both belong to the administrators.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use event_store_contract::{Direction, Expected, MAX_EVENTS_PER_READ, NewEvent, StoreError, StreamName};
use event_store_embedded::{Draft, EmbeddedStore, Life, Refusal, Write};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::ADMINS;

/// The stream that names every user that was ever made.
const USERS_STREAM: &str = "$users";
/// The event of [`USERS_STREAM`]; its data is the login.
const USER_LISTED: &str = "$User";
/// The first event of a user.
const USER_CREATED: &str = "$UserCreated";
/// Every later event of a user.
const USER_UPDATED: &str = "$UserUpdated";
/// The event that carries the metadata of a stream.
const METADATA: &str = "$metadata";
/// The longest login: with what stands before it, it must be a stream's name, and the name of its metadata.
pub(crate) const MAX_LOGIN_BYTES: usize = 128;
/// How often a change is tried again when somebody else changed the same user in between.
const MAX_CHANGE_TRIES: usize = 4;

/// What is remembered of a user. These names are stored: add, never change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    pub(crate) login_name: String,
    #[serde(default)]
    pub(crate) full_name: String,
    #[serde(default)]
    pub(crate) groups: Vec<String>,
    #[serde(default)]
    pub(crate) disabled: bool,
    /// The password's hash in the PHC form.
    pub(crate) hash: String,
}

/// A user as the store knows it.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) user: User,
    /// The revision of the event that says so.
    pub(crate) revision: u64,
    pub(crate) changed_at: DateTime<Utc>,
}

/// Why the book was not changed, or not read.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub(crate) enum BookError {
    #[error("there is no user {0}")]
    NotFound(String),
    #[error("there is a user {0} already")]
    Exists(String),
    #[error("user {0} was changed by somebody else at the same time: try again")]
    Busy(String),
    #[error(
        "{0:?} cannot be a login: it has 1 to {MAX_LOGIN_BYTES} bytes, no colon, no control characters, and does not begin with $"
    )]
    NoLogin(String),
    #[error("what is remembered of user {login} cannot be read: {reason}")]
    Unreadable { login: String, reason: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The users of one store.
#[derive(Clone)]
pub(crate) struct UserBook {
    store: EmbeddedStore,
}

impl UserBook {
    pub(crate) fn of(store: EmbeddedStore) -> Self {
        Self { store }
    }

    /// The user of this login, if there is one.
    pub(crate) fn find(&self, login: &str, now: DateTime<Utc>) -> Result<Option<Entry>, BookError> {
        // What cannot be a login is nobody's.
        let Ok(stream) = stream_of(login) else { return Ok(None) };
        let seen = self
            .store
            .stream_as_seen(&stream, u64::MAX, Direction::Backwards, 1, false, now)?;
        let Some(newest) = seen.events.into_iter().find_map(|seen| seen.event) else {
            return Ok(None);
        };
        let user = serde_json::from_slice(&newest.data).map_err(|error| BookError::Unreadable {
            login: login.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(Some(Entry {
            user,
            revision: newest.revision,
            changed_at: newest.created,
        }))
    }

    /// All users by their logins.
    pub(crate) fn all(&self, now: DateTime<Utc>) -> Result<Vec<Entry>, BookError> {
        let stream = own_name(USERS_STREAM)?;
        let mut logins = std::collections::BTreeSet::new();
        let mut from = 0;
        loop {
            let page = self
                .store
                .read_stream_blocking(&stream, from, Direction::Forwards, MAX_EVENTS_PER_READ)?;
            let Some(last) = page.last() else { break };
            from = last.revision + 1;
            logins.extend(page.iter().filter_map(|event| String::from_utf8(event.data.to_vec()).ok()));
        }
        let entries = logins.iter().map(|login| self.find(login, now));
        entries.filter_map(Result::transpose).collect()
    }

    /// Writes a new user down, and who may look at it.
    pub(crate) async fn create(&self, user: &User, now: DateTime<Utc>) -> Result<(), BookError> {
        let login = &user.login_name;
        let stream = stream_of(login)?;
        let life = self
            .store
            .stream_as_seen(&stream, u64::MAX, Direction::Backwards, 1, false, now)?
            .life;
        let mut writes = vec![
            Write {
                stream: stream.clone(),
                expected: Expected::NoStream,
                events: vec![told(USER_CREATED, user)?],
            },
            Write {
                stream: own_name(USERS_STREAM)?,
                expected: Expected::Any,
                events: vec![draft(USER_LISTED, login.clone().into_bytes(), false)],
            },
        ];
        match life {
            Life::Live => return Err(BookError::Exists(login.clone())),
            // The list of a user who was deleted is there still.
            Life::SoftDeleted | Life::Tombstoned => {}
            // Said of the stream itself, so that no opening of the other system streams shows the hashes.
            Life::Missing => writes.push(Write {
                stream: own_name(&format!("$${stream}"))?,
                expected: Expected::Any,
                events: vec![told(
                    METADATA,
                    &serde_json::json!({"$acl": {"$r": ADMINS, "$w": ADMINS, "$d": ADMINS, "$mr": ADMINS, "$mw": ADMINS}}),
                )?],
            }),
        }
        match self.store.write(writes, Vec::new()).await {
            Ok(_) => Ok(()),
            Err(Refusal::WrongRevision { .. }) => Err(BookError::Exists(login.clone())),
            Err(refusal) => Err(refused(login, refusal)),
        }
    }

    /// Changes a user as it is now. `change` may refuse.
    pub(crate) async fn change<E: From<BookError>>(
        &self,
        login: &str,
        now: DateTime<Utc>,
        change: impl Fn(&mut User) -> Result<(), E>,
    ) -> Result<(), E> {
        for _ in 0..MAX_CHANGE_TRIES {
            let entry = self.find(login, now)?.ok_or_else(|| BookError::NotFound(login.to_owned()))?;
            let mut user = entry.user.clone();
            change(&mut user)?;
            if user == entry.user {
                return Ok(());
            }
            let write = Write {
                stream: stream_of(login)?,
                expected: Expected::Revision(entry.revision),
                events: vec![told(USER_UPDATED, &user)?],
            };
            match self.store.write(vec![write], Vec::new()).await {
                Ok(_) => return Ok(()),
                Err(Refusal::WrongRevision { .. }) => {}
                Err(refusal) => return Err(refused(login, refusal).into()),
            }
        }
        Err(BookError::Busy(login.to_owned()).into())
    }

    /// Deletes a user. The login can be made again.
    pub(crate) async fn delete(&self, login: &str, now: DateTime<Utc>) -> Result<(), BookError> {
        let entry = self.find(login, now)?.ok_or_else(|| BookError::NotFound(login.to_owned()))?;
        let deleted = self
            .store
            .delete(&stream_of(login)?, Expected::Revision(entry.revision))
            .await;
        match deleted {
            Ok(_) => Ok(()),
            Err(Refusal::WrongRevision { .. }) => Err(BookError::Busy(login.to_owned())),
            Err(refusal) => Err(refused(login, refusal)),
        }
    }
}

/// Whether this can be a login. One that begins with a dollar could be taken for a group.
fn is_login(login: &str) -> bool {
    (1..=MAX_LOGIN_BYTES).contains(&login.len())
        && !login.starts_with('$')
        && !login.contains(|letter: char| letter == ':' || letter.is_control())
}

/// The stream of a user.
fn stream_of(login: &str) -> Result<StreamName, BookError> {
    if !is_login(login) {
        return Err(BookError::NoLogin(login.to_owned()));
    }
    StreamName::new(format!("$user-{login}")).map_err(|_| BookError::NoLogin(login.to_owned()))
}

fn own_name(name: &str) -> Result<StreamName, BookError> {
    StreamName::new(name).map_err(|_| BookError::NoLogin(name.to_owned()))
}

fn told(name: &str, what: &impl Serialize) -> Result<Draft, BookError> {
    let data = serde_json::to_vec(what).map_err(|error| StoreError::TooLarge(error.to_string()))?;
    Ok(draft(name, data, true))
}

fn draft(name: &str, data: Vec<u8>, is_json: bool) -> Draft {
    Draft {
        event: NewEvent {
            id: Uuid::new_v4(),
            name: Arc::from(name),
            data: Bytes::from(data),
            metadata: Bytes::new(),
        },
        is_json,
    }
}

fn refused(login: &str, refusal: Refusal) -> BookError {
    match refusal {
        Refusal::Store(error) => BookError::Store(error),
        other => BookError::Unreadable {
            login: login.to_owned(),
            reason: other.to_string(),
        },
    }
}
