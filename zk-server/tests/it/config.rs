//! The configuration as a whole: what is in a file, on the command line and
//! in the environment, and what a server is told.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod ensembles;
mod precedence;
mod registry;
mod report;
mod standalone_keys;
mod whole_files;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use zk_proto::ensemble::Role;
use zk_server::config::keys::{self, Effect, Form, Kind};
use zk_server::config::{ArgsForm, JvmFlags, ServerConfig, SnapshotCompression};

const SAMPLE: &str = "\
# milliseconds of a tick
tickTime=2000
# ticks the first synchronization may take
initLimit=10
# ticks between a request and its acknowledgement
syncLimit=5
dataDir=/tmp/zookeeper
# where clients connect
clientPort=2181
#maxClientCnxns=60
#autopurge.snapRetainCount=3
#autopurge.purgeInterval=1
## Metrics Providers
#metricsProvider.httpPort=7000
";

/// A directory with a `zoo.cfg`, and the data directory named in it.
struct Site {
    dir: TempDir,
}

impl Site {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir }
    }

    fn with_myid(id: &str) -> Self {
        let site = Self::new();
        site.write("myid", id);
        site
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Reads a file with a `dataDir` and these lines.
    fn read(&self, lines: &str) -> Result<ServerConfig, String> {
        let data = self.dir.path().display();
        self.read_all(&format!("dataDir={data}\n{lines}"), &JvmFlags::default())
    }

    fn read_all(&self, text: &str, flags: &JvmFlags) -> Result<ServerConfig, String> {
        let path = self.write("zoo.cfg", text);
        let config = ServerConfig::load(&ArgsForm::File(path), flags);
        config.map_err(|error| error.to_string())
    }
}

fn parse(text: &str) -> Result<ServerConfig, String> {
    parse_with(text, &JvmFlags::default())
}

/// Reads a text that names no file which exists.
fn parse_with(text: &str, flags: &JvmFlags) -> Result<ServerConfig, String> {
    let config = ServerConfig::parse(Path::new("/conf/zoo.cfg"), text.as_bytes(), flags);
    config.map_err(|error| error.to_string())
}

/// Reads lines after a `dataDir` and a `clientPort`, on lines 1 and 2.
fn standalone(lines: &str) -> ServerConfig {
    parse(&with_basics(lines)).unwrap()
}

fn refused(lines: &str) -> String {
    parse(&with_basics(lines)).unwrap_err()
}

fn with_basics(lines: &str) -> String {
    format!("dataDir=/nowhere/zk\nclientPort=2181\n{lines}")
}

fn flags(text: &str) -> JvmFlags {
    let mut flags = JvmFlags::default();
    flags.add("JVMFLAGS", text);
    flags
}

fn address(config: &ServerConfig) -> String {
    config.clients.address.unwrap().to_string()
}
