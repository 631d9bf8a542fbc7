//! Persistent subscriptions: consumers that share the work of one group, whose place the server remembers.
//!
//! `group` is the group itself, without any store or clock; `room` is the task around it; `register` knows all groups;
//! `service` and `consuming` speak the protocol. What has to survive a restart are events: the groups in
//! `$persistentSubscriptionConfig`, the place and the parked messages of each group in streams of its own.

mod answers;
mod configuration;
mod consuming;
mod door;
mod group;
mod keeping;
mod names;
mod page;
mod pulse;
mod reading;
mod refusals;
mod register;
mod room;
mod service;
mod settings;

use std::sync::Arc;

use tokio::sync::watch;

pub(crate) use register::Subscriptions;
pub(crate) use service::{Groups, service};

/// Opens all groups beside everything else, and closes them when the server stops. Whoever comes before they are open
/// waits for it, or tries it again.
pub(crate) async fn keep_open(groups: Arc<Subscriptions>, mut stopping: watch::Receiver<bool>) {
    if let Err(status) = groups.open().await {
        tracing::error!(reason = status.message(), "the persistent subscriptions could not be opened");
    }
    // A sender that is gone means that nobody serves any more.
    stopping.wait_for(|stopping| *stopping).await.ok();
    groups.close().await;
}
