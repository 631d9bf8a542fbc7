//! How long a caller waits, as it says itself.

use std::time::Duration;

use http::HeaderMap;
use tokio::time::Instant;

/// The header by which a caller says how long it waits: digits and a unit.
const TIMEOUT: &str = "grpc-timeout";
/// The most digits that the protocol allows.
const MAX_DIGITS: usize = 8;

/// When the caller stops waiting. A header that makes no sense is no deadline.
pub(crate) fn of(headers: &HeaderMap) -> Option<Instant> {
    let timeout = parse(headers.get(TIMEOUT)?.to_str().ok()?)?;
    Instant::now().checked_add(timeout)
}

fn parse(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let digits = text.strip_suffix(unit)?;
    if digits.is_empty() || digits.len() > MAX_DIGITS {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    match unit {
        'H' => Some(Duration::from_secs(amount * 3600)),
        'M' => Some(Duration::from_secs(amount * 60)),
        'S' => Some(Duration::from_secs(amount)),
        'm' => Some(Duration::from_millis(amount)),
        'u' => Some(Duration::from_micros(amount)),
        'n' => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_digits_and_a_unit() {
        assert_eq!(parse("10S"), Some(Duration::from_secs(10)));
        assert_eq!(parse("9999999u"), Some(Duration::from_micros(9_999_999)));
        for nonsense in ["", "S", "10", "-1S", "123456789S", "1秒"] {
            assert_eq!(parse(nonsense), None, "{nonsense}");
        }
    }
}
