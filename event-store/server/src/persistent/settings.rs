//! How a group works: what clients may set, the limits of it, and how it is said in the protocol.

use std::{fmt, time::Duration};

use crate::protocol::event_store::client::persistent_subscriptions::{create_req, update_req};

/// The largest `history_buffer_size`, `live_buffer_size` and `read_batch_size` that a group takes. The protocol's
/// default is 500; what is buffered is held in memory.
pub(crate) const MAX_BUFFER_SIZE: usize = 100_000;
/// The most messages that one consumer holds at a time, whatever it asks for.
pub(crate) const MAX_CONSUMER_SLOTS: usize = 10_000;
/// No message is taken back sooner, whatever a group asks for: clients gather their answers before they send them, and
/// the protocol's own server looks for late ones once a second.
const MIN_MESSAGE_TIMEOUT: Duration = Duration::from_secs(1);
/// The protocol's older clients count time in ticks of 100 ns.
const TICKS_PER_MILLISECOND: i64 = 10_000;

/// Which consumer gets the next message. The names are the protocol's, and stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// One consumer until it is full, then the next.
    DispatchToSingle,
    /// Each in turn.
    RoundRobin,
    /// All events of a stream to the same consumer, as far as possible.
    Pinned,
    /// All events with the same `$correlationId` to the same consumer, as far as possible.
    PinnedByCorrelation,
}

impl Strategy {
    const ALL: [Self; 4] = [
        Self::DispatchToSingle,
        Self::RoundRobin,
        Self::Pinned,
        Self::PinnedByCorrelation,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::DispatchToSingle => "DispatchToSingle",
            Self::RoundRobin => "RoundRobin",
            Self::Pinned => "Pinned",
            Self::PinnedByCorrelation => "PinnedByCorrelation",
        }
    }

    pub(crate) fn of_name(name: &str) -> Result<Self, SettingsError> {
        let known = Self::ALL.into_iter().find(|strategy| strategy.name() == name);
        known.ok_or_else(|| SettingsError::Strategy(name.into()))
    }

    /// Whether messages are pinned to consumers.
    pub(crate) fn pins(self) -> bool {
        matches!(self, Self::Pinned | Self::PinnedByCorrelation)
    }
}

/// The part of the settings that decides which message goes where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) strategy: Strategy,
    /// How long a consumer may hold a message; for ever, if none.
    pub(crate) message_timeout: Option<Duration>,
    /// How often a message is handed out again before it is parked.
    pub(crate) max_retries: u32,
    /// How old the checkpoint may become; as old as it likes, if none.
    pub(crate) checkpoint_after: Option<Duration>,
    pub(crate) min_checkpoint_count: u64,
    pub(crate) max_checkpoint_count: u64,
    /// How many consumers the group takes; any number, if none.
    pub(crate) max_consumers: Option<usize>,
    pub(crate) history_buffer_size: usize,
    pub(crate) live_buffer_size: usize,
    pub(crate) read_batch_size: usize,
    /// Measure how long messages take.
    pub(crate) extra_statistics: bool,
}

/// Where a group begins that has no checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartFrom {
    Start,
    End,
    /// This revision or position, itself included.
    At(u64),
}

/// What a group reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Stream,
    All,
}

impl Kind {
    /// A place as clients read it.
    pub(crate) fn place(self, place: impl fmt::Display) -> String {
        match self {
            Self::Stream => place.to_string(),
            Self::All => format!("C:{place}/P:{place}"),
        }
    }

    /// A place that was written by [`place`](Self::place).
    pub(crate) fn parse(self, written: &str) -> Option<i64> {
        match self {
            Self::Stream => written.parse().ok(),
            Self::All => {
                let (commit, _) = written.strip_prefix("C:")?.split_once("/P:")?;
                commit.parse().ok()
            }
        }
    }
}

impl StartFrom {
    /// As clients read it: the end is −1.
    pub(crate) fn written(self, kind: Kind) -> String {
        match self {
            Self::Start => kind.place(0),
            Self::End => kind.place(-1),
            Self::At(place) => kind.place(place),
        }
    }

    /// What [`written`](Self::written) wrote.
    pub(crate) fn parse(kind: Kind, written: &str) -> Option<Self> {
        Some(match kind.parse(written)? {
            -1 => Self::End,
            0 => Self::Start,
            place => Self::At(u64::try_from(place).ok()?),
        })
    }
}

/// The settings of a group, as clients give and see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) resolve_links: bool,
    pub(crate) start_from: StartFrom,
    pub(crate) extra_statistics: bool,
    pub(crate) message_timeout_ms: i32,
    pub(crate) max_retry_count: i32,
    pub(crate) checkpoint_after_ms: i32,
    pub(crate) min_checkpoint_count: i32,
    pub(crate) max_checkpoint_count: i32,
    pub(crate) max_subscriber_count: i32,
    pub(crate) live_buffer_size: i32,
    pub(crate) read_batch_size: i32,
    pub(crate) history_buffer_size: i32,
    pub(crate) strategy: Strategy,
}

/// Why a group cannot work like this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error("Consumer strategy {0} does not exist.")]
    Strategy(String),
    #[error("{name} must be at least {least}; it is {value}.")]
    TooSmall { name: &'static str, least: i32, value: i32 },
    #[error("{name} must be at most {MAX_BUFFER_SIZE}; it is {value}.")]
    TooLarge { name: &'static str, value: i32 },
    #[error("read_batch_size ({batch}) must be smaller than history_buffer_size ({buffer}).")]
    BatchFillsBuffer { batch: i32, buffer: i32 },
}

impl Settings {
    /// What a client gave when it made a group.
    pub(crate) fn of_create(given: &create_req::Settings, start_from: StartFrom) -> Result<Self, SettingsError> {
        use create_req::settings::{CheckpointAfter, MessageTimeout};
        #[allow(deprecated, reason = "older clients send the number only")]
        let strategy = match given.consumer_strategy.as_str() {
            "" => strategy_of_number(given.named_consumer_strategy)?,
            name => Strategy::of_name(name)?,
        };
        let message_timeout_ms = match given.message_timeout {
            Some(MessageTimeout::MessageTimeoutMs(ms)) => ms,
            Some(MessageTimeout::MessageTimeoutTicks(ticks)) => milliseconds(ticks),
            None => 0,
        };
        let checkpoint_after_ms = match given.checkpoint_after {
            Some(CheckpointAfter::CheckpointAfterMs(ms)) => ms,
            Some(CheckpointAfter::CheckpointAfterTicks(ticks)) => milliseconds(ticks),
            None => 0,
        };
        let settings = Self {
            resolve_links: given.resolve_links,
            start_from,
            extra_statistics: given.extra_statistics,
            message_timeout_ms,
            max_retry_count: given.max_retry_count,
            checkpoint_after_ms,
            min_checkpoint_count: given.min_checkpoint_count,
            max_checkpoint_count: given.max_checkpoint_count,
            max_subscriber_count: given.max_subscriber_count,
            live_buffer_size: given.live_buffer_size,
            read_batch_size: given.read_batch_size,
            history_buffer_size: given.history_buffer_size,
            strategy,
        };
        settings.rules().map(|_| settings)
    }

    /// What a client gave when it changed a group.
    pub(crate) fn of_update(given: &update_req::Settings, start_from: StartFrom) -> Result<Self, SettingsError> {
        use create_req::settings::{CheckpointAfter, MessageTimeout};
        use update_req::settings;
        #[allow(deprecated, reason = "an update has no other field for the revision")]
        let as_created = create_req::Settings {
            resolve_links: given.resolve_links,
            revision: given.revision,
            extra_statistics: given.extra_statistics,
            message_timeout: given.message_timeout.map(|timeout| match timeout {
                settings::MessageTimeout::MessageTimeoutMs(ms) => MessageTimeout::MessageTimeoutMs(ms),
                settings::MessageTimeout::MessageTimeoutTicks(ticks) => MessageTimeout::MessageTimeoutTicks(ticks),
            }),
            max_retry_count: given.max_retry_count,
            checkpoint_after: given.checkpoint_after.map(|after| match after {
                settings::CheckpointAfter::CheckpointAfterMs(ms) => CheckpointAfter::CheckpointAfterMs(ms),
                settings::CheckpointAfter::CheckpointAfterTicks(ticks) => CheckpointAfter::CheckpointAfterTicks(ticks),
            }),
            min_checkpoint_count: given.min_checkpoint_count,
            max_checkpoint_count: given.max_checkpoint_count,
            max_subscriber_count: given.max_subscriber_count,
            live_buffer_size: given.live_buffer_size,
            read_batch_size: given.read_batch_size,
            history_buffer_size: given.history_buffer_size,
            named_consumer_strategy: given.named_consumer_strategy,
            consumer_strategy: String::new(),
        };
        Self::of_create(&as_created, start_from)
    }

    /// The settings as rules, held against the limits.
    pub(crate) fn rules(&self) -> Result<Rules, SettingsError> {
        let batch = buffer("read_batch_size", self.read_batch_size, 1)?;
        let history = buffer("history_buffer_size", self.history_buffer_size, 1)?;
        if batch >= history {
            return Err(SettingsError::BatchFillsBuffer {
                batch: self.read_batch_size,
                buffer: self.history_buffer_size,
            });
        }
        let most_consumers = count("max_subscriber_count", self.max_subscriber_count)?;
        Ok(Rules {
            strategy: self.strategy,
            message_timeout: time("message_timeout", self.message_timeout_ms)?.map(|time| time.max(MIN_MESSAGE_TIMEOUT)),
            max_retries: count("max_retry_count", self.max_retry_count)?,
            checkpoint_after: time("checkpoint_after", self.checkpoint_after_ms)?,
            min_checkpoint_count: count("min_checkpoint_count", self.min_checkpoint_count)?.into(),
            max_checkpoint_count: count("max_checkpoint_count", self.max_checkpoint_count)?.into(),
            max_consumers: Some(most_consumers as usize).filter(|most| *most > 0),
            history_buffer_size: history,
            // A buffer of nothing would never hand anything out.
            live_buffer_size: buffer("live_buffer_size", self.live_buffer_size, 0)?.max(batch),
            read_batch_size: batch,
            extra_statistics: self.extra_statistics,
        })
    }
}

fn strategy_of_number(number: i32) -> Result<Strategy, SettingsError> {
    match create_req::ConsumerStrategy::try_from(number) {
        Ok(create_req::ConsumerStrategy::DispatchToSingle) => Ok(Strategy::DispatchToSingle),
        Ok(create_req::ConsumerStrategy::RoundRobin) => Ok(Strategy::RoundRobin),
        Ok(create_req::ConsumerStrategy::Pinned) => Ok(Strategy::Pinned),
        Err(_) => Err(SettingsError::Strategy(number.to_string())),
    }
}

fn milliseconds(ticks: i64) -> i32 {
    i32::try_from(ticks / TICKS_PER_MILLISECOND).unwrap_or(i32::MAX)
}

/// A time of 0 never comes.
fn time(name: &'static str, milliseconds: i32) -> Result<Option<Duration>, SettingsError> {
    let milliseconds = count(name, milliseconds)?;
    Ok((milliseconds > 0).then(|| Duration::from_millis(milliseconds.into())))
}

fn count(name: &'static str, value: i32) -> Result<u32, SettingsError> {
    u32::try_from(value).map_err(|_| SettingsError::TooSmall { name, least: 0, value })
}

fn buffer(name: &'static str, value: i32, least: i32) -> Result<usize, SettingsError> {
    if value < least {
        return Err(SettingsError::TooSmall { name, least, value });
    }
    let size = usize::try_from(value).unwrap_or_default();
    if size > MAX_BUFFER_SIZE {
        return Err(SettingsError::TooLarge { name, value });
    }
    Ok(size)
}
