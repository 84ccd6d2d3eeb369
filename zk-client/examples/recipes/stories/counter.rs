//! R3: three clients count together. Each sets the sum on the condition that
//! the version is still the one it read, and tries again if it is not.

use super::{Outcome, clear};
use zk_client::Client;
use zk_client::recipes::AtomicLong;

pub(super) async fn run(servers: &str) -> Outcome {
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let count = AtomicLong::new(Client::connect(servers).await?, "/visits");
        clients.spawn(async move {
            for _ in 0..10 {
                count.add(1).await?;
            }
            Ok::<_, zk_client::recipes::RecipeError>(())
        });
    }
    while let Some(outcome) = clients.join_next().await {
        outcome??;
    }
    let client = Client::connect(servers).await?;
    let visits = AtomicLong::new(client.clone(), "/visits").get().await?;
    println!("{} visits in version {}", visits.value, visits.version);
    clear(&client, &["/visits"]).await
}
