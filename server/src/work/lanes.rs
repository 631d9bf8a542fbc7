//! `zhulu lanes`: into how many lanes the streams are divided, and dividing them anew.

use crate::{cli::PlaceArgs, failure::Failure, place::Place, work::report::Views};

/// Says how many lanes there are, or divides the streams into so many.
pub async fn run(args: &PlaceArgs, place: &Place, wanted: Option<u32>) -> Result<(), Failure> {
    let views = Views::find(args, place).await?;
    let done = match wanted {
        Some(wanted) => views.projections().deal(wanted).await.map(|()| wanted),
        None => views.projections().lanes().await,
    };
    views.close().await?;
    let lanes = done.map_err(|error| Failure::doing("无法划分", "the streams cannot be divided", error))?;
    println!("分道 / lanes: {lanes}");
    Ok(())
}
