//! The permits that the program carries, brought in once: a second demo finds them there.

use std::{
    fs,
    time::{Duration, Instant},
};

use commands::{
    imports::{self, batch, permits},
    outside::Clock,
};
use flate2::read::GzDecoder;
use serde::{Deserialize, Serialize};

use super::REGION;
use crate::{
    errand::{self, ImportErrand},
    failure::Failure,
    house::House,
    limits::Limits,
    place::Place,
    progress,
    work::import,
};

/// Building permits of Los Angeles and Seattle, CC BY 4.0, see `server/data/permits/LICENSE-data.md`.
const RECORDS: &[u8] = include_bytes!("../../data/permits/permit-records.csv.gz");
/// How many there are; for the progress bar only.
const RECORDS_COUNT: u64 = 33_268;
/// The name of the batch.
const BATCH: &str = "demo-permits";
/// Where the figures of the first import are kept for the demos after it.
const FIGURES_FILE: &str = "demo-import.json";

/// What the import was like.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Imported {
    /// Rows read.
    pub(super) rows: u64,
    /// Cases written.
    pub(super) cases: u64,
    /// Events written.
    pub(super) events: u64,
    /// Rows refused.
    pub(super) rejected: u64,
    /// Milliseconds until all events were durable.
    pub(super) durable_ms: u64,
    /// Milliseconds until all views showed them.
    pub(super) visible_ms: u64,
    /// It was done by an earlier demo.
    #[serde(skip)]
    pub(super) earlier: bool,
}

impl Imported {
    /// Events a second, until all views showed them.
    pub(super) fn events_per_second(&self) -> u64 {
        (self.events * 1_000).checked_div(self.visible_ms).unwrap_or_default()
    }
}

/// Brings the permits in, unless they are there.
pub(super) async fn bring_in(house: &House, place: &Place, clock: &dyn Clock, limits: &Limits) -> Result<Imported, Failure> {
    let kept = place.directory().join(FIGURES_FILE);
    if is_finished(house).await? {
        errand::views_are_current(house.bureau(), house.projections(), limits).await?;
        let earlier = fs::read_to_string(&kept)
            .ok()
            .and_then(|text| serde_json::from_str(&text).ok());
        return Ok(Imported {
            earlier: true,
            ..earlier.unwrap_or_default()
        });
    }
    let rows = permits::read(GzDecoder::new(RECORDS))
        .map_err(|error| Failure::doing("读不了许可数据", "the permits cannot be read", error))?;
    let order = ImportErrand {
        file: BATCH.into(),
        batch: BATCH.to_owned(),
        region: REGION.to_owned(),
        dry_run: false,
        operator: import::operator(),
    };
    let order = order.order(&errand::permit_item()?);
    let bar = progress::bar("导入许可 / importing permits", RECORDS_COUNT);
    let shown = bar.clone();
    let begun = Instant::now();
    let report = imports::run(house.bureau(), rows, &order, clock, move |seen| shown.set_position(seen.rows))
        .await
        .map_err(|error| {
            Failure::doing(
                "导入中断，再次运行会接着导入",
                "the import stopped; run again to go on",
                error,
            )
        })?;
    let durable = begun.elapsed();
    bar.set_message("视图赶上 / views catching up");
    errand::views_are_current(house.bureau(), house.projections(), limits).await?;
    bar.finish_and_clear();
    let imported = Imported {
        rows: report.rows_read,
        cases: report.cases_written,
        events: report.events_written,
        rejected: report.rows_rejected,
        durable_ms: milliseconds(durable),
        visible_ms: milliseconds(begun.elapsed()),
        earlier: false,
    };
    // Only a demo after this one looks at it; without it the figures are left out.
    let _ = fs::write(kept, serde_json::to_string(&imported).unwrap_or_default());
    Ok(imported)
}

/// Whether the batch was brought in to its end, and not taken back since.
async fn is_finished(house: &House) -> Result<bool, Failure> {
    let events = batch::batch_events(house.bureau(), BATCH)
        .await
        .map_err(|error| Failure::doing("读不到批次记录", "the record of the batch cannot be read", error))?;
    Ok(matches!(events.last(), Some(batch::BatchEvent::BatchFinished { .. })))
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
