//! R5: configuration that is published once and read by many. A subscriber
//! reads it at its start and hears of every change; what is pushed is that
//! there is one, what is pulled is the newest.

use super::{Outcome, clear};
use zk_client::recipes::{Cache, CacheEvent, Extent};
use zk_client::{Client, CreateOptions};

pub(super) async fn run(servers: &str) -> Outcome {
    let publisher = Client::connect(servers).await?;
    let options = CreateOptions::default();
    publisher
        .create("/config", Some(b"db=primary"), &options)
        .await?;
    let subscriber = Client::connect(servers).await?;
    let mut config = Cache::start(subscriber, "/config", Extent::Node);
    config.initialized().await;
    println!(
        "begins with {:?}",
        config.get("/config").map(|node| node.data)
    );
    publisher
        .set_data("/config", Some(b"db=standby"), -1)
        .await?;
    if let Some(CacheEvent::Changed { now, .. }) = config.next().await {
        println!("goes on with {:?}", now.data);
    }
    clear(&publisher, &["/config"]).await
}
