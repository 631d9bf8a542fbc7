//! The Operations service: what a server's keeper asks of it.
//!
//! One node is all there is, so what concerns a cluster (resigning, priorities) is answered and changes nothing. The
//! index is part of the store's file and is always whole, so there is nothing to merge.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use event_store_embedded::ScavengeOptions;
use tokio::sync::watch;
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

use crate::{
    Desk,
    access::Action,
    protocol::event_store::client::operations::{
        ScavengeResp, SetNodePriorityReq, StartScavengeReq, StopScavengeReq,
        operations_server::{Operations, OperationsServer},
        scavenge_resp::ScavengeResult,
    },
    refusal::with_trailers,
    scavenges,
};

/// The id by which clients may mean whatever scavenge is running.
const CURRENT_SCAVENGE: &str = "current";

/// What the keeper has under way.
pub(crate) struct Office {
    scavenge: Mutex<Option<Scavenge>>,
    shutdown: watch::Sender<bool>,
}

/// A scavenge that runs.
#[derive(Clone)]
struct Scavenge {
    id: Uuid,
    /// Set, it stops after its next commit.
    stop: Arc<AtomicBool>,
}

impl Office {
    pub(crate) fn new() -> Self {
        Self {
            scavenge: Mutex::new(None),
            shutdown: watch::Sender::new(false),
        }
    }

    /// Turns true when a keeper asks for the end of the process.
    pub(crate) fn shutdown_asked(&self) -> watch::Receiver<bool> {
        self.shutdown.subscribe()
    }

    fn scavenge(&self) -> MutexGuard<'_, Option<Scavenge>> {
        self.scavenge.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The service.
pub(crate) fn service(desk: Arc<Desk>) -> OperationsServer<Keeper> {
    OperationsServer::new(Keeper(desk))
}

/// Answers the calls of the Operations service.
pub(crate) struct Keeper(Arc<Desk>);

impl Keeper {
    /// Lets operators and administrators pass.
    async fn admit<T>(&self, request: &Request<T>) -> Result<(), Status> {
        let access = &self.0.access;
        let caller = access.caller(request.metadata()).await?;
        access.allow(&caller, Action::Operate, "")
    }

    /// Begins a scavenge, unless one runs already. Answers with the one that runs.
    fn begin(&self) -> (Uuid, ScavengeResult) {
        let mut running = self.0.office.scavenge();
        if let Some(running) = &*running {
            return (running.id, ScavengeResult::InProgress);
        }
        let (id, stop) = (Uuid::new_v4(), Arc::new(AtomicBool::new(false)));
        tokio::spawn(scavenge(self.0.clone(), id, stop.clone()));
        *running = Some(Scavenge { id, stop });
        (id, ScavengeResult::Started)
    }
}

#[tonic::async_trait]
impl Operations for Keeper {
    async fn start_scavenge(&self, request: Request<StartScavengeReq>) -> Result<Response<ScavengeResp>, Status> {
        self.admit(&request).await?;
        // Threads and chunks are another store's: this one has a single file, and one thread that writes.
        let options = request.into_inner().options.unwrap_or_default();
        if options.thread_count < 0 || options.start_from_chunk < 0 {
            return Err(Status::invalid_argument("threads and chunks are counted from nought"));
        }
        Ok(Response::new(answer(self.begin())))
    }

    async fn stop_scavenge(&self, request: Request<StopScavengeReq>) -> Result<Response<ScavengeResp>, Status> {
        self.admit(&request).await?;
        let meant = request.into_inner().options.unwrap_or_default().scavenge_id;
        let running = self.0.office.scavenge().clone();
        match running {
            Some(running) if meant == CURRENT_SCAVENGE || meant == running.id.to_string() => {
                running.stop.store(true, Ordering::Relaxed);
                Ok(Response::new(answer((running.id, ScavengeResult::Stopped))))
            }
            _ => Err(with_trailers(
                Code::NotFound,
                "Scavenge id was invalid: no scavenge of this id is running.".into(),
                "scavenge-not-found",
                &[("scavenge-id", &meant)],
            )),
        }
    }

    async fn shutdown(&self, request: Request<()>) -> Result<Response<()>, Status> {
        self.admit(&request).await?;
        if self.0.office.shutdown.receiver_count() == 0 {
            return Err(Status::failed_precondition(
                "the process that this server runs in does not end on request: stop it on its machine",
            ));
        }
        tracing::info!("a keeper asked for the end of the server");
        self.0.office.shutdown.send_replace(true);
        Ok(Response::new(()))
    }

    async fn merge_indexes(&self, request: Request<()>) -> Result<Response<()>, Status> {
        self.admit(&request).await?;
        Ok(Response::new(()))
    }

    async fn resign_node(&self, request: Request<()>) -> Result<Response<()>, Status> {
        self.admit(&request).await?;
        Ok(Response::new(()))
    }

    async fn set_node_priority(&self, request: Request<SetNodePriorityReq>) -> Result<Response<()>, Status> {
        self.admit(&request).await?;
        Ok(Response::new(()))
    }

    async fn restart_persistent_subscriptions(&self, request: Request<()>) -> Result<Response<()>, Status> {
        self.admit(&request).await?;
        self.0.persistent.restart().await?;
        Ok(Response::new(()))
    }
}

fn answer((id, result): (Uuid, ScavengeResult)) -> ScavengeResp {
    ScavengeResp {
        scavenge_id: id.to_string(),
        scavenge_result: result.into(),
    }
}

/// Scavenges, and writes down when it began and how it ended.
async fn scavenge(desk: Arc<Desk>, id: Uuid, stop: Arc<AtomicBool>) {
    let began = desk.now();
    scavenges::write_start(&desk.store, id, desk.address).await;
    let options = ScavengeOptions {
        now: began,
        stop: stop.clone(),
    };
    let work = desk.store.scavenge(options, move |progress| {
        tracing::debug!(
            %id,
            streams = progress.streams_looked_at,
            of = progress.of_streams,
            events = progress.events,
            "a scavenge goes on"
        );
    });
    tokio::pin!(work);
    let ended = tokio::select! {
        ended = &mut work => ended,
        () = desk.stopped() => {
            stop.store(true, Ordering::Relaxed);
            work.await
        }
    };
    tracing::info!(%id, ?ended, "a scavenge ended");
    scavenges::write_end(&desk.store, id, desk.address, desk.now() - began, &ended).await;
    *desk.office.scavenge() = None;
}

#[cfg(test)]
mod tests;
