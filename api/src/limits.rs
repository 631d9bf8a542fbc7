//! Every limit of the way in over HTTP, by name.

use std::time::Duration;

/// The largest request body: a form of a thousand fields fits ten times. Files do not come this way.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;
/// How deep an operation may nest. The deepest of our own, a page of histories, needs 8.
pub const MAX_DEPTH: usize = 12;
/// How much an operation may cost: fields, and a page's fields once for each row that it may have.
pub const MAX_COMPLEXITY: usize = 10_000;
/// How often one operation may rename fields; more is a way around the other limits.
pub const MAX_ALIASES: usize = 30;
/// How many directives one operation may carry.
pub const MAX_DIRECTIVES: usize = 20;
/// How deep fragments and selections may recurse while they are parsed.
pub const MAX_RECURSION: usize = 32;
/// The largest page of any connection.
pub const MAX_PAGE: usize = 100;
/// The page of a connection for which nobody named a size.
pub const DEFAULT_PAGE: usize = 20;
/// How far a `totalCount` counts; beyond, it says so.
pub const MAX_COUNT: i64 = 10_000;
/// How many ids `nodes` takes at once.
pub const MAX_NODES: usize = 100;
/// How many parsed documents are remembered.
pub const MAX_CACHED_DOCUMENTS: usize = 256;
/// The longest document that is remembered; longer ones are parsed each time.
pub const MAX_CACHED_DOCUMENT_BYTES: usize = 4 * 1024;
/// How many verified tokens are remembered.
pub const MAX_CACHED_TOKENS: usize = 4_096;
/// The longest token that is looked at.
pub const MAX_TOKEN_BYTES: usize = 4_096;
/// How many subscriptions one connection may hold.
pub const MAX_SUBSCRIPTIONS_PER_CONNECTION: usize = 50;
/// The largest message of a subscription connection.
pub const MAX_SUBSCRIPTION_MESSAGE_BYTES: usize = 64 * 1024;

/// What an installation may set; the defaults suit two cores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How many requests are worked on at once; the others wait.
    pub requests_at_once: usize,
    /// How many requests may wait for their turn; the others are told to come again.
    pub requests_waiting: usize,
    /// How many subscription connections are open at once.
    pub subscriptions_at_once: usize,
    /// After how long a request is given up.
    pub request_timeout: Duration,
    /// How long a read waits for the views to catch up with what was written (read your own writes).
    pub catch_up_timeout: Duration,
    /// How often the server pings a subscription connection; one that does not answer is closed.
    pub keepalive: Duration,
    /// Origins, besides the server's own, whose pages may call (`https://desk.example.gov.cn`).
    pub allowed_origins: Vec<String>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_at_once: 128,
            requests_waiting: 2_048,
            subscriptions_at_once: 10_000,
            request_timeout: Duration::from_secs(30),
            catch_up_timeout: Duration::from_secs(2),
            keepalive: Duration::from_secs(30),
            allowed_origins: Vec::new(),
        }
    }
}
