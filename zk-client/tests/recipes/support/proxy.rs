//! The wire between clients and a server: it can be cut, kept cut, held up,
//! and made to lose the answer to one kind of request. It knows frames, and of
//! their content only the two numbers that requests and answers begin with.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// No request has this number.
const NONE: i32 = i32::MIN;
/// The xid of a notification.
const NOTIFICATION: i32 = -1;

/// A proxy that forwards until it is told otherwise.
pub(crate) struct Proxy {
    address: SocketAddr,
    wire: Arc<Wire>,
}

struct Wire {
    server: SocketAddr,
    /// Grows with each cut; a connection of an older number ends.
    cuts: watch::Sender<u32>,
    /// No new connection gets through.
    is_blocked: watch::Sender<bool>,
    /// Requests, and answers, wait.
    holds_requests: watch::Sender<bool>,
    holds_answers: watch::Sender<bool>,
    /// The kind of request whose next answer is lost.
    doomed_op: AtomicI32,
    notifications: AtomicUsize,
    /// How many requests went through.
    requests: watch::Sender<usize>,
}

impl Proxy {
    pub(crate) async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let wire = Arc::new(Wire {
            server,
            cuts: watch::Sender::new(0),
            is_blocked: watch::Sender::new(false),
            holds_requests: watch::Sender::new(false),
            holds_answers: watch::Sender::new(false),
            doomed_op: AtomicI32::new(NONE),
            notifications: AtomicUsize::new(0),
            requests: watch::Sender::new(0),
        });
        tokio::spawn(accept(listener, wire.clone()));
        Self { address, wire }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Breaks all connections; new ones are let through.
    pub(crate) fn cut(&self) {
        self.wire.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Breaks all connections and lets no new one through: to the server the
    /// clients behind are dead.
    pub(crate) fn block(&self) {
        self.wire.is_blocked.send_replace(true);
        self.cut();
    }

    /// Lets everything through again.
    pub(crate) fn heal(&self) {
        self.wire.is_blocked.send_replace(false);
        self.wire.holds_requests.send_replace(false);
        self.wire.holds_answers.send_replace(false);
    }

    /// Keeps everything back, and breaks nothing: the clients behind are
    /// paused.
    pub(crate) fn pause(&self) {
        self.wire.holds_requests.send_replace(true);
        self.wire.holds_answers.send_replace(true);
    }

    /// Keeps the answers back.
    pub(crate) fn hold_answers(&self) {
        self.wire.holds_answers.send_replace(true);
    }

    /// Lets the next request of this kind through, and breaks its connection
    /// instead of delivering the answer.
    pub(crate) fn lose_answer_to(&self, op: i32) {
        self.wire.doomed_op.store(op, Ordering::SeqCst);
    }

    /// Whether no answer is still to be lost.
    pub(crate) fn has_lost(&self) -> bool {
        self.wire.doomed_op.load(Ordering::SeqCst) == NONE
    }

    /// Waits until so many more requests went through.
    pub(crate) async fn more_requests(&self, count: usize) {
        let mut requests = self.wire.requests.subscribe();
        let wanted = *requests.borrow() + count;
        requests.wait_for(|now| *now >= wanted).await.unwrap();
    }

    /// How many notifications of watches went through.
    pub(crate) fn notifications(&self) -> usize {
        self.wire.notifications.load(Ordering::SeqCst)
    }
}

async fn accept(listener: TcpListener, wire: Arc<Wire>) {
    while let Ok((client, _)) = listener.accept().await {
        if *wire.is_blocked.borrow() {
            continue;
        }
        tokio::spawn(carry(client, wire.clone()));
    }
}

async fn carry(client: TcpStream, wire: Arc<Wire>) {
    let mut cuts = wire.cuts.subscribe();
    let Ok(server) = TcpStream::connect(wire.server).await else {
        return;
    };
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let doomed = Mutex::new(HashSet::new());
    // Dropping the sockets is the cut.
    tokio::select! {
        _ = cuts.changed() => {}
        _ = requests(from_client, to_server, &wire, &doomed) => {}
        _ = answers(from_server, to_client, &wire, &doomed) => {}
    }
}

async fn requests(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    wire: &Wire,
    doomed: &Mutex<HashSet<i32>>,
) -> Option<()> {
    let mut is_handshake = true;
    loop {
        let frame = frame(&mut from).await?;
        open(&wire.holds_requests).await;
        let is_doomed = wire
            .doomed_op
            .compare_exchange(number(&frame, 4), NONE, Ordering::SeqCst, Ordering::SeqCst)
            .is_ok();
        if is_doomed && !is_handshake {
            doomed.lock().unwrap().insert(number(&frame, 0));
        }
        is_handshake = false;
        send(&mut to, &frame).await?;
        wire.requests.send_modify(|requests| *requests += 1);
    }
}

async fn answers(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    wire: &Wire,
    doomed: &Mutex<HashSet<i32>>,
) -> Option<()> {
    let mut is_handshake = true;
    loop {
        let frame = frame(&mut from).await?;
        open(&wire.holds_answers).await;
        let xid = number(&frame, 0);
        if !is_handshake && doomed.lock().unwrap().contains(&xid) {
            return None;
        }
        if !is_handshake && xid == NOTIFICATION {
            wire.notifications.fetch_add(1, Ordering::SeqCst);
        }
        is_handshake = false;
        send(&mut to, &frame).await?;
    }
}

/// Waits while a gate is shut.
async fn open(gate: &watch::Sender<bool>) {
    let mut gate = gate.subscribe();
    gate.wait_for(|is_shut| !is_shut).await.unwrap();
}

/// The payload of the next frame.
async fn frame(from: &mut OwnedReadHalf) -> Option<Vec<u8>> {
    let length = from.read_u32().await.ok()?;
    let mut payload = vec![0; length as usize];
    from.read_exact(&mut payload).await.ok()?;
    Some(payload)
}

async fn send(to: &mut OwnedWriteHalf, payload: &[u8]) -> Option<()> {
    let mut frame = (payload.len() as u32).to_be_bytes().to_vec();
    frame.extend_from_slice(payload);
    to.write_all(&frame).await.ok()
}

/// The number at this offset of a payload.
fn number(payload: &[u8], at: usize) -> i32 {
    let bytes = payload
        .get(at..at + 4)
        .and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(NONE + 1, i32::from_be_bytes)
}
