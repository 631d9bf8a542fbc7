//! The golden replays: how the law's hard cases must come out, told from the counter to the archive.
#![allow(clippy::unwrap_used)]

#[path = "../src/case_types/construction_permit/testing.rs"]
#[allow(dead_code, unreachable_pub, clippy::needless_pass_by_value)]
mod testing;

use decider::testing::given;
use domain::{
    calendar::Alert,
    case::{
        AcceptanceMode, CaseCommand, CaseEvent, Command, Document, Event, Gap, GapKind, LimitKind, Material, NumberKind,
        PauseKind, Stage, Told,
    },
    case_types::{
        AnyCase,
        construction_permit::{self as permit, Finding, Phase},
    },
    metadata::{bureau_date, bureau_midnight},
    rules::{Desk, Rules},
};
use testing::{Permit, Story, accept, assign, complete_review, day, deliver, desk, desk_of, fire, grant, material, submit};

fn gap(code: &str, kind: GapKind) -> Gap {
    Gap {
        code: code.to_owned(),
        kind,
        reason: "未加盖公章，请补盖".to_owned(),
    }
}

fn notify(gaps: &[Gap]) -> Command {
    Command::NotifyCorrection {
        gaps: gaps.to_vec(),
        delivered_by: "窗口".to_owned(),
    }
}

fn suspend(kind: PauseKind) -> Command {
    Command::Suspend {
        kind,
        basis: "行政许可法 45".to_owned(),
        expected_working_days: 5,
    }
}

fn resume(kind: PauseKind) -> Command {
    Command::Resume {
        kind,
        evidence: "已完成".to_owned(),
    }
}

fn due(story: &Story, kind: LimitKind) -> String {
    story.state.kernel.due(kind, &Rules::embedded()).unwrap().on.to_string()
}

fn deadline(story: &Story, kind: &str) -> String {
    let deadlines = story.state.deadlines(&Rules::embedded());
    deadlines
        .iter()
        .find(|deadline| deadline.kind == kind)
        .unwrap_or_else(|| panic!("no {kind} in {deadlines:?}"))
        .due_on
        .to_string()
}

fn issued(on: &str) -> Story {
    Story::filed(on).in_review(on).granted(on)
}

#[test]
fn replay_1_a_complete_application_has_its_permit_within_seven_working_days() {
    let story = Story::filed("2026-09-17").in_review("2026-09-18");
    assert_eq!(
        due(&story, LimitKind::Statutory),
        "2026-09-29",
        "Sunday the 20th is a working day, the 25th to 27th are holidays"
    );
    let story = story
        .then("2026-09-24", "zhang", complete_review())
        .then("2026-09-28", "li", Command::ApproveBySection);
    let story = story.then("2026-09-28", "chen", grant()).numbered("2026-09-28");
    assert_eq!(story.last(), "PermitIssued", "the permit follows its number");
    assert_eq!(story.state.kernel.stage, Stage::Granted);
    assert_eq!(deadline(&story, "delivery"), "2026-10-16");
    assert_eq!(deadline(&story, "startConstruction"), "2026-12-28");
    assert_eq!(
        story.state.kernel.on_time(LimitKind::Statutory, &Rules::embedded()),
        Some(true)
    );
    assert_eq!(story.state.kernel.handling_working_days(&Rules::embedded()), Some(6));
    assert_eq!(story.state.kernel.handling_calendar_days(), Some(11));
    let face = story.state.own.face.as_ref().unwrap();
    assert_eq!((face.contract_price_fen, face.area_cm2), (2_972_639_800, 94_600_000));
    assert_eq!(face.permit_no, "330109202609180101");

    let story = story.then("2026-10-13", "wang", deliver());
    let rate = Command::Rate {
        grade: 5,
        channel: "窗口".into(),
        tags: vec![],
        comment: "很快".into(),
    };
    let story = story.then("2026-10-14", "client", rate.clone());
    assert_eq!(story.refused("2026-10-15", "client", rate), "ALREADY_RATED");
    let archive = || Command::Archive {
        retention: "永久".into(),
        volume_hash: "9f".into(),
    };
    assert_eq!(story.refused("2026-10-15", "sun", archive()), "PERMIT_IN_FORCE");

    let story = story.own(
        "2026-11-02",
        "client",
        permit::Command::ReportStart {
            started_on: day("2026-11-01"),
        },
    );
    let story = story.own(
        "2028-03-31",
        "client",
        permit::Command::FileCompletion {
            filing_no: "BA2028-001".into(),
        },
    );
    assert_eq!(story.state.own.phase, Some(Phase::Closed));
    let story = story.then("2028-04-05", "sun", archive());
    assert_eq!(story.state.kernel.stage, Stage::Archived);
    assert_eq!(story.refused("2028-04-06", "wang", deliver()), "NOT_NOW");
}

#[test]
fn replay_2_all_gaps_are_told_at_once() {
    let story = Story::filed("2026-09-18").then("2026-09-21", "wang", notify(&[gap("M06", GapKind::Defective)]));
    assert_eq!(
        story.refused("2026-09-22", "wang", notify(&[gap("M04", GapKind::Defective)])),
        "NOT_NOW"
    );
    let story = story.then(
        "2026-09-24",
        "client",
        Command::SupplyCorrection {
            materials: vec![material("M06")],
        },
    );
    assert_eq!(
        story.refused("2026-09-28", "wang", notify(&[gap("M04", GapKind::Defective)])),
        "ALREADY_NOTIFIED"
    );
    // What was supplied after the notice may itself be wrong.
    let again = story
        .clone()
        .then("2026-09-28", "wang", notify(&[gap("M06", GapKind::Defective)]));
    assert_eq!(again.state.kernel.stage, Stage::AwaitingCorrection);
    let accepted = story.then("2026-09-28", "wang", accept());
    assert_eq!(
        due(&accepted, LimitKind::Statutory),
        "2026-10-13",
        "the clock starts with the acceptance"
    );
}

#[test]
fn replay_3_who_stays_silent_has_accepted() {
    let story = Story::filed("2026-04-29");
    assert_eq!(deadline(&story, "correctionNotice"), "2026-05-09");
    let too_early = given::<Permit>(story.events.clone());
    too_early
        .at(&desk("2026-05-09"))
        .when(&CaseCommand::Kernel(fire("correctionNotice")))
        .then([]);
    assert_eq!(
        story.refused("2026-05-10", "wang", notify(&[gap("M06", GapKind::Defective)])),
        "NOTICE_TOO_LATE"
    );

    let deemed = story.clone().then("2026-05-10", "system", fire("correctionNotice"));
    assert_eq!(deemed.last(), "DeemedAccepted");
    assert_eq!(due(&deemed, LimitKind::Statutory), "2026-05-12");
    let again = given::<Permit>(deemed.events.clone());
    again
        .at(&desk("2026-05-11"))
        .when(&CaseCommand::Kernel(fire("correctionNotice")))
        .then([]);
    // Accepting late by hand says the same.
    let by_hand = story.then("2026-05-11", "wang", accept());
    assert_eq!(by_hand.events.last(), deemed.events.last());
}

#[test]
fn replay_4_a_pause_over_the_spring_festival_does_not_count() {
    let story = Story::filed("2026-02-09").in_review("2026-02-09");
    assert_eq!(due(&story, LimitKind::Statutory), "2026-02-25");
    let story = story.then("2026-02-12", "zhang", suspend(PauseKind::SiteVisit));
    assert_eq!(story.refused("2026-02-13", "zhang", suspend(PauseKind::SiteVisit)), "NOT_NOW");
    assert_eq!(story.refused("2026-02-13", "zhang", complete_review()), "NOT_NOW");
    assert_eq!(
        story.refused("2026-02-13", "zhang", resume(PauseKind::Hearing)),
        "NOT_SUSPENDED"
    );
    let story = story.then("2026-02-25", "zhang", resume(PauseKind::SiteVisit));
    assert_eq!(due(&story, LimitKind::Statutory), "2026-03-02");
    let clock = story.state.kernel.clock(LimitKind::Statutory, &Rules::embedded()).unwrap();
    assert_eq!(
        clock.used(story.state.kernel.calendar(&Rules::embedded()), day("2026-02-25")),
        3
    );
}

#[test]
fn replay_5_overdue_days_do_not_grow_in_a_pause() {
    let rules = Rules::embedded();
    let story = Story::filed("2026-03-02").in_review("2026-03-02");
    assert_eq!(due(&story, LimitKind::Statutory), "2026-03-11");
    let story = story.then("2026-03-12", "system", fire("statutory"));
    assert!(matches!(
        story.events.last(),
        Some(CaseEvent::Kernel(Event::OverdueRaised {
            limit: LimitKind::Statutory,
            ..
        }))
    ));
    let story = story.then("2026-03-13", "zhang", suspend(PauseKind::SiteVisit));
    let overdue = |story: &Story, on: &str| {
        story
            .state
            .kernel
            .clock(LimitKind::Statutory, &rules)
            .unwrap()
            .overdue_days(story.state.kernel.calendar(&rules), day(on))
    };
    assert_eq!((overdue(&story, "2026-03-16"), overdue(&story, "2026-03-19")), (2, 2));
    let nothing = given::<Permit>(story.events.clone());
    nothing
        .at(&desk("2026-03-19"))
        .when(&CaseCommand::Kernel(fire("statutory")))
        .then([]);
    let story = story
        .then("2026-03-20", "zhang", resume(PauseKind::SiteVisit))
        .granted("2026-03-23");
    assert_eq!(overdue(&story, "2026-12-31"), 3, "final when decided");
    assert_eq!(story.state.kernel.on_time(LimitKind::Statutory, &rules), Some(false));
    assert_eq!(
        story.state.kernel.alert(LimitKind::Statutory, day("2026-04-01"), &rules),
        Some(Alert::Overdue)
    );
}

#[test]
fn replay_6_a_breached_commitment_is_rectified_or_the_decision_is_revoked() {
    let commitment = Document {
        sha256: "ab".into(),
        name: "承诺书.pdf".into(),
        size_bytes: 9,
        media_type: "application/pdf".into(),
    };
    let committed = |commitment| Command::Accept {
        mode: AcceptanceMode::Commitment,
        tolerance: vec![],
        commitment,
    };
    let filed = Story::filed("2026-09-18");
    assert_eq!(filed.refused("2026-09-18", "wang", committed(None)), "COMMITMENT_MISSING");
    let story = filed
        .then("2026-09-18", "wang", committed(Some(commitment)))
        .then("2026-09-18", "li", assign("zhang"));
    let story = story.granted("2026-09-18");
    let verify = |kept, false_commitment, rectify_due_on: Option<&str>| Command::VerifyCommitment {
        kept,
        false_commitment,
        rectify_due_on: rectify_due_on.map(day),
        by: vec!["zhang".into(), "zhou".into()],
        note: "现场核查".into(),
    };
    let one = Command::VerifyCommitment {
        kept: true,
        false_commitment: false,
        rectify_due_on: None,
        by: vec!["zhang".into()],
        note: String::new(),
    };
    assert_eq!(story.refused("2026-10-12", "zhang", one), "TWO_VERIFIERS_NEEDED");

    let lied = story.clone().then("2026-10-12", "zhang", verify(false, true, None));
    assert_eq!(
        lied.state.kernel.stage,
        Stage::Revoked,
        "a false commitment is revoked at once"
    );

    let breached = story.then("2026-10-12", "zhang", verify(false, false, Some("2026-10-30")));
    assert_eq!(breached.state.kernel.stage, Stage::Granted);
    assert_eq!(deadline(&breached, "commitmentRectification"), "2026-10-30");
    assert_eq!(
        breached.refused("2026-10-20", "zhang", verify(false, false, None)),
        "OUT_OF_ORDER"
    );
    let rectified = breached.clone().then(
        "2026-10-28",
        "zhang",
        Command::RectifyCommitment {
            by: vec!["zhang".into(), "zhou".into()],
        },
    );
    assert_eq!(rectified.state.kernel.stage, Stage::Granted);
    let revoked = breached.then("2026-11-02", "zhang", verify(false, false, None));
    assert_eq!(revoked.state.kernel.stage, Stage::Revoked);
    assert_eq!(revoked.state.phase(), Some(("Cancelled", "已注销")));
}

#[test]
fn replay_7_the_start_is_extended_twice_then_the_permit_lapses() {
    let story = issued("2025-11-30");
    assert_eq!(
        deadline(&story, "startConstruction"),
        "2026-02-28",
        "a Saturday, but an adjusted working day"
    );
    let ask = || permit::Command::RequestStartExtension {
        reason: "融资未到位".into(),
    };
    let extend = |months| permit::Command::GrantStartExtension { months };
    assert_eq!(story.own_refused("2026-03-01", "client", ask()), "ASKED_TOO_LATE");
    assert_eq!(story.own_refused("2026-02-01", "li", extend(3)), "NO_EXTENSION_ASKED");

    let asked = story.own("2026-02-27", "client", ask());
    assert_eq!(asked.own_refused("2026-02-28", "client", ask()), "EXTENSION_PENDING");
    assert_eq!(asked.own_refused("2026-02-28", "li", extend(4)), "EXTENSION_TOO_LONG");
    let waiting = given::<Permit>(asked.events.clone());
    waiting
        .at(&desk("2026-03-01"))
        .when(&CaseCommand::Kernel(fire("startConstruction")))
        .then([]);
    let once = asked.own("2026-03-02", "li", extend(3));
    assert_eq!(deadline(&once, "startConstruction"), "2026-05-28");
    let twice = once.own("2026-05-20", "client", ask()).own("2026-05-21", "li", extend(3));
    assert_eq!(deadline(&twice, "startConstruction"), "2026-08-28");
    assert_eq!(twice.own_refused("2026-08-20", "client", ask()), "NO_MORE_EXTENSIONS");

    let last_day = given::<Permit>(twice.events.clone());
    last_day
        .at(&desk("2026-08-28"))
        .when(&CaseCommand::Kernel(fire("startConstruction")))
        .then([]);
    let lapsed = twice.then("2026-08-29", "system", fire("startConstruction"));
    assert_eq!(
        (lapsed.last().as_str(), lapsed.state.own.phase),
        ("PermitLapsed", Some(Phase::Lapsed))
    );
    let start = permit::Command::ReportStart {
        started_on: day("2026-08-28"),
    };
    assert_eq!(lapsed.own_refused("2026-08-30", "client", start), "NOT_IN_THIS_PHASE");
}

#[test]
fn replay_8_works_halted_for_thirteen_months_go_on_only_after_a_recheck() {
    let story = issued("2024-03-01").own(
        "2024-04-10",
        "client",
        permit::Command::ReportStart {
            started_on: day("2024-04-08"),
        },
    );
    let halt = permit::Command::ReportSuspension {
        halted_on: day("2024-06-03"),
        reason: "资金".into(),
        maintenance_plan: "围挡与看护".into(),
    };
    let late = story.clone().own("2024-07-04", "client", halt.clone());
    assert!(matches!(
        late.events.last(),
        Some(CaseEvent::Own(permit::Event::ConstructionSuspendedReported {
            late: true,
            ..
        }))
    ));
    let halted = story.own("2024-07-03", "client", halt);
    assert!(matches!(
        halted.events.last(),
        Some(CaseEvent::Own(permit::Event::ConstructionSuspendedReported {
            late: false,
            ..
        }))
    ));

    assert_eq!(
        halted.own_refused("2025-06-02", "client", permit::Command::RequestRecheck),
        "RECHECK_NOT_NEEDED"
    );
    let soon = halted.clone().own("2025-06-02", "client", permit::Command::ReportResumption);
    assert_eq!(soon.state.own.phase, Some(Phase::Active));
    assert_eq!(
        halted.own_refused("2025-07-03", "client", permit::Command::ReportResumption),
        "RECHECK_NEEDED"
    );

    let asked = halted.own("2025-07-03", "client", permit::Command::RequestRecheck);
    let finding = |passed| Finding {
        condition: "资金已落实".into(),
        passed,
        note: String::new(),
    };
    let record = |passed: &[bool], second: &str| permit::Command::RecordRecheck {
        findings: passed.iter().map(|passed| finding(*passed)).collect(),
        second_officer: second.into(),
    };
    assert_eq!(
        asked.own_refused("2025-07-10", "zhang", record(&[true], "zhang")),
        "RECHECK_INCOMPLETE"
    );
    let passed = asked.clone().own("2025-07-10", "zhang", record(&[true, true], "zhou"));
    assert_eq!(passed.state.own.phase, Some(Phase::Active));
    let failed = asked.own("2025-07-10", "zhang", record(&[true, false], "zhou"));
    assert_eq!(
        (failed.state.own.phase, failed.state.kernel.stage),
        (Some(Phase::Cancelled), Stage::Cancelled)
    );
}

/// At this desk `on` is long past: it was written on paper then and is entered on the day of `now`.
fn paper(who: &str, on: &str, now: &str) -> Desk {
    let entered = desk_of(who, now);
    Desk {
        occurred_at: bureau_midnight(day(on)),
        ..entered
    }
}

#[test]
fn replay_14_paper_is_entered_out_of_order_and_the_clock_comes_out_the_same() {
    let on_paper = |story: Story, on: &str, who: &str, command: Command| {
        story.asked(CaseCommand::Kernel(command), &paper(who, on, "2026-10-12"))
    };
    let start = || {
        let story = on_paper(Story::default(), "2026-09-17", "client", submit());
        let story = on_paper(story, "2026-09-18", "wang", accept());
        on_paper(story, "2026-09-18", "li", assign("zhang"))
    };
    let pause = |story: Story, kind, from: &str, to: &str| {
        let story = on_paper(story, from, "zhang", suspend(kind));
        on_paper(story, to, "zhang", resume(kind))
    };
    let in_order = pause(
        pause(start(), PauseKind::SiteVisit, "2026-09-21", "2026-09-23"),
        PauseKind::Publicity,
        "2026-09-24",
        "2026-09-29",
    );
    let out_of_order = pause(
        pause(start(), PauseKind::Publicity, "2026-09-24", "2026-09-29"),
        PauseKind::SiteVisit,
        "2026-09-21",
        "2026-09-23",
    );
    assert_ne!(in_order.state.kernel.pauses, out_of_order.state.kernel.pauses);
    for kind in [LimitKind::Statutory, LimitKind::Promised, LimitKind::Internal] {
        assert_eq!(due(&in_order, kind), due(&out_of_order, kind));
    }
    assert_eq!(due(&out_of_order, LimitKind::Statutory), "2026-10-10");
    assert_eq!(
        out_of_order.state.kernel.received_on,
        Some(bureau_date(bureau_midnight(day("2026-09-17"))))
    );

    // The same pause cannot be entered twice, nothing happens before the receipt or after today, and nobody decides within a pause.
    let twice = CaseCommand::Kernel(suspend(PauseKind::SiteVisit));
    given::<Permit>(out_of_order.events.clone())
        .at(&paper("zhang", "2026-09-22", "2026-10-12"))
        .when(&twice)
        .then_rejected(&domain::case::CaseRejection::Kernel(
            domain::case::Rejection::AlreadySuspended {
                kind: PauseKind::SiteVisit,
            },
        ));
    assert_eq!(out_of_order.refused("2026-09-16", "zhang", complete_review()), "OUT_OF_ORDER");
    let decided = on_paper(out_of_order, "2026-09-30", "zhang", complete_review());
    let future = Desk {
        now: bureau_midnight(day("2026-09-20")),
        ..paper("li", "2026-09-30", "2026-09-30")
    };
    let approve = CaseCommand::Kernel(Command::ApproveBySection);
    given::<Permit>(decided.events)
        .at(&future)
        .when(&approve)
        .then_rejected(&domain::case::CaseRejection::Kernel(domain::case::Rejection::InTheFuture {
            on: day("2026-09-30"),
        }));
}

#[test]
fn a_stored_story_reads_back_as_it_was_told_and_says_itself_in_two_languages() {
    let story = issued("2026-09-18").then("2026-09-21", "wang", deliver());
    let mut case = AnyCase::of("constructionPermit").unwrap();
    let mut wanted = Vec::new();
    let mut entries = 0;
    for event in &story.events {
        let (name, data) = event.write().unwrap();
        case.apply(&name, &data).unwrap();
        let (zh, en) = case.say(&name, &data).unwrap();
        assert!(!zh.is_empty() && !en.is_empty() && !zh.contains("{}"), "{name}: {zh} / {en}");
        wanted.extend(case.numbers_wanted(&name, &data).unwrap());
        entries += case.entries("0192", &name, &data).unwrap().len();
    }
    assert_eq!(case.kernel(), &story.state.kernel);
    assert_eq!(case.stage(), Stage::Delivered);
    let kinds: Vec<NumberKind> = wanted.iter().map(|wanted| wanted.kind).collect();
    assert_eq!(
        kinds,
        [
            NumberKind::Case,
            NumberKind::Acceptance,
            NumberKind::Decision,
            NumberKind::Licence
        ]
    );
    assert_eq!(wanted[0].template, "SGXK3301092026{seq:05}");
    assert_eq!(
        (wanted[3].series.as_str(), wanted[3].template.as_str()),
        ("SGXKZ33010920260918", "33010920260918{seq:02}01")
    );
    assert_eq!(
        entries, 4,
        "the project at the acceptance and at the issue, the permit, its link"
    );
}

#[test]
fn what_can_be_had_from_shared_data_is_not_asked_of_the_applicant() {
    let story = Story::filed("2026-09-18");
    assert_eq!(
        story.refused("2026-09-18", "wang", notify(&[gap("M03", GapKind::Missing)])),
        "MATERIAL_SHARED"
    );
    assert_eq!(story.refused("2026-09-18", "wang", notify(&[])), "NO_GAPS");
    let lapsed = story.then("2026-09-18", "wang", notify(&[gap("M06", GapKind::Defective)]));
    let supply = |materials: Vec<Material>| Command::SupplyCorrection { materials };
    assert_eq!(lapsed.refused("2026-09-20", "client", supply(vec![])), "MATERIALS_MISSING");
    let reply_by = deadline(&lapsed, "correctionReply");
    let too_late = day(&reply_by).succ_opt().unwrap().to_string();
    assert_eq!(
        lapsed.refused(&too_late, "client", supply(vec![material("M06")])),
        "REPLY_TOO_LATE"
    );
    let lapsed = lapsed.then(&too_late, "system", fire("correctionReply"));
    assert_eq!(lapsed.state.kernel.stage, Stage::Withdrawn);
}
