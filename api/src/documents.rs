//! Documents that were seen before: parsed once, and those that are plain lists compiled once.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use async_graphql::{
    Request,
    parser::{parse_query, types::ExecutableDocument},
};
use lru::LruCache;

use crate::{
    ApiState,
    auth::Principal,
    hot,
    http::Asked,
    limits::{MAX_CACHED_DOCUMENT_BYTES, MAX_CACHED_DOCUMENTS},
};

/// What is remembered of documents that fitted the schema and its limits.
pub(crate) struct Documents(Mutex<LruCache<String, Arc<Known>>>);

/// A document that fitted.
struct Known {
    document: ExecutableDocument,
    hot: Option<hot::Plan>,
}

/// A document that nobody has looked at yet.
pub(crate) struct Unknown {
    text: String,
    document: ExecutableDocument,
}

impl Default for Documents {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(
            NonZeroUsize::new(MAX_CACHED_DOCUMENTS).unwrap_or(NonZeroUsize::MIN),
        )))
    }
}

impl Documents {
    fn known(&self, text: &str) -> Option<Arc<Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(text).cloned()
    }

    /// The answer of a plain list, as bytes; none, if the document is no such list, is new, or anything about the
    /// question is unusual: then the ordinary path answers, or says what is wrong.
    pub(crate) async fn hot(&self, state: &ApiState, asked: &Asked, principal: &Principal) -> Option<Vec<u8>> {
        let known = self.known(&asked.query)?;
        hot::answer(known.hot.as_ref()?, state, asked, principal).await
    }

    /// The request for a document, parsed before if it was seen before. What is new may be remembered once it has fitted.
    pub(crate) fn request(&self, text: String) -> (Request, Option<Unknown>) {
        if let Some(known) = self.known(&text) {
            let mut request = Request::new(text);
            request.set_parsed_query(known.document.clone());
            return (request, None);
        }
        let mut request = Request::new(text);
        // A document that does not parse is told so by the schema.
        let Ok(document) = parse_query(&request.query) else {
            return (request, None);
        };
        request.set_parsed_query(document.clone());
        let unknown = (request.query.len() <= MAX_CACHED_DOCUMENT_BYTES).then(|| Unknown {
            text: request.query.clone(),
            document,
        });
        (request, unknown)
    }

    /// Remembers a document that has fitted the schema and its limits.
    pub(crate) fn remember(&self, Unknown { text, document }: Unknown) {
        let hot = hot::Plan::of(&document);
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .put(text, Arc::new(Known { document, hot }));
    }
}
