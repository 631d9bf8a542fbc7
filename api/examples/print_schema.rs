//! Prints the contract with the world: `cargo run -p api --example print_schema > schema.graphql`.

fn main() {
    print!("{}", api::schema_sdl());
}
