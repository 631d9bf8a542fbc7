//! One connection to PostgreSQL, with the statements that it has prepared.

use std::{
    future::poll_fn,
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use lru::LruCache;
use tokio::sync::mpsc::Sender;
use tokio_postgres::{AsyncMessage, Client, Config, Error, NoTls, Statement};

/// The most statements that a connection keeps prepared. Case lists with other filters are other statements.
const MAX_PREPARED_STATEMENTS: NonZeroUsize = match NonZeroUsize::new(256) {
    Some(n) => n,
    None => NonZeroUsize::MIN,
};

/// One connection. Requests on it are pipelined: many can be under way at once.
pub(crate) struct Session {
    pub(crate) client: Client,
    prepared: Mutex<LruCache<String, Statement>>,
}

impl Session {
    /// Connects, and makes the views' own names visible without a schema in front.
    pub(crate) async fn open(config: &Config, search_path: &str) -> Result<Arc<Self>, Error> {
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(async move {
            if let Err(cause) = connection.await {
                tracing::warn!(%cause, "a connection to PostgreSQL ended");
            }
        });
        Self::set_up(client, search_path).await
    }

    /// As [`Session::open`], and hands on what others notify. What nobody takes in time is lost.
    pub(crate) async fn open_hearing(config: &Config, search_path: &str, heard: Sender<String>) -> Result<Arc<Self>, Error> {
        let (client, mut connection) = config.connect(NoTls).await?;
        tokio::spawn(async move {
            while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
                match message {
                    Ok(AsyncMessage::Notification(notification)) => {
                        let _ = heard.try_send(notification.payload().to_owned());
                    }
                    Ok(_) => {}
                    Err(cause) => {
                        tracing::warn!(%cause, "a connection to PostgreSQL ended");
                        break;
                    }
                }
            }
        });
        Self::set_up(client, search_path).await
    }

    async fn set_up(client: Client, search_path: &str) -> Result<Arc<Self>, Error> {
        client
            .batch_execute(&format!(
                "set search_path to {search_path}; set jit to off; set timezone to 'UTC'"
            ))
            .await?;
        Ok(Arc::new(Self {
            client,
            prepared: Mutex::new(LruCache::new(MAX_PREPARED_STATEMENTS)),
        }))
    }

    /// The statement of this text, prepared once.
    pub(crate) async fn statement(&self, sql: &str) -> Result<Statement, Error> {
        if let Some(statement) = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.prepared
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .put(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}
