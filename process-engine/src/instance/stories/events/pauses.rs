//! 计时暂停: pausable timers stand still between pause and resume.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::{end, event, flows, is_over, process, start, started_in, task, world};
use crate::{
    instance::{Command, Rejection, Waiting},
    testing::{NotPlayed, Player},
};

const WORKING: &str = r#"<timerEventDefinition zhulu:pausable="true" zhulu:workingDays="true"><timeDuration>P5D</timeDuration></timerEventDefinition>"#;
const NATURAL: &str = r#"<timerEventDefinition zhulu:pausable="true"><timeDuration>PT10H</timeDuration></timerEventDefinition>"#;
const RUNNING: &str = "<timerEventDefinition><timeDuration>PT10H</timeDuration></timerEventDefinition>";

/// Monday, 2026-03-02, 17:00 in the time zone of China.
fn begun(timer: &str) -> Player {
    let parts = [
        start("s"),
        event("intermediateCatchEvent", "w", timer),
        task("a"),
        event("boundaryEvent attachedToRef=\"a\"", "b", timer),
        end("e"),
        end("e2"),
        flows(&["s > w > a > e", "b > e2"]),
    ];
    let holiday = NaiveDate::from_ymd_opt(2026, 3, 4).unwrap();
    let world = world(&[process("p", &parts)]).at_utc_offset(8 * 3_600).holiday(holiday);
    started_in(world, &[])
}

fn due(player: &Player) -> DateTime<Utc> {
    let timers = player.state().waits.values().filter_map(|wait| match wait.what {
        Waiting::Timer { due_at, .. } => Some(due_at),
        _ => None,
    });
    timers.min().unwrap()
}

fn at(written: &str) -> DateTime<Utc> {
    written.parse().unwrap()
}

fn pause(player: &mut Player) {
    let reason = "补正".to_owned();
    player.ask(&Command::PauseClock { reason }).unwrap();
}

fn resume(player: &mut Player) {
    player.ask(&Command::ResumeClock).unwrap();
}

#[test]
fn a_timer_that_stood_still_is_due_later_by_as_much() {
    let mut player = begun(NATURAL);
    player.advance(TimeDelta::hours(4)).unwrap();
    pause(&mut player);
    player.advance(TimeDelta::hours(100)).unwrap();
    assert!(player.is_at("w"));
    resume(&mut player);
    assert_eq!(due(&player), at("2026-03-02T19:00:00Z") + TimeDelta::hours(100));
    player.advance(TimeDelta::hours(6)).unwrap();
    assert!(player.is_at("a"));
}

#[test]
fn a_timer_that_is_not_pausable_goes_on() {
    let mut player = begun(RUNNING);
    pause(&mut player);
    player.advance(TimeDelta::hours(10)).unwrap();
    assert!(player.is_at("a"));
    let before = due(&player);
    resume(&mut player);
    assert_eq!(due(&player), before);
}

#[test]
fn a_timer_that_stands_still_does_not_fire() {
    let mut player = begun(NATURAL);
    pause(&mut player);
    player.advance(TimeDelta::hours(20)).unwrap();
    let timer = *player.state().waits.keys().next().unwrap();
    let refused = player.ask(&Command::FireTimer { timer }).unwrap_err();
    assert_eq!(refused, NotPlayed::Refused(Rejection::TimerStandsStill { timer }));
}

#[test]
fn a_timer_that_was_due_before_the_pause_is_only_late() {
    let mut player = begun(NATURAL);
    // Nobody let it fire in time.
    let timer = *player.state().waits.keys().next().unwrap();
    let mut late = player.context();
    late.now += TimeDelta::hours(11);
    let mut state = player.state().clone();
    let reason = String::new();
    crate::instance::ProcessInstance::step(&mut state, &Command::PauseClock { reason }, &late).unwrap();
    crate::instance::ProcessInstance::step(&mut state, &Command::FireTimer { timer }, &late).unwrap();
    assert!(state.waits.get(&timer).is_none());
    player.advance(TimeDelta::hours(20)).unwrap();
    assert!(is_over(&player));
}

#[test]
fn a_timer_that_begins_in_a_pause_does_not_run_before_it_is_over() {
    let parts = [
        start("s"),
        task("a"),
        task("c"),
        event("boundaryEvent attachedToRef=\"c\"", "b", NATURAL),
        end("e"),
        end("e2"),
        flows(&["s > a > c > e", "b > e2"]),
    ];
    let mut player = started_in(world(&[process("p", &parts)]), &[]);
    pause(&mut player);
    player.advance(TimeDelta::hours(50)).unwrap();
    super::done(&mut player, "a");
    player.advance(TimeDelta::hours(50)).unwrap();
    assert!(player.is_at("c"));
    resume(&mut player);
    assert_eq!(due(&player), player.now() + TimeDelta::hours(10));
}

#[test]
fn working_days_are_counted_on_the_calendar() {
    // Five working days from Monday: Wednesday is free, and the weekend.
    assert_eq!(due(&begun(WORKING)), at("2026-03-10T09:00:00Z"));
}

#[test]
fn as_many_working_days_are_left_after_a_pause_as_before() {
    let mut player = begun(WORKING);
    player.advance(TimeDelta::days(1)).unwrap();
    // Tuesday: four are left (Thursday, Friday, Monday, Tuesday).
    pause(&mut player);
    player.advance(TimeDelta::days(4)).unwrap();
    resume(&mut player);
    // Saturday: from Monday to Thursday.
    assert_eq!(due(&player), at("2026-03-12T09:00:00Z"));
}

#[test]
fn a_pause_within_a_working_day_costs_none() {
    let mut player = begun(WORKING);
    player.advance(TimeDelta::hours(2)).unwrap();
    pause(&mut player);
    player.advance(TimeDelta::hours(3)).unwrap();
    resume(&mut player);
    assert_eq!(due(&player), at("2026-03-10T09:00:00Z"));
}

#[test]
fn a_clock_is_paused_once_and_resumed_once() {
    let mut player = begun(NATURAL);
    assert_eq!(
        player.ask(&Command::ResumeClock).unwrap_err(),
        NotPlayed::Refused(Rejection::ClockRuns)
    );
    pause(&mut player);
    let reason = String::new();
    let refused = player.ask(&Command::PauseClock { reason }).unwrap_err();
    assert_eq!(refused, NotPlayed::Refused(Rejection::ClockPaused));
}
