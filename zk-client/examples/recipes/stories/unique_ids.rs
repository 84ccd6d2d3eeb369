//! R4: names that nobody else gets. Servers number sequential znodes, in ten
//! digits; a number can be drawn, or be kept as the znode of what it names.

use super::{Outcome, clear};
use zk_client::Client;
use zk_client::recipes::UniqueIds;

pub(super) async fn run(servers: &str) -> Outcome {
    let client = Client::connect(servers).await?;
    let orders = UniqueIds::new(client.clone(), "/order", "order-date1-");
    println!(
        "order numbers {} and {}",
        orders.draw().await?,
        orders.draw().await?
    );
    let jobs = UniqueIds::new(client.clone(), "/type2", "job-");
    let path = jobs.register(b"clean up").await?;
    println!("a job named type2-{}", path.trim_start_matches("/type2/"));
    clear(&client, &[&path, "/type2", "/order"]).await
}
