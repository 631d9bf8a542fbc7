//! Rules for candidates and forms that are deployed beside the models: which a task uses, and what its form takes.

use casework::{Edition, Library, Trial, WorkDesk, try_out};
use domain::case::{Explain as _, ModelKind};
use process_engine::instance::{self, Said};
use process_engine::instance::{Foreseen, Outcome};

use crate::support::{CLERK, Story, desk};
use crate::testing::accept;

fn edition(key: &str, kind: ModelKind, version: u32, from: &str, text: &str) -> Edition {
    Edition {
        key: key.into(),
        kind,
        version,
        hash: format!("{key}-{version}").into(),
        effective_from: from.parse().unwrap(),
        percent: 100,
        retired: false,
        bytes: text.as_bytes().into(),
    }
}

const FORM: &str = r#"{ "name": "sampling", "version": 1, "title_zh": "抽查表", "title_en": "Sample", "fields": [
  { "name": "found", "title_zh": "结论", "title_en": "Finding", "kind": "text", "required": true },
  { "name": "on", "title_zh": "日期", "title_en": "Day", "kind": "date", "required": false } ] }"#;

const RULE: &str = r#"{ "title_zh": "抽查人", "candidates": [
  { "strategy": "Role", "parameter": "inspector" }, { "strategy": "User", "parameter": "gao" } ] }"#;

/// The program's models, in which somebody takes a sample first; its form, and who does it.
fn library() -> Library {
    let carried = Library::embedded();
    let first = carried
        .editions()
        .find(|edition| &*edition.key == "constructionPermit")
        .unwrap();
    let text = String::from_utf8(first.bytes.to_vec()).unwrap();
    let flow = r#"<sequenceFlow id="to_intake" sourceRef="start" targetRef="intake" />"#;
    assert!(text.contains(flow));
    let sampling = r#"<userTask id="sampling" zhulu:candidateRule="samplers" zhulu:formKey="sampling" />
        <sequenceFlow id="to_intake" sourceRef="start" targetRef="sampling" />
        <sequenceFlow id="sampled" sourceRef="sampling" targetRef="intake" />"#;
    let text = text.replace(flow, sampling);
    let second = Edition {
        version: 2,
        hash: "second".into(),
        bytes: text.as_bytes().into(),
        ..first.clone()
    };
    let read = process_engine::bpmn::read(text.as_bytes(), &process_engine::bpmn::ReadOptions::default()).unwrap();
    let second = Edition {
        hash: read.definitions.hash.clone(),
        ..second
    };
    let later = FORM.replace("日期", "时间");
    [
        second,
        edition("sampling", ModelKind::Form, 1, "2026-01-01", FORM),
        edition("sampling", ModelKind::Form, 2, "2026-09-15", &later),
        edition("samplers", ModelKind::CandidateRule, 1, "2026-01-01", RULE),
    ]
    .into_iter()
    .fold(carried, |library, edition| library.with(edition).unwrap())
}

fn on(day: &str, who: crate::support::Who) -> WorkDesk {
    WorkDesk {
        library: library(),
        ..desk(day, who)
    }
}

fn filled(task: u64, outcome: Outcome, form: serde_json::Value) -> instance::Command {
    instance::Command::CompleteTask {
        task,
        outcome,
        said: Said::default(),
        form: serde_json::from_value(form).unwrap(),
        chosen: Vec::new(),
    }
}

#[test]
fn a_task_is_offered_to_whom_a_deployed_rule_finds_and_is_filled_in_as_its_form_wants() {
    let gao = ("gao", "inspector");
    let filed = Story::default().at(&on("2026-09-14", CLERK), crate::testing::submit());
    let task = filed.task("sampling");
    let opened = filed.work.process.tasks.get(&task).unwrap();
    let candidates: Vec<&str> = opened.candidates.iter().map(|person| &*person.id).collect();
    assert_eq!(candidates, ["role:inspector", "gao"]);
    assert_eq!(
        opened.form.as_deref(),
        Some("sampling-1"),
        "the form of the day on which the case came in"
    );
    let claimed = filed.process_at(&on("2026-09-16", gao), instance::Command::ClaimTask { task });
    let refused = |outcome: Outcome, form: serde_json::Value| {
        let rejection = claimed.refusal_at(&on("2026-09-16", gao), &filled(task, outcome, form));
        assert!(!rejection.zh().is_empty() && !rejection.to_string().is_empty());
        (rejection.code(), rejection.field().unwrap_or_default())
    };
    let faulty = |field: &str| ("FORM_FAULTY".to_owned(), format!("input.form.{field}"));
    assert_eq!(refused(Outcome::Approved, serde_json::json!({})), faulty("found"));
    let wrong_day = serde_json::json!({ "found": "好", "on": "昨天" });
    assert_eq!(refused(Outcome::Approved, wrong_day.clone()), faulty("on"));
    assert_eq!(
        refused(Outcome::Rejected, wrong_day),
        faulty("on"),
        "what is written must be right"
    );
    let foreign = serde_json::json!({ "found": "好", "stage": "Granted" });
    assert_eq!(refused(Outcome::Approved, foreign), faulty("stage"));
    // Whoever only gives advice fills in nothing.
    let person = |id: &str| instance::Person {
        id: id.into(),
        name: id.into(),
    };
    let delegate = instance::Command::DelegateTask {
        task,
        to: person("lin"),
        reason: "请看一下".to_owned(),
    };
    let lin = ("lin", "inspector");
    let advised = claimed
        .clone()
        .process_at(&on("2026-09-16", gao), delegate)
        .process_at(&on("2026-09-16", lin), filled(task, Outcome::Approved, serde_json::json!({})));
    assert_eq!(advised.last(), ["TaskReturnedToOwner"]);
    // Whoever does not agree need not fill it in.
    let not_agreed = filled(task, Outcome::Rejected, serde_json::json!({}));
    let story = claimed.clone().process_at(&on("2026-09-16", gao), not_agreed);
    assert_eq!(story.open(), ["intake"]);
    let agreed = filled(
        task,
        Outcome::Approved,
        serde_json::json!({ "found": "好", "on": "2026-09-16" }),
    );
    let story = claimed.process_at(&on("2026-09-16", gao), agreed);
    assert_eq!(story.open(), ["intake"]);
    let accepted = story.at(&on("2026-09-17", CLERK), accept());
    assert_eq!(accepted.open(), ["assignment"]);
}

#[test]
fn a_rule_that_nobody_deployed_holds_the_task_up_and_says_so() {
    let text = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zhulu="http://zhulu.cn/bpmn" targetNamespace="http://zhulu.cn/test">
<process id="p" isExecutable="true"><startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="t"/>
<userTask id="t" zhulu:candidateRule="nobodys"/><sequenceFlow id="g" sourceRef="t" targetRef="e"/><endEvent id="e"/></process></definitions>"#;
    let trial = Trial {
        source: text.as_bytes().to_vec(),
        ..Trial::default()
    };
    let tried = try_out(&trial, &on("2026-09-14", CLERK)).unwrap();
    assert!(
        matches!(&tried.steps[0].what, Foreseen::Stuck { message } if message.contains("nobodys")),
        "{:?}",
        tried.steps
    );
}

#[test]
fn forms_and_rules_that_contradict_themselves_are_not_let_in() {
    for (kind, text) in [
        (ModelKind::Form, FORM.replace("\"on\"", "\"found\"")),
        (ModelKind::Form, FORM.replace("\"text\"", "\"choice\"")),
        (ModelKind::Form, "{}".to_owned()),
        (ModelKind::CandidateRule, r#"{ "candidates": [] }"#.to_owned()),
        (ModelKind::CandidateRule, RULE.replace("Role", "Nobody")),
        (ModelKind::CandidateRule, RULE.replace("Role", "Expression")),
    ] {
        let finding = casework::check_document(kind, text.as_bytes()).unwrap_err();
        assert!(finding.place.line >= 1 && !finding.message_zh.is_empty(), "{text}");
    }
    casework::check_document(ModelKind::Form, FORM.as_bytes()).unwrap();
    casework::check_document(ModelKind::CandidateRule, RULE.as_bytes()).unwrap();
}
