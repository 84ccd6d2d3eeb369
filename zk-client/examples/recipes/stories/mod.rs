//! The stories by their names, and what they share. Knows no story's content.

mod barrier;
mod config;
mod counter;
mod double_barrier;
mod load_balancing;
mod lock;
mod master;
mod names;
mod no_herd;
mod notification;
mod queue;
mod read_write_lock;
mod service_registry;
mod unique_ids;
mod workers;

use zk_client::Client;
use zk_client::recipes::RecipeError;

/// How a story ends.
pub(crate) type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// All stories.
pub(crate) const NAMES: [&str; 15] = [
    "master",
    "workers",
    "counter",
    "unique_ids",
    "config",
    "load_balancing",
    "names",
    "notification",
    "lock",
    "read_write_lock",
    "no_herd",
    "queue",
    "barrier",
    "double_barrier",
    "service_registry",
];

/// Tells one story at these servers.
pub(crate) async fn tell(name: &str, servers: &str) -> Outcome {
    match name {
        "master" => master::run(servers).await,
        "workers" => workers::run(servers).await,
        "counter" => counter::run(servers).await,
        "unique_ids" => unique_ids::run(servers).await,
        "config" => config::run(servers).await,
        "load_balancing" => load_balancing::run(servers).await,
        "names" => names::run(servers).await,
        "notification" => notification::run(servers).await,
        "lock" => lock::run(servers).await,
        "read_write_lock" => read_write_lock::run(servers).await,
        "no_herd" => no_herd::run(servers).await,
        "queue" => queue::run(servers).await,
        "barrier" => barrier::run(servers).await,
        "double_barrier" => double_barrier::run(servers).await,
        "service_registry" => service_registry::run(servers).await,
        other => Err(format!("there is no story {other:?}").into()),
    }
}

/// Removes what a story leaves on purpose, children first.
async fn clear(client: &Client, paths: &[&str]) -> Outcome {
    for path in paths {
        let outcome = client.delete(path, -1).await;
        if let Err(error) = outcome
            && error.code() != Some(zk_client::ErrorCode::NO_NODE)
        {
            return Err(RecipeError::from(error).into());
        }
    }
    Ok(())
}
