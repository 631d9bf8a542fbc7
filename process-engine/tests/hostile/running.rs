//! Models that are sound by the letter and run without end, or grow without end.

use std::{fmt::Write as _, sync::Arc};

use process_engine::{
    bpmn::{self, MAX_NODES, ReadOptions},
    instance::{Bindings, Command, Key, MAX_STEPS_PER_COMMAND, Resume},
    testing::{NotPlayed, Player, World},
};
use serde_json::json;

use crate::{file, flows, offended, on_a_small_stack, process};

fn player(xml: &str) -> Player {
    let read = bpmn::read(xml.as_bytes(), &ReadOptions::default()).unwrap_or_else(|refused| panic!("{refused}"));
    let mut player = Player::new(&Arc::new(World::new().with(&read.definitions)));
    player.be("zhang").administrator(true);
    player
}

/// Starts `p`; says which incidents stand afterwards.
fn stopped_by(xml: &str, variables: Bindings) -> Vec<String> {
    on_a_small_stack(|| {
        let mut player = player(xml);
        player.start("p", variables).unwrap_or_else(|why| panic!("{why}"));
        player.incidents().iter().map(|incident| incident.message.clone()).collect()
    })
}

#[test]
fn a_circle_of_scripts_stops_after_so_many_steps() {
    let xml = process(&format!(
        r#"<startEvent id="s"/><exclusiveGateway id="m"/><scriptTask id="a" scriptFormat="feel"><script>1</script></scriptTask><exclusiveGateway id="g" default="g-m"/><endEvent id="e"/>{}{}<sequenceFlow id="ge" sourceRef="g" targetRef="e"><conditionExpression>false</conditionExpression></sequenceFlow>"#,
        flows(&["s", "m", "a", "g", "m"]),
        ""
    ));
    let said = stopped_by(&xml, Bindings::new());
    assert!(
        said.len() == 1 && said[0].contains(&MAX_STEPS_PER_COMMAND.to_string()),
        "{said:?}"
    );
}

#[test]
fn tokens_that_double_in_a_circle_stop_after_so_many_steps() {
    let xml = process(&format!(
        r#"<startEvent id="s"/><exclusiveGateway id="m"/><parallelGateway id="f"/><exclusiveGateway id="g" default="g-m"/><endEvent id="e"/>{}<sequenceFlow id="fm" sourceRef="f" targetRef="m"/><sequenceFlow id="ge" sourceRef="g" targetRef="e"><conditionExpression>false</conditionExpression></sequenceFlow>"#,
        flows(&["s", "m", "f", "g", "m"])
    ));
    let Ok(read) = bpmn::read(xml.as_bytes(), &ReadOptions::default()) else {
        return; // Refused is as good.
    };
    on_a_small_stack(|| {
        let mut player = Player::new(&Arc::new(World::new().with(&read.definitions)));
        player.be("zhang");
        let done = player.start("p", Bindings::new()).map(<[_]>::len);
        assert!(
            !player.incidents().is_empty() && done.is_ok_and(|events| events <= 4 * MAX_STEPS_PER_COMMAND as usize),
            "{:?}",
            player.incidents().len()
        );
    });
}

#[test]
fn tokens_that_multiply_stop_after_so_many_steps() {
    let many = r#"completionQuantity="1000""#;
    let row = format!(
        r#"<startEvent id="s"/><task id="a" {many}/><task id="b" {many}/><task id="c" {many}/><task id="d" {many}/><endEvent id="e"/>{}"#,
        flows(&["s", "a", "b", "c", "d", "e"])
    );
    let back: String = (0..500)
        .map(|n| format!(r#"<sequenceFlow id="back{n}" sourceRef="f" targetRef="m"/>"#))
        .collect();
    let circle = format!(
        r#"<startEvent id="s"/><exclusiveGateway id="m"/><scriptTask id="a" scriptFormat="feel"><script>1</script></scriptTask><parallelGateway id="f"/><endEvent id="e"/>{}{back}"#,
        flows(&["s", "m", "a", "f", "e"])
    );
    for xml in [process(&row), process(&circle)] {
        on_a_small_stack(|| {
            let mut player = player(&xml).without_replay();
            player.start("p", Bindings::new()).unwrap_or_else(|why| panic!("{why}"));
            let incidents = player.incidents();
            assert!(
                incidents
                    .iter()
                    .all(|one| one.message.contains(&MAX_STEPS_PER_COMMAND.to_string()))
                    && !incidents.is_empty()
            );
            assert!(
                player.events().len() <= 8 * MAX_STEPS_PER_COMMAND as usize,
                "{}",
                player.events().len()
            );
        });
    }
}

#[test]
fn a_process_that_calls_itself_stops_at_the_depth_of_calls() {
    let call = |id: &str, of: &str| {
        format!(
            r#"<process id="{id}" isExecutable="true"><startEvent id="{id}s"/><callActivity id="{id}a" calledElement="{of}"/><endEvent id="{id}e"/>{}</process>"#,
            flows(&[&format!("{id}s"), &format!("{id}a"), &format!("{id}e")])
        )
    };
    for xml in [file(&call("p", "p")), file(&format!("{}{}", call("p", "q"), call("q", "p")))] {
        let said = stopped_by(&xml, Bindings::new());
        assert!(said.len() == 1 && said[0].contains("deep in each other"), "{said:?}");
    }
}

#[test]
fn a_process_that_calls_itself_twice_stops_after_so_many_steps() {
    let xml = process(&format!(
        r#"<startEvent id="s"/><parallelGateway id="f"/><callActivity id="a" calledElement="p"/><callActivity id="b" calledElement="p"/><parallelGateway id="j"/><endEvent id="e"/>{}{}"#,
        flows(&["s", "f", "a", "j", "e"]),
        flows(&["f", "b", "j"])
    ));
    on_a_small_stack(|| {
        let mut player = player(&xml).without_replay();
        player.start("p", Bindings::new()).unwrap_or_else(|why| panic!("{why}"));
        let incidents = player.incidents();
        assert!(
            incidents
                .iter()
                .any(|one| one.message.contains(&MAX_STEPS_PER_COMMAND.to_string()))
        );
        assert!(
            player.events().len() <= 8 * MAX_STEPS_PER_COMMAND as usize,
            "{}",
            player.events().len()
        );
    });
}

#[test]
fn links_in_a_circle_are_refused() {
    let link = |kind: &str, id: &str, name: &str| {
        format!(r#"<{kind} id="{id}"><linkEventDefinition id="{id}l" name="{name}"/></{kind}>"#)
    };
    let xml = process(&format!(
        r#"<startEvent id="s"/>{}{}<exclusiveGateway id="m"/>{}{}"#,
        link("intermediateThrowEvent", "t", "x"),
        link("intermediateCatchEvent", "c", "x"),
        flows(&["s", "m", "t"]),
        flows(&["c", "m"])
    ));
    let offended = offended(xml.as_bytes());
    assert!(
        offended.iter().any(|rule| rule == "endless-circle" || rule == "never-ends"),
        "{offended:?}"
    );
}

#[test]
fn rounds_without_number_are_an_incident_before_the_first() {
    let many = |inside: &str| {
        process(&format!(
            r#"<startEvent id="s"/><userTask id="a"><multiInstanceLoopCharacteristics id="m">{inside}</multiInstanceLoopCharacteristics></userTask><endEvent id="e"/>{}"#,
            flows(&["s", "a", "e"])
        ))
    };
    for count in [json!(10_001), json!(u64::MAX), json!(1e300)] {
        let said = stopped_by(
            &many("<loopCardinality>count</loopCardinality>"),
            Bindings::from([("count".to_owned(), count.clone())]),
        );
        assert!(
            said.len() == 1 && (said[0].contains("10000 at most") || said[0].contains("whole number")),
            "{count}: {said:?}"
        );
    }
    for count in [json!(-1), json!(0.5), json!("x"), json!(null)] {
        let said = stopped_by(
            &many("<loopCardinality>count</loopCardinality>"),
            Bindings::from([("count".to_owned(), count.clone())]),
        );
        assert_eq!(said.len(), 1, "{count}");
    }
}

#[test]
fn as_many_branches_as_a_file_may_hold_run_and_can_be_left_again() {
    let branches = MAX_NODES / 2;
    let mut text = String::from(
        r#"<startEvent id="s"/><userTask id="first"/><parallelGateway id="f"/><parallelGateway id="j"/><endEvent id="e"/>"#,
    );
    text += &flows(&["s", "first", "f"]);
    text += &flows(&["j", "e"]);
    for n in 0..branches {
        let id = format!("t{n}");
        let _ = write!(text, r#"<userTask id="{id}"/>{}"#, flows(&["f", &id, "j"]));
    }
    on_a_small_stack(|| {
        let mut player = player(&process(&text)).without_replay();
        player.start("p", Bindings::new()).unwrap();
        let first = player.tasks("first")[0];
        player
            .complete_task(first, process_engine::instance::Outcome::Approved, Bindings::new())
            .unwrap();
        assert_eq!(player.state().tasks.len(), branches);
        let task: Key = player.tasks("t7")[0];
        player
            .ask(&Command::ReturnTo {
                task,
                to: "first".into(),
                resume: Resume::Again,
                reason: "重办".to_owned(),
            })
            .unwrap();
        assert_eq!(player.state().tasks.len(), 1);
    });
}

#[test]
fn commands_with_more_than_anybody_means_are_refused() {
    let xml = crate::around("<userTask id=\"a\"/>");
    on_a_small_stack(|| {
        let mut player = player(&xml);
        player.start("p", Bindings::new()).unwrap();
        let task = player.tasks("a")[0];
        player.ask(&Command::ClaimTask { task }).unwrap();
        let nobody = process_engine::testing::person("li");
        let too_much = |asked: Result<&[process_engine::instance::Event], NotPlayed>| {
            let refused = asked.map(<[_]>::len).unwrap_err().to_string();
            assert!(refused.contains("at most"), "{refused}");
        };
        too_much(player.ask(&Command::SendCopy {
            task,
            to: vec![nobody.clone(); 100_000],
            message: String::new(),
        }));
        too_much(
            player.ask(&Command::AddSign {
                task,
                place: process_engine::instance::SignPlace::Before,
                people: (0..100_000)
                    .map(|n| process_engine::testing::person(&format!("p{n}")))
                    .collect(),
                reason: "会办".to_owned(),
            }),
        );
        too_much(player.ask(&Command::Modify {
            changes: vec![process_engine::instance::Change::GiveUp { key: 1 }; 100_000],
            reason: "整理".to_owned(),
        }));
        let jump = player.ask(&Command::Jump {
            from: vec![u64::MAX; 1_000],
            to: vec!["nowhere".into(); 1_000],
            reason: "整理".to_owned(),
        });
        assert!(jump.is_err());
    });
}
