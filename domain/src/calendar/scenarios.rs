//! The oracle's clock scenarios, one test each, and what holds for every clock.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

use chrono::{Days, NaiveDate};
use proptest::prelude::*;

use super::*;

const SCENARIOS: &str = include_str!("../../data/calendar/clock_scenarios.csv");
const CORRECTION: u8 = 1;
const EXPERTS: u8 = 2;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn final_on(text: &str) -> Due {
    Due {
        on: day(text),
        provisional: false,
    }
}

fn calendar() -> Calendar {
    Calendar::embedded()
}

fn clock(on: &str, working_days: u32) -> LegalClock<u8> {
    LegalClock::start(day(on), Limit::working_days(working_days))
}

/// The row of a scenario: its input and what the oracle expects.
fn row(id: &str) -> (&'static str, &'static str) {
    let row = SCENARIOS.lines().find(|row| row.split(',').next() == Some(id)).unwrap();
    let cells: Vec<&str> = row.splitn(4, ',').collect();
    (cells[2], cells[3])
}

/// The test's figures must be those of the file.
#[track_caller]
fn expects(id: &str, inputs: &[&str], expected: &[&str]) {
    let (input, output) = row(id);
    for text in inputs {
        assert!(input.contains(text), "{id}: {input} does not say {text}");
    }
    for text in expected {
        assert!(output.contains(text), "{id}: {output} does not say {text}");
    }
}

#[test]
fn every_scenario_of_the_file_has_a_test() {
    let ids: Vec<&str> = SCENARIOS.lines().skip(1).filter_map(|row| row.split(',').next()).collect();
    assert_eq!(ids, ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M"]);
    let here = include_str!("scenarios.rs");
    for id in ids {
        assert!(
            here.contains(&format!("fn scenario_{}_", id.to_lowercase())),
            "{id} has no test"
        );
    }
}

#[test]
fn scenario_a_a_worked_sunday_counts_and_a_holiday_does_not() {
    expects("A", &["2026-09-18"], &["2026-09-29"]);
    assert_eq!(clock("2026-09-18", 7).due(&calendar()), final_on("2026-09-29"));
}

#[test]
fn scenario_b_silence_for_five_working_days_accepts_as_of_the_receipt() {
    expects("B", &["2026-04-29"], &["2026-05-09", "2026-05-12"]);
    assert_eq!(clock("2026-04-29", 5).due(&calendar()), final_on("2026-05-09"));
    assert_eq!(clock("2026-04-29", 7).due(&calendar()), final_on("2026-05-12"));
}

#[test]
fn scenario_c_a_suspension_moves_the_due_date() {
    expects(
        "C",
        &["2026-02-09", "2026-02-12", "2026-02-25"],
        &["used 3", "2026-03-02", "2026-02-25"],
    );
    let mut clock = clock("2026-02-09", 7);
    assert_eq!(clock.due(&calendar()), final_on("2026-02-25"));
    clock.suspend(CORRECTION, day("2026-02-12"), false);
    assert_eq!(clock.used(&calendar(), day("2026-02-20")), 3);
    assert!(clock.due(&calendar()).provisional, "nobody knows how long it will last");
    clock.resume(CORRECTION, day("2026-02-25"));
    assert_eq!(clock.used(&calendar(), day("2026-02-25")), 3);
    assert_eq!(clock.due(&calendar()), final_on("2026-03-02"));
}

#[test]
fn scenario_d_an_extension_adds_working_days() {
    expects("D", &["2026-01-26"], &["2026-02-28", "2026-03-13"]);
    let mut clock = clock("2026-01-26", 20);
    assert_eq!(clock.due(&calendar()), final_on("2026-02-28"));
    clock.extend(day("2026-02-25"), 10);
    assert_eq!(clock.due(&calendar()), final_on("2026-03-13"));
}

#[test]
fn scenario_e_what_is_overdue_stands_still_in_a_pause() {
    expects(
        "E",
        &["2026-03-02", "2026-03-13", "2026-03-20", "2026-03-23"],
        &["2026-03-11", "overdue 2", "final overdue 3"],
    );
    let calendar = calendar();
    let mut clock = clock("2026-03-02", 7);
    clock.suspend(CORRECTION, day("2026-03-13"), false);
    assert_eq!(clock.due(&calendar), final_on("2026-03-11"));
    for today in ["2026-03-13", "2026-03-16", "2026-03-20"] {
        assert_eq!(clock.overdue_days(&calendar, day(today)), 2, "{today}");
        assert_eq!(clock.remaining(&calendar, day(today)), -2, "{today}");
    }
    clock.resume(CORRECTION, day("2026-03-20"));
    clock.stop(day("2026-03-23"));
    for today in ["2026-03-23", "2026-06-01"] {
        assert_eq!(clock.overdue_days(&calendar, day(today)), 3, "{today}");
    }
    assert_eq!(clock.due(&calendar), final_on("2026-03-11"));
}

#[test]
fn scenario_f_an_objection_s_fifteenth_day_rolls_over_the_holiday() {
    expects("F", &["2026-09-20"], &["2026-10-05", "2026-10-08"]);
    let clock = LegalClock::<u8>::start(day("2026-09-20"), Limit::natural_days(15));
    assert_eq!(clock.due(&calendar()), final_on("2026-10-08"));
}

#[test]
fn scenario_g_a_notice_s_ninetieth_day_rolls_over_the_holiday() {
    expects("G", &["2026-07-05"], &["2026-10-03", "2026-10-08"]);
    let clock = LegalClock::<u8>::start(day("2026-07-05"), Limit::natural_days(90));
    assert_eq!(clock.due(&calendar()), final_on("2026-10-08"));
}

#[test]
fn scenario_h_a_worked_saturday_ends_three_months() {
    expects("H", &["2025-11-30"], &["2026-02-28"]);
    let clock = LegalClock::<u8>::start(day("2025-11-30"), Limit::months(3));
    assert_eq!(clock.due(&calendar()), final_on("2026-02-28"));
}

#[test]
fn scenario_i_the_filing_s_fifteenth_day_rolls_over_the_holiday() {
    expects("I", &["2026-09-18"], &["2026-10-03", "2026-10-08"]);
    assert_eq!(calendar().add_natural_days(day("2026-09-18"), 15), final_on("2026-10-08"));
}

#[test]
fn scenario_j_two_suspensions_add_up() {
    expects(
        "J",
        &["2026-05-06", "05-12", "05-18", "05-25", "06-22"],
        &["used 10", "2026-07-06", "2026-06-02"],
    );
    let mut clock = clock("2026-05-06", 20);
    assert_eq!(clock.due(&calendar()), final_on("2026-06-02"));
    for (kind, from, to) in [
        (CORRECTION, "2026-05-12", "2026-05-18"),
        (EXPERTS, "2026-05-25", "2026-06-22"),
    ] {
        clock.pause(Pause {
            kind,
            from: day(from),
            to: Some(day(to)),
            counts_against_limit: false,
        });
    }
    assert_eq!(clock.used(&calendar(), day("2026-06-22")), 10);
    assert_eq!(clock.due(&calendar()), final_on("2026-07-06"));
}

#[test]
fn scenario_k_ten_working_days_to_deliver() {
    expects("K", &["2026-09-28"], &["2026-10-16"]);
    assert_eq!(calendar().add_working_days(day("2026-09-28"), 10), final_on("2026-10-16"));
}

#[test]
fn scenario_l_five_working_days_to_ask_for_a_hearing() {
    expects("L", &["2026-06-15"], &["2026-06-23"]);
    assert_eq!(calendar().add_working_days(day("2026-06-15"), 5), final_on("2026-06-23"));
}

#[test]
fn scenario_m_a_month_s_end_in_an_unpublished_year_is_provisional() {
    expects("M", &["2026-11-30"], &["2027-02-28", "2027-03-01"]);
    let clock = LegalClock::<u8>::start(day("2026-11-30"), Limit::months(3));
    assert_eq!(
        clock.due(&calendar()),
        Due {
            on: day("2027-03-01"),
            provisional: true
        }
    );
}

#[test]
fn the_alert_follows_the_share_of_the_limit() {
    let calendar = calendar();
    let ratios = AlertRatios {
        yellow_percent: 60,
        red_percent: 85,
    };
    let mut clock = clock("2026-03-02", 10);
    let alerts = ["2026-03-09", "2026-03-10", "2026-03-13", "2026-03-16", "2026-03-17"];
    let shown = alerts.map(|today| clock.alert(&calendar, day(today), &ratios));
    assert_eq!(shown, [Alert::Normal, Alert::Yellow, Alert::Red, Alert::Red, Alert::Overdue]);
    clock.stop(day("2026-03-16"));
    assert_eq!(clock.alert(&calendar, day("2026-03-20"), &ratios), Alert::None);
    assert_eq!(
        clock.alert(&calendar, day("2026-03-13"), &ratios),
        Alert::Red,
        "before the stop it was as it was"
    );
}

#[test]
fn a_due_friday_is_overdue_on_saturday_by_no_working_day() {
    let clock = clock("2026-03-02", 4);
    assert_eq!(clock.due(&calendar()), final_on("2026-03-06"));
    assert!(!clock.is_overdue(&calendar(), day("2026-03-06")));
    assert!(clock.is_overdue(&calendar(), day("2026-03-07")));
    assert_eq!(clock.overdue_days(&calendar(), day("2026-03-07")), 0);
    assert_eq!(clock.overdue_days(&calendar(), day("2026-03-09")), 1);
}

#[test]
fn a_pause_from_the_due_day_on_is_never_overdue() {
    let mut clock = clock("2026-03-02", 7);
    clock.suspend(CORRECTION, day("2026-03-11"), false);
    assert_eq!(
        clock.due(&calendar()),
        final_on("2026-03-11"),
        "the limit was used up to the day"
    );
    assert!(!clock.is_overdue(&calendar(), day("2026-03-31")));
    clock.resume(CORRECTION, day("2026-03-31"));
    assert!(!clock.is_overdue(&calendar(), day("2026-03-31")));
    assert_eq!(clock.overdue_days(&calendar(), day("2026-04-01")), 1);
}

#[test]
fn a_pause_that_counts_changes_nothing_but_the_ledger() {
    let mut clock = clock("2026-03-02", 7);
    clock.pause(Pause {
        kind: CORRECTION,
        from: day("2026-03-04"),
        to: Some(day("2026-03-06")),
        counts_against_limit: true,
    });
    assert_eq!(clock.due(&calendar()), final_on("2026-03-11"));
    let reasons: Vec<_> = clock
        .ledger(&calendar(), day("2026-03-09"))
        .into_iter()
        .map(|line| line.reason)
        .collect();
    let expected = [
        LedgerReason::Running,
        LedgerReason::RunningWhilePaused(vec![CORRECTION]),
        LedgerReason::Running,
        LedgerReason::Remaining,
    ];
    assert_eq!(reasons, expected);
}

#[test]
fn overlapping_pauses_of_two_kinds_are_counted_once() {
    let mut clock = clock("2026-03-02", 7);
    clock.pause(Pause {
        kind: CORRECTION,
        from: day("2026-03-04"),
        to: Some(day("2026-03-10")),
        counts_against_limit: false,
    });
    clock.pause(Pause {
        kind: EXPERTS,
        from: day("2026-03-06"),
        to: Some(day("2026-03-12")),
        counts_against_limit: false,
    });
    assert_eq!(clock.due(&calendar()), calendar().add_working_days(day("2026-03-12"), 5));
}

#[test]
fn an_open_pause_takes_back_nothing_that_a_closed_one_before_it_gave() {
    let mut clock = clock("2026-01-05", 7);
    clock.suspend(CORRECTION, day("2026-01-05"), false);
    clock.resume(CORRECTION, day("2026-01-06"));
    let due_before = clock.due(&calendar()).on;
    clock.suspend(EXPERTS, day("2026-01-06"), false);
    assert_eq!(clock.due(&calendar()).on, due_before);
    assert_eq!(clock.used(&calendar(), day("2026-01-20")), 0);
}

#[test]
fn a_limit_in_natural_days_is_moved_by_its_pauses_before_it_rolls() {
    let mut clock = LegalClock::start(day("2026-03-02"), Limit::natural_days(15));
    clock.pause(Pause {
        kind: CORRECTION,
        from: day("2026-03-04"),
        to: Some(day("2026-03-08")),
        counts_against_limit: false,
    });
    assert_eq!(clock.due(&calendar()), final_on("2026-03-23"), "17 + 4 is a Saturday");
    assert_eq!(clock.used(&calendar(), day("2026-03-10")), 4);
}

#[test]
fn the_ledger_explains_a_suspension_over_the_spring_festival() {
    let mut clock = clock("2026-02-09", 7);
    clock.suspend(CORRECTION, day("2026-02-12"), false);
    clock.resume(CORRECTION, day("2026-02-25"));
    let ledger = clock.ledger(&calendar(), day("2026-02-26"));
    let told: Vec<_> = ledger
        .iter()
        .map(|line| {
            (
                line.through.to_string(),
                line.days,
                line.days_off,
                line.counts,
                line.reason.en(),
            )
        })
        .collect();
    let expected = [
        ("2026-02-12".to_owned(), 3, 0, true, "running"),
        ("2026-02-25".to_owned(), 4, 9, false, "paused, not counted"),
        ("2026-02-26".to_owned(), 1, 0, true, "running"),
        ("2026-03-02".to_owned(), 3, 1, true, "remaining"),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_clock_survives_being_written_down() {
    let mut clock = clock("2026-02-09", 7);
    clock.suspend(CORRECTION, day("2026-02-12"), false);
    clock.extend(day("2026-02-13"), 10);
    let text = serde_json::to_string(&clock).unwrap();
    assert_eq!(serde_json::from_str::<LegalClock<u8>>(&text).unwrap(), clock);
    assert_eq!(
        serde_json::to_string(&Limit::working_days(7)).unwrap(),
        r#"{"n":7,"unit":"WorkingDay"}"#
    );
}

/// A fact about a clock that started on 2026-01-05.
#[derive(Debug, Clone, Copy)]
enum Fact {
    Suspended(u8, u64, bool),
    Resumed(u8, u64),
    Extended(u64, u32),
    Stopped(u64),
}

fn after(days: u64) -> NaiveDate {
    day("2026-01-05") + Days::new(days)
}

fn tell(clock: &mut LegalClock<u8>, fact: Fact) {
    match fact {
        Fact::Suspended(kind, days, counts) => clock.suspend(kind, after(days), counts),
        Fact::Resumed(kind, days) => clock.resume(kind, after(days)),
        Fact::Extended(days, n) => clock.extend(after(days), n),
        Fact::Stopped(days) => clock.stop(after(days)),
    }
}

fn fact() -> impl Strategy<Value = Fact> {
    prop_oneof![
        4 => (0u8..3, 0u64..120, prop::bool::weighted(0.2)).prop_map(|(kind, days, counts)| Fact::Suspended(kind, days, counts)),
        4 => (0u8..3, 0u64..120).prop_map(|(kind, days)| Fact::Resumed(kind, days)),
        1 => (0u64..60, 0u32..11).prop_map(|(days, n)| Fact::Extended(days, n)),
        1 => (0u64..150).prop_map(Fact::Stopped),
    ]
}

fn limit() -> impl Strategy<Value = Limit> {
    prop_oneof![
        (1u32..45).prop_map(Limit::working_days),
        (1u32..90).prop_map(Limit::natural_days),
        (1u32..4).prop_map(Limit::months)
    ]
}

fn clock_of(limit: Limit, facts: &[Fact]) -> LegalClock<u8> {
    let mut clock = LegalClock::start(after(0), limit);
    for fact in facts {
        tell(&mut clock, *fact);
    }
    clock
}

proptest! {
    #[test]
    fn the_order_in_which_facts_are_entered_does_not_matter(
        limit in limit(),
        (told, shuffled) in prop::collection::vec(fact(), 0..12).prop_flat_map(|facts| (Just(facts.clone()), Just(facts).prop_shuffle())),
    ) {
        prop_assert_eq!(clock_of(limit, &told), clock_of(limit, &shuffled));
    }

    #[test]
    fn another_pause_never_makes_a_thing_due_earlier(
        limit in limit(),
        facts in prop::collection::vec((0u8..3, 0u64..120, 0u64..30), 0..6),
        (kind, from, length) in (3u8..4, 0u64..120, 0u64..30),
    ) {
        let mut clock = LegalClock::start(after(0), limit);
        for (kind, from, length) in facts {
            clock.pause(Pause { kind, from: after(from), to: Some(after(from + length)), counts_against_limit: false });
        }
        let before = clock.due(&calendar()).on;
        clock.pause(Pause { kind, from: after(from), to: Some(after(from + length)), counts_against_limit: false });
        prop_assert!(clock.due(&calendar()).on >= before);
    }

    #[test]
    fn the_clock_agrees_with_walking_day_by_day(
        n in 1u32..45, extended in 0u32..11,
        facts in prop::collection::vec((0u8..3, 0u64..120, 0u64..30, any::<bool>()), 0..6),
        today in 0u64..300,
    ) {
        let (calendar, today) = (calendar(), after(today));
        let mut clock = LegalClock::start(after(0), Limit::working_days(n));
        clock.extend(after(1), extended);
        for (kind, from, length, counts) in facts {
            clock.pause(Pause { kind, from: after(from), to: Some(after(from + length)), counts_against_limit: counts });
        }
        let pauses = clock.pauses();
        let stands = |on: NaiveDate| {
            pauses.iter().any(|pause| !pause.counts_against_limit && pause.from < on && pause.to.is_none_or(|to| on <= to))
        };
        let counted = || after(1).iter_days().filter(|on| calendar.is_working_day(*on) && !stands(*on));
        prop_assert_eq!(clock.due(&calendar).on, counted().nth((n + extended - 1) as usize).unwrap());
        let used = counted().take_while(|on| *on <= today).count() as u32;
        prop_assert_eq!(clock.used(&calendar, today), used);
        prop_assert_eq!(clock.remaining(&calendar, today), i64::from(n + extended) - i64::from(used));
    }

    #[test]
    fn what_is_used_and_what_remains_are_the_limit(limit in limit(), facts in prop::collection::vec(fact(), 0..12), today in 0u64..200) {
        let (clock, calendar, today) = (clock_of(limit, &facts), calendar(), after(today));
        let used = i64::from(clock.used(&calendar, today));
        let whole = used + clock.remaining(&calendar, today);
        if limit.unit == LimitUnit::WorkingDay {
            prop_assert_eq!(whole, i64::from(limit.n + clock.extended_working_days()));
        }
        prop_assert_eq!(i64::from(clock.overdue_days(&calendar, today)), (-clock.remaining(&calendar, today)).max(0));
    }

    #[test]
    fn the_ledger_accounts_for_every_used_day(limit in limit(), facts in prop::collection::vec(fact(), 0..12), today in 0u64..200) {
        let (clock, calendar, today) = (clock_of(limit, &facts), calendar(), after(today));
        let ledger = clock.ledger(&calendar, today);
        let spans: Vec<_> = ledger.iter().filter(|line| !matches!(line.reason, LedgerReason::Extended | LedgerReason::Remaining)).collect();
        for pair in spans.windows(2) {
            prop_assert_eq!(pair[0].through, pair[1].after, "no gap and no overlap");
        }
        let used: u32 = spans.iter().filter(|line| line.counts).map(|line| line.days).sum();
        prop_assert_eq!(used, clock.used(&calendar, today));
        let overdue: u32 = spans.iter().filter(|line| line.reason == LedgerReason::Overdue).map(|line| line.days).sum();
        prop_assert_eq!(overdue, clock.overdue_days(&calendar, today));
    }
}
