//! `zhulu schema`: the contract with the world, printed.

use crate::failure::Failure;

/// Prints the GraphQL schema.
pub fn run() -> Result<(), Failure> {
    print!("{}", api::schema_sdl());
    Ok(())
}
