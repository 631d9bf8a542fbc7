//! Whom PostgreSQL runs as. It refuses to run as root, so root lends it another account.

use std::{
    ffi::OsStr,
    fs, io,
    os::unix::{fs::chown, process::CommandExt},
    path::Path,
    process::{Command, Stdio},
};

use crate::error::PostgresError;

/// Whom root runs PostgreSQL as, first come first served. `ZHULU_PG_USER` overrides it.
const ACCOUNTS_FOR_ROOT: [&str; 2] = ["postgres", "nobody"];

/// Whom PostgreSQL runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Account {
    /// As we do.
    Own,
    /// As somebody else, since we are root.
    Other { user: u32, group: u32 },
}

impl Account {
    /// The account for a cluster; one that exists already keeps its owner.
    pub(crate) fn for_cluster(owner_of_existing: Option<(u32, u32)>) -> Result<Self, PostgresError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Own);
        }
        if let Some((user, group)) = owner_of_existing.filter(|(user, _)| *user != 0) {
            return Ok(Self::Other { user, group });
        }
        let wanted = match std::env::var("ZHULU_PG_USER") {
            Ok(name) if !name.is_empty() => vec![name],
            _ => ACCOUNTS_FOR_ROOT.map(str::to_owned).to_vec(),
        };
        wanted
            .iter()
            .find_map(|name| {
                let user = number_of("-u", name).filter(|user| *user != 0)?;
                Some(Self::Other {
                    user,
                    group: number_of("-g", name)?,
                })
            })
            .ok_or_else(|| PostgresError::NoAccount {
                wanted: wanted.join(" or "),
            })
    }

    /// A command that runs as this account. It does not see our PostgreSQL variables, which mean other servers.
    pub(crate) fn command(self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .stdin(Stdio::null())
            .current_dir("/")
            .env("LC_ALL", "C")
            .env("TZ", "UTC");
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"PG")) {
            command.env_remove(name);
        }
        if let Self::Other { user, group } = self {
            command.uid(user).gid(group);
        }
        command
    }

    /// Gives a file or directory of ours to the account.
    pub(crate) fn own(self, path: &Path) -> io::Result<()> {
        match self {
            Self::Own => Ok(()),
            Self::Other { user, group } => chown(path, Some(user), Some(group)),
        }
    }

    /// True when the account can pass through the directory to what lies below.
    pub(crate) fn can_enter(self, directory: &Path) -> bool {
        match self {
            Self::Own => true,
            Self::Other { .. } => self
                .command("test")
                .arg("-x")
                .arg(directory)
                .status()
                .is_ok_and(|status| status.success()),
        }
    }

    /// The number of the user that things of this account belong to.
    pub(crate) fn user(self) -> u32 {
        match self {
            Self::Own => rustix::process::geteuid().as_raw(),
            Self::Other { user, .. } => user,
        }
    }
}

/// A user's or group's number; `id` knows accounts that are in no file, too.
fn number_of(which: &str, name: &str) -> Option<u32> {
    let output = Command::new("id")
        .args([which, "--", name])
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().parse().ok())?
}

/// Whose a file or directory is: user and group.
pub(crate) fn owner_of(path: &Path) -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.uid(), metadata.gid()))
}
