//! One Zhulu per directory.

use std::{
    fs::{File, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    path::Path,
};

use crate::error::{PostgresError, doing};

/// Held as long as a directory is in use. The kernel lets go of it when the process dies, so it is never stale.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the directory, or says who has it.
    pub(crate) fn take(directory: &Path) -> Result<Self, PostgresError> {
        let path = directory.join("lock");
        let locking = || format!("locking {}", path.display());
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(doing(locking))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut process = String::new();
                // Who has it is a courtesy; that somebody has it is all that counts.
                let _ = file.read_to_string(&mut process);
                let process = if process.trim().is_empty() {
                    "unknown".to_owned()
                } else {
                    process.trim().to_owned()
                };
                return Err(PostgresError::InUse {
                    directory: directory.to_path_buf(),
                    process,
                });
            }
            Err(TryLockError::Error(source)) => {
                return Err(PostgresError::Io {
                    doing: locking(),
                    source,
                });
            }
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(doing(locking))?;
        Ok(Self { _file: file })
    }
}
