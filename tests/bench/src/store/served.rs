//! `zhulu store serve` beside the bench.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, Command, Stdio},
};

use kurrentdb::{AppendToStreamOptions, Client, EventData, StreamState};
use uuid::Uuid;

use crate::append::payload;

/// A serving store.
pub(super) struct Served {
    server: Child,
    address: String,
}

impl Served {
    /// Serves the event store of a data directory, without TLS and passwords.
    pub(super) fn start(data: &Path) -> Self {
        let program = std::env::current_exe().expect("this program").with_file_name("zhulu");
        let mut server = Command::new(program)
            .args([
                "store",
                "serve",
                "--esdb-insecure",
                "--esdb-listen",
                "127.0.0.1:0",
                "--data-dir",
            ])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("zhulu serves");
        let mut said = BufReader::new(server.stdout.take().expect("what it says"));
        let mut address = None;
        let mut line = String::new();
        while !line.contains("ready") {
            line.clear();
            assert!(
                said.read_line(&mut line).expect("a line") > 0,
                "zhulu ended before it was ready"
            );
            if let Some(at) = line.find("esdb://") {
                address = line[at..].split_whitespace().next().map(str::to_owned);
            }
        }
        std::thread::spawn(move || drop(said.read_to_end(&mut Vec::new())));
        Self {
            server,
            address: address.expect("an address"),
        }
    }

    /// The client as it comes from the registry.
    pub(super) fn client(&self) -> Client {
        Client::new(self.address.parse().expect("an address")).expect("a client")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.server.id().to_string()]).status();
        let _ = self.server.wait();
    }
}

/// An event of the size of these benches.
pub(super) fn event() -> EventData {
    EventData::json("Bench", &Raw(payload()))
        .expect("an event")
        .id(Uuid::new_v4())
}

/// What an append expects of a stream that has so many events.
pub(super) fn expecting(events: u64) -> StreamState {
    events
        .checked_sub(1)
        .map_or(StreamState::NoStream, StreamState::StreamRevision)
}

/// The same for the client's options.
pub(super) fn after(events: u64) -> AppendToStreamOptions {
    AppendToStreamOptions::default().stream_state(expecting(events))
}

/// JSON that is ready.
struct Raw(bytes::Bytes);

impl serde::Serialize for Raw {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &serde_json::value::RawValue = serde_json::from_slice(&self.0).expect("JSON");
        raw.serialize(serializer)
    }
}
