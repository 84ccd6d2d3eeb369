//! R11: a line of waiters in which a release wakes one and not all. Each waiter
//! watches the znode before its own and no other.

use super::Outcome;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use zk_client::recipes::{Lock, RecipeError};
use zk_client::{Client, EventType};

const WAITERS: usize = 5;

pub(super) async fn run(servers: &str) -> Outcome {
    let first = Lock::new(Client::connect(servers).await?, "/herd");
    let hold = first.acquire().await?;
    let deletions = Arc::new(AtomicUsize::new(0));
    let mut waiters = tokio::task::JoinSet::new();
    for _ in 0..WAITERS {
        let client = Client::connect(servers).await?;
        let (mut events, deletions) = (client.events(), deletions.clone());
        waiters.spawn(async move {
            Lock::new(client.clone(), "/herd")
                .acquire()
                .await?
                .release()
                .await?;
            client.close().await?;
            while let Some(event) = events.next().await {
                if event.kind == EventType::NodeDeleted {
                    deletions.fetch_add(1, Ordering::Relaxed);
                }
            }
            Ok::<_, RecipeError>(())
        });
    }
    while first.contenders().await?.len() <= WAITERS {
        tokio::task::yield_now().await;
    }
    hold.release().await?;
    while let Some(outcome) = waiters.join_next().await {
        outcome??;
    }
    // One for the znode before, one for its own; a herd would hear of all.
    let deletions = deletions.load(Ordering::Relaxed);
    println!("{WAITERS} waiters had their turns and heard of {deletions} deletions");
    Ok(())
}
