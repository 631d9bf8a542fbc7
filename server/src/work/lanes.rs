//! `zhulu lanes`: into how many lanes the streams are divided, and dividing them anew.

use crate::{
    cli::PlaceArgs,
    errand::{Errand, Outcome},
    failure::Failure,
    place::Place,
    work::errands,
};

/// Says how many lanes there are, or divides the streams into so many.
pub async fn run(args: &PlaceArgs, place: &Place, wanted: Option<u32>) -> Result<(), Failure> {
    let errand = Errand::Divide { lanes: wanted };
    if let Outcome::Divided { lanes } = errands::run(args, place, errand, "分道 / lanes").await? {
        println!("分道 / lanes: {lanes}");
    }
    Ok(())
}
