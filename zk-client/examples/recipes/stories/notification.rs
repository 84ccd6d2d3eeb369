//! R8: components of a replication system that know nothing of each other. The
//! core writes how far it is into one znode; the server behind it and a monitor
//! watch that znode and act, each on its own.

use super::{Outcome, clear};
use zk_client::Client;
use zk_client::recipes::SharedValue;

const PROGRESS: &str = "/replication/progress";

pub(super) async fn run(servers: &str) -> Outcome {
    let client = Client::connect(servers).await?;
    let core = SharedValue::new(client.clone(), PROGRESS, "idle");
    let idle = core.get().await?;
    let mut watching = tokio::task::JoinSet::new();
    for component in ["server", "monitor"] {
        let (progress, idle) = (
            SharedValue::new(Client::connect(servers).await?, PROGRESS, ""),
            idle.clone(),
        );
        watching.spawn(async move { (component, progress.changed(&idle).await) });
    }
    core.set(b"binlog.000042:1337").await?;
    while let Some(told) = watching.join_next().await {
        let (component, progress) = told?;
        println!("the {component} hears of {:?}", progress?.value);
    }
    clear(&client, &[PROGRESS, "/replication"]).await
}
