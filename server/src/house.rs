//! The rooms of the house in their order: event store, PostgreSQL, views, bureau, reactions and timers. Closed in reverse.

use std::sync::Arc;

use commands::{Bureau, outside::Clock};
use event_store_contract::{EventStore, Position};
use event_store_embedded::EmbeddedStore;
use private_postgres::PrivatePostgres;
use projections::Projections;
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    cli::PlaceArgs,
    errand::Rooms,
    failure::Failure,
    place::{Place, Running},
    store,
    wiring::FromViews,
};

/// A house in which everything runs that the open case needs.
pub struct House {
    place: Place,
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
    /// Opens store, database, views and bureau, and lets the views follow the log.
    pub async fn open(args: &PlaceArgs, place: &Place) -> Result<Self, Failure> {
        let store::Opened { events: store, embedded } = store::open(args, place).await?;
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
        let projections = Projections::open(&database_url, store.clone(), projections::views::all())
            .await
            .map_err(|error| Failure::doing("打不开视图", "the views cannot be opened", error))?;
        let bureau = Bureau::open(store.clone())
            .await
            .map_err(|error| Failure::doing("打不开业务规则", "the bureau cannot be opened", error))?;
        let (stop, stopping) = watch::channel(false);
        let mut house = Self {
            place: place.clone(),
            store,
            embedded,
            bureau,
            projections,
            database_url,
            postgres,
            stop,
            loops: Vec::new(),
        };
        let projections = house.projections.clone();
        house.keep("views", async move {
            projections.run(stopping).await;
        });
        Ok(house)
    }

    /// Lets numbers be allocated, registers be written, timers fire.
    pub fn react(&mut self, clock: &Arc<dyn Clock>) {
        let views = FromViews::new(self.projections.database());
        let (bureau, bookmarks, now, stopping) = (self.bureau.clone(), views.clone(), clock.clone(), self.stop.subscribe());
        let provisional = views.clone();
        self.keep("reactions", async move {
            commands::reactions::run(bureau, bookmarks, provisional, now, stopping).await;
        });
        let (bureau, now, stopping) = (self.bureau.clone(), clock.clone(), self.stop.subscribe());
        self.keep("timers", async move {
            commands::timers::run(bureau, views, now, stopping).await;
        });
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
