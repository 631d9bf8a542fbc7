//! The table of rules as a whole; and bytes that nobody would call a model.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::bpmn::{ReadOptions, check, read, rules::RULES};

/// Rules that only ever warn.
const WARNINGS: [&str; 2] = ["picture", "event-properties"];

#[test]
fn rules_have_different_names_in_one_way_of_writing() {
    let names: BTreeSet<&str> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(names.len(), RULES.len());
    assert!(
        names
            .iter()
            .all(|name| name.chars().all(|char| char.is_ascii_lowercase() || char == '-'))
    );
}

#[test]
fn each_rule_has_a_model_that_it_refuses() {
    let cases = [
        include_str!("rules_of_data.rs"),
        include_str!("rules_of_events.rs"),
        include_str!("rules_of_files.rs"),
        include_str!("rules_of_flows.rs"),
        include_str!("dialects.rs"),
    ]
    .concat();
    let untested = RULES
        .iter()
        .filter(|rule| !WARNINGS.contains(&rule.name) && !cases.contains(&format!("\"{}\"", rule.name)));
    assert_eq!(untested.map(|rule| rule.name).collect::<Vec<_>>(), Vec::<&str>::new());
}

/// Pieces of models, torn.
fn torn() -> impl Strategy<Value = String> {
    let pieces = [
        "<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\" xmlns:f=\"http://flowable.org/bpmn\">",
        "</definitions>",
        "<process id=\"p\" isExecutable=\"true\">",
        "</process>",
        "<startEvent id=\"s\"/>",
        "<userTask id=\"u\" f:assignee=\"${x\" f:dueDate=\"P\">",
        "</userTask>",
        "<endEvent id=\"e\">",
        "</endEvent>",
        "<subProcess id=\"s\" triggeredByEvent=\"true\">",
        "</subProcess>",
        "<sequenceFlow id=\"x\" sourceRef=\"s\" targetRef=\"u\"/>",
        "<sequenceFlow id=\"y\" sourceRef=\"u\" targetRef=\"u\"><conditionExpression>${a}}</conditionExpression></sequenceFlow>",
        "<boundaryEvent id=\"b\" attachedToRef=\"b\"><compensateEventDefinition activityRef=\"b\"/></boundaryEvent>",
        "<multiInstanceLoopCharacteristics f:collection=\"${\"/>",
        "<callActivity id=\"c\" calledElement=\"p\"/>",
        "<timerEventDefinition><timeCycle>R9/P9999999999999999999Y</timeCycle></timerEventDefinition>",
        "<linkEventDefinition name=\"l\"/>",
        "中文",
        "&#x0;",
        "\"",
    ];
    proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        prop_assert!(read(&bytes, &ReadOptions::default()).is_err());
    }

    #[test]
    fn torn_models_never_panic_and_each_finding_has_a_place(xml in torn(), foreign_scripts in any::<bool>()) {
        let options = ReadOptions { foreign_scripts, ..ReadOptions::default() };
        for finding in check(xml.as_bytes(), &options) {
            prop_assert!(finding.place.line >= 1 && finding.place.column >= 1);
            prop_assert!(!finding.message.is_empty() && !finding.message_zh.is_empty());
        }
    }
}
