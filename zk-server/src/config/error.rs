//! Why a configuration was refused.

use super::origin::Origin;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use thiserror::Error;
use zk_proto::ServerId;
use zk_proto::ensemble::MemberError;

/// Why a configuration was refused. Messages name the file, the line, the key
/// and the value wherever there is one; secrets are left out.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The command line has no such form.
    #[error("{0}")]
    Usage(String),
    /// The configuration file is not there.
    #[error("{} file is missing", .0.display())]
    Missing(PathBuf),
    /// A file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A `\u` without four hexadecimal digits after it.
    #[error("{}, {source}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line.
        source: super::properties::MalformedEscape,
    },
    /// A value that the key cannot have.
    #[error("{origin}: {key}={value} is not {expected}")]
    Value {
        /// Where it was written.
        origin: Origin,
        /// The key as it was written.
        key: String,
        /// The value, or what stands for a secret.
        value: String,
        /// What it should have been.
        expected: String,
    },
    /// A value that names a host nobody knows.
    #[error("{origin}: the host of {key}={value} is unknown: {source}")]
    UnknownHost {
        /// Where it was written.
        origin: Origin,
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// What the resolver says.
        source: io::Error,
    },
    /// A `server.N` line that does not say where a server is.
    #[error("{origin}: {key}={value} {source}")]
    ServerLine {
        /// Where it was written.
        origin: Origin,
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// What is wrong with it.
        source: MemberError,
    },
    /// Values that are good alone and make no sense together.
    #[error("{}: {rule}", file.display())]
    Rule {
        /// The configuration file.
        file: PathBuf,
        /// The rule that is broken.
        rule: Rule,
    },
    /// `myid` holds something that is no number.
    #[error("{}: serverid {text:?} is not a number", path.display())]
    MyId {
        /// The file.
        path: PathBuf,
        /// Its first line.
        text: String,
    },
}

/// What keys must be together.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Rule {
    /// A key without which no server starts.
    #[error("{0} is not set")]
    NotSet(&'static str),
    /// A tick is a time.
    #[error("tickTime={0} is no time")]
    TickTime(i32),
    /// An address without the port that goes with it.
    #[error("{address} is set, and {port} is not")]
    AddressWithoutPort {
        /// The key of the address.
        address: &'static str,
        /// The key of the port.
        port: &'static str,
    },
    /// Bounds that leave no session timeout.
    #[error("minSessionTimeout {min_ms} is larger than maxSessionTimeout {max_ms}")]
    SessionTimeouts {
        /// The lower bound in milliseconds.
        min_ms: i32,
        /// The upper bound in milliseconds.
        max_ms: i32,
    },
    /// One SASL key that needs another.
    #[error("{key} is on, and {needs}, which it needs, is off")]
    QuorumSasl {
        /// The key that is on.
        key: &'static str,
        /// The key that is off.
        needs: &'static str,
    },
    /// What should guard the connections between servers cannot.
    #[error("{key} is on, and {what} between servers is not served by this version")]
    Unguarded {
        /// The key that is on.
        key: &'static str,
        /// What it asks for.
        what: &'static str,
    },
    /// Members stand in the static file although there is a dynamic one.
    #[error("{0} belongs into the file that dynamicConfigFile names")]
    MemberInStaticFile(String),
    /// The dynamic file holds something else than members.
    #[error("{0} does not belong into a dynamic configuration file")]
    NotAMember(String),
    /// The dynamic file names its version inside.
    #[error("the version stands in the name of a dynamic configuration file, not inside")]
    VersionInside,
    /// One server in two groups.
    #[error("server {0} is in several groups")]
    InManyGroups(ServerId),
    /// Groups, and a voting server in none of them.
    #[error("server {0} is in no group")]
    NotInAGroup(ServerId),
    /// No voting server where there must be one.
    #[error("standaloneEnabled is false, and no server is listed that votes")]
    NoParticipants,
    /// Observers and no ensemble to observe.
    #[error("observers are listed without an ensemble that they could observe")]
    ObserversWithoutQuorum,
    /// A server of an ensemble that does not know which one it is.
    #[error("myid file is missing")]
    NoMyId,
    /// `clientPort` and the server's own line disagree.
    #[error("server.{id} gives {listed} to clients, and clientPort says {fixed}")]
    ClientAddress {
        /// This server.
        id: ServerId,
        /// What `clientPort` and `clientPortAddress` say.
        fixed: SocketAddr,
        /// What the server's own line says.
        listed: SocketAddr,
    },
    /// Authentication is enforced, and no scheme is named.
    #[error("enforce.auth.enabled is true, and enforce.auth.schemes is not set")]
    NoSchemes,
    /// Authentication is enforced by a scheme that is not served.
    #[error("authentication by {0:?} is enforced, and that scheme is not served")]
    SchemeNotServed(String),
    /// Digests by an algorithm that is not served.
    #[error("DigestAuthenticationProvider.digestAlg={0}: only SHA1 is served")]
    DigestAlgorithm(String),
}
