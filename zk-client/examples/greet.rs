//! Connects, creates a znode, watches it, changes it and says what happened.
//!
//! `cargo run -p zk-client --example greet -- 127.0.0.1:2181`

#![allow(clippy::print_stdout, reason = "an example speaks")]

use zk_client::{Client, CreateMode, CreateOptions};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), zk_client::Error> {
    let servers = std::env::args().nth(1);
    let servers = servers.as_deref().unwrap_or("127.0.0.1:2181");
    let client = Client::connect(servers).await?;
    let mut events = client.events();

    let ephemeral = CreateOptions::new(CreateMode::EphemeralSequential);
    let (path, _) = client
        .create("/greeting-", Some(b"hello"), &ephemeral)
        .await?;
    let (data, stat) = client.get_data(&path, true).await?;
    println!("{path} says {data:?} in version {}", stat.version);

    client
        .set_data(&path, Some(b"goodbye"), stat.version)
        .await?;
    if let Some(event) = events.next().await {
        println!("{event}");
    }
    client.close().await
}
