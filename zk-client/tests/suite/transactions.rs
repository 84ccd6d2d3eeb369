//! Several writes in one.

use super::{Place, create, refused};
use zk_client::{CreateMode, CreateOptions, Error, ErrorCode, Op, OpResult};

pub(super) async fn all_or_nothing(place: Place) {
    let client = place.client().await;
    create(&client, "/a").await;
    let options = CreateOptions::default();
    let mut ops = vec![
        Op::Check("/a", 0),
        Op::Create("/a/b", None, options.clone()),
        Op::SetData("/a", Some(b"y"), 0),
        Op::Delete("/a/none", -1),
    ];
    let error = client.multi(&ops).await.unwrap_err();
    let expected = Error::Multi {
        index: 3,
        code: ErrorCode::NO_NODE,
        path: "/a/none".into(),
    };
    assert_eq!(error, expected);
    assert!(!error.may_have_happened());
    assert_eq!(client.exists("/a/b", false).await.unwrap(), None);
    ops.pop();
    let results = client.multi(&ops).await.unwrap();
    assert_eq!(results.len(), 3);
    assert!(matches!(&results[1], OpResult::Created(path, _) if path == "/a/b"));
    let (data, stat) = client.get_data("/a", false).await.unwrap();
    assert_eq!((data.as_deref(), stat.version), (Some(&b"y"[..]), 1));
    assert_eq!(client.multi(&[]).await.unwrap(), []);
    client.close().await.unwrap();
}

pub(super) async fn receipts_find_their_results(place: Place) {
    let client = place.client().await;
    create(&client, "/a").await;
    let sequential = CreateOptions::new(CreateMode::EphemeralSequential);
    let ttl = CreateOptions::with_ttl(CreateMode::PersistentTtl, 60_000);
    let container = CreateOptions::new(CreateMode::Container);
    let mut transaction = client.transaction();
    let check = transaction.check("/a", -1);
    let first = transaction.create("/a/n-", Some(b"1"), &sequential);
    let second = transaction.create("/a/n-", None, &sequential);
    let data = transaction.set_data("/a", Some(b"y"), 0);
    let gone = transaction.delete("/a/n-0000000000", 0);
    transaction.create("/t", None, &ttl);
    transaction.create("/c", None, &container);
    let committed = transaction.commit().await.unwrap();
    let ((path, _), (other, _)) = (committed.get(&first), committed.get(&second));
    assert_eq!(
        (path.as_str(), other.as_str()),
        ("/a/n-0000000000", "/a/n-0000000001")
    );
    assert_eq!(committed.get(&data).version, 1);
    let ((), ()) = (committed.get(&check), committed.get(&gone));
    assert_eq!(committed.into_results().len(), 7);
    assert_eq!(
        client.get_children("/a", false).await.unwrap(),
        ["n-0000000001"]
    );
    client.close().await.unwrap();
}

pub(super) async fn the_operation_that_failed_is_named(place: Place) {
    let client = place.client().await;
    create(&client, "/a").await;
    let options = CreateOptions::default();
    let failing = [
        (Op::Check("/a", 7), ErrorCode::BAD_VERSION),
        (Op::Create("/a", None, options), ErrorCode::NODE_EXISTS),
        (Op::Delete("/b", -1), ErrorCode::NO_NODE),
        (Op::SetData("/a", None, 3), ErrorCode::BAD_VERSION),
    ];
    for (op, expected) in failing {
        let path = op.path().to_owned();
        let ops = [Op::Check("/a", 0), op, Op::Check("/", -1)];
        let error = client.multi(&ops).await.unwrap_err();
        let code = expected;
        assert_eq!(
            error,
            Error::Multi {
                index: 1,
                code,
                path
            }
        );
        assert_eq!(error.code(), Some(expected));
    }
    let error = client.delete("/b", -1).await.unwrap_err();
    assert_eq!(error, refused(ErrorCode::NO_NODE, "/b"));
    client.close().await.unwrap();
}
