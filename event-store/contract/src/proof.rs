//! The proof that a stream is what it was: each event's hash covers the event and the hash before it.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// SHA-256.
pub type Hash = [u8; 32];

/// What the first event of a stream is chained to.
pub const GENESIS: Hash = [0; 32];

/// The hash of an event's own content, without its place: computed by whoever has the bytes at hand.
pub fn content_hash(id: Uuid, name: &str, data: &[u8], metadata: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(id.as_bytes());
    for part in [name.as_bytes(), data, metadata] {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// The link of the chain: the hash before, the place, the content. Neither position nor `created` is covered,
/// for these do not survive a move to another store; the chain does.
pub fn chain_hash(previous: &Hash, stream: &str, revision: u64, content: &Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(previous);
    hasher.update((stream.len() as u64).to_be_bytes());
    hasher.update(stream.as_bytes());
    hasher.update(revision.to_be_bytes());
    hasher.update(content);
    hasher.finalize().into()
}
