//! Links open nothing: what a link leads to is shown only to those who may read it where it stands.

use std::{collections::HashMap, sync::Arc};

use event_store_embedded::Seen;
use tonic::Status;

use super::{Access, acl::Deed, verified::Login};

/// What a reader may see behind links.
#[derive(Clone)]
pub(crate) enum Sight {
    /// Everything.
    Whole,
    /// What this user may read.
    Of(Access, Arc<Login>),
    /// Nothing.
    None,
}

impl Sight {
    /// Takes out what links lead to that the reader may not read. The links themselves stay.
    pub(crate) fn veil(&self, events: &mut [Seen]) -> Result<(), Status> {
        if matches!(self, Self::Whole) {
            return Ok(());
        }
        let mut known = HashMap::new();
        for seen in events.iter_mut().filter(|seen| seen.link.is_some()) {
            let Some(event) = &seen.event else { continue };
            let stream = event.stream.clone();
            let may = if let Some(may) = known.get(&stream) {
                *may
            } else {
                let may = self.may_read(stream.as_str())?;
                known.insert(stream, may);
                may
            };
            if !may {
                seen.event = None;
            }
        }
        Ok(())
    }

    fn may_read(&self, stream: &str) -> Result<bool, Status> {
        match self {
            Self::Whole => Ok(true),
            Self::Of(access, user) => access.may(user, Deed::Read, stream),
            Self::None => Ok(false),
        }
    }
}
