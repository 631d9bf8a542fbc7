//! The leaf of the house: configuration, start order, shutdown, and the command line. Wiring only, no rule and no query.

pub mod cli;
pub mod clock;
pub mod demo;
pub mod errand;
pub mod failure;
pub mod handover;
pub mod health;
pub mod house;
pub mod limits;
pub mod logging;
pub mod place;
pub mod progress;
pub mod protocol;
pub mod roles;
pub mod serving;
pub mod store;
pub mod wiring;
pub mod work;

use std::path::PathBuf;

use cli::{Cli, Command, ConformanceCommand, ImportCommand, PlaceArgs, ReportCommand, StoreCommand};
use failure::Failure;
use place::Place;
use roles::Role;

/// Where the data is, if nobody says.
const DATA_DIRECTORY: &str = "data";
/// Where the demo's data is, if nobody says: a stable place, so that a second demo goes on where the first one was.
const DEMO_DIRECTORY: &str = "data/demo";

/// Does what was asked on the command line.
pub async fn run(cli: Cli) -> Result<(), Failure> {
    let Cli { place: args, command } = cli;
    store::address(&args)?;
    match command {
        Command::Serve(serve) => work::serve::run(&args, &place_or(&args, DATA_DIRECTORY)?, &serve).await,
        Command::Demo(demo) => demo::run(&args, &place_or(&args, DEMO_DIRECTORY)?, &demo).await,
        Command::Import(import) => {
            let place = place_or(&args, DATA_DIRECTORY)?;
            match import {
                ImportCommand::Permits(import) => work::import::permits(&args, &place, &import).await,
                ImportCommand::Xes { import, mapping } => work::import::xes(&args, &place, &import, mapping.as_deref()).await,
                ImportCommand::Rollback { batch, reason } => work::import::rollback(&args, &place, &batch, &reason).await,
            }
        }
        Command::React(part) => work::part::run(&args, &place_or(&args, DATA_DIRECTORY)?, &part, Role::React).await,
        Command::Project(part) => work::part::run(&args, &place_or(&args, DATA_DIRECTORY)?, &part, Role::Project).await,
        Command::Lanes { lanes } => work::lanes::run(&args, &existing(&args)?, lanes).await,
        Command::Rebuild { view } => work::rebuild::run(&args, &existing(&args)?, &view).await,
        Command::Replay { stream, at } => work::replay::run(&args, &existing(&args)?, &stream, at.as_deref()).await,
        Command::Report(report) => {
            let place = existing(&args)?;
            match report {
                ReportCommand::HandlingTime {
                    by,
                    only,
                    cohort,
                    format,
                } => work::report::handling_time(&args, &place, &by, &only, cohort, format).await,
                ReportCommand::Cohorts { by, format } => work::report::cohorts(&args, &place, &by, format).await,
            }
        }
        Command::Verify { fingerprint } => work::verify::run(&args, &existing(&args)?, fingerprint).await,
        Command::Store(store) => match store {
            StoreCommand::Serve(esdb) => work::store_serve::run(&args, &place_or(&args, DATA_DIRECTORY)?, &esdb).await,
            StoreCommand::Backup { directory } => work::store_copies::back_up(&args, &existing(&args)?, &directory).await,
            StoreCommand::Restore { directory } => {
                work::store_copies::restore(&args, &place_or(&args, DATA_DIRECTORY)?, &directory).await
            }
            StoreCommand::Scavenge => work::store_scavenge::run(&args, &existing(&args)?).await,
            StoreCommand::Export { file } => work::moving::export(&args, &place_or(&args, DATA_DIRECTORY)?, &file).await,
            StoreCommand::Import { file } => work::moving::import(&args, &place_or(&args, DATA_DIRECTORY)?, &file).await,
        },
        Command::MigrateStore { from, to } => work::moving::migrate(&from, &to).await,
        Command::Schema => work::schema::run(),
        Command::Token(token) => work::token::run(&place_or(&args, DATA_DIRECTORY)?, &token),
        Command::CheckModels { files } => work::models::check(&files),
        Command::Conformance(suite) => match suite {
            ConformanceCommand::Betsy { folder } => work::models::betsy(&folder),
            ConformanceCommand::DmnTck { folder } => work::models::dmn_tck(&folder),
        },
        Command::Doctor => work::doctor::run(&args, &data_directory(&args, DATA_DIRECTORY)).await,
        Command::Views => work::views::run(&args, &existing(&args)?).await,
    }
}

fn data_directory(args: &PlaceArgs, otherwise: &str) -> PathBuf {
    args.data_dir.clone().unwrap_or_else(|| PathBuf::from(otherwise))
}

/// The data directory, made if it is not there.
fn place_or(args: &PlaceArgs, otherwise: &str) -> Result<Place, Failure> {
    Ok(Place::make(&data_directory(args, otherwise))?)
}

/// The data directory of a command that only looks: it must be there.
fn existing(args: &PlaceArgs) -> Result<Place, Failure> {
    let directory = data_directory(args, DATA_DIRECTORY);
    if directory.is_dir() {
        return Ok(Place::existing(&directory)?);
    }
    Err(Failure::new(
        format!(
            "数据目录 {} 不存在；用 --data-dir 指明，或先运行 zhulu serve、zhulu demo",
            directory.display()
        ),
        format!(
            "there is no data directory {}; name it with --data-dir, or run zhulu serve or zhulu demo first",
            directory.display()
        ),
    ))
}
