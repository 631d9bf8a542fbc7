//! Which events of the whole log somebody wants to see.

use std::sync::atomic::{AtomicBool, Ordering};

use fancy_regex::{Regex, RegexBuilder};
use tonic::Status;

use crate::protocol::event_store::client::streams::read_req::options::{
    FilterOptions,
    filter_options::{Expression, Filter as Subject, Window},
};

/// The longest pattern that is compiled.
pub(crate) const MAX_PATTERN_BYTES: usize = 4096;
/// The most steps of going back that one look of a pattern at one name may take: a pattern may be slow, not endless.
const MAX_BACKTRACKS: usize = 100_000;
/// The most bytes that a compiled pattern may take.
const MAX_COMPILED_BYTES: usize = 2 * 1024 * 1024;
/// The most prefixes of one filter.
const MAX_PREFIXES: usize = 1_000;
/// How many events are looked at between two checkpoints, if the reader does not say (times its multiplier).
const DEFAULT_WINDOW: u32 = 32;
/// The names by which clients ask for a secondary index: by category, and by type of event.
const CATEGORY_INDEX: &str = "$idx-ce-";
const TYPE_INDEX: &str = "$idx-et-";

/// Which events of the whole log somebody wants to see.
pub(crate) struct Filter {
    wanted: Wanted,
    /// Whether a look was given up: what it would have said is not known, so the reading ends.
    gave_up: AtomicBool,
    /// How many events are looked at between two checkpoints; none, if none are sent.
    pub(crate) checkpoint_every: Option<u64>,
}

enum Wanted {
    Everything,
    StreamPrefixes(Vec<String>),
    TypePrefixes(Vec<String>),
    Streams(Box<Regex>),
    Types(Box<Regex>),
    Category(String),
    Type(String),
}

impl Filter {
    /// Everything but the server's own book-keeping.
    pub(crate) fn everything() -> Self {
        Self {
            wanted: Wanted::Everything,
            gave_up: AtomicBool::new(false),
            checkpoint_every: None,
        }
    }

    /// As the reader says.
    pub(crate) fn of(options: FilterOptions) -> Result<Self, Status> {
        let window = match options.window {
            Some(Window::Max(events)) => events,
            Some(Window::Count(())) => DEFAULT_WINDOW,
            None => {
                return Err(Status::invalid_argument(
                    "a filter has a window: a number of events, or the usual one",
                ));
            }
        };
        let checkpoint_every = u64::from(window.max(1)) * u64::from(options.checkpoint_interval_multiplier.max(1));
        let wanted = match options.filter {
            Some(Subject::StreamIdentifier(expression)) => match index(&expression)? {
                Some(index) => index,
                None => wanted(expression, Wanted::StreamPrefixes, Wanted::Streams)?,
            },
            Some(Subject::EventType(expression)) => wanted(expression, Wanted::TypePrefixes, Wanted::Types)?,
            None => return Err(Status::invalid_argument("a filter looks at streams or at types of events")),
        };
        Ok(Self {
            wanted,
            gave_up: AtomicBool::new(false),
            checkpoint_every: Some(checkpoint_every),
        })
    }

    /// Whether everything is wanted that is not the server's own book-keeping.
    pub(crate) fn is_everything(&self) -> bool {
        matches!(self.wanted, Wanted::Everything)
    }

    /// Whether an event of this stream and type is wanted.
    pub(crate) fn wants(&self, stream: &str, name: &str) -> bool {
        if is_book_keeping(stream) {
            return false;
        }
        match &self.wanted {
            Wanted::Everything => true,
            Wanted::StreamPrefixes(prefixes) => prefixes.iter().any(|prefix| stream.starts_with(prefix.as_str())),
            Wanted::TypePrefixes(prefixes) => prefixes.iter().any(|prefix| name.starts_with(prefix.as_str())),
            Wanted::Streams(pattern) => self.matches(pattern, stream),
            Wanted::Types(pattern) => self.matches(pattern, name),
            Wanted::Category(category) => stream.split_once('-').is_some_and(|(of, _)| of == category),
            Wanted::Type(wanted) => name == wanted,
        }
    }

    fn matches(&self, pattern: &Regex, text: &str) -> bool {
        pattern.is_match(text).unwrap_or_else(|_| {
            self.gave_up.store(true, Ordering::Relaxed);
            false
        })
    }

    /// Whether what was said of every event so far is true.
    pub(crate) fn holds(&self) -> Result<(), Status> {
        if self.gave_up.load(Ordering::Relaxed) {
            return Err(Status::invalid_argument(
                "the filter's pattern takes too many steps on a name that it met: write a simpler one",
            ));
        }
        Ok(())
    }
}

/// The server's own book-keeping, which nobody sees in the whole log.
fn is_book_keeping(stream: &str) -> bool {
    stream.starts_with('$')
        && (stream == "$epoch-information"
            || stream
                .strip_prefix("$persistentsubscription-$all::")
                .is_some_and(|rest| rest.ends_with("-checkpoint") || rest.ends_with("-parked")))
}

fn index(expression: &Expression) -> Result<Option<Wanted>, Status> {
    if !expression.regex.is_empty() || !expression.prefix.iter().any(|prefix| prefix.starts_with("$idx-")) {
        return Ok(None);
    }
    let [name] = &*expression.prefix else {
        return Err(Status::invalid_argument(
            "Index reads only work with one index name and cannot be combined with stream prefixes or other indexes",
        ));
    };
    if let Some(category) = name.strip_prefix(CATEGORY_INDEX) {
        return Ok(Some(Wanted::Category(category.into())));
    }
    if let Some(wanted) = name.strip_prefix(TYPE_INDEX) {
        return Ok(Some(Wanted::Type(wanted.into())));
    }
    if name == "$idx-all" {
        return Ok(Some(Wanted::Everything));
    }
    let message = format!("Index '{name}' not found.");
    Err(crate::refusal::with_trailers(
        tonic::Code::NotFound,
        message,
        "index-not-found",
        &[("index-name", name)],
    ))
}

fn wanted(
    expression: Expression,
    prefixes: impl FnOnce(Vec<String>) -> Wanted,
    pattern: impl FnOnce(Box<Regex>) -> Wanted,
) -> Result<Wanted, Status> {
    if !expression.regex.is_empty() {
        return compile(&expression.regex).map(Box::new).map(pattern);
    }
    if expression.prefix.len() > MAX_PREFIXES {
        return Err(Status::invalid_argument(format!(
            "a filter has at most {MAX_PREFIXES} prefixes"
        )));
    }
    Ok(prefixes(expression.prefix))
}

/// The flavour is that of .NET, with looking around and going back, as clients send it.
fn compile(pattern: &str) -> Result<Regex, Status> {
    if pattern.len() > MAX_PATTERN_BYTES {
        return Err(Status::invalid_argument(format!(
            "a filter's pattern has at most {MAX_PATTERN_BYTES} bytes; this one has {}",
            pattern.len()
        )));
    }
    RegexBuilder::new(pattern)
        .backtrack_limit(MAX_BACKTRACKS)
        .delegate_size_limit(MAX_COMPILED_BYTES)
        .build()
        .map_err(|error| Status::invalid_argument(format!("the filter's pattern cannot be used: {error}")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn streams(regex: &str, prefix: &[&str]) -> Result<Filter, Status> {
        Filter::of(FilterOptions {
            filter: Some(Subject::StreamIdentifier(Expression {
                regex: regex.into(),
                prefix: prefix.iter().map(|prefix| (*prefix).into()).collect(),
            })),
            window: Some(Window::Count(())),
            checkpoint_interval_multiplier: 2,
        })
    }

    #[test]
    fn a_pattern_may_look_ahead_as_in_dot_net() {
        let filter = streams(r"^(?!(\$.+$|test-)).*", &[]).unwrap();
        assert!(filter.wants("case-1", "Filed"));
        assert!(!filter.wants("$settings", "x") && !filter.wants("test-1", "x"));
        assert_eq!(filter.checkpoint_every, Some(64));
    }

    #[test]
    fn a_pattern_that_never_ends_is_given_up() {
        let filter = streams(r"^(a|a)*(?=b)\1c$", &[]).unwrap();
        assert!(!filter.wants(&"a".repeat(200), "x"));
        assert_eq!(filter.holds().unwrap_err().code(), tonic::Code::InvalidArgument);
    }

    #[test]
    fn a_pattern_that_is_none_or_too_long_is_refused() {
        assert!(streams("(", &[]).is_err());
        assert!(streams(&"a".repeat(MAX_PATTERN_BYTES + 1), &[]).is_err());
    }

    #[test]
    fn the_servers_own_book_keeping_is_hidden_and_other_system_streams_are_not() {
        let filter = Filter::everything();
        assert!(!filter.wants("$persistentsubscription-$all::group-checkpoint", "x"));
        assert!(!filter.wants("$persistentsubscription-$all::group-parked", "x"));
        assert!(filter.wants("$persistentsubscription-case::group-parked", "x"));
        assert!(filter.wants("$settings", "x"));
    }

    #[test]
    fn the_name_of_an_index_is_a_filter_of_its_own() {
        let filter = streams("", &["$idx-ce-case"]).unwrap();
        assert!(filter.wants("case-1", "x") && !filter.wants("caseload-1", "x"));
        assert!(streams("", &["$idx-ce-case", "other-"]).is_err());
        assert!(streams("", &["$idx-nobody"]).is_err());
    }
}
