//! The search for a server with a quorum while one without serves the session
//! (`ClientCnxn.SendThread.pingRwServer`). It asks, and connects nobody.

use crate::HostPort;
use crate::connect::connect;
use crate::random::Random;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// How long a server may take to say what it is.
const PATIENCE: Duration = Duration::from_secs(1);

/// Asks one server after the other, more and more seldom, until one says that
/// it can write.
pub(crate) async fn find_writable(hosts: Vec<HostPort>) -> HostPort {
    let mut random = Random::new();
    let mut pause = PAUSE_MIN;
    for host in hosts.iter().cycle() {
        sleep(pause).await;
        match timeout(PATIENCE, is_writable(host, &mut random)).await {
            Ok(Ok(true)) => return host.clone(),
            Ok(Err(error)) => tracing::debug!(%host, %error, "not asked whether it can write"),
            Ok(Ok(false)) | Err(_) => {}
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
    // There is no server to ask.
    std::future::pending().await
}

async fn is_writable(host: &HostPort, random: &mut Random) -> io::Result<bool> {
    let mut stream = connect(host, PATIENCE, random).await?;
    stream.write_all(b"isro").await?;
    let mut answer = Vec::new();
    stream.take(16).read_to_end(&mut answer).await?;
    Ok(answer.starts_with(b"rw"))
}
