//! cqrs-es with postgres-es: the whole `execute` (load, handle, persist).
//!
//! `cqrs-es-peer DATABASE_URL CLIENTS SECONDS ROUND` prints finished commands in a second. The tables must be there.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use cqrs_es::{Aggregate, DomainEvent, event_sink::EventSink};
use postgres_es::{default_postgress_pool, postgres_cqrs};
use serde::{Deserialize, Serialize};

/// A new aggregate begins after this many events.
const EVENTS_PER_AGGREGATE: u64 = 10;
/// The size of an event's data.
const EVENT_BYTES: usize = 1_024;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Bench {
    events: u64,
}

/// What happens: bytes arrive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Event {
    Filled { filler: String },
}

/// What is asked.
#[derive(Debug)]
enum Command {
    Fill { filler: String },
}

impl DomainEvent for Event {
    fn event_type(&self) -> String {
        "Filled".to_owned()
    }

    fn event_version(&self) -> String {
        "1.0".to_owned()
    }
}

impl Aggregate for Bench {
    const TYPE: &'static str = "bench";
    type Command = Command;
    type Event = Event;
    type Error = std::convert::Infallible;
    type Services = ();

    async fn handle(&mut self, command: Command, _services: &(), sink: &EventSink<Self>) -> Result<(), Self::Error> {
        let Command::Fill { filler } = command;
        sink.write(Event::Filled { filler }, self).await;
        Ok(())
    }

    fn apply(&mut self, _event: Event) {
        self.events += 1;
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, url, clients, seconds, round] = arguments.as_slice() else {
        return Err("cqrs-es-peer DATABASE_URL CLIENTS SECONDS ROUND".into());
    };
    let (clients, time): (usize, _) = (clients.parse()?, Duration::from_secs_f64(seconds.parse()?));
    let cqrs = Arc::new(postgres_cqrs::<Bench>(default_postgress_pool(url).await, Vec::new(), ()));
    let begin = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|client| {
            let (cqrs, round) = (Arc::clone(&cqrs), round.clone());
            tokio::spawn(async move {
                let mut done = 0_u64;
                while begin.elapsed() < time {
                    let id = format!("bench-{round}-{client}-{}", done / EVENTS_PER_AGGREGATE);
                    let filler = "x".repeat(EVENT_BYTES - 12);
                    if cqrs.execute(&id, Command::Fill { filler }).await.is_ok() {
                        done += 1;
                    }
                }
                done
            })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        done += task.await?;
    }
    println!("{}", done as f64 / begin.elapsed().as_secs_f64());
    Ok(())
}
