//! R2: a master watches who works for it. Each worker is an ephemeral znode
//! below `/workers`, with its address; a worker that dies is gone by itself.

use super::Outcome;
use zk_client::Client;
use zk_client::recipes::{Cache, CacheEvent, Group};

pub(super) async fn run(servers: &str) -> Outcome {
    let mut workers = Group::new(Client::connect(servers).await?, "/workers").watch();
    workers.initialized().await;
    let host1 = Client::connect(servers).await?;
    let host2 = Client::connect(servers).await?;
    let w1 = Group::new(host1, "/workers").join("w1", b"w1:2224").await?;
    hear(&mut workers).await;
    let _w2 = Group::new(host2.clone(), "/workers")
        .join("w2", b"w2:2224")
        .await?;
    hear(&mut workers).await;
    w1.set_data(b"w1:2224 busy").await?;
    hear(&mut workers).await;
    // What takes its znode away here is the end of the session; a crash does
    // the same after the session's timeout.
    host2.close().await?;
    hear(&mut workers).await;
    w1.leave().await?;
    Ok(())
}

async fn hear(workers: &mut Cache) {
    match workers.next().await {
        Some(CacheEvent::Created(worker)) => println!("{} came: {:?}", worker.path, worker.data),
        Some(CacheEvent::Changed { now, .. }) => println!("{} says {:?}", now.path, now.data),
        Some(CacheEvent::Deleted(worker)) => println!("{} is gone", worker.path),
        other => println!("{other:?}"),
    }
}
