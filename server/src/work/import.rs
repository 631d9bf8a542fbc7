//! `zhulu import`: the cases of a former system in, and out again.

use std::{
    fs::File,
    io::BufRead,
    path::{Path, PathBuf},
};

use commands::imports::{self, Found, ImportReport, batch, permits, xes};
use domain::{
    case::CaseType as _,
    case_types::construction_permit::ConstructionPermit,
};

use crate::{
    cli::{ImportArgs, PlaceArgs},
    clock::SystemClock,
    failure::Failure,
    house::House,
    limits::Limits,
    place::Place,
    progress,
};

/// How many rejected rows are shown; the file has all of them.
const REJECTS_SHOWN: usize = 5;

/// `zhulu import permits`
pub async fn permits(args: &PlaceArgs, place: &Place, import: &ImportArgs) -> Result<(), Failure> {
    let rows = permits::read(open(&import.file)?).map_err(|error| unreadable(&import.file, error))?;
    bring_in(args, place, import, &permit_item()?, rows).await
}

/// `zhulu import xes`
pub async fn xes(args: &PlaceArgs, place: &Place, import: &ImportArgs, mapping: Option<&Path>) -> Result<(), Failure> {
    let text = match mapping {
        None => xes::WABO_MAPPING.to_owned(),
        Some(file) => std::fs::read_to_string(file).map_err(|error| unreadable(file, error))?,
    };
    let mapping = xes::Mapping::parse(&text)
        .map_err(|error| unreadable(mapping.unwrap_or_else(|| Path::new("wabo.mapping.json")), error))?;
    let item = mapping.item_code.clone();
    let rows = xes::read(open(&import.file)?, mapping);
    bring_in(args, place, import, &item, rows).await
}

/// `zhulu import rollback`
pub async fn rollback(args: &PlaceArgs, place: &Place, batch: &str, reason: &str) -> Result<(), Failure> {
    let house = House::open(args, place).await?;
    let rolled_back = imports::roll_back(house.bureau(), batch, reason, &operator(), &SystemClock).await;
    let current = house.views_are_current(&Limits::default()).await;
    house.close().await?;
    let report = rolled_back.map_err(|error| Failure::doing("回退失败", "the rollback failed", error))?;
    println!("批次 / batch {}：已回退 / rolled back {}", report.batch, report.cases_rolled_back);
    for (case_id, reason) in report.kept.iter().take(REJECTS_SHOWN) {
        println!("  保留 / kept {case_id}  {reason}");
    }
    current?;
    if report.kept.is_empty() {
        return Ok(());
    }
    let kept = report.kept.len();
    Err(Failure::new(
        format!("有 {kept} 件在导入后已办理，未回退"),
        format!("{kept} cases were worked on after the import and stay"),
    ))
}

/// The item of the catalogue that imported permits are of.
pub fn permit_item() -> Result<String, Failure> {
    let item = ConstructionPermit::embedded_items().into_iter().next_back();
    item.map(|item| item.code)
        .ok_or_else(|| Failure::new("事项目录为空", "the catalogue of items is empty"))
}

/// The order of an import of construction permits.
pub fn order(import: &ImportArgs, item_code: &str) -> imports::Order {
    imports::Order {
        batch: import.batch.clone(),
        category: ConstructionPermit::CATEGORY.to_owned(),
        item_code: item_code.to_owned(),
        region: import.region.clone(),
        operator: operator(),
        dry_run: import.dry_run,
        concurrency: batch::DEFAULT_CONCURRENCY,
    }
}

async fn bring_in(
    args: &PlaceArgs,
    place: &Place,
    import: &ImportArgs,
    item_code: &str,
    rows: impl Iterator<Item = Found> + Send,
) -> Result<(), Failure> {
    let house = House::open(args, place).await?;
    let bar = progress::bar("导入 / importing", 0);
    let shown = bar.clone();
    let order = order(import, item_code);
    let imported = imports::run(house.bureau(), rows, &order, &SystemClock, move |seen| shown.set_position(seen.rows)).await;
    bar.finish_and_clear();
    let current = match &imported {
        Ok(_) => house.views_are_current(&Limits::default()).await,
        Err(_) => Ok(true),
    };
    house.close().await?;
    let report = imported.map_err(|error| {
        Failure::new(
            format!("导入中断：{error}；已写入的保留，再次运行同一命令会接着导入"),
            format!("the import stopped: {error}; what was written stays, the same command goes on from there"),
        )
    })?;
    let rejects = write_rejects(import, &report)?;
    tell(&report, rejects.as_deref());
    if !current? {
        return Err(Failure::new(
            "已导入，但视图尚未赶上；用 zhulu views 查看原因",
            "the import is done but the views have not caught up; zhulu views says why",
        ));
    }
    Ok(())
}

/// The reconciliation: every row read is accounted for.
pub fn tell(report: &ImportReport, rejects: Option<&Path>) {
    let title = if report.dry_run { "试导入 / dry run" } else { "导入 / import" };
    println!("{title}  批次 / batch {}", report.batch);
    println!("  读取行数 / rows read        {}", report.rows_read);
    println!("  写入办件 / cases written    {}", report.cases_written);
    println!("  写入事件 / events written   {}", report.events_written);
    println!("  此前已有 / already there    {}", report.already_there);
    println!("  不合格 / rejected           {}", report.rows_rejected);
    for (name, value) in &report.sums {
        println!("    {name}  {value}");
    }
    for reject in report.rejected.iter().take(REJECTS_SHOWN) {
        println!("  第 {0} 行 / line {0}: {1}", reject.line, reject.reason);
    }
    if let Some(file) = rejects {
        println!("  不合格行见 / rejected rows are in {}", file.display());
    }
    let verdict = if report.adds_up() { "对账一致 / adds up" } else { "对账不一致 / DOES NOT ADD UP" };
    println!("  {verdict}");
}

/// Writes the rejected rows beside the file, or where it was asked; nothing, if there are none.
fn write_rejects(import: &ImportArgs, report: &ImportReport) -> Result<Option<PathBuf>, Failure> {
    if report.rows_rejected == 0 {
        return Ok(None);
    }
    let path = import.rejects.clone().unwrap_or_else(|| {
        let mut name = import.file.clone().into_os_string();
        name.push(".rejects.csv");
        PathBuf::from(name)
    });
    let written = File::create(&path).and_then(|file| report.write_rejects(file));
    written.map_err(|error| {
        Failure::new(
            format!("不合格行写不进 {}：{error}；用 --rejects 换一个位置", path.display()),
            format!("the rejected rows cannot be written to {}: {error}; name another place with --rejects", path.display()),
        )
    })?;
    Ok(Some(path))
}

fn open(file: &Path) -> Result<Box<dyn BufRead + Send>, Failure> {
    imports::open(file).map_err(|error| unreadable(file, error))
}

fn unreadable(file: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::new(
        format!("读不了 {}：{error}", file.display()),
        format!("{} cannot be read: {error}", file.display()),
    )
}

/// Who imports: whoever runs this command.
fn operator() -> String {
    std::env::var("USER").ok().filter(|user| !user.is_empty()).unwrap_or_else(|| "zhulu".to_owned())
}
