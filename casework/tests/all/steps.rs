//! What belongs to which step: both say yes, or nothing happens.

use casework::{AnyWork, WorkCommand};
use domain::case::{CaseCommand, Command, Stage};
use process_engine::instance::Outcome;

use crate::{
    support::{CHIEF, CLERK, DIRECTOR, HANDLER, Story, complete},
    testing::{accept, assign, complete_review, grant},
};

fn in_review() -> Story {
    Story::filed()
        .case("2026-09-15", CLERK, accept())
        .case("2026-09-15", CHIEF, assign("zhang"))
}

#[test]
fn what_the_law_refuses_leaves_the_task_open() {
    let story = in_review().case("2026-09-16", HANDLER, complete_review());
    // Whoever reviewed may not approve.
    let refusal = story.refused("2026-09-17", ("zhang", "sectionChief"), Command::ApproveBySection);
    assert_eq!(refusal, "FOUR_EYES");
    story.stands(Stage::PendingApproval, &["section"]);
}

#[test]
fn what_the_process_refuses_leaves_the_case_as_it_is() {
    let story = Story::filed();
    // The law knows no roles; the task is the window's and the handlers'.
    assert_eq!(story.refused("2026-09-15", ("gao", "inspector"), accept()), "NOT_YOURS");
    story.stands(Stage::Received, &["intake"]);
}

#[test]
fn a_task_that_means_a_command_is_done_by_that_command_only() {
    let story = in_review();
    let completion = complete(story.task("review"), Outcome::Approved);
    let alone = WorkCommand::Process(completion.clone());
    assert_eq!(story.refused_work("2026-09-16", HANDLER, &alone), "MEANS_A_COMMAND");
    let without = WorkCommand::Task {
        completion: completion.clone(),
        with: None,
    };
    assert_eq!(story.refused_work("2026-09-16", HANDLER, &without), "MEANS_A_COMMAND");
    let another = WorkCommand::Task {
        completion: completion.clone(),
        with: Some(CaseCommand::Kernel(Command::RecordOpinion {
            step: domain::case::Step::Handling,
            conclusion: domain::case::Conclusion::Agree,
            text: "同意".to_owned(),
            signature: None,
        })),
    };
    assert_eq!(story.refused_work("2026-09-16", HANDLER, &another), "MEANS_A_COMMAND");
    let both = WorkCommand::Task {
        completion,
        with: Some(CaseCommand::Kernel(complete_review())),
    };
    let story = story
        .asked("2026-09-16", HANDLER, &both)
        .stands(Stage::PendingApproval, &["section"]);
    let names = story.last();
    assert_eq!(names[0], "ReviewCompleted");
    assert!(names.contains(&"TaskCompleted".to_owned()));
}

#[test]
fn what_no_task_means_is_free_at_every_step() {
    let material = crate::testing::material("M01");
    let story = in_review().case("2026-09-16", CLERK, Command::AttachMaterial { material });
    assert_eq!(story.last(), ["MaterialAttached"]);
}

#[test]
fn the_stream_of_a_case_is_folded_and_told_with_its_process() {
    let story = in_review()
        .case("2026-09-16", HANDLER, complete_review())
        .case("2026-09-17", CHIEF, Command::ApproveBySection)
        .case("2026-09-18", DIRECTOR, grant());
    let mut work = AnyWork::of("constructionPermit").unwrap();
    for event in &story.events {
        let (name, data) = event.write().unwrap();
        let (zh, en) = work.apply_and_say(&name, &data).unwrap();
        assert!(!zh.is_empty() && !en.is_empty(), "{name} says nothing");
        work.say(&name, &data).unwrap();
        work.numbers_wanted(&name, &data).unwrap();
        work.entries("case", &name, &data).unwrap();
    }
    assert_eq!(work.stage(), Stage::Granted);
    assert_eq!(work.process, story.work.process);
    let told = story.events.iter().map(|event| event.write().unwrap().0);
    let told: Vec<_> = told.filter(|name| !casework::is_technical(name)).collect();
    assert!(told.iter().filter(|name| *name == "TaskOpened").count() >= 5, "{told:?}");
}

#[test]
fn every_event_of_a_process_says_itself_and_folds_whatever_it_meets() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../process-engine/src/instance/samples");
    let mut work = AnyWork::of("constructionPermit").unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .split('.')
            .next()
            .unwrap()
            .to_owned();
        let (zh, en) = work.apply_and_say(&name, &std::fs::read(&path).unwrap()).unwrap();
        assert!(!zh.is_empty() && !en.is_empty(), "{name} says nothing");
        let is_plain = zh.starts_with("流程步骤");
        assert!(
            !is_plain || casework::is_technical(&name),
            "{name} is shown to people and says only its name"
        );
    }
}
