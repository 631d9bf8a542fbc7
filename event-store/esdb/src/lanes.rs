//! Lanes: batch streams that stay open, so that an append is one message there and one back.
//!
//! The client's plain append sends two small packets, and without `TCP_NODELAY`, which it does not set, the second waits
//! until the server has confirmed the first: about 40 ms, unless the server confirms at once. A message along an open
//! stream waits for nobody. But the client lets a stream go after any refusal, and with it all others that were on their
//! way along it; so there are several, each append takes the emptiest, and who was let go asks again with the same ids.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use kurrentdb::{BatchAppendClient, BatchAppendOptions, BatchWriteResult, Client, Error, EventData, StreamState};
use tokio::{sync::Mutex, time::timeout};

/// How many lanes a connection has. A server takes about a hundred streams on a connection (Kestrel's default), and
/// reads and followers need theirs.
const LANES: usize = 16;

#[derive(Default)]
pub(crate) struct Lanes([Lane; LANES]);

#[derive(Default)]
struct Lane {
    /// Appends on their way along it.
    busy: AtomicUsize,
    open: Mutex<Option<Arc<BatchAppendClient>>>,
}

/// Counts an append on its way, also when its caller goes away.
struct OnTheWay<'a>(&'a Lane);

impl<'a> OnTheWay<'a> {
    fn along(lane: &'a Lane) -> Self {
        lane.busy.fetch_add(1, Ordering::Relaxed);
        Self(lane)
    }
}

impl Drop for OnTheWay<'_> {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Lanes {
    /// Appends along the emptiest lane. Any error closes it; without an answer within `limit` it is closed too.
    pub(crate) async fn append(
        &self,
        client: &Client,
        options: &BatchAppendOptions,
        limit: Duration,
        (stream, expected, events): (&str, StreamState, Vec<EventData>),
    ) -> Result<BatchWriteResult, Error> {
        let lane = self.emptiest();
        let _counted = OnTheWay::along(lane);
        let open = lane.opened(client, options).await?;
        let answer = timeout(limit, open.append_to_stream(stream, expected, events)).await;
        let answer = answer.unwrap_or_else(|_| Err(Error::ServerError(format!("no answer within {limit:?}"))));
        if answer.is_err() {
            lane.close(&open).await;
        }
        answer
    }

    fn emptiest(&self) -> &Lane {
        let mut best = &self.0[0];
        let mut least = usize::MAX;
        for lane in &self.0 {
            let busy = lane.busy.load(Ordering::Relaxed);
            if busy < least {
                (best, least) = (lane, busy);
            }
            if least == 0 {
                break;
            }
        }
        best
    }
}

impl Lane {
    async fn opened(&self, client: &Client, options: &BatchAppendOptions) -> Result<Arc<BatchAppendClient>, Error> {
        let mut open = self.open.lock().await;
        if let Some(open) = &*open {
            return Ok(open.clone());
        }
        let opened = Arc::new(client.batch_append(options).await?);
        *open = Some(opened.clone());
        Ok(opened)
    }

    async fn close(&self, used: &Arc<BatchAppendClient>) {
        let mut open = self.open.lock().await;
        if open.as_ref().is_some_and(|open| Arc::ptr_eq(open, used)) {
            *open = None;
        }
    }
}
