//! `zhulu store scavenge`: takes out what was deleted or truncated. Done here, or by the process that has the store.

use std::sync::Arc;

use commands::outside::Clock as _;

use crate::{
    cli::PlaceArgs,
    clock::SystemClock,
    errand::{self, Errand, Outcome, Tell},
    failure::Failure,
    handover,
    place::Place,
    progress,
    store::{self, Opened},
};

/// Scavenges, and says what came of it.
pub async fn run(args: &PlaceArgs, place: &Place) -> Result<(), Failure> {
    let bar = progress::bar("清理 / scavenging", 0);
    let shown = bar.clone();
    let tell: Tell = Arc::new(move |done, total| {
        shown.set_length(total);
        shown.set_position(done);
    });
    let serving = place.running().and_then(|running| running.address);
    let done = if let Some(address) = serving {
        handover::hand_over(place, address, &Errand::Scavenge, SystemClock.now(), tell).await
    } else {
        let Opened { embedded, events } = store::open(args, place).await?;
        drop(events);
        let done = errand::scavenge(embedded.as_ref(), &SystemClock, tell).await;
        let closed = tokio::task::spawn_blocking(move || embedded.map_or(Ok(()), |store| store.close())).await;
        if !matches!(closed, Ok(Ok(()))) {
            tracing::warn!("the event store was not closed well; what was done is durable all the same");
        }
        done
    };
    bar.finish_and_clear();
    if let Outcome::Scavenged {
        streams,
        events,
        bytes,
        free_bytes,
    } = done?
    {
        println!(
            "已清理 / scavenged：{streams} 条流 / streams，{events} 个事件 / events，{bytes} 字节 / bytes；\
             文件中可再用 / free in the file {free_bytes} 字节 / bytes"
        );
        println!("文件本身不变小：备份再恢复后变小 / the file keeps its size; a backup that is restored is smaller");
    }
    Ok(())
}
