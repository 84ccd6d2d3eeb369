//! Connections come and go; the session stays, or says that it is gone.

use crate::fake_server::{Connection, listen};
use std::time::Duration;
use zk_client::{Client, Connector, Error, KeeperState, SessionId, SessionState};
use zk_proto::{ConnectRequest, Request, RequestHeader};

const SESSION: SessionId = SessionId(0x0100_002a_f4de_0000);

/// Takes a request and answers it with this error code.
async fn answer(server: &mut Connection, err: i32) -> Request<'static> {
    let request = server.receive().await.unwrap();
    let (header, body) = RequestHeader::split(&request).unwrap();
    let mut reply = header.xid.0.to_be_bytes().to_vec();
    reply.extend(9i64.to_be_bytes());
    reply.extend(err.to_be_bytes());
    server.send(&reply).await;
    Request::decode(header.op, body.to_vec().leak()).unwrap()
}

#[tokio::test]
async fn the_session_goes_on_at_the_next_connection() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut first = Connection::accept(&listener).await;
        first.handshake().await;
        answer(&mut first, -101).await;
        // The second request is read, and never answered.
        first.receive().await.unwrap();
        drop(first);
        let mut second = Connection::accept(&listener).await;
        let request = second.handshake().await;
        let request = ConnectRequest::decode(&request).unwrap();
        assert_eq!(request.session_id, SESSION);
        assert_eq!(request.last_zxid_seen.0, 9);
        let Request::SetWatches(watches) = answer(&mut second, 0).await else {
            panic!("watches are due first");
        };
        assert_eq!(watches.exist, Some(vec!["/app/w".into()]));
        answer(&mut second, -101).await;
        answer(&mut second, 0).await
    });
    let (client, mut events) = Connector::new(&format!("{address}/app")).unwrap().start();
    assert_eq!(client.exists("/w", true).await.unwrap(), None);
    let error = client.get_data("/w", false).await.unwrap_err();
    assert_eq!(error, Error::ConnectionLoss { sent: true });
    assert!(error.may_have_happened());
    assert_eq!(client.exists("/v", false).await.unwrap(), None);
    assert_eq!(client.session_id(), SESSION);
    client.close().await.unwrap();
    assert_eq!(server.await.unwrap(), Request::CloseSession);
    let mut states = Vec::new();
    while let Some(event) = events.next().await {
        states.push(event.state);
    }
    assert_eq!(
        states,
        [
            KeeperState::SyncConnected,
            KeeperState::Disconnected,
            KeeperState::SyncConnected,
            KeeperState::Closed
        ]
    );
}

#[tokio::test]
async fn a_refused_session_has_expired() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut first = Connection::accept(&listener).await;
        first.handshake().await;
        drop(first);
        let mut second = Connection::accept(&listener).await;
        second.receive().await.unwrap();
        let mut refusal = vec![0; 16];
        refusal.extend(16i32.to_be_bytes());
        refusal.extend([0; 17]);
        second.send(&refusal).await;
        second
    });
    let (client, mut events) = Connector::new(&address).unwrap().start();
    let mut states = Vec::new();
    while let Some(event) = events.next().await {
        states.push(event.state);
    }
    let _second = server.await.unwrap();
    assert_eq!(
        states,
        [
            KeeperState::SyncConnected,
            KeeperState::Disconnected,
            KeeperState::Expired
        ]
    );
    let error = client.sync("/").await.unwrap_err();
    assert_eq!(error, Error::SessionExpired { sent: false });
    assert!(!error.may_have_happened());
}

#[tokio::test]
async fn without_a_server_requests_fail_and_the_client_goes_on_trying() {
    let (listener, address) = listen().await;
    drop(listener);
    let (client, _) = Connector::new(&address).unwrap().start();
    let error = client.sync("/").await.unwrap_err();
    assert_eq!(error, Error::ConnectionLoss { sent: false });
    assert_eq!(client.state(), SessionState::Connecting);
    client.close().await.unwrap();
    assert_eq!(client.state(), SessionState::Closed);
}

#[tokio::test]
async fn the_next_server_of_the_list_is_tried() {
    let (dead, dead_address) = listen().await;
    drop(dead);
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut connection = Connection::accept(&listener).await;
        connection.handshake().await;
        answer(&mut connection, 0).await
    });
    let connect_string = format!("{dead_address},{address},{dead_address}");
    let (client, _) = Connector::new(&connect_string)
        .unwrap()
        .connect_timeout(Duration::from_secs(10))
        .start();
    client.connected().await.unwrap();
    client.close().await.unwrap();
    server.await.unwrap();
}

#[tokio::test]
async fn the_last_client_to_go_closes_the_session() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut connection = Connection::accept(&listener).await;
        connection.handshake().await;
        answer(&mut connection, 0).await
    });
    let client = Client::connect(&address).await.unwrap();
    let other = client.clone();
    drop(client);
    assert_eq!(other.state(), SessionState::Connected);
    drop(other);
    assert_eq!(server.await.unwrap(), Request::CloseSession);
}

#[tokio::test]
async fn garbage_from_a_server_breaks_the_connection_only() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut first = Connection::accept(&listener).await;
        first.handshake().await;
        first.receive().await.unwrap();
        first.send(b"this is no answer").await;
        assert_eq!(first.receive().await, None, "the client hangs up");
        let mut second = Connection::accept(&listener).await;
        second.handshake().await;
        answer(&mut second, 0).await
    });
    let client = Client::connect(&address).await.unwrap();
    let error = client.sync("/").await.unwrap_err();
    assert_eq!(error, Error::ConnectionLoss { sent: true });
    client.connected().await.unwrap();
    client.close().await.unwrap();
    server.await.unwrap();
}
