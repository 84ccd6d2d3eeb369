//! Listening on one of the ports, wherever the members say it is. It refuses
//! to know what comes of a connection.

use super::NetworkError;
use super::connect::{resolve, tune};
use super::port::Port;
use super::shared::Shared;
use parking_lot::Mutex;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::sleep;
use zk_proto::ensemble::HostPort;

/// Connections that wait to be accepted; Java's default.
const BACKLOG: i32 = 50;
/// Pause between tries to open a port.
const BIND_PAUSE: Duration = Duration::from_secs(1);
/// Pause after an accept that failed for want of files or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

type Welcome = Arc<dyn Fn(TcpStream, SocketAddr) + Send + Sync>;

/// One of the ports of this server, open on all its addresses.
pub(super) struct Listener {
    shared: Arc<Shared>,
    port: Port,
    welcome: Welcome,
    doors: Arc<tokio::sync::Mutex<Vec<Door>>>,
    /// Where it is to listen, and the task that sees to it if that changed.
    wanted: Mutex<(Vec<HostPort>, Option<AbortHandle>)>,
}

/// An address that is listened on.
struct Door {
    address: HostPort,
    task: AbortHandle,
    /// Comes to its end once the socket is closed.
    closed: oneshot::Receiver<()>,
}

impl Listener {
    /// A listener that gives its connections to `welcome`. Nothing is open
    /// yet.
    pub(super) fn new(
        shared: &Arc<Shared>,
        port: Port,
        welcome: impl Fn(TcpStream, SocketAddr) + Send + Sync + 'static,
    ) -> Self {
        Self {
            shared: shared.clone(),
            port,
            welcome: Arc::new(welcome),
            doors: Arc::default(),
            wanted: Mutex::default(),
        }
    }

    /// Opens the port on all addresses of this server.
    ///
    /// # Errors
    /// An address that cannot be had after all tries.
    pub(super) async fn open(&self) -> Result<(), NetworkError> {
        let wanted = wanted(&self.shared, self.port);
        self.wanted.lock().0.clone_from(&wanted);
        self.mover(wanted).run().await
    }

    /// Goes where the members now say that this port is, in the background.
    /// A server that is no member any more stays where it is.
    pub(super) fn follow(&self) {
        let now = wanted(&self.shared, self.port);
        let mut wanted = self.wanted.lock();
        if now.is_empty() || now == wanted.0 {
            return;
        }
        wanted.0.clone_from(&now);
        if let Some(earlier) = wanted.1.take() {
            earlier.abort();
        }
        let mover = self.mover(now);
        wanted.1 = self.shared.tasks.spawn(async move {
            if let Err(error) = mover.run().await {
                tracing::error!("{error}");
            }
        });
    }

    fn mover(&self, wanted: Vec<HostPort>) -> Mover {
        Mover {
            shared: self.shared.clone(),
            port: self.port,
            welcome: self.welcome.clone(),
            doors: self.doors.clone(),
            wanted,
        }
    }
}

/// Where this server is to listen: on its own addresses, or on the same ports
/// of all addresses that the machine has. Who has no vote hosts nobody.
fn wanted(shared: &Shared, port: Port) -> Vec<HostPort> {
    if matches!(port, Port::Master(_)) && !shared.is_voter(shared.own()) {
        return Vec::new();
    }
    let mut wanted: Vec<HostPort> = Vec::new();
    for mut address in shared.addresses(port, shared.own()) {
        if shared.options.listen_on_all_ips {
            address.host = Ipv4Addr::UNSPECIFIED.to_string();
        }
        if !wanted.contains(&address) {
            wanted.push(address);
        }
    }
    wanted
}

/// Closes what is not wanted any more and opens what is.
struct Mover {
    shared: Arc<Shared>,
    port: Port,
    welcome: Welcome,
    doors: Arc<tokio::sync::Mutex<Vec<Door>>>,
    wanted: Vec<HostPort>,
}

impl Mover {
    /// All that can be opened is opened; the error is the last one.
    async fn run(self) -> Result<(), NetworkError> {
        let mut doors = self.doors.lock().await;
        self.close_unwanted(&mut doors).await;
        let mut outcome = Ok(());
        for address in &self.wanted {
            if doors.iter().any(|door| door.address == *address) {
                continue;
            }
            match self.open(address).await {
                Ok(door) => doors.extend(door),
                Err(error) => outcome = Err(error),
            }
        }
        outcome
    }

    async fn close_unwanted(&self, doors: &mut Vec<Door>) {
        for door in doors.extract_if(.., |door| !self.wanted.contains(&door.address)) {
            door.task.abort();
            // It only ever ends with an error: nothing is sent.
            let _ = door.closed.await;
        }
    }

    async fn open(&self, address: &HostPort) -> Result<Option<Door>, NetworkError> {
        let listener = self.bind(address).await?;
        let (closed_sender, closed) = oneshot::channel();
        let accepting = Accepting {
            listener,
            _closed: closed_sender,
            port: self.port,
            welcome: self.welcome.clone(),
            keep_alive: self.shared.options.keep_alive,
        };
        let task = self.shared.tasks.spawn(accepting.run());
        let address = address.clone();
        Ok(task.map(|task| Door {
            address,
            task,
            closed,
        }))
    }

    async fn bind(&self, address: &HostPort) -> Result<TcpListener, NetworkError> {
        let mut tries = 1;
        loop {
            match bind(address).await {
                Ok(listener) => return Ok(listener),
                Err(source) if tries == self.shared.options.bind_tries => {
                    return Err(NetworkError::Listen {
                        port: self.port,
                        address: address.to_string(),
                        source,
                    });
                }
                Err(error) => {
                    tracing::warn!("cannot listen on {address} yet: {error}");
                    sleep(BIND_PAUSE).await;
                }
            }
            tries += 1;
        }
    }
}

/// Listens on the first address of the host that is one of this machine.
async fn bind(host: &HostPort) -> io::Result<TcpListener> {
    let mut failed = io::ErrorKind::AddrNotAvailable.into();
    for address in resolve(host).await? {
        match listen_any(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// Every address means those of IPv6 too, if the machine has any.
fn listen_any(address: SocketAddr) -> io::Result<TcpListener> {
    if !address.ip().is_unspecified() {
        return listen(address);
    }
    let any = |ip: IpAddr| SocketAddr::new(ip, address.port());
    listen(any(Ipv6Addr::UNSPECIFIED.into())).or_else(|_| listen(any(Ipv4Addr::UNSPECIFIED.into())))
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// The task of an open port. Its fields are dropped in order: when `_closed`
/// goes, the socket is closed.
struct Accepting {
    listener: TcpListener,
    _closed: oneshot::Sender<()>,
    port: Port,
    welcome: Welcome,
    keep_alive: bool,
}

impl Accepting {
    async fn run(self) {
        loop {
            match self.listener.accept().await {
                Ok((stream, remote)) => {
                    tune(&stream, self.keep_alive);
                    (self.welcome)(stream, remote);
                }
                Err(error) => {
                    tracing::warn!("cannot accept on the {} port: {error}", self.port);
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}
