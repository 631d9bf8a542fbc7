//! What holds for a construction permit beyond the golden replays.
#![allow(clippy::unwrap_used)]

use decider::stored;
use serde_json::{Value, json};
use strum::VariantNames;

use super::{
    Command, Condition, ConstructionPermit, Event, Phase, Rejection, example_form, form,
    testing::{MATERIALS, Story, accept, assign, complete_review, day, fire, grant, material, submit_with},
};
use crate::{
    case::{CaseType, Command as KernelCommand, Event as KernelEvent, PauseKind, Stage, Told},
    case_types::construction_permit::testing::desk,
    rules::Rules,
};

fn check(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut form = example_form();
    change(&mut form);
    let items = ConstructionPermit::embedded_items();
    match ConstructionPermit::check_form(&form, &items[0]) {
        Ok(()) => Vec::new(),
        Err(Rejection::FormDefects { defects }) => defects.into_iter().map(|defect| defect.field).collect(),
        Err(other) => panic!("{other}"),
    }
}

/// A case whose form differs from the example, ready to be decided.
fn ready(materials: &[&str], change: impl FnOnce(&mut Value)) -> Story {
    let mut submit = submit_with(materials);
    if let KernelCommand::Submit { form, .. } = &mut submit {
        change(form);
    }
    let story = Story::default().then("2026-09-18", "client", submit).in_review("2026-09-18");
    story
        .then("2026-09-18", "zhang", complete_review())
        .then("2026-09-18", "li", KernelCommand::ApproveBySection)
}

fn unmet(story: &Story) -> Vec<Condition> {
    match ConstructionPermit::may_grant(&story.state, &desk("2026-09-18")) {
        Ok(()) => Vec::new(),
        Err(Rejection::ConditionsUnmet { conditions }) => conditions,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn the_files_beside_the_code_can_be_read_and_the_example_has_no_defect() {
    assert_eq!(check(|_| {}), [""; 0]);
    assert!(form().fields.len() > 20);
    for item in ConstructionPermit::embedded_items() {
        assert_eq!(item.category, ConstructionPermit::CATEGORY);
        assert!(item.promised.n <= item.statutory.n, "a promise is never longer than the law");
        for name in [
            "start_within_months",
            "start_extensions",
            "start_extension_months",
            "suspension_report_months",
            "recheck_after_months",
        ] {
            assert!(item.parameters.contains_key(name), "{name}");
        }
    }
}

#[test]
fn every_defect_of_a_form_is_named_with_its_field() {
    let fields = check(|form| {
        form["project_name"] = json!(" ");
        form["contract_price_wan"] = json!("many");
        form["nature"] = json!("Rebuilt");
        form["planned_start_on"] = json!("2026-02-30");
        form["special_fire_design"] = json!("yes");
        form["participants"][1]["uscc"] = json!("91440300708461136X");
        form["participants"][2].as_object_mut().unwrap().remove("lead_name");
        form["contact_phone"] = json!("1380013800");
    });
    let expected = [
        "project_name",
        "nature",
        "contract_price_wan",
        "planned_start_on",
        "special_fire_design",
        "participants[1].uscc",
        "participants[2].lead_name",
        "contact_phone",
    ];
    assert_eq!(fields, expected);
}

#[test]
fn what_single_fields_cannot_tell_is_found_too() {
    assert_eq!(
        check(|form| form["planned_completion_on"] = json!("2026-01-01")),
        ["planned_completion_on"]
    );
    assert_eq!(check(|form| form["area_below_m2"] = json!("1500.01")), ["area_m2"]);
    assert_eq!(
        check(|form| form["participants"][0]["role"] = json!("Survey")),
        ["participants"]
    );
    assert_eq!(check(|form| form["participants"] = json!([])), ["participants"]);
    assert_eq!(
        check(|form| *form = Value::Null).len(),
        form().fields.iter().filter(|field| field.required).count()
    );
}

#[test]
fn no_permit_without_its_conditions() {
    assert_eq!(unmet(&ready(&MATERIALS, |_| {})), []);
    // What can be shared is not asked of the applicant, but must be there before the grant.
    let shared = ready(&["M01", "M04", "M06", "M07"], |_| {});
    assert_eq!(
        unmet(&shared),
        [
            Condition::LandApproved,
            Condition::PlanningPermitted,
            Condition::DrawingsReviewed
        ]
    );
    assert_eq!(shared.refused("2026-09-18", "chen", grant()), "CONDITIONS_UNMET");
    assert_eq!(
        unmet(&ready(&MATERIALS, |form| form["special_fire_design"] = json!(true))),
        [Condition::FireReviewed]
    );
    assert_eq!(
        unmet(&ready(&MATERIALS, |form| form["demolition_needed"] = json!(true))),
        [Condition::DemolitionFarEnough]
    );
    assert_eq!(
        unmet(&ready(&MATERIALS, |form| form["area_civil_defence_m2"] = json!("600"))),
        [Condition::CivilDefence]
    );
    assert_eq!(
        unmet(&ready(&MATERIALS, |form| form["energy_review_passed"] = json!(false))),
        [Condition::EnergyReviewed]
    );
    assert_eq!(
        unmet(&ready(&MATERIALS, |form| form["participants"][3]["role"] = json!("Design"))),
        [Condition::ContractorChosen]
    );
}

#[test]
fn an_application_without_safety_measures_is_not_accepted() {
    let without: Vec<&str> = MATERIALS.into_iter().filter(|code| *code != "M07").collect();
    let story = Story::default().then("2026-09-18", "client", submit_with(&without));
    assert_eq!(story.refused("2026-09-18", "wang", accept()), "MATERIALS_MISSING");
}

#[test]
fn small_works_need_no_permit() {
    for (field, value) in [("contract_price_wan", "30"), ("area_m2", "300")] {
        let mut submit = submit_with(&MATERIALS);
        if let KernelCommand::Submit { form, .. } = &mut submit {
            form[field] = json!(value);
            form["area_above_m2"] = form["area_m2"].clone();
            form["area_below_m2"] = json!("0");
        }
        let story = Story::default().then("2026-09-18", "client", submit);
        assert_eq!(story.refused("2026-09-18", "wang", accept()), "NO_PERMIT_NEEDED", "{field}");
    }
}

#[test]
fn the_number_may_come_before_or_after_the_delivery_but_once() {
    let granted = ready(&MATERIALS, |_| {}).then("2026-09-18", "chen", grant());
    let report = Command::ReportStart {
        started_on: day("2026-09-18"),
    };
    assert_eq!(granted.own_refused("2026-09-18", "client", report.clone()), "NOT_ISSUED");
    let delivered = granted
        .then("2026-09-21", "wang", super::testing::deliver())
        .numbered("2026-09-22");
    assert_eq!(
        delivered.state.own.issued_on,
        Some(day("2026-09-18")),
        "dated like the decision"
    );
    let again = delivered.clone().numbered("2026-09-22");
    assert_eq!(again.events.len(), delivered.events.len());
    assert_eq!(
        delivered.own("2026-09-30", "client", report).state.own.phase,
        Some(Phase::Active)
    );
}

#[test]
fn no_permit_follows_a_number_that_comes_after_the_revocation() {
    let granted = ready(&MATERIALS, |_| {}).then("2026-09-18", "chen", grant());
    let revoked = granted.then(
        "2026-09-18",
        "chen",
        KernelCommand::RevokeDecision {
            article: "69".into(),
            reason: "欺骗".into(),
        },
    );
    let numbered = revoked.numbered("2026-09-19");
    assert_eq!((numbered.last().as_str(), numbered.state.own.phase), ("NumberAssigned", None));
}

#[test]
fn an_amendment_changes_the_face_and_keeps_what_was() {
    let story = Story::filed("2026-09-18").in_review("2026-09-18").granted("2026-09-18");
    let amend = |field: &str, new: &str| Command::AmendPermit {
        field: field.into(),
        new: new.into(),
        basis: "变更申请".into(),
    };
    assert_eq!(
        story.own_refused("2026-09-19", "chen", amend("permit_no", "1")),
        "UNKNOWN_FIELD"
    );
    assert_eq!(
        story.own_refused("2026-09-19", "chen", amend("Client.uscc", "91110000600037341X")),
        "INVALID_VALUE"
    );
    let story = story.own("2026-09-19", "chen", amend("Construction.lead_name", "周工"));
    let expected = Event::PermitAmended {
        field: "Construction.lead_name".into(),
        old: "赵工".into(),
        new: "周工".into(),
        basis: "变更申请".into(),
        on: day("2026-09-19"),
    };
    assert!(matches!(story.events.last(), Some(crate::case::CaseEvent::Own(event)) if *event == expected));
    assert_eq!(story.state.own.face.as_ref().unwrap().participants[3].lead_name, "周工");
}

#[test]
fn four_eyes_see_every_decision() {
    let reviewed = Story::filed("2026-09-18").in_review("2026-09-18");
    assert_eq!(reviewed.refused("2026-09-18", "li", complete_review()), "NOT_THE_HANDLER");
    let alone = KernelCommand::CompleteReview {
        conclusion: crate::case::Conclusion::Agree,
        second_officer: "zhang".into(),
    };
    assert_eq!(reviewed.refused("2026-09-18", "zhang", alone), "SECOND_OFFICER_MISSING");
    let reviewed = reviewed.then("2026-09-18", "zhang", complete_review());
    assert_eq!(
        reviewed.refused("2026-09-18", "zhang", KernelCommand::ApproveBySection),
        "FOUR_EYES"
    );
    let approved = reviewed.then("2026-09-18", "li", KernelCommand::ApproveBySection);
    assert_eq!(approved.refused("2026-09-18", "zhang", grant()), "FOUR_EYES");
    assert_eq!(approved.refused("2026-09-18", "li", grant()), "FOUR_EYES");
    // Giving the case to another does not make the reviewer a stranger to it.
    let reassigned = approved.then("2026-09-18", "li", assign("sun"));
    assert_eq!(reassigned.refused("2026-09-18", "zhang", grant()), "FOUR_EYES");
    assert_eq!(
        reassigned.then("2026-09-18", "chen", grant()).state.kernel.stage,
        Stage::Granted
    );
}

#[test]
fn an_approval_is_taken_back_only_before_the_next_one_acts() {
    let approved = ready(&MATERIALS, |_| {});
    let recall = || KernelCommand::RecallApproval { reason: "漏项".into() };
    assert_eq!(approved.refused("2026-09-18", "zhang", recall()), "NOT_YOUR_APPROVAL");
    assert_eq!(
        approved.clone().then("2026-09-18", "li", recall()).state.kernel.stage,
        Stage::PendingApproval
    );
    let (step, conclusion) = (crate::case::Step::Decision, crate::case::Conclusion::Agree);
    let opinion = KernelCommand::RecordOpinion {
        step,
        conclusion,
        text: "已阅".into(),
        signature: None,
    };
    let acted = approved.then("2026-09-18", "chen", opinion);
    assert_eq!(acted.refused("2026-09-18", "li", recall()), "TOO_LATE_TO_RECALL");
    let back = KernelCommand::Return {
        to: crate::case::Step::Handling,
        reason: "补充".into(),
    };
    assert_eq!(acted.then("2026-09-18", "chen", back).state.kernel.stage, Stage::UnderReview);
}

#[test]
fn a_promised_material_that_never_comes_is_on_record() {
    let (mode, tolerance) = (crate::case::AcceptanceMode::Tolerance, |code: &str, due: &str| {
        vec![crate::case::Tolerated {
            code: code.into(),
            due_on: day(due),
        }]
    });
    let accept = |tolerance| KernelCommand::Accept {
        mode,
        tolerance,
        commitment: None,
    };
    let without: Vec<&str> = MATERIALS.into_iter().filter(|code| *code != "M06").collect();
    let filed = Story::default().then("2026-09-18", "client", submit_with(&without));
    assert_eq!(
        filed.refused("2026-09-18", "wang", accept(tolerance("M07", "2026-09-30"))),
        "NOT_TOLERABLE"
    );
    assert_eq!(
        filed.refused("2026-09-18", "wang", accept(tolerance("M06", "2027-09-30"))),
        "INVALID_INPUT"
    );
    let story =
        filed
            .then("2026-09-18", "wang", accept(tolerance("M06", "2026-10-09")))
            .then("2026-09-18", "li", assign("zhang"));
    let granted = story.granted("2026-09-18");
    assert_eq!(granted.state.kernel.stage, Stage::GrantedTolerance);
    let kept = granted.clone().then(
        "2026-10-09",
        "client",
        KernelCommand::AttachMaterial {
            material: material("M06"),
        },
    );
    assert_eq!(kept.last(), "ToleranceMaterialSupplied");
    assert!(
        kept.state
            .deadlines(&Rules::embedded())
            .iter()
            .all(|deadline| !deadline.kind.starts_with("tolerance"))
    );
    assert_eq!(
        granted.then("2026-10-10", "system", fire("tolerance:M06")).last(),
        "ToleranceDefaulted"
    );
}

#[test]
fn warnings_and_overruns_are_raised_once_for_each_limit() {
    let story = Story::filed("2026-03-02").in_review("2026-03-02");
    let timers = [
        "promisedYellow",
        "promisedRed",
        "internal",
        "promised",
        "statutoryYellow",
        "statutoryRed",
        "statutory",
    ];
    let story = timers
        .into_iter()
        .fold(story, |story, timer| story.then("2026-03-12", "system", fire(timer)));
    let before = story.events.len();
    let story = timers
        .into_iter()
        .fold(story, |story, timer| story.then("2026-03-13", "system", fire(timer)));
    assert_eq!(story.events.len(), before, "a timer that fired does nothing again");
    assert_eq!((story.state.kernel.warnings.len(), story.state.kernel.overdue.len()), (4, 3));
}

#[test]
fn a_deadline_is_extended_once_in_time_and_by_another() {
    let story = Story::filed("2026-01-26").in_review("2026-01-26");
    let extend = |days| KernelCommand::ExtendDeadline {
        add_working_days: days,
        reason: "案情复杂".into(),
    };
    assert_eq!(story.refused("2026-01-27", "chen", extend(11)), "EXTENSION_TOO_LONG");
    assert_eq!(story.refused("2026-01-27", "zhang", extend(10)), "FOUR_EYES");
    assert_eq!(story.refused("2026-03-12", "chen", extend(10)), "ALREADY_OVERDUE");
    let pause = KernelCommand::Suspend {
        kind: PauseKind::Tender,
        basis: "招标".into(),
        expected_working_days: 5,
    };
    assert_eq!(story.refused("2026-01-27", "zhang", pause), "PAUSE_NOT_ALLOWED");
    let story = story.then("2026-01-27", "chen", extend(10));
    assert_eq!(story.refused("2026-01-28", "chen", extend(1)), "ALREADY_EXTENDED");
}

#[test]
fn names_of_the_kernel_and_of_the_type_never_collide_and_every_event_has_a_sample() {
    let mut names: Vec<&str> = KernelEvent::VARIANTS.iter().chain(Event::VARIANTS).copied().collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);

    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/case_types/construction_permit/samples");
    crate::case::samples_test::each_sample(folder, Event::VARIANTS, |name, data| {
        let event: Event = ConstructionPermit::read_own(name, data).unwrap();
        let (zh, en) = event.say();
        assert!(!zh.is_empty() && !en.is_empty());
        stored::encode(&event).unwrap()
    });
}
