//! Timers: fired once, in batches, against the case as it is.

use std::sync::Mutex;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use commands::{
    Bureau,
    outside::{DueProcessTimer, DueProcessTimers, DueTimer, DueTimers, OutsideError},
    timers::{TimersFired, fire_due_once},
};
use event_store_contract::{Lane, StreamName};
use uuid::Uuid;

use crate::support::{CATEGORY, ask, bureau, case_stream, clerk, clock, names, submit};

/// A view that lags: it lists what it was told, whatever has happened since.
struct Listed(Mutex<Vec<DueTimer>>);

#[async_trait]
impl DueTimers for Listed {
    async fn due(&self, today: NaiveDate, lane: Lane, limit: usize) -> Result<Vec<DueTimer>, OutsideError> {
        Ok(self
            .0
            .lock()
            .unwrap()
            .iter()
            .filter(|timer| timer.due_on < today)
            .filter(|timer| lane.has(&StreamName::of(&timer.category, timer.case_id).unwrap()))
            .take(limit)
            .cloned()
            .collect())
    }
}

#[async_trait]
impl DueProcessTimers for Listed {
    async fn due(&self, _now: DateTime<Utc>, _lane: Lane, _limit: usize) -> Result<Vec<DueProcessTimer>, OutsideError> {
        Ok(Vec::new())
    }
}

async fn filed(bureau: &Bureau) -> DueTimer {
    let case_id = Uuid::new_v4();
    ask(bureau, case_id, submit(), &clerk("2026-09-01")).await.unwrap();
    let case = bureau
        .case_at(CATEGORY, case_id, commands::Moment::Head)
        .await
        .unwrap()
        .unwrap();
    let deadlines = case.case.deadlines(&bureau.rules());
    let notice = deadlines.iter().find(|deadline| deadline.kind == "correctionNotice").unwrap();
    DueTimer {
        category: CATEGORY.into(),
        case_id,
        timer: "correctionNotice".into(),
        due_on: notice.due_on,
    }
}

#[tokio::test]
async fn an_application_that_nobody_answered_is_deemed_accepted_once() {
    let (bureau, store) = bureau().await;
    let timer = filed(&bureau).await;
    let listed = Listed(Mutex::new(vec![timer.clone()]));
    assert_eq!(
        fire_due_once(&bureau, &listed, &clock("2026-09-08")).await.unwrap(),
        TimersFired::default(),
        "not due yet"
    );
    let fired = fire_due_once(&bureau, &listed, &clock("2026-09-09")).await.unwrap();
    assert_eq!(fired, TimersFired { fired: 1, idle: 0 });
    // The view has not noticed yet and lists it again.
    let again = fire_due_once(&bureau, &listed, &clock("2026-09-10")).await.unwrap();
    assert_eq!(again, TimersFired { fired: 0, idle: 1 });
    assert_eq!(
        names(&*store, &case_stream(timer.case_id)).await,
        ["ApplicationSubmitted", "DeemedAccepted"]
    );
}

#[tokio::test]
async fn a_timer_that_no_longer_applies_does_nothing() {
    let (bureau, store) = bureau().await;
    let timer = filed(&bureau).await;
    ask(&bureau, timer.case_id, crate::support::accept(), &clerk("2026-09-02"))
        .await
        .unwrap();
    let listed = Listed(Mutex::new(vec![timer.clone()]));
    assert_eq!(
        fire_due_once(&bureau, &listed, &clock("2026-09-20")).await.unwrap(),
        TimersFired { fired: 0, idle: 1 }
    );
    assert_eq!(names(&*store, &case_stream(timer.case_id)).await.len(), 2);
}
