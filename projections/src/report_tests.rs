//! The reports over the permits that the repository carries are the publisher's own answers.

#![allow(clippy::unwrap_used)]

use std::{collections::HashMap, io::Read, path::PathBuf, sync::Arc};

use domain::{
    case::{CaseEvent, Event},
    case_types::construction_permit::{ConstructionPermit, ITEM_CODE},
    metadata::bureau_midnight,
};
use event_store_contract::{EventStore, Expected, MemoryStore, NewEvent, StreamName};
use uuid::Uuid;

use crate::{
    ALL,
    report::{cohorts, handling_time, working_time},
    testing::{Stage, cases},
    views,
};

type Line = HashMap<String, String>;

fn permits() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../server/data/permits")
}

fn lines(name: &str) -> Vec<Line> {
    let bytes = std::fs::read(permits().join(name)).unwrap();
    let mut text = String::new();
    if std::path::Path::new(name).extension().is_some_and(|ending| ending == "gz") {
        flate2::read::GzDecoder::new(bytes.as_slice())
            .read_to_string(&mut text)
            .unwrap();
    } else {
        text = String::from_utf8(bytes).unwrap();
    }
    csv::Reader::from_reader(text.as_bytes())
        .deserialize()
        .map(Result::unwrap)
        .collect()
}

fn stored(event: Event, id: u128) -> NewEvent {
    let (name, data) = CaseEvent::<ConstructionPermit>::Kernel(event).write().unwrap();
    NewEvent {
        id: Uuid::from_u128(id),
        name: name.into(),
        data: data.into(),
        metadata: "{}".into(),
    }
}

/// The publisher's rows as imported cases.
async fn imported(records: &[Line]) -> Arc<dyn EventStore> {
    let store: Arc<dyn EventStore> = Arc::new(MemoryStore::new());
    for (number, record) in (1_u128..).zip(records) {
        let opened = Event::ImportedCaseOpened {
            batch: "permits".to_owned(),
            source: "permits".to_owned(),
            legacy_id: record["permit_id"].clone(),
            item_code: ITEM_CODE.to_owned(),
            region: "330109".to_owned(),
            attributes: record.clone().into_iter().collect(),
            activity: None,
            resource: None,
            submitted_at: bureau_midnight(record["applied_date"].parse().unwrap()),
        };
        let mut events = vec![stored(opened, number << 8)];
        if let Ok(issued_on) = record["issued_date"].parse() {
            let at = bureau_midnight(issued_on);
            let decided = Event::ImportedDecisionRecorded {
                batch: "permits".to_owned(),
                granted: true,
                licence_no: None,
                at,
            };
            events.push(stored(decided, (number << 8) | 1));
        }
        let stream = StreamName::of("constructionPermit", Uuid::from_u128(number << 80)).unwrap();
        store.append(&stream, Expected::NoStream, events).await.unwrap();
    }
    store
}

#[tokio::test(flavor = "multi_thread")]
async fn the_publishers_timelines_and_cohorts_are_reproduced_exactly() {
    let records = lines("permit-records.csv.gz");
    assert_eq!(records.len(), 33_268);
    let stage = Stage::with(imported(&records).await, views::all()).await;
    stage.views.rebuild(ALL, |_| {}).await.unwrap();
    let database = stage.views.database();
    let mut compared = 0;
    for expected in lines("permit-timelines.csv").iter().filter(|line| line["suppressed"] == "no") {
        let mut by = vec!["city".to_owned()];
        let mut groups = vec![expected["city"].clone()];
        match expected["dimension"].as_str() {
            "overall" => {}
            "project_and_permit_type" => by.extend(["project".to_owned(), "permit_type_group".to_owned()]),
            attribute => by.push(attribute.to_owned()),
        }
        if by.len() > 1 {
            groups.extend(expected["group"].split('|').map(str::to_owned));
        }
        let rows = handling_time(database, &by, &[], true).await.unwrap();
        let row = rows.iter().find(|row| row.groups == groups).unwrap();
        let ours = [
            row.n,
            row.p25,
            row.median,
            row.p75,
            row.p90,
            row.within_30,
            row.within_60,
            row.within_90,
            row.within_180,
            row.within_365,
        ];
        let names = [
            "n",
            "p25",
            "median",
            "p75",
            "p90",
            "within_30",
            "within_60",
            "within_90",
            "within_180",
            "within_365",
        ];
        assert_eq!(
            ours.map(|figure| figure.to_string()),
            names.map(|name| expected[name].clone()),
            "{groups:?}"
        );
        compared += 1;
    }
    assert_eq!(compared, 23);
    let rows = cohorts(database, &["city".to_owned(), "applied_year".to_owned()], &[])
        .await
        .unwrap();
    for expected in lines("permit-cohorts.csv") {
        let row = rows
            .iter()
            .find(|row| row.groups == [expected["city"].as_str(), expected["year"].as_str()])
            .unwrap();
        assert_eq!(
            [row.submitted.to_string(), row.issued.to_string(), row.resolved()],
            [&expected["submitted"], &expected["issued"], &expected["resolved"]].map(String::clone)
        );
    }
    let where_seattle = [("city".to_owned(), "seattle".to_owned())];
    let seattle = handling_time(database, &["project".to_owned()], &where_seattle, true)
        .await
        .unwrap();
    assert_eq!(seattle.iter().map(|row| row.n).sum::<i64>(), 421);
}

#[tokio::test(flavor = "multi_thread")]
async fn working_days_and_on_time_rates_are_those_of_decided_cases() {
    let stage = Stage::new().await;
    let mut decided = cases(4, 7_000);
    for case in &mut decided {
        case.straight();
        stage.write(case).await;
    }
    let mut open = cases(3, 7_100);
    for case in &mut open {
        case.submit();
        stage.write(case).await;
    }
    stage.views.rebuild("statistics", |_| {}).await.unwrap();
    let rows = working_time(stage.views.database(), &["item".to_owned()], &[]).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].n, rows[0].statutory_measured, rows[0].statutory_on_time), (4, 4, 4));
    assert_eq!(rows[0].statutory_permille(), Some(1000));
    assert!(rows[0].median <= 2 && rows[0].average_hundredths <= 200, "{rows:?}");
    assert!(
        working_time(stage.views.database(), &[], &[("item".to_owned(), "nothing".to_owned())])
            .await
            .unwrap()
            .is_empty()
    );
}

#[test]
fn shares_are_rounded_half_up_and_written_without_needless_zeros() {
    let row = |resolved_permille| crate::report::CohortRow {
        groups: Vec::new(),
        submitted: 1,
        issued: 1,
        resolved_permille,
    };
    assert_eq!(
        [830, 813, 1000, 5].map(|permille| row(permille).resolved()),
        ["0.83", "0.813", "1", "0.005"]
    );
}
