//! Every operation, as the server does it.

use super::{Place, create, refused};
use std::collections::BTreeSet;
use zk_client::{
    Acl, CreateMode, CreateOptions, ErrorCode, Perms, ReadOp, ReadResult, WatcherType,
};

pub(super) async fn creates_of_all_kinds(place: Place) {
    let client = place.client().await;
    let make = async |path: &str, options: CreateOptions<'_>| {
        client.create(path, Some(b"12"), &options).await.unwrap()
    };
    let (path, stat) = make("/p", CreateOptions::default()).await;
    assert_eq!((path.as_str(), stat.data_length), ("/p", 2));
    assert_eq!((stat.version, stat.ephemeral_owner), (0, 0));
    assert_eq!(stat.czxid, stat.mzxid);
    let sequential = CreateOptions::new(CreateMode::PersistentSequential);
    assert_eq!(make("/p/s-", sequential.clone()).await.0, "/p/s-0000000000");
    assert_eq!(make("/p/", sequential).await.0, "/p/0000000001");
    // Before 3.9 the answer to a create does not tell the owner.
    let owner = async |path: &str| {
        let stat = client.exists(path, false).await.unwrap();
        stat.map(|stat| stat.ephemeral_owner)
    };
    let me = Some(client.session_id().0);
    let (path, stat) = make("/e", CreateOptions::new(CreateMode::Ephemeral)).await;
    assert_eq!((path.as_str(), owner("/e").await), ("/e", me));
    assert!(Some(stat.ephemeral_owner) == me || !place.is_of_today);
    let sequential = CreateOptions::new(CreateMode::EphemeralSequential);
    let (path, _) = make("/p/e-", sequential).await;
    assert_eq!((path.as_str(), owner(&path).await), ("/p/e-0000000002", me));
    make("/c", CreateOptions::new(CreateMode::Container)).await;
    make("/c/x", CreateOptions::default()).await;
    let ttl = |mode| CreateOptions::with_ttl(mode, 3_600_000);
    let (path, _) = make("/t", ttl(CreateMode::PersistentTtl)).await;
    assert_eq!((path.as_str(), owner("/t").await.is_some()), ("/t", true));
    let (path, _) = make("/p/t-", ttl(CreateMode::PersistentSequentialTtl)).await;
    assert_eq!(path, "/p/t-0000000003");
    client.close().await.unwrap();
}

pub(super) async fn null_and_empty_data_differ(place: Place) {
    let client = place.client().await;
    let options = CreateOptions::default();
    for (path, data) in [("/null", None), ("/empty", Some(&b""[..]))] {
        client.create(path, data, &options).await.unwrap();
        let (read, stat) = client.get_data(path, false).await.unwrap();
        assert_eq!((read.as_deref(), stat.data_length), (data, 0));
        client.set_data(path, Some(b"x"), 0).await.unwrap();
        client.set_data(path, data, 1).await.unwrap();
        let (read, stat) = client.get_data(path, false).await.unwrap();
        assert_eq!((read.as_deref(), stat.version), (data, 2));
    }
    client.close().await.unwrap();
}

pub(super) async fn reads(place: Place) {
    let client = place.client().await;
    for path in ["/a", "/a/1", "/a/2", "/a/2/3"] {
        create(&client, path).await;
    }
    let stat = client.exists("/a", false).await.unwrap().unwrap();
    assert_eq!((stat.num_children, stat.cversion), (2, 2));
    assert_eq!(client.exists("/b", false).await.unwrap(), None);
    assert_eq!(client.get_data("/a", false).await.unwrap().1, stat);
    let names = client.get_children("/a", false).await.unwrap();
    let names = BTreeSet::from_iter(names);
    assert_eq!(names, BTreeSet::from(["1".into(), "2".into()]));
    let (again, with) = client.get_children_and_stat("/a", false).await.unwrap();
    assert_eq!((BTreeSet::from_iter(again), with), (names, stat));
    assert_eq!(client.get_all_children_number("/a").await.unwrap(), 3);
    assert_eq!(client.get_children("/", false).await.unwrap(), ["a"]);
    client.sync("/a").await.unwrap();
    client.sync("/").await.unwrap();
    client.close().await.unwrap();
}

pub(super) async fn ephemerals(place: Place) {
    let (client, other) = (place.client().await, place.client().await);
    let ephemeral = CreateOptions::new(CreateMode::Ephemeral);
    for path in ["/e1", "/e2", "/f"] {
        client.create(path, None, &ephemeral).await.unwrap();
    }
    other.create("/e3", None, &ephemeral).await.unwrap();
    let list = async |prefix| {
        let paths = client.get_ephemerals(prefix).await.unwrap();
        BTreeSet::from_iter(paths)
    };
    assert_eq!(
        list("/e").await,
        BTreeSet::from(["/e1".into(), "/e2".into()])
    );
    assert_eq!(list("/").await.len(), 3);
    client.close().await.unwrap();
    other.sync("/").await.unwrap();
    assert_eq!(other.get_children("/", false).await.unwrap(), ["e3"]);
    other.close().await.unwrap();
}

pub(super) async fn writes_by_version(place: Place) {
    let client = place.client().await;
    create(&client, "/a").await;
    let stat = client.set_data("/a", Some(b"1"), 0).await.unwrap();
    assert_eq!(stat.version, 1);
    let stat = client.set_data("/a", Some(b"2"), -1).await.unwrap();
    assert_eq!(stat.version, 2);
    let error = client.delete("/a", 1).await.unwrap_err();
    assert_eq!(error, refused(ErrorCode::BAD_VERSION, "/a"));
    client.delete("/a", 2).await.unwrap();
    create(&client, "/a").await;
    client.delete("/a", -1).await.unwrap();
    assert_eq!(client.exists("/a", false).await.unwrap(), None);
    client.close().await.unwrap();
}

pub(super) async fn access_lists(place: Place) {
    let client = place.client().await;
    create(&client, "/a").await;
    let (acl, stat) = client.get_acl("/a").await.unwrap();
    assert_eq!((acl, stat.aversion), (vec![Acl::open()], 0));
    let acl = [
        Acl::new(Perms::READ, "world", "anyone"),
        Acl::new(Perms::ALL, "ip", "127.0.0.0/8"),
    ];
    let stat = client.set_acl("/a", &acl, 0).await.unwrap();
    assert_eq!(stat.aversion, 1);
    assert_eq!(client.get_acl("/a").await.unwrap().0, acl);
    let read = [Acl::new(Perms::READ, "world", "anyone")];
    let options = CreateOptions::default().acl(&read);
    client.create("/r", None, &options).await.unwrap();
    assert_eq!(client.get_acl("/r").await.unwrap().0, read);
    client.close().await.unwrap();
}

pub(super) async fn identities(place: Place) {
    let client = place.client().await;
    let bob = Some(&b"bob:secret"[..]);
    client.add_auth("digest", bob).await.unwrap();
    let ids = client.who_am_i().await.unwrap();
    let has = |scheme, id| ids.iter().any(|i| (i.scheme(), i.id()) == (scheme, id));
    assert!(has("digest", "bob") && ids.iter().any(|id| id.scheme() == "ip"));
    let creator = [Acl::new(Perms::ALL, "auth", "")];
    let options = CreateOptions::default().acl(&creator);
    client.create("/bobs", Some(b"x"), &options).await.unwrap();
    let stranger = place.client().await;
    let error = stranger.get_data("/bobs", false).await.unwrap_err();
    assert_eq!(error, refused(ErrorCode::NO_AUTH, "/bobs"));
    stranger.add_auth("digest", bob).await.unwrap();
    stranger.get_data("/bobs", false).await.unwrap();
    client.close().await.unwrap();
    stranger.close().await.unwrap();
}

pub(super) async fn the_configuration(place: Place) {
    let client = place.client().await;
    client.get_config(false).await.unwrap();
    client.close().await.unwrap();
}

pub(super) async fn several_reads_in_one(place: Place) {
    let client = place.client().await;
    create(&client, "/a").await;
    create(&client, "/a/b").await;
    let ops = [
        ReadOp::Data("/a/b"),
        ReadOp::Children("/a"),
        ReadOp::Data("/none"),
        ReadOp::Children("/none"),
    ];
    let results = client.multi_read(&ops).await.unwrap();
    let Ok(ReadResult::Data(data, stat)) = &results[0] else {
        panic!("{results:?}");
    };
    assert_eq!((data.as_deref(), stat.version), (Some(&b"x"[..]), 0));
    assert_eq!(results[1], Ok(ReadResult::Children(vec!["b".into()])));
    for result in &results[2..] {
        assert_eq!(*result, Err(refused(ErrorCode::NO_NODE, "/none")));
    }
    client.close().await.unwrap();
}

/// Just below the limit of `jute.maxbuffer`.
pub(super) async fn large_data(place: Place) {
    let client = place.client().await;
    let data = vec![7; 1_000_000];
    let options = CreateOptions::default();
    client.create("/l", Some(&data), &options).await.unwrap();
    let (read, stat) = client.get_data("/l", false).await.unwrap();
    assert_eq!(stat.data_length, 1_000_000);
    assert_eq!(read.as_deref(), Some(&data[..]));
    client.close().await.unwrap();
}

/// More than any server reads at a time, from many tasks, and what one task
/// asked for first takes effect first.
pub(super) async fn many_at_once_keep_their_order(place: Place) {
    let client = place.client().await;
    create(&client, "/n").await;
    let mut writes = tokio::task::JoinSet::new();
    for task in 0..16 {
        let client = client.clone();
        writes.spawn(async move {
            let path = format!("/n/{task}");
            create(&client, &path).await;
            let writes: Vec<_> = (0..50)
                .map(|number| {
                    let (client, path) = (client.clone(), path.clone());
                    async move {
                        client
                            .set_data(&path, Some(&[number]), i32::from(number))
                            .await
                    }
                })
                .collect();
            // Polled in this order first, and all before any is answered.
            for outcome in futures_in_order(writes).await {
                outcome.unwrap();
            }
            client.get_data(&path, false).await.unwrap().0
        });
    }
    for last in writes.join_all().await {
        assert_eq!(last.as_deref(), Some(&[49][..]));
    }
    let error = client.check_watches("/n", WatcherType::Any).await;
    assert_eq!(error.unwrap_err(), refused(ErrorCode::NO_WATCHER, "/n"));
    client.close().await.unwrap();
}

/// All outcomes of futures that are all under way at once.
async fn futures_in_order<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut outcomes: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|cx| {
        for (future, outcome) in futures.iter_mut().zip(&mut outcomes) {
            if outcome.is_none()
                && let std::task::Poll::Ready(ready) = future.as_mut().poll(cx)
            {
                *outcome = Some(ready);
            }
        }
        match outcomes.iter().all(Option::is_some) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    outcomes.into_iter().flatten().collect()
}
