//! Figures of the running server, again and again, under the names that KurrentDB's monitors know where they fit.

use std::{
    collections::HashMap,
    fs,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures_util::{Stream, stream};
use serde_json::json;
use tonic::{Request, Response, Status};

use crate::{
    Desk,
    access::Action,
    protocol::event_store::client::monitoring::{
        StatsReq, StatsResp,
        monitoring_server::{Monitoring, MonitoringServer},
    },
};

/// Figures are given at most so often, however often they are asked for.
const MIN_REFRESH: Duration = Duration::from_millis(100);
/// Figures are given at least so often, so that a client that went is noticed.
const MAX_REFRESH: Duration = Duration::from_secs(24 * 60 * 60);
/// The kernel counts processor time in hundredths of a second, on every architecture that we run on. proc(5).
const TICKS_PER_SECOND: u64 = 100;
/// The kernel counts disk input and output here in bytes, memory in KiB.
const BYTES_PER_KIB: u64 = 1024;

/// What is counted while the server works.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// Open connections.
    pub(crate) connections: Gauge,
}

/// How many of something there are at this moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gauge(Arc<AtomicU64>);

impl Gauge {
    /// One more, for as long as the answer is kept.
    pub(crate) fn one_more(&self) -> One {
        self.0.fetch_add(1, Ordering::Relaxed);
        One(self.0.clone())
    }

    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One of the things that a gauge counts.
#[derive(Debug)]
pub(crate) struct One(Arc<AtomicU64>);

impl Drop for One {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The service.
pub(crate) fn service(desk: Arc<Desk>) -> MonitoringServer<Monitor> {
    MonitoringServer::new(Monitor(desk))
}

/// Answers the calls of the Monitoring service.
pub(crate) struct Monitor(Arc<Desk>);

#[tonic::async_trait]
impl Monitoring for Monitor {
    type StatsStream = Pin<Box<dyn Stream<Item = Result<StatsResp, Status>> + Send>>;

    async fn stats(&self, request: Request<StatsReq>) -> Result<Response<Self::StatsStream>, Status> {
        let access = &self.0.access;
        let caller = access.caller(request.metadata()).await?;
        access.allow(&caller, Action::SeeStatistics, "")?;
        let asked = request.into_inner();
        let every = Duration::from_millis(asked.refresh_time_period_in_ms).clamp(MIN_REFRESH, MAX_REFRESH);
        let with_metadata = asked.use_metadata;
        let desk = self.0.clone();
        let figures = stream::unfold(None::<Sample>, move |before| {
            let desk = desk.clone();
            async move {
                if before.is_some() {
                    tokio::select! {
                        () = tokio::time::sleep(every) => {}
                        () = desk.stopped() => return None,
                    }
                }
                let sample = Sample::take(&desk);
                let stats = told(&desk, &sample, before.as_ref(), with_metadata);
                Some((Ok(StatsResp { stats }), Some(sample)))
            }
        });
        Ok(Response::new(Box::pin(figures)))
    }
}

/// What is looked at twice, to say how fast it grows.
struct Sample {
    at: DateTime<Utc>,
    /// Processor time of this process, in ticks.
    ticks: u64,
    /// The position of the newest event.
    head: u64,
}

impl Sample {
    fn take(desk: &Desk) -> Self {
        let process = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        Self {
            at: desk.now(),
            ticks: stat_field(&process, USER_TICKS_FIELD) + stat_field(&process, SYSTEM_TICKS_FIELD),
            head: desk.store.committed().borrow().head,
        }
    }
}

/// Fields of /proc/self/stat, counted from 1, by proc(5).
const USER_TICKS_FIELD: usize = 14;
const SYSTEM_TICKS_FIELD: usize = 15;
const THREADS_FIELD: usize = 20;

/// A figure's name, value, and what a person reads above it.
struct Figure(&'static str, String, &'static str);

fn told(desk: &Desk, sample: &Sample, before: Option<&Sample>, with_metadata: bool) -> HashMap<String, String> {
    let mut figures = of_the_process();
    figures.extend(of_the_machine());
    figures.extend(of_the_store(desk, sample, before));
    figures
        .into_iter()
        .map(|Figure(name, value, title)| {
            let category = name.split('-').next().unwrap_or_default();
            let told = if with_metadata {
                json!({"value": value, "category": category, "title": title}).to_string()
            } else {
                value
            };
            (name.to_owned(), told)
        })
        .collect()
}

fn of_the_store(desk: &Desk, sample: &Sample, before: Option<&Sample>) -> Vec<Figure> {
    let mut figures = vec![
        Figure("es-checksum", sample.head.to_string(), "Position of the newest event"),
        Figure(
            "es-subscriptions",
            desk.live.listening().to_string(),
            "Live catch-up subscriptions",
        ),
        Figure(
            "proc-tcp-connections",
            desk.figures.connections.now().to_string(),
            "Open connections",
        ),
    ];
    let Some(before) = before else { return figures };
    let millis = u64::try_from((sample.at - before.at).num_milliseconds()).unwrap_or(0).max(1);
    let per_second = |grown: u64| grown * 1000 / millis;
    figures.push(Figure(
        "es-writer-eventsPerSecond",
        per_second(sample.head.saturating_sub(before.head)).to_string(),
        "Events appended per second",
    ));
    let hundredths = per_second(sample.ticks.saturating_sub(before.ticks) * 100) / TICKS_PER_SECOND;
    figures.push(Figure(
        "proc-cpu",
        hundredths.to_string(),
        "Processor time, in hundredths of one processor",
    ));
    figures
}

fn of_the_process() -> Vec<Figure> {
    let process = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let io = fs::read_to_string("/proc/self/io").unwrap_or_default();
    vec![
        Figure("proc-id", std::process::id().to_string(), "Process"),
        Figure(
            "proc-mem",
            (line(&status, "VmRSS:") * BYTES_PER_KIB).to_string(),
            "Memory, in bytes",
        ),
        Figure(
            "proc-threadsCount",
            stat_field(&process, THREADS_FIELD).to_string(),
            "Threads",
        ),
        Figure(
            "proc-diskIo-readBytes",
            line(&io, "read_bytes:").to_string(),
            "Read from the disk, in bytes",
        ),
        Figure(
            "proc-diskIo-writtenBytes",
            line(&io, "write_bytes:").to_string(),
            "Written to the disk, in bytes",
        ),
    ]
}

fn of_the_machine() -> Vec<Figure> {
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let mut figures = vec![
        Figure(
            "sys-freeMem",
            (line(&memory, "MemAvailable:") * BYTES_PER_KIB).to_string(),
            "Free memory, in bytes",
        ),
        Figure(
            "sys-totalMem",
            (line(&memory, "MemTotal:") * BYTES_PER_KIB).to_string(),
            "Memory, in bytes",
        ),
    ];
    let names = [
        ("sys-loadavg-1m", "Load over 1 minute"),
        ("sys-loadavg-5m", "Load over 5 minutes"),
        ("sys-loadavg-15m", "Load over 15 minutes"),
    ];
    let loads = names.into_iter().zip(load.split(' '));
    figures.extend(loads.map(|((name, title), load)| Figure(name, load.to_owned(), title)));
    figures
}

/// A field of /proc/self/stat. The second field is the program's name in brackets and may hold spaces.
fn stat_field(stat: &str, field: usize) -> u64 {
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields = after_name.split_whitespace().nth(field.saturating_sub(3));
    fields.and_then(|field| field.parse().ok()).unwrap_or(0)
}

/// The number in the line that begins so.
fn line(text: &str, beginning: &str) -> u64 {
    text.lines()
        .find_map(|line| line.strip_prefix(beginning))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use futures_util::StreamExt;

    use super::*;
    use crate::testing::{as_admin, request, secure_desk};

    #[tokio::test]
    async fn figures_come_again_and_again_until_the_server_stops() {
        let desk = secure_desk().await;
        let monitor = Monitor(desk.desk.clone());
        let asked = StatsReq {
            use_metadata: true,
            refresh_time_period_in_ms: 0,
        };
        let answers = monitor.stats(request(&as_admin(), asked)).await.unwrap();
        let mut answers = answers.into_inner();
        let first = answers.next().await.unwrap().unwrap().stats;
        let head: serde_json::Value = serde_json::from_str(&first["es-checksum"]).unwrap();
        assert_eq!(head["value"], desk.store.committed().borrow().head.to_string());
        assert_eq!(head["category"], "es");
        assert!(answers.next().await.unwrap().unwrap().stats.contains_key("proc-cpu"));
        desk.stop.send_replace(true);
        while answers.next().await.is_some() {}
    }

    #[test]
    fn the_kernel_s_tables_are_read_by_field_and_by_line() {
        let stat = "42 (zhulu (a b)) S 1 42 42 0 -1 4194560 9 0 0 0 310 21 0 0 20 0 17 0 1234 0 0";
        assert_eq!(stat_field(stat, USER_TICKS_FIELD), 310);
        assert_eq!(stat_field(stat, SYSTEM_TICKS_FIELD), 21);
        assert_eq!(stat_field(stat, THREADS_FIELD), 17);
        assert_eq!(stat_field("", THREADS_FIELD), 0);
        assert_eq!(line("VmPeak:  9 kB\nVmRSS:\t  5120 kB\n", "VmRSS:"), 5120);
        assert_eq!(line("nothing", "VmRSS:"), 0);
    }

    #[test]
    fn a_gauge_counts_what_is_there() {
        let gauge = Gauge::default();
        let (one, other) = (gauge.one_more(), gauge.one_more());
        assert_eq!(gauge.now(), 2);
        drop(one);
        assert_eq!(gauge.now(), 1);
        drop(other);
        assert_eq!(gauge.now(), 0);
    }
}
