//! Keys about TLS, on the client port and between servers.

use super::Form::{Config, Property};
use super::Group::{AlmostNone, Some};
use super::Kind::{Bool, Flag, LenientInt, Port, Secret, Text};
use super::{Form, KeySpec, missing, not_yet};

const TLS: &str = "TLS";
const TLS_BETWEEN: &str = "TLS between servers";
const TEXT: Form = Property(Text);
const FLAG: Form = Property(Flag);
const SECRET: Form = Property(Secret);
const INT: Form = Property(LenientInt);
const STORE: &str = "/etc/zookeeper/store.jks";

#[rustfmt::skip] // One row a line.
pub(super) const KEYS: &[KeySpec] = &[
    not_yet(Some, "secureClientPort", Config(Port), "2281", TLS),
    not_yet(Some, "secureClientPortAddress", Config(Text), "127.0.0.1", TLS),
    not_yet(Some, "client.portUnification", FLAG, "true", TLS),
    not_yet(Some, "client.certReload", FLAG, "true", TLS),
    not_yet(Some, "ssl.keyStore.location", TEXT, STORE, TLS),
    not_yet(Some, "ssl.keyStore.password", SECRET, "changeit", TLS),
    not_yet(Some, "ssl.keyStore.passwordPath", TEXT, "/etc/zookeeper/pw", TLS),
    not_yet(Some, "ssl.keyStore.type", TEXT, "PKCS12", TLS),
    not_yet(Some, "ssl.trustStore.location", TEXT, STORE, TLS),
    not_yet(Some, "ssl.trustStore.password", SECRET, "changeit", TLS),
    not_yet(Some, "ssl.trustStore.passwordPath", TEXT, "/etc/zookeeper/pw", TLS),
    not_yet(Some, "ssl.trustStore.type", TEXT, "PKCS12", TLS),
    not_yet(Some, "ssl.protocol", TEXT, "TLSv1.2", TLS),
    not_yet(Some, "ssl.enabledProtocols", TEXT, "TLSv1.2", TLS),
    not_yet(Some, "ssl.ciphersuites", TEXT, "TLS_AES_128_GCM_SHA256", TLS),
    not_yet(Some, "ssl.clientAuth", TEXT, "want", TLS),
    not_yet(Some, "ssl.hostnameVerification", FLAG, "false", TLS),
    not_yet(Some, "ssl.clientHostnameVerification", FLAG, "true", TLS),
    not_yet(Some, "ssl.crl", FLAG, "true", TLS),
    not_yet(Some, "ssl.ocsp", FLAG, "true", TLS),
    not_yet(AlmostNone, "ssl.authProvider", TEXT, "x509", TLS),
    not_yet(AlmostNone, "ssl.sslProvider", TEXT, "OPENSSL", TLS),
    not_yet(AlmostNone, "ssl.context.supplier.class", TEXT, "com.example.Context", TLS),
    not_yet(AlmostNone, "ssl.handshakeDetectionTimeoutMillis", INT, "1000", TLS),
    not_yet(AlmostNone, "ssl.allowReverseDnsLookup", FLAG, "true", TLS),
    not_yet(AlmostNone, "fips-mode", FLAG, "false", TLS),
    not_yet(AlmostNone, "X509AuthenticationProvider.superUser", TEXT, "CN=root", TLS),
    not_yet(AlmostNone, "netty.server.outstandingHandshake.limit", INT, "250", TLS)
        .aliases(&["outstandingHandshake.limit"]),
    not_yet(AlmostNone, "netty.server.earlyDropSecureConnectionHandshakes", FLAG, "true", TLS),
    missing(Some, "sslQuorum", Config(Bool), "true", TLS_BETWEEN),
    missing(Some, "portUnification", Config(Bool), "true", TLS_BETWEEN),
    missing(Some, "sslQuorumReloadCertFiles", Config(Bool), "true", TLS_BETWEEN),
    missing(Some, "ssl.quorum.keyStore.location", TEXT, STORE, TLS_BETWEEN),
    missing(Some, "ssl.quorum.keyStore.password", SECRET, "changeit", TLS_BETWEEN),
    missing(Some, "ssl.quorum.keyStore.passwordPath", TEXT, "/etc/zookeeper/pw", TLS_BETWEEN),
    missing(Some, "ssl.quorum.keyStore.type", TEXT, "PKCS12", TLS_BETWEEN),
    missing(Some, "ssl.quorum.trustStore.location", TEXT, STORE, TLS_BETWEEN),
    missing(Some, "ssl.quorum.trustStore.password", SECRET, "changeit", TLS_BETWEEN),
    missing(Some, "ssl.quorum.trustStore.passwordPath", TEXT, "/etc/zookeeper/pw", TLS_BETWEEN),
    missing(Some, "ssl.quorum.trustStore.type", TEXT, "PKCS12", TLS_BETWEEN),
    missing(Some, "ssl.quorum.protocol", TEXT, "TLSv1.2", TLS_BETWEEN),
    missing(Some, "ssl.quorum.enabledProtocols", TEXT, "TLSv1.2", TLS_BETWEEN),
    missing(Some, "ssl.quorum.ciphersuites", TEXT, "TLS_AES_128_GCM_SHA256", TLS_BETWEEN),
    missing(Some, "ssl.quorum.clientAuth", TEXT, "want", TLS_BETWEEN),
    missing(Some, "ssl.quorum.hostnameVerification", FLAG, "false", TLS_BETWEEN),
    missing(Some, "ssl.quorum.clientHostnameVerification", FLAG, "false", TLS_BETWEEN),
    missing(Some, "ssl.quorum.crl", FLAG, "true", TLS_BETWEEN),
    missing(Some, "ssl.quorum.ocsp", FLAG, "true", TLS_BETWEEN),
    missing(AlmostNone, "ssl.quorum.context.supplier.class", TEXT, "com.example.Context", TLS_BETWEEN),
    missing(AlmostNone, "ssl.quorum.handshakeDetectionTimeoutMillis", INT, "1000", TLS_BETWEEN),
    missing(AlmostNone, "ssl.quorum.allowReverseDnsLookup", FLAG, "false", TLS_BETWEEN),
];
