//! Imports through the command line: the publisher's own figures come out again, bad rows stop nothing, a batch can be
//! repeated and taken back.

use std::{collections::BTreeMap, path::PathBuf};

use crate::{
    running::{Server, assert_same_rows, data_directory, run_well, view_rows},
    tidy::root,
};

const PERMITS: &str = "server/data/permits/permit-records.csv.gz";
const CASES: u64 = 33_268;

fn permits() -> PathBuf {
    root().join("server/data/permits")
}

/// A figure of the reconciliation report, by its English name.
fn figure(report: &str, name: &str) -> u64 {
    let line = report
        .lines()
        .find(|line| line.contains(name))
        .unwrap_or_else(|| panic!("no {name} in:\n{report}"));
    line.split_whitespace().last().unwrap().parse().unwrap()
}

/// The rows of a CSV, each by its columns' names.
fn table(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut csv = csv::Reader::from_reader(text.as_bytes());
    csv.deserialize().map(|row| row.unwrap()).collect()
}

#[test]
fn the_permits_come_back_as_the_publisher_s_own_figures() {
    let data = data_directory();
    let file = root().join(PERMITS);
    let file = file.to_str().unwrap();
    let report = run_well(data.path(), &["import", "permits", file, "--batch", "permits"]);
    assert_eq!(figure(&report, "rows read"), CASES);
    assert_eq!(figure(&report, "cases written"), CASES);
    assert_eq!(figure(&report, "rejected"), 0);

    // The rest of the questions go to a server, which is how they are asked in earnest.
    let server = Server::start(data.path());
    let published = table(&std::fs::read_to_string(permits().join("permit-timelines.csv")).unwrap());
    let mut compared = 0;
    for (dimension, by) in [
        ("overall", "city"),
        ("project", "city,project"),
        ("review_track", "city,review_track"),
        ("permit_type_group", "city,permit_type_group"),
        ("project_and_permit_type", "city,project,permit_type_group"),
    ] {
        let printed = run_well(
            data.path(),
            &["report", "handling-time", "--by", by, "--cohort", "mature", "--format", "csv"],
        );
        let ours = table(&printed);
        for row in published
            .iter()
            .filter(|row| row["dimension"] == dimension && row["suppressed"] == "no")
        {
            let group: Vec<String> = by.split(',').skip(1).map(str::to_owned).collect();
            let mine = ours
                .iter()
                .find(|mine| {
                    let name: Vec<&str> = group.iter().map(|column| mine[column].as_str()).collect();
                    mine["city"] == row["city"] && (dimension == "overall" || name.join("|") == row["group"])
                })
                .unwrap_or_else(|| panic!("no line for {row:?} in\n{printed}"));
            for column in [
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
            ] {
                assert_eq!(mine[column], row[column], "{column} of {row:?}");
            }
            compared += 1;
        }
    }
    assert!(compared >= 15, "only {compared} published rows were compared");

    let published = table(&std::fs::read_to_string(permits().join("permit-cohorts.csv")).unwrap());
    let ours = table(&run_well(
        data.path(),
        &["report", "cohorts", "--by", "city,applied_year", "--format", "csv"],
    ));
    for row in &published {
        let mine = ours
            .iter()
            .find(|mine| mine["city"] == row["city"] && mine["applied_year"] == row["year"])
            .unwrap();
        for column in ["submitted", "issued", "resolved"] {
            assert_eq!(mine[column], row[column], "{column} of {row:?}");
        }
    }
    assert!(server.stop().success());

    // Again: nothing is doubled.
    let report = run_well(data.path(), &["import", "permits", file, "--batch", "permits"]);
    assert_eq!(
        (figure(&report, "cases written"), figure(&report, "already there")),
        (0, CASES)
    );
    assert!(run_well(data.path(), &["verify"]).contains("intact"));
}

#[test]
fn a_bad_row_is_refused_by_its_line_and_stops_nothing() {
    let data = data_directory();
    let file = data.path().join("permits.csv");
    std::fs::write(&file, few_permits("2025-02-30")).unwrap();
    let file = file.to_str().unwrap();
    let tried = run_well(data.path(), &["import", "permits", file, "--batch", "few", "--dry-run"]);
    assert_eq!((figure(&tried, "cases written"), figure(&tried, "rejected")), (2, 1));
    let report = run_well(data.path(), &["import", "permits", file, "--batch", "few"]);
    assert_eq!((figure(&report, "cases written"), figure(&report, "rejected")), (2, 1));
    assert!(report.contains("adds up"), "{report}");
    let rejects = std::fs::read_to_string(format!("{file}.rejects.csv")).unwrap();
    let rejects = table(&rejects);
    assert_eq!(rejects[0]["line"], "3");
    assert!(rejects[0]["reason"].contains("2025-02-30"), "{rejects:?}");
}

#[test]
fn a_batch_taken_back_leaves_every_view_as_before_and_can_come_again() {
    let data = data_directory();
    let (first, second) = (data.path().join("a.csv"), data.path().join("b.csv"));
    std::fs::write(&first, few_permits("2025-02-03")).unwrap();
    std::fs::write(&second, few_permits("2025-02-03").replace("seattle", "spokane")).unwrap();
    let server = Server::start(data.path());
    run_well(data.path(), &["import", "permits", first.to_str().unwrap(), "--batch", "a"]);
    let before = view_rows(&server);
    run_well(data.path(), &["import", "permits", second.to_str().unwrap(), "--batch", "b"]);
    assert_ne!(view_rows(&server), before);
    let said = run_well(data.path(), &["import", "rollback", "b"]);
    assert!(said.contains("rolled back 3"), "{said}");
    assert_same_rows(&view_rows(&server), &before);
    let report = run_well(data.path(), &["import", "permits", second.to_str().unwrap(), "--batch", "b"]);
    assert_eq!(figure(&report, "cases written"), 3);
    let cities = run_well(data.path(), &["report", "cohorts", "--by", "city", "--format", "csv"]);
    assert!(cities.contains("spokane,3,2,0.667"), "{cities}");
    assert!(server.stop().success());
}

#[test]
fn a_small_event_log_becomes_one_event_for_each_of_its_own() {
    let data = data_directory();
    let file = root().join("tests/imports/small.xes");
    let report = run_well(data.path(), &["import", "xes", file.to_str().unwrap(), "--batch", "small"]);
    assert_eq!((figure(&report, "cases written"), figure(&report, "events written")), (2, 5));
    assert_eq!(figure(&report, "rejected"), 1);
}

/// The receipt phase of an environmental permit (CoSeLoG project, by J. Buijs): 918 traces and 5,626 events, counted by hand.
#[test]
fn the_receipt_log_becomes_its_918_cases_and_5626_events() {
    let file = root().join("../shared/data/wabo/train_env_permit.xes.gz");
    if !file.is_file() {
        println!("skipped: ../shared/data/wabo/train_env_permit.xes.gz is not here");
        return;
    }
    let data = data_directory();
    let report = run_well(data.path(), &["import", "xes", file.to_str().unwrap(), "--batch", "receipt"]);
    assert_eq!(
        (
            figure(&report, "rows read"),
            figure(&report, "cases written"),
            figure(&report, "events written")
        ),
        (918, 918, 5_626)
    );
    let departments = table(&run_well(
        data.path(),
        &["report", "cohorts", "--by", "department", "--format", "csv"],
    ));
    let counted: u64 = departments.iter().map(|row| row["submitted"].parse::<u64>().unwrap()).sum();
    assert_eq!(counted, 918);
}

#[test]
fn beside_a_running_server_looking_is_free_and_writing_is_handed_over() {
    let data = data_directory();
    let server = Server::start(data.path());
    let file = data.path().join("permits.csv");
    std::fs::write(&file, few_permits("2025-02-30")).unwrap();
    let words = ["import", "permits", file.to_str().unwrap(), "--batch", "few"];
    let report = run_well(data.path(), &words);
    assert_eq!((figure(&report, "cases written"), figure(&report, "rejected")), (2, 1));
    assert!(run_well(data.path(), &["report", "cohorts", "--by", "city", "--format", "csv"]).contains("seattle,2,2,1"));
    run_well(data.path(), &["rebuild", "statistics"]);
    run_well(data.path(), &["verify"]);
    run_well(data.path(), &["views"]);
    run_well(data.path(), &["doctor"]);
    assert!(run_well(data.path(), &["import", "rollback", "few"]).contains("rolled back 2"));
    let refused = server.post(
        "/errands",
        &[("content-type", "application/json")],
        r#"{"Rebuild":{"view":"all"}}"#,
    );
    assert_eq!(refused.0, 401, "errands are for those who can read the data directory");
    assert!(server.stop().success());
}

/// Three permits, the second with this date of application.
fn few_permits(second_applied: &str) -> String {
    format!(
        "city,permit_id,applied_date,issued_date,days_to_issue,applied_year,project,review_track,permit_type_group,in_mature_cohort\n\
         seattle,A-1,2025-01-06,2025-01-16,10,2025,adu,Regular,addition,yes\n\
         seattle,A-2,{second_applied},,,2025,adu,Regular,addition,no\n\
         seattle,A-3,2025-03-03,2025-03-03,0,2025,garage,Field,alteration,yes\n"
    )
}
