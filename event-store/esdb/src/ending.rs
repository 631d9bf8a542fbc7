//! A guard against a subscription that was ended well.
//!
//! When a server, or a proxy, ends a subscription without an error, the client asks the ended stream for more, and again,
//! without ever letting its thread go. All that can be noticed from outside is that it warns of an unknown message each
//! time. So the client's warnings pass through here, and too many in a row take it out of its loop.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, resume_unwind},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use futures_util::FutureExt as _;
use tracing::{
    Dispatch, Event, Metadata, Subscriber,
    field::{Field, Visit},
    instrument::WithSubscriber as _,
    level_filters::LevelFilter,
    span,
    subscriber::Interest,
};

/// Where the client warns from.
const TARGET: &str = "kurrentdb::commands";
/// What it warns of.
const WARNING: &str = "Received an unknown subscription message";
/// So many warnings in a row, with no message that it knows between them, are a stream that ended: a newer server may
/// send one or two messages of a kind that the client does not know.
const MAX_WARNINGS: u32 = 100;

/// Taken along when a loop is left.
struct Ended;

/// How many warnings came since the last message.
#[derive(Clone, Default)]
pub(crate) struct Alarm(Arc<AtomicU32>);

impl Alarm {
    /// A message came that the client knows.
    pub(crate) fn message_came(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// Runs a future of the client; `None`, if it ended in the loop, or panicked.
pub(crate) async fn guarded<T>(alarm: &Alarm, future: impl Future<Output = T>) -> Result<T, String> {
    let guard = Guard {
        before: tracing::dispatcher::get_default(Clone::clone),
        alarm: alarm.clone(),
    };
    let caught = AssertUnwindSafe(future)
        .catch_unwind()
        .with_subscriber(Dispatch::new(guard))
        .await;
    caught.map_err(|cause| reason(&*cause))
}

fn reason(cause: &(dyn Any + Send)) -> String {
    if cause.is::<Ended>() {
        return "the server ended the subscription without an error".into();
    }
    let said = cause
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| cause.downcast_ref::<String>().cloned());
    format!("the client failed: {}", said.unwrap_or_default())
}

/// Hands everything on to whoever listened before, and counts.
struct Guard {
    before: Dispatch,
    alarm: Alarm,
}

fn is_the_client(metadata: &Metadata<'_>) -> bool {
    metadata.target() == TARGET && *metadata.level() == tracing::Level::WARN
}

/// Looks for the warning in an event's fields.
struct Looking(bool);

impl Visit for Looking {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0 |= field.name() == "message" && format!("{value:?}") == WARNING;
    }
}

impl Subscriber for Guard {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_the_client(metadata) {
            Interest::always()
        } else {
            self.before.register_callsite(metadata)
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        is_the_client(metadata) || self.before.enabled(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::current().max(LevelFilter::WARN))
    }

    fn event(&self, event: &Event<'_>) {
        if is_the_client(event.metadata()) {
            let mut looking = Looking(false);
            event.record(&mut looking);
            if looking.0 {
                if self.alarm.0.fetch_add(1, Ordering::Relaxed) >= MAX_WARNINGS {
                    resume_unwind(Box::new(Ended));
                }
                return;
            }
        }
        if self.before.enabled(event.metadata()) {
            self.before.event(event);
        }
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        self.before.new_span(attributes)
    }

    fn record(&self, id: &span::Id, values: &span::Record<'_>) {
        self.before.record(id, values);
    }

    fn record_follows_from(&self, id: &span::Id, follows: &span::Id) {
        self.before.record_follows_from(id, follows);
    }

    fn enter(&self, id: &span::Id) {
        self.before.enter(id);
    }

    fn exit(&self, id: &span::Id) {
        self.before.exit(id);
    }

    fn clone_span(&self, id: &span::Id) -> span::Id {
        self.before.clone_span(id)
    }

    fn try_close(&self, id: span::Id) -> bool {
        self.before.try_close(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_loop_of_warnings_is_left() {
        let alarm = Alarm::default();
        let looping = async {
            loop {
                tracing::warn!(target: "kurrentdb::commands", "Received an unknown subscription message");
            }
        };
        let left: Result<(), String> = guarded(&alarm, looping).await;
        assert!(left.is_err_and(|reason| reason.contains("without an error")));
    }

    #[tokio::test]
    async fn a_few_unknown_messages_are_let_pass() {
        let alarm = Alarm::default();
        let answer = guarded(&alarm, async {
            for _ in 0..1_000 {
                tracing::warn!(target: "kurrentdb::commands", "Received an unknown subscription message");
                alarm.message_came();
            }
            7
        });
        assert_eq!(answer.await, Ok(7));
    }
}
