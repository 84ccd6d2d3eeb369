//! Reaching a server by its name: all addresses that the name has at the
//! moment, in an order by chance.

use crate::HostPort;
use crate::random::Random;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// Names are resolved anew each time: servers move.
pub(crate) async fn connect(
    host: &HostPort,
    limit: Duration,
    random: &mut Random,
) -> io::Result<TcpStream> {
    tracing::debug!(%host, "connecting");
    let found = timeout(limit, lookup_host((host.host.as_str(), host.port))).await??;
    let mut addresses: Vec<SocketAddr> = found.collect();
    random.shuffle(&mut addresses);
    let stream = connect_any(&addresses, limit).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The first that accepts. An address that stays silent must not use up the
/// time of the others.
async fn connect_any(addresses: &[SocketAddr], limit: Duration) -> io::Result<TcpStream> {
    let share = limit / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => failed = error,
            Err(elapsed) => failed = elapsed.into(),
        }
    }
    Err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    const LIMIT: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn every_address_is_tried() {
        let live = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dead = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addresses = [dead.local_addr().unwrap(), live.local_addr().unwrap()];
        drop(dead);
        let stream = connect_any(&addresses, LIMIT).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), addresses[1]);
        drop(live);
        assert!(connect_any(&addresses, LIMIT).await.is_err());
        assert!(connect_any(&[], LIMIT).await.is_err());
    }

    #[tokio::test]
    async fn a_name_that_nobody_has_is_an_error() {
        let host = HostPort {
            host: "no.such.host.invalid".into(),
            port: 1,
        };
        assert!(connect(&host, LIMIT, &mut Random::new()).await.is_err());
    }
}
