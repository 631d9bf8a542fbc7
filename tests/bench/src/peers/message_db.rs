//! message-db: its own SQL functions, called directly over pooled connections (its best case).

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use crate::{
    append::{EVENTS_PER_STREAM, payload},
    measure::{Rate, closed_loop},
};

/// An installed message-db with a connection for each writer.
pub struct MessageDb {
    url: String,
}

/// A connection to PostgreSQL whose driver runs beside it.
pub async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

/// The files of a kind, in the order in which its install script runs them.
fn scripts(root: &std::path::Path, folder: &str, names: &[&str]) -> String {
    names
        .iter()
        .map(|name| std::fs::read_to_string(root.join(folder).join(name)).unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

impl MessageDb {
    /// Installs it from its npm package, which `./run bench` brings to `target/peers`; none, if it is not there.
    pub async fn install(url: &str) -> Option<Self> {
        let root = PathBuf::from(std::env::var("ZHULU_PEERS").ok()?).join("node_modules/@eventide/message-db/database");
        if !root.is_dir() {
            return None;
        }
        let client = connect(url).await;
        client.batch_execute("create extension if not exists pgcrypto; create schema if not exists message_store; set search_path = message_store, public").await.ok()?;
        let mut sql = scripts(&root, "types", &["message.sql"]);
        sql.push_str(&scripts(&root, "tables", &["messages.sql"]));
        for name in [
            "message-store-version",
            "hash-64",
            "acquire-lock",
            "category",
            "is-category",
            "id",
            "cardinal-id",
            "stream-version",
            "write-message",
        ] {
            sql.push_str(&scripts(&root, "functions", &[&format!("{name}.sql")]));
        }
        sql.push_str(&scripts(
            &root,
            "indexes",
            &["messages-id.sql", "messages-stream.sql", "messages-category.sql"],
        ));
        client.batch_execute(&sql).await.expect("message-db installs");
        Some(Self { url: url.to_owned() })
    }

    /// Writes in a second with an expected version.
    pub async fn append_rate(&self, writers: usize, time: Duration, round: u64) -> Rate {
        let mut clients = Vec::new();
        for _ in 0..writers.min(64) {
            let client = connect(&self.url).await;
            client
                .batch_execute("set search_path = message_store, public")
                .await
                .expect("a search path");
            let write = client
                .prepare_typed(
                    "select write_message($1, $2, $3, $4::text::jsonb, null, $5)",
                    &[
                        tokio_postgres::types::Type::VARCHAR,
                        tokio_postgres::types::Type::VARCHAR,
                        tokio_postgres::types::Type::VARCHAR,
                        tokio_postgres::types::Type::TEXT,
                        tokio_postgres::types::Type::INT8,
                    ],
                )
                .await
                .expect("a statement");
            clients.push((client, write));
        }
        let clients = Arc::new(clients);
        let data = String::from_utf8_lossy(&payload()).into_owned();
        closed_loop(writers, time, move |writer, turn| {
            let (clients, data) = (Arc::clone(&clients), data.clone());
            async move {
                let stream = format!("bench-{round}x{writer}x{}", turn / EVENTS_PER_STREAM);
                let (client, write) = &clients[writer % clients.len()];
                let expected = i64::try_from(turn % EVENTS_PER_STREAM).unwrap_or(0) - 1;
                client
                    .query_one(write, &[&Uuid::new_v4().to_string(), &stream, &"Bench", &data, &expected])
                    .await
                    .expect("a write");
            }
        })
        .await
    }
}
