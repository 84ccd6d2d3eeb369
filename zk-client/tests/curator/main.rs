//! Curator's recipes and ours at the same znodes: contenders in Java and in
//! Rust share locks, elections, barriers, queues and counters.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::print_stdout,
    reason = "what was skipped is for who reads the test's output"
)]

mod java;
mod leaders;
mod locks;
mod meetings;
mod values;

use java::Java;
use std::time::Duration;
use zk_client::{Client, Connector};
use zk_server::testing::Ensemble;

/// A session that no test outlives.
const LONG: Duration = Duration::from_secs(60);

/// One server, one contender in Java, and one session.
struct Meeting {
    ensemble: Ensemble,
    java: Java,
    client: Client,
}

impl Meeting {
    /// `None` where there is no Java.
    async fn start() -> Option<Self> {
        Self::with_java_session(LONG).await
    }

    async fn with_java_session(timeout: Duration) -> Option<Self> {
        let ensemble = Ensemble::start(1).await.unwrap();
        let java = Java::start(&ensemble.connect_string(), timeout).await?;
        let client = client_of(&ensemble).await;
        Some(Self {
            ensemble,
            java,
            client,
        })
    }

    /// Waits until so many children are below a znode.
    async fn until_children(&self, path: &str, count: usize) {
        within(async {
            loop {
                let (_, stat, watch) = self.client.list_and_watch_children(path).await.unwrap();
                if usize::try_from(stat.num_children) == Ok(count) {
                    return;
                }
                watch.changed().await;
            }
        })
        .await;
    }
}

/// A session of its own.
async fn client_of(ensemble: &Ensemble) -> Client {
    let connector = Connector::new(&ensemble.connect_string()).unwrap();
    let (client, _) = connector.session_timeout(LONG).start();
    client.connected().await.unwrap();
    client
}

/// What takes for ever fails.
async fn within<T>(future: impl Future<Output = T>) -> T {
    let patience = Duration::from_secs(180);
    tokio::time::timeout(patience, future)
        .await
        .expect("it happens in time")
}
