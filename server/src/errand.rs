//! Work on the whole store: imports, rollbacks, rebuilds. One process writes to a store; if a server has it, the command
//! line hands the errand over to that server and shows what it says.

use std::{
    io::BufRead,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use commands::{
    Bureau,
    imports::{self, Found, ImportReport, batch, permits, xes},
    outside::Clock,
};
use domain::{case::CaseType as _, case_types::construction_permit::ConstructionPermit};
use event_store_contract::Position;
use event_store_embedded::{EmbeddedStore, ScavengeOptions};
use projections::Projections;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{failure::Failure, limits::Limits};

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Errand {
    /// Permits from a CSV file.
    ImportPermits(ImportErrand),
    /// An event log, by the text of a mapping.
    ImportXes {
        /// What every import is told.
        import: ImportErrand,
        /// Which activity means which step, as JSON.
        mapping: String,
    },
    /// A batch back out.
    RollBack {
        /// The batch's name.
        batch: String,
        /// Why.
        reason: String,
        /// Who asks.
        operator: String,
    },
    /// A view, or all, anew.
    Rebuild {
        /// The view's name, or `all`.
        view: String,
    },
    /// The streams in so many lanes; without a number it is only asked.
    Divide {
        /// How many.
        lanes: Option<u32>,
    },
    /// Whatever was deleted or truncated out of the store, for good; never anything of Zhulu's own.
    Scavenge,
}

/// What every import is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportErrand {
    /// The file, by its whole path.
    pub file: PathBuf,
    /// The batch's name.
    pub batch: String,
    /// The administrative division that the cases belong to.
    pub region: String,
    /// Check only.
    pub dry_run: bool,
    /// Who asks.
    pub operator: String,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// An import, reconciled.
    Imported(ImportReport),
    /// A rollback.
    RolledBack {
        /// The batch's name.
        batch: String,
        /// Cases taken back.
        cases: u64,
        /// Cases that stay, and why.
        kept: Vec<(Uuid, String)>,
    },
    /// Into how many lanes the streams are divided.
    Divided {
        /// How many.
        lanes: u32,
    },
    /// A rebuild.
    Rebuilt {
        /// Which views.
        views: Vec<String>,
        /// Events read.
        events: u64,
        /// Cases folded.
        cases: u64,
        /// Rows written.
        rows: u64,
        /// How long it took.
        elapsed: Duration,
        /// Views that stopped at an event.
        stopped: Vec<String>,
    },
    /// A scavenge.
    Scavenged {
        /// Streams of which something was taken out.
        streams: u64,
        /// Events that were taken out.
        events: u64,
        /// Bytes of their data and metadata.
        bytes: u64,
        /// Bytes of the file that the next events will fill.
        free_bytes: u64,
    },
}

/// What a process has to do errands with.
#[derive(Clone)]
pub struct Rooms {
    /// The way in and the way out; none where the event store is served alone.
    pub bureau: Option<(Bureau, Projections)>,
    /// The event store, if it is this process's own.
    pub embedded: Option<EmbeddedStore>,
}

/// How far an errand is: done, of how much (0, if nobody knows).
pub type Tell = Arc<dyn Fn(u64, u64) + Send + Sync>;

impl Errand {
    /// Does it, with the rooms of this process.
    pub async fn carry_out(self, rooms: &Rooms, clock: &dyn Clock, limits: &Limits, tell: Tell) -> Result<Outcome, Failure> {
        let (bureau, projections) = match (&self, &rooms.bureau) {
            (Self::Scavenge, _) => return scavenge(rooms.embedded.as_ref(), clock, tell).await,
            (_, Some((bureau, projections))) => (bureau, projections),
            (_, None) => return Err(only_the_store()),
        };
        let outcome = match self {
            Self::ImportPermits(import) => {
                let rows = permits::read(open(&import.file)?).map_err(|error| unreadable(&import.file, error))?;
                bring_in(bureau, rows, import.order(&permit_item()?), clock, tell).await?
            }
            Self::ImportXes { import, mapping } => {
                let mapping = xes::Mapping::parse(&mapping)
                    .map_err(|error| Failure::doing("对照表不可用", "the mapping is of no use", error))?;
                let order = import.order(&mapping.item_code);
                let rows = xes::read(open(&import.file)?, mapping);
                bring_in(bureau, rows, order, clock, tell).await?
            }
            Self::RollBack { batch, reason, operator } => {
                let report = imports::roll_back(bureau, &batch, &reason, &operator, clock)
                    .await
                    .map_err(|error| Failure::doing("回退失败", "the rollback failed", error))?;
                Outcome::RolledBack {
                    batch: report.batch,
                    cases: report.cases_rolled_back,
                    kept: report.kept,
                }
            }
            Self::Rebuild { view } => return rebuild(projections, &view, tell).await,
            Self::Divide { lanes } => return divide(projections, lanes).await,
            Self::Scavenge => return Err(only_the_store()),
        };
        views_are_current(bureau, projections, limits).await?;
        Ok(outcome)
    }
}

impl ImportErrand {
    /// The order of an import of construction permits.
    pub fn order(&self, item_code: &str) -> imports::Order {
        imports::Order {
            batch: self.batch.clone(),
            category: ConstructionPermit::CATEGORY.to_owned(),
            item_code: item_code.to_owned(),
            region: self.region.clone(),
            operator: self.operator.clone(),
            dry_run: self.dry_run,
            concurrency: batch::DEFAULT_CONCURRENCY,
        }
    }
}

async fn bring_in(
    bureau: &Bureau,
    rows: impl Iterator<Item = Found> + Send,
    order: imports::Order,
    clock: &dyn Clock,
    tell: Tell,
) -> Result<Outcome, Failure> {
    let imported = imports::run(bureau, rows, &order, clock, move |seen| tell(seen.rows, 0)).await;
    imported.map(Outcome::Imported).map_err(|error| {
        Failure::new(
            format!("导入中断：{error}；已写入的保留，再次运行同一命令会接着导入"),
            format!("the import stopped: {error}; what was written stays, the same command goes on from there"),
        )
    })
}

async fn divide(projections: &Projections, lanes: Option<u32>) -> Result<Outcome, Failure> {
    let divided = async {
        if let Some(lanes) = lanes {
            projections.deal(lanes).await?;
        }
        projections.lanes().await
    };
    let lanes = divided
        .await
        .map_err(|error| Failure::doing("无法分道", "the streams cannot be divided", error))?;
    Ok(Outcome::Divided { lanes })
}

async fn rebuild(projections: &Projections, view: &str, tell: Tell) -> Result<Outcome, Failure> {
    let report = projections
        .rebuild(view, move |progress| tell(progress.position.0, progress.head.0))
        .await
        .map_err(|error| Failure::doing("重建失败", "the rebuild failed", error))?;
    Ok(Outcome::Rebuilt {
        views: report.views,
        events: report.events,
        cases: report.cases,
        rows: report.rows,
        elapsed: report.elapsed,
        stopped: report.stopped.into_iter().map(|(view, _)| view).collect(),
    })
}

/// Takes out of an embedded store what its readers are not shown any more.
pub async fn scavenge(store: Option<&EmbeddedStore>, clock: &dyn Clock, tell: Tell) -> Result<Outcome, Failure> {
    let store = store.ok_or_else(|| {
        Failure::new(
            "只能清理内置事件库；KurrentDB 服务器请用它自己的清理",
            "only the embedded store is scavenged here; a KurrentDB server has a scavenge of its own",
        )
    })?;
    let options = ScavengeOptions {
        now: clock.now(),
        stop: Arc::default(),
    };
    let report = store
        .scavenge(options, move |seen| tell(seen.streams_looked_at, seen.of_streams))
        .await
        .map_err(|error| Failure::doing("清理没有完成，可再次运行", "the scavenge did not finish; run it again", error))?;
    Ok(Outcome::Scavenged {
        streams: report.streams,
        events: report.events,
        bytes: report.bytes,
        free_bytes: report.free_bytes,
    })
}

/// Waits until every view that runs shows everything that is in the log now.
pub async fn views_are_current(bureau: &Bureau, projections: &Projections, limits: &Limits) -> Result<(), Failure> {
    let head: Option<Position> = bureau
        .store()
        .head()
        .await
        .map_err(|error| Failure::doing("读不到事件库", "the event store cannot be read", error))?;
    let Some(head) = head else { return Ok(()) };
    if projections.caught_up(projections::ALL, head, limits.views_wait).await {
        return Ok(());
    }
    Err(Failure::new(
        "视图没有赶上事件库；用 zhulu views 查看原因",
        "the views did not catch up with the event store; zhulu views says why",
    ))
}

/// The item of the catalogue that imported permits are of.
pub fn permit_item() -> Result<String, Failure> {
    let item = ConstructionPermit::embedded_items().into_iter().next_back();
    item.map(|item| item.code)
        .ok_or_else(|| Failure::new("事项目录为空", "the catalogue of items is empty"))
}

fn open(file: &Path) -> Result<Box<dyn BufRead + Send>, Failure> {
    imports::open(file).map_err(|error| unreadable(file, error))
}

fn only_the_store() -> Failure {
    Failure::new(
        "占用该数据目录的进程只提供事件库（zhulu store serve）；请用另一个数据目录并以 --store esdb://… 指向它",
        "the process that has this data directory serves the event store alone (zhulu store serve); use another data directory, \
         and point to it with --store esdb://…",
    )
}

/// A file that somebody named and that cannot be read.
pub fn unreadable(file: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::new(
        format!("读不了 {}：{error}", file.display()),
        format!("{} cannot be read: {error}", file.display()),
    )
}
