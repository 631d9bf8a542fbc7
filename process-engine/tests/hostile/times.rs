//! Times that nobody will live to see, and cycles without end.

use std::sync::Arc;

use chrono::TimeDelta;
use process_engine::{
    bpmn::{self, ReadOptions},
    instance::{Bindings, Command, MAX_STEPS_PER_COMMAND},
    testing::{Player, World},
};
use serde_json::json;

use crate::{around, offended, on_a_small_stack};

/// A process that waits for a time that a variable says, at this offset of the clocks.
fn waiting(kind: &str, attributes: &str, time: &str, offset_seconds: i32) -> Player {
    let event = format!(
        r#"<intermediateCatchEvent id="a"><timerEventDefinition id="t" {attributes}><{kind}>=time</{kind}></timerEventDefinition></intermediateCatchEvent>"#
    );
    let read = bpmn::read(around(&event).as_bytes(), &ReadOptions::default()).unwrap_or_else(|refused| panic!("{refused}"));
    let world = World::new().with(&read.definitions).at_utc_offset(offset_seconds);
    let mut player = Player::new(&Arc::new(world));
    player.be("zhang").administrator(true);
    player.start("p", Bindings::from([("time".to_owned(), json!(time))])).unwrap();
    player
}

#[test]
fn a_time_that_no_clock_shows_is_an_incident_that_says_so() {
    for (kind, time) in [
        ("timeDuration", "P999999999Y"),
        ("timeDuration", "P4294967295Y"),
        ("timeDuration", "P99999999999999999999D"),
        ("timeDuration", "P4294967295D"),
        ("timeDuration", "P9000Y"),
        ("timeDuration", "P4294967295W"),
        ("timeDuration", "PT99999999999999H"),
        ("timeDuration", "-P1D"),
        ("timeDuration", ""),
        ("timeDate", "99999-01-01T00:00:00Z"),
        ("timeDate", "+262142-12-31T23:59:59"),
        ("timeDate", "-262143-01-01T00:00:00"),
        ("timeDate", "9999-12-31T23:59:60+99:99"),
        ("timeDate", "0000-00-00"),
        ("timeCycle", "R/P999999999Y"),
        ("timeCycle", "R99999999999999999999/P1D"),
        ("timeCycle", "R/PT0S"),
        ("timeCycle", "R0/P1D"),
        ("timeCycle", "R/-262143-01-01T00:00:00/P1D"),
        ("timeCycle", "R/0001-01-01T00:00:00/P1D/P1D"),
    ] {
        for offset in [0, 8 * 3_600, -12 * 3_600] {
            on_a_small_stack(|| {
                let player = waiting(kind, "", time, offset);
                let incidents = player.incidents();
                assert!(
                    incidents.len() == 1 && incidents[0].message.contains("is no time that can be told"),
                    "{kind} {time} {offset}: {incidents:?}"
                );
            });
        }
    }
}

#[test]
fn a_cycle_may_count_to_any_number_and_below() {
    for time in [
        "R-9223372036854775808/P1D",
        "R-1/P1D",
        "R4294967295/P1D",
        "R/0001-01-01T00:00:00Z/PT1S",
    ] {
        on_a_small_stack(|| {
            let player = waiting("timeCycle", "", time, 0);
            assert!(
                player.incidents().is_empty() && player.next_timer().is_some(),
                "{time}: {:?}",
                player.incidents()
            );
        });
    }
}

#[test]
fn more_working_days_than_can_be_counted_are_an_incident() {
    for days in ["P36526D", "P99999999D", "P4294967295D"] {
        on_a_small_stack(|| {
            let player = waiting("timeDuration", "zhulu:workingDays=\"true\"", days, 0);
            assert_eq!(player.incidents().len(), 1, "{days}");
        });
    }
}

#[test]
fn a_clock_that_stands_still_before_the_last_moment_can_be_resumed() {
    for attributes in [
        "zhulu:pausable=\"true\"",
        "zhulu:pausable=\"true\" zhulu:workingDays=\"true\"",
    ] {
        on_a_small_stack(|| {
            let mut player = waiting("timeDate", attributes, "9999-12-31T23:59:59Z", 0);
            assert!(player.incidents().is_empty());
            player
                .ask(&Command::PauseClock {
                    reason: "等待".to_owned(),
                })
                .unwrap();
            player.advance(TimeDelta::days(400)).unwrap();
            player.ask(&Command::ResumeClock).unwrap();
            assert!(player.next_timer().is_some());
        });
    }
}

#[test]
fn a_time_that_is_no_time_is_refused_when_it_is_written_in_the_model() {
    for (kind, time) in [
        ("timeDuration", "P99999999999999999999Y"),
        ("timeDuration", "P1D\u{0660}"),
        ("timeDuration", "PT١H"),
        ("timeDate", "99999-01-01"),
        ("timeCycle", "R99999999999999999999/P1D"),
        ("timeCycle", "R/R/R/P1D"),
    ] {
        let event = format!(
            r#"<intermediateCatchEvent id="a"><timerEventDefinition id="t"><{kind}>{time}</{kind}></timerEventDefinition></intermediateCatchEvent>"#
        );
        assert_eq!(offended(around(&event).as_bytes()), ["timer-format"], "{kind} {time}");
    }
}

#[test]
fn a_border_that_fires_every_second_for_a_year_fires_once_for_each_command() {
    let event = r#"<userTask id="a"/><boundaryEvent id="b" attachedToRef="a" cancelActivity="false"><timerEventDefinition id="t"><timeCycle>R/PT1S</timeCycle></timerEventDefinition></boundaryEvent><endEvent id="z"/><sequenceFlow id="bz" sourceRef="b" targetRef="z"/>"#;
    on_a_small_stack(|| {
        let read = bpmn::read(around(event).as_bytes(), &ReadOptions::default()).unwrap_or_else(|refused| panic!("{refused}"));
        let mut player = Player::new(&Arc::new(World::new().with(&read.definitions))).without_replay();
        player.be("zhang").administrator(true);
        player.start("p", Bindings::new()).unwrap();
        player.set_now(player.now() + TimeDelta::days(365));
        let (_, timer) = player.next_timer().unwrap();
        let events = player.ask(&Command::FireTimer { timer }).unwrap().len();
        assert!(events < MAX_STEPS_PER_COMMAND as usize, "{events}");
    });
}
