//! The data directory: what lies where, who uses it now, and the key that signs tokens.
//!
//! | name | what it is |
//! |---|---|
//! | `events/` | the event store: the only thing that must never be lost |
//! | `postgres/` | the private PostgreSQL with the views; can be thrown away |
//! | `token.key` | signs the bearer tokens; for its owner's eyes only |
//! | `esdb/` | certificates and the first password of the protocol server; for its owner's eyes only |
//! | `views-of.txt` | the event store that the views in `postgres/` are of |
//! | `running.json` | where the process that serves this directory can be found |

use std::{
    fs, io,
    io::Write as _,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// How many random bytes sign tokens: as many as HMAC-SHA-256 makes use of.
const TOKEN_KEY_BYTES: usize = 32;

/// A data directory.
#[derive(Debug, Clone)]
pub struct Place {
    directory: PathBuf,
}

/// Where the process that serves the directory can be found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// The process.
    pub process_id: u32,
    /// Where it serves HTTP, once it does.
    pub address: Option<std::net::SocketAddr>,
    /// The database of its views, if it has views. It holds the password.
    pub database_url: Option<String>,
}

/// Why the data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The operating system said no.
    #[error("cannot {doing} {}: {source}; check that the directory exists, is yours and has room", path.display())]
    Io {
        /// What was being done, in English.
        doing: &'static str,
        /// The same in Chinese.
        doing_zh: &'static str,
        /// To which file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The views here were folded from another event store.
    #[error("the views in {} are of the event store {noted}, not of {asked}: stop the server and move them away, they are built again", views.display())]
    OtherStore {
        /// Where the views are.
        views: PathBuf,
        /// The store that they are of.
        noted: String,
        /// The store that was asked for.
        asked: String,
    },
    /// The key is not one of ours.
    #[error("{} is not a token key; move it away and start again: a new one is made, and all tokens must be made anew", path.display())]
    BadKey {
        /// The key's file.
        path: PathBuf,
    },
}

impl PlaceError {
    /// The same sentence in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Io {
                doing_zh, path, source, ..
            } => {
                format!(
                    "无法{doing_zh} {}：{source}；请检查目录是否存在、权限和剩余空间",
                    path.display()
                )
            }
            Self::OtherStore { views, noted, asked } => format!(
                "{} 里的视图属于事件库 {noted}，不属于 {asked}；停止服务后移走它，启动时会重建",
                views.display()
            ),
            Self::BadKey { path } => format!("{} 不是令牌密钥；移走后重新启动会生成新密钥，旧令牌随之失效", path.display()),
        }
    }
}

impl Place {
    /// This directory, made if it is not there.
    pub fn make(directory: &Path) -> Result<Self, PlaceError> {
        fs::create_dir_all(directory).map_err(failed("make", "创建", directory))?;
        Self::existing(directory)
    }

    /// This directory, which must be there.
    pub fn existing(directory: &Path) -> Result<Self, PlaceError> {
        let directory = fs::canonicalize(directory).map_err(failed("open", "打开", directory))?;
        Ok(Self { directory })
    }

    /// The directory itself.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where the event store is.
    pub fn events(&self) -> PathBuf {
        self.directory.join("events")
    }

    /// Where the private PostgreSQL is.
    pub fn postgres(&self) -> PathBuf {
        self.directory.join("postgres")
    }

    /// Notes that the private PostgreSQL has the views of this event store; the sentence of somebody who finds another
    /// store's, whose positions mean nothing here, is an error.
    pub fn views_are_of(&self, store: &str) -> Result<(), PlaceError> {
        let path = self.directory.join("views-of.txt");
        let noted = match fs::read_to_string(&path) {
            Ok(noted) => noted.trim().to_owned(),
            // Before there were notes there was one kind of store.
            Err(error) if error.kind() == io::ErrorKind::NotFound => "embedded".to_owned(),
            Err(error) => return Err(failed("read", "读取", &path)(error)),
        };
        if noted != store && self.postgres().exists() {
            return Err(PlaceError::OtherStore {
                views: self.postgres(),
                noted,
                asked: store.to_owned(),
            });
        }
        fs::write(&path, format!("{store}\n")).map_err(failed("write", "写入", &path))
    }

    /// Where the certificates and the first password of the protocol server are.
    pub fn protocol(&self) -> PathBuf {
        self.directory.join("esdb")
    }

    /// The key that signs tokens; made at first use.
    pub fn token_key(&self) -> Result<Vec<u8>, PlaceError> {
        let path = self.directory.join("token.key");
        match fs::read_to_string(&path) {
            Ok(text) => return decode_hex(text.trim()).ok_or(PlaceError::BadKey { path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed("read", "读取", &path)(error)),
        }
        let key: Vec<u8> = std::iter::repeat_with(|| uuid::Uuid::new_v4().into_bytes())
            .flat_map(|uuid| [uuid[0], uuid[1], uuid[2], uuid[3], uuid[10], uuid[11], uuid[12], uuid[13]])
            .take(TOKEN_KEY_BYTES)
            .collect();
        let text = hex(&key);
        match write_new_private(&path, &text) {
            Ok(()) => Ok(key),
            // Another process made one in the meantime: that one counts.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.token_key(),
            Err(error) => Err(failed("write", "写入", &path)(error)),
        }
    }

    /// Says where this process can be found.
    pub fn write_running(&self, running: &Running) -> Result<(), PlaceError> {
        let path = self.running_file();
        let new = self.directory.join(format!("running.{}.new", running.process_id));
        let text = serde_json::to_string_pretty(running).unwrap_or_default();
        let _ = fs::remove_file(&new);
        write_new_private(&new, &text)
            .and_then(|()| fs::rename(&new, &path))
            .map_err(failed("write", "写入", &path))
    }

    /// Where the process that serves this directory can be found; none, if none does.
    pub fn running(&self) -> Option<Running> {
        let text = fs::read_to_string(self.running_file()).ok()?;
        let running: Running = serde_json::from_str(&text).ok()?;
        is_alive(running.process_id).then_some(running)
    }

    /// Takes the note away when this process ends.
    pub fn forget_running(&self) {
        if self.running().is_some_and(|running| running.process_id == std::process::id()) {
            let _ = fs::remove_file(self.running_file());
        }
    }

    fn running_file(&self) -> PathBuf {
        self.directory.join("running.json")
    }
}

/// Whether a process of this id is alive and one of ours. Zombies are not.
fn is_alive(process_id: u32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{process_id}/stat")) else {
        return false;
    };
    let (Some(open), Some(close)) = (stat.find('('), stat.rfind(')')) else {
        return false;
    };
    let state = stat[close + 1..].trim_start().chars().next();
    stat[open + 1..close].starts_with("zhulu") && state != Some('Z')
}

fn write_new_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Bytes as two digits each.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() != TOKEN_KEY_BYTES * 2 || !text.is_ascii() {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

fn failed(doing: &'static str, doing_zh: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PlaceError {
    let path = path.to_path_buf();
    move |source| PlaceError::Io {
        doing,
        doing_zh,
        path,
        source,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_token_key_is_made_once_and_is_private() {
        let directory = tempfile::tempdir().unwrap();
        let place = Place::make(directory.path()).unwrap();
        let key = place.token_key().unwrap();
        assert_eq!(key.len(), TOKEN_KEY_BYTES);
        assert_eq!(place.token_key().unwrap(), key);
        let mode = fs::metadata(directory.path().join("token.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_broken_token_key_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let place = Place::make(directory.path()).unwrap();
        fs::write(directory.path().join("token.key"), "nonsense").unwrap();
        assert!(matches!(place.token_key(), Err(PlaceError::BadKey { .. })));
    }

    #[test]
    fn views_of_another_store_are_not_taken_for_this_one_s() {
        let directory = tempfile::tempdir().unwrap();
        let place = Place::make(directory.path()).unwrap();
        place.views_are_of("embedded").unwrap();
        place.views_are_of("esdb://localhost:2113").unwrap();
        fs::create_dir(place.postgres()).unwrap();
        place.views_are_of("esdb://localhost:2113").unwrap();
        assert!(matches!(place.views_are_of("embedded"), Err(PlaceError::OtherStore { .. })));
    }

    #[test]
    fn a_note_of_a_dead_process_is_no_note() {
        let directory = tempfile::tempdir().unwrap();
        let place = Place::make(directory.path()).unwrap();
        let running = Running {
            process_id: u32::MAX - 1,
            address: None,
            database_url: None,
        };
        place.write_running(&running).unwrap();
        assert_eq!(place.running(), None);
    }
}
