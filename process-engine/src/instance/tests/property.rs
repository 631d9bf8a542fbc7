//! Whatever is asked, in whatever order: the state is what its events say, and a refusal changes nothing.

use chrono::TimeDelta;
use decider::Decider;
use proptest::prelude::*;
use serde_json::json;

use super::{bindings, flows, process, process_called, world};
use crate::{
    instance::{Change, Command, Key, Outcome, ProcessInstance, ROOT, Said},
    model::ElementId,
    testing::{NotPlayed, Player},
};

/// Something of everything: rounds, loops, jobs, calls, an ad-hoc sub-process, a complex gateway.
fn models() -> Vec<String> {
    let user = |id: &str| format!(r#"<userTask id="{id}" flowable:assignee="wang"/>"#);
    let vote = r#"<userTask id="vote" flowable:assignee="${who}"><multiInstanceLoopCharacteristics isSequential="false"
        flowable:collection="${people}" flowable:elementVariable="who" zhulu:outputCollection="said" zhulu:outputElement="outcome">
        <completionCondition>nrOfCompletedInstances &gt;= 2</completionCondition></multiInstanceLoopCharacteristics></userTask>"#;
    let sub = format!(
        r#"<subProcess id="sub"><startEvent id="in"/>{}<serviceTask id="job" zhulu:job="do" zhulu:retry="R2/PT1H"/><endEvent id="out"/>{}
        <standardLoopCharacteristics loopMaximum="2"/></subProcess>"#,
        user("x"),
        flows(&["in x job out"])
    );
    let first = process(
        &format!(r#"<startEvent id="start"/>{vote}{sub}<endEvent id="end"/>"#),
        &["start vote sub end"],
    );
    let free = format!(
        r#"<adHocSubProcess id="free">{}{}<completionCondition>enough</completionCondition></adHocSubProcess>"#,
        user("y"),
        user("z")
    );
    let second = process(
        &format!(
            r#"<startEvent id="start"/><parallelGateway id="fork"/>{}{free}<callActivity id="call" calledElement="inner"/>
            <complexGateway id="gate"/>{}<endEvent id="end"/>"#,
            user("a"),
            user("after")
        ),
        &[
            "start fork",
            "fork a gate",
            "fork free gate",
            "fork call gate",
            "gate after end",
        ],
    );
    let inner = process_called(
        "inner",
        &format!(r#"<startEvent id="begin"/>{}<endEvent id="finish"/>"#, user("deep")),
        &["begin deep finish"],
    );
    vec![first, format!("{second}{inner}")]
}

const ELEMENTS: [&str; 14] = [
    "vote", "sub", "x", "job", "a", "free", "y", "z", "call", "gate", "after", "deep", "start", "out",
];

const FLOWS: [&str; 6] = ["vote-sub", "x-job", "a-gate", "free-gate", "gate-after", "begin-deep"];

/// What may be asked, out of two numbers.
fn command(player: &Player, what: u8, pick: usize) -> Command {
    let state = player.state();
    let any = |keys: Vec<Key>| keys.get(pick % keys.len().max(1)).copied().unwrap_or(99);
    let task = || any(state.tasks.keys().copied().collect());
    let job = || any(state.jobs.keys().copied().collect());
    let free = || {
        let is_free = |key: &&Key| state.elements.get(key).is_some_and(|element| &*element.element == "free");
        state.elements.keys().find(is_free).copied().unwrap_or(ROOT)
    };
    let element = || ElementId::from(ELEMENTS[pick % ELEMENTS.len()]);
    let reason = String::new();
    match what {
        0..=6 => Command::CompleteTask {
            task: task(),
            outcome: if pick.is_multiple_of(5) {
                Outcome::Rejected
            } else {
                Outcome::Approved
            },
            said: Said::default(),
            form: bindings(&[("field", json!(pick))]),
            chosen: Vec::new(),
        },
        7 | 8 => Command::CompleteJob {
            job: job(),
            result: json!({"done": pick}),
        },
        9 => Command::FailJob {
            job: job(),
            message: "no".to_owned(),
        },
        10 => Command::RetryIncident {
            incident: any(state.incidents.keys().copied().collect()),
            note: reason,
        },
        11 => Command::SetVariables {
            scope: ROOT,
            variables: bindings(&[("enough", json!(pick.is_multiple_of(2)))]),
            reason,
        },
        12 | 13 => Command::BeginActivity {
            scope: free(),
            element: element(),
        },
        14 => Command::Modify {
            changes: vec![
                Change::GiveUp {
                    key: any(state.elements.keys().copied().collect()),
                },
                Change::Begin {
                    element: element(),
                    scope: None,
                    variables: bindings(&[]),
                },
            ],
            reason,
        },
        15 => Command::Modify {
            changes: vec![Change::Place {
                flow: FLOWS[pick % FLOWS.len()].into(),
                scope: None,
            }],
            reason,
        },
        16 if pick < 15 => Command::Suspend { reason },
        16..=18 => Command::Resume,
        _ => Command::CompleteAdHoc { scope: free() },
    }
}

/// The player compares with a replay after each step; besides, deciding beforehand gives the same, and a refusal changes
/// nothing.
fn ask(player: &mut Player, command: &Command) {
    let before = player.state().clone();
    let decided = ProcessInstance::decide(player.state(), command, &player.context());
    match (player.ask(command).map(<[_]>::to_vec), decided) {
        (Ok(happened), Ok(decided)) => assert_eq!(happened, decided),
        (Err(NotPlayed::Refused(refused)), Err(decided)) => {
            assert_eq!(refused, decided);
            assert_eq!(*player.state(), before);
        }
        (happened, decided) => panic!("{happened:?} and {decided:?}\n{}", player.story()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_state_is_what_its_events_say(steps in proptest::collection::vec((0_u8..22, 0_usize..50), 1..40), second in any::<bool>()) {
        let models = models();
        let world = std::sync::Arc::new(world(&[&models[usize::from(second)]]));
        let mut player = Player::new(&world);
        player.start("p", bindings(&[("people", json!(["wang", "li", "zhao"])), ("enough", json!(false))])).unwrap();
        player.administrator(true);
        for (what, pick) in steps {
            if what >= 20 {
                if let Err(cause) = player.advance(TimeDelta::hours(2)) {
                    prop_assert!(matches!(cause, NotPlayed::Refused(_)), "{cause}");
                }
                continue;
            }
            let command = command(&player, what, pick);
            ask(&mut player, &command);
        }
        let open = |keys: Vec<Key>| keys.into_iter().all(|key| player.state().elements.contains_key(&key));
        prop_assert!(open(player.state().waits.values().map(|wait| wait.owner).collect()));
        prop_assert!(open(player.state().jobs.keys().copied().collect()));
        prop_assert!(open(player.state().variables.keys().copied().collect()));
        let inside = player.state().elements.iter().all(|(key, element)| {
            usize::try_from(element.inside).is_ok_and(|inside| inside == player.state().children(*key).count())
        });
        prop_assert!(inside, "{}", player.story());
    }
}
