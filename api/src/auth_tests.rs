//! What a token may and may not be.
#![allow(clippy::unwrap_used)]

use chrono::{DateTime, Utc};
use domain::metadata::Channel;
use jsonwebtoken::{Algorithm, EncodingKey, Header};

use super::*;

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn claims() -> Claims {
    Claims {
        sub: "u-7".into(),
        name: "王芳".into(),
        role: "windowClerk".into(),
        org: "320684-01".into(),
        region: "320684".into(),
        channel: Channel::Window,
        exp: 2_000,
        iat: 1_000,
        aud: AUDIENCE.into(),
    }
}

#[test]
fn a_token_says_who_acts_and_where() {
    let key = TokenKey::new(KEY).unwrap();
    let token = key.sign(&claims()).unwrap();
    let principal = key.verify(&token, at(1_500)).unwrap();
    assert_eq!((principal.actor.name.as_str(), principal.region.as_str()), ("王芳", "320684"));
    assert_eq!(
        key.verify(&token, at(1_500)).unwrap(),
        principal,
        "the remembered answer is the same answer"
    );
}

#[test]
fn an_expired_token_is_refused_even_when_it_was_seen_before() {
    let key = TokenKey::new(KEY).unwrap();
    let token = key.sign(&claims()).unwrap();
    assert!(key.verify(&token, at(1_999)).is_ok());
    assert_eq!(key.verify(&token, at(2_000)), Err(TokenError::Expired));
}

#[test]
fn a_token_from_the_future_is_refused() {
    let key = TokenKey::new(KEY).unwrap();
    let token = key.sign(&claims()).unwrap();
    assert_eq!(key.verify(&token, at(900)), Err(TokenError::NotYet));
}

#[test]
fn another_key_another_algorithm_and_no_signature_are_refused() {
    let key = TokenKey::new(KEY).unwrap();
    let stranger = TokenKey::new(b"ffffffffffffffffffffffffffffffff").unwrap();
    assert_eq!(
        key.verify(&stranger.sign(&claims()).unwrap(), at(1_500)),
        Err(TokenError::Invalid)
    );
    let hs512 = jsonwebtoken::encode(&Header::new(Algorithm::HS512), &claims(), &EncodingKey::from_secret(KEY)).unwrap();
    assert_eq!(key.verify(&hs512, at(1_500)), Err(TokenError::Invalid));
    // {"alg":"none","typ":"JWT"} and the claims of a good token, without a signature.
    let good = key.sign(&claims()).unwrap();
    let body = good.split('.').nth(1).unwrap();
    assert_eq!(
        key.verify(&format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{body}."), at(1_500)),
        Err(TokenError::Invalid)
    );
    assert_eq!(key.verify("rubbish", at(1_500)), Err(TokenError::Invalid));
}

#[test]
fn a_token_for_somebody_else_is_refused() {
    let key = TokenKey::new(KEY).unwrap();
    let elsewhere = Claims {
        aud: "another".into(),
        ..claims()
    };
    assert_eq!(
        key.verify(&key.sign(&elsewhere).unwrap(), at(1_500)),
        Err(TokenError::Invalid)
    );
}

#[test]
fn a_short_key_signs_nothing() {
    assert_eq!(TokenKey::new(b"short").err(), Some(TokenError::KeyTooShort(5)));
}

#[test]
fn a_region_contains_its_subdivisions() {
    let principal = |region: &str| Principal {
        actor: actor(),
        region: region.into(),
        expires: 0,
        issued: 0,
    };
    assert!(principal("320600").covers("320684"));
    assert!(principal("320000").covers("320684"));
    assert!(principal("000000").covers("320684"));
    assert!(!principal("320684").covers("320600"));
    assert!(!principal("320684").covers("320685"));
}

fn actor() -> Actor {
    Actor {
        id: "u".into(),
        name: "u".into(),
        role: "handler".into(),
        organisation: "o".into(),
        channel: Channel::Web,
        on_behalf_of: None,
    }
}

#[test]
fn only_the_bearer_scheme_carries_a_token() {
    assert_eq!(bearer("Bearer abc"), Some("abc"));
    assert_eq!(bearer("bearer  abc "), Some("abc"));
    assert_eq!(bearer("Basic abc"), None);
    assert_eq!(bearer("Bearer "), None);
}
