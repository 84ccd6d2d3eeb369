//! Opening a connection to another server. Names are resolved every time,
//! since addresses of servers change, and every address is tried.

use super::Options;
use socket2::SockRef;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use zk_proto::ensemble::HostPort;

/// Why a server cannot be reached.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    /// Nobody said where it is.
    #[error("it has no known address")]
    NoAddress,
    /// A name without an address.
    #[error("cannot resolve {address}: {source}")]
    Resolve {
        /// The name and the port.
        address: String,
        /// What the system says.
        source: io::Error,
    },
    /// An address that does not answer.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// A connection that broke at once.
    #[error("the connection broke at once: {0}")]
    Lost(#[source] io::Error),
}

/// Connects to the first address that answers. The error is that of the last
/// one.
pub(super) async fn connect(
    addresses: &[HostPort],
    options: &Options,
) -> Result<TcpStream, ConnectError> {
    let mut failed = ConnectError::NoAddress;
    for address in addresses {
        match connect_host(address, options.connect_timeout).await {
            Ok(stream) => {
                tune(&stream, options.keep_alive);
                return Ok(stream);
            }
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

async fn connect_host(host: &HostPort, patience: Duration) -> Result<TcpStream, ConnectError> {
    let resolved = within(patience, resolve(host)).await;
    let addresses = resolved.map_err(|source| ConnectError::Resolve {
        address: host.to_string(),
        source,
    })?;
    let mut failed = ConnectError::NoAddress;
    for address in addresses {
        match within(patience, connect_address(address)).await {
            Ok(stream) => return Ok(stream),
            Err(source) => failed = ConnectError::Connect { address, source },
        }
    }
    Err(failed)
}

/// All addresses of a host; IPv4 first, as in Java.
pub(super) async fn resolve(host: &HostPort) -> io::Result<Vec<SocketAddr>> {
    let found = lookup_host((host.host.as_str(), host.port)).await?;
    let mut addresses: Vec<SocketAddr> = found.collect();
    addresses.sort_by_key(SocketAddr::is_ipv6);
    Ok(addresses)
}

/// A port of this machine that nobody listens on can be connected to itself.
async fn connect_address(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    if stream.local_addr()? == stream.peer_addr()? {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok(stream)
}

async fn within<T>(patience: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match timeout(patience, work).await {
        Ok(result) => result,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// What is said leaves at once; failing to ask for that loses only time.
pub(super) fn tune(stream: &TcpStream, keep_alive: bool) {
    let socket = SockRef::from(stream);
    let tuned = socket.set_tcp_nodelay(true);
    if let Err(error) = tuned.and_then(|()| socket.set_keepalive(keep_alive)) {
        tracing::debug!("cannot set options of another server's socket: {error}");
    }
}
