//! Who calls: a signed bearer token, and nothing else.
//!
//! A token is a JWT (RFC 7519), HS256, made by `zhulu token` with the installation's own key. Anything else about a
//! token (another algorithm, another audience, no signature) is refused before its claims are looked at.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use domain::metadata::{Actor, Channel};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use lru::LruCache;
use serde::{Deserialize, Serialize};

use crate::limits::{MAX_CACHED_TOKENS, MAX_TOKEN_BYTES};

/// For whom our tokens are.
pub const AUDIENCE: &str = "zhulu";
/// The shortest key: as long as what HS256 makes of it (RFC 7518 §3.2).
pub const MIN_KEY_BYTES: usize = 32;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The account's id.
    pub sub: String,
    /// The name.
    pub name: String,
    /// The role in which they act (`windowClerk`).
    pub role: String,
    /// The organisation: its 统一社会信用代码 or the bureau's department code.
    pub org: String,
    /// The administrative division (GB/T 2260) whose bureau they act for.
    pub region: String,
    /// Through which channel.
    pub channel: Channel,
    /// Until when, in seconds since 1970.
    pub exp: i64,
    /// Since when, in seconds since 1970.
    pub iat: i64,
    /// For whom: always [`AUDIENCE`].
    pub aud: String,
}

/// Why a token was not made or not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The key is too short to sign with.
    #[error("a token key has at least {MIN_KEY_BYTES} bytes; this one has {0}")]
    KeyTooShort(usize),
    /// There was no token.
    #[error("no bearer token was sent")]
    Missing,
    /// It is not a token of ours: form, algorithm, signature, audience or claims do not fit.
    #[error("the bearer token is not one of this server's")]
    Invalid,
    /// It was one of ours.
    #[error("the bearer token has expired")]
    Expired,
    /// It will be one of ours.
    #[error("the bearer token is not valid yet; check the clocks")]
    NotYet,
}

/// How far the clocks of two machines may be apart, in seconds.
const CLOCK_SKEW_SECONDS: i64 = 60;

/// The key that this installation's tokens are signed with, and what it has verified lately. Cheap to clone.
#[derive(Clone)]
pub struct TokenKey(Arc<Inner>);

struct Inner {
    signing: EncodingKey,
    checking: DecodingKey,
    verified: Mutex<LruCache<String, Principal>>,
}

/// Somebody whose token was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Principal {
    /// Who acts.
    pub actor: Actor,
    /// For which administrative division.
    pub region: String,
    /// Until when, in seconds since 1970.
    pub expires: i64,
    issued: i64,
}

impl Principal {
    /// The part of the region's code that its subdivisions share: `3206` of 南通 (320600); nothing of the whole country.
    pub fn region_prefix(&self) -> &str {
        let mut prefix = self.region.as_str();
        while let Some(shorter) = prefix.strip_suffix("00") {
            prefix = shorter;
        }
        prefix
    }

    /// Whether a case of this region is theirs to see.
    pub fn covers(&self, region: &str) -> bool {
        commands::permission::region_contains(&self.region, region)
    }

    /// Whether they come from outside the bureau and see their own cases only.
    pub fn is_applicant(&self) -> bool {
        self.actor.role == commands::permission::APPLICANT
    }

    /// The document number by which an applicant's own cases are found: the organisation's, else the person's.
    pub fn own_id_no(&self) -> &str {
        if self.actor.organisation.is_empty() {
            &self.actor.id
        } else {
            &self.actor.organisation
        }
    }

    /// Whether a case with this region and applicant is theirs to see.
    pub fn may_see(&self, region: &str, applicant_id_no: Option<&str>) -> bool {
        if self.is_applicant() {
            return applicant_id_no.is_some_and(|id_no| id_no == self.actor.id || id_no == self.actor.organisation);
        }
        self.covers(region)
    }
}

impl TokenKey {
    /// A key from its bytes.
    pub fn new(bytes: &[u8]) -> Result<Self, TokenError> {
        if bytes.len() < MIN_KEY_BYTES {
            return Err(TokenError::KeyTooShort(bytes.len()));
        }
        let remembered = NonZeroUsize::new(MAX_CACHED_TOKENS).unwrap_or(NonZeroUsize::MIN);
        Ok(Self(Arc::new(Inner {
            signing: EncodingKey::from_secret(bytes),
            checking: DecodingKey::from_secret(bytes),
            verified: Mutex::new(LruCache::new(remembered)),
        })))
    }

    /// A token that says this.
    pub fn sign(&self, claims: &Claims) -> Result<String, TokenError> {
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &self.0.signing).map_err(|_| TokenError::Invalid)
    }

    /// Whose token this is, if it is one of ours at this moment.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Principal, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Invalid);
        }
        let principal = match self.remembered(token) {
            Some(principal) => principal,
            None => self.check(token)?,
        };
        let now = now.timestamp();
        if principal.expires <= now {
            return Err(TokenError::Expired);
        }
        if principal.issued > now + CLOCK_SKEW_SECONDS {
            return Err(TokenError::NotYet);
        }
        Ok(principal)
    }

    fn remembered(&self, token: &str) -> Option<Principal> {
        self.0
            .verified
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(token)
            .cloned()
    }

    /// Signature, algorithm and audience; the time is held against the caller's clock afterwards.
    fn check(&self, token: &str) -> Result<Principal, TokenError> {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_audience(&[AUDIENCE]);
        rules.set_required_spec_claims(&["exp", "aud", "sub"]);
        rules.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &self.0.checking, &rules)
            .map_err(|_| TokenError::Invalid)?
            .claims;
        let principal = Principal {
            actor: Actor {
                id: claims.sub,
                name: claims.name,
                role: claims.role,
                organisation: claims.org,
                channel: claims.channel,
                on_behalf_of: None,
            },
            region: claims.region,
            expires: claims.exp,
            issued: claims.iat,
        };
        self.0
            .verified
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .put(token.to_owned(), principal.clone());
        Ok(principal)
    }
}

/// The token of an `Authorization: Bearer …` value.
pub fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim())
        .filter(|token| !token.is_empty())
}

#[cfg(test)]
#[path = "auth_tests.rs"]
mod tests;
