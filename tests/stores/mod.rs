//! A history is backed up, restored, exported, moved to a server and back, and is the same everywhere; the platform works
//! with a store in another process as it does with its own.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::json;
use tempfile::TempDir;

use crate::{
    running::{REGION, Server, data_directory, eventually, run, run_well, zhulu},
    stories::{APPLICANT, application},
    tidy::root,
};

/// A process that serves an event store and nothing else. Stops when dropped.
struct StoreServer {
    child: Child,
    address: String,
}

impl StoreServer {
    fn start(data: &Path) -> Self {
        let mut child = Command::new(zhulu())
            .args([
                "store",
                "serve",
                "--esdb-insecure",
                "--esdb-listen",
                "127.0.0.1:0",
                "--data-dir",
            ])
            .arg(data)
            .env("ZHULU_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let (mut line, mut address) = (String::new(), None);
        while !line.contains("ready") {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "it ended before it was ready");
            if let Some(at) = line.find("esdb://") {
                address = line[at..].split_whitespace().next().map(str::to_owned);
            }
        }
        std::thread::spawn(move || drop(said.read_to_end(&mut Vec::new())));
        Self {
            child,
            address: address.unwrap(),
        }
    }
}

impl Drop for StoreServer {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

/// A data directory with the events of a small import.
fn with_a_history() -> TempDir {
    let data = data_directory();
    let log = root().join("tests/imports/small.xes");
    let rejects = data.path().join("rejects.csv");
    let words = [
        "import",
        "xes",
        log.to_str().unwrap(),
        "--batch",
        "small",
        "--rejects",
        rejects.to_str().unwrap(),
    ];
    run_well(data.path(), &words);
    data
}

fn fingerprint(data: &Path, store: &str) -> String {
    let said = run_well(data, &["verify", "--fingerprint", "--store", store]);
    let line = said
        .lines()
        .find(|line| line.contains("fingerprint:"))
        .unwrap_or_else(|| panic!("{said}"));
    line.split_whitespace().last().unwrap().to_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What a command that must fail says.
fn refused(data: &Path, arguments: &[&str]) -> String {
    let output = run(data, arguments);
    assert!(!output.status.success(), "{arguments:?} succeeded");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_backup_taken_beside_a_server_is_restored_elsewhere() {
    let data = data_directory();
    let server = Server::start(data.path());
    let applicant = server.account("applicant", APPLICANT, "湘湖建设投资有限公司", REGION);
    applicant.does("constructionPermitSubmit", application(1));
    let backup = data.path().join("backup");
    let said = run_well(data.path(), &["store", "backup", text(&backup)]);
    assert!(said.contains("intact"), "{said}");
    assert!(refused(data.path(), &["store", "backup", text(&backup)]).contains("not overwritten"));
    drop(applicant);
    assert!(server.stop().success());

    let elsewhere = data_directory();
    run_well(elsewhere.path(), &["store", "restore", text(&backup)]);
    assert!(run_well(elsewhere.path(), &["verify"]).contains("intact"));
    assert!(refused(elsewhere.path(), &["store", "restore", text(&backup)]).contains("not overwritten"));
    let copy = format!("embedded:{}", text(&backup));
    assert_eq!(
        fingerprint(elsewhere.path(), "embedded"),
        fingerprint(elsewhere.path(), &copy)
    );
    // The views of another history would take this one for read.
    fs::rename(elsewhere.path().join("events"), elsewhere.path().join("old")).unwrap();
    fs::create_dir(elsewhere.path().join("postgres")).unwrap();
    assert!(refused(elsewhere.path(), &["store", "restore", text(&backup)]).contains("postgres"));
}

#[test]
fn a_history_moves_to_a_server_and_back_with_the_same_fingerprint() {
    let data = with_a_history();
    let before = fingerprint(data.path(), "embedded");
    let (there, back) = (data_directory(), data_directory());
    let server = StoreServer::start(there.path());
    let here = format!("embedded:{}", text(&data.path().join("events")));
    let said = run_well(data.path(), &["migrate-store", "--from", &here, "--to", &server.address]);
    assert!(said.contains("the same"), "{said}");
    let again = run_well(data.path(), &["migrate-store", "--from", &here, "--to", &server.address]);
    assert!(again.contains("written 0，"), "{again}");
    assert_eq!(fingerprint(data.path(), &server.address), before);

    let home = format!("embedded:{}", text(&back.path().join("events")));
    run_well(back.path(), &["migrate-store", "--from", &server.address, "--to", &home]);
    assert_eq!(fingerprint(back.path(), "embedded"), before);
    assert!(refused(back.path(), &["migrate-store", "--from", &home, "--to", &home]).contains("same event store"));
}

#[test]
fn an_export_is_imported_with_the_same_fingerprint_and_a_cut_off_one_is_refused() {
    let data = with_a_history();
    let file = data.path().join("events.ndjson.gz");
    run_well(data.path(), &["store", "export", text(&file)]);
    assert!(refused(data.path(), &["store", "export", text(&file)]).contains("not overwritten"));
    let new = data_directory();
    let said = run_well(new.path(), &["store", "import", text(&file)]);
    assert!(said.contains("every chain holds"), "{said}");
    let again = run_well(new.path(), &["store", "import", text(&file)]);
    assert!(again.contains("written 0，"), "{again}");
    assert_eq!(fingerprint(new.path(), "embedded"), fingerprint(data.path(), "embedded"));

    let lines = run_well(data.path(), &["store", "export", "-"]);
    let cut = data.path().join("cut.ndjson");
    let mut half = fs::File::create(&cut).unwrap();
    half.write_all(&lines.as_bytes()[..lines.len() / 2]).unwrap();
    let empty = data_directory();
    refused(empty.path(), &["store", "import", text(&cut)]);
    assert!(!empty.path().join("events").exists(), "a broken file wrote something");
}

#[test]
fn a_scavenge_is_done_by_whoever_has_the_store() {
    let data = data_directory();
    let server = StoreServer::start(data.path());
    assert!(run_well(data.path(), &["store", "scavenge"]).contains("scavenged"));
    let said = refused(data.path(), &["rebuild", "all"]);
    assert!(said.contains("--store"), "{said}");
    drop(server);
    assert!(run_well(data.path(), &["store", "scavenge"]).contains("scavenged"));
}

#[test]
fn a_case_is_worked_on_with_the_store_in_another_process() {
    let (events, data) = (data_directory(), data_directory());
    let store = StoreServer::start(events.path());
    let server = Server::start_with(data.path(), &["--demo", "--store", &store.address]);
    let applicant = server.account("applicant", APPLICANT, "湘湖建设投资有限公司", REGION);
    let clerk = server.account("windowClerk", "clerk", "周敏", REGION);
    let filed = applicant.does("constructionPermitSubmit", application(1));
    let case = filed["case"]["id"].clone();
    let number = eventually("the case's number", || {
        let seen = clerk.query("query($id: ID!) { case(id: $id) { caseNo } }", &json!({ "id": case }));
        seen["case"]["caseNo"].as_str().map(str::to_owned)
    });
    assert!(!number.is_empty());
    assert!(!data.path().join("events").exists(), "there is a second store");
    let told = run_well(data.path(), &["verify", "--store", &store.address]);
    assert!(told.contains("fingerprint"), "{told}");
    drop((applicant, clerk));
    assert!(server.stop().success());
}
