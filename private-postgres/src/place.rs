//! Where the cluster lies, which is not always where it was asked for: the account that PostgreSQL runs as must be able
//! to get there.

use std::{
    env,
    fs::{self, DirBuilder},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use crate::{
    account::{Account, owner_of},
    error::{PostgresError, doing},
    lock::Lock,
};

/// Where clusters go whose own directory the account cannot enter. A place apart from any data directory, for those are
/// closed to others.
const ELSEWHERE: &str = "/var/lib/zhulu-postgres";
/// The longest directory for a socket: 107 bytes that the kernel allows, less `/.s.PGSQL.65535`.
const SOCKET_DIRECTORY_BYTES: usize = 107 - 15;
/// Only the owner may look in.
const PRIVATE: u32 = 0o700;

/// A directory that is ours, held by locks, and the account that PostgreSQL runs as there.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) base: PathBuf,
    pub(crate) account: Account,
    /// Of the directory that was asked for, and of the one that is used if it is another.
    _locks: Vec<Lock>,
}

/// Takes the directory, or the one that it points to.
pub(crate) fn settle(asked: &Path) -> Result<Place, PostgresError> {
    let making = || format!("making the directory {}", asked.display());
    fs::create_dir_all(asked).map_err(doing(making))?;
    let asked = asked.canonicalize().map_err(doing(making))?;
    let mut locks = vec![Lock::take(&asked)?];

    let pointer = asked.join("where");
    let elsewhere = fs::read_to_string(&pointer)
        .ok()
        .map(|path| PathBuf::from(path.trim_end_matches('\n')));
    let existing = elsewhere.clone().unwrap_or_else(|| asked.clone());
    let owner = owner_of(&existing.join("data"));
    let account = Account::for_cluster(owner)?;
    if let (Account::Own, Some((owner, _))) = (account, owner)
        && owner != account.user()
    {
        return Err(PostgresError::NotOurs {
            data: existing.join("data"),
            owner,
        });
    }

    let base = match elsewhere {
        Some(base) => base,
        None if asked.parent().is_none_or(|parent| account.can_enter(parent)) => asked.clone(),
        None => {
            sweep_temporary_orphans();
            let base = elsewhere_for(&asked, account)?;
            // First the pointer, then the directory: whatever is interrupted, nothing lies about unknown.
            fs::write(&pointer, format!("{}\n", base.display())).map_err(doing(|| format!("writing {}", pointer.display())))?;
            base
        }
    };
    make_private(&base, account)?;
    if base != asked {
        locks.push(Lock::take(&base)?);
        let belongs_to = base.join("belongs-to");
        fs::write(&belongs_to, format!("{}\n", asked.display()))
            .map_err(doing(|| format!("writing {}", belongs_to.display())))?;
    }
    Ok(Place {
        base,
        account,
        _locks: locks,
    })
}

/// A new name in a place that the account can enter. Temporary directories stay among the temporary ones.
fn elsewhere_for(asked: &Path, account: Account) -> Result<PathBuf, PostgresError> {
    let temporary = temporary_directory();
    let (parent, prefix) = if asked.starts_with(&temporary) {
        (temporary, "zhulu-pg-")
    } else {
        (PathBuf::from(ELSEWHERE), "")
    };
    if !parent.is_dir() {
        fs::create_dir_all(&parent)
            .and_then(|()| fs::set_permissions(&parent, fs::Permissions::from_mode(0o755)))
            .map_err(doing(|| {
                format!("making {} for the cluster of {}", parent.display(), asked.display())
            }))?;
    }
    if !account.can_enter(&parent) {
        let source = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let doing = format!(
            "the account of PostgreSQL can enter neither {} nor {}",
            asked.display(),
            parent.display()
        );
        return Err(PostgresError::Io { doing, source });
    }
    Ok(parent.join(format!("{prefix}{}", random_hex(6)?)))
}

/// Clusters of temporary directories that are gone are rubbish, for instance of tests that were killed.
fn sweep_temporary_orphans() {
    let temporary = temporary_directory();
    let Ok(entries) = fs::read_dir(&temporary) else { return };
    for entry in entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("zhulu-pg-"))
    {
        let base = entry.path();
        let Ok(owner) = fs::read_to_string(base.join("belongs-to")) else {
            continue;
        };
        let owner = PathBuf::from(owner.trim_end_matches('\n'));
        // The lock is the proof that nobody uses it; who holds it, works there.
        if owner.starts_with(&temporary) && !owner.exists() && Lock::take(&base).is_ok() {
            let _ = fs::remove_dir_all(&base);
        }
    }
}

fn temporary_directory() -> PathBuf {
    let temporary = env::temp_dir();
    temporary.canonicalize().unwrap_or(temporary)
}

/// A directory that belongs to the account and that nobody else may enter.
pub(crate) fn make_private(directory: &Path, account: Account) -> Result<(), PostgresError> {
    let making = || format!("making the directory {} private", directory.display());
    if !directory.is_dir() {
        DirBuilder::new()
            .recursive(true)
            .mode(PRIVATE)
            .create(directory)
            .map_err(doing(making))?;
    }
    fs::set_permissions(directory, fs::Permissions::from_mode(PRIVATE)).map_err(doing(making))?;
    account.own(directory).map_err(doing(making))
}

/// A file that belongs to the account and that nobody else may read.
pub(crate) fn write_private(path: &Path, content: &str, account: Account) -> Result<(), PostgresError> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    let new = path.with_extension("new");
    let write = || {
        let mut file = fs::File::options()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(content.as_bytes())?;
        file.sync_all()?;
        account.own(&new)?;
        fs::rename(&new, path)
    };
    write().map_err(doing(|| format!("writing {}", path.display())))
}

/// Where the socket goes: into the place, or into a short directory among the temporary ones.
pub(crate) fn socket_directory(place: &Place) -> Result<PathBuf, PostgresError> {
    let near = place.base.join("socket");
    if fits_a_socket(&near) {
        make_private(&near, place.account)?;
        return Ok(near);
    }
    let note = place.base.join("socket-directory");
    if let Ok(known) = fs::read_to_string(&note) {
        let known = PathBuf::from(known.trim_end_matches('\n'));
        if is_private_to(&known, place.account) {
            return Ok(known);
        }
    }
    let distant = PathBuf::from(format!("/tmp/zhulu-{}", random_hex(8)?));
    // Made new, or not at all: somebody else's directory is no place for our socket.
    DirBuilder::new()
        .mode(PRIVATE)
        .create(&distant)
        .map_err(doing(|| format!("making {}", distant.display())))?;
    make_private(&distant, place.account)?;
    write_private(&note, &format!("{}\n", distant.display()), place.account)?;
    Ok(distant)
}

/// Short enough for the kernel and plain enough for a PostgreSQL setting.
fn fits_a_socket(directory: &Path) -> bool {
    let plain = |character: char| character.is_alphanumeric() || "/._-+@ ".contains(character);
    directory.as_os_str().len() <= SOCKET_DIRECTORY_BYTES && directory.to_str().is_some_and(|path| path.chars().all(plain))
}

fn is_private_to(directory: &Path, account: Account) -> bool {
    let Ok(metadata) = fs::symlink_metadata(directory) else {
        return false;
    };
    metadata.is_dir() && metadata.uid() == account.user() && metadata.mode() & 0o777 == PRIVATE
}

/// This many bytes that nobody can guess, as hexadecimal digits.
pub(crate) fn random_hex(bytes: usize) -> Result<String, PostgresError> {
    use std::{fmt::Write as _, io::Read as _};
    let mut buffer = vec![0_u8; bytes];
    fs::File::open("/dev/urandom")
        .and_then(|mut random| random.read_exact(&mut buffer))
        .map_err(doing(|| "reading /dev/urandom".to_owned()))?;
    Ok(buffer.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_stays_near_only_when_its_path_is_short_and_plain() {
        assert!(fits_a_socket(Path::new("/var/lib/筑录/postgres/socket")));
        assert!(!fits_a_socket(Path::new(&format!("/{}", "long".repeat(30)))));
        assert!(!fits_a_socket(Path::new("/it's/socket")));
        assert!(!fits_a_socket(Path::new("/a,b/socket")));
    }
}
