//! Timers: dates, durations, cycles.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{done, end, event, flows, is_over, open, process, start, started, started_in, started_with, task, timer, world};
use crate::{
    instance::{Command, Key, Obstacle, Rejection, Waiting},
    testing::{NotPlayed, Player},
};

fn waits_for(kind: &str, written: &str) -> Vec<String> {
    vec![
        start("s"),
        event("intermediateCatchEvent", "w", &timer(kind, written)),
        end("e"),
        flows(&["s > w > e"]),
    ]
}

fn on_border(interrupting: bool, kind: &str, written: &str) -> Vec<String> {
    let border = format!(r#"boundaryEvent attachedToRef="a" cancelActivity="{interrupting}""#);
    vec![
        start("s"),
        task("a"),
        event(&border, "b", &timer(kind, written)),
        task("x"),
        end("e"),
        end("e2"),
        flows(&["s > a > e", "b > x > e2"]),
    ]
}

fn due(player: &Player) -> Vec<DateTime<Utc>> {
    let timers = player.state().waits.values().filter_map(|wait| match wait.what {
        Waiting::Timer { due_at, .. } => Some(due_at),
        _ => None,
    });
    timers.collect()
}

fn at(written: &str) -> DateTime<Utc> {
    written.parse().unwrap()
}

fn first_timer(player: &Player) -> Key {
    *player.state().waits.keys().next().unwrap()
}

#[test]
fn a_duration_passes_before_the_token_goes_on() {
    let mut player = started(&waits_for("timeDuration", "P1DT2H"));
    assert_eq!(due(&player), [at("2026-03-03T11:00:00Z")]);
    player.advance(TimeDelta::hours(25)).unwrap();
    assert!(!is_over(&player));
    player.advance(TimeDelta::hours(1)).unwrap();
    assert!(is_over(&player), "{}", player.story());
}

#[test]
fn a_timer_that_is_not_due_is_refused_and_one_that_is_gone_is_nothing() {
    let mut player = started(&on_border(true, "timeDuration", "PT1H"));
    let timer = first_timer(&player);
    let fire = Command::FireTimer { timer };
    let refused = player.ask(&fire).unwrap_err();
    assert!(matches!(refused, NotPlayed::Refused(Rejection::NotDue { .. })), "{refused}");
    done(&mut player, "a");
    assert!(is_over(&player));
    assert!(player.ask(&fire).unwrap().is_empty());
}

#[test]
fn a_date_without_a_zone_is_local() {
    let parts = [process("p", &waits_for("timeDate", "2026-03-05T09:30:00"))];
    let player = started_in(world(&parts).at_utc_offset(8 * 3_600), &[]);
    assert_eq!(due(&player), [at("2026-03-05T01:30:00Z")]);
    let parts = [process("p", &waits_for("timeDate", "2026-03-05"))];
    let player = started_in(world(&parts).at_utc_offset(8 * 3_600), &[]);
    assert_eq!(due(&player), [at("2026-03-04T16:00:00Z")]);
    let player = started(&waits_for("timeDate", "2026-03-05T09:30:00+08:00"));
    assert_eq!(due(&player), [at("2026-03-05T01:30:00Z")]);
}

#[test]
fn months_are_counted_on_the_local_calendar() {
    let parts = [process("p", &waits_for("timeDuration", "P1M"))];
    let world = world(&parts).at_utc_offset(8 * 3_600);
    let player = started_in(world, &[]);
    assert_eq!(due(&player), [at("2026-04-02T09:00:00Z")]);
}

#[test]
fn a_time_may_be_computed() {
    let parts = waits_for("timeDuration", r#"="PT" + string(hours) + "H""#);
    let player = started_with(&parts, &[("hours", json!(3))]);
    assert_eq!(due(&player), [at("2026-03-02T12:00:00Z")], "{}", player.story());
}

#[test]
fn a_time_that_cannot_be_told_is_an_incident_that_is_repaired() {
    let mut player = started_with(&waits_for("timeDuration", "${period}"), &[("period", json!("soon"))]);
    let incidents = player.incidents();
    assert_eq!(incidents.len(), 1, "{}", player.story());
    assert_eq!(incidents[0].obstacle, Obstacle::Timer);
    assert!(incidents[0].message.contains("soon"), "{}", incidents[0].message);
    let incident = *player.state().incidents.keys().next().unwrap();
    let variables = super::bindings(&[("period", json!("PT1H"))]);
    let reason = "写错了".to_owned();
    let scope = 0;
    player
        .ask(&Command::SetVariables {
            scope,
            variables,
            reason,
        })
        .unwrap();
    let note = String::new();
    player.ask(&Command::RetryIncident { incident, note }).unwrap();
    player.advance(TimeDelta::hours(1)).unwrap();
    assert!(is_over(&player), "{}", player.story());
}

#[test]
fn a_timer_on_the_border_gives_the_task_up() {
    let mut player = started(&on_border(true, "timeDuration", "PT1H"));
    assert_eq!(open(&player), ["a"]);
    player.advance(TimeDelta::hours(1)).unwrap();
    assert_eq!(open(&player), ["x"]);
    assert!(player.state().waits.is_empty());
    done(&mut player, "x");
    assert!(is_over(&player));
}

#[test]
fn a_cycle_that_does_not_interrupt_fires_as_often_as_it_says() {
    let mut player = started(&on_border(false, "timeCycle", "R3/PT1H"));
    player.advance(TimeDelta::hours(1)).unwrap();
    assert_eq!(open(&player), ["a", "x"]);
    player.advance(TimeDelta::hours(9)).unwrap();
    assert_eq!(open(&player), ["a", "x", "x", "x"]);
    for element in ["x", "x", "a", "x"] {
        assert!(!is_over(&player));
        done(&mut player, element);
    }
    assert!(is_over(&player), "{}", player.story());
}

#[test]
fn a_duration_that_does_not_interrupt_fires_once() {
    let mut player = started(&on_border(false, "timeDuration", "PT1H"));
    player.advance(TimeDelta::hours(9)).unwrap();
    assert_eq!(open(&player), ["a", "x"]);
    done(&mut player, "a");
    assert!(!is_over(&player));
}

#[test]
fn a_cycle_without_a_number_fires_until_its_host_is_done() {
    let mut player = started(&on_border(false, "timeCycle", "R/PT1H"));
    assert_eq!(player.advance(TimeDelta::hours(5)).unwrap(), 5);
    done(&mut player, "a");
    assert!(player.state().waits.is_empty());
}

#[test]
fn a_cycle_may_have_a_beginning_or_an_end() {
    let mut player = started(&on_border(false, "timeCycle", "R2/2026-03-02T15:00:00Z/PT1H"));
    assert_eq!(due(&player), [at("2026-03-02T15:00:00Z")]);
    assert_eq!(player.advance(TimeDelta::hours(24)).unwrap(), 2);
    let mut player = started(&on_border(false, "timeCycle", "R/PT1H/2026-03-02T12:30:00Z"));
    assert_eq!(player.advance(TimeDelta::hours(24)).unwrap(), 3);
    let player = started(&on_border(false, "timeCycle", "R/2026-01-01T00:30:00Z/PT1H"));
    assert_eq!(due(&player), [at("2026-03-02T09:30:00Z")]);
}

#[test]
fn a_border_with_a_pattern_of_cron_fires_whenever_it_means() {
    // Monday, 09:00.
    let mut player = started(&on_border(false, "timeCycle", "0 0 8 ? * MON-FRI"));
    assert_eq!(due(&player), [at("2026-03-03T08:00:00Z")]);
    player.advance(TimeDelta::days(7)).unwrap();
    assert_eq!(
        open(&player).iter().filter(|element| **element == "x").count(),
        5,
        "{}",
        player.story()
    );
    assert_eq!(due(&player), [at("2026-03-10T08:00:00Z")]);
    done(&mut player, "a");
    assert!(due(&player).is_empty());
}
