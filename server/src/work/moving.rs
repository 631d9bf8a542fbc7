//! `zhulu store export`, `zhulu store import` and `zhulu migrate-store`: a whole history out, in, or from one store to
//! another. Each may be stopped anywhere, and the same command again goes on; each is proved at its end.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use event_store_contract::{
    Appended, Direction, EventStore, Expected, Filter, Follow, NewEvent, Page, Position, RecordedEvent, StoreError, StreamName,
    moving::{self, Moved},
};
use flate2::{Compression, bufread::GzDecoder, write::GzEncoder};
use indicatif::ProgressBar;

use crate::{
    cli::PlaceArgs,
    errand::unreadable,
    failure::Failure,
    place::Place,
    progress,
    store::{self, Opened, StoreAddress},
};

/// How much is gathered before it is written to a file, and read from one at once.
const BUFFER_BYTES: usize = 1024 * 1024;
/// What the name of an export ends with until it is whole.
const UNFINISHED: &str = ".partial";
/// A file of this name means the standard output.
const STANDARD_OUTPUT: &str = "-";

/// `zhulu store export`
pub async fn export(args: &PlaceArgs, place: &Place, file: &Path) -> Result<(), Failure> {
    let store = PlatformsOwn::of(store::look(args, place).await?);
    let bar = progress::bar("导出 / exporting", 0);
    let shown = bar.clone();
    let mut tell = move |moved: Moved| shown.set_position(moved.events);
    if file.as_os_str() == STANDARD_OUTPUT {
        let mut out = BufWriter::with_capacity(BUFFER_BYTES, io::stdout());
        moving::export(&store, &Filter::all(), &mut out, &mut tell)
            .await
            .map_err(stopped)?;
        bar.finish_and_clear();
        return out.flush().map_err(|error| unwritable(file, &error));
    }
    if file.exists() {
        return Err(Failure::new(
            format!("{} 已存在，不会覆盖", file.display()),
            format!("{} is there already and is not overwritten", file.display()),
        ));
    }
    let unfinished = with_ending(file, UNFINISHED);
    let written = File::create(&unfinished).map_err(|error| unwritable(file, &error))?;
    let mut out = Out::new(BufWriter::with_capacity(BUFFER_BYTES, written), is_gzip(file));
    let exported = moving::export(&store, &Filter::all(), &mut out, &mut tell)
        .await
        .map_err(stopped)?;
    bar.finish_and_clear();
    out.finish()
        .and_then(|()| fs::rename(&unfinished, file))
        .map_err(|error| unwritable(file, &error))?;
    println!(
        "已导出 / exported {} 个事件 / events, {} 条流 / streams → {}",
        exported.events,
        exported.streams,
        file.display()
    );
    Ok(())
}

/// `zhulu store import`: the whole file is proved before anything of it is written.
pub async fn import(args: &PlaceArgs, place: &Place, file: &Path) -> Result<(), Failure> {
    let bar = progress::bar("核对文件 / proving the file", 0);
    let shown = bar.clone();
    let mut lines = open(file)?;
    let proved = moving::check(&mut lines, &mut move |moved| shown.set_position(moved.events)).map_err(stopped)?;
    bar.finish_and_clear();
    let opened = store::open(args, place).await?;
    let bar = progress::bar("导入 / importing", proved.events);
    let shown = bar.clone();
    let mut lines = open(file)?;
    let mut tell = move |moved: Moved| shown.set_position(moved.events);
    let imported = moving::import(&mut lines, opened.events.as_ref(), &mut tell).await;
    bar.finish_and_clear();
    close(opened).await?;
    let imported = imported.map_err(stopped)?;
    println!(
        "已导入 / imported：写入 / written {}，此前已有 / already there {}；哈希链一致 / every chain holds",
        imported.written, imported.stood
    );
    Ok(())
}

/// `zhulu migrate-store`
pub async fn migrate(from: &str, to: &str) -> Result<(), Failure> {
    let (from, to): (StoreAddress, StoreAddress) = (from.parse()?, to.parse()?);
    if from == to {
        return Err(Failure::new(
            "--from 与 --to 是同一个事件库",
            "--from and --to are the same event store",
        ));
    }
    println!("迁移 / moving  {from} → {to}");
    let source = PlatformsOwn::of(match &from {
        StoreAddress::Embedded => return Err(which_directory()),
        StoreAddress::Directory(directory) => Opened::embedded(store::look_into(directory)?),
        StoreAddress::Esdb(address) => store::connect(address).await?,
    });
    let target = match &to {
        StoreAddress::Embedded => return Err(which_directory()),
        StoreAddress::Directory(directory) => Opened::embedded(store::open_directory(directory)?),
        StoreAddress::Esdb(address) => store::connect(address).await?,
    };
    let done = copy_and_compare(&source, &target).await;
    close(target).await?;
    done
}

async fn copy_and_compare(source: &PlatformsOwn, target: &Opened) -> Result<(), Failure> {
    let bar = progress::bar("复制 / copying", 0);
    let copied = moving::copy(source, target.events.as_ref(), &Filter::all(), &mut telling(&bar))
        .await
        .map_err(stopped)?;
    bar.finish_and_clear();
    println!(
        "已复制 / copied：写入 / written {}，此前已有 / already there {}",
        copied.written, copied.stood
    );
    let bar = progress::bar("逐一比对 / comparing", copied.written + copied.stood);
    let theirs = PlatformsOwn(target.events.clone());
    let found = moving::compare(source, &theirs, &Filter::all(), copied.until, &mut telling(&bar))
        .await
        .map_err(stopped)?;
    bar.finish_and_clear();
    if let Some(difference) = found.difference {
        return Err(Failure::new(
            format!("两个事件库不一致：{difference}；请勿改用新库"),
            format!("the two stores are not the same: {difference}; do not use the new one"),
        ));
    }
    println!(
        "一致 / the same：{} 个事件 / events, {} 条流 / streams，逐一比对，哈希链重算 / compared one by one, chains computed anew",
        found.events, found.streams
    );
    println!("视图随新库重建：换用新库时请用空的数据库 / views are built anew from the new store: give it an empty database");
    Ok(())
}

fn telling(bar: &ProgressBar) -> impl FnMut(Moved) + Send + use<> {
    let bar = bar.clone();
    move |moved| bar.set_position(moved.events)
}

/// A store without the streams that it keeps for itself (users, settings, metadata): these do not move.
struct PlatformsOwn(Arc<dyn EventStore>);

impl PlatformsOwn {
    fn of(opened: Opened) -> Self {
        Self(opened.events)
    }
}

#[async_trait]
impl EventStore for PlatformsOwn {
    async fn append(&self, _: &StreamName, _: Expected, _: Vec<NewEvent>) -> Result<Appended, StoreError> {
        Err(StoreError::Unavailable("it is only read here".into()))
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: u64,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        self.0.read_stream(stream, from, direction, limit).await
    }

    async fn read_all(&self, after: Option<Position>, limit: usize, filter: &Filter) -> Result<Page, StoreError> {
        let mut page = self.0.read_all(after, limit, filter).await?;
        page.events.retain(|event| !event.stream.as_str().starts_with('$'));
        Ok(page)
    }

    async fn head(&self) -> Result<Option<Position>, StoreError> {
        self.0.head().await
    }

    async fn follow(&self, after: Option<Position>, filter: Filter) -> Result<Box<dyn Follow>, StoreError> {
        self.0.follow(after, filter).await
    }
}

/// A file on its way to the disk, packed or not.
enum Out {
    Plain(BufWriter<File>),
    Gzip(GzEncoder<BufWriter<File>>),
}

impl Out {
    fn new(file: BufWriter<File>, gzip: bool) -> Self {
        if gzip {
            Self::Gzip(GzEncoder::new(file, Compression::default()))
        } else {
            Self::Plain(file)
        }
    }

    fn finish(self) -> io::Result<()> {
        let file = match self {
            Self::Plain(file) => file,
            Self::Gzip(encoder) => encoder.finish()?,
        };
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            Self::Gzip(encoder) => encoder.flush(),
        }
    }
}

fn open(file: &Path) -> Result<Box<dyn BufRead + Send>, Failure> {
    let reader = File::open(file).map_err(|error| unreadable(file, error))?;
    let reader = BufReader::with_capacity(BUFFER_BYTES, reader);
    Ok(if is_gzip(file) {
        Box::new(BufReader::with_capacity(BUFFER_BYTES, GzDecoder::new(reader)))
    } else {
        Box::new(reader)
    })
}

fn is_gzip(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ending == "gz")
}

fn with_ending(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

async fn close(opened: Opened) -> Result<(), Failure> {
    drop(opened.events);
    let Some(embedded) = opened.embedded else { return Ok(()) };
    let closed = tokio::task::spawn_blocking(move || embedded.close().map_err(|error| error.to_string())).await;
    closed
        .unwrap_or_else(|error| Err(error.to_string()))
        .map_err(|error| Failure::doing("关不上事件库", "the event store cannot be closed", error))
}

fn which_directory() -> Failure {
    Failure::new(
        "请写明目录：embedded:数据目录/events",
        "name the directory: embedded:DATA-DIRECTORY/events",
    )
}

fn stopped(error: impl std::fmt::Display) -> Failure {
    Failure::new(
        format!("中断：{error}；已写入的保留，再次运行同一命令会接着做"),
        format!("this stopped: {error}; what was written stays, the same command goes on from there"),
    )
}

fn unwritable(file: &Path, error: &io::Error) -> Failure {
    Failure::new(
        format!("写不了 {}：{error}", file.display()),
        format!("{} cannot be written: {error}", file.display()),
    )
}
