//! Authentication schemes: from an auth packet to identities of a connection.
//!
//! `digest` and `ip` as in Apache's providers, `super` by a configured digest.
//! Whether an identity may do something is decided in zk-tree.

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
}

/// The identity that every connection has: its address.
pub(crate) fn ip_identity(address: IpAddr) -> Id<'static> {
    Id::new("ip", address.to_canonical().to_string())
}

/// The identities that a packet proves, or `None` when it proves none and the
/// connection is to be closed.
pub(crate) fn authenticate(
    config: &AuthConfig,
    packet: &AuthPacket<'_>,
    address: IpAddr,
) -> Option<Vec<Id<'static>>> {
    match packet.scheme.as_deref()? {
        "ip" => Some(vec![ip_identity(address)]),
        "digest" if config.digest_enabled => {
            let credentials = String::from_utf8_lossy(packet.auth?.0).into_owned();
            Some(digest_identities(config, &credentials))
        }
        _ => None,
    }
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

    fn run(packet: &AuthPacket<'_>) -> Option<Vec<Id<'static>>> {
        let config = AuthConfig {
            super_digest: Some("super:aUNvlR1MTvkJltEXyKE6RkjAUlk=".into()),
            digest_enabled: true,
        };
        authenticate(&config, packet, [127, 0, 0, 1].into())
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
        let identities = run(&packet("digest", Some("super:fixture"))).unwrap();
        assert_eq!(identities[0], Id::new("super", ""));
        assert_eq!(identities[1].scheme(), "digest");
    }

    #[test]
    fn any_bytes_make_a_digest_but_null() {
        assert!(run(&packet("digest", Some(""))).is_some());
        assert!(run(&packet("digest", Some("nocolon"))).is_some());
        assert!(run(&packet("digest", None)).is_none());
    }

    #[test]
    fn unknown_schemes_fail() {
        assert!(run(&packet("kerberos", Some("x"))).is_none());
        assert_eq!(
            run(&packet("ip", None)),
            Some(vec![Id::new("ip", "127.0.0.1")])
        );
    }
}
