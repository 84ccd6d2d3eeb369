//! One holder at a time, whatever happens to contenders and their
//! connections.

use crate::support::{SHORT, TestServer, client_at, until_children, until_empty, within};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use zk_client::recipes::{FencingToken, Lock, RecipeError, Standing};
use zk_client::{Client, Connector, CreateMode, CreateOptions, Error};
use zk_server::testing::Ensemble;

const PATH: &str = "/locks/one";
const CREATE2: i32 = 15;
const DELETE: i32 = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_at_a_time_and_everybody_comes() {
    let server = TestServer::start().await;
    let holders = Arc::new(AtomicUsize::new(0));
    let mut contenders = Vec::new();
    for _ in 0..6 {
        let lock = Lock::new(server.client().await, PATH);
        let holders = holders.clone();
        contenders.push(tokio::spawn(async move {
            let mut tokens = Vec::new();
            for _ in 0..10 {
                let hold = lock.acquire().await.unwrap();
                assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0);
                tokio::task::yield_now().await;
                assert!(hold.is_held());
                tokens.push(hold.token());
                holders.fetch_sub(1, Ordering::SeqCst);
                hold.release().await.unwrap();
            }
            tokens
        }));
    }
    let mut tokens: Vec<FencingToken> = Vec::new();
    for contender in contenders {
        let own = within(contender).await.unwrap();
        assert!(own.is_sorted());
        tokens.extend(own);
    }
    tokens.sort_unstable();
    tokens.dedup();
    assert_eq!(tokens.len(), 60, "each holder has a token of its own");
    until_empty(&server.client().await, PATH).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_wakes_one_waiter() {
    let server = TestServer::start().await;
    let wire = server.proxy().await;
    let direct = server.client().await;
    let first = Lock::new(direct.clone(), PATH).acquire().await.unwrap();
    let mut waiters = Vec::new();
    for count in 2..=6 {
        let lock = Lock::new(client_at(wire.address(), SHORT * 10).await, PATH);
        waiters.push(tokio::spawn(async move { lock.acquire().await.unwrap() }));
        until_children(&direct, PATH, |names| names.len() == count).await;
    }
    // Each waiter watches once it looked at the line: whoever asks behind it
    // on the same server is answered behind it.
    direct.sync(PATH).await.unwrap();
    let mut hold = first;
    for (released, waiter) in waiters.into_iter().enumerate() {
        let before = hold.token();
        hold.release().await.unwrap();
        hold = within(waiter).await.unwrap();
        assert!(hold.token() > before, "in order of arrival");
        // A waiter hears of the one before it, and of its own deletion later.
        assert!(
            wire.notifications() <= 1 + 2 * released,
            "a herd of {}",
            wire.notifications()
        );
    }
    hold.release().await.unwrap();
    until_empty(&direct, PATH).await;
}

#[tokio::test]
async fn nobody_gets_what_somebody_has() {
    let server = TestServer::start().await;
    let (one, other) = (server.client().await, server.client().await);
    let lock = Lock::new(one, PATH).with_data("one");
    let hold = lock.try_acquire().await.unwrap().expect("nobody has it");
    let refused = Lock::new(other.clone(), PATH).try_acquire().await.unwrap();
    assert!(refused.is_none());
    assert_eq!(lock.contenders().await.unwrap(), [hold.path()]);
    let (data, stat) = other.get_data(hold.path(), false).await.unwrap();
    assert_eq!(data.as_deref(), Some(&b"one"[..]));
    assert_eq!(FencingToken(stat.czxid), hold.token());
    drop(hold);
    until_empty(&other, PATH).await;
}

#[tokio::test]
async fn a_waiter_that_is_dropped_leaves_the_line() {
    let server = TestServer::start().await;
    let (one, other) = (server.client().await, server.client().await);
    let hold = Lock::new(one.clone(), PATH).acquire().await.unwrap();
    // The session lives on: it is not its end that takes the znode away.
    let lock = Lock::new(other.clone(), PATH);
    let waiter = tokio::spawn(async move { lock.acquire().await });
    until_children(&one, PATH, |names| names.len() == 2).await;
    waiter.abort();
    until_children(&one, PATH, |names| names.len() == 1).await;
    hold.release().await.unwrap();
    until_empty(&one, PATH).await;
    drop(other);
}

#[tokio::test]
async fn a_waiter_that_is_dropped_before_its_answer_leaves_nothing() {
    let server = TestServer::start().await;
    let wire = server.proxy().await;
    let direct = server.client().await;
    let behind = client_at(wire.address(), SHORT * 10).await;
    direct
        .create("/locks", None, &CreateOptions::default())
        .await
        .unwrap();
    direct
        .create(PATH, None, &CreateOptions::default())
        .await
        .unwrap();
    wire.hold_answers();
    let lock = Lock::new(behind.clone(), PATH);
    let waiter = tokio::spawn(async move { lock.acquire().await });
    until_children(&direct, PATH, |names| names.len() == 1).await;
    waiter.abort();
    wire.heal();
    until_empty(&direct, PATH).await;
    drop(behind);
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_contender() {
    let server = TestServer::start().await;
    let wire = server.proxy().await;
    let direct = server.client().await;
    let lock = Lock::new(client_at(wire.address(), SHORT * 10).await, PATH);
    lock.acquire().await.unwrap().release().await.unwrap();
    wire.lose_answer_to(CREATE2);
    let hold = within(lock.acquire()).await.unwrap();
    assert!(wire.has_lost());
    let name = hold.path().rsplit_once('/').unwrap().1;
    let names = direct.get_children(PATH, false).await.unwrap();
    assert_eq!(names, [name]);
    let stat = direct.exists(hold.path(), false).await.unwrap().unwrap();
    assert_eq!(FencingToken(stat.czxid), hold.token());
    // The same for the deletion.
    wire.lose_answer_to(DELETE);
    within(hold.release()).await.unwrap();
    assert!(wire.has_lost());
    until_empty(&direct, PATH).await;
}

/// An answer that comes after the client's patience ended is as good as lost:
/// the creation is found again, and not repeated.
#[tokio::test]
async fn a_late_answer_makes_no_second_contender() {
    let server = TestServer::start().await;
    let wire = server.proxy().await;
    let direct = server.client().await;
    let connector = Connector::new(&wire.address().to_string()).unwrap();
    let connector = connector.request_timeout(Duration::from_millis(200));
    let (impatient, _) = connector.session_timeout(SHORT * 10).start();
    let lock = Lock::new(impatient, PATH);
    within(lock.acquire())
        .await
        .unwrap()
        .release()
        .await
        .unwrap();
    wire.hold_answers();
    let waits = tokio::spawn(async move { lock.acquire().await });
    // The creation, and what asks for it when no answer came.
    within(wire.more_requests(3)).await;
    wire.heal();
    let hold = within(waits).await.unwrap().unwrap();
    let names = direct.get_children(PATH, false).await.unwrap();
    assert_eq!(names.len(), 1);
    within(hold.release()).await.unwrap();
    until_empty(&direct, PATH).await;
}

#[tokio::test]
async fn a_short_cut_puts_the_lock_in_doubt_and_no_more() {
    let server = TestServer::start().await;
    let wire = server.proxy().await;
    let lock = Lock::new(client_at(wire.address(), SHORT * 10).await, PATH);
    let hold = lock.acquire().await.unwrap();
    let (standing, ()) = within(async { tokio::join!(hold.lost(), async { wire.cut() }) }).await;
    assert_eq!(standing, Standing::InDoubt);
    let again = within(hold.until(|standing| standing == Standing::Held)).await;
    assert_eq!(again, Standing::Held);
    let other = Lock::new(server.client().await, PATH);
    assert!(other.try_acquire().await.unwrap().is_none());
}

#[tokio::test]
async fn a_holder_that_is_killed_loses_it_to_the_next() {
    let server = TestServer::start().await;
    let wire = server.proxy().await;
    let victim = client_at(wire.address(), SHORT).await;
    let hold = Lock::new(victim, PATH).acquire().await.unwrap();
    let direct = server.client().await;
    let lock = Lock::new(direct.clone(), PATH);
    wire.block();
    let next = within(lock.acquire()).await.unwrap();
    assert!(next.token() > hold.token());
    assert!(!hold.is_held(), "it has heard at least of the doubt");
    wire.heal();
    let end = within(hold.until(|standing| standing == Standing::Lost)).await;
    assert_eq!(end, Standing::Lost);
    let error = hold.release().await.unwrap_err();
    assert!(
        matches!(error, RecipeError::Client(Error::SessionExpired { .. })),
        "{error}"
    );
    next.release().await.unwrap();
    until_empty(&direct, PATH).await;
}

#[tokio::test]
async fn a_holder_that_is_paused_loses_it_to_the_next() {
    let server = TestServer::start().await;
    let wire = server.proxy().await;
    let hold = Lock::new(client_at(wire.address(), SHORT).await, PATH);
    let hold = hold.acquire().await.unwrap();
    let waits = Lock::new(client_at(wire.address(), SHORT).await, PATH);
    let direct = server.client().await;
    let waits = tokio::spawn(async move { waits.acquire().await });
    until_children(&direct, PATH, |names| names.len() == 2).await;
    wire.pause();
    let next = within(Lock::new(direct.clone(), PATH).acquire())
        .await
        .unwrap();
    assert!(next.token() > hold.token());
    assert_ne!(within(hold.lost()).await, Standing::Held);
    wire.heal();
    within(hold.until(|standing| standing == Standing::Lost)).await;
    within(waits).await.unwrap().unwrap_err();
    next.release().await.unwrap();
    until_empty(&direct, PATH).await;
}

#[tokio::test]
async fn who_is_deleted_by_others_hears_of_it() {
    let server = TestServer::start().await;
    let (one, other) = (server.client().await, server.client().await);
    let hold = Lock::new(one.clone(), PATH).acquire().await.unwrap();
    let waiter = tokio::spawn({
        let lock = Lock::new(one.clone(), PATH);
        async move { lock.acquire().await }
    });
    let both = until_children(&other, PATH, |names| names.len() == 2).await;
    for name in both {
        other.delete(&format!("{PATH}/{name}"), -1).await.unwrap();
    }
    assert_eq!(within(hold.lost()).await, Standing::Lost);
    let error = within(waiter).await.unwrap().map(drop);
    match error {
        // The one behind may have been deleted first, and then it is told so;
        // or it came to hold the lock for a moment.
        Err(RecipeError::OwnZnodeGone { .. }) | Ok(()) => {}
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_waiter_that_others_delete_never_comes_to_hold() {
    let server = TestServer::start().await;
    let (one, other) = (server.client().await, server.client().await);
    let hold = Lock::new(one.clone(), PATH).acquire().await.unwrap();
    let waiter = tokio::spawn({
        let lock = Lock::new(one.clone(), PATH);
        async move { lock.acquire().await }
    });
    let held = hold.path().rsplit_once('/').unwrap().1.to_owned();
    let both = until_children(&other, PATH, |names| names.len() == 2).await;
    let waiting = both.iter().find(|name| **name != held).unwrap();
    other
        .delete(&format!("{PATH}/{waiting}"), -1)
        .await
        .unwrap();
    hold.release().await.unwrap();
    let error = within(waiter).await.unwrap().unwrap_err();
    assert!(matches!(error, RecipeError::OwnZnodeGone { .. }), "{error}");
}

#[tokio::test]
async fn foreign_children_stand_in_no_line() {
    let server = TestServer::start().await;
    let client = server.client().await;
    let persistent = CreateOptions::new(CreateMode::Persistent);
    for path in ["/locks", PATH, "/locks/one/lock-x", "/locks/one/0000000000"] {
        client.create(path, None, &persistent).await.unwrap();
    }
    let lock = Lock::new(client, PATH);
    let hold = within(lock.acquire()).await.unwrap();
    assert_eq!(lock.contenders().await.unwrap(), [hold.path()]);
    hold.release().await.unwrap();
}

/// The leader and with it the connections of some are killed while the lock
/// goes round: nobody holds it beside another, and everybody comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lock_goes_round_while_servers_are_killed() {
    let mut ensemble = Ensemble::start(3).await.unwrap();
    let holders = Arc::new(AtomicUsize::new(0));
    let rounds = Arc::new(AtomicUsize::new(0));
    let mut contenders = Vec::new();
    for _ in 0..3 {
        let client = client_of(&ensemble).await;
        let (holders, rounds) = (holders.clone(), rounds.clone());
        contenders.push(tokio::spawn(async move {
            let lock = Lock::new(client, PATH);
            for _ in 0..60 {
                let hold = lock.acquire().await.unwrap();
                assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0);
                rounds.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                holders.fetch_sub(1, Ordering::SeqCst);
                hold.release().await.unwrap();
            }
        }));
    }
    for _ in 0..2 {
        let leader = within(ensemble.leader()).await;
        within(ensemble.kill(leader)).await;
        within(ensemble.restart(leader)).await.unwrap();
    }
    for contender in contenders {
        within(contender).await.unwrap();
    }
    assert_eq!(rounds.load(Ordering::SeqCst), 180);
    until_empty(&client_of(&ensemble).await, PATH).await;
}

async fn client_of(ensemble: &Ensemble) -> Client {
    let connector = Connector::new(&ensemble.connect_string()).unwrap();
    let (client, _) = connector.session_timeout(SHORT * 10).start();
    client.connected().await.unwrap();
    client
}
