//! The table of the law, cell by cell: every command at every stage.
#![allow(clippy::unwrap_used)]

use std::fmt::Write;

use chrono::{DateTime, Utc};
use decider::Decider;
use serde_json::json;
use strum::VariantNames;
use uuid::Uuid;

use super::{
    AcceptanceMode, CaseCommand, CaseRejection, Change, Command, Conclusion, Gap, GapKind, LimitKind, NotAcceptedKind,
    NumberKind, PauseKind, Rejection, ReplacementKind, ReviewVerdict, Stage, Step, Tolerated,
};
use crate::case_types::construction_permit::testing::{
    MATERIALS, Permit, Story, accept, assign, complete_review, day, deliver, desk_of, fire, grant, material, submit, submit_with,
};

const TODAY: &str = "2026-09-18";

/// `+` something happens · `0` there is nothing to do · `x` possible here, but refused for a reason of its own · `-` not possible here.
///
/// At is accepted with a promised material, Gt granted with it, Dv delivered after a grant, Df after a refusal; Im is imported and undecided.
const TABLE: &str = "
                    D  R  AC A  At UR S  PA PD G  Gt RF NR OS WP W  RV C  Dv Df AR Im RB
Submit              +  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -
AssignNumber        -  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  x  -
AttachMaterial      +  +  +  -  +  +  +  -  -  -  +  -  -  -  -  -  -  -  -  -  -  +  -
RejectMaterial      -  +  -  -  -  +  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  x  -
NotifyCorrection    -  +  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  +  -
SupplyCorrection    -  -  +  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -
Accept              -  +  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  x  -
NotAccept           -  +  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  +  -
Assign              -  +  +  +  +  +  +  +  +  -  -  -  -  -  -  -  -  -  -  -  -  +  -
RecordOpinion       -  -  -  -  -  +  -  +  +  -  -  -  -  -  -  -  -  -  -  -  -  -  -
Suspend             -  -  -  +  +  +  -  +  +  -  -  -  -  -  -  -  -  -  -  -  -  -  -
Resume              -  -  -  -  -  -  +  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -
ExtendDeadline      -  -  -  +  +  +  +  +  +  -  -  -  -  -  -  -  -  -  -  -  -  -  -
CompleteReview      -  -  -  -  -  +  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -
Return              -  -  -  -  -  -  -  +  +  -  -  -  -  -  -  -  -  -  -  -  -  -  -
RecallApproval      -  -  -  -  -  -  -  +  +  -  -  -  -  -  -  -  -  -  -  -  -  -  -
ApproveBySection    -  -  -  -  -  -  -  +  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -
Grant               -  -  -  -  -  -  -  -  +  -  -  -  -  -  -  -  -  -  -  -  -  -  -
Refuse              -  -  -  -  -  -  -  -  +  -  -  -  -  -  -  -  -  -  -  -  -  -  -
RequestWithdrawal   -  +  +  +  +  +  +  +  +  -  -  -  -  -  -  -  -  -  -  -  -  +  -
ConfirmWithdrawal   -  -  -  -  -  -  -  -  -  -  -  -  -  -  +  -  -  -  -  -  -  -  -
DeclineWithdrawal   -  -  -  -  -  -  -  -  -  -  -  -  -  -  +  -  -  -  -  -  -  -  -
Deliver             -  -  -  -  -  -  -  -  -  +  +  +  -  -  -  -  -  -  -  -  -  -  -
Archive             -  -  -  -  -  -  -  -  -  -  -  -  +  +  -  +  +  +  +  +  -  -  -
AmendLicence        -  -  -  -  -  -  -  -  -  +  +  -  -  -  -  -  -  -  +  -  -  -  -
ReplaceLicence      -  -  -  -  -  -  -  -  -  +  +  -  -  -  -  -  -  -  +  -  -  -  -
RevokeDecision      -  -  -  -  -  -  -  -  -  +  +  -  -  -  -  -  -  -  +  -  -  -  -
CancelLicence       -  -  -  -  -  -  -  -  -  +  +  -  -  -  -  -  -  -  +  -  -  -  -
SupplyTolerated     -  -  -  -  +  x  x  x  x  -  +  -  -  -  -  -  -  -  -  -  -  -  -
VerifyCommitment    -  -  -  -  -  -  -  -  -  x  x  -  -  -  -  -  -  -  x  -  -  -  -
RectifyCommitment   -  -  -  -  -  -  -  -  -  x  x  -  -  -  -  -  -  -  x  -  -  -  -
Rate                -  -  -  -  -  -  -  -  -  +  +  +  +  +  -  +  +  +  +  +  -  -  -
HandleBadReview     -  x  x  x  x  x  x  x  x  x  x  x  x  x  x  x  x  x  x  x  -  x  -
Supervise           -  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  -  +  -
AnswerSupervision   -  x  x  x  x  x  x  x  x  x  x  x  x  x  x  x  x  x  x  x  -  x  -
CorrectData         -  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  x  -
AdoptCalendar       -  0  0  0  0  0  0  0  0  0  0  0  0  0  0  0  0  0  0  0  -  0  -
FireTimer           0  0  0  0  0  0  0  0  0  0  0  0  0  0  0  0  0  0  0  0  0  0  0
ImportCase          +  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  -  0  +
RollBackImport      -  x  x  x  x  x  x  x  x  x  x  x  x  x  x  x  x  x  x  x  x  +  0
";

pub(super) fn stories() -> Vec<(&'static str, Story)> {
    let filed = || Story::filed(TODAY);
    let promised = || {
        let without_funds: Vec<&str> = MATERIALS.into_iter().filter(|code| *code != "M06").collect();
        let tolerance = vec![Tolerated {
            code: "M06".into(),
            due_on: day("2026-10-10"),
        }];
        let accept = Command::Accept {
            mode: AcceptanceMode::Tolerance,
            tolerance,
            commitment: None,
        };
        Story::default()
            .then(TODAY, "client", submit_with(&without_funds))
            .then(TODAY, "wang", accept)
    };
    let decided = |story: Story| {
        let reviewed = story.then(TODAY, "zhang", complete_review());
        reviewed.then(TODAY, "li", Command::ApproveBySection)
    };
    let in_review = || filed().in_review(TODAY);
    let granted = || decided(in_review()).then(TODAY, "chen", grant());
    let refused = || decided(in_review()).then(TODAY, "chen", refuse());
    let not_accepted = |kind| {
        filed().then(
            TODAY,
            "wang",
            Command::NotAccept {
                kind,
                reason: "另行办理".into(),
                refer_to: None,
            },
        )
    };
    let withdrawing = || filed().then(TODAY, "client", Command::RequestWithdrawal { reason: "重报".into() });
    vec![
        ("D", Story::default()),
        ("R", filed()),
        ("AC", filed().then(TODAY, "wang", notify())),
        ("A", filed().then(TODAY, "wang", accept())),
        ("At", promised()),
        ("UR", in_review()),
        ("S", in_review().then(TODAY, "zhang", suspend())),
        ("PA", in_review().then(TODAY, "zhang", complete_review())),
        ("PD", decided(in_review())),
        ("G", granted()),
        (
            "Gt",
            decided(promised().then(TODAY, "li", assign("zhang"))).then(TODAY, "chen", grant()),
        ),
        ("RF", refused()),
        ("NR", not_accepted(NotAcceptedKind::NotRequired)),
        ("OS", not_accepted(NotAcceptedKind::OutOfScope)),
        ("WP", withdrawing()),
        ("W", withdrawing().then(TODAY, "wang", Command::ConfirmWithdrawal)),
        (
            "RV",
            granted().then(
                TODAY,
                "chen",
                Command::RevokeDecision {
                    article: "69".into(),
                    reason: "欺骗".into(),
                },
            ),
        ),
        (
            "C",
            granted().then(
                TODAY,
                "chen",
                Command::CancelLicence {
                    article: "70".into(),
                    reason: "终止".into(),
                },
            ),
        ),
        ("Dv", granted().then(TODAY, "wang", deliver())),
        ("Df", refused().then(TODAY, "wang", deliver())),
        ("AR", refused().then(TODAY, "wang", deliver()).then(TODAY, "wang", archive())),
        ("Im", Story::default().then(TODAY, "migration", import())),
        (
            "RB",
            Story::default()
                .then(TODAY, "migration", import())
                .then(TODAY, "migration", roll_back()),
        ),
    ]
}

fn notify() -> Command {
    let gap = Gap {
        code: "M06".into(),
        kind: GapKind::Defective,
        reason: "未盖章，请补盖".into(),
    };
    Command::NotifyCorrection {
        gaps: vec![gap],
        delivered_by: "window".into(),
    }
}

fn suspend() -> Command {
    Command::Suspend {
        kind: PauseKind::SiteVisit,
        basis: "现场踏勘".into(),
        expected_working_days: 3,
    }
}

fn refuse() -> Command {
    Command::Refuse {
        reasons: vec!["不具备条件".into()],
        remedies: vec!["行政复议".into(), "行政诉讼".into()],
    }
}

fn archive() -> Command {
    Command::Archive {
        retention: "永久".into(),
        volume_hash: "00".into(),
    }
}

fn import() -> Command {
    Command::ImportCase {
        batch: "b1".into(),
        source: "old".into(),
        legacy_id: "1".into(),
        item_code: "construction-permit".into(),
        attributes: std::collections::BTreeMap::new(),
        submitted_at: DateTime::<Utc>::UNIX_EPOCH,
        activity: None,
        resource: None,
        steps: vec![],
        decision: None,
    }
}

fn roll_back() -> Command {
    Command::RollBackImport {
        batch: "b1".into(),
        reason: "错批".into(),
    }
}

/// Every command once, with whoever may ask it at this stage.
#[allow(clippy::too_many_lines, reason = "a table: one arm for each command")]
pub(super) fn commands(stage: Stage) -> Vec<(&'static str, Command)> {
    let (step, officer) = match stage {
        Stage::PendingApproval => (Step::Section, "li"),
        Stage::PendingDecision => (Step::Decision, "chen"),
        _ => (Step::Handling, "zhang"),
    };
    let recaller = if stage == Stage::PendingDecision { "li" } else { "zhang" };
    let changes = vec![Change {
        field: "scale".into(),
        old: json!("a"),
        new: json!("b"),
    }];
    let number = |kind| Command::AssignNumber {
        kind,
        number: "1".into(),
        wanted_by: Uuid::from_u128(1),
    };
    let two = || vec!["zhang".to_owned(), "zhou".to_owned()];
    vec![
        ("client", submit()),
        ("system", number(NumberKind::Case)),
        (
            "client",
            Command::AttachMaterial {
                material: material("M06"),
            },
        ),
        (
            "wang",
            Command::RejectMaterial {
                code: "M01".into(),
                reason: "模糊".into(),
            },
        ),
        ("wang", notify()),
        (
            "client",
            Command::SupplyCorrection {
                materials: vec![material("M06")],
            },
        ),
        ("wang", accept()),
        (
            "wang",
            Command::NotAccept {
                kind: NotAcceptedKind::NotRequired,
                reason: "免办".into(),
                refer_to: None,
            },
        ),
        ("li", assign("sun")),
        (
            officer,
            Command::RecordOpinion {
                step,
                conclusion: Conclusion::Agree,
                text: "可".into(),
                signature: None,
            },
        ),
        ("zhang", suspend()),
        (
            "zhang",
            Command::Resume {
                kind: PauseKind::SiteVisit,
                evidence: "踏勘记录".into(),
            },
        ),
        (
            "chen",
            Command::ExtendDeadline {
                add_working_days: 10,
                reason: "复杂".into(),
            },
        ),
        ("zhang", complete_review()),
        (
            officer,
            Command::Return {
                to: Step::Handling,
                reason: "补充".into(),
            },
        ),
        (recaller, Command::RecallApproval { reason: "更正".into() }),
        ("li", Command::ApproveBySection),
        ("chen", grant()),
        ("chen", refuse()),
        ("client", Command::RequestWithdrawal { reason: "重报".into() }),
        ("wang", Command::ConfirmWithdrawal),
        (
            "wang",
            Command::DeclineWithdrawal {
                reason: "已办结".into()
            },
        ),
        ("wang", deliver()),
        ("wang", archive()),
        (
            "chen",
            Command::AmendLicence {
                changes,
                basis: "申请".into(),
            },
        ),
        (
            "chen",
            Command::ReplaceLicence {
                kind: ReplacementKind::Lost,
                reason: "遗失".into(),
            },
        ),
        (
            "chen",
            Command::RevokeDecision {
                article: "69".into(),
                reason: "欺骗".into(),
            },
        ),
        (
            "chen",
            Command::CancelLicence {
                article: "70".into(),
                reason: "终止".into(),
            },
        ),
        (
            "client",
            Command::SupplyTolerated {
                material: material("M06"),
            },
        ),
        (
            "zhang",
            Command::VerifyCommitment {
                kept: true,
                false_commitment: false,
                rectify_due_on: None,
                by: two(),
                note: String::new(),
            },
        ),
        ("zhang", Command::RectifyCommitment { by: two() }),
        (
            "client",
            Command::Rate {
                grade: 5,
                channel: "window".into(),
                tags: vec![],
                comment: String::new(),
            },
        ),
        (
            "wu",
            Command::HandleBadReview {
                verdict: ReviewVerdict::Founded,
                measures: "道歉".into(),
                contacted_on: day(TODAY),
            },
        ),
        (
            "wu",
            Command::Supervise {
                opinion: "请加快".into(),
                reply_due_on: day("2026-09-30"),
            },
        ),
        ("zhang", Command::AnswerSupervision { reply: "已办".into() }),
        (
            "wu",
            Command::CorrectData {
                path: "/applicant/name".into(),
                new: json!("示范公司"),
                reason: "笔误".into(),
                approvers: vec!["chen".into(), "li".into()],
            },
        ),
        (
            "system",
            Command::AdoptCalendar {
                edition: "cn-2026".into(),
            },
        ),
        ("system", fire("statutory")),
        ("migration", import()),
        ("migration", roll_back()),
    ]
}

fn cell(story: &Story, who: &str, command: &Command) -> &'static str {
    match Permit::decide(&story.state, &CaseCommand::Kernel(command.clone()), &desk_of(who, TODAY)) {
        Ok(events) if events.is_empty() => "0",
        Ok(_) => "+",
        Err(CaseRejection::Kernel(Rejection::NotNow { .. })) => "-",
        Err(_) => "x",
    }
}

#[test]
fn every_command_does_at_every_stage_what_the_table_says() {
    let stories = stories();
    let names: Vec<&str> = commands(Stage::Draft).iter().map(|(_, command)| command.into()).collect();
    assert_eq!(names, Command::VARIANTS, "the table has every command");
    let mut table = format!("\n{:20}", "");
    for (name, _) in &stories {
        write!(table, "{name:3}").unwrap();
    }
    for (row, name) in names.iter().enumerate() {
        table = format!("{}\n{name:20}", table.trim_end());
        for (_, story) in &stories {
            let (who, command) = &commands(story.state.kernel.stage)[row];
            write!(table, "{:3}", cell(story, who, command)).unwrap();
        }
    }
    let table = format!("{}\n", table.trim_end());
    assert_eq!(table, TABLE, "the table is now:\n{table}");
}

#[test]
fn the_table_has_every_stage() {
    let stages: std::collections::BTreeSet<Stage> = stories().iter().map(|(_, story)| story.state.kernel.stage).collect();
    assert_eq!(stages.len(), <Stage as strum::VariantArray>::VARIANTS.len());
}

#[test]
fn a_closed_case_owes_nothing() {
    for (name, story) in stories() {
        let case = &story.state.kernel;
        let limits = case
            .deadlines(&desk_of("wang", TODAY).rules)
            .into_iter()
            .filter(|deadline| deadline.kind == "statutory")
            .count();
        let accepted = case.clock(LimitKind::Statutory, &desk_of("wang", TODAY).rules).is_some();
        assert_eq!(limits == 1, accepted && case.stage.is_open(), "{name}");
    }
}
