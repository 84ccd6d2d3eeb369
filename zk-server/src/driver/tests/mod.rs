//! Networks on the loopback, with one another and with bare sockets. Nothing
//! in here sleeps: every step waits for an event.

mod election;
mod ports;
mod quorum;

use super::{NetworkError, Options, TcpNetwork};
use crate::peer::{LinkId, Network as _, PeerEvent};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;
use zk_proto::ensemble::{EnsembleConfig, Member, PeerAddress, Role};
use zk_proto::quorum::{InitialMessage, Notification, PeerState};
use zk_proto::{ServerId, Zxid};

/// Longer than anything takes on the busiest machine.
const PATIENCE: Duration = Duration::from_secs(60);

async fn soon<T>(work: impl Future<Output = T>) -> T {
    timeout(PATIENCE, work).await.expect("it takes too long")
}

/// A server: its network, and what it was told.
struct Peer {
    network: TcpNetwork,
    events: UnboundedReceiver<PeerEvent>,
}

impl Peer {
    async fn start(own: i64, members: &EnsembleConfig) -> Self {
        Self::start_with(options(own, members)).await.unwrap()
    }

    async fn start_with(options: Options) -> Result<Self, NetworkError> {
        let (sender, events) = unbounded_channel();
        let emit = Arc::new(move |event| {
            // Tests end while links still tell something.
            let _ = sender.send(event);
        });
        let network = TcpNetwork::start(options, emit).await?;
        Ok(Self { network, events })
    }

    async fn event(&mut self) -> PeerEvent {
        soon(self.events.recv()).await.expect("the network lives")
    }

    /// All events up to the one that is wanted, that one included.
    async fn until(&mut self, mut is_wanted: impl FnMut(&PeerEvent) -> bool) -> Vec<PeerEvent> {
        let mut events = Vec::new();
        loop {
            let event = self.event().await;
            let found = is_wanted(&event);
            events.push(event);
            if found {
                return events;
            }
        }
    }

    async fn connected_to(&mut self, server: i64) -> Vec<PeerEvent> {
        self.until(|it| matches!(it, PeerEvent::VoterConnected(id) if id.0 == server))
            .await
    }

    async fn disconnected_from(&mut self, server: i64) -> Vec<PeerEvent> {
        self.until(|it| matches!(it, PeerEvent::VoterDisconnected(id) if id.0 == server))
            .await
    }

    /// The next notification: its sender and its round.
    async fn vote(&mut self) -> (i64, i64) {
        let events = self
            .until(|it| matches!(it, PeerEvent::Notification { .. }))
            .await;
        match events.last() {
            Some(PeerEvent::Notification { from, notification }) => (from.0, notification.round),
            other => panic!("{other:?} is no vote"),
        }
    }

    fn send_vote(&mut self, to: i64, round: i64) {
        self.network.send_vote(ServerId(to), &vote(round));
    }

    fn send(&mut self, link: LinkId, bytes: &[u8]) {
        self.network.send(link, bytes);
        self.network.flush();
    }

    /// Accepts a link on the quorum port.
    async fn accepted(&mut self) -> LinkId {
        match self.event().await {
            PeerEvent::Accepted { link, .. } => link,
            other => panic!("{other:?} is no new link"),
        }
    }

    /// What comes on a link, up to that many bytes.
    async fn received(&mut self, from: LinkId, count: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while all.len() < count {
            match self.event().await {
                PeerEvent::Received { link, bytes } if link == from => all.extend(bytes),
                other => panic!("{other:?} instead of bytes"),
            }
            self.network.flush();
        }
        all
    }
}

fn options(own: i64, members: &EnsembleConfig) -> Options {
    Options {
        own: ServerId(own),
        members: members.clone(),
        listen_on_all_ips: false,
        many_addresses: false,
        connect_timeout: PATIENCE,
        bind_tries: 3,
        keep_alive: true,
        master_port: None,
    }
}

/// That many free ports.
fn free_ports(count: usize) -> Vec<u16> {
    let bind = |_| std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listeners: Vec<_> = (0..count).map(bind).collect();
    let ports = listeners.iter().map(|it| it.local_addr().unwrap().port());
    ports.collect()
}

fn address(quorum_port: u16, election_port: u16) -> PeerAddress {
    PeerAddress {
        host: "127.0.0.1".to_owned(),
        quorum_port,
        election_port,
    }
}

fn members_at(addresses: &[(i64, Vec<PeerAddress>)]) -> EnsembleConfig {
    let member = |(id, addresses): &(i64, Vec<PeerAddress>)| {
        let member = Member {
            id: ServerId(*id),
            addresses: addresses.clone(),
            role: Role::Participant,
            client: None,
        };
        (member.id, member)
    };
    EnsembleConfig {
        members: addresses.iter().map(member).collect::<BTreeMap<_, _>>(),
        ..EnsembleConfig::default()
    }
}

/// Servers 1 up to `count`, on free ports.
fn members(count: i64) -> EnsembleConfig {
    let ports = free_ports(2 * usize::try_from(count).unwrap());
    let ids = 1..=count;
    let members = ids.zip(ports.chunks(2));
    let members = members.map(|(id, port)| (id, vec![address(port[0], port[1])]));
    members_at(&members.collect::<Vec<_>>())
}

fn member_at(members: &mut EnsembleConfig, server: i64) -> &mut PeerAddress {
    let member = members.members.get_mut(&ServerId(server)).unwrap();
    &mut member.addresses[0]
}

/// A name that no resolver has to ask anybody about: its first label is too
/// long.
fn no_name() -> String {
    format!("{}.invalid", "x".repeat(64))
}

fn election_port(members: &EnsembleConfig, server: i64) -> (&str, u16) {
    let address = &members.members[&ServerId(server)].addresses[0];
    (&address.host, address.election_port)
}

fn quorum_port(members: &EnsembleConfig, server: i64) -> (&str, u16) {
    let address = &members.members[&ServerId(server)].addresses[0];
    (&address.host, address.quorum_port)
}

/// Votes are told apart by their round.
fn vote(round: i64) -> Notification {
    Notification {
        state: PeerState::Looking,
        leader: ServerId(1),
        zxid: Zxid(0),
        round,
        peer_epoch: 0,
        version: Notification::VERSION,
        config: Some("version=0".to_owned()),
    }
}

fn hello(server: i64, listener: Option<&TcpListener>) -> Vec<u8> {
    let port = listener.map_or(1, |it| it.local_addr().unwrap().port());
    let message = InitialMessage {
        server: ServerId(server),
        addresses: vec![("127.0.0.1".to_owned(), port)],
    };
    message.encode(false)
}

/// Everything that comes on a bare socket, up to its end.
async fn read_all(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    // A connection may end with an error, too.
    let _ = soon(stream.read_to_end(&mut all)).await;
    all
}

/// The introduction of whoever opened this connection.
async fn read_hello(stream: &mut TcpStream) -> InitialMessage {
    let mut input = vec![0; 20];
    soon(stream.read_exact(&mut input)).await.unwrap();
    let length = i32::from_be_bytes(*input.last_chunk().unwrap());
    input.resize(20 + usize::try_from(length).unwrap(), 0);
    soon(stream.read_exact(&mut input[20..])).await.unwrap();
    InitialMessage::split(&input).unwrap().unwrap().0
}

/// The round of the next vote on a bare socket.
async fn read_vote(stream: &mut TcpStream) -> i64 {
    let length = soon(stream.read_i32()).await.unwrap();
    let mut frame = vec![0; usize::try_from(length).unwrap()];
    soon(stream.read_exact(&mut frame)).await.unwrap();
    Notification::decode(&frame).unwrap().round
}

async fn write(stream: &mut TcpStream, bytes: &[u8]) {
    soon(stream.write_all(bytes)).await.unwrap();
}
