//! Numbers, registers and calendars, whatever is repeated or stopped in between.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use commands::{
    Bureau, Clock, Moment, Register,
    outside::{Bookmarks, OutsideError, ProvisionalCases},
    reactions::{BOOKMARK, react_to_everything, run},
};
use domain::{calendar::CalendarYear, case::NumberKind, registers::calendar_publication};
use event_store_contract::{EventStore, Expected, Filter, Lane, MemoryStore, NewEvent, Position, StreamName};
use uuid::Uuid;

use crate::support::{
    CATEGORY, ask, bureau, by, case_stream, clerk, clock, grant, granted, names, plain, ready_to_grant, submit,
};

async fn licence_numbers(bureau: &Bureau, cases: &[Uuid]) -> Vec<String> {
    let mut numbers = Vec::new();
    for case in cases {
        let at = bureau.case_at(CATEGORY, *case, Moment::Head).await.unwrap().unwrap();
        numbers.push(at.case.kernel().numbers[&NumberKind::Licence].clone());
    }
    numbers
}

/// Every number of every series, in order, is the next one, and none is given twice.
async fn assert_gap_free(store: &MemoryStore) {
    let page = store
        .read_all(None, 10_000, &Filter::prefixes(["numberSequence-"]))
        .await
        .unwrap();
    let mut last: HashMap<String, u64> = HashMap::new();
    let mut numbers = BTreeSet::new();
    for event in page.events {
        let data: serde_json::Value = serde_json::from_slice(&event.data).unwrap();
        let sequence = data["sequence"].as_u64().unwrap();
        let before = last.insert(event.stream.to_string(), sequence).unwrap_or(0);
        assert_eq!(sequence, before + 1, "in {}", event.stream);
        assert!(numbers.insert(data["number"].to_string()), "{} twice", data["number"]);
    }
}

#[tokio::test]
async fn a_granted_permit_gets_its_numbers_is_issued_and_registered() {
    let (bureau, store) = bureau().await;
    let (case, clock) = (Uuid::new_v4(), clock("2026-09-18"));
    granted(&bureau, case, "2026-09-18").await;
    react_to_everything(&bureau, None, &clock).await.unwrap();
    let names = names(&*store, &case_stream(case)).await;
    assert_eq!(names.iter().filter(|name| *name == "NumberAssigned").count(), 4, "{names:?}");
    assert_eq!(names.iter().filter(|name| *name == "PermitIssued").count(), 1);
    let number = licence_numbers(&bureau, &[case]).await.remove(0);
    assert!(number.starts_with("33010920260918"), "{number}");
    let entry = bureau
        .register_at(Register::Permit, &number, Moment::Head)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(entry.state["case_id"], case.to_string());
    assert!(
        bureau
            .register_at(Register::Permit, "nothing", Moment::Head)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn walking_the_log_again_from_any_bookmark_changes_nothing() {
    let (bureau, store) = bureau().await;
    let (case, clock) = (Uuid::new_v4(), clock("2026-09-18"));
    granted(&bureau, case, "2026-09-18").await;
    let end = react_to_everything(&bureau, None, &clock).await.unwrap();
    let head = store.head().await.unwrap();
    for after in (0..end.unwrap().0).map(|position| (position > 0).then_some(Position(position))) {
        react_to_everything(&bureau, after, &clock).await.unwrap();
    }
    // Also by a process that remembers nothing.
    let restarted = plain(store.clone()).await;
    react_to_everything(&restarted, None, &clock).await.unwrap();
    assert_eq!(store.head().await.unwrap(), head);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_are_gap_free_under_64_grants_at_once_and_two_walkers() {
    let (bureau, store) = bureau().await;
    let cases: Vec<Uuid> = (0..64).map(|_| Uuid::new_v4()).collect();
    for case in &cases {
        ready_to_grant(&bureau, *case, "2026-09-18").await;
    }
    let grants = cases.iter().map(|case| {
        let (bureau, case) = (bureau.clone(), *case);
        tokio::spawn(async move {
            ask(&bureau, case, grant(), &by("chen", "director", "2026-09-18"))
                .await
                .unwrap()
        })
    });
    let other = plain(store.clone()).await;
    let walkers = [bureau.clone(), other]
        .map(|bureau| tokio::spawn(async move { react_to_everything(&bureau, None, &clock("2026-09-18")).await }));
    for granted in grants.collect::<Vec<_>>() {
        granted.await.unwrap();
    }
    for walker in walkers {
        walker.await.unwrap().unwrap();
    }
    react_to_everything(&bureau, None, &clock("2026-09-18")).await.unwrap();
    let numbers = licence_numbers(&bureau, &cases).await;
    assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), 64);
    assert_gap_free(&store).await;
    let failures = store
        .read_all(None, 10, &Filter::prefixes(["reactionFailure-"]))
        .await
        .unwrap();
    assert!(failures.events.is_empty(), "{:?}", failures.events);
}

#[tokio::test]
async fn a_poisoned_event_is_put_on_record_and_the_others_go_on() {
    let (bureau, store) = bureau().await;
    let poisoned = NewEvent {
        id: Uuid::new_v4(),
        name: "NeverHeardOf".into(),
        data: "{}".into(),
        metadata: "not even JSON".into(),
    };
    let stream = StreamName::new(case_stream(Uuid::new_v4())).unwrap();
    store.append(&stream, Expected::NoStream, vec![poisoned]).await.unwrap();
    let case = Uuid::new_v4();
    ask(&bureau, case, submit(), &clerk("2026-09-18")).await.unwrap();
    react_to_everything(&bureau, None, &clock("2026-09-18")).await.unwrap();
    assert_eq!(
        names(&*store, &case_stream(case)).await,
        ["ApplicationSubmitted", "NumberAssigned"]
    );
    assert_eq!(names(&*store, "reactionFailure-read").await, ["ReactionFailed"]);
}

#[derive(Default)]
struct Shelf {
    at: Mutex<Option<Position>>,
    is_taken_over: AtomicBool,
    provisional: Mutex<Vec<(String, Uuid)>>,
}

#[async_trait]
impl Bookmarks for Shelf {
    async fn load(&self, name: &str) -> Result<Option<Position>, OutsideError> {
        assert_eq!(name, BOOKMARK);
        Ok(*self.at.lock().unwrap())
    }

    async fn save(&self, _name: &str, at: Position) -> Result<bool, OutsideError> {
        if self.is_taken_over.load(Ordering::Relaxed) {
            return Ok(false);
        }
        *self.at.lock().unwrap() = Some(at);
        Ok(true)
    }
}

#[async_trait]
impl ProvisionalCases for Shelf {
    async fn provisional(&self, after: Option<Uuid>, limit: usize) -> Result<Vec<(String, Uuid)>, OutsideError> {
        let cases = self.provisional.lock().unwrap();
        Ok(cases
            .iter()
            .filter(|(_, id)| after.is_none_or(|after| *id > after))
            .take(limit)
            .cloned()
            .collect())
    }
}

/// Waits until a stream has so many events.
async fn grown(store: &MemoryStore, stream: &str, events: usize) {
    let mut log = store.follow(None, Filter::prefixes([stream.to_owned()])).await.unwrap();
    let waiting = async {
        let mut seen = 0;
        while seen < events {
            seen += log.next(1_000).await.unwrap().events.len();
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting)
        .await
        .expect("the reactions are at work");
}

#[tokio::test]
async fn the_loop_goes_on_from_its_bookmark() {
    let (bureau, store) = bureau().await;
    let (shelf, clock): (Arc<Shelf>, Arc<dyn Clock>) = (Arc::default(), Arc::new(clock("2026-09-18")));
    for round in 1..=2 {
        let case = Uuid::new_v4();
        let (stop, stopping) = tokio::sync::watch::channel(false);
        let walking = tokio::spawn(run(
            bureau.clone(),
            shelf.clone(),
            shelf.clone(),
            Lane::WHOLE,
            clock.clone(),
            stopping,
        ));
        granted(&bureau, case, "2026-09-18").await;
        grown(&store, &case_stream(case), 11).await;
        stop.send(true).unwrap();
        walking.await.unwrap();
        let saved = *shelf.at.lock().unwrap();
        let events = store.read_all(saved, 100, &Filter::all()).await.unwrap().events;
        assert!(events.len() < 20, "round {round}: the bookmark is far behind");
    }
    assert_gap_free(&store).await;
}

#[tokio::test]
async fn the_bookmark_is_saved_although_the_log_is_never_quiet() {
    let (bureau, store) = bureau().await;
    let (shelf, clock): (Arc<Shelf>, Arc<dyn Clock>) = (Arc::default(), Arc::new(clock("2026-09-18")));
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let walking = tokio::spawn(run(
        bureau.clone(),
        shelf.clone(),
        shelf.clone(),
        Lane::WHOLE,
        clock,
        stopping,
    ));
    let busy = async {
        while shelf.at.lock().unwrap().is_none() {
            ask(&bureau, Uuid::new_v4(), submit(), &clerk("2026-09-18")).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), busy)
        .await
        .expect("it is saved");
    stop.send(true).unwrap();
    walking.await.unwrap();
    assert_gap_free(&store).await;
}

#[tokio::test]
async fn whoever_lost_his_lane_stops_reacting_in_it() {
    let (bureau, _store) = bureau().await;
    let (shelf, clock): (Arc<Shelf>, Arc<dyn Clock>) = (Arc::default(), Arc::new(clock("2026-09-18")));
    shelf.is_taken_over.store(true, Ordering::Relaxed);
    ask(&bureau, Uuid::new_v4(), submit(), &clerk("2026-09-18")).await.unwrap();
    let (_running, stopping) = tokio::sync::watch::channel(false);
    let walk = run(bureau, shelf.clone(), shelf.clone(), Lane::WHOLE, clock, stopping);
    tokio::time::timeout(Duration::from_secs(30), walk)
        .await
        .expect("it ends by itself");
    assert!(shelf.at.lock().unwrap().is_none());
}

#[tokio::test]
async fn several_who_react_in_lanes_and_one_who_slept_through_his_do_everything_once() {
    let (bureau, store) = bureau().await;
    let clock: Arc<dyn Clock> = Arc::new(clock("2026-09-18"));
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let mut walking = Vec::new();
    // Three processes of their own, each with its own caches; two of them believe that the first lane is theirs.
    for index in [0, 1, 0] {
        let other = plain(store.clone()).await;
        let shelf: Arc<Shelf> = Arc::default();
        let lane = Lane { index, of: 2 };
        let walk = run(other, shelf.clone(), shelf, lane, clock.clone(), stopping.clone());
        walking.push(tokio::spawn(walk));
    }
    let cases: Vec<Uuid> = (0..12).map(|_| Uuid::new_v4()).collect();
    for case in &cases {
        granted(&bureau, *case, "2026-09-18").await;
    }
    for case in &cases {
        grown(&store, &case_stream(*case), 11).await;
    }
    stop.send(true).unwrap();
    for walk in walking {
        walk.await.unwrap();
    }
    assert_gap_free(&store).await;
    for case in &cases {
        assert_eq!(names(&*store, &case_stream(*case)).await.len(), 11);
    }
}

#[tokio::test]
async fn a_calendar_that_another_process_publishes_is_heard_of() {
    let (bureau, store) = bureau().await;
    let elsewhere = plain(store).await;
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let listener = elsewhere.clone();
    let listening = tokio::spawn(async move { listener.keep_rules_current(stopping).await });
    let publish = calendar_publication::Command::PublishYear {
        edition: "cn-2027".into(),
        year: CalendarYear {
            year: 2027,
            holidays: std::iter::once("2027-01-01".parse().unwrap()).collect(),
            workdays: std::iter::empty().collect(),
            doc_no: "国办发明电".into(),
        },
    };
    bureau
        .publish_calendar(publish, &by("admin", "operator", "2026-12-30"))
        .await
        .unwrap();
    let heard = async {
        while elsewhere.rules().current_calendar().edition().to_string() != "cn-2027" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), heard)
        .await
        .expect("it is heard of");
    stop.send(true).unwrap();
    listening.await.unwrap();
}

#[tokio::test]
async fn cases_that_count_provisionally_go_over_to_a_new_calendar() {
    let (bureau, store) = bureau().await;
    let case = Uuid::new_v4();
    // The limits of a case accepted at the end of 2026 reach into a year that nobody has published yet.
    ask(&bureau, case, submit(), &clerk("2026-12-29")).await.unwrap();
    ask(&bureau, case, crate::support::accept(), &clerk("2026-12-29"))
        .await
        .unwrap();
    let shelf: Arc<Shelf> = Arc::default();
    shelf.provisional.lock().unwrap().push((CATEGORY.to_owned(), case));
    let days = |days: &[&str]| days.iter().map(|day| day.parse().unwrap()).collect();
    let publish = calendar_publication::Command::PublishYear {
        edition: "cn-2027".into(),
        year: CalendarYear {
            year: 2027,
            holidays: days(&["2027-01-01"]),
            workdays: days(&["2027-01-02"]),
            doc_no: "国办发明电".into(),
        },
    };
    bureau
        .publish_calendar(publish, &by("admin", "operator", "2026-12-30"))
        .await
        .unwrap();
    assert_eq!(bureau.rules().current_calendar().edition().to_string(), "cn-2027");
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let clock: Arc<dyn Clock> = Arc::new(clock("2026-12-30"));
    let walking = tokio::spawn(run(
        bureau.clone(),
        shelf.clone(),
        shelf.clone(),
        Lane::WHOLE,
        clock,
        stopping,
    ));
    // Filed, accepted, two numbers, the calendar.
    grown(&store, &case_stream(case), 5).await;
    stop.send(true).unwrap();
    walking.await.unwrap();
    assert!(
        names(&*store, &case_stream(case))
            .await
            .contains(&"CalendarAdopted".to_owned())
    );
    // A bureau that opens later knows the publication too.
    let later = plain(store).await;
    assert_eq!(later.rules().current_calendar().edition().to_string(), "cn-2027");
}
