//! What ZooKeeper is used for, as stories that run: each file here is one, with
//! its people in one process and a session for each of them.
//!
//! ```sh
//! cargo run -p zk-client --example recipes -- lock 127.0.0.1:2181
//! cargo run -p zk-client --example recipes -- all 127.0.0.1:2181
//! ```

#![allow(clippy::print_stdout, reason = "an example speaks")]

mod stories;

#[tokio::main]
async fn main() -> stories::Outcome {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let servers = arguments.next();
    let servers = servers.as_deref().unwrap_or("127.0.0.1:2181");
    if stories::NAMES.contains(&name.as_str()) {
        return stories::tell(&name, servers).await;
    }
    if name != "all" {
        println!("stories: all, {}", stories::NAMES.join(", "));
        return Ok(());
    }
    for name in stories::NAMES {
        println!("--- {name}");
        stories::tell(name, servers).await?;
    }
    Ok(())
}
