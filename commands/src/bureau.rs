//! The bureau's doors: every change of record goes through one of them.

use std::{
    pin::Pin,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use casework::{Library, WorkCommand, Worked, deployment::Deployment};
use domain::{
    case::{self, CaseCommand, CaseType},
    case_types::{self, CaseTypeTask},
    registers::{
        calendar_publication::{self, CalendarPublication},
        number_sequence::{self, NumberSequence},
        permit::{self, PermitRegister},
        project::{self, ProjectRegister},
        staff::{Directory, StaffRegister},
    },
    rules::Rules,
};
use event_store_contract::{Direction, EventStore, Filter, MAX_EVENTS_PER_READ, RecordedEvent, StreamName};
use uuid::Uuid;

use crate::{
    aggregate::Aggregate,
    cache::{Cache, MAX_CACHED_STREAMS},
    envelope::{CommandError, Envelope, FailedCause, Receipt},
    execute::Asked,
    outside::{Shutdown, shut_down},
};

/// The most events of one stream that are read for its history.
pub const MAX_EVENTS_PER_HISTORY: usize = 200_000;

/// How long to wait before the store is asked again for publications after it did not answer.
const AFTER_LOST_STORE: Duration = Duration::from_secs(1);

/// The way in. Cheap to clone.
#[derive(Clone)]
pub struct Bureau(Arc<Inner>);

struct Inner {
    store: Arc<dyn EventStore>,
    rules: RwLock<Rules>,
    /// The models that the program carries.
    carried: Library,
    library: RwLock<Library>,
    directory: RwLock<Directory>,
    cache: Cache,
}

impl std::fmt::Debug for Bureau {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bureau")
    }
}

impl Bureau {
    /// Opens the bureau over a store, with the rules and models that the program carries and those that were published since.
    pub async fn open(store: Arc<dyn EventStore>) -> Result<Self, CommandError> {
        Self::open_with(store, Library::embedded()).await
    }

    /// The same with other models than those that the program carries; without any, cases follow the law alone.
    pub async fn open_with(store: Arc<dyn EventStore>, carried: Library) -> Result<Self, CommandError> {
        let bureau = Self(Arc::new(Inner {
            store,
            rules: RwLock::new(Rules::embedded()),
            library: RwLock::new(carried.clone()),
            carried,
            directory: RwLock::new(Directory::default()),
            cache: Cache::new(MAX_CACHED_STREAMS),
        }));
        bureau.refresh_all().await?;
        Ok(bureau)
    }

    /// Asks something of a case of a known type.
    pub async fn to_case<T: CaseType>(
        &self,
        case_id: Uuid,
        command: CaseCommand<T>,
        envelope: &Envelope,
    ) -> Result<Receipt, CommandError> {
        self.to_work::<T>(case_id, WorkCommand::Case(command), envelope).await
    }

    /// Asks something that may be asked of any case.
    pub async fn to_any_case(
        &self,
        category: &str,
        case_id: Uuid,
        command: case::Command,
        envelope: &Envelope,
    ) -> Result<Receipt, CommandError> {
        let task = Execute {
            bureau: self,
            case_id,
            command,
            envelope,
        };
        case_types::with_type(category, task)
            .ok_or_else(|| unknown_category(category))?
            .await
    }

    /// Decides a command without writing anything: how many events it would have, or why not.
    pub async fn rehearse(
        &self,
        category: &str,
        case_id: Uuid,
        command: case::Command,
        envelope: &Envelope,
    ) -> Result<u64, CommandError> {
        let task = Rehearse {
            bureau: self,
            case_id,
            command,
            envelope,
        };
        case_types::with_type(category, task)
            .ok_or_else(|| unknown_category(category))?
            .await
    }

    /// Asks something of a series of numbers.
    pub async fn to_sequence(
        &self,
        series: &str,
        command: number_sequence::Command,
        envelope: &Envelope,
    ) -> Result<Receipt, CommandError> {
        self.execute::<NumberSequence>(stream(NumberSequence::CATEGORY, series)?, &command, envelope)
            .await
    }

    /// Asks several things of a series of numbers, in order, in one append.
    pub(crate) async fn all_to_sequence(&self, series: &str, asked: &[Asked<'_, NumberSequence>]) -> Answers {
        Ok(self
            .execute_all::<NumberSequence>(stream(NumberSequence::CATEGORY, series)?, asked)
            .await)
    }

    /// Asks several things of a case, in order, in one append.
    pub(crate) async fn all_to_case(&self, category: &str, case_id: Uuid, asked: &[(&case::Command, &Envelope)]) -> Answers {
        let task = ExecuteAll {
            bureau: self,
            case_id,
            asked,
        };
        case_types::with_type(category, task)
            .ok_or_else(|| unknown_category(category))?
            .await
    }

    /// Asks several things of an entry in the register of permits, in order, in one append.
    pub(crate) async fn all_to_permit(&self, permit_no: &str, asked: &[Asked<'_, PermitRegister>]) -> Answers {
        Ok(self
            .execute_all::<PermitRegister>(stream(PermitRegister::CATEGORY, permit_no)?, asked)
            .await)
    }

    /// Asks several things of a project, in order, in one append.
    pub(crate) async fn all_to_project(&self, project_code: &str, asked: &[Asked<'_, ProjectRegister>]) -> Answers {
        Ok(self
            .execute_all::<ProjectRegister>(stream(ProjectRegister::CATEGORY, project_code)?, asked)
            .await)
    }

    /// Asks something of an entry in the register of permits.
    pub async fn to_permit(
        &self,
        permit_no: &str,
        command: permit::Command,
        envelope: &Envelope,
    ) -> Result<Receipt, CommandError> {
        self.execute::<PermitRegister>(stream(PermitRegister::CATEGORY, permit_no)?, &command, envelope)
            .await
    }

    /// Asks something of a project.
    pub async fn to_project(
        &self,
        project_code: &str,
        command: project::Command,
        envelope: &Envelope,
    ) -> Result<Receipt, CommandError> {
        self.execute::<ProjectRegister>(stream(ProjectRegister::CATEGORY, project_code)?, &command, envelope)
            .await
    }

    /// Publishes a year's calendar. Cases that count with it provisionally go over to it by a reaction.
    pub async fn publish_calendar(
        &self,
        command: calendar_publication::Command,
        envelope: &Envelope,
    ) -> Result<Receipt, CommandError> {
        let receipt = self
            .execute::<CalendarPublication>(calendar_stream()?, &command, envelope)
            .await?;
        self.refresh_rules().await?;
        Ok(receipt)
    }

    /// The rules in force.
    pub fn rules(&self) -> Rules {
        self.0.rules.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The models in force.
    pub fn library(&self) -> Library {
        self.0.library.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The models that the program carries.
    pub(crate) fn carried(&self) -> &Library {
        &self.0.carried
    }

    /// The models in force, exchanged for others.
    pub(crate) fn shelve(&self, library: Library) {
        *self.0.library.write().unwrap_or_else(PoisonError::into_inner) = library;
    }

    /// Who works at the bureau.
    pub fn directory(&self) -> Directory {
        self.0.directory.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Who works at the bureau, exchanged for others.
    pub(crate) fn know(&self, directory: Directory) {
        *self.0.directory.write().unwrap_or_else(PoisonError::into_inner) = directory;
    }

    /// Reads again what was published, deployed and recorded since.
    async fn refresh_all(&self) -> Result<(), CommandError> {
        self.refresh_rules().await?;
        self.refresh_models().await?;
        self.refresh_staff().await
    }

    /// Reads again which calendars were published.
    pub async fn refresh_rules(&self) -> Result<(), CommandError> {
        let events = self.read_whole(&calendar_stream()?).await?;
        let mut rules = Rules::embedded();
        for event in &events {
            let published = CalendarPublication::read(&event.name, &event.data).map_err(|cause| unreadable(event, &cause))?;
            rules = calendar_publication::publish_into(&rules, &published);
        }
        *self.0.rules.write().unwrap_or_else(PoisonError::into_inner) = rules;
        Ok(())
    }

    /// Learns of calendars, models and staff that another process records, until the program shuts down.
    pub async fn keep_rules_current(&self, mut shutdown: Shutdown) {
        while !*shutdown.borrow() {
            let followed = tokio::select! {
                () = shut_down(&mut shutdown) => return,
                followed = self.follow_publications() => followed,
            };
            if let Err(cause) = followed {
                tracing::warn!(%cause, "publications are not heard of; asked again in a moment");
            }
            tokio::select! {
                () = shut_down(&mut shutdown) => return,
                () = tokio::time::sleep(AFTER_LOST_STORE) => {}
            }
        }
    }

    async fn follow_publications(&self) -> Result<(), CommandError> {
        let after = self.store().head().await?;
        let categories = [CalendarPublication::CATEGORY, Deployment::CATEGORY, StaffRegister::CATEGORY];
        let only = Filter::prefixes(categories.map(|category| format!("{category}-")));
        let mut log = self.store().follow(after, only).await?;
        // What was published before the following began is read now.
        self.refresh_all().await?;
        loop {
            if !log.next(MAX_EVENTS_PER_READ).await?.events.is_empty() {
                self.refresh_all().await?;
            }
        }
    }

    /// The store beneath, for those who read it.
    pub fn store(&self) -> &Arc<dyn EventStore> {
        &self.0.store
    }

    pub(crate) fn cache(&self) -> &Cache {
        &self.0.cache
    }

    /// A whole stream, oldest first.
    pub(crate) async fn read_whole(&self, stream: &StreamName) -> Result<Vec<RecordedEvent>, CommandError> {
        let mut events = self
            .store()
            .read_stream(stream, 0, Direction::Forwards, MAX_EVENTS_PER_READ)
            .await?;
        let mut is_more = events.len() == MAX_EVENTS_PER_READ;
        while is_more {
            let next = self
                .store()
                .read_stream(stream, events.len() as u64, Direction::Forwards, MAX_EVENTS_PER_READ)
                .await?;
            is_more = next.len() == MAX_EVENTS_PER_READ;
            events.extend(next);
            if events.len() > MAX_EVENTS_PER_HISTORY {
                return Err(FailedCause::Unknown(format!("{stream} has more than {MAX_EVENTS_PER_HISTORY} events")).into());
            }
        }
        Ok(events)
    }
}

/// What became of each command, in order; or why none was asked.
type Answers = Result<Vec<Result<Receipt, CommandError>>, CommandError>;

pub(crate) type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, CommandError>> + Send + 'a>>;

/// A kernel command for whatever type the category names.
struct Execute<'a> {
    bureau: &'a Bureau,
    case_id: Uuid,
    command: case::Command,
    envelope: &'a Envelope,
}

impl<'a> CaseTypeTask for Execute<'a> {
    type Output = Answer<'a, Receipt>;

    fn run<T: CaseType>(self) -> Self::Output {
        Box::pin(async move {
            self.bureau
                .to_case::<T>(self.case_id, CaseCommand::Kernel(self.command), self.envelope)
                .await
        })
    }
}

/// Several of them, in order.
struct ExecuteAll<'a> {
    bureau: &'a Bureau,
    case_id: Uuid,
    asked: &'a [(&'a case::Command, &'a Envelope)],
}

impl<'a> CaseTypeTask for ExecuteAll<'a> {
    type Output = Answer<'a, Vec<Result<Receipt, CommandError>>>;

    fn run<T: CaseType>(self) -> Self::Output {
        Box::pin(async move {
            let stream = stream(T::CATEGORY, self.case_id)?;
            let commands: Vec<_> = self
                .asked
                .iter()
                .map(|(command, _)| WorkCommand::Case(CaseCommand::Kernel((*command).clone())))
                .collect();
            let asked: Vec<_> = commands
                .iter()
                .zip(self.asked)
                .map(|(command, (_, envelope))| (command, *envelope))
                .collect();
            Ok(self.bureau.execute_all::<Worked<T>>(stream, &asked).await)
        })
    }
}

/// The same, without writing.
struct Rehearse<'a> {
    bureau: &'a Bureau,
    case_id: Uuid,
    command: case::Command,
    envelope: &'a Envelope,
}

impl<'a> CaseTypeTask for Rehearse<'a> {
    type Output = Answer<'a, u64>;

    fn run<T: CaseType>(self) -> Self::Output {
        Box::pin(async move {
            let stream = stream(T::CATEGORY, self.case_id)?;
            self.bureau
                .would::<Worked<T>>(&stream, &WorkCommand::Case(CaseCommand::Kernel(self.command)), self.envelope)
                .await
        })
    }
}

pub(crate) fn stream(category: &str, id: impl std::fmt::Display) -> Result<StreamName, FailedCause> {
    StreamName::of(category, id).map_err(|cause| FailedCause::Unknown(cause.to_string()))
}

fn calendar_stream() -> Result<StreamName, FailedCause> {
    stream(CalendarPublication::CATEGORY, calendar_publication::STREAM_ID)
}

pub(crate) fn unknown_category(category: &str) -> FailedCause {
    FailedCause::Unknown(format!(
        "there is no case type {category}; the types are {}",
        case_types::CATEGORIES.join(", ")
    ))
}

pub(crate) fn unreadable(event: &RecordedEvent, cause: &dyn std::fmt::Display) -> FailedCause {
    FailedCause::Unreadable {
        stream: event.stream.clone(),
        revision: event.revision,
        reason: cause.to_string(),
    }
}
