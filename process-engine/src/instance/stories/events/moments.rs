//! Durations as they are written.

use crate::instance::run::moment::{Span, duration};

#[test]
fn durations_of_iso_8601_are_read() {
    let span = |months, weeks, days, seconds| Span {
        months,
        weeks,
        days,
        seconds,
    };
    let known = [
        ("P1Y2M3DT4H5M6S", span(14, 0, 3, 14_706)),
        ("P2W", span(0, 2, 0, 0)),
        ("P10D", span(0, 0, 10, 0)),
        ("PT36H", span(0, 0, 0, 129_600)),
        ("PT0.5S", span(0, 0, 0, 0)),
        (" P1M ", span(1, 0, 0, 0)),
        ("PT1M", span(0, 0, 0, 60)),
    ];
    for (written, expected) in known {
        assert_eq!(duration(written), Some(expected), "{written}");
    }
}

#[test]
fn what_is_no_duration_is_none() {
    for written in [
        "",
        "P",
        "PT",
        "1D",
        "P1",
        "P-1D",
        "P1H",
        "PT1D",
        "PD",
        "P1DT",
        "P99999999999D",
        "P1.5D",
        "P1天",
    ] {
        assert_eq!(duration(written), None, "{written}");
    }
}
