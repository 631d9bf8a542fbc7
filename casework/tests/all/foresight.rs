//! What comes next, why it is so, and what a model would do that nobody has deployed.

use casework::{AnyWork, Trial, TrialError, WorkEvent, foresee, try_out, why};
use domain::{
    case::{Command, Explain as _, Stage},
    registers::staff::{Department, Directory, Event as Recorded, Member, StaffRegister},
};
use process_engine::instance::{Bindings, Choice, Foreseen, Outcome, Step};
use serde_json::json;

use crate::{
    support::{CHIEF, CLERK, DIRECTOR, HANDLER, Story, desk},
    testing::{accept, assign, complete_review, deliver, grant},
};

fn folded(story: &Story) -> AnyWork {
    let mut work = AnyWork::of("constructionPermit").unwrap();
    for event in &story.events {
        let (name, data) = event.write().unwrap();
        work.apply(&name, &data).unwrap();
    }
    work
}

fn chosen(element: &str, outcome: &str) -> Choice {
    Choice {
        element: element.into(),
        outcome: Outcome::Other(outcome.to_owned()),
        form: Bindings::new(),
        told: Bindings::new(),
    }
}

/// The elements at which people are asked.
fn asked(steps: &[Step]) -> Vec<&str> {
    let is_asked = |step: &&Step| matches!(step.what, Foreseen::Asked { .. });
    steps.iter().filter(is_asked).map(|step| &*step.element).collect()
}

fn people(step: &Step) -> Vec<&str> {
    match &step.what {
        Foreseen::Asked { people, .. } => people.iter().map(|person| &*person.id).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_foreseen_is_what_then_happens() {
    let filed = Story::filed();
    let on = desk("2026-09-15", CLERK);
    let steps = foresee(&folded(&filed), &[], &on);
    assert_eq!(
        asked(&steps),
        ["assignment", "review", "section", "decision", "delivery", "archive"],
        "{steps:?}"
    );
    assert_eq!(people(&steps[1]), ["role:handler"], "nobody is named yet");
    let story = filed
        .case("2026-09-15", CLERK, accept())
        .case("2026-09-15", CHIEF, assign("zhang"));
    let steps = foresee(&folded(&story), &[], &on);
    assert_eq!(asked(&steps), ["section", "decision", "delivery", "archive"]);
    let mut happened = Vec::new();
    let story = story.case("2026-09-16", HANDLER, complete_review());
    happened.extend(story.open().into_iter().map(str::to_owned));
    let story = story.case("2026-09-17", CHIEF, Command::ApproveBySection);
    happened.extend(story.open().into_iter().map(str::to_owned));
    let story = story.case("2026-09-18", DIRECTOR, grant());
    happened.extend(story.open().into_iter().map(str::to_owned));
    let story = story.case("2026-09-21", CLERK, deliver());
    happened.extend(story.open().into_iter().map(str::to_owned));
    assert_eq!(asked(&steps), happened);
    assert_eq!(story.stage(), Stage::Delivered);
}

#[test]
fn a_choice_that_names_a_command_goes_the_way_of_that_command() {
    let work = folded(&Story::filed());
    let on = desk("2026-09-15", CLERK);
    let steps = foresee(&work, &[chosen("intake", "NotifyCorrection")], &on);
    assert_eq!(asked(&steps)[0], "correction");
    let steps = foresee(&work, &[chosen("intake", "NotAccept")], &on);
    assert_eq!(asked(&steps), ["archive"]);
    let steps = foresee(&work, &[chosen("section", "Return")], &on);
    assert_eq!(asked(&steps)[..4], ["assignment", "review", "section", "review"]);
}

#[test]
fn why_a_task_is_open_is_told_from_what_happened() {
    let story = Story::filed().case("2026-09-15", CLERK, accept());
    let of_process = story.events.iter().filter_map(|event| match event {
        WorkEvent::Process(event) => Some(event.clone()),
        WorkEvent::Case(_) => None,
    });
    let happened: Vec<_> = of_process.collect();
    let here = why(&happened, &story.work.case.kernel, &desk("2026-09-15", CLERK));
    assert_eq!(here.len(), 1);
    assert_eq!(&*here[0].element, "assignment");
    let told: Vec<String> = here[0].because.iter().map(|cause| casework::cause_said(cause).0).collect();
    assert!(
        told[0].contains("intake") && told[0].contains("ApplicationAccepted"),
        "{told:?}"
    );
}

/// A request that goes on by its amount, and then to a vote of all heads of sections.
const MODEL: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zhulu="http://zhulu.cn/bpmn"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" targetNamespace="http://zhulu.cn/test">
<process id="purchase" isExecutable="true"><startEvent id="start"/>
<sequenceFlow id="f1" sourceRef="start" targetRef="manager"/>
<userTask id="manager" name="经办" zhulu:candidateGroups="handler"/>
<sequenceFlow id="f2" sourceRef="manager" targetRef="much"/>
<exclusiveGateway id="much" default="f4"/>
<sequenceFlow id="f3" sourceRef="much" targetRef="board"><conditionExpression xsi:type="tFormalExpression">amount &gt; 1000</conditionExpression></sequenceFlow>
<userTask id="board" name="会签" zhulu:candidateStrategy="Role" zhulu:candidateParameter="sectionChief" zhulu:method="each" zhulu:vote="all"/>
<sequenceFlow id="f5" sourceRef="board" targetRef="end"/>
<sequenceFlow id="f4" sourceRef="much" targetRef="end"/>
<endEvent id="end"/></process></definitions>"#;

fn trial(source: &str, amount: u32) -> Trial {
    Trial {
        source: source.as_bytes().to_vec(),
        data: Bindings::from([("amount".to_owned(), json!(amount))]),
        ..Trial::default()
    }
}

/// A desk whose bureau has two heads of sections.
fn staffed() -> casework::WorkDesk {
    let member = |id: &str, role: &str| Recorded::MemberRecorded {
        member: Member {
            id: id.to_owned(),
            name: format!("{id} 某"),
            department: "bureau".to_owned(),
            posts: Vec::new(),
            roles: vec![role.to_owned()],
            groups: Vec::new(),
        },
    };
    let department = Department {
        code: "bureau".to_owned(),
        name: "局".to_owned(),
        parent: None,
        leader: None,
    };
    let recorded = [
        Recorded::DepartmentRecorded { department },
        member("li", "sectionChief"),
        member("sun", "sectionChief"),
        member("wang", "handler"),
    ];
    casework::WorkDesk {
        directory: Directory::from(decider::replay::<StaffRegister>(&recorded)),
        ..desk("2026-09-15", ("ops", "operator"))
    }
}

#[test]
fn a_model_that_nobody_deployed_is_tried_with_its_path_and_its_people() {
    let tried = try_out(&trial(MODEL, 5_000), &staffed()).unwrap();
    assert_eq!(asked(&tried.steps), ["manager", "board"]);
    assert_eq!(people(&tried.steps[0]), ["role:handler"]);
    let path: Vec<&str> = tried.path.iter().map(|(element, _)| &**element).collect();
    assert_eq!(path[..3], ["start", "manager", "much"]);
    assert!(tried.ended.is_some() && tried.waits.is_empty());
    let small = try_out(&trial(MODEL, 5), &staffed()).unwrap();
    assert_eq!(asked(&small.steps), ["manager"]);
}

#[test]
fn in_a_vote_every_member_of_a_role_has_a_voice() {
    let tried = try_out(&trial(MODEL, 5_000), &staffed()).unwrap();
    assert_eq!(people(&tried.steps[1]), ["li", "sun"]);
    let voices = tried.path.iter().filter(|(element, _)| &**element == "board").count();
    assert_eq!(
        voices, 3,
        "the vote as a whole, and one instance for each of the two: {:?}",
        tried.path
    );
}

#[test]
fn a_trial_decides_by_the_tables_that_it_brings_along() {
    let library = casework::Library::embedded();
    let file = |key: &str| {
        let edition = library.editions().find(|edition| &*edition.key == key);
        edition.unwrap_or_else(|| panic!("no {key}")).bytes.to_vec()
    };
    let table = library
        .editions()
        .find(|edition| edition.kind == domain::case::ModelKind::Dmn)
        .unwrap();
    let work = folded(&Story::filed());
    let trial = Trial {
        source: file("constructionPermit"),
        tables: vec![table.bytes.to_vec()],
        data: Bindings::from([("form".to_owned(), work.kernel().form.read())]),
        ..Trial::default()
    };
    let tried = try_out(&trial, &desk("2026-09-15", ("ops", "operator"))).unwrap();
    assert_eq!(
        asked(&tried.steps),
        ["intake", "assignment", "review", "section", "decision", "delivery", "archive"]
    );
    assert_eq!(tried.decisions.len(), 1);
    assert_eq!(tried.decisions[0].element.as_deref(), Some("sections"));
}

#[test]
fn a_model_that_cannot_be_tried_says_why() {
    let on = staffed();
    let faulty = MODEL.replace("amount &gt; 1000", "amount &gt;");
    let refused = try_out(&trial(&faulty, 1), &on).unwrap_err();
    assert!(matches!(&refused, TrialError::Faulty { file: None, findings } if !findings.is_empty()));
    assert_eq!(refused.code(), "MODEL_FAULTY");
    let other = Trial {
        process: Some("sale".to_owned()),
        ..trial(MODEL, 1)
    };
    assert_eq!(try_out(&other, &on).unwrap_err().code(), "NO_PROCESS");
    let table = Trial {
        tables: vec![b"<no/>".to_vec()],
        ..trial(MODEL, 1)
    };
    let refused = try_out(&table, &on).unwrap_err();
    assert_eq!(refused.field().as_deref(), Some("input.tables.0"));
    assert!(!refused.zh().is_empty() && !refused.to_string().is_empty());
}
