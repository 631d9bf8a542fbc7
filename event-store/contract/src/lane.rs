//! Lanes: a division of all streams among those who follow the log, so that each stream has one follower at a time.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::StreamName;

/// The most lanes. More would only divide work that a few machines do into pieces too small to be worth a reader.
pub const MAX_LANES: u32 = 64;

/// One of so many parts of all streams.
///
/// A stream's lane is the first four bytes of the SHA-256 of its name, read as a big-endian number, modulo the number of
/// lanes. That is the same in every program and on every machine, and a database can work it out as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane {
    /// Which one, from 0.
    pub index: u32,
    /// Of how many.
    pub of: u32,
}

impl Lane {
    /// The only lane: every stream is in it.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// Whether a stream is in this lane.
    pub fn has(self, stream: &StreamName) -> bool {
        self.of <= 1 || place(stream.as_str()) % self.of == self.index
    }

    /// Whether this is the only lane.
    pub fn is_whole(self) -> bool {
        self.of <= 1
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

fn place(stream: &str) -> u32 {
    let digest = Sha256::digest(stream.as_bytes());
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stream_is_in_one_lane_and_lanes_are_about_as_long() {
        let streams: Vec<StreamName> = (0..4_000)
            .map(|number| StreamName::of("case", number).expect("a name"))
            .collect();
        let counts: Vec<usize> = (0..4)
            .map(|index| streams.iter().filter(|stream| Lane { index, of: 4 }.has(stream)).count())
            .collect();
        assert_eq!(counts.iter().sum::<usize>(), 4_000);
        assert!(counts.iter().all(|count| (900..1_100).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_streams_lane_never_changes() {
        // printf %s 'case-1' | sha256sum | head -c 8
        assert_eq!(place("case-1"), PLACE_OF_CASE_1);
    }

    const PLACE_OF_CASE_1: u32 = 0xba22_5b98;
}
