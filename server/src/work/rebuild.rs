//! `zhulu rebuild`: a view anew from the events, beside the old one, then in its place.

use crate::{
    cli::PlaceArgs,
    errand::{Errand, Outcome},
    failure::Failure,
    place::Place,
    work::errands,
};

/// Rebuilds one view, or all.
pub async fn run(args: &PlaceArgs, place: &Place, view: &str) -> Result<(), Failure> {
    let known: Vec<&str> = projections::views::all().iter().map(|view| view.name()).collect();
    if view != projections::ALL && !known.contains(&view) {
        let known = known.join(", ");
        return Err(Failure::new(
            format!("没有视图 {view}；可用：{known}，或 all"),
            format!("there is no view {view}; choose one of {known}, or all"),
        ));
    }
    let errand = Errand::Rebuild { view: view.to_owned() };
    let rebuilt = errands::run(args, place, errand, "重建 / rebuilding").await?;
    if let Outcome::Rebuilt {
        views,
        events,
        cases,
        rows,
        elapsed,
        stopped,
    } = rebuilt
    {
        println!(
            "已重建 / rebuilt {}：{events} 个事件 / events，{cases} 件 / cases，{rows} 行 / rows，{:.1} s",
            views.join(", "),
            elapsed.as_secs_f64()
        );
        if !stopped.is_empty() {
            let stopped = stopped.join(", ");
            return Err(Failure::new(
                format!("{stopped} 遇到无法处理的事件而停止；zhulu views 说明是哪一个"),
                format!("{stopped} stopped at an event that it cannot take; zhulu views says which"),
            ));
        }
    }
    Ok(())
}
