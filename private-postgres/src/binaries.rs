//! Which PostgreSQL servers this machine has. Debian keeps each version in a directory of its own, off the PATH.

use std::{
    env,
    ffi::OsString,
    fs,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    process::Command,
};

use crate::error::PostgresError;

/// The major versions that Zhulu is built for.
pub const SUPPORTED_MAJORS: RangeInclusive<u32> = 14..=18;

/// Where packages put each version in a directory of its own: what stands before and after the version.
const PACKAGE_PLACES: [(&str, &str, &str); 2] = [("/usr/lib/postgresql", "", "bin"), ("/usr", "pgsql-", "bin")];

/// The programs of one installed server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binaries {
    pub(crate) directory: PathBuf,
    pub(crate) major: u32,
    /// Where its shared libraries lie, if that is no place that the system knows.
    pub(crate) library_path: Option<OsString>,
}

/// The binaries for a cluster: its own major version if it exists already, else the newest.
pub(crate) fn for_cluster(data: &Path) -> Result<Binaries, PostgresError> {
    let installed = installed();
    if installed.is_empty() {
        let looked_in = places()
            .iter()
            .map(|place| place.directory.display().to_string())
            .collect::<Vec<_>>()
            .join(", ");
        let looked_in = if looked_in.is_empty() {
            "/usr/lib/postgresql, /usr/pgsql-*, PATH".to_owned()
        } else {
            looked_in
        };
        return Err(PostgresError::NotInstalled { looked_in });
    }
    choose(installed, data)
}

/// Picks from what is installed; the list is not empty.
fn choose(mut installed: Vec<Binaries>, data: &Path) -> Result<Binaries, PostgresError> {
    installed.sort_by_key(|binaries| binaries.major);
    let found = installed
        .iter()
        .map(|binaries| binaries.major.to_string())
        .collect::<Vec<_>>()
        .join(", ");
    match fs::read_to_string(data.join("PG_VERSION")) {
        Err(_) => installed.pop().ok_or(PostgresError::NotInstalled {
            looked_in: String::new(),
        }),
        Ok(version) => {
            let major = version.trim().to_owned();
            let fits = installed.into_iter().find(|binaries| binaries.major.to_string() == major);
            fits.ok_or_else(|| PostgresError::VersionMissing {
                major,
                found,
                data: data.to_path_buf(),
            })
        }
    }
}

/// A directory that may hold a server.
struct Candidate {
    directory: PathBuf,
    library_path: Option<OsString>,
}

/// Every supported server of this machine; of one version, the first that was found.
fn installed() -> Vec<Binaries> {
    let mut installed: Vec<Binaries> = Vec::new();
    for Candidate { directory, library_path } in places() {
        let Some(major) = major_version(&directory, library_path.as_ref()) else {
            continue;
        };
        let known = installed.iter().any(|binaries| binaries.major == major);
        if SUPPORTED_MAJORS.contains(&major) && !known {
            installed.push(Binaries {
                directory,
                major,
                library_path,
            });
        }
    }
    installed
}

/// Where to look, in order. `ZHULU_PG_BIN` means this one and no other.
fn places() -> Vec<Candidate> {
    let system = |directory| Candidate {
        directory,
        library_path: None,
    };
    if let Some(named) = env::var_os("ZHULU_PG_BIN").filter(|named| !named.is_empty()) {
        return vec![system(PathBuf::from(named))];
    }
    let mut places = Vec::new();
    for (parent, prefix, suffix) in PACKAGE_PLACES {
        places.extend(versions_below(Path::new(parent), prefix, suffix).into_iter().map(system));
    }
    if let Some(tools) = tools_directory() {
        let library_path = library_path_of(&tools);
        places.extend(
            versions_below(&tools.join("usr/lib/postgresql"), "", "bin")
                .into_iter()
                .map(|directory| Candidate {
                    directory,
                    library_path: library_path.clone(),
                }),
        );
    }
    places.extend(
        env::var_os("PATH")
            .iter()
            .flat_map(env::split_paths)
            .filter(|path| path.join("initdb").is_file())
            .map(system),
    );
    places
}

/// Where `./run` unpacks the packages that an ordinary user may not install.
fn tools_directory() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("ZHULU_TOOLS").or_else(|| {
        Some(
            set("XDG_CACHE_HOME")
                .or_else(|| Some(set("HOME")?.join(".cache")))?
                .join("zhulu/tools"),
        )
    })
}

/// The directories `parent/prefix<number>/suffix` that exist.
fn versions_below(parent: &Path, prefix: &str, suffix: &str) -> Vec<PathBuf> {
    let is_version = |name: &str| {
        name.strip_prefix(prefix)
            .is_some_and(|version| version.parse::<u32>().is_ok())
    };
    let Ok(entries) = fs::read_dir(parent) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(is_version))
        .map(|entry| entry.path().join(suffix))
        .filter(|directory| directory.is_dir())
        .collect()
}

/// The library directories of an unpacked tree: `usr/lib/x86_64-linux-gnu` and the like.
fn library_path_of(tools: &Path) -> Option<OsString> {
    let parents = [tools.join("usr/lib"), tools.join("lib")];
    let directories: Vec<PathBuf> = parents
        .iter()
        .filter_map(|parent| fs::read_dir(parent).ok())
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().contains("-linux-"))
        .map(|entry| entry.path())
        .collect();
    env::join_paths(directories).ok().filter(|joined| !joined.is_empty())
}

/// Asks the server itself, since not every directory says it.
fn major_version(directory: &Path, library_path: Option<&OsString>) -> Option<u32> {
    let server = directory.join("postgres");
    if !server.is_file() || !directory.join("initdb").is_file() {
        return None;
    }
    let mut command = Command::new(server);
    command.arg("--version");
    if let Some(library_path) = library_path {
        command.env("LD_LIBRARY_PATH", library_path);
    }
    let output = command.output().ok()?;
    major_in(&String::from_utf8_lossy(&output.stdout))
}

/// The number in `postgres (PostgreSQL) 15.18 (Debian …)`, `… 18beta2`.
fn major_in(version: &str) -> Option<u32> {
    let number = version.split_whitespace().nth(2)?;
    let digits = number
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(number.len());
    number[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn server(major: u32) -> Binaries {
        Binaries {
            directory: PathBuf::from(format!("/usr/lib/postgresql/{major}/bin")),
            major,
            library_path: None,
        }
    }

    #[test]
    fn a_server_says_its_major_version() {
        assert_eq!(major_in("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(major_in("postgres (PostgreSQL) 18beta2"), Some(18));
        assert_eq!(major_in("something else"), None);
    }

    #[test]
    fn a_new_cluster_gets_the_newest_server() {
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(
            choose(vec![server(16), server(18), server(14)], empty.path()).unwrap().major,
            18
        );
    }

    #[test]
    fn an_existing_cluster_keeps_its_own_version() {
        let cluster = tempfile::tempdir().unwrap();
        fs::write(cluster.path().join("PG_VERSION"), "16\n").unwrap();
        assert_eq!(choose(vec![server(16), server(18)], cluster.path()).unwrap().major, 16);
    }

    #[test]
    fn a_cluster_whose_version_is_gone_says_what_to_install() {
        let cluster = tempfile::tempdir().unwrap();
        fs::write(cluster.path().join("PG_VERSION"), "14\n").unwrap();
        let error = choose(vec![server(16), server(18)], cluster.path()).unwrap_err().to_string();
        assert!(error.contains("apt-get install postgresql-14"), "{error}");
        assert!(error.contains("only 16, 18 is installed"), "{error}");
    }
}
