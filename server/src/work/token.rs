//! `zhulu token`: a signed bearer token for somebody.

use api::{TokenKey, auth};
use chrono::{DateTime, TimeDelta, Utc};
use commands::outside::Clock as _;
use domain::metadata::Channel;

use crate::{cli::TokenArgs, clock::SystemClock, failure::Failure, place::Place};

/// Prints a token.
pub fn run(place: &Place, token: &TokenArgs) -> Result<(), Failure> {
    println!("{}", make(place, token, SystemClock.now())?);
    Ok(())
}

/// A token of this installation.
pub fn make(place: &Place, token: &TokenArgs, now: DateTime<Utc>) -> Result<String, Failure> {
    // The platform's own roles are nobody's: a token for them would open every door.
    let platform = [commands::permission::SYSTEM, commands::permission::MIGRATION];
    let roles: Vec<&str> = commands::permission::ROLES
        .iter()
        .copied()
        .filter(|role| !platform.contains(role))
        .collect();
    if !roles.contains(&token.role.as_str()) {
        let known = roles.join(", ");
        return Err(Failure::new(
            format!("没有角色 {}；可用：{known}", token.role),
            format!("there is no role {}; choose one of {known}", token.role),
        ));
    }
    if token.region.len() != 6 || !token.region.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Failure::new(
            format!("行政区划代码是 6 位数字（GB/T 2260），例如 320684；给出的是 {}", token.region),
            format!(
                "a region is a code of 6 digits (GB/T 2260), such as 320684; this is {}",
                token.region
            ),
        ));
    }
    let key = TokenKey::new(&place.token_key()?)
        .map_err(|error| Failure::doing("令牌密钥不可用", "the token key is of no use", error))?;
    let expires = now + TimeDelta::hours(i64::from(token.expires_hours));
    let claims = auth::Claims {
        sub: token.subject.clone().unwrap_or_else(|| token.name.clone()),
        name: token.name.clone(),
        role: token.role.clone(),
        org: token.organisation.clone(),
        region: token.region.clone(),
        channel: if token.role == "applicant" {
            Channel::Web
        } else {
            Channel::Window
        },
        exp: expires.timestamp(),
        iat: now.timestamp(),
        aud: auth::AUDIENCE.to_owned(),
    };
    key.sign(&claims)
        .map_err(|error| Failure::doing("签发不了令牌", "the token cannot be signed", error))
}
