//! The load from zk-client.

use clients::{BYTES, Load, PATH};
use zk_client::{Client, CreateOptions, Error, ErrorCode};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let load = Load::from_args();
    let client = Client::connect(&load.address).await?;
    let options = CreateOptions::default();
    match client.create(PATH, Some(&[b'x'; BYTES]), &options).await {
        Err(error) if error.code() != Some(ErrorCode::NODE_EXISTS) => return Err(error),
        _ => {}
    }
    let writes = load.writes;
    let operation = {
        let client = client.clone();
        move || {
            let client = client.clone();
            async move {
                if writes {
                    let stat = client.set_data(PATH, Some(&[b'x'; BYTES]), -1).await;
                    assert!(stat.is_ok());
                } else {
                    let (data, _) = client.get_data(PATH, false).await.expect("it is there");
                    assert_eq!(data.map(|data| data.len()), Some(BYTES));
                }
            }
        }
    };
    load.run(operation).await;
    client.close().await
}
