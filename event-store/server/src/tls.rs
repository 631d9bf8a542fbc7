//! The server's certificate: the bureau's own, which is read again when its files change, or one that the server makes
//! from an authority of its own, which is made at the first start and kept.
//!
//! Clients of a made certificate are told the file of the authority (`tlsCaFile`). A made server certificate lives in
//! memory only: each start makes a new one, and so does a running server long before the old one ends.

use std::{
    fs, io,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use chrono::{DateTime, Datelike, Days, TimeDelta, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::{ServerConfig, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject};
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;

use crate::access::write_closed;

/// The authority's certificate, in the server's directory; clients are given this file.
const AUTHORITY_FILE: &str = "esdb-ca.pem";
/// The authority's key, in the server's directory, for its owner only.
const AUTHORITY_KEY_FILE: &str = "esdb-ca-key.pem";
/// How long the authority lasts: longer than the machine, because every client has to be given a new one by hand.
const AUTHORITY_LASTS: Days = Days::new(30 * 365);
/// How long a made server certificate lasts. Some clients take none that lasts longer than 398 days (Apple, since 2020).
const CERTIFICATE_LASTS: Days = Days::new(397);
/// When a made server certificate is made anew.
const CERTIFICATE_RENEWED_AFTER: TimeDelta = TimeDelta::days(200);
/// A certificate is valid from a day before it was made, for clients whose clocks are behind.
const CLOCKS_BEHIND: Days = Days::new(1);
/// At most so often it is looked whether the certificate has to be read or made anew.
const LOOKED_AFTER_EVERY: TimeDelta = TimeDelta::seconds(1);
/// The protocols that are offered within TLS: gRPC needs the first, browsers and probes may use the second.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Why there is no certificate to serve with.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or written.
    #[error("{} cannot be used: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        reason: io::Error,
    },
    /// A file holds something else than it should.
    #[error("{} holds no {what} in PEM form: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The certificate and the key do not go together, or are of a kind that is not known.
    #[error("the certificate cannot be served with: {0}")]
    Unusable(#[from] rustls::Error),
    /// A certificate could not be made.
    #[error("a certificate could not be made: {0}")]
    NotMade(#[from] rcgen::Error),
}

/// Where the certificate comes from.
enum Source {
    /// Files of the bureau's.
    Files { certificate: PathBuf, key: PathBuf },
    /// An authority of our own.
    Made {
        authority: Box<Issuer<'static, KeyPair>>,
        certificate: CertificateDer<'static>,
        file: PathBuf,
        names: Vec<String>,
    },
}

/// What tells whether the certificate in use is still the right one.
#[derive(PartialEq, Eq)]
enum Edition {
    /// When the files were written.
    Written(SystemTime, SystemTime),
    /// When it was made.
    MadeAt(DateTime<Utc>),
}

struct InUse {
    acceptor: TlsAcceptor,
    edition: Edition,
    looked_at: DateTime<Utc>,
}

/// The server's side of TLS.
pub(crate) struct Tls {
    source: Source,
    in_use: Mutex<InUse>,
}

impl Tls {
    /// The bureau's own certificate and key; or one for these names, from an authority that is kept in the directory.
    pub(crate) fn open(
        directory: &Path,
        own: Option<&(PathBuf, PathBuf)>,
        names: Vec<String>,
        now: DateTime<Utc>,
    ) -> Result<Self, TlsError> {
        let source = match own {
            Some((certificate, key)) => Source::Files {
                certificate: certificate.clone(),
                key: key.clone(),
            },
            None => kept_authority(directory, names, now)?,
        };
        let edition = source.newest(now)?;
        let in_use = InUse {
            acceptor: source.acceptor(now)?,
            edition,
            looked_at: now,
        };
        Ok(Self {
            source,
            in_use: Mutex::new(in_use),
        })
    }

    /// What to take a new connection with. Looks whether the certificate has changed; one that cannot be used is told of,
    /// and the old one goes on.
    pub(crate) fn acceptor(&self, now: DateTime<Utc>) -> TlsAcceptor {
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        if (now - in_use.looked_at).abs() >= LOOKED_AFTER_EVERY {
            in_use.looked_at = now;
            if let Err(error) = self.renew(&mut in_use, now) {
                tracing::error!(%error, "the new certificate is not used; connections are taken with the old one");
            }
        }
        in_use.acceptor.clone()
    }

    /// The file of the authority that clients have to trust; none, if the certificate is the bureau's own.
    pub(crate) fn authority_file(&self) -> Option<&Path> {
        match &self.source {
            Source::Files { .. } => None,
            Source::Made { file, .. } => Some(file),
        }
    }

    /// The SHA-256 of the certificate by which clients know this server: the authority's, or the bureau's own.
    pub(crate) fn fingerprint(&self) -> Result<String, TlsError> {
        match &self.source {
            Source::Made { certificate, .. } => Ok(fingerprint(certificate)),
            Source::Files { certificate, .. } => {
                let chain = read_chain(certificate)?;
                Ok(chain.first().map(|first| fingerprint(first)).unwrap_or_default())
            }
        }
    }

    fn renew(&self, in_use: &mut InUse, now: DateTime<Utc>) -> Result<(), TlsError> {
        let newest = match (&self.source, &in_use.edition) {
            (Source::Made { .. }, Edition::MadeAt(made)) if now - made < CERTIFICATE_RENEWED_AFTER => return Ok(()),
            (source, _) => source.newest(now)?,
        };
        if newest != in_use.edition {
            in_use.acceptor = self.source.acceptor(now)?;
            in_use.edition = newest;
            tracing::info!("the protocol server uses a new certificate");
        }
        Ok(())
    }
}

impl Source {
    fn newest(&self, now: DateTime<Utc>) -> Result<Edition, TlsError> {
        let written = |path: &PathBuf| {
            let metadata = fs::metadata(path).and_then(|metadata| metadata.modified());
            metadata.map_err(|reason| TlsError::File {
                path: path.clone(),
                reason,
            })
        };
        Ok(match self {
            Self::Files { certificate, key } => Edition::Written(written(certificate)?, written(key)?),
            Self::Made { .. } => Edition::MadeAt(now),
        })
    }

    fn acceptor(&self, now: DateTime<Utc>) -> Result<TlsAcceptor, TlsError> {
        let (chain, key) = match self {
            Self::Files { certificate, key } => (read_chain(certificate)?, read_key(key)?),
            Self::Made {
                authority,
                certificate,
                names,
                ..
            } => {
                let (own, key) = server_certificate(authority, names, now)?;
                (vec![own, certificate.clone()], key)
            }
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = PROTOCOLS.iter().map(|name| name.to_vec()).collect();
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// The names by which clients of this machine come: its own, the loopback's, the address that is listened on, and the one
/// that others are told.
pub(crate) fn names_of(listen: SocketAddr, advertise: Option<&str>) -> Vec<String> {
    let host_name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let advertised = advertise.map_or("", |address| address.rsplit_once(':').map_or(address, |(host, _)| host));
    let listened = (!listen.ip().is_unspecified()).then(|| listen.ip().to_string());
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".into(), "::1".into()];
    for name in [
        host_name.trim(),
        advertised.trim_matches(['[', ']']),
        listened.as_deref().unwrap_or(""),
    ] {
        let usable = !name.is_empty() && (name.parse::<IpAddr>().is_ok() || name.is_ascii());
        if usable && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// The authority in the directory; a new one, if there is none.
fn kept_authority(directory: &Path, names: Vec<String>, now: DateTime<Utc>) -> Result<Source, TlsError> {
    let (file, key_file) = (directory.join(AUTHORITY_FILE), directory.join(AUTHORITY_KEY_FILE));
    if !key_file.exists() {
        let key = KeyPair::generate()?;
        write_closed(&key_file, key.serialize_pem().as_bytes()).map_err(|reason| TlsError::File {
            path: key_file.clone(),
            reason,
        })?;
    }
    let key = KeyPair::from_pem(&read(&key_file)?).map_err(|error| TlsError::Content {
        path: key_file,
        what: "private key",
        reason: error.to_string(),
    })?;
    let params = authority_params(now);
    if !file.exists() {
        let certificate = params.self_signed(&key)?;
        let draft = file.with_extension("new");
        let written = fs::write(&draft, certificate.pem()).and_then(|()| fs::rename(&draft, &file));
        written.map_err(|reason| TlsError::File {
            path: file.clone(),
            reason,
        })?;
    }
    let certificate = first(&file, read_chain(&file)?)?;
    Ok(Source::Made {
        authority: Box::new(Issuer::new(params, key)),
        certificate,
        file,
        names,
    })
}

/// What the authority's certificate says. All but its dates is the same each time, so that what it signs fits the one
/// that is kept.
fn authority_params(now: DateTime<Utc>) -> CertificateParams {
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Zhulu");
    name.push(DnType::CommonName, "Zhulu event store authority");
    params.distinguished_name = name;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    last(&mut params, now, AUTHORITY_LASTS);
    params
}

/// A new certificate and key for a server of these names.
fn server_certificate(
    authority: &Issuer<'static, KeyPair>,
    names: &[String],
    now: DateTime<Utc>,
) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), TlsError> {
    let mut params = CertificateParams::new(names)?;
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Zhulu");
    // The name that KurrentDB gives its nodes.
    name.push(DnType::CommonName, "eventstoredb-node");
    params.distinguished_name = name;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    last(&mut params, now, CERTIFICATE_LASTS);
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, authority)?;
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    Ok((certificate.into(), key.into()))
}

/// Says from when to when a certificate is valid.
fn last(params: &mut CertificateParams, now: DateTime<Utc>, days: Days) {
    let from = now.date_naive() - CLOCKS_BEHIND;
    let until = now.date_naive() + days;
    for (date, place) in [(from, &mut params.not_before), (until, &mut params.not_after)] {
        // Months and days are small.
        let (month, day) = (u8::try_from(date.month()).unwrap_or(1), u8::try_from(date.day()).unwrap_or(1));
        *place = rcgen::date_time_ymd(date.year(), month, day);
    }
}

fn read(path: &Path) -> Result<String, TlsError> {
    fs::read_to_string(path).map_err(|reason| TlsError::File {
        path: path.to_owned(),
        reason,
    })
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = read(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let wrong = |reason: String| TlsError::Content {
        path: path.to_owned(),
        what: "certificate",
        reason,
    };
    match chain {
        Ok(chain) if chain.is_empty() => Err(wrong("it is empty".into())),
        Ok(chain) => Ok(chain),
        Err(error) => Err(wrong(error.to_string())),
    }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(read(path)?.as_bytes()).map_err(|error| TlsError::Content {
        path: path.to_owned(),
        what: "private key",
        reason: error.to_string(),
    })
}

fn first(path: &Path, chain: Vec<CertificateDer<'static>>) -> Result<CertificateDer<'static>, TlsError> {
    chain.into_iter().next().ok_or_else(|| TlsError::Content {
        path: path.to_owned(),
        what: "certificate",
        reason: "it is empty".into(),
    })
}

/// A certificate's SHA-256, as tools print it: `AB:CD:…`.
fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let digest = Sha256::digest(certificate.as_ref());
    let pairs: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

#[cfg(test)]
mod tests;
