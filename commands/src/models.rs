//! The doors to the models of processes and to the staff of the bureau: what cases are worked by, besides the law.

use casework::deployment::{self, Deployment, Shelf};
use decider::Decider as _;
use domain::registers::staff::{self, Directory, Staff, StaffRegister};
use event_store_contract::StreamName;

use crate::{
    aggregate::Aggregate,
    bureau::{Bureau, stream, unreadable},
    envelope::{CommandError, Envelope, FailedCause, Receipt},
};

impl Bureau {
    /// Asks something of the models: proposes one, approves it, changes its share. What runs already is never touched.
    pub async fn to_models(&self, command: deployment::Command, envelope: &Envelope) -> Result<Receipt, CommandError> {
        let receipt = self.execute::<Deployment>(model_stream()?, &command, envelope).await?;
        self.refresh_models().await?;
        Ok(receipt)
    }

    /// Asks something of the staff: who works where, who stands in for whom.
    pub async fn to_staff(&self, command: staff::Command, envelope: &Envelope) -> Result<Receipt, CommandError> {
        let receipt = self.execute::<StaffRegister>(staff_stream()?, &command, envelope).await?;
        self.refresh_staff().await?;
        Ok(receipt)
    }

    /// Every version of every model that was ever proposed.
    pub async fn models(&self) -> Result<Shelf, CommandError> {
        let mut known = Shelf::default();
        for event in self.events_of::<Deployment>(&model_stream()?).await? {
            Deployment::evolve(&mut known, &event);
        }
        Ok(known)
    }

    /// The file of a version, whether it is in force or not; none, if there is no such version.
    pub async fn model_source(&self, key: &str, version: u32) -> Result<Option<String>, CommandError> {
        let embedded = self.library();
        let of_program = embedded
            .editions()
            .find(|edition| &*edition.key == key && edition.version == version);
        if let Some(edition) = of_program {
            return Ok(Some(String::from_utf8_lossy(&edition.bytes).into_owned()));
        }
        let proposed = self.events_of::<Deployment>(&model_stream()?).await?;
        Ok(proposed.into_iter().find_map(|event| match event {
            deployment::Event::ModelProposed {
                key: of,
                version: at,
                source,
                ..
            } if of == key && at == version => Some(source),
            _ => None,
        }))
    }

    /// Reads again which models were deployed.
    pub(crate) async fn refresh_models(&self) -> Result<(), CommandError> {
        let events = self.events_of::<Deployment>(&model_stream()?).await?;
        let (library, unreadable) = self.carried().deployed(&events);
        for cause in unreadable {
            tracing::error!(%cause, "a deployed model cannot be read any more; cases that follow it stand still");
        }
        self.shelve(library);
        Ok(())
    }

    /// Reads again who works at the bureau.
    pub(crate) async fn refresh_staff(&self) -> Result<(), CommandError> {
        let mut staff = Staff::default();
        for event in self.events_of::<StaffRegister>(&staff_stream()?).await? {
            StaffRegister::evolve(&mut staff, &event);
        }
        self.know(Directory::from(staff));
        Ok(())
    }

    async fn events_of<D: Aggregate>(&self, stream: &StreamName) -> Result<Vec<D::Event>, CommandError> {
        let events = self.read_whole(stream).await?;
        let read = events
            .iter()
            .map(|event| D::read(&event.name, &event.data).map_err(|cause| CommandError::from(unreadable(event, &cause))));
        read.collect()
    }
}

fn model_stream() -> Result<StreamName, FailedCause> {
    stream(deployment::CATEGORY, deployment::STREAM_ID)
}

fn staff_stream() -> Result<StreamName, FailedCause> {
    stream(staff::CATEGORY, staff::STREAM_ID)
}
