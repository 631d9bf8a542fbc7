//! Cases at work: the law and the process through the same doors, with reactions, timers, and another model.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use casework::{Edition, Library};
use chrono::{DateTime, NaiveDate, Utc};
use commands::{
    Bureau, CommandError, Message, Migration, Moment,
    outside::{DueProcessTimer, DueProcessTimers, DueTimer, DueTimers, OutsideError, WaitingProcesses},
    reactions::react_to_everything,
    timers::{TimersFired, fire_due_once},
};
use domain::case::{Command, Conclusion, DeliveryMethod};
use event_store_contract::{Lane, MemoryStore};
use process_engine::instance::{self, Bindings, Outcome, Said, Waiting};
use uuid::Uuid;

use crate::support::{CATEGORY, accept, ask, assign, by, case_stream, clerk, clock, grant, names, noon, ready_to_grant, submit};

async fn bureau() -> (Bureau, Arc<MemoryStore>) {
    let store = Arc::new(MemoryStore::new());
    (Bureau::open(store.clone()).await.unwrap(), store)
}

async fn process(bureau: &Bureau, case: Uuid, at: Moment) -> instance::Instance {
    bureau.case_at(CATEGORY, case, at).await.unwrap().unwrap().case.process
}

async fn open(bureau: &Bureau, case: Uuid) -> Vec<String> {
    let process = process(bureau, case, Moment::Head).await;
    process.tasks.values().map(|task| task.element.to_string()).collect()
}

fn code(answer: Result<impl Sized, CommandError>) -> String {
    match answer {
        Err(CommandError::Rejected(refusal)) => {
            assert!(!refusal.message_zh.is_empty());
            refusal.code
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was not refused"),
    }
}

async fn in_review(bureau: &Bureau, on: &str) -> Uuid {
    let case = Uuid::new_v4();
    ask(bureau, case, submit(), &clerk(on)).await.unwrap();
    ask(bureau, case, accept(), &clerk(on)).await.unwrap();
    ask(bureau, case, assign("zhang"), &by("li", "sectionChief", on))
        .await
        .unwrap();
    case
}

#[tokio::test]
async fn a_case_goes_its_way_with_its_process_and_the_platform_does_what_it_can() {
    let (bureau, store) = bureau().await;
    let case = Uuid::new_v4();
    ready_to_grant(&bureau, case, "2026-09-01").await;
    assert_eq!(open(&bureau, case).await, ["decision"]);
    ask(&bureau, case, grant(), &by("chen", "director", "2026-09-01"))
        .await
        .unwrap();
    assert_eq!(open(&bureau, case).await, ["delivery"]);
    assert_eq!(process(&bureau, case, Moment::Head).await.jobs.len(), 1);
    react_to_everything(&bureau, None, &clock("2026-09-01")).await.unwrap();
    let after = process(&bureau, case, Moment::Head).await;
    assert!(after.jobs.is_empty(), "the applicant was told");
    let deliver = Command::Deliver {
        method: DeliveryMethod::Window,
        receiver: "王建国".into(),
    };
    ask(&bureau, case, deliver, &clerk("2026-09-02")).await.unwrap();
    assert_eq!(open(&bureau, case).await, ["archive"]);
    let names = names(&*store, &case_stream(case)).await;
    assert!(
        names.contains(&"PermitIssued".into()) && names.contains(&"JobCompleted".into()),
        "{names:?}"
    );
    // What is folded again from the stream is what was decided on.
    let restarted = Bureau::open(store.clone()).await.unwrap();
    let again = process(&restarted, case, Moment::Head).await;
    assert_eq!(again, process(&bureau, case, Moment::Head).await);
    // Walking the log again does nothing twice.
    react_to_everything(&restarted, None, &clock("2026-09-03")).await.unwrap();
    assert_eq!(self::names(&*store, &case_stream(case)).await, names);
}

#[tokio::test]
async fn what_the_process_does_not_wait_for_is_refused_and_on_record() {
    let (bureau, _) = bureau().await;
    let case = in_review(&bureau, "2026-09-01").await;
    let chief = by("li", "sectionChief", "2026-09-01");
    // The law would not either; it answers first.
    assert_eq!(code(ask(&bureau, case, Command::ApproveBySection, &chief).await), "NOT_NOW");
    let alone = instance::Command::CompleteTask {
        task: *process(&bureau, case, Moment::Head).await.tasks.keys().next().unwrap(),
        outcome: Outcome::Approved,
        said: Said::default(),
        form: Bindings::new(),
        chosen: Vec::new(),
    };
    let handler = by("zhang", "handler", "2026-09-01");
    let answer = bureau.to_process(CATEGORY, case, alone.clone(), &handler).await;
    assert_eq!(code(answer), "MEANS_A_COMMAND");
    let review = Command::CompleteReview {
        conclusion: Conclusion::Agree,
        second_officer: "zhou".into(),
    };
    let both = by("zhang", "handler", "2026-09-01");
    bureau.to_task(CATEGORY, case, alone, Some(review), &both).await.unwrap();
    assert_eq!(open(&bureau, case).await, ["section"]);
    let refused = bureau.refusals("2026-09-01".parse().unwrap(), 10).await.unwrap();
    let codes: Vec<&str> = refused.iter().map(|refused| refused.code.as_str()).collect();
    assert_eq!(codes, ["MEANS_A_COMMAND", "NOT_NOW"]);
}

#[tokio::test]
async fn who_may_do_what_with_a_process_stands_in_the_table() {
    let (bureau, _) = bureau().await;
    let case = in_review(&bureau, "2026-09-01").await;
    let cancel = || instance::Command::Cancel { reason: "试".into() };
    let answer = bureau.to_process(CATEGORY, case, cancel(), &clerk("2026-09-01")).await;
    assert!(matches!(answer, Err(CommandError::Forbidden { .. })), "{answer:?}");
    let elsewhere = commands::Envelope {
        region: "110000".into(),
        ..by("chen", "director", "2026-09-01")
    };
    let answer = bureau.to_process(CATEGORY, case, cancel(), &elsewhere).await;
    assert!(matches!(answer, Err(CommandError::Forbidden { .. })), "{answer:?}");
}

#[tokio::test]
async fn the_process_can_be_seen_as_it_was() {
    let (bureau, _) = bureau().await;
    let case = Uuid::new_v4();
    let filed = ask(&bureau, case, submit(), &clerk("2026-09-01")).await.unwrap();
    ask(&bureau, case, accept(), &clerk("2026-09-02")).await.unwrap();
    let was = process(&bureau, case, Moment::Revision(filed.revision.unwrap())).await;
    assert_eq!(was.tasks.values().map(|task| &*task.element).collect::<Vec<_>>(), ["intake"]);
    let is = process(&bureau, case, Moment::RecordedAt(noon("2026-09-02"))).await;
    assert_eq!(
        is.tasks.values().map(|task| &*task.element).collect::<Vec<_>>(),
        ["assignment"]
    );
    let diff = bureau.case_diff(CATEGORY, case, Moment::Revision(filed.revision.unwrap()), Moment::Head);
    let diff = diff.await.unwrap().unwrap();
    assert!(
        diff.changes.iter().any(|change| change.path.starts_with("/process/tasks")),
        "{:?}",
        diff.changes
    );
}

/// The view of processes, as it would be now.
struct Views<'a>(&'a Bureau, Mutex<Vec<Uuid>>);

#[async_trait]
impl DueTimers for Views<'_> {
    async fn due(&self, _today: NaiveDate, _lane: Lane, _limit: usize) -> Result<Vec<DueTimer>, OutsideError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl DueProcessTimers for Views<'_> {
    async fn due(&self, now: DateTime<Utc>, _lane: Lane, limit: usize) -> Result<Vec<DueProcessTimer>, OutsideError> {
        let cases = self.1.lock().unwrap().clone();
        let mut due = Vec::new();
        for case_id in cases {
            let process = process(self.0, case_id, Moment::Head).await;
            due.extend(process.waits.iter().filter_map(|(timer, wait)| match wait.what {
                Waiting::Timer { due_at, .. } if due_at <= now => Some(DueProcessTimer {
                    category: CATEGORY.into(),
                    case_id,
                    timer: *timer,
                    due_at,
                }),
                _ => None,
            }));
        }
        due.truncate(limit);
        Ok(due)
    }
}

#[async_trait]
impl WaitingProcesses for Views<'_> {
    async fn waiting(&self, _: &str, _: Option<&str>, _: usize) -> Result<Vec<(String, Uuid)>, OutsideError> {
        Ok(self
            .1
            .lock()
            .unwrap()
            .iter()
            .map(|case| (CATEGORY.to_owned(), *case))
            .collect())
    }
}

#[tokio::test]
async fn a_timer_of_a_process_fires_once_when_its_time_has_come() {
    let (bureau, store) = bureau().await;
    let case = in_review(&bureau, "2026-09-01").await;
    let views = Views(&bureau, Mutex::new(vec![case]));
    let early = fire_due_once(&bureau, &views, &clock("2026-09-02")).await.unwrap();
    assert_eq!(early, TimersFired::default());
    // Three working days after the first of September.
    let fired = fire_due_once(&bureau, &views, &clock("2026-09-07")).await.unwrap();
    assert_eq!(fired, TimersFired { fired: 1, idle: 0 });
    let urged = |names: &[String]| names.iter().filter(|name| *name == "TaskUrged").count();
    assert_eq!(urged(&names(&*store, &case_stream(case)).await), 1);
}

#[tokio::test]
async fn a_message_finds_those_who_wait_for_it_and_none_speaks_for_the_case() {
    let store = Arc::new(MemoryStore::new());
    let library = with_second_version("name=\"WithdrawalConfirmed\"", "name=\"ProjectStopped\"");
    let bureau = Bureau::open_with(store, library).await.unwrap();
    let cases = [in_review(&bureau, "2026-09-01").await, in_review(&bureau, "2026-09-01").await];
    let views = Views(&bureau, Mutex::new(cases.to_vec()));
    let (payload, envelope) = (Bindings::new(), by("ops", "operator", "2026-09-02"));
    let forged = bureau.deliver_message(&views, "ReviewCompleted", None, &payload, &envelope);
    for (_, receipt) in forged.await.unwrap() {
        assert_eq!(code(receipt), "TOLD_BY_THE_CASE");
    }
    let envelope = by("ops", "operator", "2026-09-02");
    let delivered = bureau.deliver_message(&views, "ProjectStopped", None, &payload, &envelope);
    let delivered = delivered.await.unwrap();
    assert!(delivered.iter().all(|(_, receipt)| receipt.is_ok()), "{delivered:?}");
    for case in cases {
        assert_eq!(open(&bureau, case).await, ["withdrawal_archive"]);
    }
}

#[tokio::test]
async fn a_message_goes_to_the_one_case_that_waits_and_sent_again_it_is_answered() {
    let store = Arc::new(MemoryStore::new());
    let library = with_second_version("name=\"WithdrawalConfirmed\"", "name=\"ProjectStopped\"");
    let bureau = Bureau::open_with(store, library).await.unwrap();
    let cases = [in_review(&bureau, "2026-09-01").await, in_review(&bureau, "2026-09-01").await];
    let views = Views(&bureau, Mutex::new(cases.to_vec()));
    let message = Message {
        name: "ProjectStopped".to_owned(),
        correlation: None,
        payload: Bindings::new(),
    };
    let refusal = |error: CommandError| match error {
        CommandError::Rejected(refusal) => refusal.code,
        other => panic!("{other}"),
    };
    let envelope = by("ops", "operator", "2026-09-02");
    let refused = bureau.correlate(&views, &message, &envelope).await.unwrap_err();
    assert_eq!(refusal(refused), "MESSAGE_AMBIGUOUS");
    *views.1.lock().unwrap() = vec![cases[1]];
    let clerk = by("wang", "windowClerk", "2026-09-02");
    let refused = bureau.correlate(&views, &message, &clerk).await.unwrap_err();
    assert!(matches!(refused, CommandError::Forbidden { .. }));
    let (_, case, receipt) = bureau.correlate(&views, &message, &envelope).await.unwrap();
    assert_eq!((case, receipt.repeated), (cases[1], false));
    assert_eq!(open(&bureau, cases[1]).await, ["withdrawal_archive"]);
    // Nobody waits any more; the same command still finds its case.
    views.1.lock().unwrap().clear();
    let (_, case, receipt) = bureau.correlate(&views, &message, &envelope).await.unwrap();
    assert_eq!((case, receipt.repeated), (cases[1], true));
    let refused = bureau
        .correlate(&views, &message, &by("ops", "operator", "2026-09-02"))
        .await
        .unwrap_err();
    assert_eq!(refusal(refused), "NOBODY_WAITS");
    let on = "2026-09-02".parse().unwrap();
    let recorded = bureau.refusals(on, 10).await.unwrap();
    assert_eq!(recorded.len(), 3, "every refusal is on record");
}

/// The program's models, and a second version of the permit's process in which something is written otherwise.
fn with_second_version(was: &str, is: &str) -> Library {
    let carried = Library::embedded();
    let first = carried.editions().find(|edition| &*edition.key == CATEGORY).unwrap();
    let text = String::from_utf8(first.bytes.to_vec()).unwrap();
    let text = text.replace(was, is);
    let read = process_engine::bpmn::read(text.as_bytes(), &process_engine::bpmn::ReadOptions::default()).unwrap();
    let second = Edition {
        version: 2,
        hash: read.definitions.hash.clone(),
        bytes: text.as_bytes().into(),
        ..first.clone()
    };
    carried.with(second).unwrap()
}

#[tokio::test]
async fn cases_go_over_to_another_version_of_their_model_each_by_itself() {
    let (before, store) = bureau().await;
    let running = in_review(&before, "2026-09-01").await;
    let without = Uuid::new_v4();
    let bureau = Bureau::open_with(store.clone(), with_second_version("\"review\"", "\"handling\""))
        .await
        .unwrap();
    let mut migration = Migration {
        key: CATEGORY.into(),
        version: 2,
        elements: Vec::new(),
        reason: "改版".into(),
    };
    let go = async |migration: &Migration, tried_only| {
        let envelope = by("ops", "operator", "2026-09-02");
        let cases = [running, without];
        bureau
            .migrate(CATEGORY, &cases, migration, tried_only, &envelope)
            .await
            .unwrap()
    };
    // The review has no counterpart of its name.
    let answers = go(&migration, true).await;
    assert!(answers.iter().all(|(_, answer)| answer.is_err()), "{answers:?}");
    migration.elements = vec![("review".into(), "handling".into())];
    let length = names(&*store, &case_stream(running)).await.len();
    let answers = go(&migration, true).await;
    assert!(matches!(answers[0], (_, Ok(1..))), "{answers:?}");
    assert_eq!(names(&*store, &case_stream(running)).await.len(), length, "tried only");
    let answers = go(&migration, false).await;
    assert!(answers[0].1.is_ok() && answers[1].1.is_err(), "{answers:?}");
    assert_eq!(open(&bureau, running).await, ["handling"]);
    let review = Command::CompleteReview {
        conclusion: Conclusion::Agree,
        second_officer: "zhou".into(),
    };
    ask(&bureau, running, review, &by("zhang", "handler", "2026-09-03"))
        .await
        .unwrap();
    assert_eq!(open(&bureau, running).await, ["section"]);
    // New cases go by the newest version at once.
    let new = in_review(&bureau, "2026-09-03").await;
    assert_eq!(open(&bureau, new).await, ["handling"]);
}
