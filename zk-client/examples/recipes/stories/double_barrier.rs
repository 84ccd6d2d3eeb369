//! R13: three parts of a computation that begin together, when all are there,
//! and end together, when all are done.

use super::Outcome;
use zk_client::Client;
use zk_client::recipes::{DoubleBarrier, RecipeError};

pub(super) async fn run(servers: &str) -> Outcome {
    let mut parts = tokio::task::JoinSet::new();
    for part in 1..=3 {
        let barrier = DoubleBarrier::new(Client::connect(servers).await?, "/queue_barrier", 3);
        parts.spawn(async move {
            println!("part {part} is there");
            let entered = barrier.enter().await?;
            println!("part {part} computes");
            entered.leave().await?;
            println!("part {part} sees that all are done");
            Ok::<_, RecipeError>(())
        });
    }
    while let Some(outcome) = parts.join_next().await {
        outcome??;
    }
    Ok(())
}
