//! Opening, moving and closing the ports themselves.

use super::*;

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let members = members(1);
    for (host, port) in [election_port(&members, 1), quorum_port(&members, 1)] {
        let _taken = TcpListener::bind((host, port)).await.unwrap();
        let mut options = options(1, &members);
        options.bind_tries = 1;
        let error = Peer::start_with(options).await.err().unwrap().to_string();
        assert!(error.contains(&format!("{host}:{port}")), "{error}");
    }
}

#[tokio::test]
async fn a_stranger_has_no_ports() {
    let error = Peer::start_with(options(2, &members(1))).await.err();
    assert!(matches!(error, Some(NetworkError::NotAMember(ServerId(2)))));
}

#[tokio::test]
async fn dropped_ports_are_free_soon() {
    let members = members(2);
    for _ in 0..3 {
        let mut one = Peer::start(1, &members).await;
        let mut learner = TcpStream::connect(quorum_port(&members, 1)).await.unwrap();
        one.accepted().await;
        let mut voter = TcpStream::connect(election_port(&members, 1))
            .await
            .unwrap();
        write(&mut voter, &hello(2, None)).await;
        one.connected_to(2).await;
        drop(one);
        assert_eq!(read_all(&mut learner).await, b"");
        assert_eq!(read_all(&mut voter).await, b"");
    }
}

#[tokio::test]
async fn ports_follow_the_members() {
    let before = members(2);
    let after = members(2);
    let mut one = Peer::start(1, &before).await;
    let mut old = TcpStream::connect(quorum_port(&before, 1)).await.unwrap();
    let link = one.accepted().await;
    one.network.set_members(&after);
    // The other servers follow, too.
    let mut two = Peer::start(2, &after).await;
    loop {
        // The new port opens in the background.
        let dialled = two.network.dial(ServerId(1));
        if matches!(two.event().await, PeerEvent::Connected(it) if it == dialled) {
            break;
        }
    }
    one.accepted().await;
    let refused = TcpStream::connect(quorum_port(&before, 1)).await;
    assert!(refused.is_err(), "the old port is closed before");
    one.send(link, b"still here");
    one.network.close(link);
    assert_eq!(read_all(&mut old).await, b"still here");
}

#[tokio::test]
async fn a_port_moves_to_other_addresses() {
    let mut members = members(1);
    let mut options = options(1, &members);
    options.bind_tries = 1;
    let mut one = Peer::start_with(options).await.unwrap();
    member_at(&mut members, 1).host = "0.0.0.0".to_owned();
    one.network.set_members(&members);
    let port = quorum_port(&members, 1).1;
    // The old address may let somebody in, and drop it.
    let mut connections = Vec::new();
    let moved = async {
        while one.events.try_recv().is_err() {
            connections.extend(TcpStream::connect(("127.0.0.1", port)).await);
        }
    };
    soon(moved).await;
}

#[tokio::test]
async fn every_address_is_listened_on() {
    let mut members = members(1);
    member_at(&mut members, 1).host = no_name();
    let mut options = options(1, &members);
    options.bind_tries = 1;
    assert!(Peer::start_with(options.clone()).await.is_err());
    options.listen_on_all_ips = true;
    let mut one = Peer::start_with(options).await.unwrap();
    let port = quorum_port(&members, 1).1;
    let _stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    one.accepted().await;
}
