//! `zhulu rebuild`: a view anew from the events, beside the old one, then in its place.

use crate::{cli::PlaceArgs, failure::Failure, house::House, place::Place, progress};

/// Rebuilds one view, or all.
pub async fn run(args: &PlaceArgs, place: &Place, view: &str) -> Result<(), Failure> {
    let known: Vec<&str> = projections::views::all().iter().map(|view| view.name()).collect();
    if view != "all" && !known.contains(&view) {
        let known = known.join(", ");
        return Err(Failure::new(
            format!("没有视图 {view}；可用：{known}，或 all"),
            format!("there is no view {view}; choose one of {known}, or all"),
        ));
    }
    let house = House::open(args, place).await?;
    let bar = progress::bar("重建 / rebuilding", 0);
    let shown = bar.clone();
    let rebuilt = house
        .projections()
        .rebuild(view, move |progress| {
            shown.set_length(progress.head.0);
            shown.set_position(progress.position.0);
        })
        .await;
    bar.finish_and_clear();
    house.close().await?;
    let report = rebuilt.map_err(|error| Failure::doing("重建失败", "the rebuild failed", error))?;
    println!(
        "已重建 / rebuilt {}：{} 个事件 / events，{} 件 / cases，{} 行 / rows，{:.1} s",
        report.views.join(", "),
        report.events,
        report.cases,
        report.rows,
        report.elapsed.as_secs_f64()
    );
    let stopped: Vec<&str> = report.stopped.iter().map(|(view, _)| view.as_str()).collect();
    if stopped.is_empty() {
        return Ok(());
    }
    let stopped = stopped.join(", ");
    Err(Failure::new(
        format!("{stopped} 遇到无法处理的事件而停止；zhulu views 说明是哪一个"),
        format!("{stopped} stopped at an event that it cannot take; zhulu views says which"),
    ))
}
