//! What an error of the client means: whose turn is it now?

use event_store_contract::{Position, StoreError, StreamName};
use kurrentdb::Error;

/// Why one attempt did not succeed.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Another attempt would end the same.
    Final(StoreError),
    /// The server is there and could not do it now.
    Again(String),
    /// The connection is of no use any more, or nobody knows.
    Lost(String),
}

/// The gRPC codes that the client hands through, by their numbers.
pub(crate) mod code {
    /// The caller, or somebody on the way, let it go.
    pub(crate) const CANCELLED: i32 = 1;
    /// The server will not take this, whenever it is asked.
    pub(crate) const INVALID_ARGUMENT: i32 = 3;
    /// Larger than the server takes.
    pub(crate) const RESOURCE_EXHAUSTED: i32 = 8;
    /// The server timed out on its own.
    pub(crate) const ABORTED: i32 = 10;
    /// Larger than the server's decoder takes.
    pub(crate) const OUT_OF_RANGE: i32 = 11;
}

/// What the client says when the batch stream that an append went along came to its end, whatever the reason was.
const CLOSED_LANE: &str = "Batch-append stream has been closed";

/// Sorts an error of the client. What is special about a read or an append has been looked at before.
pub(crate) fn sorted(error: Error) -> Trouble {
    match error {
        Error::ServerError(reason) if reason.contains(CLOSED_LANE) => Trouble::Again(reason),
        Error::ServerError(reason) => Trouble::Lost(reason),
        Error::ConnectionClosed => Trouble::Lost("the connection is closed".into()),
        Error::GrpcConnectionError(reason) => Trouble::Lost(reason.to_string()),
        Error::NotLeaderException(leader) => Trouble::Again(format!("the leader is now {}:{}", leader.host, leader.port)),
        Error::DeadlineExceeded => Trouble::Again("no answer in time".into()),
        Error::AccessDenied => Trouble::Final(StoreError::Unavailable(
            "it refused these credentials: check user and password in its address, and what that user may do; \
             a server of Zhulu lets nobody else write its own streams, unless --esdb-allow-foreign-writes says so"
                .into(),
        )),
        // The connection went away for a reason that HTTP/2 has a number for, and gRPC makes a code of its own of it.
        Error::Grpc { message, .. } if is_of_the_connection(&message) => Trouble::Lost(message),
        Error::Grpc { code, message } => match code as i32 {
            code::ABORTED => Trouble::Again(message),
            code::CANCELLED => Trouble::Lost(message),
            _ => Trouble::Final(StoreError::Unavailable(format!("{code:?}: {message}"))),
        },
        other => Trouble::Final(StoreError::Unavailable(other.to_string())),
    }
}

/// Whether an error is one of the connection and not of the server, whatever its code says.
pub(crate) fn is_of_the_connection(message: &str) -> bool {
    message.contains("h2 protocol error") || message.contains("transport error")
}

/// A stream that somebody deleted for good has lost its history: that is damage, whoever was allowed to do it.
pub(crate) fn tombstoned(stream: &StreamName) -> Trouble {
    Trouble::Final(StoreError::Damaged {
        stream: stream.to_string(),
        revision: 0,
        position: Position(0),
        reason: "the stream was deleted for good (tombstoned)".into(),
    })
}
