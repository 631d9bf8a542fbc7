//! How models come in.

#![allow(clippy::unwrap_used)]

use decider::{replay, stored, testing::given};
use domain::{
    metadata::{Actor, Channel},
    registers::staff::Directory,
    rules::{Desk, Rules},
};
use uuid::Uuid;

use super::*;
use crate::library::Library;

const PROCESS: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="http://zhulu.cn/test">
<process id="leave" isExecutable="true"><startEvent id="s"><outgoing>f</outgoing></startEvent>
<sequenceFlow id="f" sourceRef="s" targetRef="t"/><userTask id="t" name="审批"><incoming>f</incoming><outgoing>g</outgoing></userTask>
<sequenceFlow id="g" sourceRef="t" targetRef="e"/><endEvent id="e"><incoming>g</incoming></endEvent></process></definitions>"#;

fn desk(who: &str) -> WorkDesk {
    let noon = "2026-05-04T04:00:00Z".parse().unwrap();
    WorkDesk {
        desk: Desk {
            now: noon,
            occurred_at: noon,
            actor: Actor {
                id: who.to_owned(),
                name: who.to_owned(),
                role: "operator".to_owned(),
                organisation: "11330109002514224B".to_owned(),
                channel: Channel::Window,
                on_behalf_of: None,
            },
            region: "330109".to_owned(),
            rules: Rules::embedded(),
        },
        library: Library::default(),
        directory: Directory::default(),
        case_id: Uuid::nil(),
        seed: 7,
    }
}

fn propose(source: &str) -> Command {
    Command::Propose {
        key: "leave".to_owned(),
        kind: ModelKind::Bpmn,
        name: "请假".to_owned(),
        source: source.to_owned(),
        effective_from: "2026-05-04".parse().unwrap(),
        percent: 100,
        note: String::new(),
    }
}

fn approve(version: u32) -> Command {
    Command::Approve {
        key: "leave".to_owned(),
        version,
    }
}

#[test]
fn one_proposes_and_another_approves() {
    let proposed = given::<Deployment>([])
        .at(&desk("wang"))
        .when(&propose(PROCESS))
        .then_accepted();
    given::<Deployment>(proposed.clone())
        .at(&desk("wang"))
        .when(&approve(1))
        .then_rejected(&Rejection::OwnProposal);
    let approved = given::<Deployment>(proposed)
        .at(&desk("li"))
        .when(&approve(1))
        .then_accepted();
    let (library, unreadable) = Library::default().deployed(&approved);
    assert!(unreadable.is_empty());
    let on = "2026-05-04".parse().unwrap();
    let (process, version) = library.current("leave", on).unwrap();
    assert_eq!((&*process.process, version), ("leave", 1));
    assert!(
        library.current("leave", "2026-05-03".parse().unwrap()).is_none(),
        "not before its day"
    );
}

#[test]
fn a_faulty_model_is_refused_with_the_places_of_its_faults() {
    let faulty = PROCESS.replace(
        "targetRef=\"e\"/>",
        "targetRef=\"e\"><conditionExpression>days &gt;</conditionExpression></sequenceFlow>",
    );
    let answer = Deployment::decide(&Shelf::default(), &propose(&faulty), &desk("wang"));
    let Err(Rejection::ModelFaulty { findings }) = answer else {
        panic!("{answer:?}")
    };
    assert!(
        findings
            .iter()
            .any(|finding| finding.contains("4:") || finding.contains("3:")),
        "{findings:?}"
    );
}

#[test]
fn a_share_of_new_cases_goes_by_a_new_version_and_each_case_always_by_the_same() {
    let mut events = given::<Deployment>([])
        .at(&desk("wang"))
        .when(&propose(PROCESS))
        .then_accepted();
    events = given::<Deployment>(events).at(&desk("li")).when(&approve(1)).then_accepted();
    let second = PROCESS.replace("审批", "复核");
    events = given::<Deployment>(events)
        .at(&desk("wang"))
        .when(&propose(&second))
        .then_accepted();
    events = given::<Deployment>(events).at(&desk("li")).when(&approve(2)).then_accepted();
    let rollout = Command::ChangeRollout {
        key: "leave".to_owned(),
        version: 2,
        percent: 10,
        reason: "灰度".to_owned(),
    };
    events = given::<Deployment>(events).at(&desk("li")).when(&rollout).then_accepted();
    let (library, _) = Library::default().deployed(&events);
    let on = "2026-05-04".parse().unwrap();
    let way = |case: u128| library.way_of("leave", on, Uuid::from_u128(case << 64 | case)).unwrap().1;
    let new = (0..2_000).filter(|case| way(*case) == 2).count();
    assert!((120..300).contains(&new), "{new} of 2,000 is not about a tenth");
    assert!((0..100).all(|case| way(case) == way(case)));
    let retire = Command::Retire {
        key: "leave".to_owned(),
        version: 2,
        reason: "有误".to_owned(),
    };
    events = given::<Deployment>(events).at(&desk("li")).when(&retire).then_accepted();
    let (library, _) = Library::default().deployed(&events);
    assert!((0..50).all(|case| library.way_of("leave", on, Uuid::from_u128(case)).unwrap().1 == 1));
    let kept = replay::<Deployment>(&events).find("leave", 2).unwrap().hash.clone();
    assert!(library.edition(&kept).is_some(), "what runs keeps its model");
}

#[test]
fn the_same_file_is_not_deployed_twice_nor_into_the_past() {
    let events = given::<Deployment>([])
        .at(&desk("wang"))
        .when(&propose(PROCESS))
        .then_accepted();
    given::<Deployment>(events)
        .at(&desk("wang"))
        .when(&propose(PROCESS))
        .then_rejected(&Rejection::SameAsBefore { version: 1 });
    let mut past = propose(PROCESS);
    if let Command::Propose { effective_from, .. } = &mut past {
        *effective_from = "2026-05-03".parse().unwrap();
    }
    assert!(matches!(
        Deployment::decide(&Shelf::default(), &past, &desk("wang")),
        Err(Rejection::InThePast { .. })
    ));
}

#[test]
fn every_sample_that_was_ever_stored_can_be_read() {
    use strum::VariantNames as _;
    let samples = [
        ("ModelProposed", include_str!("samples/ModelProposed.json")),
        ("ModelApproved", include_str!("samples/ModelApproved.json")),
        ("ModelDeclined", include_str!("samples/ModelDeclined.json")),
        ("RolloutChanged", include_str!("samples/RolloutChanged.json")),
        ("ModelRetired", include_str!("samples/ModelRetired.json")),
    ];
    assert_eq!(samples.map(|(name, _)| name), Event::VARIANTS, "a new event needs a sample");
    for (name, data) in samples {
        let event: Event = stored::decode(name, data.as_bytes()).unwrap();
        let (written, again) = stored::encode(&event).unwrap();
        assert_eq!(written, name);
        assert_eq!(
            serde_json::from_slice::<serde_json::Value>(&again).unwrap(),
            serde_json::from_str::<serde_json::Value>(data).unwrap()
        );
    }
}
