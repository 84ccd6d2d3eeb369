//! R12: tasks that are done in the order in which they came, each by one of the
//! workers; urgent ones have a queue in which the lowest number goes first.

use super::{Outcome, clear};
use zk_client::Client;
use zk_client::recipes::{PriorityQueue, Queue};

pub(super) async fn run(servers: &str) -> Outcome {
    let client = Client::connect(servers).await?;
    let tasks = Queue::new(client.clone(), "/queue_fifo");
    let worker = Queue::new(Client::connect(servers).await?, "/queue_fifo");
    let waits = tokio::spawn(async move { (worker.pop().await, worker.pop().await) });
    tasks.push(b"first").await?;
    tasks.push(b"second").await?;
    let (first, second) = waits.await?;
    println!("done: {:?}, then {:?}", first?, second?);

    let urgent = PriorityQueue::new(client.clone(), "/queue_urgent");
    urgent.push(b"whenever", 9).await?;
    urgent.push(b"at once", 1).await?;
    println!(
        "done: {:?}, then {:?}",
        urgent.pop().await?,
        urgent.pop().await?
    );
    clear(&client, &["/queue_fifo", "/queue_urgent"]).await
}
