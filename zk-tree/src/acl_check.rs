//! Access control lists as pure rules: which list lets whom do what, and
//! which lists a client may ask for (`ZooKeeperServer.checkACL`,
//! `PrepRequestProcessor.fixupACL`).
//!
//! It does not know how a connection came by its identities: hashing of
//! passwords, certificates and SASL happen where the connection is.

mod ip;
mod unique;

use std::borrow::Cow;
use zk_proto::{Acl, ErrorCode, Id, Perms, Ustr};

/// The identity that may do everything.
const SUPER: &str = "super";

/// Bytes that `auth` may grow to when it is expanded. A longer list could not
/// be read back from a log (`jute.maxbuffer`).
const EXPANDED_MAX: usize = 0xf_ffff;

/// Which authentication schemes the server has (`ProviderRegistry`). `world`,
/// `auth` and `ip` are always there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Schemes {
    /// `digest`; on by default.
    pub digest: bool,
    /// `sasl`; off by default.
    pub sasl: Option<SaslScheme>,
    /// `x509`; off by default.
    pub x509: Option<X509Scheme>,
}

/// Options of the `sasl` scheme.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SaslScheme {
    /// An id in an ACL that any SASL user matches
    /// (`zookeeper.letAnySaslUserDoX`).
    pub any_user: Option<String>,
}

/// Options of the `x509` scheme.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct X509Scheme {
    /// A principal that matches every id (`zookeeper.X509AuthenticationProvider.superUser`).
    pub superuser: Option<String>,
}

impl Default for Schemes {
    fn default() -> Self {
        Self {
            digest: true,
            sasl: None,
            x509: None,
        }
    }
}

/// How a server judges access control lists.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AclRules {
    /// `skipACL=yes`: everything is allowed. Lists are still checked for form.
    pub skip: bool,
    /// The schemes that exist.
    pub schemes: Schemes,
}

impl AclRules {
    /// Whether `acl` grants one of `wanted` to somebody with `identities`. An
    /// empty list grants everything, as in Apache.
    #[must_use]
    pub fn allows(&self, acl: &[Acl<'_>], wanted: Perms, identities: &[Id<'_>]) -> bool {
        if self.skip || acl.is_empty() {
            return true;
        }
        let granted = |entry: &Acl<'_>| {
            entry.perms.intersects(wanted)
                && (is_anyone(&entry.id) || self.schemes.any_match(identities, &entry.id))
        };
        acl.iter().any(granted) || identities.iter().any(|id| id.scheme() == SUPER)
    }

    /// The list to store for one that a client sent: without exact
    /// duplicates, in the client's order, `auth` replaced by the identities
    /// of the client that count as authenticated.
    ///
    /// # Errors
    /// `INVALID_ACL` for no list, an empty one, an unknown scheme, an id that
    /// its scheme refuses, or `auth` of somebody who is not authenticated.
    /// `MARSHALLING_ERROR` where Apache stumbles over a null id.
    pub fn fix_up<'r, 'a>(
        &self,
        acl: Option<&'r [Acl<'a>]>,
        identities: &[Id<'static>],
    ) -> Result<Cow<'r, [Acl<'a>]>, ErrorCode> {
        match acl {
            None | Some([]) => Err(ErrorCode::INVALID_ACL),
            Some(acl @ [only]) if is_anyone(&only.id) => Ok(Cow::Borrowed(acl)),
            Some(acl) => self.fix_up_slowly(acl, identities).map(Cow::Owned),
        }
    }

    fn fix_up_slowly<'a>(
        &self,
        acl: &[Acl<'a>],
        identities: &[Id<'static>],
    ) -> Result<Vec<Acl<'a>>, ErrorCode> {
        let mut fixed = Vec::with_capacity(acl.len());
        let mut expanded = 0;
        for entry in unique::entries(acl)? {
            let scheme = entry.id.scheme.as_deref().ok_or(ErrorCode::INVALID_ACL)?;
            if scheme == "auth" {
                expanded += self.expand(entry.perms, identities, &mut fixed)?;
                if expanded > EXPANDED_MAX {
                    return Err(ErrorCode::INVALID_ACL);
                }
            } else {
                self.schemes.check_id(scheme, entry.id.id.as_ref())?;
                fixed.push(entry.clone());
            }
        }
        Ok(fixed)
    }

    /// Appends an entry for each authenticated identity; the bytes they take.
    fn expand(
        &self,
        perms: Perms,
        identities: &[Id<'static>],
        fixed: &mut Vec<Acl<'_>>,
    ) -> Result<usize, ErrorCode> {
        let mut bytes = 0;
        for id in identities {
            if self.schemes.authenticates(id.scheme()) {
                bytes += 12 + id.scheme().len() + id.id().len();
                let id = id.clone();
                fixed.push(Acl { perms, id });
            }
        }
        match bytes {
            0 => Err(ErrorCode::INVALID_ACL),
            bytes => Ok(bytes),
        }
    }
}

impl Schemes {
    fn has(&self, scheme: &str) -> bool {
        match scheme {
            "ip" => true,
            "digest" => self.digest,
            "sasl" => self.sasl.is_some(),
            "x509" => self.x509.is_some(),
            _ => false,
        }
    }

    /// Whether having an identity of this scheme means to be authenticated.
    fn authenticates(&self, scheme: &str) -> bool {
        scheme != "ip" && self.has(scheme)
    }

    /// Whether `id` may stand in a list under `scheme`.
    fn check_id(&self, scheme: &str, id: Option<&Ustr<'_>>) -> Result<(), ErrorCode> {
        if scheme != "world" && !self.has(scheme) {
            return Err(ErrorCode::INVALID_ACL);
        }
        let id = id.ok_or(ErrorCode::MARSHALLING_ERROR)?;
        let valid = match scheme {
            "world" => *id == "anyone",
            "ip" => ip::Range::parse(id).is_some(),
            "digest" => is_digest_id(id),
            "sasl" => is_principal(id),
            _ => true,
        };
        if valid {
            Ok(())
        } else {
            Err(ErrorCode::INVALID_ACL)
        }
    }

    fn any_match(&self, identities: &[Id<'_>], wanted: &Id<'_>) -> bool {
        let scheme = wanted.scheme();
        self.has(scheme)
            && identities
                .iter()
                .any(|own| own.scheme() == scheme && self.matches(scheme, own.id(), wanted.id()))
    }

    fn matches(&self, scheme: &str, own: &str, wanted: &str) -> bool {
        match scheme {
            "ip" => ip::Range::parse(wanted).is_some_and(|range| range.contains(own)),
            "sasl" => {
                own == wanted
                    || own == SUPER
                    || is_option(self.sasl.as_ref().and_then(|s| s.any_user.as_ref()), wanted)
            }
            "x509" => {
                own == wanted
                    || is_option(self.x509.as_ref().and_then(|s| s.superuser.as_ref()), own)
            }
            _ => own == wanted,
        }
    }
}

fn is_option(option: Option<&String>, text: &str) -> bool {
    option.is_some_and(|option| option == text)
}

fn is_anyone(id: &Id<'_>) -> bool {
    id.scheme() == "world" && id.id() == "anyone"
}

/// `user:hash`: exactly two parts once empty ones at the end are left out, as
/// Java's `split` counts.
fn is_digest_id(id: &str) -> bool {
    id.trim_end_matches(':').split(':').count() == 2
}

/// `name`, or `name[/host]@realm` (`KerberosName`).
fn is_principal(id: &str) -> bool {
    match id.split_once('@') {
        None => true,
        Some((name, realm)) => {
            !realm.contains(['@', '/']) && name.bytes().filter(|byte| *byte == b'/').count() <= 1
        }
    }
}

/// The list as getACL shows it to somebody without ADMIN: the hash of a
/// digest id becomes `x`.
#[must_use]
pub fn masked(acl: &[Acl<'_>]) -> Vec<Acl<'static>> {
    acl.iter().map(masked_entry).collect()
}

fn masked_entry(entry: &Acl<'_>) -> Acl<'static> {
    if entry.id.scheme() != "digest" {
        return entry.clone().into_owned();
    }
    Acl::new(entry.perms, "digest", mask_hashes(entry.id.id()))
}

/// Replaces everything from a colon to the end of its line by ":x", which is
/// what Java's `replaceAll(":.*", ":x")` does.
fn mask_hashes(id: &str) -> String {
    let mut masked = String::with_capacity(id.len());
    let mut hiding = false;
    for c in id.chars() {
        let ends_line = matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
        if ends_line {
            hiding = false;
        }
        match (hiding, c) {
            (true, _) => {}
            (false, ':') => {
                masked.push_str(":x");
                hiding = true;
            }
            (false, c) => masked.push(c),
        }
    }
    masked
}

#[cfg(test)]
mod tests;
