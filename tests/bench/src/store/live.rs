//! How soon a subscriber has what was appended, and whether a thousand of them miss anything.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use kurrentdb::{
    Client, StreamPosition, SubscribeToAllOptions, SubscribeToStreamOptions, Subscription, SubscriptionEvent, SubscriptionFilter,
};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::served::{Served, after, event};
use crate::measure::{heading, line, number, percentile};

/// How many deliveries are timed, and how far apart.
const SAMPLES: u64 = 3_000;
const BETWEEN_SAMPLES: Duration = Duration::from_millis(2);
/// How many subscribe at once, over how many connections.
const SUBSCRIBERS: u64 = 1_000;
const CONNECTIONS: u64 = 10;
/// How many events a second are appended while they listen, and how many in all.
const EVENTS_PER_SECOND: u64 = 1_000;
const EVENTS: u64 = 10_000;
/// How long the last events may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) async fn run(served: &Served) {
    heading("Store: from an append to a live subscriber, through gRPC");
    latency(served).await;
    thousand(served, "a stream each", |client, name| {
        let name = name.to_owned();
        async move {
            client
                .subscribe_to_stream(name, &SubscribeToStreamOptions::default().start_from(StreamPosition::Start))
                .await
        }
    })
    .await;
    thousand(served, "the whole log with a filter each", |client, name| {
        let filter = SubscriptionFilter::on_stream_name().add_prefix(name);
        let options = SubscribeToAllOptions::default().position(StreamPosition::End).filter(filter);
        async move { client.subscribe_to_all(&options).await }
    })
    .await;
}

/// The time from the call of an append until the subscriber has the event: the append itself is in it.
async fn latency(served: &Served) {
    let mut subscription = served
        .client()
        .subscribe_to_all(&SubscribeToAllOptions::default().position(StreamPosition::End))
        .await;
    confirmed(&mut subscription).await;
    let (sent, mut calls) = tokio::sync::mpsc::unbounded_channel::<Instant>();
    let client = served.client();
    let appending = tokio::spawn(async move {
        let mut ticks = interval(BETWEEN_SAMPLES);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for revision in 0..SAMPLES {
            ticks.tick().await;
            let event = event();
            let _ = sent.send(Instant::now());
            client
                .append_to_stream("latency-1", &after(revision), event)
                .await
                .expect("an append");
        }
    });
    // A task like any subscriber's: on the thread that waits for the bench, each delivery would be handed over once more.
    let hearing = tokio::spawn(async move {
        let mut latencies = Vec::new();
        for _ in 0..SAMPLES {
            timeout(PATIENCE, subscription.next())
                .await
                .expect("a delivery")
                .expect("a delivery");
            let called = calls.recv().await.expect("a call");
            latencies.push(called.elapsed().as_secs_f64() * 1_000.0);
        }
        latencies
    });
    appending.await.expect("the appender");
    let mut latencies = hearing.await.expect("the subscriber");
    let (p50, p99) = (percentile(&mut latencies, 0.5), percentile(&mut latencies, 0.99));
    line(
        "append to delivery, 500 events/s",
        &format!("p50 {p50:.2} ms, p99 {p99:.2} ms"),
        "(goal 0.5 and 5 ms)",
    );
}

/// A thousand subscribers, each with a stream of its own to hear of.
async fn thousand<F, Listening>(served: &Served, what: &str, subscribe: F)
where
    F: Fn(Client, &str) -> Listening,
    Listening: Future<Output = Subscription>,
{
    let clients: Vec<Client> = (0..CONNECTIONS).map(|_| served.client()).collect();
    let heard = Arc::new(AtomicU64::new(0));
    let kind = what.split(' ').next().unwrap_or_default();
    let name = |number: u64| format!("thousand{kind}-{number}-");
    let mut listeners = Vec::new();
    for number in 0..SUBSCRIBERS {
        let client = clients[usize::try_from(number % CONNECTIONS).unwrap_or_default()].clone();
        let mut subscription = subscribe(client, &name(number)).await;
        confirmed(&mut subscription).await;
        let heard = Arc::clone(&heard);
        listeners.push(tokio::spawn(async move {
            // Each hears its events in their order, none twice.
            for revision in 0..EVENTS / SUBSCRIBERS {
                let event = subscription.next().await.expect("an event");
                assert_eq!(event.get_original_event().revision, revision, "lost, doubled or out of order");
                heard.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    let appender = served.client();
    let begin = Instant::now();
    let mut ticks = interval(Duration::from_millis(10));
    for tick in 0..EVENTS / (EVENTS_PER_SECOND / 100) {
        ticks.tick().await;
        let appends = (0..EVENTS_PER_SECOND / 100).map(|offset| {
            let at = tick * (EVENTS_PER_SECOND / 100) + offset;
            let (client, name) = (appender.clone(), name(at % SUBSCRIBERS));
            async move {
                client
                    .append_to_stream(name, &after(at / SUBSCRIBERS), event())
                    .await
                    .expect("an append");
            }
        });
        futures_util::future::join_all(appends).await;
    }
    let elapsed = begin.elapsed();
    let all = timeout(PATIENCE, futures_util::future::join_all(listeners)).await;
    let complete = all.is_ok_and(|listeners| listeners.iter().all(Result::is_ok));
    let lost = EVENTS - heard.load(Ordering::Relaxed);
    #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let rate = EVENTS as f64 / elapsed.as_secs_f64();
    line(
        &format!("1,000 subscribers, {what}"),
        &format!("{} events/s", number(rate)),
        &format!(
            "{lost} of {} lost{} (goal 1,000 events/s, none lost)",
            number(10_000.0),
            if complete { "" } else { ", NOT COMPLETE" }
        ),
    );
}

/// Waits until the server has taken the subscription.
async fn confirmed(subscription: &mut Subscription) {
    loop {
        let event = timeout(PATIENCE, subscription.next_subscription_event())
            .await
            .expect("a confirmation");
        if let SubscriptionEvent::CaughtUp(_) = event.expect("a confirmation") {
            return;
        }
    }
}
