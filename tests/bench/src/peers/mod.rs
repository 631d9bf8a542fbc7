//! The peers, each as its own documentation says to run it.

pub mod cqrs;
pub mod message_db;
pub mod postgraphile;
pub mod umadb;

use std::{path::Path, time::Duration};

use private_postgres::PrivatePostgres;

/// The stores that append beside ours.
pub struct Appenders {
    umadb: umadb::UmaDb,
    message_db: Option<message_db::MessageDb>,
    cqrs: Option<cqrs::CqrsEs>,
    _postgres: PrivatePostgres,
}

impl Appenders {
    /// Starts them all below a directory.
    pub async fn start(dir: &Path) -> Self {
        let postgres = PrivatePostgres::start(&dir.join("peers-pg"))
            .await
            .expect("PostgreSQL for the peers");
        Self {
            umadb: umadb::UmaDb::start(&dir.join("uma")).await,
            message_db: message_db::MessageDb::install(postgres.url()).await,
            cqrs: cqrs::CqrsEs::install(postgres.url()).await,
            _postgres: postgres,
        }
    }

    /// Their rates in this round.
    pub async fn measure(&self, writers: usize, time: Duration, round: u64) -> Vec<(String, f64)> {
        let mut rates = vec![(
            "UmaDB (conditional append)".to_owned(),
            self.umadb.append_rate(writers, time, round).await.per_second,
        )];
        if let Some(message_db) = &self.message_db {
            rates.push((
                "message-db (direct SQL)".to_owned(),
                message_db.append_rate(writers, time, round).await.per_second,
            ));
        }
        if let Some(cqrs) = &self.cqrs {
            rates.push(("cqrs-es (execute)".to_owned(), cqrs.execute_rate(writers, time, round).await));
        }
        rates
    }
}

/// The peers that execute commands beside ours.
pub struct Executors {
    cqrs: Option<cqrs::CqrsEs>,
    _postgres: PrivatePostgres,
}

impl Executors {
    /// Starts them below a directory.
    pub async fn start(dir: &Path) -> Self {
        let postgres = PrivatePostgres::start(&dir.join("executors-pg"))
            .await
            .expect("PostgreSQL for the peers");
        Self {
            cqrs: cqrs::CqrsEs::install(postgres.url()).await,
            _postgres: postgres,
        }
    }

    /// Commands in a second in this round, if the peer is there.
    pub async fn measure(&self, clients: usize, time: Duration, round: u64) -> Option<f64> {
        Some(self.cqrs.as_ref()?.execute_rate(clients, time, round).await)
    }
}
