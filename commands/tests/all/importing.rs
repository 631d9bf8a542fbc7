//! Former systems' cases, in and out again.

use std::{io::Cursor, num::NonZeroUsize, path::PathBuf, sync::Arc};

use commands::{
    Bureau, Moment,
    imports::{
        self, Found, ImportReport, Order,
        batch::{self, BatchEvent, batch_events, case_id},
        permits, roll_back, xes,
    },
};
use domain::{
    case::{Command, Stage},
    case_types::construction_permit::ITEM_CODE,
};
use event_store_contract::{EventStore, Filter, MemoryStore};

use crate::support::{CATEGORY, ask, bureau, by, case_stream, clock, names, plain};

const PERMITS: &str = include_str!("../fixtures/permits.csv");
const LOG: &str = include_str!("../fixtures/log.xes");

fn order(batch: &str) -> Order {
    Order {
        batch: batch.into(),
        category: CATEGORY.into(),
        item_code: ITEM_CODE.into(),
        region: "330109".into(),
        operator: "chen".into(),
        dry_run: false,
        concurrency: batch::DEFAULT_CONCURRENCY,
    }
}

async fn import(bureau: &Bureau, rows: impl Iterator<Item = Found> + Send, order: &Order) -> ImportReport {
    let report = imports::run(bureau, rows, order, &clock("2026-11-02"), |_| {}).await.unwrap();
    assert!(report.adds_up(), "{report:?}");
    report
}

fn good_and_bad() -> permits::Permits<Cursor<&'static str>> {
    permits::read(Cursor::new(PERMITS)).unwrap()
}

async fn head(store: &MemoryStore) -> u64 {
    store
        .read_all(None, 10_000, &Filter::prefixes(["constructionPermit-"]))
        .await
        .unwrap()
        .events
        .len() as u64
}

#[test]
fn a_bad_row_is_refused_with_its_line_and_the_reason() {
    let rejects: Vec<_> = good_and_bad()
        .filter_map(|found| match found {
            Found::Reject(reject) => Some((reject.line, reject.reason)),
            Found::Case(_) => None,
        })
        .collect();
    for ((line, reason), (expected_line, expected)) in rejects.iter().zip([
        (5, "issued_date 2021-01-01 is before applied_date 2021-06-15"),
        (6, "applied_date \"2021-13-01\" is no date"),
        (7, "days_to_issue is \"9\", but the dates say \"10\""),
        (8, "permit_id is empty"),
        (9, "the row has 3 columns"),
        (10, "stands in line 2 already"),
        (11, "in_mature_cohort is \"maybe\""),
        (12, "applied_year is \"2020\""),
    ]) {
        assert!(*line == expected_line && reason.contains(expected), "line {line}: {reason}");
    }
    assert_eq!(rejects.len(), 8);
    assert!(permits::read(Cursor::new("city,permit_id\n")).is_err());
}

#[tokio::test]
async fn permits_become_cases_with_their_own_dates_and_columns() {
    let (bureau, store) = bureau().await;
    let report = import(&bureau, good_and_bad(), &order("permits")).await;
    assert_eq!(
        (
            report.rows_read,
            report.cases_written,
            report.events_written,
            report.rows_rejected
        ),
        (12, 4, 6, 8)
    );
    assert_eq!(
        (
            report.sums["issued"],
            report.sums["days_to_issue"],
            report.sums["city=seattle"]
        ),
        (2, 396, 1)
    );
    let id = case_id("los-angeles", "21014-10000-03707");
    assert_eq!(
        names(&*store, &case_stream(id)).await,
        ["ImportedCaseOpened", "ImportedDecisionRecorded"]
    );
    let case = bureau.case_at(CATEGORY, id, Moment::Head).await.unwrap().unwrap();
    let imported = case.case.kernel().imported.as_ref().unwrap();
    assert_eq!(
        (imported.legacy_id.as_str(), imported.batch.as_str()),
        ("21014-10000-03707", "permits")
    );
    assert_eq!(imported.attributes["review_track"], "Regular Plan Check");
    assert_eq!(
        (imported.submitted_on.to_string(), imported.decided_on.unwrap().to_string()),
        ("2021-07-21".into(), "2022-08-11".into())
    );
    // Imported events keep their own business time.
    let before = Moment::OccurredAt("2022-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(bureau.case_at(CATEGORY, id, before).await.unwrap().unwrap().events_seen, 1);
    let events = batch_events(&bureau, "permits").await.unwrap();
    assert!(
        matches!(&events[..], [BatchEvent::BatchStarted { .. }, BatchEvent::BatchFinished { report }] if report.cases_written == 4)
    );
    let mut rejects = Vec::new();
    report.write_rejects(&mut rejects).unwrap();
    assert!(String::from_utf8(rejects).unwrap().starts_with("line,reason\n5,issued_date"));
}

#[tokio::test]
async fn an_import_can_be_run_again_whenever_it_was_stopped() {
    let (bureau, store) = bureau().await;
    // Stopped after three rows.
    import(&bureau, good_and_bad().take(3), &order("permits")).await;
    let report = import(&bureau, good_and_bad(), &order("permits")).await;
    assert_eq!((report.already_there, report.cases_written), (3, 1));
    let events = head(&store).await;
    let restarted = plain(store.clone()).await;
    let report = import(&restarted, good_and_bad(), &order("permits")).await;
    assert_eq!((report.already_there, report.cases_written, report.events_written), (4, 0, 0));
    assert_eq!(report.sums["days_to_issue"], 396, "the sums are over all good rows");
    assert_eq!(head(&store).await, events);
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_written_and_writes_nothing() {
    let (bureau, store) = bureau().await;
    let dry = Order {
        dry_run: true,
        ..order("permits")
    };
    let report = import(&bureau, good_and_bad(), &dry).await;
    assert_eq!((report.cases_written, report.events_written, report.rows_rejected), (4, 6, 8));
    assert_eq!(store.head().await.unwrap(), None);
    import(&bureau, good_and_bad(), &order("permits")).await;
    assert_eq!(import(&bureau, good_and_bad(), &dry).await.already_there, 4);
}

#[tokio::test]
async fn a_batch_can_be_taken_back_and_imported_again() {
    let (bureau, _) = bureau().await;
    let clock = clock("2026-11-03");
    import(&bureau, good_and_bad(), &order("permits")).await;
    let taken = roll_back(&bureau, "permits", "错误批次", "chen", &clock).await.unwrap();
    assert_eq!((taken.cases_rolled_back, taken.kept.len()), (4, 0));
    let id = case_id("los-angeles", "21014-10000-03707");
    let case = async || bureau.case_at(CATEGORY, id, Moment::Head).await.unwrap().unwrap().case;
    assert_eq!(case().await.stage(), Stage::RolledBack);
    assert_eq!(
        roll_back(&bureau, "permits", "错误批次", "chen", &clock)
            .await
            .unwrap()
            .cases_rolled_back,
        0
    );
    let again = import(&bureau, good_and_bad(), &order("permits")).await;
    assert_eq!((again.cases_written, again.events_written), (4, 6));
    assert_ne!(case().await.stage(), Stage::RolledBack);
    assert_eq!(
        roll_back(&bureau, "permits", "又错了", "chen", &clock)
            .await
            .unwrap()
            .cases_rolled_back,
        4
    );
}

#[tokio::test]
async fn another_batch_s_cases_and_those_worked_on_since_stay() {
    let (bureau, _) = bureau().await;
    import(&bureau, good_and_bad(), &order("first")).await;
    let second = import(&bureau, good_and_bad(), &order("second")).await;
    assert_eq!(
        (second.cases_written, second.rows_rejected),
        (0, 12),
        "they belong to the first batch"
    );
    assert_eq!(
        roll_back(&bureau, "second", "?", "chen", &clock("2026-11-03"))
            .await
            .unwrap()
            .cases_rolled_back,
        0
    );
    let supervised = Command::Supervise {
        opinion: "请核实".into(),
        reply_due_on: "2026-12-01".parse().unwrap(),
    };
    let id = case_id("los-angeles", "21014-10000-03707");
    ask(&bureau, id, supervised, &by("sun", "supervisor", "2026-11-02"))
        .await
        .unwrap();
    let taken = roll_back(&bureau, "first", "?", "chen", &clock("2026-11-03")).await.unwrap();
    assert_eq!((taken.cases_rolled_back, taken.kept.len()), (3, 1));
    assert_eq!(taken.kept[0].0, id);
}

fn wabo() -> xes::Mapping {
    xes::Mapping::parse(xes::WABO_MAPPING).unwrap()
}

#[tokio::test]
async fn every_event_of_a_trace_becomes_an_event_of_its_case() {
    let (bureau, store) = bureau().await;
    let report = import(&bureau, xes::read(Cursor::new(LOG), wabo()), &order("log")).await;
    let reasons: Vec<_> = report
        .rejected
        .iter()
        .map(|reject| (reject.line, reject.reason.as_str()))
        .collect();
    assert_eq!(
        reasons,
        [
            (45, "event 1 of trace case-3 has no time:timestamp"),
            (51, "the trace has no concept:name"),
            (57, "trace case-1 stands in line 10 already"),
            (64, "trace case-4 has no events"),
        ]
    );
    assert_eq!(
        (report.cases_written, report.events_written, report.sums["events"]),
        (2, 4, 4)
    );
    assert_eq!(report.sums["unmapped: Coffee break"], 1);
    let id = case_id("wabo", "case-1");
    assert_eq!(
        names(&*store, &case_stream(id)).await,
        ["ImportedCaseOpened", "ImportedStepRecorded", "ImportedStepRecorded"]
    );
    let case = bureau.case_at(CATEGORY, id, Moment::Head).await.unwrap().unwrap();
    let imported = case.case.kernel().imported.as_ref().unwrap();
    assert_eq!(imported.attributes["channel"], "Internet & more");
    assert_eq!(imported.attributes["address"], "Main Street");
    assert_eq!(imported.attributes["address/number"], "7");
    assert_eq!(imported.attributes["parts/part"], "roof");
    assert_eq!(imported.attributes["first_event/org:group"], "Group 1");
}

#[test]
fn a_trace_that_is_too_long_is_refused_and_the_next_one_read() {
    let event =
        r#"<event><string key="concept:name" value="x"/><date key="time:timestamp" value="2010-10-05T07:20:39Z"/></event>"#;
    let trace = |name: &str, events| {
        format!(
            "<trace><string key=\"concept:name\" value=\"{name}\"/>{}</trace>",
            event.repeat(events)
        )
    };
    let log = format!(
        "<log>{}{}</log>",
        trace("long", xes::MAX_EVENTS_PER_TRACE + 1),
        trace("short", 1)
    );
    let found: Vec<_> = xes::read(Cursor::new(log), wabo()).collect();
    assert!(matches!(&found[0], Found::Reject(reject) if reject.reason.contains("more than")));
    assert!(matches!(&found[1], Found::Case(row) if row.legacy_id == "short"));
}

#[test]
fn a_torn_log_is_reported_where_it_breaks() {
    let torn = &LOG[..LOG.find("case-2").unwrap()];
    let found: Vec<_> = xes::read(Cursor::new(torn), wabo()).collect();
    assert!(matches!(&found[0], Found::Case(_)));
    assert!(
        matches!(&found[1], Found::Reject(reject) if reject.reason.contains("cannot be read any further")),
        "{found:?}"
    );
    assert_eq!(found.len(), 2);
}

/// A file of the bureau's data, if it is there beside the checkout.
fn shared(path: &str) -> Option<PathBuf> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(path);
    if file.exists() {
        return Some(file);
    }
    eprintln!("skipped: {} is not here", file.display());
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_real_permits_are_imported_whole() {
    let Some(file) = shared("permits/permit-records.csv.gz") else {
        return;
    };
    let (bureau, store) = bureau().await;
    let rows = permits::read(imports::open(&file).unwrap()).unwrap();
    let report = import(&bureau, rows, &order("real")).await;
    assert_eq!(
        (report.rows_read, report.cases_written, report.rows_rejected),
        (33_268, 33_268, 0),
        "{:?}",
        report.rejected.first()
    );
    assert_eq!(report.events_written, 33_268 + u64::try_from(report.sums["issued"]).unwrap());
    let batch_records = 2;
    assert_eq!(store.head().await.unwrap().unwrap().0, report.events_written + batch_records);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_real_log_gives_918_cases_and_5626_events() {
    let Some(file) = shared("wabo/train_env_permit.xes.gz") else {
        return;
    };
    let bureau = plain(Arc::new(MemoryStore::new())).await;
    let one_by_one = Order {
        concurrency: NonZeroUsize::new(16).unwrap(),
        ..order("wabo")
    };
    let report = import(&bureau, xes::read(imports::open(&file).unwrap(), wabo()), &one_by_one).await;
    assert_eq!(
        (report.cases_written, report.events_written, report.rows_rejected),
        (918, 5_626, 0),
        "{:?}",
        report.rejected.first()
    );
    assert!(
        !report.sums.keys().any(|name| name.starts_with("unmapped")),
        "{:?}",
        report.sums
    );
    assert_eq!(
        (report.sums["step=ReceiptConfirmed"], report.sums["step=StopAdvised"]),
        (918, 946 + 835)
    );
}
