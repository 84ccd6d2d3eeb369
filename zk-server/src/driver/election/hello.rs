//! The beginning of a connection to the election port: its opener says who it
//! is (`QuorumCnxManager.InitialMessage`).

use super::super::connect::{ConnectError, connect};
use super::super::port::Port;
use super::super::shared::Shared;
use super::Election;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use zk_proto::ServerId;
use zk_proto::ensemble::HostPort;
use zk_proto::quorum::{ElectionError, InitialMessage};

/// Addresses that are taken from one message.
const ADDRESSES_MAX: usize = 8;

/// A connection whose opener said who it is.
pub(super) struct Hello {
    pub(super) server: ServerId,
    pub(super) addresses: Vec<HostPort>,
    pub(super) stream: TcpStream,
    pub(super) remote: SocketAddr,
    /// What came behind that.
    pub(super) rest: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
enum HelloError {
    #[error("it took too long")]
    Late,
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Garbage(#[from] ElectionError),
}

/// Waits until an opener has said who it is.
pub(super) async fn receive(election: &Arc<Election>, stream: TcpStream, remote: SocketAddr) {
    let patience = election.shared.options.connect_timeout;
    let hello = timeout(patience, read(stream, remote)).await;
    match hello.unwrap_or(Err(HelloError::Late)) {
        Ok(hello) => election.greeted(hello),
        Err(error) => {
            tracing::warn!(%remote, "nobody said who it is on the election port: {error}");
        }
    }
}

async fn read(mut stream: TcpStream, remote: SocketAddr) -> Result<Hello, HelloError> {
    let mut input = Vec::new();
    loop {
        if let Some((message, length)) = InitialMessage::split(&input)? {
            return Ok(Hello {
                server: message.server,
                addresses: usable(message.addresses),
                stream,
                remote,
                rest: input.split_off(length),
            });
        }
        if stream.read_buf(&mut input).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
    }
}

/// Addresses that can be dialled: "every address" is none.
fn usable(addresses: Vec<(String, u16)>) -> Vec<HostPort> {
    let is_any = |host: &str| host.parse().is_ok_and(|ip: IpAddr| ip.is_unspecified());
    let addresses = addresses.into_iter().filter(|(host, _)| !is_any(host));
    let addresses = addresses.map(|(host, port)| HostPort { host, port });
    addresses.take(ADDRESSES_MAX).collect()
}

/// Connects to an election port and says who we are.
pub(super) async fn dial(
    shared: &Shared,
    addresses: &[HostPort],
) -> Result<TcpStream, ConnectError> {
    let mut stream = connect(addresses, &shared.options).await?;
    match stream.write_all(&introduction(shared)).await {
        Ok(()) => Ok(stream),
        Err(error) => Err(ConnectError::Lost(error)),
    }
}

fn introduction(shared: &Shared) -> Vec<u8> {
    let many_addresses = shared.options.many_addresses;
    let mut addresses = shared.addresses(Port::Election, shared.own());
    if addresses.is_empty() {
        // Not a member any more: it still is where it was at the start.
        addresses = Port::Election.addresses(&shared.options.members, shared.own());
    }
    if !many_addresses {
        addresses.truncate(1);
    }
    let addresses = addresses.into_iter().map(|it| (it.host, it.port));
    let message = InitialMessage {
        server: shared.own(),
        addresses: addresses.collect(),
    };
    message.encode(many_addresses)
}
