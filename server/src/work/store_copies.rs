//! `zhulu store backup` and `zhulu store restore`: verified copies of the embedded store, out and in. A copy gets its name
//! only when it is whole and on the disk, so that what has the name can be relied on.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use event_store_embedded::EmbeddedStore;

use crate::{
    cli::PlaceArgs,
    failure::Failure,
    place::Place,
    progress,
    store::{self, StoreAddress},
    work::verify,
};

/// The log in a store's directory.
const FILE: &str = "events.sqlite";
/// What SQLite has not yet taken over into the log; a backup has none of it.
const UNMERGED_FILE: &str = "events.sqlite-wal";
/// What the name of a copy ends with until the copy is whole.
const UNFINISHED: &str = ".partial";

/// Writes a copy of the store as it is now into a new directory; others go on writing.
pub async fn back_up(args: &PlaceArgs, place: &Place, directory: &Path) -> Result<(), Failure> {
    embedded_only(args)?;
    let from = place.events();
    let to = directory.to_path_buf();
    off_the_runtime(move || {
        refuse_to_overwrite(&to)?;
        let store = store::look_into(&from)?;
        let unfinished = begin_copy(&to)?;
        let bar = progress::bar("备份 / copying", 0);
        store
            .backup_to(&unfinished.join(FILE))
            .map_err(|error| Failure::doing("备份没有完成", "the backup was not finished", error))?;
        bar.finish_and_clear();
        drop(store);
        verify::checksums_and_chains(&store::look_into(&unfinished)?)?;
        finish_copy(&unfinished, &to)?;
        println!("已备份到 / backed up to {}", to.display());
        println!("恢复 / restore: zhulu store restore {} --data-dir DIR", to.display());
        Ok(())
    })
    .await
}

/// Copies a backup into a data directory that has no event store.
pub async fn restore(args: &PlaceArgs, place: &Place, directory: &Path) -> Result<(), Failure> {
    embedded_only(args)?;
    let from = directory.to_path_buf();
    let place = place.clone();
    off_the_runtime(move || {
        let to = place.events();
        refuse_to_overwrite(&to)?;
        refuse_views_of_another_log(&place)?;
        is_a_backup(&from)?;
        let unfinished = begin_copy(&to)?;
        let bar = progress::bar("恢复 / copying", 0);
        let file = unfinished.join(FILE);
        fs::copy(from.join(FILE), &file)
            .and_then(|_| fs::File::open(&file)?.sync_all())
            .map_err(|error| Failure::doing("恢复没有完成", "the backup was not restored", error))?;
        bar.finish_and_clear();
        verify::checksums_and_chains(&store::look_into(&unfinished)?)?;
        finish_copy(&unfinished, &to)?;
        // Opened once for writing, so that a file of an older format is what a server expects.
        store::open_directory(&to)
            .and_then(close)
            .map_err(|error| Failure::doing("恢复的事件库打不开", "the restored store cannot be opened", error))?;
        println!("已恢复到 / restored to {}", to.display());
        println!("视图将在下次启动时重建 / the views are built again at the next start");
        Ok(())
    })
    .await
}

fn close(store: EmbeddedStore) -> Result<(), Failure> {
    store
        .close()
        .map_err(|error| Failure::doing("关不上事件库", "the event store cannot be closed", error))
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

/// Nothing may be there yet; an empty directory is nothing.
fn refuse_to_overwrite(directory: &Path) -> Result<(), Failure> {
    let occupied = match fs::read_dir(directory) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    };
    if !occupied {
        return Ok(());
    }
    Err(Failure::new(
        format!("{} 已存在，不会覆盖；换一个目录，或先把它移走", directory.display()),
        format!(
            "{} is there already and is not overwritten; choose another directory, or move it away first",
            directory.display()
        ),
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

fn is_a_backup(directory: &Path) -> Result<(), Failure> {
    if !directory.join(FILE).is_file() {
        return Err(Failure::new(
            format!("{} 里没有备份（{FILE}）", directory.display()),
            format!("there is no backup ({FILE}) in {}", directory.display()),
        ));
    }
    let unmerged = fs::metadata(directory.join(UNMERGED_FILE)).map_or(0, |file| file.len());
    if unmerged == 0 {
        return Ok(());
    }
    Err(Failure::new(
        format!(
            "{} 是使用中或未正常关闭的事件库，不是备份；先用 zhulu store backup 做一份",
            directory.display()
        ),
        format!(
            "{} is a store in use, or one that was not closed, and no backup; make one with zhulu store backup first",
            directory.display()
        ),
    ))
}

fn begin_copy(to: &Path) -> Result<PathBuf, Failure> {
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(UNFINISHED);
    let unfinished = to.with_file_name(name);
    let cannot = |error| {
        Failure::doing(
            &format!("无法写入 {}", unfinished.display()),
            &format!("{} cannot be written", unfinished.display()),
            error,
        )
    };
    // What an interrupted copy left behind is of no use to anybody.
    match fs::remove_dir_all(&unfinished) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(cannot(error)),
    }
    fs::create_dir_all(&unfinished).map_err(cannot)?;
    Ok(unfinished)
}

/// Gives the copy its name, durably.
fn finish_copy(unfinished: &Path, to: &Path) -> Result<(), Failure> {
    let parent = to
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs::File::open(unfinished)
        .and_then(|directory| directory.sync_all())
        .and_then(|()| fs::rename(unfinished, to))
        .and_then(|()| fs::File::open(parent)?.sync_all())
        .map_err(|error| {
            Failure::doing(
                &format!("无法写入 {}", to.display()),
                &format!("{} cannot be written", to.display()),
                error,
            )
        })
}

async fn off_the_runtime(work: impl FnOnce() -> Result<(), Failure> + Send + 'static) -> Result<(), Failure> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Failure::doing("没有完成", "this was not finished", error)))
}
