//! `zhulu replay`: a stream as it was at some moment, and how it came to be. Works beside a running server.

use std::sync::Arc;

use chrono::{DateTime, FixedOffset, NaiveDate, TimeDelta, Utc};
use commands::{Bureau, HistoryEvent, Moment};
use domain::{case_types, metadata::bureau_midnight};
use event_store_contract::{Direction, EventStore, StreamName};
use uuid::Uuid;

use crate::{cli::PlaceArgs, failure::Failure, place::Place, store};

/// How many events are read at a time.
const PAGE: usize = 1_000;
/// The bureau's clock, eight hours ahead of UTC.
const BUREAU_OFFSET_SECONDS: i32 = 8 * 3600;

/// Prints the folded state of the stream and its timeline.
pub async fn run(args: &PlaceArgs, place: &Place, stream: &str, at: Option<&str>) -> Result<(), Failure> {
    let name = StreamName::new(stream).map_err(|error| Failure::doing("这不是流名", "this is no name of a stream", error))?;
    let moment = at.map_or(Ok(Moment::Head), moment)?;
    let store = store::look(args, place).await?.events;
    let id = Uuid::parse_str(name.id()).ok();
    match id {
        Some(id) if case_types::CATEGORIES.contains(&name.category()) => case(store, &name, id, moment).await,
        _ => other(store, &name, moment).await,
    }
}

/// A case: its state in the words of its type, its timeline in sentences.
async fn case(store: Arc<dyn EventStore>, name: &StreamName, id: Uuid, moment: Moment) -> Result<(), Failure> {
    let failed = |error| Failure::doing("读不到历史", "the history cannot be read", error);
    let bureau = Bureau::open(store).await.map_err(failed)?;
    let Some(seen) = bureau.case_at(name.category(), id, moment).await.map_err(failed)? else {
        return Err(nothing(name));
    };
    let state = serde_json::json!({ "kernel": seen.case.kernel(), "own": seen.case.own() });
    println!("{name}  版本 / revision {}  {}", seen.revision, local(seen.recorded_at));
    println!("{}", serde_json::to_string_pretty(&state).unwrap_or_default());
    println!("\n时间线 / timeline");
    let mut from = 0;
    loop {
        let page = bureau
            .case_history(name.category(), id, from, PAGE, Direction::Forwards)
            .await
            .map_err(failed)?;
        let ended = page.len() < PAGE;
        for event in page.iter().filter(|event| event.revision <= seen.revision) {
            println!("{}", line(event));
        }
        let Some(last) = page.last() else { break };
        if ended || last.revision >= seen.revision {
            break;
        }
        from = last.revision + 1;
    }
    Ok(())
}

/// One event of a case in a line.
pub fn line(event: &HistoryEvent) -> String {
    let actor = &event.metadata.actor;
    format!(
        "{:>4}  {}  {}（{}）  {} / {}",
        event.revision,
        local(event.metadata.occurred_at),
        actor.name,
        actor.role,
        event.title_zh,
        event.title_en
    )
}

/// Any other stream: its events as they were recorded.
async fn other(store: Arc<dyn EventStore>, name: &StreamName, moment: Moment) -> Result<(), Failure> {
    let mut from = 0;
    let mut seen = 0_usize;
    loop {
        let page = store
            .read_stream(name, from, Direction::Forwards, PAGE)
            .await
            .map_err(|error| Failure::doing("读不到流", "the stream cannot be read", error))?;
        let ended = page.len() < PAGE;
        for event in &page {
            from = event.revision + 1;
            let wanted = match &moment {
                Moment::Head => true,
                Moment::Revision(revision) => event.revision <= *revision,
                Moment::RecordedAt(at) | Moment::OccurredAt(at) => event.created <= *at,
            };
            if !wanted {
                continue;
            }
            seen += 1;
            println!(
                "{:>4}  {}  {}  {}",
                event.revision,
                local(event.created),
                event.name,
                String::from_utf8_lossy(&event.data)
            );
        }
        if ended {
            break;
        }
    }
    if seen == 0 {
        return Err(nothing(name));
    }
    Ok(())
}

fn nothing(name: &StreamName) -> Failure {
    Failure::new(
        format!("那时 {name} 还没有任何记录；流名形如 constructionPermit-<UUID>"),
        format!("nothing was on record in {name} then; a stream is named like constructionPermit-<UUID>"),
    )
}

/// Reads a revision, a day (its end, at the bureau) or an instant.
fn moment(text: &str) -> Result<Moment, Failure> {
    if let Ok(revision) = text.parse() {
        return Ok(Moment::Revision(revision));
    }
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(Moment::RecordedAt(at.with_timezone(&Utc)));
    }
    if let Ok(day) = text.parse::<NaiveDate>()
        && let Some(next) = day.succ_opt()
    {
        return Ok(Moment::RecordedAt(bureau_midnight(next) - TimeDelta::microseconds(1)));
    }
    Err(Failure::new(
        format!("--at {text}：请写版本号（3）、日期（2026-03-01）或时刻（2026-03-01T09:00:00+08:00）"),
        format!("--at {text}: write a revision (3), a date (2026-03-01) or an instant (2026-03-01T09:00:00+08:00)"),
    ))
}

/// An instant as the bureau's clock shows it.
pub fn local(at: DateTime<Utc>) -> String {
    FixedOffset::east_opt(BUREAU_OFFSET_SECONDS).map_or_else(
        || at.to_rfc3339(),
        |offset| at.with_timezone(&offset).format("%Y-%m-%d %H:%M").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_revision_a_day_or_an_instant() {
        assert!(matches!(moment("3"), Ok(Moment::Revision(3))));
        assert!(matches!(moment("2026-03-01T09:00:00+08:00"), Ok(Moment::RecordedAt(_))));
        let Ok(Moment::RecordedAt(end)) = moment("2026-03-01") else {
            panic!("a day is a moment");
        };
        assert_eq!(local(end), "2026-03-01 23:59");
        assert!(moment("yesterday").is_err());
    }
}
