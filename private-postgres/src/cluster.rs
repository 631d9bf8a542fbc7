//! A cluster on disk: made once, configured and opened at every start.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    DATABASE, ROLE,
    account::Account,
    binaries::{self, Binaries},
    error::{PostgresError, doing},
    guardian::Launch,
    leftovers,
    place::{self, Place, random_hex, socket_directory, write_private},
};

/// How many bytes nobody has to guess.
const PASSWORD_BYTES: usize = 24;
/// A log beyond this size is put aside at the next start.
const LOG_LIMIT_BYTES: u64 = 10 * 1024 * 1024;
/// How much of the log an error brings along.
const LOG_LINES_IN_ERRORS: usize = 20;
/// The file of ours that the cluster's `postgresql.conf` includes; written anew at every start.
const SETTINGS_FILE: &str = "zhulu.conf";

/// What every cluster of ours is told, apart from where to listen: tuned for read models that are rebuilt from events.
///
/// - No replication, so the least log: a table made and filled in one transaction is not logged row by row.
/// - The zone is GMT and not UTC because GMT is the one that PostgreSQL knows without the system's time zone files.
const SETTINGS: &str = "\
listen_addresses = '127.0.0.1'
unix_socket_permissions = 0700
password_encryption = 'scram-sha-256'
max_connections = 100
shared_buffers = '128MB'
work_mem = '16MB'
maintenance_work_mem = '256MB'
max_wal_size = '2GB'
wal_level = 'minimal'
max_wal_senders = 0
fsync = on
jit = off
random_page_cost = 1.1
default_text_search_config = 'pg_catalog.simple'
timezone = 'GMT'
log_timezone = 'GMT'
lc_messages = 'C'
log_destination = 'stderr'
logging_collector = off
log_line_prefix = '%m [%p] %a '
";

/// A cluster that is ours, with the binaries that open it.
#[derive(Debug)]
pub(crate) struct Cluster {
    place: Place,
    data: PathBuf,
    socket_directory: PathBuf,
    binaries: Binaries,
    password: String,
    dies_with_us: bool,
}

impl Cluster {
    /// Takes the directory, ends what lives there still, and makes the cluster if there is none. Blocks.
    pub(crate) fn open(directory: &Path) -> Result<Self, PostgresError> {
        let place = place::settle(directory)?;
        let data = place.base.join("data");
        let binaries = binaries::for_cluster(&data)?;
        leftovers::clear(&data)?;
        let dies_with_us = knows_setpriv();
        let password = if data.join("PG_VERSION").is_file() {
            read_password(&place)?
        } else {
            make(&place, &binaries, &data, dies_with_us)?
        };
        let socket_directory = socket_directory(&place)?;
        let cluster = Self {
            place,
            data,
            socket_directory,
            binaries,
            password,
            dies_with_us,
        };
        cluster.put_a_long_log_aside();
        Ok(cluster)
    }

    pub(crate) fn base(&self) -> &Path {
        &self.place.base
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    pub(crate) fn major_version(&self) -> u32 {
        self.binaries.major
    }

    /// Writes the settings for this start.
    pub(crate) fn configure(&self, port: u16) -> Result<(), PostgresError> {
        let mut settings =
            String::from("# Written anew at every start. Settings of your own go to the end of postgresql.conf.\n");
        settings.push_str(SETTINGS);
        // Writing to a string cannot fail.
        let _ = writeln!(
            settings,
            "port = {port}\nunix_socket_directories = '{}'",
            self.socket_directory.display()
        );
        write_private(&self.data.join(SETTINGS_FILE), &settings, self.place.account)
    }

    /// How the server is started, as often as it takes.
    pub(crate) fn launch(&self) -> Launch {
        let (account, binaries, data, log) = (self.place.account, self.binaries.clone(), self.data.clone(), self.log_path());
        let dies_with_us = self.dies_with_us;
        Box::new(move || {
            leftovers::clear(&data).map_err(std::io::Error::other)?;
            let log = File::options().create(true).append(true).open(&log)?;
            let mut command = program(account, &binaries, "postgres", dies_with_us.then_some("INT"));
            command.arg("-D").arg(&data).stdout(log.try_clone()?).stderr(log);
            // A group of its own: Ctrl-C is for Zhulu, which stops the server when it is done with it.
            command.process_group(0).spawn()
        })
    }

    pub(crate) fn socket_url(&self, port: u16) -> String {
        let host = percent_encoded(&self.socket_directory.to_string_lossy());
        format!("postgresql://{ROLE}:{}@{host}:{port}/{DATABASE}", self.password)
    }

    pub(crate) fn tcp_url(&self, port: u16) -> String {
        format!("postgresql://{ROLE}:{}@127.0.0.1:{port}/{DATABASE}", self.password)
    }

    pub(crate) fn log_path(&self) -> PathBuf {
        self.place.base.join("postgres.log")
    }

    pub(crate) fn log_length(&self) -> u64 {
        fs::metadata(self.log_path()).map_or(0, |metadata| metadata.len())
    }

    /// The last lines of the log, from this place on.
    pub(crate) fn log_since(&self, from: u64) -> String {
        let mut said = Vec::new();
        let read = File::open(self.log_path()).and_then(|mut log| {
            log.seek(SeekFrom::Start(from))?;
            log.read_to_end(&mut said)
        });
        match read {
            Ok(_) => last_lines(&String::from_utf8_lossy(&said)),
            Err(error) => format!("(the log cannot be read: {error})"),
        }
    }

    /// A socket's directory among the temporary ones goes when the server goes.
    pub(crate) fn remove_distant_socket_directory(&self) {
        if !self.socket_directory.starts_with(&self.place.base) {
            let _ = fs::remove_dir(&self.socket_directory);
        }
    }

    fn put_a_long_log_aside(&self) {
        if self.log_length() > LOG_LIMIT_BYTES {
            let _ = fs::rename(self.log_path(), self.place.base.join("postgres.log.1"));
        }
    }
}

/// Makes a cluster beside its place and then moves it there, so that one half made is never taken for one.
fn make(place: &Place, binaries: &Binaries, data: &Path, dies_with_us: bool) -> Result<String, PostgresError> {
    remove_half_made(&place.base);
    tracing::info!(major = binaries.major, data = %data.display(), "making a PostgreSQL cluster");
    let password = random_hex(PASSWORD_BYTES)?;
    let password_file = password_file(place);
    write_private(&password_file, &password, place.account)?;
    let new = place.base.join(format!("making-{}", random_hex(6)?));
    // Sorting by bytes is fast and the same everywhere; knowing letters lets searches find 中文.
    let made = init(place, binaries, &new, &password_file, dies_with_us, "C.UTF-8")
        .or_else(|_| init(place, binaries, &new, &password_file, dies_with_us, "C"));
    made.map_err(|said| PostgresError::NotMade {
        data: data.to_path_buf(),
        said,
    })?;
    let finish = || {
        let mut settings = File::options().append(true).open(new.join("postgresql.conf"))?;
        writeln!(settings, "\ninclude '{SETTINGS_FILE}'\n\n# Settings of your own go below.")?;
        settings.sync_all()?;
        fs::rename(&new, data)?;
        File::open(&place.base)?.sync_all()
    };
    finish().map_err(doing(|| format!("putting the new cluster into {}", data.display())))?;
    Ok(password)
}

/// Runs initdb, or brings what it said.
fn init(
    place: &Place,
    binaries: &Binaries,
    new: &Path,
    password_file: &Path,
    dies_with_us: bool,
    letters: &str,
) -> Result<(), String> {
    let output = program(place.account, binaries, "initdb", dies_with_us.then_some("KILL"))
        .arg("-D")
        .arg(new)
        .args([
            "--encoding=UTF8",
            "--locale=C",
            "--auth=scram-sha-256",
            "--text-search-config=simple",
            "--no-instructions",
        ])
        .arg(format!("--lc-ctype={letters}"))
        .arg(format!("--username={ROLE}"))
        .arg("--pwfile")
        .arg(password_file)
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let _ = fs::remove_dir_all(new);
    let said = [output.stdout, output.stderr].concat();
    Err(last_lines(&String::from_utf8_lossy(&said)))
}

/// What a killed start left behind.
fn remove_half_made(base: &Path) {
    let Ok(entries) = fs::read_dir(base) else { return };
    for entry in entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("making-"))
    {
        let _ = fs::remove_dir_all(entry.path());
    }
}

fn password_file(place: &Place) -> PathBuf {
    place.base.join("password")
}

fn read_password(place: &Place) -> Result<String, PostgresError> {
    let password = password_file(place);
    match fs::read_to_string(&password) {
        Ok(content) => Ok(content.trim().to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(PostgresError::PasswordLost { password }),
        Err(source) => Err(PostgresError::Io {
            doing: format!("reading {}", password.display()),
            source,
        }),
    }
}

/// One of the server's programs, run as the account; if possible the kernel sends it a signal when we die.
fn program(account: Account, binaries: &Binaries, name: &str, signal_when_we_die: Option<&str>) -> Command {
    let path = binaries.directory.join(name);
    let mut command = match signal_when_we_die {
        Some(signal) => {
            let mut command = account.command("setpriv");
            command.args(["--pdeathsig", signal, "--"]).arg(path);
            command
        }
        None => account.command(path),
    };
    if let Some(library_path) = &binaries.library_path {
        command.env("LD_LIBRARY_PATH", library_path);
    }
    command
}

/// True when this machine can tie a process to our life (util-linux 2.33 or newer). Without it, a server that outlives
/// us is stopped by the next start.
fn knows_setpriv() -> bool {
    let probe = Command::new("setpriv")
        .args(["--pdeathsig", "INT", "--", "true"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    probe.is_ok_and(|status| status.success())
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES_IN_ERRORS)..].join("\n")
}

/// As a URL wants a path in the place of a host.
fn percent_encoded(path: &str) -> String {
    path.bytes().fold(String::new(), |mut url, byte| {
        if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) {
            url.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(url, "%{byte:02X}");
        }
        url
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_in_a_url_is_encoded() {
        assert_eq!(percent_encoded("/tmp/a b/筑"), "%2Ftmp%2Fa%20b%2F%E7%AD%91");
    }

    #[test]
    fn an_error_brings_the_last_lines_only() {
        let text = (1..=30).map(|line| line.to_string()).collect::<Vec<_>>().join("\n");
        assert!(last_lines(&text).starts_with("11\n"));
        assert!(last_lines("").is_empty());
    }
}
