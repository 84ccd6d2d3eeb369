//! R10: many readers or one writer. A reader waits for the writers before it, a
//! writer for all before it, so that nobody waits for ever.

use super::Outcome;
use zk_client::Client;
use zk_client::recipes::ReadWriteLock;

const PATH: &str = "/shared_lock";

pub(super) async fn run(servers: &str) -> Outcome {
    let host1 = ReadWriteLock::new(Client::connect(servers).await?, PATH);
    let host2 = ReadWriteLock::new(Client::connect(servers).await?, PATH);
    let first = host1.read().await?;
    let second = host2.read().await?;
    println!("two read: {} and {}", first.path(), second.path());
    let writer = tokio::spawn(async move { host2.write().await });
    first.release().await?;
    second.release().await?;
    let writes = writer.await??;
    println!("one writes: {}", writes.path());
    let reads = writes.downgrade().await?;
    println!("it reads on what it wrote: {}", reads.path());
    reads.release().await?;
    Ok(())
}
