//! R14: a registry of services. Instances register with address and port, and
//! are gone when they die; who calls them follows who is there. The znodes are
//! those of Curator's service discovery.

use super::Outcome;
use zk_client::Client;
use zk_client::recipes::{CacheEvent, ServiceInstance, ServiceRegistry};

pub(super) async fn run(servers: &str) -> Outcome {
    let calls = ServiceRegistry::new(Client::connect(servers).await?, "/services");
    let mut instances = calls.watch("log-collector");
    instances.initialized().await;
    let host1 = ServiceRegistry::new(Client::connect(servers).await?, "/services");
    let collector = ServiceInstance::new("log-collector").at("10.0.0.1", 5140);
    let registration = host1.register(&collector).await?;
    if let Some(CacheEvent::Created(node)) = instances.next().await {
        let found = ServiceInstance::from_json(&node.data)?;
        println!(
            "{} serves at {:?}:{:?}",
            found.name, found.address, found.port
        );
    }
    println!("services: {:?}", calls.services().await?);
    registration.unregister().await?;
    if let Some(CacheEvent::Deleted(node)) = instances.next().await {
        println!("{} is gone", node.path);
    }
    Ok(())
}
