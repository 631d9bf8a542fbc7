//! A server of a store of its own, in this process.

use std::{fs, sync::Arc, time::Duration};

use event_store_embedded::EmbeddedStore;
use event_store_server::{EsdbConfig, EsdbServer, Security, start};
use tempfile::TempDir;

/// How long a server that is stopped waits for its calls.
const GRACE: Duration = Duration::from_secs(5);

/// A server, its store, and the directory of both.
pub(crate) struct Served {
    pub(crate) server: EsdbServer,
    pub(crate) store: EmbeddedStore,
    pub(crate) directory: TempDir,
}

/// A configuration for a port that is free.
pub(crate) fn config(directory: &TempDir, security: Security) -> EsdbConfig {
    EsdbConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        security,
        own_streams: Arc::new(|_| false),
        directory: directory.path().join("esdb"),
        advertise: None,
        version: "0.0.0",
    }
}

/// A server that asks for credentials, over TLS with a certificate that it makes.
pub(crate) async fn secure() -> Served {
    let directory = tempfile::tempdir().unwrap();
    let config = config(&directory, Security::Secure { certificate: None });
    served(directory, config).await
}

/// A server of this configuration.
pub(crate) async fn served(directory: TempDir, config: EsdbConfig) -> Served {
    let store = EmbeddedStore::open(&directory.path().join("events")).unwrap();
    let server = start(store.clone(), config).await.unwrap();
    Served {
        server,
        store,
        directory,
    }
}

impl Served {
    /// The administrator's first password.
    pub(crate) fn admin_password(&self) -> String {
        let file = self.server.introduction().password_file.unwrap();
        fs::read_to_string(file).unwrap().trim().to_owned()
    }

    /// A client with these credentials (`login:password`), which trusts the server's own authority.
    pub(crate) fn client(&self, credentials: &str) -> kurrentdb::Client {
        let authority = self.server.introduction().authority_file.unwrap();
        let options = format!("tlsCaFile={}", authority.display());
        self.client_with(credentials, &options)
    }

    /// A client with these credentials and options of its address.
    pub(crate) fn client_with(&self, credentials: &str, options: &str) -> kurrentdb::Client {
        let address = format!("esdb://{credentials}@localhost:{}?{options}", self.server.address().port());
        kurrentdb::Client::new(address.parse().unwrap()).unwrap()
    }

    /// A client of the administrator.
    pub(crate) fn admin(&self) -> kurrentdb::Client {
        self.client(&format!("admin:{}", self.admin_password()))
    }

    /// Stops the server and closes its store.
    pub(crate) async fn stop(self) -> TempDir {
        self.server.stop(GRACE).await;
        self.store.close().unwrap();
        self.directory
    }
}
