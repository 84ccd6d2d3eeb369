//! Votes on the election ports.

use super::*;

fn is_disconnect(event: &PeerEvent) -> bool {
    matches!(event, PeerEvent::VoterDisconnected(_))
}

/// A bare election port, for a member with that id.
async fn bare(members: &mut EnsembleConfig, server: i64) -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    member_at(members, server).election_port = listener.local_addr().unwrap().port();
    listener
}

async fn accept(listener: &TcpListener) -> TcpStream {
    soon(listener.accept()).await.unwrap().0
}

#[tokio::test]
async fn two_servers_exchange_votes() {
    let members = members(2);
    let mut one = Peer::start(1, &members).await;
    let mut two = Peer::start(2, &members).await;
    one.send_vote(2, 11);
    assert_eq!(two.vote().await, (1, 11));
    two.send_vote(1, 22);
    assert_eq!(one.vote().await, (2, 22));
    one.send_vote(2, 12);
    assert_eq!(two.vote().await, (1, 12));
}

#[tokio::test]
async fn three_servers_hear_of_all_others() {
    let members = members(3);
    let mut peers = Vec::new();
    for id in 1..=3 {
        peers.push(Peer::start(id, &members).await);
    }
    for peer in &mut peers {
        peer.network.connect_voters();
    }
    for (id, peer) in (1..).zip(&mut peers) {
        for to in 1..=3 {
            // What is for the sender itself goes nowhere.
            peer.send_vote(to, 10 * id + to);
        }
    }
    for (id, peer) in (1..).zip(&mut peers) {
        let mut missing: Vec<(i64, i64)> = (1..=3)
            .filter(|from| *from != id)
            .map(|from| (from, 10 * from + id))
            .collect();
        while !missing.is_empty() {
            // One may come again after a link was replaced.
            let vote = peer.vote().await;
            assert_ne!(vote.0, id);
            missing.retain(|it| *it != vote);
        }
    }
}

#[tokio::test]
async fn the_smaller_server_knocks_and_goes() {
    let mut members = members(3);
    let three = bare(&mut members, 3).await;
    let mut two = Peer::start(2, &members).await;
    two.send_vote(3, 1);
    let mut knock = accept(&three).await;
    let message = read_hello(&mut knock).await;
    let (host, port) = election_port(&members, 2);
    assert_eq!(message.server, ServerId(2));
    assert_eq!(message.addresses, [(host.to_owned(), port)]);
    assert_eq!(read_all(&mut knock).await, b"", "the vote has to wait");
    // The larger one opens the link.
    let mut link = TcpStream::connect(election_port(&members, 2))
        .await
        .unwrap();
    write(&mut link, &hello(3, Some(&three))).await;
    two.connected_to(3).await;
    assert_eq!(read_vote(&mut link).await, 1);
}

#[tokio::test]
async fn the_larger_server_dials_and_stays() {
    let mut members = members(2);
    let one = bare(&mut members, 1).await;
    let mut two = Peer::start(2, &members).await;
    two.send_vote(1, 1);
    let mut link = accept(&one).await;
    assert_eq!(read_hello(&mut link).await.server, ServerId(2));
    assert_eq!(read_vote(&mut link).await, 1);
    write(&mut link, &vote(5).encode()).await;
    assert_eq!(two.vote().await, (1, 5));
}

#[tokio::test]
async fn a_knock_is_answered_with_a_link() {
    let mut members = members(2);
    let one = bare(&mut members, 1).await;
    let mut two = Peer::start(2, &members).await;
    let port = election_port(&members, 2);
    let mut knock = TcpStream::connect(port).await.unwrap();
    // Byte for byte, as a network may cut it.
    for byte in hello(1, Some(&one)) {
        write(&mut knock, &[byte]).await;
    }
    assert_eq!(read_all(&mut knock).await, b"");
    let mut first = accept(&one).await;
    read_hello(&mut first).await;
    two.connected_to(1).await;
    // It has lost the link, and knocks again before we know.
    let mut knock = TcpStream::connect(port).await.unwrap();
    write(&mut knock, &hello(1, Some(&one))).await;
    let mut second = accept(&one).await;
    read_hello(&mut second).await;
    let events = two.connected_to(1).await;
    assert!(!events.iter().any(is_disconnect), "{events:?}");
    assert_eq!(read_all(&mut first).await, b"", "it is replaced");
}

#[tokio::test]
async fn the_newest_vote_waits_for_a_link() {
    let members = members(2);
    let mut one = Peer::start(1, &members).await;
    for round in 1..=3 {
        one.send_vote(2, round);
    }
    one.disconnected_from(2).await;
    let mut two = Peer::start(2, &members).await;
    two.network.connect_voters();
    assert_eq!(two.vote().await, (1, 3));
    one.send_vote(2, 4);
    assert_eq!(two.vote().await, (1, 4));
}

#[tokio::test]
async fn a_refused_dial_is_told() {
    let members = members(3);
    let mut two = Peer::start(2, &members).await;
    two.network.connect_voters();
    let mut events = vec![two.event().await, two.event().await];
    events.retain(|it| !is_disconnect(it));
    assert!(events.is_empty(), "{events:?}");
    two.send_vote(9, 1);
    two.disconnected_from(9).await;
}

#[tokio::test]
async fn the_last_vote_is_said_again_on_a_new_link() {
    let mut members = members(2);
    let one = bare(&mut members, 1).await;
    let mut two = Peer::start(2, &members).await;
    two.send_vote(1, 7);
    let mut link = accept(&one).await;
    read_hello(&mut link).await;
    assert_eq!(read_vote(&mut link).await, 7);
    drop(link);
    two.disconnected_from(1).await;
    two.network.connect_voters();
    let mut link = accept(&one).await;
    read_hello(&mut link).await;
    assert_eq!(read_vote(&mut link).await, 7);
}

/// A link from a server with a larger id than all members.
async fn link_from(server: i64, to: (&str, u16)) -> TcpStream {
    let mut link = TcpStream::connect(to).await.unwrap();
    write(&mut link, &hello(server, None)).await;
    link
}

#[tokio::test]
async fn all_votes_are_told_before_the_end_of_a_link() {
    let members = members(1);
    let mut one = Peer::start(1, &members).await;
    let mut link = TcpStream::connect(election_port(&members, 1))
        .await
        .unwrap();
    let mut bytes = hello(9, None);
    for round in 0..100 {
        bytes.extend(vote(round).encode());
    }
    write(&mut link, &bytes).await;
    drop(link);
    let events = one.disconnected_from(9).await;
    let rounds = events.iter().filter_map(|event| match event {
        PeerEvent::Notification { notification, .. } => Some(notification.round),
        _ => None,
    });
    assert_eq!(rounds.collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_replaced_link_ends_in_silence() {
    let members = members(1);
    let mut one = Peer::start(1, &members).await;
    let mut first = link_from(9, election_port(&members, 1)).await;
    one.connected_to(9).await;
    let mut second = link_from(9, election_port(&members, 1)).await;
    let mut events = one.connected_to(9).await;
    assert_eq!(read_all(&mut first).await, b"");
    write(&mut second, &vote(2).encode()).await;
    drop(second);
    events.extend(one.disconnected_from(9).await);
    let disconnects = events.iter().filter(|it| is_disconnect(it));
    assert_eq!(disconnects.count(), 1, "{events:?}");
}

#[tokio::test]
async fn a_stranger_is_dialled_where_it_said() {
    let members = members(2);
    let stranger = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut two = Peer::start(2, &members).await;
    let mut knock = TcpStream::connect(election_port(&members, 2))
        .await
        .unwrap();
    write(&mut knock, &hello(-7, Some(&stranger))).await;
    let mut link = accept(&stranger).await;
    read_hello(&mut link).await;
    drop(link);
    two.disconnected_from(-7).await;
    two.send_vote(-7, 3);
    let mut link = accept(&stranger).await;
    read_hello(&mut link).await;
    assert_eq!(read_vote(&mut link).await, 3);
}

#[tokio::test]
async fn an_observer_without_an_id_gets_one() {
    let members = members(1);
    let observer = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut one = Peer::start(1, &members).await;
    let mut knock = TcpStream::connect(election_port(&members, 1))
        .await
        .unwrap();
    write(&mut knock, &hello(i64::MAX, Some(&observer))).await;
    accept(&observer).await;
    one.connected_to(-1).await;
}

#[tokio::test]
async fn the_second_address_is_tried_too() {
    let ports = free_ports(5);
    let one = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = one.local_addr().unwrap().port();
    let members = members_at(&[
        (1, vec![address(1, ports[0]), address(1, port)]),
        (
            2,
            vec![address(ports[1], ports[2]), address(ports[3], ports[4])],
        ),
    ]);
    let mut options = options(2, &members);
    options.many_addresses = true;
    let mut two = Peer::start_with(options).await.unwrap();
    two.send_vote(1, 1);
    let mut link = accept(&one).await;
    let message = read_hello(&mut link).await;
    assert_eq!(message.addresses.len(), 2, "{message:?}");
    assert_eq!(read_vote(&mut link).await, 1);
}

#[tokio::test]
async fn names_are_resolved() {
    let mut members = members(2);
    for id in 1..=2 {
        member_at(&mut members, id).host = "localhost".to_owned();
    }
    let mut one = Peer::start(1, &members).await;
    let mut two = Peer::start(2, &members).await;
    one.send_vote(2, 1);
    assert_eq!(two.vote().await, (1, 1));
    member_at(&mut members, 2).host = no_name();
    drop(two);
    one.disconnected_from(2).await;
    one.network.set_members(&members);
    one.send_vote(2, 2);
    one.disconnected_from(2).await;
    // The name is there again.
    member_at(&mut members, 2).host = "localhost".to_owned();
    one.network.set_members(&members);
    let mut two = Peer::start(2, &members).await;
    one.send_vote(2, 3);
    assert_eq!(two.vote().await, (1, 3));
}

#[tokio::test]
async fn garbage_ends_its_connection_and_nothing_else() {
    let members = members(2);
    let mut one = Peer::start(1, &members).await;
    let port = election_port(&members, 1);
    let mut own_id = hello(1, None);
    own_id.extend(vote(1).encode());
    let long = [&(-65_536i64).to_be_bytes()[..], &[0; 8], &[0x7f; 4]].concat();
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 64], &own_id, &long] {
        let mut stream = TcpStream::connect(port).await.unwrap();
        write(&mut stream, bytes).await;
        assert_eq!(read_all(&mut stream).await, b"");
    }
    for length in [0, -1, i32::MAX] {
        let mut link = link_from(9, port).await;
        one.connected_to(9).await;
        write(&mut link, &length.to_be_bytes()).await;
        one.disconnected_from(9).await;
    }
    let mut link = link_from(9, port).await;
    let mut unknown = vote(1).encode();
    unknown[7] = 99;
    write(&mut link, &[unknown, vote(8).encode()].concat()).await;
    assert_eq!(one.vote().await, (9, 8), "the unknown state is skipped");
}

#[tokio::test]
async fn a_link_that_takes_nothing_gets_the_newest_vote_later() {
    let members = members(1);
    let mut one = Peer::start(1, &members).await;
    let mut link = link_from(9, election_port(&members, 1)).await;
    one.connected_to(9).await;
    let mut large = vote(0);
    large.config = Some("x".repeat(400_000));
    let last = 100;
    for round in 1..=last {
        large.round = round;
        one.network.send_vote(ServerId(9), &large);
    }
    let mut rounds = vec![0];
    while rounds.last() != Some(&last) {
        let round = read_vote(&mut link).await;
        assert!(round > *rounds.last().unwrap(), "{round} after {rounds:?}");
        rounds.push(round);
    }
    assert!(rounds.len() < 100, "some were never sent");
}
