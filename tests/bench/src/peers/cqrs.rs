//! cqrs-es with postgres-es: the whole `execute`, measured by a program of its own (`tests/bench/cqrs-es`).

use std::{path::PathBuf, time::Duration};

use tokio::process::Command;

use crate::peers::message_db::connect;

/// The tables, as in its repository's db/init.sql.
const TABLES: &str = "create table if not exists events (aggregate_type text not null, aggregate_id text not null,
    sequence bigint check (sequence >= 0) not null, event_type text not null, event_version text not null,
    payload json not null, metadata json not null, primary key (aggregate_type, aggregate_id, sequence))";

/// Its tables in a database, and the program that measures it.
pub struct CqrsEs {
    program: PathBuf,
    url: String,
}

impl CqrsEs {
    /// Makes its tables; none, if `./run bench` has not built the program.
    pub async fn install(url: &str) -> Option<Self> {
        let program = PathBuf::from(std::env::var("ZHULU_PEERS").ok()?).join("cqrs-es-peer");
        if !program.is_file() {
            return None;
        }
        connect(url).await.batch_execute(TABLES).await.expect("the tables of cqrs-es");
        Some(Self {
            program,
            url: url.to_owned(),
        })
    }

    /// Commands in a second, durable.
    pub async fn execute_rate(&self, clients: usize, time: Duration, round: u64) -> f64 {
        let out = Command::new(&self.program)
            .args([
                &self.url,
                &clients.to_string(),
                &time.as_secs_f64().to_string(),
                &round.to_string(),
            ])
            .output()
            .await
            .expect("cqrs-es runs");
        String::from_utf8_lossy(&out.stdout).trim().parse().expect("a rate")
    }
}
