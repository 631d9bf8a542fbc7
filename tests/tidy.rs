//! The rules of the house that a program can see.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Longer than this, and a file holds two things.
const MAX_LINES_PER_FILE: usize = 700;

/// Who may know whom: each room, and the rooms below that it may see. What is not written here is not allowed.
const FLOORS: &[(&str, &[&str])] = &[
    ("decider", &[]),
    ("event-store-contract", &[]),
    ("private-postgres", &[]),
    ("event-store-embedded", &["event-store-contract"]),
    ("event-store-esdb", &["event-store-contract"]),
    ("event-store-server", &["event-store-contract", "event-store-embedded"]),
    ("domain", &["decider"]),
    ("process-engine", &["decider"]),
    ("casework", &["decider", "domain", "process-engine"]),
    (
        "commands",
        &["casework", "decider", "domain", "event-store-contract", "process-engine"],
    ),
    (
        "projections",
        &["casework", "decider", "domain", "event-store-contract", "process-engine"],
    ),
    (
        "api",
        &[
            "casework",
            "commands",
            "decider",
            "domain",
            "event-store-contract",
            "process-engine",
            "projections",
        ],
    ),
    (
        "server",
        &[
            "api",
            "casework",
            "commands",
            "decider",
            "domain",
            "event-store-contract",
            "event-store-embedded",
            "event-store-esdb",
            "event-store-server",
            "private-postgres",
            "process-engine",
            "projections",
        ],
    ),
];

/// What only one room may know of the world outside.
const KNOWN_BY_FEW: &[(&str, &[&str])] = &[
    ("async-graphql", &["api"]),
    ("axum", &["api", "server"]),
    ("kurrentdb", &["event-store-esdb"]),
    ("rusqlite", &["event-store-embedded"]),
    ("tonic", &["event-store-server"]),
    ("tokio-postgres", &["projections", "server"]),
    ("clap", &["server"]),
];

/// What the pure rooms may not know: no I/O, no asynchrony.
const NOT_PURE: &[&str] = &[
    "tokio",
    "async-trait",
    "futures-util",
    "tokio-postgres",
    "rusqlite",
    "axum",
    "async-graphql",
];

/// The files that every case type's folder has.
const CASE_TYPE_FILES: &[&str] = &["mod.rs", "events.rs", "decide.rs", "tests.rs", "form.json", "item.json"];

/// The files that may read the machine's clock.
const READS_THE_CLOCK: &[&str] = &[
    "server/src/clock.rs",
    "event-store/contract/src/memory.rs",
    "event-store/embedded/src/",
];

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// What a package needs to be built, without what only its tests need.
fn dependencies(package: &Value) -> BTreeSet<String> {
    package["dependencies"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|dependency| dependency["kind"].is_null())
        .map(|dependency| dependency["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Every file of the repository that git knows or would take, with its path from the root.
fn files() -> Vec<PathBuf> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root())
        .output();
    match output {
        Ok(output) if output.status.success() => output
            .stdout
            .split(|byte| *byte == 0)
            .filter(|name| !name.is_empty())
            .map(|name| PathBuf::from(String::from_utf8_lossy(name).into_owned()))
            .filter(|path| root().join(path).is_file())
            .collect(),
        _ => walk(&root()),
    }
}

/// The same without git: everything but what is built or made while running.
fn walk(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![directory.to_path_buf()];
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(next).unwrap().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = entry.path();
            if path.is_dir() {
                if !["target", "data", ".git", "node_modules"].contains(&name.as_str()) || path.ends_with("domain/data") {
                    waiting.push(path);
                }
            } else {
                found.push(path.strip_prefix(directory).unwrap().to_path_buf());
            }
        }
    }
    found
}

fn texts(endings: &[&str]) -> Vec<(String, String)> {
    files()
        .into_iter()
        .filter(|path| {
            let name = path.to_string_lossy();
            endings.iter().any(|ending| name.ends_with(ending))
        })
        .filter_map(|path| {
            Some((
                path.to_string_lossy().into_owned(),
                fs::read_to_string(root().join(&path)).ok()?,
            ))
        })
        .collect()
}

/// The part of a Rust file that is not its tests.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

fn is_test_code(name: &str) -> bool {
    name.starts_with("tests/")
        || name.contains("/tests/")
        || name.contains("/examples/")
        || name.contains("/testing/")
        || name.contains("/stories/")
        || name.ends_with("tests.rs")
        || name.ends_with("testing.rs")
        || name.contains("/suite/")
}

#[test]
fn the_arrows_between_the_rooms_point_down() {
    let packages = packages();
    let rooms: BTreeSet<&str> = packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
    let floors: BTreeMap<&str, &[&str]> = FLOORS.iter().copied().collect();
    for package in &packages {
        let name = package["name"].as_str().unwrap();
        if ["tests", "bench"].contains(&name) {
            continue;
        }
        let allowed = floors
            .get(name)
            .unwrap_or_else(|| panic!("{name} is a new room: write down in FLOORS which rooms it may see"));
        for dependency in dependencies(package) {
            let known = !rooms.contains(dependency.as_str()) || allowed.contains(&dependency.as_str());
            assert!(known, "{name} may not know {dependency}");
        }
    }
}

#[test]
fn what_few_may_know_is_known_by_few() {
    for package in packages() {
        let name = package["name"].as_str().unwrap();
        if ["tests", "bench"].contains(&name) {
            continue;
        }
        let dependencies = dependencies(&package);
        for (known, by) in KNOWN_BY_FEW {
            assert!(
                !dependencies.contains(*known) || by.contains(&name),
                "{name} may not know {known}"
            );
        }
    }
}

#[test]
fn the_pure_rooms_know_neither_io_nor_asynchrony() {
    for package in packages() {
        let name = package["name"].as_str().unwrap();
        if ["decider", "domain", "process-engine", "casework"].contains(&name) {
            for dependency in dependencies(&package) {
                assert!(
                    !NOT_PURE.contains(&dependency.as_str()),
                    "{name} is pure and may not know {dependency}"
                );
            }
        }
    }
    for (name, text) in texts(&[".rs"]) {
        let pure = ["domain/src/", "decider/src/", "process-engine/src/", "casework/src/"];
        if pure.iter().any(|room| name.starts_with(room)) {
            for word in ["async fn", "std::fs", "std::net", "SystemTime", "Instant::now"] {
                assert!(!without_tests(&text).contains(word), "{name} is pure and has {word}");
            }
        }
    }
}

#[test]
fn every_room_keeps_the_lints_of_the_house() {
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("unsafe_code = \"forbid\""));
    for (name, text) in texts(&["Cargo.toml"]) {
        assert!(
            name == "Cargo.toml" || name.starts_with("tests/bench/") || text.contains("[lints]\nworkspace = true"),
            "{name} does not keep the lints of the house"
        );
    }
    let unsafe_word = ["un", "safe {"].concat();
    for (name, text) in texts(&[".rs"]) {
        assert!(!text.contains(&unsafe_word), "{name} has unsafe code");
    }
}

#[test]
fn the_list_of_case_types_names_every_folder() {
    let folder = root().join("domain/src/case_types");
    let folders: BTreeSet<String> = fs::read_dir(&folder)
        .unwrap()
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .map(|entry| camel_case(&entry.file_name().to_string_lossy()))
        .collect();
    let listed: BTreeSet<String> = domain::case_types::CATEGORIES
        .iter()
        .map(|category| (*category).to_owned())
        .collect();
    assert_eq!(folders, listed);
}

#[test]
fn the_folder_of_a_case_type_has_the_same_files_as_every_other() {
    for entry in fs::read_dir(root().join("domain/src/case_types")).unwrap().flatten() {
        if entry.path().is_dir() {
            for file in CASE_TYPE_FILES {
                assert!(entry.path().join(file).is_file(), "{} has no {file}", entry.path().display());
            }
        }
    }
}

#[test]
fn every_stored_event_has_a_sample() {
    use domain::case::CaseType as _;
    use strum::VariantNames as _;
    type Permit = domain::case_types::construction_permit::ConstructionPermit;
    let kernel = domain::case::Event::VARIANTS
        .iter()
        .map(|name| ("domain/src/case/samples", *name));
    let permit = <Permit as domain::case::CaseType>::Event::VARIANTS
        .iter()
        .map(|name| ("domain/src/case_types/construction_permit/samples", *name));
    assert_eq!(Permit::CATEGORY, "constructionPermit");
    let process = process_engine::instance::Event::VARIANTS
        .iter()
        .map(|name| ("process-engine/src/instance/samples", *name));
    for (folder, name) in kernel.chain(permit).chain(process) {
        assert!(has_sample(&root().join(folder), name), "{folder} has no sample of {name}");
    }
}

/// A sample is a file named after the event, or after the event and what is particular about it.
fn has_sample(folder: &Path, event: &str) -> bool {
    fs::read_dir(folder).is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name.ends_with(".json") && name.split(['.', '-']).next() == Some(event)
        })
    })
}

#[test]
fn the_schema_in_the_repository_is_the_one_that_the_program_prints() {
    let written = fs::read_to_string(root().join("schema.graphql")).unwrap();
    let printed = api::schema_sdl();
    assert!(
        written.trim() == printed.trim(),
        "schema.graphql is old: write it anew with ./run schema"
    );
}

#[test]
fn only_execute_appends() {
    for (name, text) in texts(&[".rs"]) {
        let above_the_store = ["commands/src/", "projections/src/", "api/src/", "server/src/", "domain/src/"];
        let is_room = above_the_store.iter().any(|room| name.starts_with(room));
        if !is_room || is_test_code(&name) || name == "commands/src/execute.rs" {
            continue;
        }
        for call in [
            "store.append(",
            "store().append(",
            ".append(&stream",
            ".append(stream",
            "EventStore::append(",
        ] {
            assert!(
                !without_tests(&text).contains(call),
                "{name} appends; only commands/src/execute.rs may"
            );
        }
    }
}

#[test]
fn time_is_an_argument() {
    for (name, text) in texts(&[".rs"]) {
        if is_test_code(&name) || READS_THE_CLOCK.iter().any(|may| name.starts_with(may)) {
            continue;
        }
        for call in ["Utc::now(", "Local::now(", "SystemTime::now("] {
            assert!(
                !without_tests(&text).contains(call),
                "{name} reads the clock; take the time as an argument"
            );
        }
    }
}

#[test]
fn no_file_holds_two_things() {
    for (name, text) in texts(&[".rs"]) {
        let lines = text.lines().count();
        assert!(
            lines <= MAX_LINES_PER_FILE,
            "{name} has {lines} lines; look where it falls apart"
        );
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for (name, text) in texts(&[".rs"]) {
        assert!(
            text.trim_start().starts_with("//!"),
            "{name} does not say what it is for in its first line"
        );
    }
}

#[test]
fn no_file_knows_the_machine_that_it_was_written_on() {
    // Written in two pieces, so that this file does not find itself.
    let places: Vec<String> = [("/wo", "rk/"), ("/ro", "ot/"), ("/tmp/tar", "get"), ("/ho", "me/")]
        .iter()
        .map(|(head, tail)| format!("{head}{tail}"))
        .collect();
    for (name, text) in texts(&[".rs", ".toml", ".md", ".json", ".sh", ".yml", ".yaml", ".sql", "run"]) {
        for place in &places {
            assert!(!text.contains(place.as_str()), "{name} names the directory {place}");
        }
    }
}

#[test]
fn the_links_between_the_documents_lead_somewhere() {
    for (name, text) in texts(&[".md"]) {
        let folder = root().join(&name).parent().unwrap().to_path_buf();
        for link in links(&text) {
            let path = link.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
                continue;
            }
            assert!(folder.join(path).exists(), "{name} links to {link}, which is not there");
        }
    }
}

/// The targets of `[text](target)`.
fn links(text: &str) -> Vec<&str> {
    text.match_indices("](")
        .filter_map(|(at, _)| {
            let rest = &text[at + 2..];
            rest.find(')').map(|end| rest[..end].trim())
        })
        .filter(|link| !link.contains(char::is_whitespace))
        .collect()
}

fn camel_case(snake: &str) -> String {
    let mut words = snake.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut name, word| {
        let mut letters = word.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.push_str(letters.as_str());
        name
    })
}
