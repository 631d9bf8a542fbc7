//! Which event store a command works with: the embedded one of the data directory, one in another directory, or a server
//! that speaks `KurrentDB`'s protocol.

use std::{fmt, path::PathBuf, str::FromStr, sync::Arc};

use commands::own_streams;
use event_store_contract::EventStore;
use event_store_embedded::{EmbeddedStore, OpenError};
use event_store_esdb::EsdbStore;

use crate::{cli::PlaceArgs, failure::Failure, place::Place};

/// The beginnings of an address of a server.
const SCHEMES: [&str; 4] = ["esdb://", "esdb+discover://", "kurrentdb://", "kurrentdb+discover://"];

/// Where an event store is.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreAddress {
    /// In the data directory.
    Embedded,
    /// An embedded store in a directory of its own.
    Directory(PathBuf),
    /// A server or a cluster; the address may hold a password.
    Esdb(String),
}

impl FromStr for StoreAddress {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        if text == "embedded" {
            return Ok(Self::Embedded);
        }
        if let Some(directory) = text.strip_prefix("embedded:")
            && !directory.is_empty()
        {
            return Ok(Self::Directory(PathBuf::from(directory)));
        }
        if SCHEMES.iter().any(|scheme| text.starts_with(scheme)) {
            return Ok(Self::Esdb(text.to_owned()));
        }
        Err(Failure::new(
            format!("不认识的事件库 {text}；可写 embedded、embedded:目录，或 esdb:// 地址"),
            format!("{text} is not an event store that this program knows; write embedded, embedded:DIR or an esdb:// address"),
        ))
    }
}

/// Without the password.
impl fmt::Display for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("embedded"),
            Self::Directory(directory) => write!(f, "embedded:{}", directory.display()),
            Self::Esdb(address) => f.write_str(&without_password(address)),
        }
    }
}

impl fmt::Debug for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

fn without_password(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else {
        return address.to_owned();
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((credentials, hosts)) => {
            let login = credentials.split(':').next().unwrap_or_default();
            format!("{scheme}://{login}:***@{hosts}{path}")
        }
        None => address.to_owned(),
    }
}

/// A store that is open, and whether it is one of this process's own.
pub struct Opened {
    /// The store.
    pub events: Arc<dyn EventStore>,
    /// The same, if it is embedded.
    pub embedded: Option<EmbeddedStore>,
}

impl Opened {
    /// An embedded store.
    pub fn embedded(store: EmbeddedStore) -> Self {
        Self {
            events: Arc::new(store.clone()),
            embedded: Some(store),
        }
    }
}

/// Opens the store that was asked for, to write to it; says what to do when a server has it.
pub async fn open(args: &PlaceArgs, place: &Place) -> Result<Opened, Failure> {
    match address(args)? {
        StoreAddress::Embedded => open_directory(&place.events()).map(Opened::embedded),
        StoreAddress::Directory(directory) => open_directory(&directory).map(Opened::embedded),
        StoreAddress::Esdb(address) => connect(&address).await,
    }
}

/// Opens the store that was asked for, for looking only, also beside a server that writes to it.
pub async fn look(args: &PlaceArgs, place: &Place) -> Result<Opened, Failure> {
    match address(args)? {
        StoreAddress::Embedded => look_into(&place.events()).map(Opened::embedded),
        StoreAddress::Directory(directory) => look_into(&directory).map(Opened::embedded),
        StoreAddress::Esdb(address) => connect(&address).await,
    }
}

/// Where the store is that was asked for.
pub fn address(args: &PlaceArgs) -> Result<StoreAddress, Failure> {
    args.store.parse()
}

/// Connects to a server.
pub async fn connect(address: &str) -> Result<Opened, Failure> {
    let store = EsdbStore::connect(address)
        .await
        .map_err(|error| Failure::new(format!("连不上事件库：{error}"), error.to_string()))?;
    Ok(Opened {
        events: Arc::new(store),
        embedded: None,
    })
}

/// Opens the embedded store of a directory for writing.
pub fn open_directory(directory: &std::path::Path) -> Result<EmbeddedStore, Failure> {
    let opened = EmbeddedStore::open(directory).map_err(|error| match error {
        OpenError::Locked { owner, .. } => Failure::new(
            format!(
                "事件库正由进程 {owner} 使用（{}）；先停止它（kill -TERM {owner}），或换一个 --data-dir",
                directory.display()
            ),
            format!(
                "the event store in {} is in use by process {owner}; stop it first (kill -TERM {owner}), or choose another --data-dir",
                directory.display()
            ),
        ),
        other => Failure::doing("打不开事件库", "the event store cannot be opened", other),
    })?;
    // The record is for ever: no administrator of the store can shorten it.
    opened.keep_whole(Arc::new(own_streams::is_own));
    Ok(opened)
}

/// Opens the embedded store of a directory for looking only.
pub fn look_into(directory: &std::path::Path) -> Result<EmbeddedStore, Failure> {
    EmbeddedStore::open_read_only(directory).map_err(|error| match error {
        OpenError::Missing { dir } => Failure::new(
            format!("{} 里没有事件库；用 --data-dir 指明数据目录", dir.display()),
            format!(
                "there is no event store in {}; name the data directory with --data-dir",
                dir.display()
            ),
        ),
        other => Failure::doing("打不开事件库", "the event store cannot be opened", other),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        let address: StoreAddress = "esdb://admin:s3:cret@h1:2113,h2:2113?tls=true".parse().unwrap();
        assert_eq!(address.to_string(), "esdb://admin:***@h1:2113,h2:2113?tls=true");
        assert!(!format!("{address:?}").contains("cret"));
        let open: StoreAddress = "kurrentdb://localhost:2113?tls=false".parse().unwrap();
        assert_eq!(open.to_string(), "kurrentdb://localhost:2113?tls=false");
    }

    #[test]
    fn a_store_is_embedded_or_a_directory_or_a_server() {
        assert_eq!("embedded".parse(), Ok(StoreAddress::Embedded));
        assert_eq!("embedded:/srv/old".parse(), Ok(StoreAddress::Directory("/srv/old".into())));
        assert!("mysql".parse::<StoreAddress>().is_err());
        assert!("embedded:".parse::<StoreAddress>().is_err());
    }
}
