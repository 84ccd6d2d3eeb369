//! R13: a merge that begins when somebody says so. All wait while the barrier
//! is set, and go on when it is removed.

use super::Outcome;
use zk_client::Client;
use zk_client::recipes::Barrier;

pub(super) async fn run(servers: &str) -> Outcome {
    let gate = Barrier::new(Client::connect(servers).await?, "/barrier_gate");
    gate.set().await?;
    let mut waiting = tokio::task::JoinSet::new();
    for runner in 1..=3 {
        let gate = Barrier::new(Client::connect(servers).await?, "/barrier_gate");
        waiting.spawn(async move { gate.wait().await.map(|()| runner) });
    }
    println!("ready, set");
    gate.remove().await?;
    while let Some(runner) = waiting.join_next().await {
        println!("runner {} goes", runner??);
    }
    Ok(())
}
