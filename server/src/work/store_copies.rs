//! `zhulu store backup` and `zhulu store restore`: verified copies of the embedded store, out and in.

use std::path::{Path, PathBuf};

use event_store_embedded::{Backup, BackupError, EmbeddedStore, OpenError, Verified};
use indicatif::ProgressBar;

use crate::{
    cli::PlaceArgs,
    failure::Failure,
    place::Place,
    progress,
    store::{self, StoreAddress},
};

/// Writes a copy of the store as it is now into a new directory; others go on writing.
pub async fn back_up(args: &PlaceArgs, place: &Place, directory: &Path) -> Result<(), Failure> {
    embedded_only(args)?;
    let store = store::look_into(&place.events())?;
    let to = directory.to_path_buf();
    let backup = copying("备份 / backing up", move |tell| store.backup(&to, tell)).await?;
    tell(&backup);
    println!("已备份到 / backed up to {}", directory.display());
    println!("恢复 / restore: zhulu store restore {} --data-dir DIR", directory.display());
    Ok(())
}

/// Copies a backup into a data directory that has no event store.
pub async fn restore(args: &PlaceArgs, place: &Place, directory: &Path) -> Result<(), Failure> {
    embedded_only(args)?;
    refuse_views_of_another_log(place)?;
    let (from, to): (PathBuf, PathBuf) = (directory.to_path_buf(), place.events());
    let backup = copying("恢复 / restoring", move |tell| EmbeddedStore::restore(&from, &to, tell)).await?;
    tell(&backup);
    println!("已恢复到 / restored to {}", place.events().display());
    println!("视图将在下次启动时重建 / the views are built again at the next start");
    Ok(())
}

async fn copying(
    what: &str,
    copy: impl FnOnce(&mut (dyn FnMut(Verified) + Send)) -> Result<Backup, BackupError> + Send + 'static,
) -> Result<Backup, Failure> {
    let bar = progress::bar(what, 0);
    let shown = bar.clone();
    let copied = tokio::task::spawn_blocking(move || copy(&mut |seen| show(&shown, seen))).await;
    bar.finish_and_clear();
    copied
        .map_err(|error| Failure::doing("没有完成", "this was not finished", error))?
        .map_err(refused)
}

fn show(bar: &ProgressBar, seen: Verified) {
    bar.set_length(seen.of_events);
    bar.set_position(seen.events);
}

fn tell(backup: &Backup) {
    println!(
        "完好 / intact: {} 个事件 / events, {} 条流 / streams, 文件 / file {} 字节 / bytes",
        backup.report.events, backup.report.streams, backup.file_bytes
    );
}

fn refused(error: BackupError) -> Failure {
    match error {
        BackupError::NotEmpty { dir } => Failure::new(
            format!("{} 不是空目录，不会覆盖；换一个目录，或先把它移走", dir.display()),
            format!(
                "{} is not empty and is not overwritten; choose another directory, or move it away first",
                dir.display()
            ),
        ),
        BackupError::Source(OpenError::Missing { dir }) => Failure::new(
            format!("{} 里没有事件库或备份", dir.display()),
            format!("there is neither a store nor a backup in {}", dir.display()),
        ),
        other => Failure::doing("没有完成", "this was not finished", other),
    }
}

fn embedded_only(args: &PlaceArgs) -> Result<(), Failure> {
    if store::address(args)? == StoreAddress::Embedded {
        return Ok(());
    }
    Err(Failure::new(
        "此命令处理数据目录里的内置事件库；KurrentDB 服务器请用它自己的备份办法，或用 zhulu store export",
        "this command is for the embedded store of a data directory; back up a KurrentDB server by its own means, or use zhulu \
         store export",
    ))
}

/// The views and bookmarks of another log would take the restored one for read already.
fn refuse_views_of_another_log(place: &Place) -> Result<(), Failure> {
    if !place.postgres().exists() {
        return Ok(());
    }
    Err(Failure::new(
        format!(
            "{} 里还有按先前事件库建立的视图；先停止服务并移走它，启动时会重建",
            place.postgres().display()
        ),
        format!(
            "{} holds views that were built from the events before; stop the server and move it away: it is built again at the \
             next start",
            place.postgres().display()
        ),
    ))
}
