//! R1: two masters of one system. The one that creates `/master` leads; the
//! other watches that znode and takes over when it goes.

use super::Outcome;
use zk_client::Client;
use zk_client::recipes::MasterElection;

pub(super) async fn run(servers: &str) -> Outcome {
    let m1 = Client::connect(servers).await?;
    let m2 = Client::connect(servers).await?;
    let first = MasterElection::new(m1.clone(), "/master", "m1:2223");
    let second = MasterElection::new(m2, "/master", "m2:2223");

    let leads = first.win().await?;
    println!("m1 leads with token {}", leads.token());
    if let Some((master, watch)) = second.master().await? {
        println!("m2 sees {master:?} in /master and watches it");
        let waits = tokio::spawn(async move { second.win().await });
        m1.close().await?;
        println!("m1 is gone: {:?}", watch.changed().await.kind);
        let takes_over = waits.await??;
        println!("m2 leads with token {}", takes_over.token());
        takes_over.release().await?;
    }
    Ok(())
}
