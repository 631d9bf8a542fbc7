//! A bureau with its people, and a store that can be told to misbehave.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use casework::Library;
use chrono::{DateTime, TimeDelta, Utc};
use commands::{Bureau, CommandError, Envelope, ManualClock, Receipt};
use domain::{
    case::{AcceptanceMode, CaseCommand, Command, Conclusion, IdKind, Material, MaterialSource, Officer, Party, PartyKind},
    case_types::construction_permit::{self as permit, ConstructionPermit, ITEM_CODE},
    metadata::{Actor, Channel, bureau_midnight},
};
use event_store_contract::{
    Appended, Direction, EventStore, Expected, Filter, Follow, MemoryStore, NewEvent, Page, Position, RecordedEvent, StoreError,
    StreamName,
};
use uuid::Uuid;

pub(crate) const CATEGORY: &str = "constructionPermit";
pub(crate) const REGION: &str = "330109";
pub(crate) const APPLICANT_ID: &str = "91110000600037341L";

/// Noon at the bureau on this day.
pub(crate) fn noon(on: &str) -> DateTime<Utc> {
    bureau_midnight(on.parse().unwrap()) + TimeDelta::hours(12)
}

pub(crate) fn clock(on: &str) -> ManualClock {
    ManualClock::at(noon(on))
}

pub(crate) fn actor(id: &str, role: &str) -> Actor {
    Actor {
        id: id.to_owned(),
        name: id.to_owned(),
        role: role.to_owned(),
        organisation: "11330109002514224B".to_owned(),
        channel: Channel::Window,
        on_behalf_of: None,
    }
}

/// An envelope of somebody with a role, at noon on a day.
pub(crate) fn by(id: &str, role: &str, on: &str) -> Envelope {
    Envelope::new(Uuid::new_v4(), actor(id, role), REGION, noon(on))
}

pub(crate) fn clerk(on: &str) -> Envelope {
    by("wang", "windowClerk", on)
}

pub(crate) fn material(code: &str) -> Material {
    Material {
        code: code.to_owned(),
        document: None,
        source: MaterialSource::Scan,
        originals: 1,
        copies: 0,
    }
}

pub(crate) fn applicant() -> Party {
    Party {
        kind: PartyKind::LegalPerson,
        name: "示范建设投资有限公司".to_owned(),
        id_no: APPLICANT_ID.to_owned(),
        id_kind: IdKind::Uscc,
        legal_representative: Some("王建国".to_owned()),
        phone: Some("13800138000".to_owned()),
        address: None,
    }
}

pub(crate) fn submit() -> Command {
    Command::Submit {
        item_code: ITEM_CODE.to_owned(),
        project_code: None,
        applicant: applicant(),
        agent: None,
        form: permit::example_form(),
        materials: ["M01", "M02", "M03", "M04", "M05", "M06", "M07"].map(material).into(),
    }
}

pub(crate) fn accept() -> Command {
    Command::Accept {
        mode: AcceptanceMode::Normal,
        tolerance: Vec::new(),
        commitment: None,
    }
}

pub(crate) fn assign(to: &str) -> Command {
    Command::Assign {
        to: Officer {
            id: to.to_owned(),
            name: to.to_owned(),
        },
        reason: "轮值".to_owned(),
    }
}

pub(crate) fn grant() -> Command {
    Command::Grant { conditions: Vec::new() }
}

pub(crate) async fn ask(bureau: &Bureau, case: Uuid, command: Command, envelope: &Envelope) -> Result<Receipt, CommandError> {
    bureau
        .to_case::<ConstructionPermit>(case, CaseCommand::Kernel(command), envelope)
        .await
}

/// A case that is filed, worked and granted on one day.
pub(crate) async fn granted(bureau: &Bureau, case: Uuid, on: &str) -> Receipt {
    ready_to_grant(bureau, case, on).await;
    ask(bureau, case, grant(), &by("chen", "director", on)).await.unwrap()
}

pub(crate) async fn ready_to_grant(bureau: &Bureau, case: Uuid, on: &str) {
    let review = Command::CompleteReview {
        conclusion: Conclusion::Agree,
        second_officer: "zhou".to_owned(),
    };
    for (command, envelope) in [
        (submit(), clerk(on)),
        (accept(), clerk(on)),
        (assign("zhang"), by("li", "sectionChief", on)),
        (review, by("zhang", "handler", on)),
        (Command::ApproveBySection, by("li", "sectionChief", on)),
    ] {
        ask(bureau, case, command, &envelope).await.unwrap();
    }
}

/// A bureau whose cases follow the law alone: what these stories tell of commands and events is the same with a process.
pub(crate) async fn plain(store: Arc<dyn EventStore>) -> Bureau {
    Bureau::open_with(store, Library::default()).await.unwrap()
}

pub(crate) async fn bureau() -> (Bureau, Arc<MemoryStore>) {
    let store = Arc::new(MemoryStore::new());
    (plain(store.clone()).await, store)
}

/// The names of all events of a stream.
pub(crate) async fn names(store: &impl EventStore, stream: &str) -> Vec<String> {
    let stream = StreamName::new(stream).unwrap();
    let events = store.read_stream(&stream, 0, Direction::Forwards, 10_000).await.unwrap();
    events.iter().map(|event| event.name.to_string()).collect()
}

pub(crate) fn case_stream(case: Uuid) -> String {
    format!("{CATEGORY}-{case}")
}

/// A store that counts reads, and refuses or loses as many appends as it is told to.
pub(crate) struct Moody {
    pub(crate) inner: MemoryStore,
    pub(crate) stream_reads: AtomicU64,
    /// So many appends to come meet a conflict.
    pub(crate) conflicts: AtomicU64,
    /// So many appends to come are written, and then reported as failed.
    pub(crate) lost_answers: AtomicU64,
}

impl Moody {
    pub(crate) fn new(inner: MemoryStore) -> Arc<Self> {
        let zero = AtomicU64::default;
        Arc::new(Self {
            inner,
            stream_reads: zero(),
            conflicts: zero(),
            lost_answers: zero(),
        })
    }

    fn takes_one(counter: &AtomicU64) -> bool {
        counter
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
            .is_ok()
    }
}

#[async_trait]
impl EventStore for Moody {
    async fn append(&self, stream: &StreamName, expected: Expected, events: Vec<NewEvent>) -> Result<Appended, StoreError> {
        if expected != Expected::Any && Self::takes_one(&self.conflicts) {
            return Err(StoreError::WrongRevision {
                stream: stream.clone(),
                expected,
                actual: None,
            });
        }
        let appended = self.inner.append(stream, expected, events).await?;
        if expected != Expected::Any && Self::takes_one(&self.lost_answers) {
            return Err(StoreError::Unavailable("the answer was lost".into()));
        }
        Ok(appended)
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: u64,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        self.stream_reads.fetch_add(1, Ordering::SeqCst);
        self.inner.read_stream(stream, from, direction, limit).await
    }

    async fn read_all(&self, after: Option<Position>, limit: usize, filter: &Filter) -> Result<Page, StoreError> {
        self.inner.read_all(after, limit, filter).await
    }

    async fn head(&self) -> Result<Option<Position>, StoreError> {
        self.inner.head().await
    }

    async fn follow(&self, after: Option<Position>, filter: Filter) -> Result<Box<dyn Follow>, StoreError> {
        self.inner.follow(after, filter).await
    }
}
