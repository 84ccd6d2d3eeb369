//! R9: a report that one process at a time may write. Holders show a token to
//! the store, which refuses holders who lost the lock and do not know yet.

use super::Outcome;
use zk_client::Client;
use zk_client::recipes::{Lock, RecipeError};

pub(super) async fn run(servers: &str) -> Outcome {
    let mut writers = tokio::task::JoinSet::new();
    for writer in 1..=3 {
        let lock = Lock::new(Client::connect(servers).await?, "/exclusive_lock/report");
        writers.spawn(async move {
            let hold = lock.acquire().await?;
            println!("writer {writer} writes with token {}", hold.token());
            hold.release().await?;
            Ok::<_, RecipeError>(())
        });
    }
    while let Some(outcome) = writers.join_next().await {
        outcome??;
    }
    Ok(())
}
