//! The client port: accepting, and ending connections that never become a
//! session.

use crate::config::Clients;
use crate::server::{ServerError, admit};
use crate::shared::Shared;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

/// Backlog when the configuration leaves it to the system; Java's default.
const BACKLOG: i32 = 50;
/// Pause after an accept that failed for want of files or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Opens the client port.
pub(crate) fn bind(config: &Clients, address: SocketAddr) -> Result<TcpListener, ServerError> {
    open(config, address)
        .or_else(|error| match ipv4_only(address) {
            // A machine without IPv6 still has its IPv4 addresses.
            Some(address) => open(config, address),
            None => Err(error),
        })
        .map_err(|source| ServerError::Listen { address, source })
}

fn open(config: &Clients, address: SocketAddr) -> io::Result<TcpListener> {
    let any = address.ip().is_unspecified();
    let wanted = if any {
        SocketAddr::new(std::net::Ipv6Addr::UNSPECIFIED.into(), address.port())
    } else {
        address
    };
    let socket = Socket::new(
        Domain::for_address(wanted),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if wanted.is_ipv6() {
        socket.set_only_v6(!any)?;
    }
    listen(&socket, config, wanted)
}

fn listen(socket: &Socket, config: &Clients, address: SocketAddr) -> io::Result<TcpListener> {
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    let backlog = if config.listen_backlog > 0 {
        config.listen_backlog
    } else {
        BACKLOG
    };
    socket.listen(backlog)?;
    TcpListener::from_std(socket.try_clone()?.into())
}

fn ipv4_only(address: SocketAddr) -> Option<SocketAddr> {
    address
        .ip()
        .is_unspecified()
        .then(|| SocketAddr::new(std::net::Ipv4Addr::UNSPECIFIED.into(), address.port()))
}

/// Accepts clients until told to stop.
pub(crate) async fn accept(
    shared: Arc<Shared>,
    listener: TcpListener,
    sessionless_timeout: Duration,
    mut stopped: watch::Receiver<bool>,
) {
    let mut sweep = interval(sessionless_timeout.max(Duration::from_millis(10)) / 4);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let keep_alive = shared.info.config.clients.tcp_keep_alive;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, remote)) => {
                    tune(&stream, keep_alive);
                    admit(&shared, stream, remote);
                }
                Err(error) => {
                    tracing::warn!("cannot accept a client: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            _ = sweep.tick() => end_sessionless(&shared, sessionless_timeout),
            _ = stopped.changed() => return,
        }
    }
}

/// Answers leave at once; failing to ask for that loses only time.
fn tune(stream: &TcpStream, keep_alive: bool) {
    let socket = SockRef::from(stream);
    if let Err(error) = socket
        .set_tcp_nodelay(true)
        .and_then(|()| socket.set_keepalive(keep_alive))
    {
        tracing::debug!("cannot set options of a client's socket: {error}");
    }
}

fn end_sessionless(shared: &Shared, timeout: Duration) {
    let oldest = crate::clock::wall_ms() - i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX);
    for conn in shared.conns.all() {
        if conn.session().is_none() && conn.established_ms() < oldest {
            tracing::warn!(client = %conn.remote(), "closing a connection that opened no session");
            shared.stats.metrics.sessionless_connections_expired.add(1);
            conn.close();
        }
    }
}
