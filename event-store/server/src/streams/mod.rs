//! The Streams service: appending, deleting, reading and following.

mod answer;
mod append;
mod batch;
mod frames;
mod live;
mod read;
mod reading;
mod subscribe;
#[cfg(test)]
mod tests;
pub(crate) mod words;

use std::{sync::Arc, time::Duration};

use event_store_contract::{Appended, Position};
use event_store_embedded::{Refusal, Write};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming, async_trait};

use crate::{
    Desk,
    protocol::event_store::client::streams::{
        AppendReq, AppendResp, BatchAppendReq, BatchAppendResp, DeleteReq, DeleteResp, TombstoneReq, TombstoneResp,
        delete_req::options::ExpectedStreamRevision as ExpectedToDelete, delete_resp, streams_server,
        tombstone_req::options::ExpectedStreamRevision as ExpectedToTombstone, tombstone_resp,
    },
    refusal,
};

pub(crate) use answer::{out_of_time, respond};
pub(crate) use live::Live;
pub(crate) use read::read;

/// A write that the disk has not taken after so long is answered with "timed out"; it may be written all the same.
pub(crate) const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// The Streams service, but for reading, which has a way of its own (see [`read`]).
pub(crate) struct Streams(pub(crate) Arc<Desk>);

impl Desk {
    /// Writes, or says that it takes too long.
    pub(crate) async fn write_one(&self, write: Write) -> Result<Appended, WriteError> {
        let writing = tokio::time::timeout(self.write_timeout, self.store.write(vec![write], Vec::new()));
        let appended = writing
            .await
            .map_err(|_| WriteError::TimedOut)?
            .map_err(WriteError::Refused)?;
        // One write has one answer.
        appended.last().copied().ok_or(WriteError::TimedOut)
    }
}

/// Why a write has no answer of its own.
pub(crate) enum WriteError {
    /// The store said no.
    Refused(Refusal),
    /// It takes too long.
    TimedOut,
}

/// It may have been written all the same.
pub(crate) fn timed_out() -> Status {
    Status::aborted("Operation timed out")
}

#[async_trait]
impl streams_server::Streams for Streams {
    async fn append(&self, request: Request<Streaming<AppendReq>>) -> Result<Response<AppendResp>, Status> {
        append::append(&self.0, request).await.map(Response::new)
    }

    type BatchAppendStream = ReceiverStream<Result<BatchAppendResp, Status>>;

    async fn batch_append(
        &self,
        request: Request<Streaming<BatchAppendReq>>,
    ) -> Result<Response<Self::BatchAppendStream>, Status> {
        batch::batch_append(&self.0, request).await.map(Response::new)
    }

    async fn delete(&self, request: Request<DeleteReq>) -> Result<Response<DeleteResp>, Status> {
        let caller = self.0.access.caller(request.metadata()).await?;
        let options = request.into_inner().options.ok_or_else(options_missing)?;
        let stream = words::stream(options.stream_identifier)?;
        let expected = words::expected!(options.expected_stream_revision, ExpectedToDelete)?;
        self.0.may_delete(&caller, &stream)?;
        let deleting = tokio::time::timeout(self.0.write_timeout, self.0.store.delete(&stream, expected));
        let Position(position) = deleting
            .await
            .map_err(|_| timed_out())?
            .map_err(|refused| refusal::status(refused, "Delete"))?;
        let position = delete_resp::Position {
            commit_position: position,
            prepare_position: position,
        };
        Ok(Response::new(DeleteResp {
            position_option: Some(delete_resp::PositionOption::Position(position)),
        }))
    }

    async fn tombstone(&self, request: Request<TombstoneReq>) -> Result<Response<TombstoneResp>, Status> {
        let caller = self.0.access.caller(request.metadata()).await?;
        let options = request.into_inner().options.ok_or_else(options_missing)?;
        let stream = words::stream(options.stream_identifier)?;
        let expected = words::expected!(options.expected_stream_revision, ExpectedToTombstone)?;
        self.0.may_delete(&caller, &stream)?;
        let deleting = tokio::time::timeout(self.0.write_timeout, self.0.store.tombstone(&stream, expected));
        let Position(position) = deleting
            .await
            .map_err(|_| timed_out())?
            .map_err(|refused| refusal::status(refused, "Delete"))?;
        let position = tombstone_resp::Position {
            commit_position: position,
            prepare_position: position,
        };
        Ok(Response::new(TombstoneResp {
            position_option: Some(tombstone_resp::PositionOption::Position(position)),
        }))
    }
}

fn options_missing() -> Status {
    Status::invalid_argument("the request has no options")
}
