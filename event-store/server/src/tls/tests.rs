//! Certificates: made, kept, renewed, read again.
#![allow(clippy::unwrap_used)]
use std::os::unix::fs::PermissionsExt;

use super::*;

const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

fn opened(directory: &Path, own: Option<&(PathBuf, PathBuf)>, now: DateTime<Utc>) -> Result<Tls, TlsError> {
    Tls::open(directory, own, NAMES.map(str::to_owned).to_vec(), now)
}

/// A certificate and key of somebody else, written to files.
fn own_files(directory: &Path, name: &str) -> (PathBuf, PathBuf) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let files = (directory.join("own.pem"), directory.join("own-key.pem"));
    fs::write(&files.0, certificate.pem()).unwrap();
    fs::write(&files.1, key.serialize_pem()).unwrap();
    files
}

fn same(one: &TlsAcceptor, other: &TlsAcceptor) -> bool {
    Arc::ptr_eq(one.config(), other.config())
}

#[test]
fn an_authority_is_made_once_and_its_key_is_for_its_owner_only() {
    let directory = tempfile::tempdir().unwrap();
    let now = Utc::now();
    let first = opened(directory.path(), None, now).unwrap();
    let again = opened(directory.path(), None, now + TimeDelta::days(1)).unwrap();
    assert_eq!(first.fingerprint().unwrap(), again.fingerprint().unwrap());
    assert_eq!(first.fingerprint().unwrap().len(), 32 * 3 - 1);
    assert_eq!(first.authority_file(), Some(&*directory.path().join(AUTHORITY_FILE)));
    let key = fs::metadata(directory.path().join(AUTHORITY_KEY_FILE)).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_made_certificate_is_made_anew_long_before_it_ends() {
    let directory = tempfile::tempdir().unwrap();
    let now = Utc::now();
    let tls = opened(directory.path(), None, now).unwrap();
    let first = tls.acceptor(now);
    assert!(same(&first, &tls.acceptor(now + TimeDelta::days(100))));
    assert!(!same(&first, &tls.acceptor(now + CERTIFICATE_RENEWED_AFTER)));
}

#[test]
fn own_files_are_read_again_when_they_change_and_a_bad_change_is_not_taken() {
    let directory = tempfile::tempdir().unwrap();
    let now = Utc::now();
    let own = own_files(directory.path(), "first.example");
    let tls = opened(directory.path(), Some(&own), now).unwrap();
    let (first, fingerprint) = (tls.acceptor(now), tls.fingerprint().unwrap());
    assert!(
        same(&first, &tls.acceptor(now + TimeDelta::seconds(2))),
        "nothing has changed"
    );

    own_files(directory.path(), "second.example");
    let later = SystemTime::now() + std::time::Duration::from_secs(60);
    fs::File::options()
        .append(true)
        .open(&own.0)
        .unwrap()
        .set_modified(later)
        .unwrap();
    let second = tls.acceptor(now + TimeDelta::seconds(4));
    assert!(!same(&first, &second));
    assert_ne!(fingerprint, tls.fingerprint().unwrap());

    fs::write(&own.0, "no certificate").unwrap();
    assert!(same(&second, &tls.acceptor(now + TimeDelta::seconds(6))));
}

#[test]
fn files_that_hold_no_certificate_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let (certificate, key) = own_files(directory.path(), "own.example");
    let missing = (directory.path().join("missing.pem"), key.clone());
    assert!(matches!(
        opened(directory.path(), Some(&missing), Utc::now()),
        Err(TlsError::File { .. })
    ));
    let swapped = (key, certificate);
    let error = opened(directory.path(), Some(&swapped), Utc::now()).err().unwrap();
    assert!(error.to_string().contains("holds no certificate"), "{error}");
}

#[test]
fn a_certificate_names_every_way_to_this_machine() {
    let names = names_of("192.0.2.7:2113".parse().unwrap(), Some("store.bureau.example:2113"));
    for name in ["localhost", "127.0.0.1", "::1", "192.0.2.7", "store.bureau.example"] {
        assert!(names.iter().any(|known| known == name), "{name} is not in {names:?}");
    }
    let names = names_of("0.0.0.0:2113".parse().unwrap(), Some("[2001:db8::1]:2113"));
    assert!(names.contains(&"2001:db8::1".to_owned()) && !names.contains(&"0.0.0.0".to_owned()));
}
