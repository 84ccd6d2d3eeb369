//! Every operation: the bytes that go out and the values that come back.

use crate::fake_server::{Fixture, serve};
use zk_client::{
    Acl, Client, CreateMode, CreateOptions, Error, ErrorCode, Op, OpResult, Perms, ReadOp,
    ReadResult, SessionState,
};

async fn client(exchanges: &[&str]) -> (Client, tokio::task::JoinHandle<()>) {
    let (address, server) = serve(Fixture::operations().exchanges(exchanges)).await;
    (Client::connect(&address).await.unwrap(), server)
}

fn refused(code: ErrorCode, path: &str) -> Error {
    Error::Server {
        code,
        path: path.into(),
    }
}

#[tokio::test]
async fn creates_of_all_kinds() {
    let (client, server) = client(&[
        "create2",
        "create2-sequential",
        "createContainer",
        "createTTL",
    ])
    .await;
    let (path, stat) = client
        .create("/a2", Some(b"hi"), &CreateOptions::default())
        .await
        .unwrap();
    assert_eq!(
        (path.as_str(), stat.czxid.0, stat.data_length),
        ("/a2", 5, 2)
    );
    let sequential = CreateOptions::new(CreateMode::PersistentSequential);
    let (path, _) = client
        .create("/a/s-", Some(b""), &sequential)
        .await
        .unwrap();
    assert_eq!(path, "/a/s-0000000004");
    let container = CreateOptions::new(CreateMode::Container);
    client
        .create("/cont", Some(b"c"), &container)
        .await
        .unwrap();
    let ttl = CreateOptions::with_ttl(CreateMode::PersistentTtl, 3_600_000);
    client.create("/ttl", Some(b"t"), &ttl).await.unwrap();
    client.close().await.unwrap();
    server.await.unwrap();
}

#[tokio::test]
async fn reads() {
    let (client, server) = client(&[
        "getData",
        "getData-null",
        "getData-empty",
        "getData-nonode",
        "exists",
        "exists-nonode",
        "getChildren",
        "getChildren2",
        "getAllChildrenNumber",
        "getEphemerals-prefix",
        "sync",
    ])
    .await;
    let (data, stat) = client.get_data("/a", false).await.unwrap();
    assert_eq!(data.as_deref(), Some(&b"hello"[..]));
    assert_eq!((stat.cversion, stat.num_children, stat.pzxid.0), (6, 6, 11));
    assert_eq!(client.get_data("/n", false).await.unwrap().0, None);
    let (data, _) = client.get_data("/e", false).await.unwrap();
    assert_eq!(data.as_deref(), Some(&b""[..]));
    let error = client.get_data("/zip", false).await.unwrap_err();
    assert_eq!(error, refused(ErrorCode::NO_NODE, "/zip"));
    assert!(!error.may_have_happened());
    assert!(client.exists("/a", false).await.unwrap().is_some());
    assert_eq!(client.exists("/zip", false).await.unwrap(), None);
    let names = client.get_children("/a", false).await.unwrap();
    assert_eq!(names.len(), 6);
    let (again, stat) = client.get_children_and_stat("/a", false).await.unwrap();
    assert_eq!((again, stat.num_children), (names, 6));
    assert_eq!(client.get_all_children_number("/a").await.unwrap(), 6);
    let ephemerals = client.get_ephemerals("/a/e").await.unwrap();
    assert_eq!(ephemerals, ["/a/eph", "/a/es-0000000003"]);
    client.sync("/a").await.unwrap();
    client.close().await.unwrap();
    server.await.unwrap();
}

#[tokio::test]
async fn writes() {
    let (client, server) = client(&[
        "setData",
        "setData-badversion",
        "setACL",
        "getACL",
        "delete-notempty",
        "delete",
        "reconfig-standalone",
    ])
    .await;
    let stat = client.set_data("/a", Some(b"new"), -1).await.unwrap();
    assert_eq!((stat.version, stat.mzxid.0), (1, 61));
    let error = client.set_data("/a", Some(b"new"), 7).await.unwrap_err();
    assert_eq!(error, refused(ErrorCode::BAD_VERSION, "/a"));
    let acl = [Acl::open(), Acl::new(Perms::READ, "ip", "192.0.2.1")];
    assert_eq!(client.set_acl("/a2", &acl, 0).await.unwrap().aversion, 1);
    let (acl, _) = client.get_acl("/a").await.unwrap();
    assert_eq!(acl, [Acl::open()]);
    let error = client.delete("/d", -1).await.unwrap_err();
    assert_eq!(error, refused(ErrorCode::NOT_EMPTY, "/d"));
    client.delete("/d/x", 0).await.unwrap();
    let error = client.reconfig(None, Some("1"), None, -1).await;
    assert_eq!(
        error.unwrap_err(),
        refused(ErrorCode::RECONFIG_DISABLED, "")
    );
    client.close().await.unwrap();
    server.await.unwrap();
}

#[tokio::test]
async fn several_in_one() {
    let (client, server) = client(&["multi-delete-subtree", "multi-check-only"]).await;
    let deletes = [
        Op::Delete("/p/q/r", -1),
        Op::Delete("/p/q", -1),
        Op::Delete("/p", -1),
    ];
    let results = client.multi(&deletes).await.unwrap();
    assert_eq!(results, [const { OpResult::Deleted }; 3]);
    let results = client.multi(&[Op::Check("/a", -1)]).await.unwrap();
    assert_eq!(results, [OpResult::Checked]);
    client.close().await.unwrap();
    server.await.unwrap();
}

#[tokio::test]
async fn a_multi_read_answers_each_read() {
    let (client, server) = client(&["multiRead-with-error"]).await;
    let ops = [
        ReadOp::Data("/zip"),
        ReadOp::Data("/a"),
        ReadOp::Children("/zip"),
    ];
    let results = client.multi_read(&ops).await.unwrap();
    let missing = Err(refused(ErrorCode::NO_NODE, "/zip"));
    assert_eq!((&results[0], &results[2]), (&missing, &missing));
    let Ok(ReadResult::Data(data, stat)) = &results[1] else {
        panic!("{results:?}");
    };
    assert_eq!((data.as_deref(), stat.version), (Some(&b"new"[..]), 2));
    client.close().await.unwrap();
    server.await.unwrap();
}

#[tokio::test]
async fn identities() {
    let (client, server) = client(&["auth-digest", "whoAmI-after-auth"]).await;
    client
        .add_auth("digest", Some(b"alice:secret"))
        .await
        .unwrap();
    let ids = client.who_am_i().await.unwrap();
    let ids: Vec<_> = ids.iter().map(|id| (id.scheme(), id.id())).collect();
    assert_eq!(
        ids,
        [("digest", "alice"), ("digest", "bob"), ("ip", "127.0.0.1")]
    );
    client.close().await.unwrap();
    assert_eq!(client.state(), SessionState::Closed);
    server.await.unwrap();
}

#[tokio::test]
async fn a_refused_identity_is_the_end() {
    let (client, _server) = client(&["auth-unknown-scheme"]).await;
    let error = client.add_auth("nope", Some(b"")).await.unwrap_err();
    assert_eq!(error, Error::AuthFailed { sent: true });
    assert_eq!(client.state(), SessionState::AuthFailed);
    let error = client.sync("/").await.unwrap_err();
    assert_eq!(error, Error::AuthFailed { sent: false });
}

#[tokio::test]
async fn a_chroot_is_put_before_and_taken_off() {
    let (address, server) = serve(Fixture::operations().exchanges(&[
        "create2-sequential",
        "getEphemerals-prefix",
        "getChildren2",
        "sync",
    ]))
    .await;
    let client = Client::connect(&format!("{address}/a")).await.unwrap();
    let sequential = CreateOptions::new(CreateMode::PersistentSequential);
    let (path, _) = client.create("/s-", Some(b""), &sequential).await.unwrap();
    assert_eq!(path, "/s-0000000004");
    let ephemerals = client.get_ephemerals("/e").await.unwrap();
    assert_eq!(ephemerals, ["/eph", "/es-0000000003"]);
    client.get_children_and_stat("/", false).await.unwrap();
    client.sync("/").await.unwrap();
    client.close().await.unwrap();
    server.await.unwrap();
}

#[tokio::test]
async fn bad_arguments_are_refused_before_anything_is_sent() {
    let (client, server) = client(&[]).await;
    for path in ["", "a", "/a/", "//", "/a/../b"] {
        let error = client.get_data(path, false).await.unwrap_err();
        assert!(matches!(error, Error::Path { .. }), "{path:?}: {error}");
        assert!(!error.may_have_happened());
    }
    let nobody = CreateOptions::default().acl(&[]);
    let error = client.create("/a", None, &nobody).await.unwrap_err();
    assert_eq!(error, Error::EmptyAcl);
    client.close().await.unwrap();
    server.await.unwrap();
}

#[tokio::test]
async fn requests_in_flight_are_answered_in_order() {
    let (client, server) = client(&["getData", "getData-null", "getData-nonode", "sync"]).await;
    let (a, b, c, d) = tokio::join!(
        client.get_data("/a", false),
        client.get_data("/n", false),
        client.get_data("/zip", false),
        client.sync("/a"),
    );
    assert!(a.unwrap().0.is_some());
    assert!(b.unwrap().0.is_none());
    assert!(c.is_err());
    d.unwrap();
    client.close().await.unwrap();
    server.await.unwrap();
}
