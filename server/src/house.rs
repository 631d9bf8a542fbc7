//! The rooms of the house in their order: event store, PostgreSQL, views, bureau, reactions and timers. Closed in reverse.

use std::sync::Arc;

use commands::{Bureau, outside::Clock};
use event_store_contract::{EventStore, Position};
use event_store_embedded::EmbeddedStore;
use private_postgres::PrivatePostgres;
use projections::{DEFAULT_SCHEMA, Duty, Held, Projections};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    cli::PlaceArgs,
    errand::Rooms,
    failure::Failure,
    health::Needs,
    place::{Place, Running},
    roles::{Part, Role},
    store,
    wiring::FromViews,
};

/// A house in which everything runs that the open case needs.
pub struct House {
    place: Place,
    part: Part,
    store: Arc<dyn EventStore>,
    embedded: Option<EmbeddedStore>,
    bureau: Bureau,
    projections: Projections,
    database_url: String,
    postgres: Option<PrivatePostgres>,
    stop: watch::Sender<bool>,
    loops: Vec<(&'static str, JoinHandle<()>)>,
}

impl House {
    /// Opens a house that does everything.
    pub async fn open(args: &PlaceArgs, place: &Place) -> Result<Self, Failure> {
        Self::open_as(args, place, &Part::all()).await
    }

    /// Opens store, database, views and bureau for the part that this process plays, and lets the views follow the log if
    /// that is its part.
    pub async fn open_as(args: &PlaceArgs, place: &Place, part: &Part) -> Result<Self, Failure> {
        let store::Opened { events: store, embedded } = store::open(args, place).await?;
        if args.database_url.is_none() {
            place.views_are_of(&store::address(args)?.to_string())?;
        }
        let postgres = match &args.database_url {
            Some(_) => None,
            None => Some(start_postgres(place).await?),
        };
        let database_url = match (&args.database_url, &postgres) {
            (Some(url), _) => url.clone(),
            (None, Some(postgres)) => postgres.url().to_owned(),
            (None, None) => unreachable!("one of the two is there"),
        };
        place.write_running(&Running {
            process_id: std::process::id(),
            address: None,
            database_url: Some(database_url.clone()),
        })?;
        let (views, lanes) = (projections::views::all(), part.lanes);
        let projections = Projections::open_dealt(&database_url, DEFAULT_SCHEMA, store.clone(), views, lanes)
            .await
            .map_err(|error| Failure::doing("打不开视图", "the views cannot be opened", error))?;
        let bureau = Bureau::open(store.clone())
            .await
            .map_err(|error| Failure::doing("打不开业务规则", "the bureau cannot be opened", error))?;
        let (stop, stopping) = watch::channel(false);
        let mut house = Self {
            place: place.clone(),
            part: part.clone(),
            store,
            embedded,
            bureau,
            projections,
            database_url,
            postgres,
            stop,
            loops: Vec::new(),
        };
        let (projections, leads) = (house.projections.clone(), part.plays(Role::Project));
        house.keep("views", async move {
            if leads {
                projections.run(stopping).await;
            } else {
                projections.watch(stopping).await;
            }
        });
        let (bureau, stopping) = (house.bureau.clone(), house.stop.subscribe());
        house.keep("rules", async move { bureau.keep_rules_current(stopping).await });
        Ok(house)
    }

    /// Lets numbers be allocated, registers be written, timers fire, in the lanes that this process gets hold of; nothing,
    /// if that is not its part.
    pub fn react(&mut self, clock: &Arc<dyn Clock>) {
        if !self.part.plays(Role::React) {
            return;
        }
        let leases = self.projections.leases();
        let (bureau, database, clock) = (self.bureau.clone(), self.projections.database().clone(), clock.clone());
        let stopping = self.stop.subscribe();
        self.keep("reactions", async move {
            let work = |held: Held, told: watch::Receiver<bool>| {
                let (views, bureau, clock) = (FromViews::new(&database, held), bureau.clone(), clock.clone());
                async move {
                    let timers = commands::timers::run(bureau.clone(), views.clone(), held.lane, clock.clone(), told.clone());
                    let reactions = commands::reactions::run(bureau, views.clone(), views, held.lane, clock, told);
                    tokio::join!(reactions, timers);
                }
            };
            leases.keep(Duty::Reactions, stopping, work).await;
        });
    }

    /// Whether a role is this process's.
    pub fn plays(&self, role: Role) -> bool {
        self.part.plays(role)
    }

    /// What this process cannot work without.
    pub fn needs(&self) -> Needs {
        Needs {
            store: self.store.clone(),
            database: self.projections.database().clone(),
        }
    }

    /// Tells where this house serves.
    pub fn serves_at(&self, address: std::net::SocketAddr) -> Result<(), Failure> {
        Ok(self.place.write_running(&Running {
            process_id: std::process::id(),
            address: Some(address),
            database_url: Some(self.database_url.clone()),
        })?)
    }

    /// The way in.
    pub fn bureau(&self) -> &Bureau {
        &self.bureau
    }

    /// The way out.
    pub fn projections(&self) -> &Projections {
        &self.projections
    }

    /// The event store.
    pub fn store(&self) -> &Arc<dyn EventStore> {
        &self.store
    }

    /// The event store, if it is one of this process's own.
    pub fn embedded(&self) -> Option<&EmbeddedStore> {
        self.embedded.as_ref()
    }

    /// What errands are done with.
    pub fn rooms(&self) -> Rooms {
        Rooms {
            bureau: Some((self.bureau.clone(), self.projections.clone())),
            embedded: self.embedded.clone(),
        }
    }

    /// The position of the newest event; none, if there is none.
    pub async fn head(&self) -> Result<Option<Position>, Failure> {
        let head = self.store.head().await;
        head.map_err(|error| Failure::doing("读不到事件库", "the event store cannot be read", error))
    }

    /// Ends everything in reverse: the loops finish what they are at, PostgreSQL goes last.
    pub async fn close(mut self) -> Result<(), Failure> {
        let _ = self.stop.send(true);
        while let Some((name, running)) = self.loops.pop() {
            if running.await.is_err() {
                tracing::error!(name, "ended by a panic");
            }
        }
        drop(self.bureau);
        drop(self.projections);
        drop(self.store);
        let embedded = self.embedded;
        let closed = tokio::task::spawn_blocking(move || embedded.map_or(Ok(()), |embedded| embedded.close())).await;
        self.place.forget_running();
        if let Some(postgres) = self.postgres {
            postgres
                .stop()
                .await
                .map_err(|error| Failure::doing("停不下 PostgreSQL", "PostgreSQL does not stop", error))?;
        }
        match closed {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Failure::doing("关不上事件库", "the event store cannot be closed", error)),
            Err(error) => Err(Failure::doing("关不上事件库", "the event store cannot be closed", error)),
        }
    }

    fn keep(&mut self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        self.loops.push((name, tokio::spawn(work)));
    }
}

async fn start_postgres(place: &Place) -> Result<PrivatePostgres, Failure> {
    PrivatePostgres::start(&place.postgres())
        .await
        .map_err(|error| Failure::doing("启动不了自带的 PostgreSQL", "the private PostgreSQL does not start", error))
}
