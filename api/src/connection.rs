//! Pages of lists, as Relay has them: a size, a cursor, and whether there is more.

use async_graphql::{Error, SimpleObject};

use crate::{
    errors::Code,
    limits::{DEFAULT_PAGE, MAX_PAGE},
};

/// Where a page stands in its list.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
pub(crate) struct PageInfo {
    /// There is more before the first.
    pub(crate) has_previous_page: bool,
    /// There is more after the last.
    pub(crate) has_next_page: bool,
    /// The cursor of the first.
    pub(crate) start_cursor: Option<String>,
    /// The cursor of the last.
    pub(crate) end_cursor: Option<String>,
}

/// Which piece of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) limit: usize,
    pub(crate) backwards: bool,
}

impl Piece {
    /// Reads `first` and `last`; one of them at most, and within the limit.
    pub(crate) fn asked(first: Option<i32>, last: Option<i32>) -> Result<Self, Error> {
        let (size, backwards) = match (first, last) {
            (Some(_), Some(_)) => return Err(Code::BadInput.error("ask for `first` or for `last`, not for both")),
            (None, Some(last)) => (Some(last), true),
            (first, None) => (first, false),
        };
        let limit = match size {
            None => DEFAULT_PAGE,
            Some(size) => usize::try_from(size)
                .ok()
                .filter(|size| (1..=MAX_PAGE).contains(size))
                .ok_or_else(|| Code::BadInput.error(format!("a page has 1 to {MAX_PAGE} rows; {size} were asked for")))?,
        };
        Ok(Self { limit, backwards })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_page_has_a_size_within_the_limit() {
        assert_eq!(
            Piece::asked(None, None).unwrap(),
            Piece {
                limit: DEFAULT_PAGE,
                backwards: false
            }
        );
        assert_eq!(
            Piece::asked(Some(50), None).unwrap(),
            Piece {
                limit: 50,
                backwards: false
            }
        );
        assert_eq!(
            Piece::asked(None, Some(5)).unwrap(),
            Piece {
                limit: 5,
                backwards: true
            }
        );
        for (first, last) in [
            (Some(0), None),
            (Some(-1), None),
            (Some(101), None),
            (None, Some(101)),
            (Some(1), Some(1)),
        ] {
            assert!(Piece::asked(first, last).is_err(), "{first:?} {last:?}");
        }
    }
}
