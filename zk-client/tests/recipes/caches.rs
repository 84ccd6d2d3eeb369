//! Caches, groups and registries see what there is and what becomes of it.

use crate::support::{SHORT, TestServer, client_at, until_empty, within};
use zk_client::recipes::{
    Cache, CacheEvent, Extent, Group, ServiceInstance, ServiceRegistry, Standing,
};
use zk_client::{Client, CreateOptions};

async fn create(client: &Client, path: &str, data: &str) {
    let options = CreateOptions::default();
    client
        .create(path, Some(data.as_bytes()), &options)
        .await
        .unwrap();
}

/// The next event as a line.
async fn next(cache: &mut Cache) -> String {
    match within(cache.next()).await.expect("the session lives") {
        CacheEvent::Created(node) => format!("+{} {:?}", node.path, node.data),
        CacheEvent::Changed { before, now } => {
            format!("={} {:?} {:?}", now.path, before.data, now.data)
        }
        CacheEvent::Deleted(node) => format!("-{} {:?}", node.path, node.data),
        CacheEvent::Initialized => "all".to_owned(),
    }
}

#[tokio::test]
async fn a_tree_is_followed_from_what_was_there_to_what_becomes_of_it() {
    let server = TestServer::start().await;
    let client = server.client().await;
    for path in ["/conf", "/conf/a", "/conf/a/b", "/confusing"] {
        create(&client, path, "1").await;
    }
    let mut cache = Cache::start(server.client().await, "/conf", Extent::Tree);
    for line in [
        "+/conf b\"1\"",
        "+/conf/a b\"1\"",
        "+/conf/a/b b\"1\"",
        "all",
    ] {
        assert_eq!(next(&mut cache).await, line);
    }
    client.set_data("/conf/a", Some(b"2"), -1).await.unwrap();
    assert_eq!(next(&mut cache).await, "=/conf/a b\"1\" b\"2\"");
    create(&client, "/conf/a/b/c", "3").await;
    assert_eq!(next(&mut cache).await, "+/conf/a/b/c b\"3\"");
    client.delete("/conf/a/b/c", -1).await.unwrap();
    assert_eq!(next(&mut cache).await, "-/conf/a/b/c b\"3\"");
    assert_eq!(cache.get("/conf/a").unwrap().data, "2");
    assert_eq!(cache.nodes().len(), 3);
}

#[tokio::test]
async fn one_znode_or_its_children_are_followed_alone() {
    let server = TestServer::start().await;
    let client = server.client().await;
    let mut node = Cache::start(client.clone(), "/n", Extent::Node);
    let mut children = Cache::start(client.clone(), "/n", Extent::Children);
    assert_eq!(next(&mut node).await, "all");
    assert_eq!(next(&mut children).await, "all");
    for path in ["/n", "/n/a", "/n/a/b"] {
        create(&client, path, "x").await;
    }
    client.set_data("/n", Some(b"y"), -1).await.unwrap();
    client.delete("/n/a/b", -1).await.unwrap();
    client.delete("/n/a", -1).await.unwrap();
    client.delete("/n", -1).await.unwrap();
    let mut seen = vec![next(&mut children).await, next(&mut children).await];
    assert_eq!(seen, ["+/n/a b\"x\"", "-/n/a b\"x\""]);
    seen.clear();
    while seen.last().is_none_or(|line| !line.starts_with('-')) {
        seen.push(next(&mut node).await);
    }
    assert!(seen[0].starts_with("+/n "), "{seen:?}");
    assert!(node.nodes().is_empty() && children.nodes().is_empty());
}

#[tokio::test]
async fn what_happened_behind_a_lost_connection_is_found_out() {
    let server = TestServer::start().await;
    let wire = server.proxy().await;
    let client = server.client().await;
    for path in ["/conf", "/conf/changed", "/conf/gone", "/conf/same"] {
        create(&client, path, "1").await;
    }
    let behind = client_at(wire.address(), SHORT * 10).await;
    let mut cache = Cache::start(behind, "/conf", Extent::Tree);
    assert!(within(cache.initialized()).await);
    wire.block();
    client
        .set_data("/conf/changed", Some(b"2"), -1)
        .await
        .unwrap();
    client.delete("/conf/gone", -1).await.unwrap();
    create(&client, "/conf/new", "3").await;
    wire.heal();
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(next(&mut cache).await);
    }
    seen.sort_unstable();
    let expected = [
        "+/conf/new b\"3\"",
        "-/conf/gone b\"1\"",
        "=/conf/changed b\"1\" b\"2\"",
    ];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn members_come_and_go() {
    let server = TestServer::start().await;
    let wire = server.proxy().await;
    let client = server.client().await;
    let workers = Group::new(client.clone(), "/workers");
    let mut watch = workers.watch();
    assert!(within(watch.initialized()).await);
    let first = workers.join("w1", b"w1:2224").await.unwrap();
    let dying = Group::new(client_at(wire.address(), SHORT).await, "/workers");
    let second = dying.join("w2", b"w2:2224").await.unwrap();
    assert_eq!(next(&mut watch).await, "+/workers/w1 b\"w1:2224\"");
    assert_eq!(next(&mut watch).await, "+/workers/w2 b\"w2:2224\"");
    let members = workers.members().await.unwrap();
    assert_eq!(
        members.into_iter().collect::<Vec<_>>(),
        [
            ("w1".to_owned(), "w1:2224".into()),
            ("w2".to_owned(), "w2:2224".into()),
        ]
    );
    first.set_data(b"busy").await.unwrap();
    assert_eq!(
        next(&mut watch).await,
        "=/workers/w1 b\"w1:2224\" b\"busy\""
    );
    wire.block();
    // A member that comes back waits for its former session to end.
    let back = within(workers.join("w2", b"again")).await.unwrap();
    assert!(back.token() > second.token());
    assert_eq!(next(&mut watch).await, "-/workers/w2 b\"w2:2224\"");
    assert_eq!(next(&mut watch).await, "+/workers/w2 b\"again\"");
    wire.heal();
    assert_eq!(
        within(second.until(|s| s == Standing::Lost)).await,
        Standing::Lost
    );
    first.leave().await.unwrap();
    drop(back);
    until_empty(&client, "/workers").await;
}

#[tokio::test]
async fn instances_are_registered_and_found() {
    let server = TestServer::start().await;
    let client = server.client().await;
    let registry = ServiceRegistry::new(client.clone(), "/services");
    let payload = serde_json::json!({"zone": "a"});
    let instance = ServiceInstance::new("web")
        .at("10.0.0.1", 8080)
        .with_payload(payload);
    let registration = registry.register(&instance).await.unwrap();
    assert_eq!(registry.services().await.unwrap(), ["web"]);
    assert_eq!(
        registry.instances("web").await.unwrap(),
        std::slice::from_ref(&instance)
    );
    let mut watch = registry.watch("web");
    assert!(within(watch.initialized()).await);
    let moved = instance.clone().at("10.0.0.2", 8081);
    registration.update(&moved).await.unwrap();
    let Some(CacheEvent::Changed { now, .. }) = within(watch.next()).await else {
        panic!("it changed");
    };
    assert_eq!(ServiceInstance::from_json(&now.data).unwrap(), moved);
    // A former self is replaced.
    let again = registry.register(&instance).await.unwrap();
    assert_eq!(within(registration.lost()).await, Standing::Lost);
    drop(registration);
    let found = registry.instance("web", &instance.id).await.unwrap();
    assert_eq!(found, Some(instance));
    again.unregister().await.unwrap();
    until_empty(&client, "/services/web").await;
    assert!(registry.instances("web").await.unwrap().is_empty());
}
