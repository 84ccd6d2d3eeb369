//! The client port, connections and session timeouts, typed. It refuses to
//! know how sockets are made.

use super::error::{ConfigError, Rule};
use super::notice::Notices;
use super::settings::{Setting, Settings};
use std::io::{Error, ErrorKind};
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

/// Where clients connect, and how many may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clients {
    /// Where to listen. The unspecified address stands for every address of
    /// both families. `None` if nothing says so.
    pub address: Option<SocketAddr>,
    /// Where to listen for TLS, if anywhere.
    pub secure_address: Option<SocketAddr>,
    /// Connections the system may hold before they are accepted; -1 leaves
    /// their number to the system.
    pub listen_backlog: i32,
    /// Connections that one client address may have; zero and less is no
    /// limit.
    pub max_client_cnxns: i32,
    /// Connections in all; zero and less is no limit.
    pub max_cnxns: i32,
    /// Whether the system probes idle connections.
    pub tcp_keep_alive: bool,
    /// How long a connection may stay without a session.
    pub sessionless_timeout: Duration,
}

/// The unit of time, and the bounds of session timeouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sessions {
    /// The basic unit of time; sessions expire at multiples of it.
    pub tick_time: Duration,
    /// The shortest timeout that a client gets, in milliseconds as on the
    /// wire.
    pub min_timeout_ms: i32,
    /// The longest timeout that a client gets, in milliseconds.
    pub max_timeout_ms: i32,
}

/// `ZooKeeperServer.DEFAULT_TICK_TIME`, in milliseconds.
const DEFAULT_TICK_TIME: i32 = 3000;

impl Clients {
    /// # Errors
    /// An address without its port, or a host that is unknown.
    pub(super) fn read(settings: &Settings, notices: &mut Notices) -> Result<Self, ConfigError> {
        let sessionless = settings.at_least("nio.sessionlessCnxnTimeout", 1, 10_000, notices);
        Ok(Self {
            address: address(settings, "clientPortAddress", "clientPort")?,
            secure_address: address(settings, "secureClientPortAddress", "secureClientPort")?,
            listen_backlog: settings.int("clientPortListenBacklog").unwrap_or(-1),
            max_client_cnxns: settings.int("maxClientCnxns").unwrap_or(60),
            max_cnxns: settings.int("maxCnxns").unwrap_or(0),
            tcp_keep_alive: settings.flag("clientTcpKeepAlive", false),
            sessionless_timeout: Duration::from_millis(sessionless.unsigned_abs()),
        })
    }
}

impl Sessions {
    /// # Errors
    /// A tick that is no time, or bounds that leave no timeout.
    pub(super) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let tick = settings.int("tickTime").unwrap_or(DEFAULT_TICK_TIME);
        if tick <= 0 {
            return Err(settings.broken(Rule::TickTime(tick)));
        }
        let bound = |key, ticks| match settings.int(key) {
            None | Some(-1) => tick.saturating_mul(ticks),
            Some(bound) => bound,
        };
        let (min_ms, max_ms) = (
            bound("minSessionTimeout", 2),
            bound("maxSessionTimeout", 20),
        );
        if min_ms > max_ms {
            return Err(settings.broken(Rule::SessionTimeouts { min_ms, max_ms }));
        }
        Ok(Self {
            tick_time: Duration::from_millis(tick.unsigned_abs().into()),
            min_timeout_ms: min_ms,
            max_timeout_ms: max_ms,
        })
    }
}

fn address(
    settings: &Settings,
    address: &'static str,
    port: &'static str,
) -> Result<Option<SocketAddr>, ConfigError> {
    match (settings.text(address), settings.port(port)) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(settings.broken(Rule::AddressWithoutPort { address, port })),
        (None, Some(port)) => Ok(Some(SocketAddr::from(([0, 0, 0, 0], port)))),
        (Some(host), Some(port)) => resolve(host, port)
            .map(Some)
            .map_err(|source| unknown_host(settings.get(address), host, source)),
    }
}

/// The first address of `host`, IPv4 before IPv6, as Java chooses. An empty
/// name is this machine, as in Java.
pub(super) fn resolve(host: &str, port: u16) -> Result<SocketAddr, Error> {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let host = match bare.unwrap_or(host) {
        "" => "127.0.0.1",
        host => host,
    };
    let mut addresses: Vec<SocketAddr> = (host, port).to_socket_addrs()?.collect();
    addresses.sort_by_key(SocketAddr::is_ipv6);
    let first = addresses.into_iter().next();
    first.ok_or_else(|| Error::new(ErrorKind::NotFound, "it has no address"))
}

pub(super) fn unknown_host(setting: Option<&Setting>, host: &str, source: Error) -> ConfigError {
    let (origin, key) = setting.map_or_else(Default::default, |setting| {
        (setting.origin.clone(), setting.key.clone())
    });
    ConfigError::UnknownHost {
        origin,
        key,
        value: host.to_owned(),
        source,
    }
}
