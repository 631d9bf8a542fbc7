//! What a first start makes: the administrator with a password that only the owner of its file can read, and a disabled
//! operator.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};

use super::{ADMIN, ADMINS, AccessError, OPERATOR, OPS, password, verified};
use crate::users::book::{BookError, User, UserBook};

/// The variable of the environment that can hold the administrator's first password.
pub const PASSWORD_VARIABLE: &str = "ZHULU_ESDB_ADMIN_PASSWORD";
/// The file with the administrator's first password, in the server's directory.
const PASSWORD_FILE: &str = "esdb-admin-password";
/// The fewest characters of a first password that somebody chose. NIST SP 800-63B, 3.1.1.2.
const MIN_FIRST_PASSWORD_CHARS: usize = 8;
/// For the owner only.
const OWNER_ONLY: u32 = 0o600;

/// Makes the first users if they are not there. Returns the file with the administrator's first password, if there is one.
pub(crate) async fn make_users(
    book: &UserBook,
    directory: &Path,
    first_password: Option<String>,
    now: DateTime<Utc>,
) -> Result<Option<PathBuf>, AccessError> {
    let file = directory.join(PASSWORD_FILE);
    if book.find(ADMIN, now).map_err(|error| users(&error))?.is_none() {
        let password = match first_password {
            Some(chosen) => long_enough(chosen)?,
            None => kept_or_made(&file)?,
        };
        make(book, ADMIN, "Administrator", ADMINS, password, false, now).await?;
    }
    if book.find(OPERATOR, now).map_err(|error| users(&error))?.is_none() {
        let unknown = password::generated().map_err(|_| AccessError::Randomness)?;
        make(book, OPERATOR, "Operator", OPS, unknown, true, now).await?;
    }
    Ok(file.exists().then_some(file))
}

async fn make(
    book: &UserBook,
    login: &str,
    full_name: &str,
    group: &str,
    password: String,
    disabled: bool,
    now: DateTime<Utc>,
) -> Result<(), AccessError> {
    let hash = verified::elsewhere(move || password::hashed(&password)).await;
    let hash = hash
        .map_err(|status| AccessError::Users(status.message().to_owned()))?
        .map_err(|_| AccessError::Randomness)?;
    let user = User {
        login_name: login.to_owned(),
        full_name: full_name.to_owned(),
        groups: vec![group.to_owned()],
        disabled,
        hash,
    };
    book.create(&user, now).await.map_err(|error| users(&error))
}

fn users(error: &BookError) -> AccessError {
    AccessError::Users(error.to_string())
}

fn long_enough(password: String) -> Result<String, AccessError> {
    match password.chars().count() {
        found if found < MIN_FIRST_PASSWORD_CHARS => Err(AccessError::ShortPassword {
            found,
            min: MIN_FIRST_PASSWORD_CHARS,
        }),
        _ => Ok(password),
    }
}

/// The password in the file; a new one, if there is no file. A start that was broken off after the file was written goes
/// on with the same password.
fn kept_or_made(file: &Path) -> Result<String, AccessError> {
    let wrong = |reason| AccessError::Directory {
        path: file.to_owned(),
        reason,
    };
    match read_closed(file) {
        Ok(kept) => return long_enough(kept.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(wrong(error)),
    }
    let password = password::generated().map_err(|_| AccessError::Randomness)?;
    write_closed(file, format!("{password}\n").as_bytes()).map_err(wrong)?;
    Ok(password)
}

/// Reads a file, after closing it to everybody but its owner.
fn read_closed(file: &Path) -> io::Result<String> {
    fs::set_permissions(file, Permissions::from_mode(OWNER_ONLY))?;
    fs::read_to_string(file)
}

/// Writes a file that only its owner can read, whole or not at all, and over nothing.
pub(crate) fn write_closed(file: &Path, content: &[u8]) -> io::Result<()> {
    let directory = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let draft = file.with_extension("new");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut open = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(OWNER_ONLY)
        .open(&draft)?;
    open.write_all(content)?;
    open.sync_all()?;
    // Unlike a rename, a link does not go over what is there.
    fs::hard_link(&draft, file)?;
    fs::remove_file(&draft)?;
    fs::File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_password_file_is_for_its_owner_only_and_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("deeper").join(PASSWORD_FILE);
        let made = kept_or_made(&file).unwrap();
        assert!(made.len() >= 24);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, OWNER_ONLY);
        assert_eq!(kept_or_made(&file).unwrap(), made);
    }

    #[test]
    fn a_password_file_that_others_can_read_is_closed() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(PASSWORD_FILE);
        fs::write(&file, "chosen by hand\n").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        assert_eq!(kept_or_made(&file).unwrap(), "chosen by hand");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, OWNER_ONLY);
    }

    #[test]
    fn nothing_is_written_over() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(PASSWORD_FILE);
        write_closed(&file, b"first").unwrap();
        assert!(write_closed(&file, b"second").is_err());
        assert_eq!(fs::read(&file).unwrap(), b"first");
    }

    #[test]
    fn a_first_password_that_is_too_short_is_refused() {
        assert!(matches!(
            long_enough("admin".into()),
            Err(AccessError::ShortPassword { found: 5, .. })
        ));
        assert!(long_enough("changeit".into()).is_ok());
    }
}
