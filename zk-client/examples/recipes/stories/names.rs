//! R7: names that follow their servers, as dynamic DNS does. An application
//! keeps its address in a znode of its name; who asked once is told when it
//! moves.

use super::{Outcome, clear};
use zk_client::Client;
use zk_client::recipes::SharedValue;

const NAME: &str = "/DDNS/app1/server.app1.company1.com";

pub(super) async fn run(servers: &str) -> Outcome {
    let server = Client::connect(servers).await?;
    let registered = SharedValue::new(server.clone(), NAME, "192.168.0.1:8080");
    registered.get().await?;
    let asks = SharedValue::new(Client::connect(servers).await?, NAME, "");
    let address = asks.get().await?;
    println!("server.app1.company1.com is {:?}", address.value);
    registered.set(b"192.168.0.2:8080").await?;
    println!("and now it is {:?}", asks.changed(&address).await?.value);
    clear(&server, &[NAME, "/DDNS/app1", "/DDNS"]).await
}
