//! A server inside this process, on a free port and in a directory of its own.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use zk_server::Server;
use zk_server::config::{JvmFlags, ServerConfig};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::temp_dir().join(format!("zk-embedded-{}", std::process::id()));
    let text = format!(
        "dataDir={}\nclientPort=0\nclientPortAddress=127.0.0.1\ntickTime=2000\npreAllocSize=64\n",
        dir.display()
    );
    let config = ServerConfig::parse(Path::new("zoo.cfg"), text.as_bytes(), &JvmFlags::default())?;
    let runtime = tokio::runtime::Runtime::new()?;
    let server = runtime.block_on(Server::start(config))?;

    let mut word = TcpStream::connect(server.client_address())?;
    word.write_all(b"srvr")?;
    let mut answer = String::new();
    word.read_to_string(&mut answer)?;
    assert!(answer.contains("Mode: standalone"), "{answer}");

    runtime.block_on(server.stop())?;
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}
