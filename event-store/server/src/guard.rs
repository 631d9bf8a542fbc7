//! Who may write where: the access rules, and before them the streams that are Zhulu's own.

use event_store_contract::StreamName;
use tonic::Status;

use crate::{
    Desk,
    access::{Action, Caller},
    refusal,
};

/// What the name of a stream begins with that says something about another one.
const METADATA_PREFIX: &str = "$$";

impl Desk {
    /// Refuses to append to, or to say something about, a stream that this caller may not write.
    pub(crate) fn may_write(&self, caller: &Caller, stream: &StreamName) -> Result<(), Status> {
        self.access.allow(caller, Action::Write, stream.as_str())?;
        self.not_our_own(stream)
    }

    /// Refuses to delete a stream that this caller may not delete.
    pub(crate) fn may_delete(&self, caller: &Caller, stream: &StreamName) -> Result<(), Status> {
        self.access.allow(caller, Action::Delete, stream.as_str())?;
        self.not_our_own(stream)
    }

    /// Whoever asks: a case is written by the officers' own program alone.
    fn not_our_own(&self, stream: &StreamName) -> Result<(), Status> {
        let name = stream.as_str();
        let subject = name.strip_prefix(METADATA_PREFIX).unwrap_or(name);
        if !(self.config.own_streams)(subject) {
            return Ok(());
        }
        Err(refusal::access_denied(format!(
            "stream {subject} is written by Zhulu alone: read it and follow it as you like, and write to streams of your own"
        )))
    }
}
