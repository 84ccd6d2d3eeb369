//! Authentication schemes: from an auth packet to identities of a connection.
//!
//! `digest`, `ip` and `ensemble` as in Apache's providers, `super` by a
//! configured digest.
//! Whether an identity may do something is decided in zk-tree.

use crate::config::EnsembleScheme;
use crate::metrics::Metrics;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};
use std::net::IpAddr;
use zk_proto::{AuthPacket, Id};

/// Which schemes a server knows, and who is its super user.
#[derive(Debug, Clone, Default)]
pub(crate) struct AuthConfig {
    /// `DigestAuthenticationProvider.superDigest`: `super:base64(sha1(...))`.
    pub(crate) super_digest: Option<String>,
    /// `DigestAuthenticationProvider.enabled`.
    pub(crate) digest_enabled: bool,
    /// The scheme `ensemble`, if it is there.
    pub(crate) ensemble: Option<EnsembleScheme>,
    /// Schemes one of which a client must have passed (`enforce.auth.schemes`);
    /// none if nothing is asked.
    pub(crate) enforced_schemes: Vec<String>,
}

impl AuthConfig {
    /// Whether clients are asked to authenticate.
    pub(crate) fn is_enforced(&self) -> bool {
        !self.enforced_schemes.is_empty()
    }

    /// Whether a client with these identities has done what is asked
    /// (`AuthenticationHelper.isCnxnAuthenticated`).
    pub(crate) fn admits(&self, identities: &[Id<'_>]) -> bool {
        let is_enforced = |scheme: &str| self.enforced_schemes.iter().any(|known| known == scheme);
        !self.is_enforced() || identities.iter().any(|id| is_enforced(id.scheme()))
    }
}

/// What an auth packet comes to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It proves these identities, maybe none.
    Proven(Vec<Id<'static>>),
    /// It is answered with an error, and the connection ends.
    Failed,
    /// The client looks for another ensemble: the connection ends without an
    /// answer, so that the client tries another server.
    Elsewhere,
}

/// The identity that every connection has: its address.
pub(crate) fn ip_identity(address: IpAddr) -> Id<'static> {
    Id::new("ip", address.to_canonical().to_string())
}

/// Judges a packet from a client at `address`.
pub(crate) fn authenticate(
    config: &AuthConfig,
    packet: &AuthPacket<'_>,
    address: IpAddr,
    metrics: &Metrics,
) -> Verdict {
    let auth = packet.auth.map(|auth| auth.0);
    match (packet.scheme.as_deref(), auth, &config.ensemble) {
        (Some("ip"), _, _) => Verdict::Proven(vec![ip_identity(address)]),
        (Some("digest"), Some(auth), _) if config.digest_enabled => {
            let credentials = String::from_utf8_lossy(auth).into_owned();
            Verdict::Proven(digest_identities(config, &credentials))
        }
        (Some("ensemble"), auth, Some(scheme)) => {
            same_ensemble(scheme, auth.unwrap_or_default(), metrics)
        }
        _ => Verdict::Failed,
    }
}

/// No identity is proven either way (`EnsembleAuthenticationProvider`).
fn same_ensemble(scheme: &EnsembleScheme, auth: &[u8], metrics: &Metrics) -> Verdict {
    match &scheme.names {
        Some(names) if !auth.is_empty() => {
            let name = String::from_utf8_lossy(auth);
            if !names.contains(&*name) {
                metrics.ensemble_auth_fail.add(1);
                return Verdict::Elsewhere;
            }
            metrics.ensemble_auth_success.add(1);
        }
        _ => metrics.ensemble_auth_skip.add(1),
    }
    Verdict::Proven(Vec::new())
}

fn digest_identities(config: &AuthConfig, credentials: &str) -> Vec<Id<'static>> {
    let digest = generate_digest(credentials);
    let mut identities = Vec::with_capacity(2);
    if config.super_digest.as_deref() == Some(digest.as_str()) {
        identities.push(Id::new("super", ""));
    }
    identities.push(Id::new("digest", digest));
    identities
}

/// `user:base64(sha1("user:password"))`
/// (`DigestAuthenticationProvider.generateDigest`).
pub fn generate_digest(credentials: &str) -> String {
    let user = credentials.split(':').next().unwrap_or("");
    let hash = Sha1::digest(credentials.as_bytes());
    format!("{user}:{}", STANDARD.encode(hash))
}

#[cfg(test)]
mod tests {
    use super::*;
    use zk_proto::Buffer;

    fn packet<'a>(scheme: &'a str, auth: Option<&'a str>) -> AuthPacket<'a> {
        AuthPacket {
            auth_type: 0,
            scheme: Some(scheme.into()),
            auth: auth.map(|auth| Buffer(auth.as_bytes())),
        }
    }

    fn run(packet: &AuthPacket<'_>) -> Verdict {
        let config = AuthConfig {
            super_digest: Some("super:aUNvlR1MTvkJltEXyKE6RkjAUlk=".into()),
            digest_enabled: true,
            ..AuthConfig::default()
        };
        authenticate(&config, packet, [127, 0, 0, 1].into(), &Metrics::default())
    }

    #[test]
    fn digests_are_apaches() {
        assert_eq!(
            generate_digest("user1:12345"),
            "user1:+owfoSBn/am19roBPzR1/MfCblE="
        );
    }

    #[test]
    fn super_is_a_digest_that_is_configured() {
        let Verdict::Proven(identities) = run(&packet("digest", Some("super:fixture"))) else {
            panic!("nothing proven");
        };
        assert_eq!(identities[0], Id::new("super", ""));
        assert_eq!(identities[1].scheme(), "digest");
    }

    #[test]
    fn any_bytes_make_a_digest_but_null() {
        for credentials in ["", "nocolon"] {
            let verdict = run(&packet("digest", Some(credentials)));
            assert!(matches!(verdict, Verdict::Proven(ids) if ids.len() == 1));
        }
        assert_eq!(run(&packet("digest", None)), Verdict::Failed);
    }

    #[test]
    fn unknown_schemes_fail() {
        for scheme in ["kerberos", "ensemble"] {
            assert_eq!(run(&packet(scheme, Some("x"))), Verdict::Failed);
        }
        assert_eq!(
            run(&packet("ip", None)),
            Verdict::Proven(vec![Id::new("ip", "127.0.0.1")])
        );
    }

    #[test]
    fn another_ensembles_name_is_no_error_but_the_end() {
        let metrics = Metrics::default();
        let judge = |names: Option<&[&str]>, auth| {
            let names = names.map(|names| names.iter().map(|&name| name.into()).collect());
            let config = AuthConfig {
                ensemble: Some(EnsembleScheme { names }),
                ..AuthConfig::default()
            };
            let packet = packet("ensemble", auth);
            authenticate(&config, &packet, [127, 0, 0, 1].into(), &metrics)
        };
        let fine = Verdict::Proven(Vec::new());
        let names = Some(&["prod", "east"][..]);
        assert_eq!(judge(names, Some("east")), fine);
        assert_eq!(judge(names, Some("west")), Verdict::Elsewhere);
        assert_eq!(judge(names, Some("east ")), Verdict::Elsewhere);
        assert_eq!(judge(names, Some("")), fine);
        assert_eq!(judge(names, None), fine);
        assert_eq!(judge(None, Some("west")), fine);
        assert_eq!(metrics.ensemble_auth_success.value(), 1);
        assert_eq!(metrics.ensemble_auth_fail.value(), 2);
        assert_eq!(metrics.ensemble_auth_skip.value(), 3);
    }

    #[test]
    fn one_of_the_enforced_schemes_is_enough() {
        let mut config = AuthConfig::default();
        assert!(config.admits(&[]));
        config.enforced_schemes = vec!["sasl".into(), "digest".into()];
        assert!(!config.admits(&[Id::new("ip", "::1")]));
        assert!(config.admits(&[Id::new("ip", "::1"), Id::new("digest", "a:b")]));
    }
}
