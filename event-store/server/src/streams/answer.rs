//! An answer of many messages, as the body of a response: pieces that are bytes already, and a status at the end.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::Stream;
use http::{HeaderMap, HeaderValue, Response, header::CONTENT_TYPE};
use hyper::body::{Body, Frame};
use tokio::time::{Instant, Sleep};
use tonic::Status;

/// A part of an answer.
pub(crate) enum Piece {
    /// One message or several, as they go over the wire.
    Messages(Bytes),
    /// How it ended.
    End(Status),
}

/// The body: produces a piece only when the connection can take it, so a slow reader holds back its own reading.
struct Answer<S> {
    pieces: Pin<Box<S>>,
    deadline: Option<Pin<Box<Sleep>>>,
    ended: bool,
}

/// The response whose body these pieces are.
pub(crate) fn respond<S>(pieces: S, deadline: Option<Instant>) -> Response<tonic::body::Body>
where
    S: Stream<Item = Piece> + Send + 'static,
{
    let mut response = Response::new(tonic::body::Body::new(Answer {
        pieces: Box::pin(pieces),
        deadline: deadline.map(|deadline| Box::pin(tokio::time::sleep_until(deadline))),
        ended: false,
    }));
    let grpc = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(CONTENT_TYPE, grpc);
    response
}

/// The caller's time is over.
pub(crate) fn out_of_time() -> Status {
    Status::deadline_exceeded("Timeout expired")
}

impl<S: Stream<Item = Piece>> Answer<S> {
    fn end(&mut self, status: &Status) -> Frame<Bytes> {
        self.ended = true;
        let mut trailers = HeaderMap::new();
        if let Err(status) = status.add_header(&mut trailers) {
            tracing::error!(%status, "the end of an answer cannot be written");
            trailers.insert(Status::GRPC_STATUS, HeaderValue::from_static("13"));
        }
        Frame::trailers(trailers)
    }
}

impl<S: Stream<Item = Piece>> Body for Answer<S> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if let Some(deadline) = &mut self.deadline
            && deadline.as_mut().poll(context).is_ready()
        {
            return Poll::Ready(Some(Ok(self.end(&out_of_time()))));
        }
        let frame = loop {
            match self.pieces.as_mut().poll_next(context) {
                Poll::Pending => return Poll::Pending,
                // A hundred empty frames are the most that some clients take from a connection in its whole life.
                Poll::Ready(Some(Piece::Messages(bytes))) if bytes.is_empty() => {}
                Poll::Ready(Some(Piece::Messages(bytes))) => break Frame::data(bytes),
                Poll::Ready(Some(Piece::End(status))) => break self.end(&status),
                Poll::Ready(None) => break self.end(&Status::ok("")),
            }
        };
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }
}
