//! Keys about authentication and who may do what.

use super::Form::Property;
use super::Group::{AlmostNone, Some};
use super::Kind::{Flag, LenientLong, Secret, Text};
use super::{KeySpec, accepted, acts, not_yet};

const SASL: &str = "SASL";
const SHA1: &str = "SHA1 is served, and any other algorithm is refused at start";
const ONLY_SASL: &str = "SASL is not served yet, and true is refused at start";

#[rustfmt::skip] // One row a line.
pub(super) const KEYS: &[KeySpec] = &[
    acts(Some, "authProvider.*", Property(Text), ENSEMBLE),
    acts(Some, "DigestAuthenticationProvider.superDigest", Property(Secret), SUPER),
    accepted(Some, "sessionRequireClientSASLAuth", Property(Flag), "false", ONLY_SASL),
    acts(AlmostNone, "DigestAuthenticationProvider.enabled", Property(Flag), "false"),
    accepted(AlmostNone, "DigestAuthenticationProvider.digestAlg", Property(Text), "SHA1", SHA1),
    acts(AlmostNone, "ensembleAuthName", Property(Text), "prod,prod-east"),
    acts(AlmostNone, "enforce.auth.enabled", Property(Flag), "true"),
    acts(AlmostNone, "enforce.auth.schemes", Property(Text), "ip"),
    not_yet(Some, "superUser", Property(Text), "admin", SASL),
    not_yet(AlmostNone, "superUser.*", Property(Text), "admin", SASL),
    not_yet(AlmostNone, "allowSaslFailedClients", Property(Flag), "true", SASL),
    not_yet(AlmostNone, "letAnySaslUserDoX", Property(Text), "reader", SASL),
    not_yet(AlmostNone, "SASLAuthenticationProvider.superPassword", Property(Secret), "x", SASL),
    not_yet(AlmostNone, "sasl.serverconfig", Property(Text), "Server", SASL),
    not_yet(AlmostNone, "kerberos.removeHostFromPrincipal", Property(Flag), "true", SASL),
    not_yet(AlmostNone, "kerberos.removeRealmFromPrincipal", Property(Flag), "true", SASL),
    not_yet(AlmostNone, "kerberos.canonicalizeHostNames", Property(Flag), "true", SASL),
    not_yet(AlmostNone, "kerberos.minReLoginTimeMs", Property(LenientLong), "60000", SASL),
    not_yet(AlmostNone, "requireKerberosConfig", Property(Flag), "true", SASL),
    not_yet(AlmostNone, "security.auth_to_local", Property(Text), "DEFAULT", SASL),
    not_yet(AlmostNone, "server.realm", Property(Text), "EXAMPLE.COM", SASL),
    not_yet(AlmostNone, "kinit", Property(Text), "/usr/bin/kinit", SASL),
];

const ENSEMBLE: &str = "org.apache.zookeeper.server.auth.EnsembleAuthenticationProvider";
const SUPER: &str = "super:xQJmxLMiHGwaqBvst5y6rkB6HQs=";
