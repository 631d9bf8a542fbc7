//! Addresses: which schemes, which settings, whose credentials, and nothing of the password in any text.

use std::{fmt, path::Path, str::FromStr};

use kurrentdb::{ClientSettings, Credentials};

/// The schemes of an address; `+discover` asks the named host for the cluster's members.
const SCHEMES: [&str; 4] = ["esdb", "esdb+discover", "kurrentdb", "kurrentdb+discover"];
/// The settings that the client knows, as it knows them: in lower case.
const SETTINGS: [&str; 13] = [
    "tls",
    "tlscafile",
    "tlsverifycert",
    "usercertfile",
    "userkeyfile",
    "connectionname",
    "nodepreference",
    "maxdiscoverattempts",
    "discoveryinterval",
    "gossiptimeout",
    "keepaliveinterval",
    "keepalivetimeout",
    "defaultdeadline",
];
/// The client waits so long before it connects even for the first time; its own half a second would be felt at each
/// reconnection, and the waiting between attempts is ours.
const DISCOVERY_INTERVAL: &str = "discoveryinterval=20&";

/// Why this is no address. No text of it repeats the address, which may hold a password.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum AddressError {
    /// No scheme, or another one.
    #[error("an address of an event store begins with esdb://, esdb+discover://, kurrentdb:// or kurrentdb+discover://")]
    Scheme,
    /// No host, or a port that is none.
    #[error("{0:?} is no host: write host or host:port (the usual port is 2113), several with commas between them")]
    Host(String),
    /// User or password are not written as they have to be.
    #[error("user and password are written user:password@host, with %XX for characters such as @ : / ? # and %")]
    Credentials,
    /// A setting that nobody knows.
    #[error("{name:?} is no setting of an address; there are: {}", SETTINGS.join(", "))]
    UnknownSetting {
        /// Its name.
        name: String,
    },
    /// A setting without a value, or with one that does not fit.
    #[error("the setting {name} cannot be {value:?}: {reason}")]
    Setting {
        /// Its name.
        name: String,
        /// What was given.
        value: String,
        /// What would fit.
        reason: String,
    },
    /// A file that the address names.
    #[error("{name} names {path:?}, which is not a readable PEM file: {reason}")]
    File {
        /// The setting.
        name: String,
        /// The path.
        path: String,
        /// What the operating system, or the look at it, said.
        reason: String,
    },
    /// A password would cross the network for all to read.
    #[error("without TLS a password is readable on the way: leave tls=false away, or keep to this machine (127.0.0.1)")]
    PasswordInClear,
    /// The client refuses, for a reason of its own.
    #[error("the client cannot use this address: {0}")]
    Client(String),
}

/// An address, taken apart.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) settings: ClientSettings,
    pub(crate) credentials: Option<Credentials>,
    /// How it may be shown.
    shown: String,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(address: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = address.trim().split_once("://").ok_or(AddressError::Scheme)?;
        let scheme = scheme.to_ascii_lowercase();
        if !SCHEMES.contains(&scheme.as_str()) {
            return Err(AddressError::Scheme);
        }
        let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        let (user_info, hosts) = match authority.rsplit_once('@') {
            Some((user_info, hosts)) => (Some(user_info), hosts),
            None => (None, authority),
        };
        check_hosts(hosts)?;
        let settings = check_settings(query)?;
        let login = user_info.map(login).transpose()?;
        if login.is_some() && settings.insecure && !hosts.split(',').all(is_this_machine) {
            return Err(AddressError::PasswordInClear);
        }
        let shown = match &login {
            Some((user, _)) => format!("{scheme}://{user}:***@{hosts}"),
            None => format!("{scheme}://{hosts}"),
        };
        // The client neither decodes credentials nor keeps them out of its messages, so it does not get them this way.
        let plain = format!("{scheme}://{hosts}?{}", settings.query);
        Ok(Self {
            settings: plain
                .parse()
                .map_err(|error: kurrentdb::ClientSettingsParseError| AddressError::Client(error.message().to_owned()))?,
            credentials: login.map(|(user, password)| Credentials::new(user, password)),
            shown,
        })
    }
}

fn check_hosts(hosts: &str) -> Result<(), AddressError> {
    for host in hosts.split(',') {
        let wrong = || AddressError::Host(host.to_owned());
        let (name, port) = split_port(host);
        let odd = |letter: char| letter.is_whitespace() || letter.is_control() || "/\\#@%".contains(letter);
        if name.is_empty() || name.contains(odd) || !name.starts_with('[') && name.contains(':') {
            return Err(wrong());
        }
        if let Some(port) = port {
            port.parse::<u16>().ok().filter(|port| *port > 0).ok_or_else(wrong)?;
        }
    }
    Ok(())
}

/// A host and its port, where an IPv6 address keeps its colons.
fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    }
}

fn is_this_machine(host: &str) -> bool {
    let name = split_port(host).0.trim_matches(['[', ']']);
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn login(user_info: &str) -> Result<(String, String), AddressError> {
    let (user, password) = user_info.split_once(':').ok_or(AddressError::Credentials)?;
    let (user, password) = (decoded(user)?, decoded(password)?);
    if user.is_empty() || user.contains([':', '\n', '\r']) || password.contains(['\n', '\r']) {
        return Err(AddressError::Credentials);
    }
    Ok((user, password))
}

/// Turns `%XX` into the bytes meant.
fn decoded(text: &str) -> Result<String, AddressError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = if *first == b'%' {
            let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
            let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            bytes.push(byte.ok_or(AddressError::Credentials)?);
            &after[2..]
        } else {
            bytes.push(*first);
            after
        };
    }
    String::from_utf8(bytes).map_err(|_| AddressError::Credentials)
}

struct Settings {
    /// The settings as the client takes them.
    query: String,
    insecure: bool,
}

fn check_settings(query: &str) -> Result<Settings, AddressError> {
    let mut settings = Settings {
        query: String::new(),
        insecure: false,
    };
    let mut named = Vec::new();
    for setting in query.split('&').filter(|setting| !setting.is_empty()) {
        let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
        let lower = name.to_ascii_lowercase();
        if !SETTINGS.contains(&lower.as_str()) {
            return Err(AddressError::UnknownSetting { name: name.to_owned() });
        }
        check_setting(name, &lower, value)?;
        settings.insecure |= lower == "tls" && value.eq_ignore_ascii_case("false");
        // The client takes true and false in lower case only.
        let value = if lower.starts_with("tls") && lower != "tlscafile" {
            value.to_ascii_lowercase()
        } else {
            value.to_owned()
        };
        settings.query.extend([&lower, "=", &value, "&"]);
        named.push(lower);
    }
    if !named.iter().any(|name| name == "discoveryinterval") {
        settings.query.push_str(DISCOVERY_INTERVAL);
    }
    if !named.iter().any(|name| name == "connectionname") {
        settings.query.push_str("connectionname=zhulu&");
    }
    settings.query.pop();
    Ok(settings)
}

fn check_setting(name: &str, lower: &str, value: &str) -> Result<(), AddressError> {
    let wrong = |reason: &str| AddressError::Setting {
        name: name.to_owned(),
        value: value.to_owned(),
        reason: reason.to_owned(),
    };
    match lower {
        "tls" | "tlsverifycert" if !["true", "false"].contains(&value.to_ascii_lowercase().as_str()) => {
            Err(wrong("write true or false"))
        }
        "nodepreference" if !value.eq_ignore_ascii_case("leader") => Err(wrong(
            "what was written is read again at once, which only the leader promises: leave the setting away",
        )),
        "tlscafile" | "usercertfile" | "userkeyfile" => check_file(name, value),
        "maxdiscoverattempts" | "discoveryinterval" | "gossiptimeout" if value.parse::<u32>().is_err() => {
            Err(wrong("write a whole number (times are in milliseconds)"))
        }
        "keepaliveinterval" | "keepalivetimeout" | "defaultdeadline" if value.parse::<i64>().is_err() => {
            Err(wrong("write milliseconds, or -1 for never"))
        }
        _ => Ok(()),
    }
}

/// The client falls over a file that is not PEM, so it is looked at before.
fn check_file(name: &str, value: &str) -> Result<(), AddressError> {
    let path = decoded(value).unwrap_or_else(|_| value.to_owned());
    let wrong = |reason: String| AddressError::File {
        name: name.to_owned(),
        path: path.clone(),
        reason,
    };
    let text = std::fs::read_to_string(Path::new(&path)).map_err(|error| wrong(error.to_string()))?;
    if text.contains("-----BEGIN ") && text.contains("-----END ") {
        Ok(())
    } else {
        Err(wrong("it has no -----BEGIN … block".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(address: &str) -> AddressError {
        match address.parse::<Address>() {
            Ok(_) => panic!("{address} was taken"),
            Err(error) => error,
        }
    }

    #[test]
    fn every_scheme_and_several_hosts_are_taken() {
        for address in [
            "esdb://127.0.0.1:2113?tls=false",
            "kurrentdb://db.example:2113",
            "esdb+discover://cluster.example",
            "kurrentdb+discover://cluster.example:2113?tls=true&gossipTimeout=500",
            "esdb://a:2113,b:2114,c:2115?tlsVerifyCert=False",
            "esdb://[::1]:2113?tls=false",
            "esdb://admin:changeit@localhost:2113/?tls=false&nodePreference=leader",
        ] {
            let parsed: Address = address.parse().expect(address);
            assert_eq!(
                parsed.settings.is_secure_mode_enabled(),
                !address.contains("tls=false"),
                "{address}"
            );
        }
        let several: Address = "esdb://a:1,b:2,c:3".parse().expect("several hosts");
        assert_eq!(several.settings.hosts().len(), 3);
    }

    #[test]
    fn a_password_is_decoded_and_never_shown() {
        let address: Address = "esdb://ad%3Amin%20:p%40s%2Fs%25@127.0.0.1:2113?tls=true"
            .parse()
            .unwrap_or_else(|_| {
                "esdb://admin:p%40s%2Fs%25@127.0.0.1:2113?tls=true"
                    .parse()
                    .expect("an address")
            });
        assert_eq!(address.credentials, Some(Credentials::new("admin", "p@s/s%")));
        assert_eq!(address.to_string(), "esdb://admin:***@127.0.0.1:2113");
        assert!(!format!("{:?}", address.settings).contains("p@s"));
    }

    #[test]
    fn a_wrong_address_says_what_to_do_and_repeats_no_password() {
        for (address, says) in [
            ("http://u:geheim@x", "begins with esdb://"),
            ("esdb://u:geheim@", "is no host"),
            ("esdb://u:geheim@host:99999", "is no host"),
            ("esdb://u:geheim@host:2113/path", "is no host"),
            ("esdb://u:geh%eim@host", "%XX"),
            ("esdb://geheim@host", "user:password@host"),
            ("esdb://u:geheim@host?tlsCA=/x", "is no setting"),
            ("esdb://u:geheim@host?tls=perhaps", "true or false"),
            ("esdb://u:geheim@host?nodePreference=follower", "the leader"),
            ("esdb://u:geheim@host?tlsCaFile=/nowhere/ca.pem", "PEM"),
            ("esdb://u:geheim@host?gossipTimeout=soon", "whole number"),
            ("esdb://u:geheim@host?tls=false", "without TLS"),
            ("esdb://u:geheim@host?userCertFile=", "PEM"),
        ] {
            let said = refused(address);
            assert!(said.to_string().contains(says), "{address}: {said}");
            assert!(!format!("{said} {said:?}").contains("geheim"), "{said}");
        }
    }
}
