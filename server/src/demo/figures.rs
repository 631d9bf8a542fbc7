//! The figures that the demo ends with: for people a line, for programs a line of JSON.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use event_store_contract::{EventStore, Filter, Position, StoreError};
use projections::{Projections, report};
use serde_json::json;
use tokio::{sync::oneshot, task::JoinHandle};

use super::permits::Imported;
use crate::{failure::Failure, house::House};

/// How long one event may take until all views show it; a longer lag is counted as this.
const LAG_LIMIT: Duration = Duration::from_secs(10);
/// How many events are looked at together.
const PAGE: usize = 100;

/// What the demo measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Figures {
    /// Cases in the views.
    pub(super) cases: i64,
    /// Events in the store.
    pub(super) events: u64,
    /// Events a second of the import, until all views showed them.
    pub(super) import_events_per_s: u64,
    /// From an event being durable until all views show it: the median over the events of the new case.
    pub(super) projection_lag_ms: f64,
}

impl Figures {
    /// One line of JSON.
    pub(super) fn json(&self) -> String {
        json!({
            "cases": self.cases,
            "events": self.events,
            "import_events_per_s": self.import_events_per_s,
            "projection_lag_ms": self.projection_lag_ms,
        })
        .to_string()
    }
}

/// Counts what is there.
pub(super) async fn take(house: &House, imported: &Imported, lag: Duration) -> Result<Figures, Failure> {
    let events = count_events(house.store())
        .await
        .map_err(|error| Failure::doing("读不到事件库", "the event store cannot be read", error))?;
    let all = report::cohorts(house.projections().database(), &[], &[])
        .await
        .map_err(|error| Failure::doing("做不出统计", "the report cannot be made", error))?;
    Ok(Figures {
        cases: all.first().map_or(0, |row| row.submitted),
        events,
        import_events_per_s: imported.events_per_second(),
        projection_lag_ms: (lag.as_secs_f64() * 100_000.0).round() / 100.0,
    })
}

/// The embedded store numbers without gaps: the last position less the first.
async fn count_events(store: &Arc<dyn EventStore>) -> Result<u64, StoreError> {
    let first = store
        .read_all(None, 1, &Filter::all())
        .await?
        .events
        .first()
        .map(|event| event.position.0);
    let last = store.head().await?.map(|position| position.0);
    Ok(first.zip(last).map_or(0, |(first, last)| last - first + 1))
}

/// Watches how far the views are behind the log, from now until it is asked.
pub(super) struct LagMeter {
    enough: oneshot::Sender<()>,
    watching: JoinHandle<Vec<Duration>>,
}

impl LagMeter {
    /// Begins to watch.
    pub(super) fn begin(house: &House, after: Option<Position>) -> Self {
        let (enough, mut asked) = oneshot::channel();
        let (store, projections) = (house.store().clone(), house.projections().clone());
        let watching = tokio::spawn(async move {
            let mut lags = Vec::new();
            tokio::select! {
                () = watch(&store, &projections, after, &mut lags) => {}
                _ = &mut asked => {}
            }
            lags
        });
        Self { enough, watching }
    }

    /// The median of what was seen.
    pub(super) async fn end(self) -> Duration {
        // A watcher that ended already has nothing to be told.
        let _ = self.enough.send(());
        let mut lags = self.watching.await.unwrap_or_default();
        lags.sort();
        lags.get(lags.len() / 2).copied().unwrap_or_default()
    }
}

async fn watch(store: &Arc<dyn EventStore>, projections: &Projections, after: Option<Position>, lags: &mut Vec<Duration>) {
    let Ok(mut log) = store.follow(after, Filter::all()).await else {
        return;
    };
    while let Ok(page) = log.next(PAGE).await {
        let seen = Instant::now();
        if let Some(position) = page.position
            && !page.events.is_empty()
        {
            let visible = projections.caught_up("all", position, LAG_LIMIT).await;
            lags.push(if visible { seen.elapsed() } else { LAG_LIMIT });
        }
    }
}
