//! `zhulu views`: how far each view is. Works beside a running server.

use crate::{
    cli::PlaceArgs,
    failure::Failure,
    place::Place,
    work::report::{Views, table},
};
use projections::ViewState;

/// Prints the state of every view; one that stopped is an error.
pub async fn run(args: &PlaceArgs, place: &Place) -> Result<(), Failure> {
    let views = Views::find(args, place).await?;
    let status = views.projections().status().await;
    views.close().await?;
    let status = status.map_err(|error| Failure::doing("读不到视图状态", "the state of the views cannot be read", error))?;
    let rows = status.iter().map(|view| {
        let state = match &view.state {
            ViewState::Running => "运行 / running".to_owned(),
            ViewState::Rebuilding => "重建中 / rebuilding".to_owned(),
            ViewState::Stopped(stop) => format!(
                "停止 / stopped: {} 版本 / revision {}（事件 / event {}）：{}",
                stop.stream, stop.revision, stop.event_id, stop.reason
            ),
        };
        vec![
            view.name.clone(),
            view.version.to_string(),
            view.position.0.to_string(),
            view.lag().to_string(),
            state,
        ]
    });
    println!(
        "{}",
        table(
            &[
                "视图 / view",
                "版本 / version",
                "位置 / position",
                "落后 / behind",
                "状态 / state"
            ],
            rows
        )
    );
    let stopped = status
        .iter()
        .filter(|view| matches!(view.state, ViewState::Stopped(_)))
        .count();
    if stopped == 0 {
        return Ok(());
    }
    Err(Failure::new(
        format!("有 {stopped} 个视图停了；修复原因后执行 zhulu rebuild"),
        format!("{stopped} views stopped; mend the cause, then run zhulu rebuild"),
    ))
}
