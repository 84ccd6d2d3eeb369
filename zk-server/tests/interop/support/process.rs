//! Servers as child processes, Apache's and ours, on the same zoo.cfg.

use super::link::four_letter_word;
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A JVM on a busy machine takes its time.
const START_TIMEOUT: Duration = Duration::from_secs(90);

/// `super:fixture` may do everything.
pub(crate) const SUPER_DIGEST: &str = "super:aUNvlR1MTvkJltEXyKE6RkjAUlk=";
/// The credentials for it.
pub(crate) const SUPER: &str = "super:fixture";

/// Which server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Program {
    /// Apache's, from a directory of jars.
    Apache { java: PathBuf, jars: PathBuf },
    /// Ours.
    Ours(PathBuf),
}

impl Program {
    /// Ours as built for release, or as built with this test.
    pub(crate) fn ours() -> Self {
        let built = std::env::var_os("ZK_SERVER_BIN").filter(|value| !value.is_empty());
        Self::Ours(built.map_or_else(|| env!("CARGO_BIN_EXE_zk-server").into(), PathBuf::from))
    }

    /// Apache's 3.9.5, if this machine has it.
    pub(crate) fn apache() -> Option<Self> {
        Some(Self::Apache {
            java: super::environment::path("ZK_JAVA")?,
            jars: super::environment::path("ZK_APACHE_395")?,
        })
    }

    /// What runs it on the zoo.cfg in a directory.
    pub(crate) fn command(&self, dir: &Path) -> Command {
        let config = dir.join("zoo.cfg");
        match self {
            Self::Apache { java, jars } => {
                let mut command = Command::new(java);
                let log4j = dir.join("log4j2.properties");
                command
                    .args(["-Xmx256m", "-XX:+UseSerialGC", "-Dfile.encoding=UTF-8"])
                    .args(java_options(&config))
                    .arg(format!("-Dlog4j2.configurationFile={}", log4j.display()))
                    .arg("-cp")
                    .arg(format!("{}/*", jars.display()))
                    .arg("org.apache.zookeeper.server.quorum.QuorumPeerMain")
                    .arg(config);
                command
            }
            Self::Ours(binary) => {
                let mut command = Command::new(binary);
                command.env("RUST_LOG", "error").arg(config);
                command
            }
        }
    }
}

/// A running server in a directory of its own; killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    program: Program,
    child: Option<Child>,
    address: SocketAddr,
    dir: TempDir,
}

impl Process {
    /// Starts a server with `extra` lines in its zoo.cfg, and waits until it
    /// answers.
    pub(crate) fn start(program: Program, extra: &str) -> Self {
        let dir = TempDir::new().expect("a temporary directory");
        let address = free_address();
        write_config(dir.path(), address, extra);
        let mut process = Self {
            program,
            child: None,
            address,
            dir,
        };
        process.launch();
        process
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn name(&self) -> &'static str {
        match self.program {
            Program::Apache { .. } => "apache",
            Program::Ours(_) => "ours",
        }
    }

    /// The last lines that it logged.
    pub(crate) fn log(&self) -> String {
        let text = fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
        let lines: Vec<String> = text
            .lines()
            .map(|line| line.chars().take(200).collect())
            .collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// The answer to a four-letter word; nothing when it is not there.
    pub(crate) fn word(&self, word: &str) -> String {
        four_letter_word(self.address, word).unwrap_or_default()
    }

    fn launch(&mut self) {
        let log = File::create(self.dir.path().join("log")).expect("a log file");
        let errors = log.try_clone().expect("a second handle");
        let child = self
            .program
            .command(self.dir.path())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| panic!("{:?} does not start: {error}", self.program));
        self.child = Some(child);
        self.wait_until_it_serves();
    }

    fn wait_until_it_serves(&mut self) {
        let deadline = Instant::now() + START_TIMEOUT;
        while !self.word("srvr").contains("Mode: ") {
            let child = self.child.as_mut().expect("it was started");
            let ended = child.try_wait().expect("it can be asked");
            assert!(ended.is_none(), "{} ended: {}", self.name(), self.log());
            assert!(Instant::now() < deadline, "no answer: {}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What Apache's server does not read from zoo.cfg.
fn java_options(config: &Path) -> Vec<String> {
    let text = fs::read_to_string(config).expect("zoo.cfg is there");
    let lines = text
        .lines()
        .filter(|line| line.starts_with("znode.container."));
    lines.map(|line| format!("-D{line}")).collect()
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address")
}

fn write_config(dir: &Path, address: SocketAddr, extra: &str) {
    let data = dir.join("data");
    fs::create_dir(&data).expect("a data directory");
    let config = format!(
        "dataDir={}\nclientPort={}\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\n\
         DigestAuthenticationProvider.superDigest={SUPER_DIGEST}\n4lw.commands.whitelist=*\n{extra}\n",
        data.display(),
        address.port(),
    );
    fs::write(dir.join("zoo.cfg"), config).expect("zoo.cfg is written");
    write_logging(dir);
}

/// How Apache's server logs.
pub(crate) fn write_logging(dir: &Path) {
    let log4j = "rootLogger.level=warn\nrootLogger.appenderRef.out.ref=out\n\
                 appender.out.type=Console\nappender.out.name=out\n\
                 appender.out.layout.type=PatternLayout\n\
                 appender.out.layout.pattern=%d %p %c{1} %m%n%ex\n";
    fs::write(dir.join("log4j2.properties"), log4j).expect("its logging is set");
}
