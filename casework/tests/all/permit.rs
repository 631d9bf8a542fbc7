//! The permit's own model: every way that a case may go.

use domain::case::{Command, Gap, GapKind, PauseKind, Stage, Step};
use process_engine::instance::{Command as Asked, Ending, Outcome, Resume};

use crate::{
    support::{ARCHIVIST, CHIEF, CLERK, DIRECTOR, HANDLER, PLATFORM, Story, Who},
    testing::{MATERIALS, accept, applicant, assign, complete_review, deliver, fire, grant, material, submit_with},
};

const FIRE: Who = ("he@fire-design", "inspector");
const QUALITY: Who = ("xu@quality-safety", "inspector");
const DEFENCE: Who = ("ma@civil-defence", "inspector");

fn returned(to: Step) -> Command {
    Command::Return {
        to,
        reason: "材料前后不一".to_owned(),
    }
}

fn in_review() -> Story {
    Story::filed()
        .case("2026-09-15", CLERK, accept())
        .case("2026-09-15", CHIEF, assign("zhang"))
        .stands(Stage::UnderReview, &["review"])
}

fn approved_by_section() -> Story {
    in_review()
        .case("2026-09-16", HANDLER, complete_review())
        .case("2026-09-17", CHIEF, Command::ApproveBySection)
        .stands(Stage::PendingDecision, &["decision"])
}

/// A large application, that three sections look at together.
fn large() -> Story {
    let mut command = submit_with(&MATERIALS);
    if let Command::Submit { form, .. } = &mut command {
        form["area_m2"] = "86000.00".into();
        form["area_above_m2"] = "70000.00".into();
        form["area_below_m2"] = "16000.00".into();
        form["special_fire_design"] = true.into();
        form["fire_review_no"] = "消审-2026-01".into();
    }
    let materials = ["M08"].map(material);
    if let Command::Submit { materials: held, .. } = &mut command {
        held.extend(materials);
    }
    Story::default()
        .case("2026-09-14", CLERK, command)
        .case("2026-09-15", CLERK, accept())
        .case("2026-09-15", CHIEF, assign("zhang"))
        .stands(
            Stage::UnderReview,
            &["review", "joint_review", "joint_review", "joint_review"],
        )
}

#[test]
fn a_small_application_goes_its_way_without_a_joint_review() {
    let story = Story::filed().stands(Stage::Received, &["intake"]);
    assert_eq!(story.last()[..2], ["ApplicationSubmitted", "ProcessStarted"]);
    let story = story
        .case("2026-09-15", CLERK, accept())
        .stands(Stage::Accepted, &["assignment"])
        .case("2026-09-15", CHIEF, assign("zhang"))
        .stands(Stage::UnderReview, &["review"])
        .case("2026-09-16", HANDLER, complete_review())
        .stands(Stage::PendingApproval, &["section"])
        .case("2026-09-17", CHIEF, Command::ApproveBySection)
        .stands(Stage::PendingDecision, &["decision"])
        .case("2026-09-18", DIRECTOR, grant())
        .stands(Stage::Granted, &["delivery"]);
    let job = *story.work.process.jobs.iter().next().expect("the notice").0;
    let story = story
        .process(
            "2026-09-18",
            PLATFORM,
            Asked::CompleteJob {
                job,
                result: serde_json::Value::Null,
            },
        )
        .case("2026-09-21", CLERK, deliver())
        .stands(Stage::Delivered, &["archive"]);
    assert!(story.work.process.is_running());
}

#[test]
fn what_is_missing_is_supplied_and_the_intake_begins_again() {
    let gap = Gap {
        code: "M04".to_owned(),
        kind: GapKind::Missing,
        reason: "缺施工合同".to_owned(),
    };
    let without: Vec<&str> = MATERIALS.into_iter().filter(|code| *code != "M04").collect();
    let supply = Command::SupplyCorrection {
        materials: vec![material("M04")],
    };
    let notify = Command::NotifyCorrection {
        gaps: vec![gap],
        delivered_by: "短信".to_owned(),
    };
    let story = Story::default()
        .case("2026-09-14", CLERK, submit_with(&without))
        .case("2026-09-15", CLERK, notify)
        .stands(Stage::AwaitingCorrection, &["correction"]);
    assert_eq!(story.refused("2026-09-16", CLERK, accept()), "NOT_NOW");
    story
        .clone()
        .case("2026-09-16", CLERK, supply)
        .stands(Stage::Received, &["intake"])
        .case("2026-09-16", CLERK, accept())
        .stands(Stage::Accepted, &["assignment"]);
    // What is not supplied in time ends in the archive.
    story
        .case("2026-12-31", PLATFORM, fire("correctionReply"))
        .stands(Stage::Withdrawn, &["archive"]);
}

#[test]
fn an_application_that_nobody_answers_is_deemed_accepted_and_leaves_the_intake() {
    Story::filed()
        .case("2026-09-30", PLATFORM, fire("correctionNotice"))
        .stands(Stage::Accepted, &["assignment"]);
}

#[test]
fn what_the_law_does_by_itself_is_not_held_up_by_a_suspended_process() {
    let suspended = Story::filed().process(
        "2026-09-15",
        DIRECTOR,
        Asked::Suspend {
            reason: "模型核查".to_owned(),
        },
    );
    assert_eq!(suspended.refused("2026-09-16", CLERK, accept()), "SUSPENDED");
    suspended
        .case("2026-09-30", PLATFORM, fire("correctionNotice"))
        .stands(Stage::Accepted, &["intake"]);
}

#[test]
fn who_was_assigned_before_the_acceptance_reviews_at_once() {
    Story::filed()
        .case("2026-09-14", CHIEF, assign("zhang"))
        .stands(Stage::Received, &["intake"])
        .case("2026-09-15", CLERK, accept())
        .stands(Stage::UnderReview, &["review"])
        .case("2026-09-16", HANDLER, complete_review())
        .stands(Stage::PendingApproval, &["section"]);
}

#[test]
fn a_review_waits_for_the_new_handler_when_the_case_is_reassigned() {
    let story = in_review().case("2026-09-16", CHIEF, assign("zhou"));
    let task = story.task("review");
    let assignee = story.work.process.tasks.get(&task).and_then(|task| task.assignee.clone());
    assert_eq!(assignee.map(|person| person.id.to_string()), Some("zhou".to_owned()));
}

#[test]
fn the_section_and_the_director_return_a_case_to_an_earlier_step() {
    let story = in_review()
        .case("2026-09-16", HANDLER, complete_review())
        .case("2026-09-17", CHIEF, returned(Step::Handling))
        .stands(Stage::UnderReview, &["review"])
        .case("2026-09-18", HANDLER, complete_review())
        .case("2026-09-18", CHIEF, Command::ApproveBySection)
        .case("2026-09-18", DIRECTOR, returned(Step::Section))
        .stands(Stage::PendingApproval, &["section"])
        .case("2026-09-18", CHIEF, Command::ApproveBySection)
        .case("2026-09-21", DIRECTOR, returned(Step::Handling))
        .stands(Stage::UnderReview, &["review"]);
    assert_eq!(story.refused("2026-09-21", DIRECTOR, grant()), "NOT_NOW");
}

#[test]
fn an_approval_is_taken_back_before_the_next_one_acts() {
    let recall = || Command::RecallApproval {
        reason: "再核一次".to_owned(),
    };
    in_review()
        .case("2026-09-16", HANDLER, complete_review())
        .case("2026-09-16", HANDLER, recall())
        .stands(Stage::UnderReview, &["review"]);
    approved_by_section()
        .case("2026-09-17", CHIEF, recall())
        .stands(Stage::PendingApproval, &["section"]);
}

#[test]
fn a_return_through_the_task_takes_the_law_back_with_it() {
    let story = in_review().case("2026-09-16", HANDLER, complete_review());
    let back = Asked::ReturnTo {
        task: story.task("section"),
        to: "review".into(),
        resume: Resume::Again,
        reason: "请补充现场照片".to_owned(),
    };
    let story = story
        .process("2026-09-17", CHIEF, back)
        .stands(Stage::UnderReview, &["review"]);
    assert_eq!(story.last()[0], "ReturnedForRework");
    story
        .case("2026-09-18", HANDLER, complete_review())
        .stands(Stage::PendingApproval, &["section"]);
}

#[test]
fn the_law_does_not_go_back_before_the_acceptance_and_neither_does_the_process() {
    let story = in_review().case("2026-09-16", HANDLER, complete_review());
    let back = Asked::ReturnTo {
        task: story.task("section"),
        to: "intake".into(),
        resume: Resume::Again,
        reason: "重新受理".to_owned(),
    };
    let refusal = story.refused_work("2026-09-17", CHIEF, &casework::WorkCommand::Process(back));
    assert_eq!(refusal, "LAW_STANDS_ELSEWHERE");
}

#[test]
fn sections_vote_beside_the_review_and_the_next_step_waits_for_both() {
    let story = large()
        .case("2026-09-16", HANDLER, complete_review())
        .votes("2026-09-16", FIRE, Outcome::Approved);
    assert_eq!(
        story.refused("2026-09-16", CHIEF, Command::ApproveBySection),
        "NOT_AT_THIS_STEP"
    );
    let story = story.votes("2026-09-17", QUALITY, Outcome::Approved);
    assert!(story.last().contains(&"VoteClosed".to_owned()), "{:?}", story.last());
    story
        .stands(Stage::PendingApproval, &["section"])
        .case("2026-09-18", CHIEF, Command::ApproveBySection)
        .stands(Stage::PendingDecision, &["decision"]);
}

#[test]
fn a_return_into_the_vote_moves_the_process_only() {
    let story = large()
        .case("2026-09-16", HANDLER, complete_review())
        .votes("2026-09-16", FIRE, Outcome::Approved)
        .votes("2026-09-17", QUALITY, Outcome::Approved)
        .stands(Stage::PendingApproval, &["section"]);
    let back = Asked::ReturnTo {
        task: story.task("section"),
        to: "joint_review".into(),
        resume: Resume::Again,
        reason: "人防科意见缺失".to_owned(),
    };
    let story = story
        .process("2026-09-17", CHIEF, back)
        .stands(Stage::PendingApproval, &["joint_review", "joint_review", "joint_review"]);
    assert!(!story.last().contains(&"ReturnedForRework".to_owned()));
    story
        .votes("2026-09-18", DEFENCE, Outcome::Approved)
        .votes("2026-09-18", FIRE, Outcome::Approved)
        .stands(Stage::PendingApproval, &["section"]);
}

#[test]
fn a_case_is_withdrawn_wherever_its_process_is() {
    let request = || Command::RequestWithdrawal {
        reason: "项目取消".to_owned(),
    };
    for story in [Story::filed(), in_review(), large(), approved_by_section()] {
        let asked = story.case("2026-09-18", CLERK, request());
        let open = asked.open().len();
        assert_eq!(asked.stage(), Stage::WithdrawPending);
        assert!(open > 0, "nothing is given up before it is confirmed");
        asked
            .case("2026-09-18", CLERK, Command::ConfirmWithdrawal)
            .stands(Stage::Withdrawn, &["withdrawal_archive"]);
    }
}

#[test]
fn the_clock_of_the_process_stands_still_with_that_of_the_law() {
    let pause = Command::Suspend {
        kind: PauseKind::ExpertReview,
        basis: "行政许可法第四十五条".to_owned(),
        expected_working_days: 10,
    };
    let resume = Command::Resume {
        kind: PauseKind::ExpertReview,
        evidence: "专家意见".to_owned(),
    };
    let story = in_review().case("2026-09-16", HANDLER, pause);
    let paused = story.work.process.paused_at.is_some();
    assert!(
        paused || !story.last().contains(&"ClockSuspended".to_owned()),
        "{:?}",
        story.last()
    );
    let story = story
        .case("2026-09-21", HANDLER, resume)
        .stands(Stage::UnderReview, &["review"]);
    assert!(story.work.process.paused_at.is_none());
    story
        .case("2026-09-21", HANDLER, complete_review())
        .stands(Stage::PendingApproval, &["section"]);
}

#[test]
fn a_case_that_is_not_accepted_ends_with_its_process() {
    let refuse = Command::NotAccept {
        kind: domain::case::NotAcceptedKind::OutOfScope,
        reason: "不属本机关职权".to_owned(),
        refer_to: None,
    };
    let archive = Command::Archive {
        retention: "长期".to_owned(),
        volume_hash: "0".repeat(64),
    };
    let story = Story::filed()
        .case("2026-09-15", CLERK, refuse)
        .stands(Stage::OutOfScope, &["archive"])
        .case("2026-09-16", ARCHIVIST, archive);
    assert_eq!(story.work.process.ended, Some(Ending::Completed));
    assert_eq!(story.work.case.kernel.applicant, Some(applicant()));
}
