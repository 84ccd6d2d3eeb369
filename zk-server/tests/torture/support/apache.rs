//! Apache's server and its tools, if the environment has them.

use crate::support::client::word;
use crate::support::process::write_config;
use std::env;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A Java virtual machine takes its time on a busy machine.
const START: Duration = Duration::from_secs(120);

/// A version of Apache's server: its jars and how to run them.
#[derive(Debug, Clone)]
pub(crate) struct Apache {
    java: String,
    class_path: String,
}

impl Apache {
    /// The version whose jars are in the directory that the variable names;
    /// `None` after saying that the test is skipped.
    pub(crate) fn find(test: &str, variable: &str) -> Option<Self> {
        match (env::var("ZK_JAVA"), env::var(variable)) {
            (Ok(java), Ok(jars)) => Some(Self {
                java,
                class_path: format!("{jars}/*:{jars}"),
            }),
            _ => {
                println!("{test}: skipped, ZK_JAVA and {variable} are not both set");
                None
            }
        }
    }

    fn java(&self) -> Command {
        let mut command = Command::new(&self.java);
        // Short lives: what a long one would gain costs more here.
        command.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m"]);
        // Paths enter the digest in this charset.
        command.args([
            "-Dfile.encoding=UTF-8",
            "-Dzookeeper.admin.enableServer=false",
        ]);
        command.args(["-cp", &self.class_path]);
        command.stdin(Stdio::null());
        command
    }

    /// Starts a server on a data directory.
    pub(crate) fn start(&self, data_dir: &Path, extra: &str) -> ApacheServer {
        let address = free_address();
        let config = write_config(data_dir, address.port(), extra);
        let said = data_dir.with_added_extension("apache.txt");
        let output = std::fs::File::create(&said).expect("a file");
        let child = self
            .java()
            .arg("org.apache.zookeeper.server.quorum.QuorumPeerMain")
            .arg(config)
            .stdout(Stdio::null())
            .stderr(output)
            .spawn()
            .expect("java can be started");
        let mut server = ApacheServer { child, address };
        server.wait_until_it_serves(&said);
        server
    }

    /// What one of Apache's tools prints; it must end well.
    pub(crate) fn tool(&self, class: &str, args: &[&str]) -> String {
        let output = self
            .java()
            .arg(format!("org.apache.zookeeper.server.{class}"))
            .args(args)
            .output()
            .expect("java can be started");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{class} {args:?}: {text}\n{errors}"
        );
        text
    }
}

/// A port that was free a moment ago; Apache does not take 0.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address")
}

/// Apache's server.
#[derive(Debug)]
pub(crate) struct ApacheServer {
    child: Child,
    address: SocketAddr,
}

impl ApacheServer {
    fn wait_until_it_serves(&mut self, said: &Path) {
        let started = Instant::now();
        loop {
            if word(self.address, "srvr").is_ok_and(|text| text.contains("Mode: standalone")) {
                return;
            }
            let ended = self.child.try_wait().expect("it can be waited for");
            if ended.is_some() || started.elapsed() > START {
                let said = std::fs::read_to_string(said).unwrap_or_default();
                panic!("Apache does not serve ({ended:?}):\n{said}");
            }
            // Nothing tells when it is there.
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// kill -9, which is also how Apache's own script used to stop it.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it can be waited for");
    }
}

impl Drop for ApacheServer {
    fn drop(&mut self) {
        // A test that failed leaves no process behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
