//! Bytes between leader and learners on the quorum ports.

use super::*;

/// Two servers and a link from the first one to the second.
async fn linked() -> (Peer, LinkId, Peer, LinkId) {
    let members = members(2);
    let mut one = Peer::start(1, &members).await;
    let mut two = Peer::start(2, &members).await;
    let dialled = one.network.dial(ServerId(2));
    connected(&mut one, dialled).await;
    let accepted = two.accepted().await;
    (one, dialled, two, accepted)
}

/// A server and a bare connection to its quorum port.
async fn with_bare() -> (Peer, LinkId, TcpStream) {
    let members = members(1);
    let mut one = Peer::start(1, &members).await;
    let stream = TcpStream::connect(quorum_port(&members, 1)).await.unwrap();
    let link = one.accepted().await;
    (one, link, stream)
}

async fn connected(peer: &mut Peer, link: LinkId) {
    let event = peer.event().await;
    assert!(
        matches!(event, PeerEvent::Connected(it) if it == link),
        "{event:?}"
    );
}

async fn disconnected(peer: &mut Peer, link: LinkId) {
    let event = peer.event().await;
    assert!(
        matches!(event, PeerEvent::Disconnected(it) if it == link),
        "{event:?}"
    );
}

/// Bytes that show it if they come in another order.
fn pattern(count: usize) -> Vec<u8> {
    let numbers = (0u32..).flat_map(u32::to_be_bytes);
    numbers.take(count).collect()
}

#[tokio::test]
async fn bytes_go_both_ways() {
    let (mut one, dialled, mut two, accepted) = linked().await;
    one.network.send(dialled, b"hello ");
    one.send(dialled, b"leader");
    assert_eq!(two.received(accepted, 12).await, b"hello leader");
    two.send(accepted, b"hello learner");
    assert_eq!(one.received(dialled, 13).await, b"hello learner");
    drop(one);
    disconnected(&mut two, accepted).await;
}

/// Observers come to another port, at which only voters listen.
#[tokio::test]
async fn observers_come_by_their_own_port() {
    let mut members = members(2);
    let observer = members.members.get_mut(&ServerId(2)).unwrap();
    observer.role = Role::Observer;
    let master_port = Some(free_ports(1)[0]);
    let start = async |own| {
        let options = options(own, &members);
        let options = Options {
            master_port,
            ..options
        };
        Peer::start_with(options).await.unwrap()
    };
    // On the same address, which has room for one.
    let (mut voter, mut observer) = (start(1).await, start(2).await);
    let dialled = observer.network.dial_master(ServerId(1));
    connected(&mut observer, dialled).await;
    let accepted = match voter.event().await {
        PeerEvent::ObserverAccepted { link, .. } => link,
        other => panic!("{other:?} is no observer"),
    };
    observer.send(dialled, b"hello");
    assert_eq!(voter.received(accepted, 5).await, b"hello");
}

#[tokio::test]
async fn what_is_sent_while_dialling_arrives() {
    let members = members(2);
    let mut one = Peer::start(1, &members).await;
    let mut two = Peer::start(2, &members).await;
    let dialled = one.network.dial(ServerId(2));
    one.send(dialled, b"early");
    assert_eq!(one.network.backlog(dialled), 5);
    let accepted = two.accepted().await;
    assert_eq!(two.received(accepted, 5).await, b"early");
    connected(&mut one, dialled).await;
}

#[tokio::test]
async fn a_dial_that_fails_is_told() {
    let members = members(2);
    let mut one = Peer::start(1, &members).await;
    let refused = one.network.dial(ServerId(2));
    disconnected(&mut one, refused).await;
    let nowhere = one.network.dial(ServerId(9));
    assert_ne!(refused, nowhere);
    disconnected(&mut one, nowhere).await;
    one.send(nowhere, b"lost");
    assert_eq!(one.network.backlog(nowhere), 0);
}

#[tokio::test]
async fn all_bytes_are_told_before_the_end() {
    let (mut one, link, mut stream) = with_bare().await;
    let bytes = pattern(1_000_000);
    let (received, ()) = tokio::join!(one.received(link, bytes.len()), async {
        write(&mut stream, &bytes).await;
        drop(stream);
    });
    assert!(received == bytes);
    disconnected(&mut one, link).await;
}

#[tokio::test]
async fn a_reader_that_catches_up_is_told() {
    let (mut one, link, mut stream) = with_bare().await;
    let piece = pattern(64 * 1024);
    let mut pieces = 0;
    while one.network.backlog(link) <= 2 * 1024 * 1024 {
        one.send(link, &piece);
        pieces += 1;
    }
    for _ in 0..pieces {
        let mut received = vec![0; piece.len()];
        soon(stream.read_exact(&mut received)).await.unwrap();
        assert!(received == piece);
    }
    let event = one.event().await;
    assert!(
        matches!(event, PeerEvent::Drained(it) if it == link),
        "{event:?}"
    );
    one.send(link, b"end");
    one.network.close(link);
    assert_eq!(read_all(&mut stream).await, b"end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_transfers_keep_their_order() {
    const PIECES: usize = 400;
    let (mut one, dialled, mut two, accepted) = linked().await;
    let bytes = pattern(64 * 1000 * PIECES);
    let sent = bytes.clone();
    // As a peer does it: from a thread that is none of the runtime's.
    let sender = std::thread::spawn(move || {
        for piece in sent.chunks(sent.len() / PIECES) {
            one.send(dialled, piece);
        }
        one
    });
    assert!(two.received(accepted, bytes.len()).await == bytes);
    let mut one = sender.join().unwrap();
    one.network.close(dialled);
    disconnected(&mut two, accepted).await;
}

#[tokio::test]
async fn a_closed_link_delivers_what_was_put_on_it() {
    let (mut one, link, mut stream) = with_bare().await;
    let bytes = pattern(1_000_000);
    one.network.send(link, &bytes);
    one.network.close(link);
    one.network.send(link, b"too late");
    // Something that is never read must not take the answer with it.
    let (mut reader, mut writer) = stream.split();
    let mut received = Vec::new();
    let noise = async { while writer.write_all(&[0; 4096]).await.is_ok() {} };
    let reading = async { soon(reader.read_to_end(&mut received)).await.unwrap() };
    tokio::select! {
        _ = reading => {}
        // If it is closed for good, there is an end to be read.
        () = async { noise.await; std::future::pending().await } => {}
    }
    assert!(received == bytes);
    drop(stream);
    // Whatever came before the end, the end is not told.
    let refused = one.network.dial(ServerId(9));
    let events = one
        .until(|it| matches!(it, PeerEvent::Disconnected(id) if *id == refused))
        .await;
    for event in &events[..events.len() - 1] {
        assert!(matches!(event, PeerEvent::Received { .. }), "{event:?}");
    }
}

#[tokio::test]
async fn a_closed_link_does_not_wait_for_ever() {
    let (mut one, link, mut stream) = with_bare().await;
    while one.network.backlog(link) <= 1024 * 1024 {
        one.send(link, &pattern(64 * 1024));
    }
    one.network.close(link);
    assert_eq!(one.network.backlog(link), 0);
    // Nothing is read here until the other side gives up, which can only be
    // seen by writing.
    let gave_up = async { while stream.write_all(b"?").await.is_ok() {} };
    soon(gave_up).await;
}

#[tokio::test]
async fn a_dial_can_be_given_up() {
    let members = members(2);
    let mut one = Peer::start(1, &members).await;
    let given_up = one.network.dial(ServerId(2));
    one.network.close(given_up);
    let other = one.network.dial(ServerId(2));
    disconnected(&mut one, other).await;
}
