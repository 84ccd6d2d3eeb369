//! A server to talk to: one that the environment names, or Apache's, started
//! for the test.
//!
//! * `ZK_TEST_SERVER`: `host:port` of a running server without znodes of
//!   users, with extended types enabled;
//! * `ZK_APACHE_395` and `ZK_JAVA`: the directory of Apache's jars and the
//!   java program.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

pub(crate) struct Server {
    pub(crate) address: String,
    /// What was started, if anything; ends with this value.
    _started: Option<Started>,
}

struct Started {
    child: Child,
    _directory: TempDir,
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// One that runs already.
    pub(crate) const fn at(address: String) -> Self {
        Self {
            address,
            _started: None,
        }
    }

    /// A server, or `None` with a line that says why.
    #[allow(clippy::print_stderr, reason = "a skipped test should say so")]
    pub(crate) fn find() -> Option<Self> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        if let Some(address) = variable("ZK_TEST_SERVER") {
            return Some(Self::at(address));
        }
        let (Some(jars), Some(java)) = (variable("ZK_APACHE_395"), variable("ZK_JAVA")) else {
            eprintln!(
                "skipped: neither ZK_TEST_SERVER nor both of ZK_APACHE_395 and ZK_JAVA are set"
            );
            return None;
        };
        Some(Self::start_apache(&jars, &java))
    }

    fn start_apache(jars: &str, java: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = free_port();
        let config = directory.path().join("zoo.cfg");
        std::fs::write(&config, config_text(port, directory.path())).unwrap();
        let child = Command::new(java)
            .args(["-Xmx256m", "-cp", &format!("{jars}/*")])
            .arg("org.apache.zookeeper.server.quorum.QuorumPeerMain")
            .arg(&config)
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Started {
            child,
            _directory: directory,
        };
        let address = format!("127.0.0.1:{port}");
        let probe = crate::zk::run(["-server", &address, "-waitforconnection", "ls", "/"]);
        assert_eq!(probe.exit, 0, "Apache's server did not start: {probe:?}");
        Self {
            address,
            _started: Some(started),
        }
    }
}

fn config_text(port: u16, directory: &Path) -> String {
    format!(
        "tickTime=2000\nclientPort={port}\nclientPortAddress=127.0.0.1\ndataDir={}\n\
         admin.enableServer=false\nextendedTypesEnabled=true\n",
        directory.join("data").display()
    )
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
