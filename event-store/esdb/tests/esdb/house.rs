//! A store with its protocol server in this process, which can be killed and started again.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use event_store_contract::{NewEvent, StreamName};
use event_store_embedded::EmbeddedStore;
use event_store_esdb::EsdbStore;
use event_store_server::{EsdbConfig, EsdbServer, Introduction, Security, start};
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) struct House {
    pub(crate) dir: TempDir,
    pub(crate) store: EmbeddedStore,
    pub(crate) address: SocketAddr,
    security: Security,
    server: Option<EsdbServer>,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(Security::Insecure).await
    }

    /// With TLS and credentials, as at a first start.
    pub(crate) async fn secure() -> Self {
        Self::with(Security::Secure { certificate: None }).await
    }

    async fn with(security: Security) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = EmbeddedStore::open(&dir.path().join("store")).unwrap();
        let mut house = Self {
            dir,
            store,
            address: ([127, 0, 0, 1], 0).into(),
            security,
            server: None,
        };
        house.start().await;
        house
    }

    /// Starts the server on the port that it had before.
    pub(crate) async fn start(&mut self) {
        let config = EsdbConfig {
            listen: self.address,
            security: self.security.clone(),
            own_streams: Arc::new(|_| false),
            directory: self.dir.path().to_owned(),
            advertise: None,
            version: "0.0.0",
        };
        let server = start(self.store.clone(), config).await.unwrap();
        self.address = server.address();
        self.server = Some(server);
    }

    /// Lets go of every connection at once.
    pub(crate) async fn kill(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop(Duration::ZERO).await;
        }
    }

    /// As if the process had died and another one begun: nothing in memory is left.
    pub(crate) async fn begin_again(&mut self) {
        self.kill().await;
        self.store.close().unwrap();
        self.store = EmbeddedStore::open(&self.dir.path().join("store")).unwrap();
        self.start().await;
    }

    pub(crate) fn introduction(&self) -> Introduction {
        self.server.as_ref().unwrap().introduction()
    }

    pub(crate) async fn connect(&self) -> EsdbStore {
        EsdbStore::connect(&url(self.address)).await.unwrap()
    }
}

pub(crate) fn url(address: SocketAddr) -> String {
    format!("esdb://{address}?tls=false")
}

pub(crate) fn name(stream: &str) -> StreamName {
    StreamName::new(stream).unwrap()
}

pub(crate) fn event(name: &str) -> NewEvent {
    NewEvent {
        id: Uuid::new_v4(),
        name: name.into(),
        data: format!("{{\"name\":\"{name}\"}}").into(),
        metadata: "{}".into(),
    }
}
