//! The load from the crate `zookeeper-client`.

use clients::{BYTES, Load, PATH};
use zookeeper_client::{Acls, Client, CreateMode, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let load = Load::from_args();
    let client = Client::connect(&load.address).await?;
    let options = CreateMode::Persistent.with_acls(Acls::anyone_all());
    match client.create(PATH, &[b'x'; BYTES], &options).await {
        Err(error) if error != Error::NodeExists => return Err(error),
        _ => {}
    }
    let writes = load.writes;
    let operation = move || {
        let client = client.clone();
        async move {
            if writes {
                let stat = client.set_data(PATH, &[b'x'; BYTES], None).await;
                assert!(stat.is_ok());
            } else {
                let (data, _) = client.get_data(PATH).await.expect("it is there");
                assert_eq!(data.len(), BYTES);
            }
        }
    };
    load.run(operation).await;
    Ok(())
}
