//! Passwords: made, hashed, and held against a hash.

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::{self, phc::PasswordHash},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// The memory that one hashing takes. OWASP's password storage cheat sheet: Argon2id with 19 MiB, 2 passes, 1 lane.
const HASH_MEMORY_KIB: u32 = 19 * 1024;
/// How often the memory is gone over.
const HASH_PASSES: u32 = 2;
/// How many lanes are filled side by side.
const HASH_LANES: u32 = 1;
/// The longest password that is looked at.
pub(crate) const MAX_PASSWORD_BYTES: usize = 1024;

/// Bytes that nobody can guess, from the operating system.
pub(crate) fn unguessable() -> Result<[u8; 32], password_hash::Error> {
    let mut bytes = [0; 32];
    for half in bytes.chunks_exact_mut(16) {
        let made = password_hash::try_generate_salt().map_err(|_| password_hash::Error::Crypto)?;
        half.copy_from_slice(&made);
    }
    Ok(bytes)
}

/// A new password that nobody can guess: 43 letters, digits, dashes and underscores.
pub(crate) fn generated() -> Result<String, password_hash::Error> {
    Ok(URL_SAFE_NO_PAD.encode(unguessable()?))
}

/// The hash of a password with a salt of its own, in the PHC form, which names algorithm and parameters.
pub(crate) fn hashed(password: &str) -> Result<String, password_hash::Error> {
    let params = Params::new(HASH_MEMORY_KIB, HASH_PASSES, HASH_LANES, None).map_err(|_| password_hash::Error::ParamsInvalid)?;
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    Ok(hasher.hash_password(password.as_bytes())?.to_string())
}

/// Whether this is the password of that hash. The hash says itself how it was made; a hash of another make fits nothing.
pub(crate) fn fits(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_hash_names_its_parameters_and_fits_its_password_only() {
        let hash = hashed("正确的密码").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(fits("正确的密码", &hash));
        assert!(!fits("正确的密码 ", &hash));
        assert!(!fits("", &hash));
        assert_ne!(hash, hashed("正确的密码").unwrap(), "each hash has a salt of its own");
    }

    #[test]
    fn a_hash_of_another_make_fits_nothing() {
        for hash in ["", "HfJ5…", "$pbkdf2-sha256$i=1000$c2FsdA$aGFzaA"] {
            assert!(!fits("changeit", hash));
        }
    }

    #[test]
    fn a_generated_password_is_long_and_new_each_time() {
        let password = generated().unwrap();
        assert_eq!(password.len(), 43);
        assert!(
            password
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter))
        );
        assert_ne!(password, generated().unwrap());
    }
}
