//! Credentials: looked at once with all care, and then remembered, because looking takes tens of milliseconds on purpose.

use std::{
    net::IpAddr,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use lru::LruCache;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tonic::Status;

use super::{
    AccessError, password,
    throttle::{Source, Throttle},
    unauthenticated,
};
use crate::{
    refusal,
    users::book::{BookError, UserBook},
};

/// The most credentials that are remembered as right; the one that was not used for longest is forgotten first.
const MAX_REMEMBERED: NonZeroUsize = NonZeroUsize::new(1024).unwrap();
/// How long it is believed that a user has not changed. Changes through this server are noticed at once.
const BELIEVED_FOR: TimeDelta = TimeDelta::seconds(1);
/// How many passwords are hashed at once; each takes a processor and 19 MiB.
const HASHINGS_AT_ONCE: usize = 2;
/// How long the answer to a wrong password is held back.
const WRONG_ANSWER_DELAY: Duration = Duration::from_millis(200);
/// The longest `authorization` that is looked at: a login, a password, and what Base64 adds.
const MAX_CREDENTIALS_BYTES: usize = 4 * password::MAX_PASSWORD_BYTES;

/// A user who came with the right password.
#[derive(Debug)]
pub(crate) struct Login {
    pub(crate) name: Arc<str>,
    pub(crate) groups: Vec<String>,
}

struct Remembered {
    login: Arc<Login>,
    /// The hash that the password fitted.
    hash: String,
    looked_at: DateTime<Utc>,
}

/// Holds credentials against the users.
pub(crate) struct Guard {
    book: UserBook,
    clock: fn() -> DateTime<Utc>,
    /// Keys what is remembered, so that memory holds no password and nobody can work out who shares a place with whom.
    key: [u8; 32],
    remembered: Mutex<LruCache<[u8; 32], Remembered>>,
    throttle: Mutex<Throttle>,
    hashing: Semaphore,
    /// Hashed against when there is no such user, so that the time taken does not tell.
    nobodys_hash: String,
}

impl Guard {
    pub(crate) fn new(book: UserBook, clock: fn() -> DateTime<Utc>) -> Result<Self, AccessError> {
        let nobodys_hash = password::generated().and_then(|password| password::hashed(&password));
        Ok(Self {
            book,
            clock,
            key: password::unguessable().map_err(|_| AccessError::Randomness)?,
            remembered: Mutex::new(LruCache::new(MAX_REMEMBERED)),
            throttle: Mutex::new(Throttle::new()),
            hashing: Semaphore::new(HASHINGS_AT_ONCE),
            nobodys_hash: nobodys_hash.map_err(|_| AccessError::Randomness)?,
        })
    }

    /// The user of these credentials.
    pub(crate) async fn login(&self, credentials: &[u8], address: Option<IpAddr>) -> Result<Arc<Login>, Status> {
        let key = self.key_of(credentials);
        if let Some(login) = self.recall(&key)? {
            return Ok(login);
        }
        let (name, password) = read_basic(credentials)?;
        let source = (address, Arc::from(name.as_str()));
        if let Some(wait) = lock(&self.throttle).wait(&source, (self.clock)()) {
            return Err(unauthenticated(format!(
                "too many failed logins of {name}: try again in {} seconds",
                wait.num_seconds() + 1
            )));
        }
        match self.look(&name, password, key).await? {
            Some(login) => {
                lock(&self.throttle).succeeded(&source);
                Ok(login)
            }
            None => Err(self.wrong(source).await),
        }
    }

    /// Forgets that a password of this login was right.
    pub(crate) fn forget(&self, login: &str) {
        let mut remembered = lock(&self.remembered);
        let keys: Vec<_> = remembered
            .iter()
            .filter(|(_, known)| &*known.login.name == login)
            .map(|(key, _)| *key)
            .collect();
        for key in keys {
            remembered.pop(&key);
        }
    }

    fn key_of(&self, credentials: &[u8]) -> [u8; 32] {
        Sha256::new()
            .chain_update(self.key)
            .chain_update(credentials)
            .finalize()
            .into()
    }

    /// The user whom these credentials were right for, if the user is still the same.
    fn recall(&self, key: &[u8; 32]) -> Result<Option<Arc<Login>>, Status> {
        let now = (self.clock)();
        let (name, hash) = match lock(&self.remembered).get(key) {
            None => return Ok(None),
            Some(known) if (now - known.looked_at).abs() < BELIEVED_FOR => return Ok(Some(known.login.clone())),
            Some(known) => (known.login.name.clone(), known.hash.clone()),
        };
        let entry = self.book.find(&name, now).map_err(|error| unreadable(&error))?;
        let Some(user) = entry
            .map(|entry| entry.user)
            .filter(|user| !user.disabled && user.hash == hash)
        else {
            lock(&self.remembered).pop(key);
            return Ok(None);
        };
        Ok(Some(self.remember(*key, name, user.groups, hash, now)))
    }

    fn remember(&self, key: [u8; 32], name: Arc<str>, groups: Vec<String>, hash: String, now: DateTime<Utc>) -> Arc<Login> {
        let login = Arc::new(Login { name, groups });
        let known = Remembered {
            login: login.clone(),
            hash,
            looked_at: now,
        };
        lock(&self.remembered).put(key, known);
        login
    }

    /// Hashes the password and holds it against the user's.
    async fn look(&self, name: &str, password: String, key: [u8; 32]) -> Result<Option<Arc<Login>>, Status> {
        let Ok(_place) = self.hashing.acquire().await else {
            return Err(Status::unavailable("the server stops"));
        };
        // While this one waited, another request with the same credentials may have been let in.
        if let Some(login) = self.recall(&key)? {
            return Ok(Some(login));
        }
        let now = (self.clock)();
        let entry = self.book.find(name, now).map_err(|error| unreadable(&error))?;
        let user = entry.map(|entry| entry.user);
        let hash = user
            .as_ref()
            .map_or_else(|| self.nobodys_hash.clone(), |user| user.hash.clone());
        let fits = elsewhere(move || password::fits(&password, &hash)).await?;
        let user = user.filter(|user| fits && !user.disabled);
        Ok(user.map(|user| self.remember(key, Arc::from(user.login_name), user.groups, user.hash, now)))
    }

    /// Answers a wrong password, not too fast.
    async fn wrong(&self, source: Source) -> Status {
        tracing::warn!(login = %source.1, address = ?source.0, "a login at the protocol server failed");
        lock(&self.throttle).failed(source, (self.clock)());
        tokio::time::sleep(WRONG_ANSWER_DELAY).await;
        unauthenticated("no user with this login and password is let in")
    }
}

/// The login and password of a Basic authorization.
fn read_basic(credentials: &[u8]) -> Result<(String, String), Status> {
    let unreadable = || unauthenticated("the authorization has to be Basic, with a login and a password");
    if credentials.len() > MAX_CREDENTIALS_BYTES {
        return Err(unreadable());
    }
    let (scheme, encoded) = std::str::from_utf8(credentials)
        .ok()
        .and_then(|credentials| credentials.trim().split_once(' '))
        .ok_or_else(unreadable)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(unreadable());
    }
    let decoded = STANDARD.decode(encoded.trim()).map_err(|_| unreadable())?;
    let decoded = String::from_utf8(decoded).map_err(|_| unreadable())?;
    let (login, password) = decoded.split_once(':').ok_or_else(unreadable)?;
    Ok((login.to_owned(), password.to_owned()))
}

fn unreadable(error: &BookError) -> Status {
    match error {
        BookError::Store(error) => refusal::of_store(error),
        other => Status::internal(other.to_string()),
    }
}

/// Works on a thread that may be busy for long.
pub(crate) async fn elsewhere<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Status> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Status::internal(format!("a hashing failed: {error}")))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_basic_authorization_holds_a_login_and_a_password_with_or_without_colons() {
        let header = |text: &str| format!("Basic {}", STANDARD.encode(text)).into_bytes();
        assert_eq!(
            read_basic(&header("ouro:a:b:")).unwrap(),
            ("ouro".to_owned(), "a:b:".to_owned())
        );
        assert_eq!(
            read_basic(&header("张三:密码")).unwrap(),
            ("张三".to_owned(), "密码".to_owned())
        );
        assert_eq!(read_basic(b"bAsIc b3Vybzp4").unwrap(), ("ouro".to_owned(), "x".to_owned()));
    }

    #[test]
    fn what_is_no_basic_authorization_lets_nobody_in() {
        let long = format!(
            "Basic {}",
            STANDARD.encode(format!("ouro:{}", "x".repeat(MAX_CREDENTIALS_BYTES)))
        );
        for wrong in ["", "Basic", "Basic ", "Basic b3Vybw==", "Bearer b3Vybzp4", "Basic ???", &long] {
            let status = read_basic(wrong.as_bytes()).unwrap_err();
            assert_eq!(status.code(), tonic::Code::Unauthenticated, "{wrong}");
        }
    }
}
