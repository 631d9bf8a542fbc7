//! Who may ask what: role by role, command by command.

use commands::{
    CommandError, Envelope,
    permission::{CASE_TABLE, PROCESS_TABLE, ROLES, may},
};
use domain::{
    case::{CaseCommand, CaseType, Command},
    case_types::{self, CaseTypeTask, construction_permit},
    metadata::Actor,
    registers::{calendar_publication, number_sequence, permit, project, staff},
};
use strum::VariantNames;
use uuid::Uuid;

use crate::support::{APPLICANT_ID, actor, ask, bureau, clerk, noon, submit};

const TABLE: &str = include_str!("../../src/permission.json");

/// The commands of a case type.
struct Commands;

impl CaseTypeTask for Commands {
    type Output = &'static [&'static str];

    fn run<T: CaseType>(self) -> Self::Output {
        T::Command::VARIANTS
    }
}

#[test]
fn every_command_stands_in_the_table_and_nothing_else() {
    let table: serde_json::Value = serde_json::from_str(TABLE).unwrap();
    let mut expected = vec![
        (CASE_TABLE, Command::VARIANTS),
        (PROCESS_TABLE, process_engine::instance::Command::VARIANTS),
        (number_sequence::CATEGORY, number_sequence::Command::VARIANTS),
        (permit::CATEGORY, permit::Command::VARIANTS),
        (project::CATEGORY, project::Command::VARIANTS),
        (calendar_publication::CATEGORY, calendar_publication::Command::VARIANTS),
        (staff::CATEGORY, staff::Command::VARIANTS),
        (casework::deployment::CATEGORY, casework::deployment::Command::VARIANTS),
    ];
    for category in case_types::CATEGORIES {
        expected.push((category, case_types::with_type(category, Commands).unwrap()));
    }
    for (name, commands) in &expected {
        let listed = table[name].as_object().unwrap_or_else(|| panic!("no table {name}"));
        for command in *commands {
            assert!(listed.contains_key(*command), "{name}.{command} is not in the table");
        }
        assert_eq!(listed.len(), commands.len(), "{name} lists commands that do not exist");
    }
    assert_eq!(table.as_object().unwrap().len(), expected.len());
}

#[test]
fn each_role_may_do_its_part_and_no_more() {
    let rows: [(&str, &[&str]); 12] = [
        (
            "applicant",
            &[
                "Submit",
                "SupplyCorrection",
                "RequestWithdrawal",
                "AttachMaterial",
                "SupplyTolerated",
                "Rate",
            ],
        ),
        (
            "windowClerk",
            &[
                "Submit",
                "Accept",
                "NotAccept",
                "NotifyCorrection",
                "SupplyCorrection",
                "AttachMaterial",
                "RejectMaterial",
                "Deliver",
                "RequestWithdrawal",
                "ConfirmWithdrawal",
                "DeclineWithdrawal",
                "ReplaceLicence",
                "SupplyTolerated",
                "Rate",
            ],
        ),
        (
            "handler",
            &[
                "NotifyCorrection",
                "AttachMaterial",
                "RejectMaterial",
                "RecordOpinion",
                "Suspend",
                "Resume",
                "CompleteReview",
                "RecallApproval",
                "ConfirmWithdrawal",
                "DeclineWithdrawal",
                "ReplaceLicence",
                "VerifyCommitment",
                "RectifyCommitment",
                "AnswerSupervision",
            ],
        ),
        (
            "sectionChief",
            &[
                "Assign",
                "RecordOpinion",
                "Suspend",
                "Resume",
                "Return",
                "RecallApproval",
                "ApproveBySection",
                "HandleBadReview",
                "AnswerSupervision",
            ],
        ),
        (
            "director",
            &[
                "Assign",
                "RecordOpinion",
                "ExtendDeadline",
                "Return",
                "RecallApproval",
                "Grant",
                "Refuse",
                "AmendLicence",
                "RevokeDecision",
                "CancelLicence",
                "CorrectData",
            ],
        ),
        ("inspector", &["VerifyCommitment", "RectifyCommitment"]),
        ("archivist", &["Archive", "CorrectData"]),
        ("supervisor", &["Supervise", "HandleBadReview"]),
        ("statistician", &[]),
        ("operator", &[]),
        ("system", &["AssignNumber", "AdoptCalendar", "FireTimer"]),
        ("migration", &["ImportCase", "RollBackImport"]),
    ];
    assert_eq!(rows.map(|(role, _)| role), ROLES);
    for (role, allowed) in rows {
        for command in Command::VARIANTS {
            assert_eq!(
                may(role, CASE_TABLE, command),
                allowed.contains(command),
                "{role} × {command}"
            );
        }
    }
}

#[tokio::test]
async fn a_case_of_another_region_is_not_theirs() {
    let (bureau, _) = bureau().await;
    let case = Uuid::new_v4();
    ask(&bureau, case, submit(), &clerk("2026-09-01")).await.unwrap();
    let withdraw = Command::RequestWithdrawal {
        reason: "不办了".into()
    };
    let elsewhere = Envelope {
        region: "320684".into(),
        ..clerk("2026-09-01")
    };
    let forbidden = ask(&bureau, case, withdraw.clone(), &elsewhere).await.unwrap_err();
    assert!(
        matches!(&forbidden, CommandError::Forbidden { action, .. } if action.contains("330109")),
        "{forbidden:?}"
    );
    let city = Envelope {
        region: "330100".into(),
        ..clerk("2026-09-01")
    };
    ask(&bureau, case, withdraw, &city).await.unwrap();
}

#[tokio::test]
async fn an_applicant_sees_to_their_own_cases_only() {
    let (bureau, _) = bureau().await;
    let case = Uuid::new_v4();
    let company = |organisation: &str| {
        let actor = Actor {
            organisation: organisation.into(),
            ..actor("someone", "applicant")
        };
        Envelope::new(Uuid::new_v4(), actor, "330109", noon("2026-09-01"))
    };
    let forbidden = ask(&bureau, case, submit(), &company("9133010000000000XX"))
        .await
        .unwrap_err();
    assert!(matches!(forbidden, CommandError::Forbidden { .. }));
    ask(&bureau, case, submit(), &company(APPLICANT_ID)).await.unwrap();
    let withdraw = || {
        CaseCommand::<construction_permit::ConstructionPermit>::Kernel(Command::RequestWithdrawal {
            reason: "不办了".into()
        })
    };
    let forbidden = bureau
        .to_case(case, withdraw(), &company("9133010000000000XX"))
        .await
        .unwrap_err();
    assert!(matches!(forbidden, CommandError::Forbidden { .. }));
    bureau.to_case(case, withdraw(), &company(APPLICANT_ID)).await.unwrap();
}
