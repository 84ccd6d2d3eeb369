//! R6: requests go to the server that served the least. How much each served
//! is a count in its znode, which whoever sends a request raises.

use super::{Outcome, clear};
use zk_client::Client;
use zk_client::recipes::{AtomicLong, Result};

const SERVERS: [&str; 3] = ["host1", "host2", "host3"];

pub(super) async fn run(servers: &str) -> Outcome {
    let client = Client::connect(servers).await?;
    let count = |host: &str| AtomicLong::new(client.clone(), format!("/access/{host}"));
    count("host2").set(5).await?;
    for _ in 0..4 {
        let host = least_used(&client).await?;
        let served = count(host).add(1).await?;
        println!("{host} serves request number {}", served.value);
    }
    clear(
        &client,
        &["/access/host1", "/access/host2", "/access/host3", "/access"],
    )
    .await
}

async fn least_used(client: &Client) -> Result<&'static str> {
    let mut least = (i64::MAX, SERVERS[0]);
    for host in SERVERS {
        let count = AtomicLong::new(client.clone(), format!("/access/{host}"))
            .get()
            .await?;
        least = least.min((count.value, host));
    }
    Ok(least.1)
}
