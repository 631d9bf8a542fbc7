//! A desk without a network, for tests of what stands behind it.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::Utc;
use event_store_embedded::EmbeddedStore;
use tempfile::TempDir;
use tokio::sync::watch;
use tonic::{Request, metadata::MetadataMap};

use crate::{Desk, EsdbConfig, Security, access::Access, monitoring::Figures, operations::Office};

/// The administrator's password at every desk here.
pub(crate) const ADMIN_PASSWORD: &str = "the mason's first password";

/// A desk, its store in a directory that goes with it, and its only stop.
pub(crate) struct TestDesk {
    pub(crate) desk: Arc<Desk>,
    pub(crate) directory: TempDir,
    pub(crate) stop: watch::Sender<bool>,
}

impl std::ops::Deref for TestDesk {
    type Target = Arc<Desk>;

    fn deref(&self) -> &Arc<Desk> {
        &self.desk
    }
}

/// A desk that asks for credentials.
pub(crate) async fn secure_desk() -> TestDesk {
    desk(Security::Secure { certificate: None }).await
}

/// A desk of this security. Its connections, if it had any, would be in plain text.
pub(crate) async fn desk(security: Security) -> TestDesk {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(&directory.path().join("events")).unwrap();
    let first_password = Some(ADMIN_PASSWORD.to_owned());
    let access = Access::open(store.clone(), &security, directory.path(), first_password, Utc::now)
        .await
        .unwrap();
    let (stop, stopping) = watch::channel(false);
    let config = EsdbConfig {
        listen: ([127, 0, 0, 1], 2113).into(),
        security,
        own_streams: Arc::new(|_| false),
        directory: directory.path().to_owned(),
        advertise: None,
        version: "0.0.0",
    };
    let persistent = crate::persistent::Subscriptions::new(store.clone(), Utc::now);
    let desk = Desk {
        store,
        access,
        tls: None,
        figures: Figures::default(),
        office: Office::new(),
        persistent,
        live: Arc::default(),
        write_timeout: crate::streams::WRITE_TIMEOUT,
        address: config.listen,
        config,
        stopping,
    };
    TestDesk {
        desk: Arc::new(desk),
        directory,
        stop,
    }
}

/// The metadata of a request with these credentials.
pub(crate) fn with(login: &str, password: &str) -> MetadataMap {
    let mut metadata = MetadataMap::new();
    let credentials = format!("Basic {}", STANDARD.encode(format!("{login}:{password}")));
    metadata.insert("authorization", credentials.parse().unwrap());
    metadata
}

/// The metadata of the administrator's requests.
pub(crate) fn as_admin() -> MetadataMap {
    with("admin", ADMIN_PASSWORD)
}

/// A request with this metadata.
pub(crate) fn request<T>(metadata: &MetadataMap, message: T) -> Request<T> {
    let mut request = Request::new(message);
    *request.metadata_mut() = metadata.clone();
    request
}
