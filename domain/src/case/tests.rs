//! What holds for every case besides its way to the decision: imports, withdrawal, ratings, supervision, corrections, calendars.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::{
    CaseCommand, CaseEvent, Command, Event, ImportDecision, ImportStep, ImportedStep, LimitKind, PauseKind, ReviewVerdict, Stage,
    Told,
};
use crate::{
    calendar::CalendarYear,
    case_types::construction_permit::testing::{Story, applicant, complete_review, day, deliver, desk_of, submit},
    registers::calendar_publication::{self, publish_into},
    rules::Rules,
};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn import(batch: &str, steps: Vec<ImportStep>, decision: Option<ImportDecision>) -> Command {
    Command::ImportCase {
        batch: batch.into(),
        source: "permits.csv".into(),
        legacy_id: "21014-10000-03707".into(),
        item_code: "construction-permit".into(),
        attributes: BTreeMap::from([("city".into(), "los-angeles".into())]),
        submitted_at: at("2021-07-20T16:00:00Z"),
        activity: None,
        resource: None,
        steps,
        decision,
    }
}

#[allow(clippy::unnecessary_wraps, reason = "as the command takes it")]
fn decided() -> Option<ImportDecision> {
    let licence_no = Some("21014-10000-03707".into());
    Some(ImportDecision {
        granted: true,
        licence_no,
        at: at("2022-08-10T16:00:00Z"),
    })
}

fn roll_back(batch: &str) -> Command {
    Command::RollBackImport {
        batch: batch.into(),
        reason: "列映射有误".into(),
    }
}

#[test]
fn an_imported_case_keeps_its_own_times_and_owes_nobody_anything() {
    let story = Story::default().then("2026-09-18", "migration", import("b1", vec![], decided()));
    let case = &story.state.kernel;
    assert_eq!(story.names(), ["ImportedCaseOpened", "ImportedDecisionRecorded"]);
    assert_eq!((case.stage, case.handling_calendar_days()), (Stage::Granted, Some(386)));
    assert_eq!(case.handling_working_days(&Rules::embedded()), Some(265));
    assert_eq!(case.on_time(LimitKind::Statutory, &Rules::embedded()), None);
    assert!(story.state.deadlines(&Rules::embedded()).is_empty() && story.state.tasks().is_empty());
    let times: Vec<_> = story
        .events
        .iter()
        .map(|event| matches!(event, CaseEvent::Kernel(event) if event.occurred_at().is_some()))
        .collect();
    assert_eq!(times, [true, true]);
}

#[test]
fn an_import_again_does_nothing_and_from_another_batch_is_refused() {
    let story = Story::default().then("2026-09-18", "migration", import("b1", vec![], decided()));
    let again = story.clone().then("2026-09-19", "migration", import("b1", vec![], decided()));
    assert_eq!(again.events.len(), 2);
    assert_eq!(
        story.refused("2026-09-19", "migration", import("b2", vec![], decided())),
        "ALREADY_IMPORTED"
    );
    assert_eq!(
        Story::filed("2026-09-18").refused("2026-09-18", "migration", import("b1", vec![], None)),
        "NOT_NOW"
    );
}

#[test]
fn an_import_is_rolled_back_unless_somebody_worked_on_it_and_may_come_again() {
    let imported = Story::default().then("2026-09-18", "migration", import("b1", vec![], None));
    assert_eq!(
        imported.refused("2026-09-18", "migration", roll_back("b2")),
        "NOT_OF_THIS_BATCH"
    );
    let back = imported.clone().then("2026-09-18", "migration", roll_back("b1"));
    assert_eq!(back.state.kernel.stage, Stage::RolledBack);
    assert_eq!(
        back.clone().then("2026-09-18", "migration", roll_back("b1")).events.len(),
        back.events.len()
    );
    let again = back.then("2026-09-19", "migration", import("b2", vec![], decided()));
    assert_eq!(again.state.kernel.stage, Stage::Granted);

    let worked_on = imported.then(
        "2026-09-18",
        "wu",
        Command::Supervise {
            opinion: "请核实".into(),
            reply_due_on: day("2026-09-30"),
        },
    );
    assert_eq!(
        worked_on.refused("2026-09-19", "migration", roll_back("b1")),
        "WORKED_ON_SINCE_IMPORT"
    );
}

#[test]
fn the_steps_of_an_imported_case_are_recorded_as_they_were() {
    let step = |step, on: &str| ImportStep {
        step,
        activity: "T02".into(),
        resource: None,
        attributes: BTreeMap::new(),
        at: at(on),
    };
    let steps = vec![
        step(ImportedStep::Checked, "2021-08-01T00:00:00Z"),
        step(ImportedStep::Adjusted, "2021-07-21T00:00:00Z"),
    ];
    let story = Story::default().then("2026-09-18", "migration", import("b1", steps, None));
    assert_eq!((story.events.len(), story.state.kernel.stage), (3, Stage::UnderReview));
    let late = vec![step(ImportedStep::Checked, "2027-01-01T00:00:00Z")];
    assert_eq!(
        Story::default().refused("2026-09-18", "migration", import("b1", late, None)),
        "IN_THE_FUTURE"
    );
    let early = Some(ImportDecision {
        granted: true,
        licence_no: None,
        at: at("2021-01-01T00:00:00Z"),
    });
    assert_eq!(
        Story::default().refused("2026-09-18", "migration", import("b1", vec![], early)),
        "OUT_OF_ORDER"
    );
}

#[test]
fn a_withdrawal_that_is_declined_leads_back_to_where_the_case_was() {
    let paused = Story::filed("2026-09-18").in_review("2026-09-18").then(
        "2026-09-21",
        "zhang",
        Command::Suspend {
            kind: PauseKind::SiteVisit,
            basis: "踏勘".into(),
            expected_working_days: 2,
        },
    );
    let asked = paused.then("2026-09-22", "client", Command::RequestWithdrawal { reason: "重报".into() });
    let declined = asked
        .clone()
        .then("2026-09-22", "wang", Command::DeclineWithdrawal { reason: "已批".into() });
    assert_eq!(declined.state.kernel.stage, Stage::Suspended);
    let resumed = declined.then(
        "2026-09-23",
        "zhang",
        Command::Resume {
            kind: PauseKind::SiteVisit,
            evidence: "记录".into(),
        },
    );
    assert_eq!(resumed.state.kernel.stage, Stage::UnderReview);
    let withdrawn = asked.then("2026-09-22", "wang", Command::ConfirmWithdrawal);
    assert_eq!(withdrawn.refused("2026-09-23", "zhang", complete_review()), "NOT_NOW");
    let clock = withdrawn
        .state
        .kernel
        .clock(LimitKind::Statutory, &Rules::embedded())
        .unwrap();
    assert_eq!(clock.stopped_on(), Some(day("2026-09-22")));
}

#[test]
fn a_bad_review_is_answered_for_before_the_archive() {
    let decided = Story::filed("2026-09-18")
        .in_review("2026-09-18")
        .then("2026-09-18", "zhang", complete_review());
    let refuse = Command::Refuse {
        reasons: vec!["无规划许可证".into()],
        remedies: vec!["行政复议".into(), "行政诉讼".into()],
    };
    let decided = decided.then("2026-09-18", "li", Command::ApproveBySection);
    let no_remedy = Command::Refuse {
        reasons: vec!["不符".into()],
        remedies: vec![" ".into()],
    };
    assert_eq!(decided.refused("2026-09-18", "chen", no_remedy), "REASONS_MISSING");
    let delivered = decided
        .then("2026-09-18", "chen", refuse)
        .then("2026-09-21", "wang", deliver());
    let rate = |grade| Command::Rate {
        grade,
        channel: "网上".into(),
        tags: vec![],
        comment: "慢".into(),
    };
    assert_eq!(delivered.refused("2026-09-22", "client", rate(6)), "INVALID_GRADE");
    let handle = || Command::HandleBadReview {
        verdict: ReviewVerdict::Founded,
        measures: "道歉".into(),
        contacted_on: day("2026-09-23"),
    };
    let rated = delivered.then("2026-09-22", "client", rate(2));
    assert!(rated.state.tasks().iter().any(|task| task.key == "handleBadReview"));
    let archive = || Command::Archive {
        retention: "10 年".into(),
        volume_hash: "00".into(),
    };
    assert_eq!(rated.refused("2026-09-23", "sun", archive()), "STILL_OPEN");
    let handled = rated.then("2026-09-24", "wu", handle());
    assert_eq!(handled.refused("2026-09-24", "wu", handle()), "NO_BAD_REVIEW");
    assert_eq!(
        handled.then("2026-09-24", "sun", archive()).state.kernel.stage,
        Stage::Archived
    );
}

#[test]
fn a_supervision_waits_for_its_answer_and_never_moves_the_case() {
    let story = Story::filed("2026-09-18").in_review("2026-09-18");
    let supervised = story.then(
        "2026-09-21",
        "wu",
        Command::Supervise {
            opinion: "请加快".into(),
            reply_due_on: day("2026-09-23"),
        },
    );
    assert_eq!(supervised.state.kernel.stage, Stage::UnderReview);
    assert!(
        supervised
            .state
            .deadlines(&Rules::embedded())
            .iter()
            .any(|deadline| deadline.kind == "supervisionReply:1")
    );
    let answered = supervised.then(
        "2026-09-22",
        "zhang",
        Command::AnswerSupervision {
            reply: "本周办结".into(),
        },
    );
    assert_eq!(
        answered.refused("2026-09-22", "zhang", Command::AnswerSupervision { reply: "再答".into() }),
        "NOTHING_THERE"
    );
}

#[test]
fn data_are_read_differently_after_a_correction_and_archived_ones_need_two_approvers() {
    let correct = |path: &str, new: serde_json::Value, approvers: &[&str]| Command::CorrectData {
        path: path.into(),
        new,
        reason: "笔误".into(),
        approvers: approvers.iter().map(|approver| (*approver).to_owned()).collect(),
    };
    let withdrawn = Story::default()
        .then("2026-09-18", "client", submit())
        .then("2026-09-18", "client", Command::RequestWithdrawal { reason: "重报".into() })
        .then("2026-09-18", "wang", Command::ConfirmWithdrawal);
    let open = withdrawn
        .clone()
        .then("2026-09-18", "wu", correct("/form/address", json!("示范路 10 号"), &[]));
    assert_eq!(open.state.kernel.form.read()["address"], "示范路 10 号");
    assert_eq!(
        withdrawn.refused("2026-09-18", "wu", correct("/form/contract_price_wan", json!("x"), &[])),
        "FORM_DEFECTS"
    );
    assert_eq!(
        withdrawn.refused("2026-09-18", "wu", correct("/stage", json!("Granted"), &[])),
        "NOTHING_THERE"
    );
    assert_eq!(
        withdrawn.refused("2026-09-18", "wu", correct("/applicant/kind", json!("Robot"), &[])),
        "INVALID_INPUT"
    );

    let archived = withdrawn.then(
        "2026-09-18",
        "sun",
        Command::Archive {
            retention: "永久".into(),
            volume_hash: "00".into(),
        },
    );
    let name = || json!("示范建设集团");
    assert_eq!(
        archived.refused("2026-09-18", "wu", correct("/applicant/name", name(), &["wu", "chen"])),
        "TWO_APPROVERS_NEEDED"
    );
    let corrected = archived.then("2026-09-18", "wu", correct("/applicant/name", name(), &["li", "chen"]));
    assert_eq!(corrected.state.kernel.applicant.as_ref().unwrap().name, "示范建设集团");
    let was = CaseEvent::Kernel(Event::DataCorrected {
        path: "/applicant/name".into(),
        old: json!(applicant().name),
        new: name(),
        reason: "笔误".into(),
        approvers: vec!["li".into(), "chen".into()],
        on: day("2026-09-18"),
    });
    assert_eq!(corrected.events.last(), Some(&was));
}

#[test]
fn a_running_case_goes_over_to_a_newly_published_year_and_a_pinned_one_does_not_move_by_itself() {
    let story = Story::filed("2026-12-28").in_review("2026-12-28");
    let deadline = |story: &Story, rules: &Rules| {
        story
            .state
            .deadlines(rules)
            .into_iter()
            .find(|deadline| deadline.kind == "statutory")
            .map(|deadline| (deadline.due_on, deadline.provisional))
    };
    let before = Rules::embedded();
    assert_eq!(deadline(&story, &before), Some((day("2027-01-07"), true)));

    let holidays = ["2027-01-01", "2027-01-04", "2027-01-05"].map(day);
    let year = CalendarYear {
        year: 2027,
        holidays: holidays.into(),
        workdays: [].into(),
        doc_no: "国办发明电〔2026〕7号".into(),
    };
    let published = calendar_publication::Event::CalendarYearPublished {
        edition: "cn-2027".into(),
        year,
    };
    let rules = publish_into(&before, &published);
    assert_eq!(
        deadline(&story, &rules),
        Some((day("2027-01-07"), true)),
        "pinned until it adopts the new edition"
    );
    assert_eq!(
        story.refused(
            "2026-12-29",
            "system",
            Command::AdoptCalendar {
                edition: "cn-2099".into()
            }
        ),
        "NOTHING_THERE"
    );

    let mut desk = desk_of("system", "2026-12-29");
    desk.rules = rules.clone();
    let adopt = || {
        CaseCommand::Kernel(Command::AdoptCalendar {
            edition: "cn-2027".into(),
        })
    };
    let adopted = story.asked(adopt(), &desk);
    assert_eq!(deadline(&adopted, &rules), Some((day("2027-01-11"), false)));
    let again = adopted.clone().asked(adopt(), &desk);
    assert_eq!(again.events.len(), adopted.events.len());
}
