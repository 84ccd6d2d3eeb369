//! Every error that a server or the client has a reason to give, and whether
//! the operation may have happened.

use super::{Place, create, refused};
use std::time::Duration;
use tokio::net::TcpListener;
use zk_client::{
    Acl, Client, Connector, CreateMode, CreateOptions, Error, ErrorCode, Perms, SessionState,
    WatcherType,
};

/// The server refused it with this code, and it did not happen.
#[track_caller]
fn is<T: std::fmt::Debug>(outcome: Result<T, Error>, code: ErrorCode, path: &str) {
    let error = outcome.unwrap_err();
    assert_eq!(error, refused(code, path));
    assert_eq!(error.code(), Some(code));
    assert!(!error.may_have_happened());
}

pub(super) async fn of_the_tree(place: Place) {
    let client = place.client().await;
    let options = CreateOptions::default();
    create(&client, "/a").await;
    create(&client, "/a/b").await;
    let none = ErrorCode::NO_NODE;
    is(client.get_data("/n", false).await, none, "/n");
    is(client.get_children("/n", false).await, none, "/n");
    is(client.get_children_and_stat("/n", false).await, none, "/n");
    is(client.get_acl("/n").await, none, "/n");
    is(client.set_data("/n", None, -1).await, none, "/n");
    is(client.set_acl("/n", &[Acl::open()], -1).await, none, "/n");
    is(client.delete("/n", -1).await, none, "/n");
    is(client.create("/n/m", None, &options).await, none, "/n/m");
    is(client.get_all_children_number("/n").await, none, "/n");
    is(
        client.create("/a", None, &options).await,
        ErrorCode::NODE_EXISTS,
        "/a",
    );
    is(client.delete("/a", -1).await, ErrorCode::NOT_EMPTY, "/a");
    let version = ErrorCode::BAD_VERSION;
    is(client.delete("/a/b", 1).await, version, "/a/b");
    is(client.set_data("/a", None, 1).await, version, "/a");
    is(client.set_acl("/a", &[Acl::open()], 1).await, version, "/a");
    let ephemeral = CreateOptions::new(CreateMode::Ephemeral);
    client.create("/e", None, &ephemeral).await.unwrap();
    let childless = ErrorCode::NO_CHILDREN_FOR_EPHEMERALS;
    is(
        client.create("/e/c", None, &options).await,
        childless,
        "/e/c",
    );
    let ttl = CreateOptions::with_ttl(CreateMode::PersistentTtl, -7);
    is(
        client.create("/t", None, &ttl).await,
        ErrorCode::BAD_ARGUMENTS,
        "/t",
    );
    client.close().await.unwrap();
}

pub(super) async fn of_access(place: Place) {
    let client = place.client().await;
    let options = CreateOptions::default();
    let nothing = [Acl::new(Perms::ADMIN, "world", "anyone")];
    let closed = CreateOptions::default().acl(&nothing);
    client.create("/c", None, &closed).await.unwrap();
    let denied = ErrorCode::NO_AUTH;
    is(client.get_data("/c", false).await, denied, "/c");
    is(client.get_children("/c", false).await, denied, "/c");
    is(client.set_data("/c", None, -1).await, denied, "/c");
    is(client.create("/c/x", None, &options).await, denied, "/c/x");
    let unknown = [Acl::new(Perms::ALL, "nosuchscheme", "x")];
    let invalid = ErrorCode::INVALID_ACL;
    is(client.set_acl("/c", &unknown, -1).await, invalid, "/c");
    let unknown = CreateOptions::default().acl(&unknown);
    is(client.create("/u", None, &unknown).await, invalid, "/u");
    // Nobody is authenticated, so `auth` means nobody.
    let creator = [Acl::new(Perms::ALL, "auth", "")];
    let creator = CreateOptions::default().acl(&creator);
    is(client.create("/u", None, &creator).await, invalid, "/u");
    client.close().await.unwrap();
}

pub(super) async fn of_quotas(place: Place) {
    let client = place.client().await;
    create(&client, "/q").await;
    let root = Client::connect(&place.hosts).await.unwrap();
    let mut path = "/zookeeper/quota".to_owned();
    for name in [&place.chroot[1..], "q"] {
        path = format!("{path}/{name}");
        let options = CreateOptions::default();
        root.create(&path, None, &options).await.unwrap();
    }
    let limits = Some(&b"count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=2"[..]);
    let options = CreateOptions::default();
    let (limits_path, stats) = (
        format!("{path}/zookeeper_limits"),
        format!("{path}/zookeeper_stats"),
    );
    root.create(&limits_path, limits, &options).await.unwrap();
    let used = Some(&b"count=1,bytes=1"[..]);
    root.create(&stats, used, &options).await.unwrap();
    create(&client, "/q/1").await;
    let outcome = client.create("/q/2", None, &options).await;
    is(outcome, ErrorCode::QUOTA_EXCEEDED, "/q/2");
    root.close().await.unwrap();
    client.close().await.unwrap();
}

pub(super) async fn of_watches(place: Place) {
    let client = place.client().await;
    create(&client, "/a").await;
    let none = ErrorCode::NO_WATCHER;
    is(
        client.check_watches("/a", WatcherType::Any).await,
        none,
        "/a",
    );
    for kind in [WatcherType::Any, WatcherType::Data, WatcherType::Children] {
        is(client.remove_watches("/a", kind, false).await, none, "/a");
    }
    client.close().await.unwrap();
}

pub(super) async fn of_reconfiguration(place: Place) {
    let client = place.client().await;
    let outcome = client.reconfig(None, Some("9"), None, -1).await;
    is(outcome, ErrorCode::RECONFIG_DISABLED, "");
    client.close().await.unwrap();
}

pub(super) async fn of_identities(place: Place) {
    let (client, mut events) = place.listening().await;
    let error = client.add_auth("nosuchscheme", None).await.unwrap_err();
    assert_eq!(error, Error::AuthFailed { sent: true });
    assert_eq!(client.state(), SessionState::AuthFailed);
    let error = client.sync("/").await.unwrap_err();
    assert_eq!(error, Error::AuthFailed { sent: false });
    assert_eq!(error.code(), Some(ErrorCode::AUTH_FAILED));
    assert!(!error.may_have_happened());
    assert!(events.next().await.unwrap().is_end());
    assert_eq!(events.next().await, None);
}

/// These the client finds by itself.
pub(super) async fn of_arguments(place: Place) {
    let client = place.client().await;
    for path in ["", "a", "/a/", "//", "/a/../b", "/a\0b"] {
        let error = client.exists(path, false).await.unwrap_err();
        assert!(matches!(error, Error::Path { .. }), "{path:?}: {error}");
        assert!(!error.may_have_happened());
    }
    let nobody = CreateOptions::default().acl(&[]);
    let error = client.create("/a", None, &nobody).await.unwrap_err();
    assert_eq!(error, Error::EmptyAcl);
    let error = client.set_acl("/", &[], -1).await.unwrap_err();
    assert_eq!(
        (error.code(), error.may_have_happened()),
        (Some(ErrorCode::INVALID_ACL), false)
    );
    let error = client.update_servers("other:1/elsewhere").unwrap_err();
    assert!(matches!(error, Error::ConnectString(_)));
    client.close().await.unwrap();
}

/// Servers hang up on a request that is longer than `jute.maxbuffer`; the
/// session goes on.
pub(super) async fn of_requests_that_are_too_long(place: Place) {
    let client = place.client().await;
    let session = client.session_id();
    create(&client, "/a").await;
    let data = vec![7; 3_000_000];
    let error = client.set_data("/a", Some(&data), -1).await.unwrap_err();
    assert_eq!(error, Error::ConnectionLoss { sent: true });
    assert_eq!(error.code(), Some(ErrorCode::CONNECTION_LOSS));
    assert!(error.may_have_happened());
    client.connected().await.unwrap();
    assert_eq!(client.get_data("/a", false).await.unwrap().1.version, 0);
    assert_eq!(client.session_id(), session);
    client.close().await.unwrap();
}

/// A server that accepts connections and says nothing has the requests wait.
pub(super) async fn of_time(place: Place) {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let connector = Connector::new(&address).unwrap();
    let (client, _) = connector.request_timeout(Duration::from_millis(1)).start();
    let error = client.get_data("/a", false).await.unwrap_err();
    assert_eq!(error, Error::Timeout);
    assert_eq!(error.code(), Some(ErrorCode::REQUEST_TIMEOUT));
    assert!(error.may_have_happened());
    let error = client.add_auth("digest", Some(b"a:b")).await.unwrap_err();
    assert_eq!(error, Error::Timeout);
    client.close().await.unwrap();

    let client = place.client().await;
    create(&client, "/a").await;
    let patient = client.with_request_timeout(super::PATIENCE);
    patient.get_data("/a", false).await.unwrap();
    client.close().await.unwrap();
}

pub(super) async fn of_sessions_that_are_over(place: Place) {
    let (client, mut events) = place.listening().await;
    client.close().await.unwrap();
    let error = client.sync("/").await.unwrap_err();
    assert_eq!(error, Error::Closed { sent: false });
    assert_eq!(error.code(), Some(ErrorCode::SESSION_EXPIRED));
    assert!(!error.may_have_happened());
    let error = client.add_auth("digest", Some(b"a:b")).await.unwrap_err();
    assert_eq!(error, Error::Closed { sent: false });
    client.close().await.unwrap();
    assert!(events.next().await.unwrap().is_end());
    assert_eq!(
        client.connected().await.unwrap_err(),
        Error::Closed { sent: false }
    );
}
