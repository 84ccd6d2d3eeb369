//! Values, counters and ids that many change at once.

use crate::support::{SHORT, TestServer, client_at, until_empty, within};
use std::collections::BTreeSet;
use zk_client::recipes::{AtomicLong, RecipeError, SharedCount, SharedValue, UniqueIds};

const PATH: &str = "/values/v";
const SET_DATA: i32 = 5;
const CREATE2: i32 = 15;

#[tokio::test]
async fn a_value_is_set_only_over_what_was_seen() {
    let server = TestServer::start().await;
    let one = SharedValue::new(server.client().await, PATH, "seed");
    let other = SharedValue::new(server.client().await, PATH, "other seed");
    let seen = one.get().await.unwrap();
    assert_eq!(seen.value, "seed");
    assert_eq!(other.get().await.unwrap(), seen);
    let changed = tokio::spawn({
        let (other, seen) = (other.clone(), seen.clone());
        async move { other.changed(&seen).await.unwrap() }
    });
    let set = one
        .compare_and_set(&seen, b"new")
        .await
        .unwrap()
        .expect("nobody else did");
    assert_eq!(other.compare_and_set(&seen, b"late").await.unwrap(), None);
    let now = within(changed).await.unwrap();
    assert_eq!(
        (&now.value[..], now.version, now.zxid),
        (&b"new"[..], set.version, set.zxid)
    );
    let set = other.set(b"whatever").await.unwrap();
    assert!(set.zxid > now.zxid);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_are_not_lost() {
    let server = TestServer::start().await;
    let mut contenders = Vec::new();
    for _ in 0..4 {
        let count = AtomicLong::new(server.client().await, PATH);
        contenders.push(tokio::spawn(async move {
            for _ in 0..20 {
                count.add(3).await.unwrap();
            }
        }));
    }
    for contender in contenders {
        within(contender).await.unwrap();
    }
    let client = server.client().await;
    let count = AtomicLong::new(client.clone(), PATH);
    assert_eq!(count.get().await.unwrap().value, 240);
    let (data, _) = client.get_data(PATH, false).await.unwrap();
    assert_eq!(data.as_deref(), Some(&[0, 0, 0, 0, 0, 0, 0, 240][..]));
    let wrong = SharedCount::new(client, PATH).get().await.unwrap_err();
    assert!(matches!(wrong, RecipeError::Data { .. }), "{wrong}");
    count.set(i64::MAX).await.unwrap();
    let full = count.add(1).await.unwrap_err();
    assert!(matches!(full, RecipeError::Overflow { .. }), "{full}");
}

/// Whose the change was cannot be told, so that counting on would count twice.
#[tokio::test]
async fn a_lost_answer_is_a_doubt_and_no_second_count() {
    let server = TestServer::start().await;
    let wire = server.proxy().await;
    let behind = client_at(wire.address(), SHORT * 10).await;
    let count = SharedCount::starting_at(behind, PATH, 7);
    assert_eq!(count.add(1).await.unwrap().value, 8);
    wire.lose_answer_to(SET_DATA);
    let error = within(count.add(1)).await.unwrap_err();
    assert!(error.may_have_happened(), "{error}");
    assert_eq!(count.get().await.unwrap().value, 9);
    // A connection that broke before is none.
    wire.cut();
    assert_eq!(within(count.add(1)).await.unwrap().value, 10);
}

#[tokio::test]
async fn ids_are_unique_and_leave_nothing() {
    let server = TestServer::start().await;
    let wire = server.proxy().await;
    let client = server.client().await;
    let behind = client_at(wire.address(), SHORT * 10).await;
    let one = UniqueIds::new(client.clone(), "/order", "type1-");
    let other = UniqueIds::new(behind, "/order", "type2-");
    let mut drawn = BTreeSet::new();
    for round in 0..5 {
        if round == 3 {
            wire.lose_answer_to(CREATE2);
        }
        let (a, b) = within(async { tokio::join!(one.draw(), other.draw()) }).await;
        assert!(drawn.insert(a.unwrap()) && drawn.insert(b.unwrap()));
    }
    until_empty(&client, "/order").await;
    let path = one.register(b"an order").await.unwrap();
    let number: i32 = path.strip_prefix("/order/type1-").unwrap().parse().unwrap();
    assert!(drawn.iter().all(|before| *before < number));
    assert_eq!(client.get_children("/order", false).await.unwrap().len(), 1);
}
