//! A contender of Curator's in a process of its own, which does what it is
//! told. What that means is in Contender.java.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Longer than anything takes on the busiest machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// A running contender; killed when dropped.
pub(crate) struct Java {
    child: Child,
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    _dir: TempDir,
}

impl Java {
    /// Starts a contender of these servers; `None`, and says so, where there is
    /// no Java.
    pub(crate) async fn start(servers: &str, session_timeout: Duration) -> Option<Self> {
        let (java, jars) = (path("ZK_JAVA")?, path("ZK_APACHE_395")?);
        let dir = TempDir::new().unwrap();
        let log4j = dir.path().join("log4j2.properties");
        std::fs::write(&log4j, "rootLogger.level=off\n").unwrap();
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/curator/Contender.java");
        let mut child = Command::new(java)
            .args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
            .arg(format!("-Dlog4j2.configurationFile={}", log4j.display()))
            .arg("-cp")
            .arg(format!("{}/*", jars.display()))
            .args([program, servers])
            .arg(session_timeout.as_millis().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut contender = Self {
            commands: child.stdin.take().unwrap(),
            answers: BufReader::new(child.stdout.take().unwrap()).lines(),
            child,
            _dir: dir,
        };
        assert_eq!(contender.answer().await, "ready");
        Some(contender)
    }

    /// Gives a command.
    pub(crate) async fn tell(&mut self, command: &str) {
        let line = format!("{command}\n");
        self.commands.write_all(line.as_bytes()).await.unwrap();
    }

    /// What it says to the oldest command that is unanswered.
    pub(crate) async fn answer(&mut self) -> String {
        let line = tokio::time::timeout(PATIENCE, self.answers.next_line());
        let line = line.await.expect("an answer in time").unwrap();
        line.expect("the contender lives")
    }

    pub(crate) async fn ask(&mut self, command: &str) -> String {
        self.tell(command).await;
        self.answer().await
    }

    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Stops the process where it stands, as a long collection of garbage does.
    pub(crate) async fn pause(&self) {
        self.signal("-STOP").await;
    }

    pub(crate) async fn resume(&self) {
        self.signal("-CONT").await;
    }

    async fn signal(&self, signal: &str) {
        let id = self.child.id().unwrap().to_string();
        let status = Command::new("kill").args([signal, &id]).status().await;
        assert!(status.unwrap().success());
    }
}

/// A path from the environment; says so when it is missing.
fn path(variable: &str) -> Option<PathBuf> {
    let value = std::env::var_os(variable).filter(|value| !value.is_empty());
    if value.is_none() {
        println!("skipped: {variable} is not set");
    }
    value.map(PathBuf::from)
}
