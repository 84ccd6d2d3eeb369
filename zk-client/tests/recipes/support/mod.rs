//! A server, sessions with it, and the wire between them, which may break.

mod proxy;

pub(crate) use proxy::Proxy;

use std::net::SocketAddr;
use std::time::Duration;
use zk_client::{Client, Connector};
use zk_server::testing::Ensemble;

/// Longer than anything takes on the busiest machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A session that no test outlives.
const LONG: Duration = Duration::from_secs(60);

/// A session that dies soon, but survives a busy machine.
pub(crate) const SHORT: Duration = Duration::from_secs(3);

/// A running server, in a directory of its own.
pub(crate) struct TestServer(Ensemble);

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self(Ensemble::start(1).await.unwrap())
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.address(1)
    }

    /// A session of its own.
    pub(crate) async fn client(&self) -> Client {
        client_at(self.address(), LONG).await
    }

    pub(crate) async fn proxy(&self) -> Proxy {
        Proxy::start(self.address()).await
    }
}

/// A session by way of this address.
pub(crate) async fn client_at(address: SocketAddr, timeout: Duration) -> Client {
    let connector = Connector::new(&address.to_string()).unwrap();
    let (client, _) = connector.session_timeout(timeout).start();
    client.connected().await.unwrap();
    client
}

/// Waits until the children of a znode are as wanted.
pub(crate) async fn until_children(
    client: &Client,
    path: &str,
    is_wanted: impl Fn(&[String]) -> bool,
) -> Vec<String> {
    within(async {
        loop {
            let Ok((names, _, watch)) = client.list_and_watch_children(path).await else {
                let (stat, watch) = client.check_and_watch_stat(path).await.unwrap();
                if is_wanted(&[]) {
                    return Vec::new();
                }
                if stat.is_none() {
                    watch.changed().await;
                }
                continue;
            };
            if is_wanted(&names) {
                return names;
            }
            watch.changed().await;
        }
    })
    .await
}

/// Waits until nothing is below a znode.
pub(crate) async fn until_empty(client: &Client, path: &str) {
    until_children(client, path, <[String]>::is_empty).await;
}

/// What takes for ever fails.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("it happens in time")
}
