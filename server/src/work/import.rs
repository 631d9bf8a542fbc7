//! `zhulu import`: the cases of a former system in, and out again. Done here, or by the server that has the store.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use commands::imports::{ImportReport, xes};

use crate::{
    cli::{ImportArgs, PlaceArgs},
    errand::{Errand, ImportErrand, Outcome, unreadable},
    failure::Failure,
    place::Place,
    work::errands,
};

/// How many rejected rows are shown; the file has all of them.
const REJECTS_SHOWN: usize = 5;

/// `zhulu import permits`
pub async fn permits(args: &PlaceArgs, place: &Place, import: &ImportArgs) -> Result<(), Failure> {
    bring_in(args, place, import, Errand::ImportPermits(errand(import)?)).await
}

/// `zhulu import xes`
pub async fn xes(args: &PlaceArgs, place: &Place, import: &ImportArgs, mapping: Option<&Path>) -> Result<(), Failure> {
    let mapping = match mapping {
        None => xes::WABO_MAPPING.to_owned(),
        Some(file) => std::fs::read_to_string(file).map_err(|error| unreadable(file, error))?,
    };
    bring_in(
        args,
        place,
        import,
        Errand::ImportXes {
            import: errand(import)?,
            mapping,
        },
    )
    .await
}

/// `zhulu import rollback`
pub async fn rollback(args: &PlaceArgs, place: &Place, batch: &str, reason: &str) -> Result<(), Failure> {
    let errand = Errand::RollBack {
        batch: batch.to_owned(),
        reason: reason.to_owned(),
        operator: operator(),
    };
    let Outcome::RolledBack { batch, cases, kept } = errands::run(args, place, errand, "回退 / rolling back").await? else {
        return Err(strange());
    };
    println!("批次 / batch {batch}：已回退 / rolled back {cases}");
    for (case_id, reason) in kept.iter().take(REJECTS_SHOWN) {
        println!("  保留 / kept {case_id}  {reason}");
    }
    if kept.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        format!("有 {} 件在导入后已办理，未回退", kept.len()),
        format!("{} cases were worked on after the import and stay", kept.len()),
    ))
}

async fn bring_in(args: &PlaceArgs, place: &Place, import: &ImportArgs, errand: Errand) -> Result<(), Failure> {
    let Outcome::Imported(report) = errands::run(args, place, errand, "导入 / importing").await? else {
        return Err(strange());
    };
    let rejects = write_rejects(import, &report)?;
    tell(&report, rejects.as_deref());
    Ok(())
}

fn errand(import: &ImportArgs) -> Result<ImportErrand, Failure> {
    // A server reads the file from where it stands itself.
    let file = std::fs::canonicalize(&import.file).map_err(|error| unreadable(&import.file, error))?;
    Ok(ImportErrand {
        file,
        batch: import.batch.clone(),
        region: import.region.clone(),
        dry_run: import.dry_run,
        operator: operator(),
    })
}

/// The reconciliation: every row read is accounted for.
fn tell(report: &ImportReport, rejects: Option<&Path>) {
    let title = if report.dry_run {
        "试导入 / dry run"
    } else {
        "导入 / import"
    };
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
    let verdict = if report.adds_up() {
        "对账一致 / adds up"
    } else {
        "对账不一致 / DOES NOT ADD UP"
    };
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
            format!(
                "the rejected rows cannot be written to {}: {error}; name another place with --rejects",
                path.display()
            ),
        )
    })?;
    Ok(Some(path))
}

/// Who asks: whoever runs this command.
pub fn operator() -> String {
    std::env::var("USER")
        .ok()
        .filter(|user| !user.is_empty())
        .unwrap_or_else(|| "zhulu".to_owned())
}

fn strange() -> Failure {
    Failure::new(
        "运行中的服务答非所问；请使用同一版本的 zhulu",
        "the running server answered something else; use a zhulu of the same version",
    )
}
