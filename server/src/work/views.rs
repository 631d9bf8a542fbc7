//! `zhulu views`: how far each view is. Works beside a running server.

use crate::{
    cli::PlaceArgs,
    failure::Failure,
    house,
    place::Place,
    work::report::{Views, table},
};
use event_store_contract::EventStore as _;

/// Prints the state of every view; one that stopped is an error.
pub async fn run(args: &PlaceArgs, place: &Place) -> Result<(), Failure> {
    let views = Views::find(args, place).await?;
    let head = house::look_into_store(place)?
        .head()
        .await
        .map_err(|error| Failure::doing("读不到事件库", "the event store cannot be read", error))?
        .map_or(0, |head| head.0);
    let status = projections::status(views.database()).await;
    views.close().await?;
    let status = status.map_err(|error| Failure::doing("读不到视图状态", "the state of the views cannot be read", error))?;
    let rows = status.iter().map(|view| {
        let position = view.position.map_or(0, |position| position.0);
        let trouble = view.stopped.as_ref().map_or_else(String::new, ToString::to_string);
        vec![
            view.name.clone(),
            view.version.to_string(),
            position.to_string(),
            head.saturating_sub(position).to_string(),
            trouble,
        ]
    });
    println!(
        "{}",
        table(&["视图 / view", "版本 / version", "位置 / position", "落后 / behind", "停因 / stopped because"], rows)
    );
    let stopped = status.iter().filter(|view| view.stopped.is_some()).count();
    if stopped == 0 {
        return Ok(());
    }
    Err(Failure::new(
        format!("有 {stopped} 个视图停了；修复原因后执行 zhulu rebuild"),
        format!("{stopped} views stopped; mend the cause, then run zhulu rebuild"),
    ))
}
