//! The event store of a running `zhulu serve`, used by the official clients of Python, Node and Rust as their users would:
//! one readable story for each. The clients come from their registries, in the versions that the lock files name, and
//! stay in the build directory.

mod bringing;
mod rust;

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use crate::running::{Server, data_directory};
use bringing::Story;

/// Serves the event store to everybody on loopback.
const OPEN: [&str; 2] = ["--esdb-insecure", "--esdb-listen"];
/// Any free port.
const ANYWHERE: &str = "127.0.0.1:0";

#[test]
fn the_client_of_python_does_all_that_it_can() {
    if let Some(story) = bringing::python() {
        tell(&story);
    }
}

#[test]
fn the_client_of_node_does_all_that_it_can() {
    if let Some(story) = bringing::node() {
        tell(&story);
    }
}

#[test]
fn the_client_of_rust_does_all_that_it_can() {
    let data = data_directory();
    let mut server = Some(open(data.path(), ANYWHERE));
    let address = address(server.as_ref().unwrap());
    rust::story(&address, || {
        server = Some(restart(server.take().unwrap(), data.path(), &address));
    });
}

#[test]
fn clients_come_in_over_tls_with_the_right_password_only() {
    let data = data_directory();
    let server = Server::start_with(data.path(), &["--esdb-listen", ANYWHERE]);
    let address = address(&server);
    let secrets = data.path().join("esdb");
    let (authority, password) = (secrets.join("esdb-ca.pem"), secrets.join("esdb-admin-password"));
    rust::secured(&address, &authority, &password);
    for story in [bringing::python(), bringing::node()].into_iter().flatten() {
        let told = story.command(&address).arg(&authority).arg(&password).status().unwrap();
        assert!(told.success(), "{} over TLS: {told}", story.name);
    }
}

/// Runs a script, and restarts the server when the script asks for it.
fn tell(story: &Story) {
    let data = data_directory();
    let mut server = open(data.path(), ANYWHERE);
    let address = address(&server);
    let mut telling = story
        .command(&address)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut answers = telling.stdin.take().unwrap();
    for line in BufReader::new(telling.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        println!("{}: {line}", story.name);
        if line == "RESTART" {
            server = restart(server, data.path(), &address);
            writeln!(answers, "RESTARTED").unwrap();
        }
    }
    let told = telling.wait().unwrap();
    assert!(told.success(), "the story of {}: {told}", story.name);
    drop(server);
}

fn open(data: &Path, listen: &str) -> Server {
    Server::start_with(data, &[&OPEN[..], &[listen]].concat())
}

/// As after a power cut.
fn restart(server: Server, data: &Path, address: &str) -> Server {
    server.kill_now();
    drop(server);
    open(data, address)
}

fn address(server: &Server) -> String {
    server
        .event_store()
        .expect("the server names the address of its event store")
        .to_owned()
}

/// Runs a command that brings something.
fn runs_well(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "{command:?} ({}):\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    ))
}
