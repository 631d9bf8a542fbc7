//! Timers.

use crate::{
    bpmn::{
        iso,
        report::Report,
        source::{kids, label, name, text},
    },
    model::cron,
};

/// A timer has one time: a date, a duration or a cycle.
pub(super) fn one_time(report: &mut Report<'_, '_>) {
    for timer in report.source.named("timerEventDefinition") {
        let times = kids(timer)
            .filter(|kid| matches!(name(*kid), "timeDate" | "timeDuration" | "timeCycle"))
            .count();
        if times != 1 {
            report.error(
                timer,
                format!(
                    "{} must have one of timeDate, timeDuration and timeCycle; it has {times}.",
                    label(timer)
                ),
                format!(
                    "{} 必须恰有 timeDate、timeDuration、timeCycle 之一,现有 {times} 个。",
                    label(timer)
                ),
            );
        }
    }
}

/// Times are written as ISO 8601 writes them, or computed; cycles may be patterns of cron as well.
pub(super) fn formats(report: &mut Report<'_, '_>) {
    for time in report.source.elements() {
        let written = text(time);
        let computed = written.contains('{') || written.starts_with('=');
        let (right, example) = match name(time) {
            "timeDate" => (iso::is_date(&written), "2026-03-01T09:00:00+08:00"),
            "timeDuration" => (iso::duration(&written).is_some(), "P5D or PT2H"),
            "timeCycle" => {
                let is_cycle = iso::cycle(&written).is_some() || cron::read(&written).is_some();
                (is_cycle, "R3/PT10M, or as cron does like 0 0 8 * * ?")
            }
            _ => continue,
        };
        if !right && !computed {
            report.error(
                time,
                format!("\"{written}\" is no {} in ISO 8601; write it like {example}.", name(time)),
                format!("“{written}”不是 ISO 8601 的 {};请写成 {example} 的形式。", name(time)),
            );
        }
    }
}
