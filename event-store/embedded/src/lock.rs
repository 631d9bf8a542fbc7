//! The lock file: one process at a time writes to a store.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Write},
    path::Path,
};

use crate::OpenError;

/// Holds the id of the process that owns the store, and the operating system's lock while that process lives.
const FILE: &str = "lock";

/// The lock, held for as long as this lives. The operating system takes it back when the process dies, however it dies.
pub(crate) struct Lock(File);

impl Lock {
    pub(crate) fn take(dir: &Path) -> Result<Self, OpenError> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(dir.join(FILE))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                file.read_to_string(&mut owner)?;
                return Err(OpenError::Locked {
                    dir: dir.to_owned(),
                    owner: owner.trim().to_owned(),
                });
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        file.set_len(0)?;
        writeln!(file, "{}", std::process::id())?;
        Ok(Self(file))
    }
}

impl Drop for Lock {
    /// Said aloud: a process that is just being started by this one holds a copy of the file, and the lock with it, until
    /// it becomes another program.
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::warn!(%error, "the lock of the event store is let go with its file only");
        }
    }
}
