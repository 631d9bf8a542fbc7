//! The command line: help with examples, errors that say what to do, exit codes that can be relied on.

use std::path::Path;

use crate::running::{data_directory, run, run_well};

/// Every command, as it is typed.
const COMMANDS: &[&[&str]] = &[
    &[],
    &["serve"],
    &["demo"],
    &["import"],
    &["import", "permits"],
    &["import", "xes"],
    &["import", "rollback"],
    &["rebuild"],
    &["replay"],
    &["report"],
    &["report", "handling-time"],
    &["report", "cohorts"],
    &["verify"],
    &["store"],
    &["store", "serve"],
    &["store", "backup"],
    &["store", "restore"],
    &["store", "scavenge"],
    &["store", "export"],
    &["store", "import"],
    &["migrate-store"],
    &["schema"],
    &["token"],
    &["doctor"],
    &["views"],
];

/// Runs a command that must fail, and returns what it said.
fn complaint(data: &Path, arguments: &[&str]) -> String {
    let output = run(data, arguments);
    assert!(!output.status.success(), "{arguments:?} succeeded");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn every_command_has_help_with_an_example() {
    let data = data_directory();
    for command in COMMANDS {
        let help = run_well(data.path(), &[*command, &["--help"]].concat());
        assert!(help.contains("Examples:"), "{command:?} has no example:\n{help}");
        assert!(help.contains("--data-dir"), "{command:?} knows no --data-dir");
    }
}

#[test]
fn the_schema_is_printed_without_any_data() {
    let data = data_directory();
    let printed = run_well(data.path(), &["schema"]);
    assert!(printed.contains("type Query"), "{printed}");
}

#[test]
fn a_token_is_made_for_a_known_role_and_region_only() {
    let data = data_directory();
    let token = run_well(
        data.path(),
        &["token", "--role", "handler", "--name", "王芳", "--region", "320684"],
    );
    assert_eq!(token.trim().split('.').count(), 3);
    let said = complaint(
        data.path(),
        &["token", "--role", "emperor", "--name", "王芳", "--region", "320684"],
    );
    assert!(said.contains("windowClerk"), "{said}");
    let said = complaint(
        data.path(),
        &["token", "--role", "handler", "--name", "王芳", "--region", "海门"],
    );
    assert!(said.contains("320684"), "{said}");
}

#[test]
fn nobody_gets_a_token_of_the_platform_itself() {
    let data = data_directory();
    for role in ["system", "migration"] {
        let said = complaint(data.path(), &["token", "--role", role, "--name", "x", "--region", "320684"]);
        assert!(said.contains(role), "{said}");
    }
}

#[test]
fn a_missing_data_directory_is_named() {
    let data = data_directory();
    let nowhere = data.path().join("nowhere");
    for command in [
        &["verify"][..],
        &["views"],
        &["replay", "case-1"],
        &["rebuild", "all"],
        &["report", "cohorts", "--by", "city"],
    ] {
        let said = complaint(&nowhere, command);
        assert!(said.contains("nowhere") && said.contains("--data-dir"), "{command:?}: {said}");
    }
}

#[test]
fn another_store_is_refused_with_a_reason() {
    let data = data_directory();
    let said = complaint(data.path(), &["verify", "--store", "esdb://localhost:2113"]);
    assert!(said.contains("localhost:2113"), "{said}");
    let said = complaint(data.path(), &["verify", "--store", "mysql"]);
    assert!(said.contains("embedded"), "{said}");
    let said = complaint(data.path(), &["migrate-store", "--from", "embedded", "--to", "mysql"]);
    assert!(said.contains("mysql"), "{said}");
    let elsewhere = ["store", "serve", "--esdb-insecure", "--esdb-listen", "0.0.0.0:0"];
    assert!(complaint(data.path(), &elsewhere).contains("loopback"));
}

#[test]
fn bad_input_is_refused_with_a_way_out() {
    let data = data_directory();
    let file = data.path().join("missing.csv");
    let missing = file.to_str().unwrap();
    let said = complaint(data.path(), &["import", "permits", missing, "--batch", "b"]);
    assert!(said.contains("missing.csv"), "{said}");
    std::fs::write(&file, "city,permit_id\nx,1\n").unwrap();
    let said = complaint(data.path(), &["import", "permits", missing, "--batch", "b"]);
    assert!(said.contains("applied_date"), "{said}");
    let said = complaint(data.path(), &["report", "handling-time", "--by", "city", "--where", "city"]);
    assert!(said.contains("city=seattle"), "{said}");
    let said = complaint(data.path(), &["rebuild", "nothing"]);
    assert!(said.contains("case_list"), "{said}");
    let said = complaint(data.path(), &["replay", "x", "--at", "yesterday"]);
    assert!(said.contains("2026-03-01"), "{said}");
    let said = complaint(data.path(), &["serve", "--clock-file", "now.txt"]);
    assert!(said.contains("--demo"), "{said}");
}

#[test]
fn the_doctor_finds_a_new_installation_well_and_an_open_key_ill() {
    use std::os::unix::fs::PermissionsExt as _;
    let data = data_directory();
    let said = run_well(data.path(), &["doctor"]);
    assert!(said.contains("all is well"), "{said}");
    let key = data.path().join("token.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let output = run(data.path(), &["doctor"]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("chmod 600"));
}
