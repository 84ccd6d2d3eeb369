//! Trying out fetched jars: a server must start from them and name its version.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::cache;
use crate::error::{Error, Result};

/// A JVM on a busy machine takes seconds to start; one that takes this long is stuck.
const START_MAX: Duration = Duration::from_secs(60);
const RETRY: Duration = Duration::from_millis(100);

/// What a server says between listening and serving.
const NOT_YET: &str = "This ZooKeeper instance is not currently serving requests";

/// Starts a standalone server out of a directory of jars and asks it for its version.
pub(super) fn server(java: &Path, jars: &Path, version: &str) -> Result<()> {
    let scratch = jars.join("probe");
    let address = free_address()?;
    std::fs::create_dir_all(&scratch).map_err(|error| Error::io("create", &scratch, error))?;
    let config = scratch.join("zoo.cfg");
    cache::write(&config, &zoo_cfg(address, &scratch))?;
    let mut server = start(java, jars, &config)?;
    let answer = ask(&mut server, address);
    stop(&mut server);
    cache::clear(&scratch)?;
    check(&answer?, version)
}

fn check(answer: &str, version: &str) -> Result<()> {
    if answer.starts_with(&format!("Zookeeper version: {version}-")) {
        println!("Apache ZooKeeper {version} starts and answers srvr");
        return Ok(());
    }
    let banner = answer.lines().next().unwrap_or_default();
    Err(Error::wrong(format!(
        "the jars are not {version}: srvr says {banner:?}"
    )))
}

fn zoo_cfg(address: SocketAddrV4, data: &Path) -> String {
    let (host, port, data) = (address.ip(), address.port(), data.display());
    format!(
        "clientPort={port}\nclientPortAddress={host}\ndataDir={data}\nadmin.enableServer=false\n"
    )
}

fn start(java: &Path, jars: &Path, config: &Path) -> Result<Child> {
    let class_path = format!("{0}/*:{0}", jars.display());
    let mut command = Command::new(java);
    command.args(["-Dzk.log.level=ERROR", "-cp", &class_path]);
    command
        .arg("org.apache.zookeeper.server.quorum.QuorumPeerMain")
        .arg(config);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
        .spawn()
        .map_err(|error| Error::io("run", java, error))
}

/// Asks until the server answers, ends or has had its time.
fn ask(server: &mut Child, address: SocketAddrV4) -> Result<String> {
    let begin = Instant::now();
    while begin.elapsed() < START_MAX {
        if let Ok(answer) = srvr(address)
            && !answer.is_empty()
            && !answer.starts_with(NOT_YET)
        {
            return Ok(answer);
        }
        if let Ok(Some(status)) = server.try_wait() {
            return Err(Error::wrong(format!("the server ended with {status}")));
        }
        std::thread::sleep(RETRY);
    }
    Err(Error::wrong(format!(
        "the server did not answer within {START_MAX:?}"
    )))
}

fn srvr(address: SocketAddrV4) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(START_MAX))?;
    stream.write_all(b"srvr")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// The server holds nothing worth a clean end.
fn stop(server: &mut Child) {
    let _ = server.kill();
    let _ = server.wait();
}

/// An address that was free a moment ago.
fn free_address() -> Result<SocketAddrV4> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.local_addr());
    let bound = bound.map_err(|source| Error::Io {
        what: "cannot find a free port".to_owned(),
        source,
    })?;
    Ok(SocketAddrV4::new(Ipv4Addr::LOCALHOST, bound.port()))
}
