//! One leader at a time, by line, by latch and by one znode.

use crate::support::{SHORT, TestServer, client_at, until_children, until_empty, within};
use zk_client::Error;
use zk_client::recipes::{LeaderElection, LeaderLatch, MasterElection, RecipeError, Standing};

const PATH: &str = "/election";
const MASTER: &str = "/master";
const CREATE2: i32 = 15;

#[tokio::test]
async fn leadership_goes_down_the_line() {
    let server = TestServer::start().await;
    let client = server.client().await;
    let one = LeaderElection::new(client.clone(), PATH, "one");
    let two = LeaderElection::new(client.clone(), PATH, "two");
    assert_eq!(one.leader().await.unwrap(), None);
    let leads = one.win().await.unwrap();
    let waits = tokio::spawn({
        let two = two.clone();
        async move { two.win().await }
    });
    until_children(&client, PATH, |names| names.len() == 2).await;
    let participants = two.participants().await.unwrap();
    let seen: Vec<_> = participants
        .iter()
        .map(|p| (p.id.as_str(), p.is_leader))
        .collect();
    assert_eq!(seen, [("one", true), ("two", false)]);
    leads.release().await.unwrap();
    let leads = within(waits).await.unwrap().unwrap();
    assert_eq!(one.leader().await.unwrap().as_deref(), Some("two"));
    leads.release().await.unwrap();
    until_empty(&client, PATH).await;
}

#[tokio::test]
async fn a_latch_leads_when_those_before_it_are_gone() {
    let server = TestServer::start().await;
    let wire = server.proxy().await;
    let dying = client_at(wire.address(), SHORT).await;
    let client = server.client().await;
    let one = LeaderLatch::start(dying, PATH, "one");
    within(one.until_leader()).await.unwrap();
    let two = LeaderLatch::start(client.clone(), PATH, "two");
    until_children(&client, PATH, |names| names.len() == 2).await;
    let three = LeaderLatch::start(client.clone(), PATH, "three");
    until_children(&client, PATH, |names| names.len() == 3).await;
    assert!(one.is_leader() && !two.is_leader() && !three.is_leader());
    let ids: Vec<_> = three
        .participants()
        .await
        .unwrap()
        .into_iter()
        .map(|p| p.id)
        .collect();
    assert_eq!(ids, ["one", "two", "three"]);
    drop(two);
    until_children(&client, PATH, |names| names.len() == 2).await;
    wire.block();
    within(three.until_leader()).await.unwrap();
    assert!(!one.is_leader());
    wire.heal();
    // Its session is over; it never leads again and says so.
    let error = within(one.until_leader()).await.unwrap_err();
    assert!(
        matches!(error, RecipeError::Client(Error::SessionExpired { .. })),
        "{error}"
    );
    three.close().await;
    until_empty(&client, PATH).await;
}

#[tokio::test]
async fn a_latch_does_not_lead_while_in_doubt() {
    let server = TestServer::start().await;
    let wire = server.proxy().await;
    let latch = LeaderLatch::start(client_at(wire.address(), SHORT * 10).await, PATH, "one");
    within(latch.until_leader()).await.unwrap();
    wire.block();
    within(latch.until_not_leader()).await.unwrap();
    assert!(!latch.is_leader());
    wire.heal();
    within(latch.until_leader()).await.unwrap();
}

#[tokio::test]
async fn a_latch_stands_again_when_its_znode_is_deleted() {
    let server = TestServer::start().await;
    let client = server.client().await;
    let one = LeaderLatch::start(client.clone(), PATH, "one");
    within(one.until_leader()).await.unwrap();
    let two = LeaderLatch::start(client.clone(), PATH, "two");
    until_children(&client, PATH, |names| names.len() == 2).await;
    let leader = one.participants().await.unwrap().remove(0);
    client.delete(&leader.path, -1).await.unwrap();
    within(two.until_leader()).await.unwrap();
    until_children(&client, PATH, |names| names.len() == 2).await;
    assert!(!one.is_leader());
    two.close().await;
    within(one.until_leader()).await.unwrap();
}

#[tokio::test]
async fn a_dead_master_is_replaced() {
    let server = TestServer::start().await;
    let wire = server.proxy().await;
    let client = server.client().await;
    let first = MasterElection::new(client_at(wire.address(), SHORT).await, MASTER, "m1:2223");
    let second = MasterElection::new(client.clone(), MASTER, "m2:2223");
    wire.lose_answer_to(CREATE2);
    let mastership = within(first.win()).await.unwrap();
    assert!(wire.has_lost());
    assert_eq!(mastership.path(), MASTER);
    assert!(second.try_win().await.unwrap().is_none());
    let (data, watch) = second.master().await.unwrap().unwrap();
    assert_eq!(data, "m1:2223");
    wire.block();
    let next = within(second.win()).await.unwrap();
    assert!(next.token() > mastership.token());
    within(watch.changed()).await;
    wire.heal();
    assert_eq!(
        within(mastership.until(|s| s == Standing::Lost)).await,
        Standing::Lost
    );
    // The first one lets go of what it does not have: the second keeps it.
    drop(mastership);
    drop(first);
    let (data, _) = second.master().await.unwrap().unwrap();
    assert_eq!(data, "m2:2223");
    next.release().await.unwrap();
    assert!(second.master().await.unwrap().is_none());
}

#[tokio::test]
async fn a_candidate_who_gives_up_takes_nothing_from_the_master() {
    let server = TestServer::start().await;
    let client = server.client().await;
    let election = MasterElection::new(client.clone(), MASTER, "m1");
    let mastership = election.win().await.unwrap();
    let waits = tokio::spawn({
        let election = election.clone();
        async move { election.win().await }
    });
    tokio::task::yield_now().await;
    waits.abort();
    client.sync(MASTER).await.unwrap();
    assert!(mastership.is_held());
    assert!(client.exists(MASTER, false).await.unwrap().is_some());
}
